import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exclusionPattern } from '../../src/glue/exclusion-pattern.ts'
import { createGlueService, type GlueService } from '../../src/glue/glue-service.ts'
import { FolderStorage } from './folder-storage.ts'

const tradesFile = fileURLToPath(
  new URL('../golden/data/trades/dt=2024-03-08/part-0.parquet', import.meta.url),
)
let directory: string
let storage: FolderStorage
let glue: GlueService
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'crawler-'))
  storage = new FolderStorage(join(directory, 'objects'))
  await storage.createBucket('lake')
  glue = await createGlueService({ dataDirectory: directory, storage })
  await glue.handle('CreateDatabase', { DatabaseInput: { Name: 'market' } })
})
afterEach(async () => {
  await glue.close()
  await rm(directory, { recursive: true })
})

const put = (key: string) => storage.copyIn(tradesFile, 'lake', key)
const create = (more: Record<string, unknown> = {}) =>
  glue.handle('CreateCrawler', {
    Name: 'crawl',
    Role: 'arn:aws:iam::000000000000:role/crawler',
    DatabaseName: 'market',
    Targets: { S3Targets: [{ Path: 's3://lake/trades' }] },
    ...more,
  })

async function crawler(): Promise<{ State: string; LastCrawl?: { Status: string; ErrorMessage?: string } }> {
  return (await glue.handle('GetCrawler', { Name: 'crawl' }))['Crawler'] as never
}

