import {
  type PartitionDefinition,
  partitionPath,
  SchemaMismatchError,
  type TopicPartition,
} from '@stockpipe/core'
import { paddedOffset } from './journal-keys.ts'

const longestKeyBytes = 1024

/** Partition, start, sink, claim id and a file number of six digits, with what stands between. */
const longestTailBytes = '-2147483647-0000000000000000000-00000000000000000000-999999.parquet'.length

/** A topic as file names have it: readers skip files whose name begins with `_` or `.`. */
export const visibleTopic = (topic: string): string => (/^[_.]/.test(topic) ? `topic${topic}` : topic)

/** UTF-8 bytes left for `k1=v1/k2=v2/` in the keys of a topic's files under a prefix. May be negative. */
export const longestPathBytes = (prefix: string, topic: string): number =>
  longestKeyBytes - Buffer.byteLength(prefix) - visibleTopic(topic).length - longestTailBytes

/** What the name of a file of a sink tells; undefined for the files of others. */
export const readFileKey = (
  key: string,
):
  | {
      /** As `visibleTopic` gives it. */
      readonly topic: string
      readonly partition: number
      readonly start: bigint
      readonly sinkHash: string
    }
  | undefined => {
  const match = /(?:^|\/)([^/]+)-(\d{1,10})-(\d{19})-([0-9a-f]{8})[0-9a-f]{12}(?:-\d+)?\.parquet$/.exec(key)
  if (!match) return undefined
  return { topic: match[1]!, partition: Number(match[2]), start: BigInt(match[3]!), sinkHash: match[4]! }
}

/** Names the data files of one staging. */
export class DataFileKeys {
  readonly #taken: Map<string, number>
  readonly #prefix: string
  readonly #partitions: readonly PartitionDefinition[]
  readonly #name: string
  readonly #log: TopicPartition

  /**
   * @param options `prefix`: of the kind of file, such as the table's location; `sinkHash`: 8 hex digits; `claimId`:
   *   32 hex digits; `taken`: files by folder, of every kind the staging has, so that no two of them share a key
   */
  constructor(options: {
    readonly prefix: string
    readonly partitions: readonly PartitionDefinition[]
    readonly log: TopicPartition
    readonly start: bigint
    readonly sinkHash: string
    readonly claimId: string
    readonly taken: Map<string, number>
  }) {
    const { topic, partition } = options.log
    this.#prefix = options.prefix
    this.#taken = options.taken
    this.#partitions = options.partitions
    this.#log = options.log
    this.#name = `${visibleTopic(topic)}-${partition}-${paddedOffset(options.start)}-${options.sinkHash}${options.claimId.slice(0, 12)}`
  }

  /** The key of the next file of these partition values. Throws a `SchemaMismatchError` past 1,024 bytes. */
  next(values: readonly (string | null)[]): string {
    const path = partitionPath(this.#partitions, values)
    const folder = `${this.#prefix}${path}`
    const count = this.#taken.get(folder) ?? 0
    this.#taken.set(folder, count + 1)
    const key = `${folder}${this.#name}${count === 0 ? '' : `-${count}`}.parquet`
    if (Buffer.byteLength(key) > longestKeyBytes) {
      throw new SchemaMismatchError({
        code: 'FILE_KEY_TOO_LONG',
        message:
          `A row of ${this.#log.topic}-${this.#log.partition} belongs to partition ${path.slice(0, 200)}…, whose file key ` +
          `has ${Buffer.byteLength(key)} bytes; S3 takes ${longestKeyBytes}. Partition by a shorter value.`,
        facts: { topic: this.#log.topic, partition: this.#log.partition, bytes: Buffer.byteLength(key) },
      })
    }
    return key
  }
}
