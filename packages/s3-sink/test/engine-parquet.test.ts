import { defineTable, identity, t } from '@stockpipe/core'
import { tableFromIPC } from 'apache-arrow'
import { readParquet } from 'parquet-wasm/node'
import { describe, expect, it } from 'vitest'
import { batchSlice } from '../src/batch-slice.ts'
import type { ParquetCompression } from '../src/parquet-compression.ts'
import { ParquetEncoder } from '../src/parquet-encoder.ts'
import { batchOf, type Cell } from './engine/column-batches.ts'
import { groupBufferOf } from './engine/group-buffers.ts'
import { fileOf, footerOf, rowsOf } from './engine/parquet-files.ts'

const columns = {
  flag: t.boolean(),
  tiny: t.int8(),
  small: t.int16(),
  whole: t.int32(),
  long: t.int64(),
  single: t.float(),
  real: t.double(),
  price: t.decimal(9, 2),
  amount: t.decimal(18, 4),
  wide: t.decimal(19, 0),
  widest: t.decimal(38, 10),
  text: t.string(),
  bytes: t.binary(),
  born: t.date(),
  at: t.timestamp(),
  nanos: t.epochNanos(),
  document: t.json(),
}
const required = defineTable('required', { columns })
const nullable = defineTable('nullable', {
  columns: Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, column.nullable()]),
  ) as unknown as typeof columns,
})

const least: Record<string, Cell> = {
  flag: false,
  tiny: -128,
  small: -32_768,
  whole: -2_147_483_648,
  long: -(2n ** 63n),
  single: Number.NEGATIVE_INFINITY,
  real: -Number.MAX_VALUE,
  price: -999_999_999n,
  amount: -(10n ** 18n - 1n),
  wide: -(10n ** 19n - 1n),
  widest: -(10n ** 38n - 1n),
  text: '',
  bytes: new Uint8Array(),
  born: -719_162,
  at: -62_135_596_800_000n,
  nanos: -(2n ** 63n),
  document: 'null',
}
const greatest: Record<string, Cell> = {
  flag: true,
  tiny: 127,
  small: 32_767,
  whole: 2_147_483_647,
  long: 2n ** 63n - 1n,
  single: Math.fround(3.4e38),
  real: 5e-324,
  price: 999_999_999n,
  amount: 10n ** 18n - 1n,
  wide: 10n ** 19n - 1n,
  widest: 10n ** 38n - 1n,
  text: '🐂 "BRK.B" \u0000 é',
  bytes: Uint8Array.of(0, 255, 254, 0),
  born: 2_932_896,
  at: 253_402_300_799_999n,
  nanos: 2n ** 63n - 1n,
  document: '{"a":[1,2.50,"🐻"]}',
}
const minusOne: Record<string, Cell> = {
  flag: true,
  tiny: -1,
  small: -1,
  whole: -1,
  long: -1n,
  single: Number.NaN,
  real: -0,
  price: -1n,
  amount: -1n,
  wide: -1n,
  widest: -1n,
  text: 'null',
  bytes: Uint8Array.of(1),
  born: -1,
  at: -1n,
  nanos: -1n,
  document: '""',
}
const empty = Object.fromEntries(Object.keys(columns).map((name) => [name, null]))

const encode = (
  table: typeof required | typeof nullable,
  rows: readonly Record<string, Cell>[],
  options: { compression?: ParquetCompression; rowGroupRows?: number; blocks?: number } = {},
) => {
  const group = groupBufferOf(table)
  const size = Math.ceil(rows.length / (options.blocks ?? 1))
  for (let start = 0; start < rows.length; start += size) {
    group.append(batchOf(table, rows.slice(start, start + size), BigInt(start)), 0)
  }
  const encoder = new ParquetEncoder(table.columns, {
    compression: options.compression ?? 'snappy',
  })
  const batch = group.paths()[0]!.batch()
  const rowGroups = []
  const most = options.rowGroupRows ?? 65_536
  for (let from = 0; from < batch.rows; from += most)
    rowGroups.push(encoder.encode(batchSlice(batch, from, Math.min(batch.rows, from + most))))
  return fileOf(encoder, rowGroups, new Map([['k', 'v']]))
}

