import { tmpdir } from 'node:os'
import {
  type ColumnBatch,
  createEncoder,
  defineTable,
  defineTopic,
  type TableDefinition,
  t,
} from '@stockpipe/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nestedTables } from '../../core/test/nested-tables.ts'
import { CompactedFiles } from '../src/compacted-files.ts'
import { addChecksums } from '../src/compaction-record.ts'
import { createEngine } from '../src/engine.ts'
import { evolutionRefused, evolvedBatch } from '../src/evolved-batch.ts'
import { silentLogger } from '../src/logger.ts'
import { readParquetRows } from '../src/parquet-rows.ts'
import { RowChecksummer } from '../src/row-checksum.ts'
import { arrowRowsOf } from './engine/arrow-values.ts'
import { filesOf, footerOf } from './engine/parquet-files.ts'
import { blockOf } from './engine/record-blocks.ts'
import { ManualRuntime } from './sink/manual-runtime.ts'
import { MemoryObjectStore } from './sink/memory-object-store.ts'

type Row = Readonly<Record<string, unknown>>
const utf8 = new TextEncoder()

/** A file of rows as a sink writes it. */
const fileOf = (table: TableDefinition, rows: readonly Row[]): Uint8Array => {
  const topic = defineTopic('rows', { table })
  const encoder = createEncoder(topic)
  const engine = createEngine({ topic: topic.toJSON(), maxPathBytes: 900, rowGroupRows: 7 })
  const records = rows.map((row, offset) => ({
    offset: BigInt(offset),
    value: utf8.encode(String(encoder.encode(row as never).value)),
  }))
  for (const response of engine.handle({ kind: 'block', block: blockOf('rows', records), from: 0n }))
    if (response.kind === 'rejected') throw new Error(response.records[0]!.reason)
  const log = { topic: 'rows', partition: 0 }
  const [file] = filesOf(engine.handle({ kind: 'cut', log, start: 0n, next: BigInt(rows.length) }))
  return file!.bytes
}

const batchesOf = async (table: TableDefinition, bytes: Uint8Array): Promise<ColumnBatch[]> => {
  const batches: ColumnBatch[] = []
  for await (const batch of readParquetRows(table.columns, bytes)) batches.push(batch)
  return batches
}

const checksumOf = async (table: TableDefinition, bytes: Uint8Array): Promise<string> => {
  const sums = new RowChecksummer()
  for (const batch of await batchesOf(table, bytes)) sums.add(batch)
  return sums.checksum
}

/** The files written anew, as a compaction does. */
const rewritten = async (
  table: TableDefinition,
  files: readonly Uint8Array[],
  options: {
    readonly rowBytes?: number
    readonly fileBytes?: number
    readonly sortBy?: readonly string[]
  } = {},
) => {
  const store = new MemoryObjectStore()
  const writing = new CompactedFiles({
    runtime: new ManualRuntime(),
    logger: silentLogger,
    store,
    table,
    folder: 'new/',
    compression: 'zstd',
    sortBy: options.sortBy ?? [],
    fileBytes: options.fileBytes ?? 1_000_000,
    rowBytes: options.rowBytes ?? 1_000_000,
    temporaryFolder: tmpdir(),
    keyValues: new Map(),
    metadata: {},
  })
  for (const bytes of files) {
    for (const batch of await batchesOf(table, bytes)) await writing.add(batch)
  }
  const written = await writing.end()
  return { written, bytes: written.map(({ key }) => store.bucket.objects.get(key)!.bytes) }
}

const flat = defineTable('flat', {
  columns: {
    id: t.int64(),
    flag: t.boolean().nullable(),
    tiny: t.int8().nullable(),
    small: t.int16().nullable(),
    number: t.int32().nullable(),
    real: t.float().nullable(),
    double: t.double().nullable(),
    cents: t.decimal(9, 2).nullable(),
    price: t.decimal(18, 4).nullable(),
    huge: t.decimal(38, 10).nullable(),
    text: t.string().nullable(),
    bytes: t.binary().nullable(),
    day: t.date().nullable(),
    at: t.timestamp().nullable(),
    nanos: t.epochNanos().nullable(),
    json: t.json().nullable(),
  },
})
const edges: Row[] = [
  {
    id: 1n,
    flag: false,
    tiny: -128,
    small: 32767,
    number: -2147483648,
    real: 0.5,
    double: -0,
    cents: '-9999999.99',
    price: '0.0001',
    huge: '-9999999999999999999999999999.9999999999',
    text: '',
    bytes: new Uint8Array([0, 255]),
    day: '0001-01-01',
    at: new Date(-1),
    nanos: -1n,
    json: '{"a":[1,null]}',
  },
  { id: 2n, text: '\u0000emoji 🐂', double: 5e-324, huge: '9999999999999999999999999999.9999999999' },
  { id: 3n },
]

