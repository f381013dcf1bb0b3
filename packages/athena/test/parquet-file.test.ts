import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type ColumnType, Decimal, formatDate, t } from '@stockpipe/core'
import {
  Field,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import fc from 'fast-check'
import {
  Compression,
  WriterPropertiesBuilder as Properties,
  Table as WasmTable,
  type WriterPropertiesBuilder,
  WriterVersion,
  writeParquet,
} from 'parquet-wasm'
import { describe, expect, it } from 'vitest'
import { isValid } from '../src/results/column-data.ts'
import { valuesOf } from '../src/results/column-values.ts'
import { openParquet } from '../src/results/parquet-file.ts'
import { statedColumns } from '../src/stated-column.ts'

/** Opens a file, and notes what is read of it. */
const opened = async (bytes: Uint8Array) => {
  const reads: (readonly [number, number])[] = []
  const parquet = await openParquet({
    size: bytes.length,
    async read(start, end) {
      reads.push([start, end])
      return bytes.slice(start, end)
    },
  })
  return { parquet, reads }
}

/** All values of the columns. */
const valuesIn = async (bytes: Uint8Array, types: Readonly<Record<string, ColumnType>>) => {
  const { parquet } = await opened(bytes)
  const values: Record<string, unknown[]> = Object.fromEntries(Object.keys(types).map((name) => [name, []]))
  for await (const { rows, columns } of parquet.batches(Object.keys(types))) {
    for (const [name, type] of Object.entries(types)) {
      const data = columns.get(name)!
      const read = valuesOf(type, data)!
      for (let index = 0; index < rows; index++) values[name]!.push(isValid(data, index) ? read(index) : null)
    }
  }
  return values
}

const typesOf = (columns: Parameters<typeof statedColumns>[0]) =>
  Object.fromEntries(statedColumns(columns).map(({ name, type }) => [name, type as ColumnType]))

describe('Parquet files of other writers', () => {
  const folder = fileURLToPath(new URL('fixtures/parquet/', import.meta.url))
  const some = (value: (n: number) => unknown, salt: number) =>
    Array.from({ length: 300 }, (_, n) => ((n * 7 + salt) % 11 === 0 ? null : value(n)))
  const decimal = (digits: number) => (n: number) =>
    Decimal.of((n % 2 === 0 ? 1n : -1n) * (10n ** BigInt(digits) - 1n - BigInt(n)), 2)
  const may = <Built extends { nullable(): unknown }>(column: Built) =>
    column.nullable() as ReturnType<Built['nullable']>
  const types = typesOf({
    n: t.int32(),
    flag: may(t.boolean()),
    big: may(t.int64()),
    ratio: may(t.double()),
    symbol: may(t.string()),
    text: may(t.string()),
    raw: may(t.binary()),
    day: may(t.date()),
    millis: may(t.timestamp()),
    cents: may(t.decimal(9, 2)),
    amount: may(t.decimal(18, 2)),
    widest: may(t.decimal(38, 2)),
    list: may(t.list(t.int32().nullable())),
    map: may(t.map(t.string(), t.double())),
    fields: may(t.struct({ id: t.int32(), name: t.string() })),
  })
  const expected = {
    n: Array.from({ length: 300 }, (_, n) => n),
    flag: some((n) => n % 3 === 0, 1),
    big: some((n) => (n % 2 === 0 ? 1n : -1n) * (2n ** 63n - 1n - BigInt(n)), 2),
    ratio: some((n) => n / 7, 3),
    symbol: some((n) => ['AAPL', 'BRK.B', 'é💶', ''][n % 4], 4),
    text: some((n) => `row ${n}, "quoted"\nand é`, 5),
    raw: some((n) => new Uint8Array(Array.from({ length: n % 4 }, () => [n % 256, 0, 255]).flat()), 6),
    day: some((n) => formatDate(n - 214), 7),
    millis: some((n) => new Date((n - 100) * 86_400_000 + n), 8),
    cents: some(decimal(9), 9),
    amount: some(decimal(18), 10),
    widest: some(decimal(38), 0),
    list: some((n) => Array.from({ length: n % 4 }, (_, i) => (i === 1 ? null : n + i)), 1),
    map: some((n) => new Map(Array.from({ length: n % 3 }, (_, i) => [`k${i}`, n / 2])), 2),
    fields: some((n) => ({ id: n, name: `name ${n}` }), 3),
  }

  it.each(readdirSync(folder).filter((name) => name.endsWith('.parquet')))(
    'are read exactly: %s',
    async (name) => {
      expect(await valuesIn(readFileSync(`${folder}${name}`), types)).toEqual(expected)
    },
  )
})

/** One row group of `count` rows in pages of some kilobytes. */
const pagedFile = (
  count: number,
  change: (properties: WriterPropertiesBuilder) => WriterPropertiesBuilder,
) => {
  const columns = {
    n: vectorFromArray(
      Array.from({ length: count }, (_, n) => n),
      new Int32(),
    ),
    name: vectorFromArray(
      Array.from({ length: count }, (_, n) => (n % 3 === 0 ? null : `name ${n % 50}`)),
      new Utf8(),
    ),
    noise: vectorFromArray(
      Array.from({ length: count }, (_, n) => BigInt.asIntN(64, BigInt(n) * 0x9e3779b97f4a7c15n)),
      new Int64(),
    ),
  }
  const fields = Object.entries(columns).map(([name, { type }]) => new Field(name, type, true))
  const children = Object.values(columns).map(({ data }) => data[0]!)
  const data = makeData({ type: new Struct(fields), length: count, children })
  const ipc = tableToIPC(new Table(new RecordBatch(new Schema(fields), data)), 'stream')
  const properties = new Properties()
    .setMaxRowGroupSize(10_000_000)
    .setDataPageSizeLimit(8192)
    .setWriteBatchSize(256)
    .setCompression(Compression.ZSTD)
  return writeParquet(WasmTable.fromIPCStream(ipc), change(properties).build())
}

const pagedTypes = typesOf({ n: t.int32(), name: t.string().nullable(), noise: t.int64() })
const pagedValues = (count: number) => ({
  n: Array.from({ length: count }, (_, n) => n),
  name: Array.from({ length: count }, (_, n) => (n % 3 === 0 ? null : `name ${n % 50}`)),
  noise: Array.from({ length: count }, (_, n) => BigInt.asIntN(64, BigInt(n) * 0x9e3779b97f4a7c15n)),
})

describe('a large row group', () => {
  it.each([
    ['version 1', (properties) => properties],
    ['version 2', (properties) => properties.setWriterVersion(WriterVersion.V2)],
    ['no dictionaries', (properties) => properties.setDictionaryEnabled(false)],
    ['no compression', (properties) => properties.setCompression(Compression.UNCOMPRESSED)],
    ['LZ4', (properties) => properties.setCompression(Compression.LZ4_RAW)],
  ] as const satisfies readonly (readonly [
    string,
    (properties: WriterPropertiesBuilder) => WriterPropertiesBuilder,
  ])[])('is read window by window, each row once: %s', async (_, change) => {
    expect(await valuesIn(pagedFile(100_000, change), pagedTypes)).toEqual(pagedValues(100_000))
  })

  it('is read a piece at a time, no further than its rows are wanted', async () => {
    const bytes = pagedFile(1_000_000, (properties) => properties.setDictionaryEnabled(false))
    expect(bytes.length).toBeGreaterThan(9_000_000)
    const { parquet, reads } = await opened(bytes)
    const names = Object.keys(pagedTypes)
    for await (const { rows } of parquet.batches(names)) {
      expect(rows).toBe(8192)
      break
    }
    const sum = () => reads.reduce((total, [start, end]) => total + end - start, 0)
    expect(sum()).toBeLessThan(bytes.length * 0.7)
    reads.length = 0
    let rows = 0
    for await (const batch of parquet.batches(names)) rows += batch.rows
    expect(rows).toBe(1_000_000)
    expect(sum()).toBeLessThan(bytes.length)
    expect(Math.max(...reads.map(([start, end]) => end - start))).toBeLessThan(3_000_000)
  })

  it('ends at a limit', async () => {
    const { parquet } = await opened(pagedFile(20_000, (properties) => properties))
    const lengths: number[] = []
    for await (const { rows } of parquet.batches(['n'], 9000)) lengths.push(rows)
    expect(lengths).toEqual([8192, 808])
  })
})

describe('a broken Parquet file', () => {
  const whole = pagedFile(3000, (properties) => properties.setWriterVersion(WriterVersion.V2))
  const read = (bytes: Uint8Array) => valuesIn(bytes, pagedTypes)

  it('is an error, or still gives as many rows, and never ends the process', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        async (at, noise) => {
          const bytes = whole.slice()
          bytes.set(noise.subarray(0, bytes.length - at), at)
          const values = await read(bytes).catch((error: unknown) => error)
          if (!(values instanceof Error)) expect((values as { n: unknown[] }).n.length).toBe(3000)
        },
      ),
      { numRuns: 300 },
    )
    expect(await read(whole)).toEqual(pagedValues(3000))
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['a text', Buffer.from('not a Parquet file')],
    ['no footer', Buffer.from('PAR1PAR1')],
    ['a footer longer than the file', Buffer.from('PAR1\xff\xff\xff\x7fPAR1', 'latin1')],
    ['an encrypted footer', Buffer.concat([whole.subarray(0, -4), Buffer.from('PARE')])],
    ['an end that is cut', whole.subarray(0, -1)],
  ])('is refused: %s', async (_, bytes) => {
    await expect(opened(bytes)).rejects.toThrow(Error)
  })
})