describe('a Parquet file of the engine', () => {
  it.each(['snappy', 'gzip', 'none'] as const)('holds every column type exactly, %s', async (compression) => {
    const rows = [least, greatest, minusOne]
    const bytes = encode(required, rows, { compression })
    expect(await rowsOf(required, bytes)).toEqual(rows)
    const codecs = footerOf(bytes).row_groups[0]!.columns.map((column) => column.meta_data!.codec)
    expect(new Set(codecs)).toEqual(
      new Set([compression === 'none' ? 'UNCOMPRESSED' : compression.toUpperCase()]),
    )
  })

  it('holds the same rows with zstd', () => {
    const rows = [least, greatest, minusOne]
    const bytes = encode(required, rows, { compression: 'zstd' })
    expect(footerOf(bytes).row_groups[0]!.columns[0]!.meta_data!.codec).toBe('ZSTD')
    const read = (file: Uint8Array) =>
      tableFromIPC(readParquet(file).intoIPCStream())
        .toArray()
        .map((row) => Object.values(row.toJSON()).map(String))
    expect(read(bytes)).toEqual(read(encode(required, rows)))
  })

  it('holds nulls in every column type, first, last and between, over several blocks', async () => {
    const rows = [empty, least, empty, empty, greatest, minusOne, empty, least, least, empty, empty]
    for (const blocks of [1, 3, 11])
      expect(await rowsOf(nullable, encode(nullable, rows, { blocks }))).toEqual(rows)
  })

  it('holds columns that are null throughout', async () => {
    expect(await rowsOf(nullable, encode(nullable, [empty, empty]))).toEqual([empty, empty])
  })

  it('is typed and required or optional as the table says', () => {
    const kinds = (table: typeof required | typeof nullable) =>
      footerOf(encode(table, [least]))
        .schema.slice(1)
        .map(
          (element) =>
            `${element.name} ${element.repetition_type} ${element.type} ${element.converted_type ?? ''}`,
        )
    expect(kinds(required)).toEqual([
      'flag REQUIRED BOOLEAN ',
      'tiny REQUIRED INT32 INT_8',
      'small REQUIRED INT32 INT_16',
      'whole REQUIRED INT32 ',
      'long REQUIRED INT64 ',
      'single REQUIRED FLOAT ',
      'real REQUIRED DOUBLE ',
      'price REQUIRED INT32 DECIMAL',
      'amount REQUIRED INT64 DECIMAL',
      'wide REQUIRED FIXED_LEN_BYTE_ARRAY DECIMAL',
      'widest REQUIRED FIXED_LEN_BYTE_ARRAY DECIMAL',
      'text REQUIRED BYTE_ARRAY UTF8',
      'bytes REQUIRED BYTE_ARRAY ',
      'born REQUIRED INT32 DATE',
      'at REQUIRED INT64 TIMESTAMP_MILLIS',
      'nanos REQUIRED INT64 ',
      'document REQUIRED BYTE_ARRAY UTF8',
    ])
    expect(kinds(nullable)).toEqual(kinds(required).map((line) => line.replace('REQUIRED', 'OPTIONAL')))
    const decimals = footerOf(encode(required, [least])).schema.filter(
      (element) => element.precision !== undefined,
    )
    expect(decimals.map(({ precision, scale }) => [precision, scale])).toEqual([
      [9, 2],
      [18, 4],
      [19, 0],
      [38, 10],
    ])
  })

  it('has row groups of exactly the rows asked for, and keeps the order over them', async () => {
    const rows = Array.from({ length: 25 }, (_, index) => ({
      ...minusOne,
      long: BigInt(index),
      text: `t${index % 7}`,
    }))
    const bytes = encode(required, rows, { rowGroupRows: 10, blocks: 4 })
    expect(footerOf(bytes).row_groups.map((group) => Number(group.num_rows))).toEqual([10, 10, 5])
    expect(await rowsOf(required, bytes)).toEqual(rows)
  })

  it('carries minimum, maximum and null count of each column chunk', () => {
    const at = footerOf(encode(nullable, [least, greatest, empty])).row_groups[0]!.columns.find(
      (column) => column.meta_data!.path_in_schema[0] === 'long',
    )!
    expect(at.meta_data!.statistics).toMatchObject({
      null_count: 1n,
      min_value: -(2n ** 63n),
      max_value: 2n ** 63n - 1n,
    })
  })

  it('leaves partition columns to the path', () => {
    const table = defineTable('partitioned', {
      columns: { symbol: t.string() },
      partitions: { ticker: identity('symbol') },
    })
    const group = groupBufferOf(table)
    group.append(batchOf(table, [{ symbol: 'AAPL' }]), 0)
    const encoder = new ParquetEncoder(table.columns, { compression: 'snappy' })
    const rowGroup = encoder.encode(group.paths()[0]!.batch())
    const file = fileOf(encoder, [rowGroup])
    const names = footerOf(file).schema.map(({ name }) => name)
    expect(names.slice(1)).toEqual(['symbol'])
  })

  it('is refused in LZ4_RAW, which Athena cannot read', () => {
    for (const codec of ['lz4', 'lz4_raw', 'LZ4_RAW']) {
      const options = { compression: codec as ParquetCompression }
      expect(() => new ParquetEncoder(required.columns, options)).toThrow(
        new RegExp(`not written with ${codec}: Athena's engine cannot read LZ4`),
      )
    }
  })
})

describe('a batch that does not fit the table', () => {
  const table = defineTable('strict', { columns: { symbol: t.string(), price: t.int32() } })

  it('is refused when a required column has a null', () => {
    const batch = batchOf(
      table,
      [
        { symbol: 'A', price: 1 },
        { symbol: 'B', price: null },
      ],
      5n,
    )
    expect(() => groupBufferOf(table).append(batch, 0)).toThrow(/no 'price' at offset 6/)
  })

  it('is refused when a column is of another kind or missing', () => {
    const other = defineTable('other', { columns: { symbol: t.string(), price: t.double() } })
    const batch = batchOf(other, [{ symbol: 'A', price: 1 }])
    expect(() => groupBufferOf(table).append(batch, 0)).toThrow(/'price' as double instead of int32/)
    const short = { ...batch, columns: batch.columns.slice(1) }
    expect(() => groupBufferOf(table).append(short, 0)).toThrow(/1 columns instead of 2/)
  })

  it('is refused when an offset is handed over again', () => {
    const group = groupBufferOf(table)
    group.append(batchOf(table, [{ symbol: 'A', price: 1 }], 5n), 0)
    expect(() => group.append(batchOf(table, [{ symbol: 'A', price: 1 }], 5n), 0)).toThrow(/offset 5 after 5/)
    expect(group.rows).toBe(1)
  })
})