async function run() {
  await glue.handle('StartCrawler', { Name: 'crawl' })
  for (;;) {
    const now = await crawler()
    if (now.State === 'READY') return now.LastCrawl
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
const partitions = (table = 'trades') =>
  glue.catalog
    .listPartitions('market', table)
    .map((one) => [one.Values.join('/'), one.StorageDescriptor?.Location])

describe('crawler', () => {
  it('makes a table of the footers and a partition of each key=value folder', async () => {
    await put('trades/dt=2024-03-08/part-0.parquet')
    await put('trades/dt=p%3Aq/part-0.parquet')
    await put('trades/_temporary/dt=x/part-0.parquet')
    await storage.writeObject('lake', 'trades/dt=2024-03-08/_SUCCESS', new Uint8Array())
    await create({ TablePrefix: 'raw_' })
    expect(await run()).toMatchObject({ Status: 'SUCCEEDED' })
    const table = glue.catalog.requireTable('market', 'raw_trades')
    expect(table).toMatchObject({
      TableType: 'EXTERNAL_TABLE',
      PartitionKeys: [{ Name: 'dt', Type: 'string' }],
      Parameters: { classification: 'parquet', UPDATED_BY_CRAWLER: 'crawl' },
    })
    expect(table.StorageDescriptor?.Columns).toHaveLength(10)
    expect(table.StorageDescriptor?.Columns?.[4]).toEqual({ Name: 'px', Type: 'decimal(18,4)' })
    expect(partitions('raw_trades')).toEqual([
      ['2024-03-08', 's3://lake/trades/dt=2024-03-08/'],
      ['p:q', 's3://lake/trades/dt=p%3Aq/'],
    ])
  })

  it('is RUNNING while it runs, refuses a second start, and keeps its last crawl over a restart', async () => {
    await put('trades/dt=1/a.parquet')
    await create()
    await glue.handle('StartCrawler', { Name: 'crawl' })
    expect((await crawler()).State).toBe('RUNNING')
    await expect(glue.handle('StartCrawler', { Name: 'crawl' })).rejects.toMatchObject({
      name: 'CrawlerRunningException',
    })
    while ((await crawler()).State !== 'READY') await new Promise((resolve) => setTimeout(resolve, 5))
    await glue.close()
    glue = await createGlueService({ dataDirectory: directory, storage })
    expect((await crawler()).LastCrawl).toMatchObject({ Status: 'SUCCEEDED' })
  })

  it('can be stopped, and changes nothing then', async () => {
    await put('trades/dt=1/a.parquet')
    await create()
    await glue.handle('StartCrawler', { Name: 'crawl' })
    await glue.handle('StopCrawler', { Name: 'crawl' })
    expect((await crawler()).State).toBe('STOPPING')
    while ((await crawler()).State !== 'READY') await new Promise((resolve) => setTimeout(resolve, 5))
    expect((await crawler()).LastCrawl).toMatchObject({ Status: 'CANCELLED' })
    expect(glue.catalog.listTables('market')).toEqual([])
  })

  it('adds partitions to the table registered at the same location', async () => {
    await put('trades/dt=1/a.parquet')
    await put('trades/dt=2/a.parquet')
    const Columns = [{ Name: 'id', Type: 'bigint', Comment: 'kept' }]
    glue.catalog.createTable('market', {
      Name: 'ticks',
      StorageDescriptor: { Columns, Location: 's3://lake/trades' },
      PartitionKeys: [{ Name: 'dt', Type: 'date' }],
    })
    glue.catalog.createPartitions('market', 'ticks', [
      { Values: ['1'], StorageDescriptor: { Location: 's3://elsewhere/' } },
    ])
    const SchemaChangePolicy = { UpdateBehavior: 'LOG', DeleteBehavior: 'LOG' }
    const Configuration =
      '{"Version":1.0,"CrawlerOutput":{"Partitions":{"AddOrUpdateBehavior":"InheritFromTable"}}}'
    await create({ SchemaChangePolicy, Configuration })
    expect(await run()).toMatchObject({ Status: 'SUCCEEDED' })
    expect(glue.catalog.listTables('market').map((one) => one.Name)).toEqual(['ticks'])
    expect(partitions('ticks')).toEqual([
      ['1', 's3://elsewhere/'],
      ['2', 's3://lake/trades/dt=2/'],
    ])
    expect(glue.catalog.requireTable('market', 'ticks').StorageDescriptor?.Columns).toEqual(Columns)
    const second = glue.catalog.getPartition('market', 'ticks', ['2'])
    expect(second?.StorageDescriptor?.Columns).toEqual(Columns)
  })

  it('changes the columns in the database only when its policy says so', async () => {
    await put('trades/a.parquet')
    const Columns = [{ Name: 'old', Type: 'int' }]
    glue.catalog.createTable('market', {
      Name: 'ticks',
      StorageDescriptor: { Columns, Location: 's3://lake/trades/' },
    })
    await create({ SchemaChangePolicy: { UpdateBehavior: 'LOG', DeleteBehavior: 'LOG' } })
    await run()
    const names = () =>
      glue.catalog.requireTable('market', 'ticks').StorageDescriptor?.Columns?.map((one) => one.Name)
    expect(names()).toEqual(['old'])
    await glue.handle('UpdateCrawler', {
      Name: 'crawl',
      SchemaChangePolicy: { UpdateBehavior: 'UPDATE_IN_DATABASE' },
      Configuration: '{"Version":1.0,"CrawlerOutput":{"Tables":{"AddOrUpdateBehavior":"MergeNewColumns"}}}',
    })
    await run()
    expect(names()).toHaveLength(11)
    await glue.handle('UpdateCrawler', { Name: 'crawl', Configuration: '{"Version":1.0}' })
    await run()
    expect(names()).not.toContain('old')
  })

  it('looks only into new folders when told so, and then must not change schemas', async () => {
    await put('trades/dt=1/a.parquet')
    const RecrawlPolicy = { RecrawlBehavior: 'CRAWL_NEW_FOLDERS_ONLY' }
    await expect(create({ RecrawlPolicy })).rejects.toMatchObject({ name: 'InvalidInputException' })
    await create({ RecrawlPolicy, SchemaChangePolicy: { UpdateBehavior: 'LOG', DeleteBehavior: 'LOG' } })
    await run()
    // Were the known folder read again, this would fail the crawl.
    await storage.writeObject('lake', 'trades/dt=1/b.parquet', Buffer.from('no parquet'))
    await put('trades/dt=2/a.parquet')
    expect(await run()).toMatchObject({ Status: 'SUCCEEDED' })
    expect(partitions().map(([value]) => value)).toEqual(['1', '2'])
  })

  it('deletes or deprecates partitions whose folder is gone, as its policy says', async () => {
    await put('trades/dt=1/a.parquet')
    await put('trades/dt=2/a.parquet')
    await create()
    await run()
    await rm(join(directory, 'objects/lake/trades/dt=1'), { recursive: true })
    await run()
    expect(glue.catalog.getPartition('market', 'trades', ['1'])?.Parameters).toHaveProperty(
      'DEPRECATED_BY_CRAWLER',
    )
    await glue.handle('UpdateCrawler', {
      Name: 'crawl',
      SchemaChangePolicy: { DeleteBehavior: 'DELETE_FROM_DATABASE' },
    })
    await run()
    expect(partitions().map(([value]) => value)).toEqual(['2'])
  })

  it.each([
    [
      'files of two formats in one folder',
      'trades/dt=1/b.csv',
      /b\.csv are parquet and csv with a header and the delimiter ",": they cannot be one table/,
    ],
    ['other partition keys beside', 'trades/month=1/b.parquet', /partitioned by \(dt\) and by \(month\)/],
    [
      'data beside a folder of data',
      'trades/dt=1/x/b.parquet',
      /dt=1\/ holds data itself and so does its folder s3:\/\/lake\/trades\/dt=1\/x\//,
    ],
  ])('fails and changes nothing for %s', async (_, key, message) => {
    await put('trades/dt=1/a.parquet')
    if (key.endsWith('.csv')) await storage.writeObject('lake', key, Buffer.from('a,b\n1,2\n3,4\n'))
    else await put(key)
    await create()
    expect(await run()).toMatchObject({ Status: 'FAILED', ErrorMessage: expect.stringMatching(message) })
    expect(glue.catalog.listTables('market')).toEqual([])
  })

  it('makes a table of each folder below its target, and leaves out what is excluded', async () => {
    await put('trades/us/a.parquet')
    await put('trades/eu/dt=1/a.parquet')
    await put('trades/tmp/a.parquet')
    await create({ Targets: { S3Targets: [{ Path: 's3://lake/trades/', Exclusions: ['tmp/**'] }] } })
    expect(await run()).toMatchObject({ Status: 'SUCCEEDED' })
    expect(glue.catalog.listTables('market').map((one) => one.Name)).toEqual(['eu', 'us'])
  })

  it('makes one table of a folder that two targets name', async () => {
    await put('trades/dt=1/a.parquet')
    await create({ Targets: { S3Targets: [{ Path: 's3://lake/trades' }, { Path: 's3://lake/trades/' }] } })
    expect(await run()).toMatchObject({ Status: 'SUCCEEDED' })
    expect(glue.catalog.listTables('market').map((one) => one.Name)).toEqual(['trades'])
  })

  it.each(['/a.parquet', 'trades//a.parquet'])('fails for %s, whose folder has no name', async (key) => {
    await put('a.parquet')
    const file = await storage.findObject('lake', 'a.parquet')
    storage.listObjects = async function* () {
      yield { ...file!, key }
    }
    await create({ Targets: { S3Targets: [{ Path: 's3://lake' }] } })
    expect(await run()).toMatchObject({
      Status: 'FAILED',
      ErrorMessage: expect.stringContaining(`s3://lake/${key} lies in a folder without a name`),
    })
  })

  it('fails for a partition that a partition index of its table does not take', async () => {
    await put('trades/dt=1/a.parquet')
    await create()
    await run()
    const { StorageDescriptor, Parameters } = glue.catalog.requireTable('market', 'trades')
    glue.catalog.updateTable('market', {
      Name: 'trades',
      PartitionKeys: [{ Name: 'dt', Type: 'int' }],
      ...(StorageDescriptor && { StorageDescriptor }),
      ...(Parameters && { Parameters }),
    })
    await glue.handle('CreatePartitionIndex', {
      DatabaseName: 'market',
      TableName: 'trades',
      PartitionIndex: { IndexName: 'by-dt', Keys: ['dt'] },
    })
    await put('trades/dt=x/a.parquet')
    expect(await run()).toMatchObject({
      Status: 'FAILED',
      ErrorMessage: expect.stringMatching(/\(x\) do not fit the keys of a partition index/),
    })
  })

  it.each([
    [{ Classifiers: ['csv'] }, 'Classifiers'],
    [{ Targets: { JdbcTargets: [{ ConnectionName: 'x' }] } }, 'JdbcTargets'],
    [{ RecrawlPolicy: { RecrawlBehavior: 'CRAWL_EVENT_MODE' } }, 'CRAWL_EVENT_MODE'],
    [{ Configuration: '{"Version":1.0,"CreatePartitionIndex":true}' }, 'CreatePartitionIndex'],
  ])('refuses %j by name', async (more, name) => {
    await expect(create(more)).rejects.toMatchObject({
      name: 'UnsupportedOperationException',
      message: expect.stringContaining(name),
    })
  })
})

describe('crawler exclusion', () => {
  it.each([
    ['*.csv', 'a.csv', true],
    ['*.csv', 'b/a.csv', false],
    ['**.csv', 'b/a.csv', true],
    ['{a,b}/**', 'b/c/d', true],
    ['a?[0-9]', 'ab1', true],
    ['a[!0-9]', 'a1', false],
    ['dt=2024*/**', 'dt=2024-01/x', true],
  ])('%s on %s: %s', (glob, path, expected) => {
    expect(exclusionPattern(glob).test(path)).toBe(expected)
  })
})
