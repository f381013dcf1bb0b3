import { type ColumnBatch, defineTable, t } from '@stockpipe/core'
import { tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { readParquet } from 'parquet-wasm/node'
import { expect, it } from 'vitest'
import { batchSlice } from '../src/batch-slice.ts'
import type { ParquetCompression } from '../src/parquet-compression.ts'
import { ParquetEncoder } from '../src/parquet-encoder.ts'
import { isNull } from '../src/validity-buffer.ts'
import { batchOf, type Cell } from './engine/column-batches.ts'
import { duckdb } from './engine/duckdb.ts'
import { fileOf, footerOf } from './engine/parquet-files.ts'
import { referenceParquet } from './engine/reference-parquet.ts'

// What our encoder writes is read by engines that are not ours, and compared with what another encoder made of the same rows.

const nullable = {
  flag: t.boolean().nullable(),
  tiny: t.int8().nullable(),
  small: t.int16().nullable(),
  whole: t.int32().nullable(),
  long: t.int64().nullable(),
  single: t.float().nullable(),
  real: t.double().nullable(),
  price: t.decimal(9, 2).nullable(),
  amount: t.decimal(18, 4).nullable(),
  widest: t.decimal(38, 10).nullable(),
  text: t.string().nullable(),
  bytes: t.binary().nullable(),
  born: t.date().nullable(),
  at: t.timestamp().nullable(),
  nanos: t.epochNanos().nullable(),
  document: t.json().nullable(),
}
const table = defineTable('readers', {
  columns: { serial: t.recordOffset(), required: t.string(), ...nullable },
})
type Row = Record<string, Cell>

const cells: Record<keyof typeof nullable, fc.Arbitrary<Cell>> = {
  flag: fc.boolean(),
  tiny: fc.integer({ min: -128, max: 127 }),
  small: fc.integer({ min: -32_768, max: 32_767 }),
  whole: fc.integer(),
  long: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  single: fc.float(),
  real: fc.double(),
  price: fc.bigInt({ min: -999_999_999n, max: 999_999_999n }),
  amount: fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }),
  widest: fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
  text: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 90 }),
    fc.constantFrom('', '\u{10ffff}'.repeat(20), 'x'.repeat(200)),
  ),
  bytes: fc.uint8Array({ maxLength: 90 }).map((bytes) => new Uint8Array(bytes)),
  born: fc.integer({ min: -719_162, max: 2_932_896 }),
  at: fc.bigInt({ min: -62_135_596_800_000n, max: 253_402_300_799_999n }),
  nanos: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  document: fc.json(),
}
/** Values that never repeat, that repeat often, and columns without any. */
const column = (cell: fc.Arbitrary<Cell>, rows: number): fc.Arbitrary<Cell[]> =>
  fc.oneof(
    fc.array(fc.option(cell, { freq: 5 }), { minLength: rows, maxLength: rows }),
    fc
      .array(cell, { minLength: 1, maxLength: 5 })
      .chain((few) =>
        fc.array(fc.option(fc.constantFrom(...few), { freq: 9 }), { minLength: rows, maxLength: rows }),
      ),
    fc
      .array(cell, { minLength: 1, maxLength: 3 })
      .map((few) => Array.from({ length: rows }, (_, row) => few[Math.floor((row * few.length) / rows)]!)),
    fc.constant(Array.from({ length: rows }, () => null)),
  )
const batches = fc.integer({ min: 1, max: 120 }).chain((rows) =>
  fc
    .record(Object.fromEntries(Object.entries(cells).map(([name, cell]) => [name, column(cell, rows)])))
    .map((columns) =>
      batchOf(
        table,
        Array.from({ length: rows }, (_, row) => ({
          serial: BigInt(row),
          required: `r${row % 5}`,
          ...Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[row]!])),
        })),
      ),
    ),
)
const compressions: readonly ParquetCompression[] = [
  'snappy',
  'zstd',
  { codec: 'zstd', level: 9 },
  'gzip',
  'none',
]

const encoded = (batch: ColumnBatch, compression: ParquetCompression, rowGroupRows: number): Uint8Array => {
  const encoder = new ParquetEncoder(table.columns, { compression })
  const groups = []
  for (let from = 0; from < batch.rows; from += rowGroupRows)
    groups.push(encoder.encode(batchSlice(batch, from, Math.min(batch.rows, from + rowGroupRows))))
  return fileOf(encoder, groups, new Map([['k', 'v']]))
}

/** A cell as text that tells every value from every other. */
const told = (value: unknown): string => {
  if (typeof value === 'bigint') return `${value}n`
  if (Object.is(value, -0)) return '-0'
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  // Decimals: 32-bit words, the low one first; as many as the Arrow type has.
  if (ArrayBuffer.isView(value)) {
    const words = Array.from(value as Uint32Array, BigInt)
    return String(
      BigInt.asIntN(
        words.length * 32,
        words.reduceRight((high, word) => (high << 32n) | word, 0n),
      ),
    )
  }
  return JSON.stringify(value) ?? 'absent'
}

const arrowRows = (file: Uint8Array): string[] => {
  const rows = tableFromIPC(readParquet(file).intoIPCStream())
  const vectors = table.columns.map(({ name }) => rows.getChild(name)!)
  return Array.from({ length: rows.numRows }, (_, row) =>
    vectors.map((vector) => told(vector.get(row))).join(' '),
  )
}

