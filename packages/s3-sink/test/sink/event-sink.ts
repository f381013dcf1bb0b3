import { day, defineTable, defineTopic, identity, json, t } from '@stockpipe/core'
import { createEngine } from '../../src/engine.ts'
import type { GroupCommit, SinkOptions } from '../../src/sink-options.ts'
import { rowsOf } from '../engine/parquet-files.ts'
import type { FakeLog } from './fake-log.ts'
import type { MemoryBucket } from './memory-object-store.ts'
import { sinkUnderTest } from './sink-fixture.ts'

export const newYork = 'America/New_York'

/** A table with event times, by their day in New York. */
export const events = defineTable('events', {
  columns: { symbol: t.string(), at: t.timestamp().nullable(), offset: t.recordOffset() },
  partitions: { day: day('at', { timeZone: newYork }), ticker: identity('symbol') },
})
export const eventsTopic = defineTopic('ticks', {
  table: events,
  partitions: 4,
  value: json({ timestamps: { at: 'epoch-millis' } }),
})
export const eventsLake = events.at({ database: 'market', location: 's3://lake/events/' })

/** A sink of that table with the real engine, over memory. */
export const eventSink = (options: Partial<SinkOptions> & { bucket?: MemoryBucket } = {}) => {
  const commits: GroupCommit[] = []
  const test = sinkUnderTest({
    topic: eventsTopic,
    table: eventsLake,
    createEngine,
    onCommit: (commit) => commits.push(commit),
    ...options,
  })
  return { ...test, commits }
}

/** Appends a record of that table. */
export const appendEvent = (log: FakeLog, at: number | null, symbol = 'A'): void => {
  log.append(JSON.stringify({ symbol, at }))
}

/** Every row published, by the key of its file. */
export const eventRows = async (bucket: MemoryBucket, prefix = 'events/') => {
  const rows = []
  for (const key of bucket.keys().filter((one) => one.startsWith(prefix))) {
    for (const row of await rowsOf(events, bucket.objects.get(key)!.bytes)) {
      const { symbol, at, offset } = row as { symbol: string; at: bigint | null; offset: bigint }
      rows.push({ key, symbol, at: at === null ? null : Number(at), offset: Number(offset) })
    }
  }
  return rows.sort((left, right) => left.offset - right.offset)
}

/** The entries of partition 0, oldest first. */
export const entriesOf = (bucket: MemoryBucket) =>
  bucket
    .keys('groups/ticks/0')
    .filter((key) => key.endsWith('.json'))
    .reverse()
    .map(
      (key) =>
        JSON.parse(bucket.text(key)!) as {
          cutBy: string
          watermark: number | null
          late: unknown
          counts: { rows: number; deadLetters: number }
          files: { kind: string; key: string; minEventTime: number; maxEventTime: number }[]
        },
    )
