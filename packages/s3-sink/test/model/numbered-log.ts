import { type AssignedPartition, type RecordBlock, RecordBlockBuilder } from '@stockpipe/core'
import type { Chance } from './chance.ts'

export interface NumberedRecord {
  readonly offset: bigint
  readonly id: number
  readonly timestampMillis: number
  readonly value: string
  /** It is no row of the table. */
  readonly bad: boolean
}

const minuteMillis = 60_000

/** One Kafka topic partition of numbered records, with holes and retention. */
export class NumberedLog {
  readonly topic: string
  readonly partition: number
  readonly #chance: Chance
  readonly records: NumberedRecord[] = []
  logStart = 0n
  logEnd = 0n
  committed: bigint | undefined
  #eventTime = Date.UTC(2026, 0, 2, 14, 30)

  constructor(topic: string, partition: number, chance: Chance) {
    this.topic = topic
    this.partition = partition
    this.#chance = chance
  }

  /** Appends records of ids from `id` on; event times ascend by and large. */
  produce(id: number, count: number, symbols: readonly string[]): void {
    for (let index = 0; index < count; index += 1) {
      this.#eventTime += this.#chance.below(4) * minuteMillis
      const ts = this.#eventTime - (this.#chance.happens(0.1) ? this.#chance.below(90) * minuteMillis : 0)
      const bad = this.#chance.happens(0.08)
      const symbol = bad ? 7 : this.#chance.pick(symbols)
      const value = JSON.stringify({ id: id + index, symbol, ts: new Date(ts) })
      this.records.push({ offset: this.logEnd, id: id + index, timestampMillis: ts, value, bad })
      this.logEnd += 1n
    }
  }

  /** Offsets without a record, as transaction markers leave them. */
  skip(offsets: number): void {
    this.logEnd += BigInt(offsets)
  }

  /** What lies below an offset passes out of the log; ids that nobody has read by then are lost by right. */
  retain(from: bigint): void {
    if (from > this.logStart) this.logStart = from
  }

  get assigned(): AssignedPartition {
    const { topic, partition, logStart, logEnd, committed } = this
    return { topic, partition, logStart, logEnd, ...(committed === undefined ? {} : { committed }) }
  }

  /** At most `most` records from an offset on and below another, as one fetch answers them. */
  block(from: bigint, most: number, to = this.logEnd): RecordBlock {
    const { topic, partition } = this
    const kept = this.records.filter(({ offset }) => offset >= from && offset >= this.logStart && offset < to)
    const records = kept.slice(0, most)
    const builder = new RecordBlockBuilder({ topic, partition, firstOffset: from })
    for (const { offset, timestampMillis, value } of records) {
      builder.add({ offset, timestampMillis, key: null, value: new TextEncoder().encode(value) })
    }
    const whole = records.length === kept.length
    return builder.finish(whole ? to : records.at(-1)!.offset + 1n)
  }
}
