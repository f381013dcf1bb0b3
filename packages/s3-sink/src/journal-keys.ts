import { createHash } from 'node:crypto'
import { ConfigurationError, type TopicPartition } from '@stockpipe/core'

const greatestOffset = 9223372036854775807n
const offsetDigits = 19
const generationDigits = 6

/** What was done after a compaction was claimed: the catalog was changed, the former files were removed. */
export type CompactionStep = 'switched' | 'removed'

/** An offset as 19 digits. */
export const paddedOffset = (offset: bigint): string => offset.toString().padStart(offsetDigits, '0')

const newestFirst = (offset: bigint): string =>
  `${paddedOffset(greatestOffset - offset)}-${paddedOffset(offset)}`

/** Where a sink's journal is, and how its keys are made and read. */
export class JournalKeys {
  readonly bucket: string
  /** `<journal>/<sink>/` without the bucket. */
  readonly root: string
  readonly sink: string

  /**
   * @param journal `s3://bucket/prefix`, or a key prefix of `bucket`
   * Throws a `ConfigurationError` for a name or an address that cannot be one.
   */
  constructor(journal: string, sink: string) {
    const match = /^s3:\/\/([^/]+)\/(.*)$/.exec(journal.endsWith('/') ? journal : `${journal}/`)
    if (!match || match[2] === '' || /\/\/|^\//.test(match[2]!)) {
      throw new ConfigurationError({
        code: 'JOURNAL_LOCATION_INVALID',
        message: `A journal is "s3://bucket/prefix", not "${journal}".`,
      })
    }
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(sink)) {
      throw new ConfigurationError({
        code: 'SINK_NAME_INVALID',
        message: `"${sink}" cannot name a sink: use up to 100 letters, digits, dots, underscores and hyphens, a letter or digit first.`,
      })
    }
    this.bucket = match[1]!
    this.sink = sink
    this.root = `${match[2]}${sink}/`
  }

  get genesisPrefix(): string {
    return `${this.root}genesis/`
  }

  get groupsPrefix(): string {
    return `${this.root}groups/`
  }

  get checkpointsPrefix(): string {
    return `${this.root}checkpoints/`
  }

  /** Records of compactions and retirements. */
  get compactionsPrefix(): string {
    return `${this.root}compactions/`
  }

  /** The object that shows at start-up whether conditional writes hold. */
  get probe(): string {
    return `${this.root}probe`
  }

  genesis({ topic, partition }: TopicPartition): string {
    return `${this.genesisPrefix}${topic}/${partition}.json`
  }

  groups({ topic, partition }: TopicPartition): string {
    return `${this.groupsPrefix}${topic}/${partition}/`
  }

  /** Newest first: a listing begins with the greatest start. */
  entry(log: TopicPartition, start: bigint): string {
    return `${this.#group(log, start)}.json`
  }

  settled(log: TopicPartition, start: bigint): string {
    return `${this.#group(log, start)}.settled`
  }

  /** Says that a file of dead letters of the group at `start` was replayed to a topic; `file` counts them from 0. */
  replayed(topic: string, log: TopicPartition, start: bigint, file: number): string {
    const name = file === 0 ? paddedOffset(start) : `${paddedOffset(start)}-${file}`
    return `${this.root}replayed/${topic}/${log.topic}/${log.partition}/${name}.json`
  }

  checkpoints({ topic, partition }: TopicPartition): string {
    return `${this.checkpointsPrefix}${topic}/${partition}/`
  }

  /** Newest first, as entries are. */
  checkpoint(log: TopicPartition, next: bigint): string {
    return `${this.checkpoints(log)}${newestFirst(next)}.json`
  }

  /** The `next` of a checkpoint, by its key. */
  readCheckpoint(key: string): { log: TopicPartition; next: bigint } | undefined {
    if (!key.startsWith(this.checkpointsPrefix)) return undefined
    const rest = key.slice(this.checkpointsPrefix.length)
    const match = /^([a-zA-Z0-9._-]+)\/(\d{1,10})\/(\d{19})-(\d{19})\.json$/.exec(rest)
    if (!match || BigInt(match[3]!) + BigInt(match[4]!) !== greatestOffset) return undefined
    return { log: { topic: match[1]!, partition: Number(match[2]) }, next: BigInt(match[4]!) }
  }

  /** What a key under the groups prefix is; undefined when it is none of ours. */
  read(key: string): { log: TopicPartition; start: bigint; kind: 'entry' | 'settled' } | undefined {
    if (!key.startsWith(this.groupsPrefix)) return undefined
    const rest = key.slice(this.groupsPrefix.length)
    const match = /^([a-zA-Z0-9._-]+)\/(\d{1,10})\/(\d{19})-(\d{19})\.(json|settled)$/.exec(rest)
    if (!match) return undefined
    const start = BigInt(match[4]!)
    if (BigInt(match[3]!) + start !== greatestOffset) return undefined
    return {
      log: { topic: match[1]!, partition: Number(match[2]) },
      start,
      kind: match[5] === 'json' ? 'entry' : 'settled',
    }
  }

  /**
   * A record of the partition at `path`, `k1=v1/k2=v2/`; oldest first. `step`: what became of it.
   */
  compaction(path: string, generation: number, step?: CompactionStep): string {
    const name = generation.toString().padStart(generationDigits, '0')
    return `${this.compactionsPrefix}${path}${name}${step ? `.${step}` : ''}.json`
  }

  /** What a key under the compactions prefix is; undefined when it is none of ours. */
  readCompaction(
    key: string,
  ): { path: string; generation: number; step: CompactionStep | undefined } | undefined {
    if (!key.startsWith(this.compactionsPrefix)) return undefined
    const rest = key.slice(this.compactionsPrefix.length)
    const match = /^((?:[^/]+\/)+)(\d{6})(?:\.(switched|removed))?\.json$/.exec(rest)
    if (!match) return undefined
    const step = match[3] as CompactionStep | undefined
    return { path: match[1]!, generation: Number(match[2]), step }
  }

  /** The partition log a genesis key is for. */
  readGenesis(key: string): TopicPartition | undefined {
    if (!key.startsWith(this.genesisPrefix)) return undefined
    const match = /^([a-zA-Z0-9._-]+)\/(\d{1,10})\.json$/.exec(key.slice(this.genesisPrefix.length))
    return match ? { topic: match[1]!, partition: Number(match[2]) } : undefined
  }

  #group(log: TopicPartition, start: bigint): string {
    return `${this.groups(log)}${newestFirst(start)}`
  }
}

/** 8 hex digits of a sink's name, for file keys: a listing of uploads shows no metadata. */
export const sinkHash = (sink: string): string => createHash('sha256').update(sink).digest('hex').slice(0, 8)
