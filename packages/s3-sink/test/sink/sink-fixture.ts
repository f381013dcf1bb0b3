import { defineTable, defineTopic, identity, type PartitionedSinkEvents, t } from '@stockpipe/core'
import { createSink, type Sink } from '../../src/sink.ts'
import type { SinkOptions } from '../../src/sink-options.ts'
import { LineEngine } from './line-engine.ts'
import { ManualRuntime } from './manual-runtime.ts'
import { type MemoryBucket, MemoryObjectStore } from './memory-object-store.ts'

export const ticks = defineTable('ticks', {
  columns: { symbol: t.string(), price: t.decimal(18, 4) },
  partitions: { ticker: identity('symbol') },
})
export const ticksTopic = defineTopic('ticks', { table: ticks, partitions: 4 })
export const lake = ticks.at({ database: 'market', location: 's3://lake/ticks/' })

export interface SinkUnderTest {
  readonly sink: Sink
  readonly store: MemoryObjectStore
  readonly bucket: MemoryBucket
  readonly runtime: ManualRuntime
  readonly engine: LineEngine
  readonly events: { readonly [Event in keyof PartitionedSinkEvents]: PartitionedSinkEvents[Event][] }
  readonly warnings: string[]
}

let seeds = 0

/** A sink over memory; give a bucket to start another one on what a former left. */
export const sinkUnderTest = (
  options: Partial<SinkOptions> & {
    bucket?: MemoryBucket
    objects?: MemoryObjectStore
    time?: ManualRuntime
  } = {},
): SinkUnderTest => {
  const { bucket, objects, time, ...rest } = options
  const store = objects ?? new MemoryObjectStore(bucket)
  seeds += 1
  const runtime = time ?? new ManualRuntime(seeds)
  const engine = new LineEngine()
  const warnings: string[] = []
  const sink = createSink({
    name: 'market',
    topic: ticksTopic,
    table: lake,
    store,
    runtime,
    logger: { info() {}, warn: (text) => warnings.push(text), error: (text) => warnings.push(text) },
    createEngine: () => engine,
    ...rest,
  })
  const events: SinkUnderTest['events'] = {
    room: [],
    full: [],
    committable: [],
    fenced: [],
    failed: [],
  }
  for (const event of Object.keys(events) as (keyof PartitionedSinkEvents)[]) {
    sink.on(event, (...details) => (events[event] as unknown[]).push(details))
  }
  return { sink, store, bucket: store.bucket, runtime, engine, events, warnings }
}

/** Every `offset value` line of every published data file, by partition log, sorted. */
export const publishedLines = (bucket: MemoryBucket): string[] => linesOf(bucket, 'ticks/ticker=')

/** The same of every published dead-letter file. */
export const deadLetterLines = (bucket: MemoryBucket): string[] =>
  linesOf(bucket, '_stockpipe/dead-letters/market/')

const linesOf = (bucket: MemoryBucket, keys: string): string[] =>
  bucket
    .keys(keys)
    .flatMap((key) => {
      const partition = /ticks-(\d+)-/.exec(key)?.[1]
      return bucket
        .text(key)!
        .trimEnd()
        .split('\n')
        .map((line) => `${partition}: ${line}`)
    })
    .sort(byOffset)

const byOffset = (left: string, right: string): number => {
  const [leftNumbers, rightNumbers] = [left, right].map((line) => line.match(/\d+/g)!.map(Number))
  return leftNumbers![0]! - rightNumbers![0]! || leftNumbers![1]! - rightNumbers![1]!
}

/** What should be published of a log: the same lines. */
export const expectedLines = (
  ...logs: readonly { partition: number; records: readonly { offset: bigint; value: string }[] }[]
): string[] =>
  logs.flatMap(({ partition, records }) =>
    records.map(({ offset, value }) => `${partition}: ${offset} ${value}`),
  )
