import { defineTable, defineTopic, identity, t } from '@stockpipe/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEngine } from '../src/engine.ts'
import { ParquetEncoder } from '../src/parquet-encoder.ts'
import type { SortColumn } from '../src/row-order.ts'
import { batchOf, type Cell } from './engine/column-batches.ts'
import { fileOf, filesOf, footerOf, rowsOf } from './engine/parquet-files.ts'
import { blockOf } from './engine/record-blocks.ts'

const table = defineTable('sorted', {
  columns: {
    symbol: t.string().nullable(),
    price: t.decimal(18, 4).nullable(),
    wide: t.decimal(38, 0).nullable(),
    real: t.double().nullable(),
    flag: t.boolean().nullable(),
    raw: t.binary().nullable(),
    tiny: t.int8().nullable(),
    serial: t.int64(),
  },
})
const nullable = (cell: fc.Arbitrary<Cell>) => fc.option(cell, { freq: 4 })
const row = fc.record({
  symbol: nullable(fc.constantFrom('A', 'AB', 'B', '', 'é', '\u{1f402}')),
  price: nullable(fc.constantFrom(-1n, 0n, 1n, 2n ** 40n, -(2n ** 40n))),
  wide: nullable(fc.constantFrom(-1n, 0n, 1n, 10n ** 37n, -(10n ** 37n), 2n ** 64n)),
  real: nullable(fc.constantFrom(0, 1.5, -1.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)),
  flag: nullable(fc.boolean()),
  raw: nullable(fc.uint8Array({ maxLength: 3 })),
  tiny: nullable(fc.integer({ min: -3, max: 3 })),
})
const sortBy: fc.Arbitrary<SortColumn[]> = fc.uniqueArray(
  fc.record({
    column: fc.constantFrom('symbol', 'price', 'wide', 'real', 'flag', 'raw', 'tiny'),
    descending: fc.boolean(),
    nullsFirst: fc.boolean(),
  }),
  { selector: ({ column }) => column, minLength: 1, maxLength: 3 },
)

const compareCells = (left: Cell, right: Cell): number => {
  if (typeof left === 'string') return Buffer.compare(Buffer.from(left), Buffer.from(right as string))
  if (left instanceof Uint8Array) return Buffer.compare(left, right as Uint8Array)
  return (left as number) < (right as number) ? -1 : (left as number) > (right as number) ? 1 : 0
}

describe('sortBy', () => {
  it('sorts the rows of a row group by values of any type, nulls where asked, and keeps what is equal in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), sortBy, async (rows, columns) => {
        const serials = rows.map((cells, serial) => ({ ...cells, serial: BigInt(serial) }))
        const encoder = new ParquetEncoder(table.columns, { compression: 'none', sortBy: columns })
        const group = encoder.encode(batchOf(table, serials))
        const file = fileOf(encoder, [group])
        const expected = serials.toSorted((left, right) => {
          for (const { column, descending, nullsFirst } of columns) {
            const [a, b] = [left, right].map((cells) => (cells as Record<string, Cell>)[column]!)
            if (a === null || b === null) {
              if (a === b) continue
              return (a === null) === nullsFirst ? -1 : 1
            }
            const difference = compareCells(a!, b!)
            if (difference !== 0) return descending ? -difference : difference
          }
          return 0
        })
        expect((await rowsOf(table, file)).map(({ serial }) => serial)).toEqual(
          expected.map(({ serial }) => serial),
        )
        expect(await rowsOf(table, file)).toEqual(expected)
        expect(footerOf(file).row_groups[0]!.sorting_columns).toEqual(
          columns.map(({ column, descending, nullsFirst }) => ({
            column_idx: table.columns.findIndex(({ name }) => name === column),
            descending,
            nulls_first: nullsFirst,
          })),
        )
      }),
      { numRuns: 150 },
    )
  }, 60_000)

  it('keeps files and their offsets as they are, and leaves dead letters alone', async () => {
    const ticks = defineTable('ticks', {
      columns: { symbol: t.string(), size: t.int64() },
      partitions: { ticker: identity('symbol') },
    })
    const topic = defineTopic('ticks', { table: ticks })
    const engine = createEngine({
      topic: topic.toJSON(),
      sortBy: [{ column: 'size', descending: true }],
      rowGroupRows: 4,
    })
    const values: unknown[] = Array.from({ length: 10 }, (_, index) => ({
      symbol: 'A',
      size: (index * 7) % 10,
    }))
    values[3] = 'no row'
    const records = values.map((value, index) => ({ offset: BigInt(index), value }))
    engine.handle({ kind: 'block', block: blockOf('ticks', records), from: 0n })
    const log = { topic: 'ticks', partition: 0 }
    const [data, dead] = filesOf(engine.handle({ kind: 'cut', log, start: 0n, next: 10n }))
    expect([data!.facts.firstOffset, data!.facts.lastOffset]).toEqual([0n, 9n])
    const sizes = (await rowsOf(ticks, data!.bytes)).map(({ size }) => Number(size))
    expect(sizes).toEqual([8, 7, 4, 0, 9, 6, 5, 2, 3])
    expect(footerOf(dead!.bytes).row_groups[0]!.sorting_columns).toBeUndefined()
  })

  it('is refused by a column that is unknown, named twice, or without an order', () => {
    const nested = defineTable('nested', { columns: { tags: t.list(t.string()), size: t.int64() } })
    const of =
      (...columns: (string | SortColumn)[]) =>
      () =>
        new ParquetEncoder(nested.columns, { compression: 'none', sortBy: columns })
    expect(of('nothing')).toThrow(/no column 'nothing'/)
    expect(of('tags')).toThrow(/'tags' is a list/)
    expect(of('size', { column: 'size', descending: true })).toThrow(/named twice/)
  })
})