describe('rows that are compacted', () => {
  it('of every type come out as they went in, to the bit', async () => {
    const bytes = fileOf(flat, edges)
    const { written, bytes: files } = await rewritten(flat, [bytes, bytes])
    expect(written).toMatchObject([{ rows: 6 }])
    expect(arrowRowsOf(flat.columns, files[0]!)).toEqual([
      ...arrowRowsOf(flat.columns, bytes),
      ...arrowRowsOf(flat.columns, bytes),
    ])
    const one = await checksumOf(flat, bytes)
    expect(written[0]!.checksum).toBe(addChecksums([one, one]))
  })

  it('of random nested tables come out as they went in', async () => {
    await fc.assert(
      fc.asyncProperty(nestedTables, async ({ table, rows }) => {
        const bytes = fileOf(table, rows)
        const { written, bytes: files } = await rewritten(table, [bytes])
        expect(files.flatMap((file) => arrowRowsOf(table.columns, file))).toEqual(
          arrowRowsOf(table.columns, bytes),
        )
        expect(written.map(({ checksum }) => checksum)).toEqual([await checksumOf(table, bytes)])
      }),
      { numRuns: 40 },
    )
  }, 120_000)

  it('are sorted, in as many files as their size asks for, with the sorting columns in the footer', async () => {
    const rows = (from: number): Row[] =>
      Array.from({ length: 2000 }, (_, index) => ({
        id: BigInt(from + ((index * 7919) % 2000)),
        text: `text ${Math.imul(from + index, 2654435761) >>> 0} ${Math.imul(from + index, 40503) >>> 0}`,
      }))
    const files = [fileOf(flat, rows(0)), fileOf(flat, rows(2000))]
    const { written, bytes } = await rewritten(flat, files, { fileBytes: 20_000, sortBy: ['id'] })
    expect(written.length).toBeGreaterThan(2)
    const ids = bytes.flatMap((file) => arrowRowsOf([flat.column('id')], file).map(({ id }) => id))
    expect(ids).toEqual(Array.from({ length: 4000 }, (_, index) => BigInt(index)))
    for (const [index, file] of bytes.entries()) {
      expect(file.length).toBe(written[index]!.bytes)
      expect(footerOf(file).row_groups[0]!.sorting_columns).toMatchObject([{ column_idx: 0 }])
    }
  })
})

describe('the checksum of rows', () => {
  const sum = async (rows: readonly Row[]) => checksumOf(flat, fileOf(flat, rows))

  it('is the same in any order and any number of files', async () => {
    expect(await sum(edges.toReversed())).toBe(await sum(edges))
    const apart = await Promise.all(edges.map((row) => sum([row])))
    expect(addChecksums(apart)).toBe(await sum(edges))
  })

  it('shows a row lost, doubled or exchanged, and every value changed in the least', async () => {
    const [first, second, third] = edges as [Row, Row, Row]
    const others: Row[][] = [
      [first, second],
      [first, second, third, third],
      [first, third, third],
      ...Object.entries({
        flag: true,
        tiny: -127,
        small: 32766,
        number: -2147483647,
        real: 0.50000006,
        double: 0,
        cents: '-9999999.98',
        price: '0.0002',
        huge: '-9999999999999999999999999999.9999999998',
        text: null,
        bytes: new Uint8Array([0, 254]),
        day: '0001-01-02',
        at: new Date(0),
        nanos: 0n,
        json: '{"a":[1,0]}',
      }).map(([name, value]) => [{ ...first, [name]: value }, second, third]),
      [{ ...first, number: null }, { ...second, number: -2147483648 }, third],
    ]
    const sums = await Promise.all([edges, ...others].map(sum))
    expect(new Set(sums).size).toBe(sums.length)
  })
})

describe('rows of a former definition', () => {
  const former = defineTable('rows', {
    columns: { id: t.int32(), size: t.int16().nullable(), ratio: t.float().nullable(), text: t.string() },
  })
  const now = defineTable('rows', {
    columns: {
      text: t.string(),
      id: t.int64(),
      size: t.int64().nullable(),
      ratio: t.double().nullable(),
      tags: t.list(t.string()).nullable(),
      extra: t.decimal(38, 2).nullable(),
    },
  })

  it('are widened, and have nulls in what is new', async () => {
    const bytes = fileOf(former, [
      { id: -5, size: 7, ratio: 0.5, text: 'a' },
      { id: 6, size: null, ratio: null, text: 'b' },
    ])
    expect(evolutionRefused(former.columns, now.columns)).toBeUndefined()
    const store = new MemoryObjectStore()
    const writing = new CompactedFiles({
      runtime: new ManualRuntime(),
      logger: silentLogger,
      store,
      table: now,
      folder: '',
      compression: 'none',
      sortBy: [],
      fileBytes: 1_000_000,
      rowBytes: 1_000_000,
      temporaryFolder: tmpdir(),
      keyValues: new Map(),
      metadata: {},
    })
    for (const batch of await batchesOf(former, bytes)) {
      await writing.add(evolvedBatch(batch, former.columns, now.columns))
    }
    const [file] = await writing.end()
    expect(arrowRowsOf(now.columns, store.bucket.objects.get(file!.key)!.bytes)).toEqual([
      { id: -5n, size: 7n, ratio: 0.5, text: 'a', tags: null, extra: null },
      { id: 6n, size: null, ratio: null, text: 'b', tags: null, extra: null },
    ])
  })

  it('are refused where anything would be lost', () => {
    const to = (columns: Parameters<typeof defineTable>[1]['columns']) =>
      evolutionRefused(former.columns, defineTable('rows', { columns }).columns)
    const same = { id: t.int32(), size: t.int16().nullable(), ratio: t.float().nullable(), text: t.string() }
    expect(to(same)).toBeUndefined()
    expect(to({ id: t.int32(), size: t.int16().nullable(), ratio: t.float().nullable() })).toContain("'text'")
    expect(to({ ...same, id: t.int16() })).toBe("'id' was int32 and is int16 now")
    expect(to({ ...same, size: t.int16() })).toContain("'size' was nullable")
    expect(to({ ...same, more: t.string() })).toContain("'more' is new and not nullable")
    expect(to({ ...same, text: t.int32() })).toContain('was string')
  })
})
