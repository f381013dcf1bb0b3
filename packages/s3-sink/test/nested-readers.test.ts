import {
  type ColumnBatch,
  createDecoder,
  createEncoder,
  defineTable,
  defineTopic,
  type TableDefinition,
  t,
} from '@stockpipe/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nestedTables } from '../../core/test/nested-tables.ts'
import { batchSlice } from '../src/batch-slice.ts'
import { ParquetEncoder } from '../src/parquet-encoder.ts'
import { duckdb } from './engine/duckdb.ts'
import { fileOf } from './engine/parquet-files.ts'
import { blockOf } from './engine/record-blocks.ts'
import { referenceParquet } from './engine/reference-parquet.ts'

const utf8 = new TextEncoder()

const decoded = (table: TableDefinition, rows: readonly Readonly<Record<string, unknown>>[]): ColumnBatch => {
  const topic = defineTopic('nested', { table })
  const encoder = createEncoder(topic)
  const records = rows.map((row, index) => ({
    offset: BigInt(index),
    value: utf8.encode(String(encoder.encode(row as never).value)),
  }))
  const { batch, rejected } = createDecoder(topic).decode(blockOf('nested', records))
  expect(rejected).toEqual([])
  // A dictionary belongs to the file: the slice has its own.
  return batchSlice(batch, 0, batch.rows)
}

const encoded = (table: TableDefinition, batch: ColumnBatch, rowGroupRows: number): Uint8Array => {
  const encoder = new ParquetEncoder(table.columns, { compression: 'snappy' })
  const groups = []
  for (let from = 0; from < batch.rows; from += rowGroupRows)
    groups.push(encoder.encode(batchSlice(batch, from, Math.min(batch.rows, from + rowGroupRows))))
  return fileOf(encoder, groups)
}

/** Rows that only one of the files has, as DuckDB reads them, and whether their types are the same. */
const differences = async (ours: Uint8Array, theirs: Uint8Array): Promise<unknown> => {
  const numbered = (file: string) =>
    `SELECT file_row_number, * FROM read_parquet(${file}, file_row_number = true)`
  const [count] = await duckdb(
    `SELECT count(*)::INTEGER FROM ((${numbered('$1')} EXCEPT ALL ${numbered('$2')})
     UNION ALL (${numbered('$2')} EXCEPT ALL ${numbered('$1')}))`,
    ours,
    theirs,
  )
  const types = async (file: Uint8Array) =>
    (await duckdb('DESCRIBE SELECT * FROM read_parquet($1)', file)).map(([name, type]) => [name, type])
  return { rows: count![0], types: await types(ours), sameAs: await types(theirs) }
}

it('lists, maps and structs of any table are read by DuckDB as those of another encoder', async () => {
  await fc.assert(
    fc.asyncProperty(nestedTables, fc.integer({ min: 1, max: 13 }), async ({ table, rows }, rowGroupRows) => {
      const batch = decoded(table, rows)
      const {
        types,
        sameAs,
        rows: different,
      } = (await differences(encoded(table, batch, rowGroupRows), referenceParquet(table, batch))) as Record<
        string,
        unknown
      >
      expect(different).toBe(0)
      expect(types).toEqual(sameAs)
    }),
    { numRuns: 40 },
  )
}, 240_000)

it('lists over several pages are read by DuckDB as those of another encoder', async () => {
  const table = defineTable('nested', {
    columns: {
      legs: t.list(t.struct({ price: t.decimal(18, 4).nullable(), sizes: t.list(t.int64()) })).nullable(),
      fees: t.map(t.int32(), t.string()),
    },
  })
  const rows = Array.from({ length: 30_000 }, (_, row) => ({
    legs:
      row % 11 === 0
        ? null
        : Array.from({ length: row % 4 }, (__, leg) => ({
            price: leg === 2 ? null : `${row}.${leg}`,
            sizes: Array.from({ length: (row + leg) % 3 }, (___, size) => BigInt(row * size)),
          })),
    fees: new Map(Array.from({ length: row % 3 }, (__, key) => [key, `${row % 997} ${key}`])),
  }))
  const batch = decoded(table, rows)
  const found = (await differences(encoded(table, batch, 30_000), referenceParquet(table, batch))) as {
    rows: number
  }
  expect(found.rows).toBe(0)
}, 240_000)
