import { defineTable, defineTopic, identity, t } from '@stockpipe/core'
import fc from 'fast-check'
import { parquetReadObjects } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import type { RotationOptions } from '../../src/sink-options.ts'
import { verifySink } from '../../src/verify.ts'
import { type MemoryBucket, MemoryObjectStore } from '../sink/memory-object-store.ts'
import { type MemberOptions, type ScheduleOptions, Simulation } from './simulation.ts'
import { smallPartsEngine } from './small-parts-engine.ts'

/** Schedules a trigger; a check asks for a thousand. */
const schedules = Number(process.env.STOCKPIPE_MODEL_SCHEDULES ?? 25)

const ticks = defineTable('ticks', {
  columns: { id: t.int64(), symbol: t.string(), ts: t.timestamp(), kafka_offset: t.recordOffset() },
  partitions: { ticker: identity('symbol') },
})
const topic = defineTopic('ticks', { table: ticks, partitions: 3 })
const lake = ticks.at({ database: 'market', location: 's3://lake/ticks/' })

/** Every id of every data file that readers see. */
const publishedIds = async (bucket: MemoryBucket): Promise<number[]> => {
  const ids: number[] = []
  for (const key of bucket.keys().filter((key) => key.startsWith('ticks/'))) {
    const { buffer, byteOffset, byteLength } = bucket.objects.get(key)!.bytes
    const file = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
    for (const { id } of await parquetReadObjects({ file, columns: ['id'] })) ids.push(Number(id))
  }
  return ids
}

const never = { rows: 1e9, bytes: 1e12, ageMillis: 1e12 }

interface Trigger {
  readonly rotation: RotationOptions
  readonly weights?: ScheduleOptions['weights']
  readonly options?: Partial<MemberOptions>
}

/** What may cut a group, each by itself, and all of it together. */
const triggers: Record<string, Trigger> = {
  rows: { rotation: { ...never, rows: 7 } },
  bytes: { rotation: { ...never, bytes: 4000 } },
  age: { rotation: { ...never, ageMillis: 2000 }, weights: { time: 16 } },
  memory: { rotation: never, options: { maxBufferedBytes: 4_000 } },
  flush: { rotation: never, weights: { flush: 5 } },
  revocation: { rotation: never, weights: { revoke: 3, giveUp: 1, join: 3 } },
  closing: { rotation: never, weights: { close: 2, join: 4 } },
  'all of them': {
    rotation: { rows: 12, bytes: 6000, ageMillis: 5000 },
    weights: { flush: 2, revoke: 2, close: 1 },
  },
}

const schedule = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  steps: fc.integer({ min: 20, max: 700 }),
  partitions: fc.integer({ min: 1, max: 3 }),
  rates: fc.record({
    lost: fc.constantFrom(0, 0.03, 0.15),
    unheard: fc.constantFrom(0, 0.03, 0.15),
    late: fc.constantFrom(0, 0.03, 0.15),
    busy: fc.constantFrom(0, 0.05),
    forbidden: fc.constantFrom(0, 0.004),
  }),
  partBytes: fc.constantFrom(150, 700, 100_000),
})

describe('under any schedule of crashes, hung owners, two owners, lost and late answers', () => {
  it.each(Object.entries(triggers))(
    'groups cut by %s leave every record in exactly one published file, and a chain that verifies',
    async (_, { rotation, weights, options }) => {
      await fc.assert(
        fc.asyncProperty(schedule, async ({ partBytes, ...one }) => {
          const simulation = new Simulation({
            ...one,
            ...(weights ? { weights } : {}),
            member: () => ({
              topic,
              table: lake,
              rotation,
              createEngine: smallPartsEngine(partBytes),
              ...options,
            }),
          })
          await simulation.run()
          const ids = await publishedIds(simulation.bucket)
          const byNumber = (left: number, right: number) => left - right
          expect(ids.sort(byNumber)).toEqual(simulation.produced.sort(byNumber))
          const report = await verifySink({
            journal: 's3://lake/_stockpipe/journal/market',
            store: new MemoryObjectStore(simulation.bucket),
            table: lake,
          })
          expect(report.problems).toEqual([])
          expect(simulation.bucket.partsSentTwice).toEqual([])
        }),
        { numRuns: schedules },
      )
    },
    600_000,
  )
})
