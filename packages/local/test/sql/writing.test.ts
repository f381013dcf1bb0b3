import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DescribedColumn, FileLayout } from '../../src/sql/query-engine.ts'
import { TestLake } from './market-lake.ts'

const lake = new TestLake('96MB')
beforeAll(async () => {
  lake.table('wide', { n: 'bigint', t: 'string' }, {}, [
    await lake.file(
      'wide/a.parquet',
      `SELECT i AS n, repeat(md5(i::VARCHAR), 4) AS t FROM range(1000000) r(i)`,
    ),
  ])
}, 60_000)
afterAll(() => lake[Symbol.asyncDispose]())

const asTheyAre = (columns: readonly DescribedColumn[]): FileLayout => ({
  columns: columns.map(({ name, hiveType }, from) => ({ name: name!, hiveType: hiveType!, from })),
  partitionKeys: [],
  compression: 'SNAPPY',
})
const write = (sql: string, signal?: AbortSignal) =>
  lake.engine.write({
    sql,
    database: 'market',
    resolver: lake.resolver,
    layoutOf: asTheyAre,
    ...(signal && { signal }),
  })

test('rows beyond the memory limit spill into the data directory, and go when they are taken', async () => {
  await using written = await write('SELECT n, t FROM wide')
  expect(written.rowCount).toBe(1_000_000)
  const [file] = written.files
  expect(file!.filePath.startsWith(join(lake.directory, 'data', 'athena-spill', 'written'))).toBe(true)
  lake.table('again', { n: 'bigint', t: 'string' }, {}, [
    { ...file!, uri: 's3://lake/again', size: (await stat(file!.filePath)).size },
  ])
  const { rows } = await lake.query('SELECT count(*), min(n), max(n), max(length(t)) FROM again')
  expect(rows).toEqual([['1000000', '0', '999999', '128']])
  await written[Symbol.asyncDispose]()
  expect(await readdir(join(lake.directory, 'data', 'athena-spill', 'written'))).toEqual([])
}, 60_000)

test('a query is described without being run', async () => {
  const described = await lake.engine.describe({
    sql: `SELECT n, max(t) AS "T", now(), n / 0 AS z FROM wide GROUP BY n`,
    database: 'market',
    resolver: lake.resolver,
  })
  expect(described).toEqual({
    columns: [
      { name: 'n', type: 'bigint', hiveType: 'bigint' },
      { name: 'T', type: 'varchar', hiveType: 'string' },
      { name: undefined, type: 'timestamp(3) with time zone', hiveType: undefined },
      { name: 'z', type: 'bigint', hiveType: 'bigint' },
    ],
    relations: ['market.wide'],
    scans: [{ table: 'market.wide', columns: ['n', 't'] }],
  })
})

test('what is refused by its layout, or stopped, leaves no file', async () => {
  const abort = new AbortController()
  const reason = new Error('stopped')
  setTimeout(() => abort.abort(reason), 50)
  const endless = 'SELECT count(*) AS n FROM wide a, wide b, wide c WHERE a.n + b.n + c.n < 0'
  await expect(write(endless, abort.signal)).rejects.toBe(reason)
  await expect(
    lake.engine.write({
      sql: 'SELECT 1 AS a',
      database: 'market',
      resolver: lake.resolver,
      layoutOf: () => {
        throw reason
      },
    }),
  ).rejects.toThrowError(/stopped/)
  expect(await readdir(join(lake.directory, 'data', 'athena-spill', 'written'))).toEqual([])
}, 60_000)
