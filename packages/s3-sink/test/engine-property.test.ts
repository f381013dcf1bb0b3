import {
  calendarPartition,
  day,
  defineTable,
  defineTopic,
  hour,
  identity,
  json,
  t,
  zoneOffset,
} from '@stockpipe/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { deadLetterTable } from '../src/dead-letter-table.ts'
import { createEngine } from '../src/engine.ts'
import type { EngineResponse } from '../src/engine-messages.ts'
import { filesOf, rowsOf } from './engine/parquet-files.ts'
import { blockOf, type TestRecord } from './engine/record-blocks.ts'

const timeZone = 'America/New_York'
const table = defineTable('trades', {
  columns: {
    symbol: t.string().nullable(),
    price: t.decimal(18, 4),
    wide: t.decimal(30, 2).nullable(),
    up: t.boolean().nullable(),
    tiny: t.int8().nullable(),
    real: t.double().nullable(),
    raw: t.binary().nullable(),
    ts: t.timestamp().nullable(),
    kafka_offset: t.recordOffset(),
  },
  partitions: {
    trade_date: day('ts', { timeZone }),
    trade_hour: hour('ts', { timeZone }),
    ticker: identity('symbol'),
    direction: identity('up'),
  },
})
const topic = defineTopic('trades', { table, value: json({ timestamps: { ts: 'epoch-millis' } }) })
const log = { topic: 'trades', partition: 0 }

interface Trade {
  readonly symbol: string | null
  readonly price: bigint
  readonly wide: bigint | null
  readonly up: boolean | null
  readonly tiny: number | null
  readonly real: number | null
  readonly raw: Uint8Array | null
  readonly ts: number | null
  /** Makes the record one that cannot be decoded. */
  readonly bad: boolean
  /** Offsets left out before it. */
  readonly hole: number
}

const nullable = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 6 })
const trade: fc.Arbitrary<Trade> = fc.record({
  symbol: nullable(
    fc.oneof(fc.constantFrom('AAPL', 'BRK.B', '', 'é/🐂'), fc.string({ unit: 'binary', maxLength: 4 })),
  ),
  price: fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }),
  wide: nullable(fc.bigInt({ min: -(10n ** 30n) + 1n, max: 10n ** 30n - 1n })),
  up: nullable(fc.boolean()),
  tiny: nullable(fc.integer({ min: -128, max: 127 })),
  // JSON text has no -0.
  real: nullable(fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)),
  raw: nullable(fc.uint8Array({ maxLength: 5 })),
  // Hours around the day of 25 hours, and a few instants anywhere.
  ts: nullable(
    fc.oneof(
      fc.integer({ min: Date.UTC(2024, 10, 3, 3), max: Date.UTC(2024, 10, 3, 8) }),
      fc.integer({ min: -62_135_510_400_000, max: 253_402_214_400_000 }),
    ),
  ),
  bad: fc.constantFrom(false, false, false, true),
  hole: fc.constantFrom(0, 0, 0, 1, 7),
})

const fixed = (unscaled: bigint, scale: number): string => {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

const records = (trades: readonly Trade[]): TestRecord[] => {
  let offset = 100n
  return trades.map(({ bad, hole, ...row }) => {
    offset += BigInt(hole) + 1n
    const value = {
      ...row,
      price: bad ? 'no number' : fixed(row.price, 4),
      wide: row.wide === null ? null : fixed(row.wide, 2),
      raw: row.raw === null ? null : Buffer.from(row.raw).toString('base64'),
    }
    return { offset, value }
  })
}

/** What the table says of a row, worked out row by row. */
const expectedPath = ({ symbol, ts, up }: Trade): (string | null)[] => [
  ts === null ? null : calendarPartition('day', ts, zoneOffset(timeZone)),
  ts === null ? null : calendarPartition('hour', ts, zoneOffset(timeZone)),
  symbol === '' ? null : symbol,
  up === null ? null : String(up),
]

/** Hands the records over in blocks of the sizes given, cuts once, and reads the files. */
const run = async (all: readonly TestRecord[], sizes: readonly number[], rowGroupRows: number) => {
  const engine = createEngine({ topic: topic.toJSON(), rowGroupRows, maxPathBytes: 900 })
  const responses: EngineResponse[] = []
  let start = 0
  for (let index = 0; start < all.length; index += 1) {
    const size = sizes[index % sizes.length]!
    const block = blockOf('trades', all.slice(start, start + size))
    responses.push(...engine.handle({ kind: 'block', block, from: 0n }))
    start += size
  }
  const files = filesOf(engine.handle({ kind: 'cut', log, start: 0n, next: 1_000_000n }))
  const read = []
  const deadLetters: Record<string, unknown>[] = []
  for (const { partitionValues, bytes, facts } of files) {
    if (facts.content === 'dead-letters') deadLetters.push(...(await rowsOf(deadLetterTable, bytes)))
    else read.push({ partitionValues, facts: { ...facts, bytes: 0 }, rows: await rowsOf(table, bytes) })
  }
  const rejected = responses.flatMap((response) => (response.kind === 'rejected' ? response.records : []))
  return { files: read, deadLetters, rejected: rejected.map(({ offset }) => offset) }
}

it('every record is a row in the file of its path or a dead letter, exact and in order, however the records come in blocks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(trade, { maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 20 }),
      async (trades, sizes, rowGroupRows) => {
        const all = records(trades)
        const whole = await run(all, [1000], 65_536)
        const split = await run(all, sizes, rowGroupRows)
        expect(split).toEqual(whole)

        const good = trades.flatMap(({ bad }, index) => (bad ? [] : [index]))
        expect(whole.rejected).toEqual(trades.flatMap(({ bad }, index) => (bad ? [all[index]!.offset] : [])))
        expect(
          whole.deadLetters.map(({ offset, value }) => [offset, Buffer.from(value as Uint8Array).toString()]),
        ).toEqual(
          trades.flatMap(({ bad }, index) =>
            bad ? [[all[index]!.offset, JSON.stringify(all[index]!.value)]] : [],
          ),
        )
        const rows = new Map<bigint, { path: readonly (string | null)[]; row: Record<string, unknown> }>()
        const paths = new Set<string>()
        for (const { partitionValues, facts, rows: inFile } of whole.files) {
          paths.add(JSON.stringify(partitionValues))
          expect(facts.rows).toBe(inFile.length)
          const offsets = inFile.map((row) => row['kafka_offset'] as bigint)
          expect(offsets).toEqual(offsets.toSorted((a, b) => (a < b ? -1 : 1)))
          expect([facts.firstOffset, facts.lastOffset]).toEqual([offsets[0], offsets.at(-1)])
          const times = inFile.flatMap(({ ts }) => (ts === null ? [] : [Number(ts as bigint)]))
          expect(facts.minEventTime).toBe(times.length === 0 ? null : Math.min(...times))
          expect(facts.maxEventTime).toBe(times.length === 0 ? null : Math.max(...times))
          for (const row of inFile) rows.set(row['kafka_offset'] as bigint, { path: partitionValues, row })
        }
        expect(paths.size).toBe(whole.files.length)
        expect(whole.files.reduce((count, file) => count + file.rows.length, 0)).toBe(good.length)
        expect(rows.size).toBe(good.length)
        for (const index of good) {
          const { bad: _bad, hole: _hole, ...stored } = trades[index]!
          const { offset } = all[index]!
          const { ts } = stored
          expect(rows.get(offset)).toEqual({
            path: expectedPath(trades[index]!),
            row: { ...stored, ts: ts === null ? null : BigInt(ts), kafka_offset: offset },
          })
        }
      },
    ),
    { numRuns: 60 },
  )
})
