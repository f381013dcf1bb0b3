import {
  type DeadLetter,
  type DeadLetterPublisher,
  defineTable,
  defineTopic,
  identity,
  t,
} from '@stockpipe/core'
import { createSink, type Sink } from '../../src/sink.ts'
import type { SinkOptions } from '../../src/sink-options.ts'
import { FakeLog } from './fake-log.ts'
import { ManualRuntime } from './manual-runtime.ts'
import type { MemoryObjectStore } from './memory-object-store.ts'

/** A sink with the real engine, so that its dead-letter files are Parquet. */
export const prices = defineTable('prices', {
  columns: { ticker: t.string(), price: t.decimal(18, 4) },
  partitions: { ticker_path: identity('ticker') },
})
export const pricesTopic = defineTopic('prices', { table: prices, partitions: 2 })
export const pricesJournal = 's3://lake/_stockpipe/journal/prices'

export const priceSink = (store: MemoryObjectStore, options: Partial<SinkOptions> = {}): Sink =>
  createSink({
    name: 'prices',
    topic: pricesTopic,
    table: prices.at({ database: 'market', location: 's3://lake/prices/' }),
    store,
    runtime: new ManualRuntime(5),
    ...options,
  })

export const goodPrice = (price = '1.5'): string => JSON.stringify({ ticker: 'A', price })
export const pricesLog = (...values: string[]): FakeLog => new FakeLog(0, 'prices').append(...values)

/** A topic in memory; `fail` makes the next calls fail, after the first record is in. */
export class MemoryTopic implements DeadLetterPublisher {
  readonly received: DeadLetter[] = []
  readonly failures: unknown[] = []
  calls = 0

  async publish(deadLetters: readonly DeadLetter[]): Promise<void> {
    this.calls += 1
    const failure = this.failures.shift()
    this.received.push(...(failure === undefined ? deadLetters : deadLetters.slice(0, 1)))
    if (failure !== undefined) throw failure
  }

  get texts(): string[] {
    return this.received.map(({ offset, value }) => `${offset} ${value && Buffer.from(value).toString()}`)
  }
}
