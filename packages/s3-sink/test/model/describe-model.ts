import { defineTable, defineTopic, identity, type TableDefinition, t } from '@stockpipe/core'
import fc from 'fast-check'
import { parquetReadObjects } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import type { RotationOptions } from '../../src/sink-options.ts'
import { verifySink } from '../../src/verify.ts'
import { type MemoryBucket, MemoryObjectStore } from '../sink/memory-object-store.ts'
import type { NumberedLog } from './numbered-log.ts'
import { type MemberOptions, type ScheduleOptions, Simulation } from './simulation.ts'
import { smallPartsEngine } from './small-parts-engine.ts'

/** Schedules a trigger; checks ask for 70 a day, and for a thousand. */
const schedules = Number(process.env.STOCKPIPE_MODEL_SCHEDULES ?? 5)

const columns = {
  id: t.int64(),
  symbol: t.string(),
  ts: t.timestamp(),
  kafka_partition: t.recordPartition(),
  kafka_offset: t.recordOffset(),
}
const partitions = { ticker: identity('symbol') }
const location = { database: 'market', location: 's3://lake/ticks/' }
const tableOf = (table: TableDefinition) => ({
  topic: defineTopic('ticks', { table, partitions: 3 }),
  table: table.at(location),
})
/** What a sink accepts at least: entries are pruned while members that hung for longer still wake. */
const shortestRetentionMillis = 2 * 24 * 3_600_000
/** The table, and what it is after a change of its definition. */
const tables = [
  tableOf(defineTable('ticks', { columns, partitions })),
  tableOf(defineTable('ticks', { columns: { ...columns, venue: t.string().nullable() }, partitions })),
]

/** What may cut a group, and what is more or less likely meanwhile. */
export interface Trigger {
  readonly rotation: RotationOptions
  readonly weights?: ScheduleOptions['weights']
  readonly options?: Partial<MemberOptions>
  /** Each member has the other definition of the table. */
  readonly schemaChanges?: boolean
}

/** Whether the sinks have their engines in worker threads (`in-workers.ts`). */
export const modelMode = { inWorkers: false }

/** Rotation that never cuts by itself. */
export const never = { rows: 1e9, bytes: 1e12, ageMillis: 1e12 }

const rowsOf = (
  bucket: MemoryBucket,
  prefix: string,
  columns: string[],
): Promise<Record<string, unknown>[]> =>
  Promise.all(
    bucket
      .keys()
      .filter((key) => key.startsWith(prefix))
      .map((key) => {
        const { buffer, byteOffset, byteLength } = bucket.objects.get(key)!.bytes
        const file = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
        return parquetReadObjects({ file, columns })
      }),
  ).then((files) => files.flat())

/** Where each record stood in the log that readers find, and its id; null for a dead letter. */
const published = async (bucket: MemoryBucket): Promise<[at: string, id: number | null][]> => {
  const fields = ['kafka_partition', 'kafka_offset', 'id']
  const rows = [
    ...(await rowsOf(bucket, 'ticks/', fields)),
    ...(await rowsOf(bucket, '_stockpipe/late/market/', fields)),
  ]
  const letters = await rowsOf(bucket, '_stockpipe/dead-letters/market/', ['partition', 'offset'])
  return [
    ...rows.map((row): [string, number] => [`${row.kafka_partition}-${row.kafka_offset}`, Number(row.id)]),
    ...letters.map(({ partition, offset }): [string, null] => [`${partition}-${offset}`, null]),
  ]
}

/** Every record is there once, as the row or the dead letter it has to be; late ones may be dead letters too. */
const expectOnce = (
  found: readonly [at: string, id: number | null][],
  logs: readonly NumberedLog[],
  lateBecomeDeadLetters: boolean,
): void => {
  const records = new Map(
    logs.flatMap(({ partition, records }) =>
      records.map((record) => [`${partition}-${record.offset}`, record]),
    ),
  )
  expect(found.map(([at]) => at).sort()).toEqual([...records.keys()].sort())
  const wrong = found.filter(([at, id]) => {
    const record = records.get(at)!
    return id === null ? !(record.bad || lateBecomeDeadLetters) : record.bad || record.id !== id
  })
  expect(wrong).toEqual([])
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
  sizes: fc.constantFrom(
    { partBytes: 150, rowGroupRows: 2 },
    { partBytes: 700, rowGroupRows: 3 },
    { partBytes: 100_000, rowGroupRows: 65_536 },
  ),
})

/** The sink under schedules of crashes, hung owners, two owners, lost and late answers, for each trigger. */
export const describeModel = (triggers: Readonly<Record<string, Trigger>>): void => {
  describe('under any schedule of crashes, hung owners, two owners, lost and late answers', () => {
    const named = Object.entries(triggers).map(
      ([name, trigger]) => [modelMode.inWorkers ? `${name}, in workers,` : name, trigger] as const,
    )
    it.each(named)(
      'groups cut by %s leave every record in exactly one published file, and a chain that verifies',
      async (name, { rotation, weights, options, schemaChanges = false }) => {
        const counts: Record<string, number> = {}
        await fc.assert(
          fc.asyncProperty(schedule, async ({ sizes, ...one }) => {
            let earlyParts = 0
            const simulation = new Simulation({
              ...one,
              // Messages between threads take time.
              weights: { ...weights, ...(modelMode.inWorkers ? { time: 40 } : {}) },
              member: (joined) => ({
                ...tables[schemaChanges ? joined % 2 : 0]!,
                rotation,
                createEngine: smallPartsEngine(sizes, () => {
                  earlyParts += 1
                }),
                cleaner: { everyMillis: 600_000 },
                retainEntriesMillis: shortestRetentionMillis,
                ...options,
              }),
            })
            await simulation.run()
            const { bucket, logs, done, calls } = simulation
            expectOnce(await published(bucket), logs, options?.late !== undefined)
            const report = await verifySink({
              journal: 's3://lake/_stockpipe/journal/market',
              store: new MemoryObjectStore(bucket),
              table: tables[0]!.table,
            })
            expect(report.problems).toEqual([])
            expect(bucket.partsSentTwice).toEqual([])
            const { kill, hang, steal, expire } = done
            const met = {
              records: report.totals.records,
              groups: report.totals.groups,
              earlyParts,
              kill,
              hang,
              steal,
              expire,
              ...calls.met,
            }
            for (const [what, count = 0] of Object.entries(met)) counts[what] = (counts[what] ?? 0) + count
          }),
          { numRuns: schedules },
        )
        if (process.env.STOCKPIPE_MODEL_SCHEDULES !== undefined) {
          const told = Object.entries(counts).map(([what, count]) => `${count} ${what}`)
          console.log(`figure: ${schedules} schedules cut by ${name}, 0 lost, 0 doubled: ${told.join(', ')}`)
        }
      },
      3_600_000,
    )
  })
}