const differences = (ours: Uint8Array, theirs: Uint8Array) =>
  duckdb(
    `SELECT count(*)::INTEGER FROM ((SELECT * FROM read_parquet($1) EXCEPT ALL SELECT * FROM read_parquet($2))
     UNION ALL (SELECT * FROM read_parquet($2) EXCEPT ALL SELECT * FROM read_parquet($1)))`,
    ours,
    theirs,
  )

it('rows of every type, with and without nulls, are read as those of another encoder: by parquet-rs and DuckDB', async () => {
  await fc.assert(
    fc.asyncProperty(
      batches,
      fc.constantFrom(...compressions),
      fc.integer({ min: 1, max: 130 }),
      async (batch, compression, rowGroupRows) => {
        const [ours, theirs] = [encoded(batch, compression, rowGroupRows), referenceParquet(table, batch)]
        expect(arrowRows(ours)).toEqual(arrowRows(theirs))
        expect(await differences(ours, theirs)).toEqual([[0]])
      },
    ),
    { numRuns: 40 },
  )
}, 120_000)

const noise = (index: number): number => {
  let bits = Math.imul(index + 1, 0x9e3779b1)
  bits = Math.imul(bits ^ (bits >>> 15), 0x85ebca6b)
  return (bits ^ (bits >>> 13)) >>> 0
}
/** Rows over several pages: nulls here and there, dictionaries of many sizes, texts longer than a page. */
const manyRows = (count: number): ColumnBatch =>
  batchOf(
    table,
    Array.from({ length: count }, (_, row): Row => {
      const some = <T extends Cell>(value: T): T | null => (noise(row * 31) % 7 === 0 ? null : value)
      return {
        serial: BigInt(row),
        required: `r${row % 3}`,
        flag: some(noise(row) % 3 === 0),
        tiny: some((noise(row) % 256) - 128),
        small: some((noise(row) % 65_536) - 32_768),
        whole: row,
        long: some(BigInt(noise(row)) * BigInt(noise(-row))),
        single: some(Math.fround(noise(row) / 7)),
        real: some((noise(row) % 3000) / 4),
        price: some(BigInt(noise(row) % 999)),
        amount: BigInt(row >> 4),
        widest: some(BigInt(noise(row)) ** 3n),
        text: some(`t${noise(row) % 500}`),
        bytes: new Uint8Array(noise(row) % 150).fill(row),
        born: row < 25_000 ? null : row,
        at: BigInt(count - row),
        nanos: some(BigInt(noise(row))),
        document: null,
      }
    }),
  )

it('columns of several pages are read as those of another encoder, and page indexes lead to the right rows', async () => {
  const batch = manyRows(35_000)
  const theirs = referenceParquet(table, batch)
  const rows = arrowRows(theirs)
  for (const compression of ['snappy', 'zstd'] as const) {
    const ours = encoded(batch, compression, 65_536)
    expect(arrowRows(ours)).toEqual(rows)
    expect(await differences(ours, theirs)).toEqual([[0]])
    // DuckDB prunes by statistics: what it finds through them is what is there.
    for (const where of [
      'whole BETWEEN 21000 AND 21010',
      '"at" = make_timestamp(7000)',
      "text = 't77'",
      "born = DATE '2060-01-01'",
      'flag',
      'real > 749',
      'price = 5',
    ]) {
      const counts = await duckdb(
        `SELECT (SELECT count(*) FROM read_parquet($1) WHERE ${where})::INTEGER, (SELECT count(*) FROM read_parquet($2) WHERE ${where})::INTEGER`,
        ours,
        theirs,
      )
      expect(counts[0]![0], where).toBe(counts[0]![1])
    }
  }
}, 120_000)

it('statistics are at least as wide as the values, and those of whole numbers are exact', async () => {
  await fc.assert(
    fc.property(batches, fc.constantFrom('none', 'zstd'), (batch, compression) => {
      for (const chunk of footerOf(encoded(batch, compression, 1000)).row_groups[0]!.columns) {
        const { path_in_schema, statistics } = chunk.meta_data!
        const vector = batch.columns[table.columns.findIndex(({ name }) => name === path_in_schema[0])]!
        const present = Array.from({ length: batch.rows }, (_, row) => row).filter(
          (row) => !isNull(vector.validity, row),
        )
        expect(Number(statistics!.null_count)).toBe(batch.rows - present.length)
        if (present.length === 0) expect(statistics!.max_value).toBeUndefined()
        else if (path_in_schema[0] === 'long' || path_in_schema[0] === 'whole') {
          const values = present.map((row) => (vector as { values: ArrayLike<bigint | number> }).values[row]!)
          const sorted = values.toSorted((a, b) => (a < b ? -1 : 1))
          expect([statistics!.min_value, statistics!.max_value]).toEqual([sorted[0], sorted.at(-1)])
        } else if (vector.kind === 'dictionary' && statistics!.max_value !== undefined) {
          const { offsets, bytes } = vector.dictionary
          for (const row of present) {
            const text = bytes.subarray(offsets[vector.codes[row]!]!, offsets[vector.codes[row]! + 1]!)
            const [min, max] = [statistics!.min_value, statistics!.max_value].map((one) =>
              Buffer.from(one as string),
            )
            expect(Buffer.compare(min!, text)).toBeLessThanOrEqual(0)
            expect(Buffer.compare(text, max!)).toBeLessThanOrEqual(0)
            expect(max!.length).toBeLessThan(70)
          }
        }
      }
    }),
    { numRuns: 40 },
  )
}, 120_000)
