import {
  type AssignedPartition,
  type PartitionedSink,
  type RecordBlock,
  RecordBlockBuilder,
} from '@stockpipe/core'

interface FakeRecord {
  readonly offset: bigint
  readonly timestampMillis: number
  readonly value: string
}

/** One Kafka topic partition: records, holes, retention. */
export class FakeLog {
  readonly topic: string
  readonly partition: number
  records: FakeRecord[] = []
  logStart = 0n
  logEnd = 0n
  committed: bigint | undefined
  /** Of the leader that has written all of it; blocks do not tell it when it is not known. */
  leaderEpoch: number | undefined

  constructor(partition = 0, topic = 'ticks') {
    this.partition = partition
    this.topic = topic
  }

  /** Appends records; the first character of a value is its path. */
  append(...values: string[]): this {
    for (const value of values) {
      this.records.push({
        offset: this.logEnd,
        timestampMillis: 1_700_000_000_000 + Number(this.logEnd),
        value,
      })
      this.logEnd += 1n
    }
    return this
  }

  appendMany(count: number, paths = 'ab'): this {
    for (let index = 0; index < count; index += 1) this.append(`${paths[index % paths.length]}${this.logEnd}`)
    return this
  }

  /** Offsets without a record, as transaction markers and compaction leave them. */
  skip(offsets: number): this {
    this.logEnd += BigInt(offsets)
    return this
  }

  retain(from: bigint): this {
    this.records = this.records.filter((record) => record.offset >= from)
    this.logStart = from
    return this
  }

  get assigned(): AssignedPartition {
    const { topic, partition, logStart, logEnd, committed } = this
    return { topic, partition, logStart, logEnd, ...(committed === undefined ? {} : { committed }) }
  }

  block(from: bigint, most = Number.POSITIVE_INFINITY): RecordBlock {
    const records = this.records.filter((record) => record.offset >= from).slice(0, most)
    const builder = new RecordBlockBuilder({
      topic: this.topic,
      partition: this.partition,
      firstOffset: from,
    })
    for (const { offset, timestampMillis, value } of records) {
      builder.add({ offset, timestampMillis, key: null, value: new TextEncoder().encode(value) })
    }
    const last = records.at(-1)
    const whole = !last || last === this.records.at(-1)
    const block = builder.finish(whole ? this.logEnd : last.offset + 1n)
    return this.leaderEpoch === undefined ? block : { ...block, leaderEpoch: this.leaderEpoch }
  }
}

/** A consumer loop in small: assigns, writes everything in blocks, answers the position reached. */
export const consume = async (
  sink: PartitionedSink,
  logs: readonly FakeLog[],
  blockRecords = Number.POSITIVE_INFINITY,
): Promise<void> => {
  const positions = await sink.assign(
    logs.map((log) => log.assigned),
    { generation: 1 },
  )
  await Promise.all(
    logs.map(async (log, index) => {
      let at = positions[index]!.offset
      while (at < log.logEnd) {
        const block = log.block(at, blockRecords)
        at = block.nextOffset
        await sink.write(block)
      }
    }),
  )
}
