import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ColumnBatch, createEncoder, defineTable, defineTopic, t } from '@stockpipe/core'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CompactedFiles } from '../src/compacted-files.ts'
import { createEngine } from '../src/engine.ts'
import { ExternalSort } from '../src/external-sort.ts'
import { silentLogger } from '../src/logger.ts'
import { readParquetRows } from '../src/parquet-rows.ts'
import { RowChecksummer } from '../src/row-checksum.ts'
import { RowCollector } from '../src/row-collector.ts'
import { RowOrder, type SortColumn } from '../src/row-order.ts'
import { filesOf } from './engine/parquet-files.ts'
import { blockOf } from './engine/record-blocks.ts'
import { ManualRuntime } from './sink/manual-runtime.ts'
import { MemoryObjectStore } from './sink/memory-object-store.ts'

const odd = defineTable('odd', {
  columns: {
    flag: t.boolean().nullable(),
    small: t.int16().nullable(),
    double: t.double().nullable(),
    id: t.int64().nullable(),
    huge: t.decimal(38, 4).nullable(),
    symbol: t.string().nullable(),
    bytes: t.binary().nullable(),
    at: t.timestamp().nullable(),
    tags: t.list(t.string()).nullable(),
  },
})
const { columns } = odd
const rowsOf = fc.array(
  fc.record({
    flag: fc.option(fc.boolean()),
    small: fc.option(fc.integer({ min: -32768, max: 32767 })),
    double: fc.option(fc.constantFrom(-0, 0, 1.5, -1e300, 5e-324)),
    id: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    huge: fc.option(fc.constantFrom('-1.0000', '99999999999999999999999999999999.9999', '0.0001')),
    symbol: fc.option(fc.constantFrom('', 'BRK.B', 'a b+c%', 'é', '🐂', 'A')),
    bytes: fc.option(fc.uint8Array({ maxLength: 3 })),
    at: fc.option(fc.integer({ min: -5, max: 5 }).map((millis) => new Date(millis))),
    tags: fc.option(fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 })),
  }),
  { minLength: 1, maxLength: 12 },
)

/** Rows as batches of a file each, as a compaction reads them. */
const batchesOf = async (rows: readonly object[]): Promise<ColumnBatch[]> => {
  const topic = defineTopic('odd', { table: odd })
  const encoder = createEncoder(topic)
  const engine = createEngine({ topic: topic.toJSON(), maxPathBytes: 900, rowGroupRows: 5 })
  const records = rows.map((row, offset) => ({
    offset: BigInt(offset),
    value: new TextEncoder().encode(String(encoder.encode(row as never).value)),
  }))
  for (const _ of engine.handle({ kind: 'block', block: blockOf('odd', records), from: 0n }));
  const log = { topic: 'odd', partition: 0 }
  const [file] = filesOf(engine.handle({ kind: 'cut', log, start: 0n, next: BigInt(rows.length) }))
  const batches: ColumnBatch[] = []
  for await (const batch of readParquetRows(columns, file!.bytes)) batches.push(batch)
  return batches
}

const togetherOf = (batches: readonly ColumnBatch[]): ColumnBatch => {
  const rows = new RowCollector(columns)
  for (const batch of batches) rows.add(batch)
  return rows.batch()
}
const checksumOf = (batches: readonly ColumnBatch[]): string => {
  const sums = new RowChecksummer()
  for (const batch of batches) sums.add(batch)
  return `${sums.rows} rows ${sums.checksum}`
}

let temporaryFolder: string
beforeEach(async () => {
  temporaryFolder = await mkdtemp(join(tmpdir(), 'stockpipe-sort-'))
})
afterEach(() => rm(temporaryFolder, { recursive: true, force: true }))

describe('rows sorted through a file', () => {
  const sortBy = fc
    .uniqueArray(
      fc.record({
        column: fc.constantFrom('flag', 'small', 'double', 'id', 'huge', 'symbol', 'bytes', 'at'),
        descending: fc.boolean(),
        nullsFirst: fc.boolean(),
      }),
      { minLength: 1, maxLength: 3, selector: ({ column }) => column },
    )
    .map((found): SortColumn[] => found)

  it('of any type, in any order, nulls first or last, come out in order and none is lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rowsOf, { minLength: 1, maxLength: 8 }),
        sortBy,
        fc.integer({ min: 1, max: 2000 }),
        async (files, by, rowBytes) => {
          const order = new RowOrder(columns, by)
          const batches = (await Promise.all(files.map(batchesOf))).flat()
          await using sort = new ExternalSort({ columns, order, rowBytes, temporaryFolder })
          for (const batch of batches) await sort.add(batch)
          const sorted: ColumnBatch[] = []
          for await (const batch of sort.sorted()) sorted.push(batch)
          expect(checksumOf(sorted)).toBe(checksumOf(batches))
          const all = togetherOf(sorted)
          const compare = order.between(all, all)
          for (let row = 1; row < all.rows; row += 1) expect(compare(row - 1, row)).toBeLessThanOrEqual(0)
          if (rowBytes < 20) expect(sort.spilledBytes).toBeGreaterThan(0)
        },
      ),
      { numRuns: 150 },
    )
  }, 120_000)

  it('leave no file behind, and say where there is no room', async () => {
    const order = new RowOrder(columns, ['id'])
    const [batch] = await batchesOf([{ id: 2n }, { id: 1n }])
    const sort = new ExternalSort({ columns, order, rowBytes: 1, temporaryFolder })
    await sort.add(batch!)
    expect(sort.spilledBytes).toBeGreaterThan(0)
    if (process.platform !== 'win32') expect(await readdir(temporaryFolder)).toEqual([])
    await sort.close()
    expect(await readdir(temporaryFolder)).toEqual([])
    const nowhere = new ExternalSort({
      columns,
      order,
      rowBytes: 1,
      temporaryFolder: join(temporaryFolder, 'no'),
    })
    await expect(nowhere.add(batch!)).rejects.toMatchObject({
      code: 'TEMPORARY_FILE_FAILED',
      message: expect.stringMatching(
        /^Rows cannot be sorted through a temporary file in .*ENOENT.*temporaryFolder/,
      ),
    })
  })

  it('become files whose ranges do not overlap, though they are many times what is held in memory', async () => {
    const store = new MemoryObjectStore()
    await using writing = new CompactedFiles({
      runtime: new ManualRuntime(),
      logger: silentLogger,
      store,
      table: odd,
      folder: 'new/',
      compression: 'none',
      sortBy: ['id'],
      fileBytes: 4000,
      rowBytes: 1000,
      temporaryFolder,
      keyValues: new Map(),
      metadata: {},
    })
    for (let file = 0; file < 20; file += 1) {
      const rows = Array.from({ length: 60 }, (_, index) => ({
        id: BigInt((index * 20 + file) * 7919) % 1200n,
      }))
      for (const batch of await batchesOf(rows)) await writing.add(batch)
    }
    const written = await writing.end()
    expect(written.length).toBeGreaterThan(3)
    const ids: bigint[] = []
    for (const { key } of written)
      for await (const batch of readParquetRows(columns, store.bucket.objects.get(key)!.bytes)) {
        const [vector] = batch.columns.filter((_, index) => columns[index]!.name === 'id')
        if (vector?.kind === 'int64') ids.push(...vector.values)
      }
    expect(ids).toEqual(Array.from({ length: 1200 }, (_, id) => BigInt(id)))
  })
})
