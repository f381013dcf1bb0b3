import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseDdl } from '../../src/athena/hive-ddl-parser.ts'
import { runDdl } from '../../src/athena/hive-ddl-runner.ts'
import { Catalog } from '../../src/glue/catalog.ts'
import { FolderStorage } from '../glue/folder-storage.ts'

let directory: string
let storage: FolderStorage
let catalog: Catalog
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ddl-'))
  storage = new FolderStorage(directory)
  await storage.createBucket('lake')
  catalog = new Catalog(join(directory, 'state'))
  catalog.createDatabase({ Name: 'market' })
})
afterEach(() => rm(directory, { recursive: true }))

async function run(sql: string): Promise<readonly string[]> {
  const signal = new AbortController().signal
  const result = await runDdl(parseDdl(sql), { catalog, storage, database: 'market', signal })
  return result.kind === 'lines' ? result.lines : []
}

const bars = `CREATE EXTERNAL TABLE IF NOT EXISTS market.Bars (
  \`Open\` decimal(18, 4) COMMENT 'first price', -- in dollars
  tags array<string>,
  \`map\` map<string,struct<a:int,b:array<double>>>
)
COMMENT 'daily'
PARTITIONED BY (year int, ticker string)
ROW FORMAT SERDE 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'
STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat'
LOCATION 's3://lake/bars/'
TBLPROPERTIES ('projection.enabled'='false', "note"='it\\'s');`

describe('Hive DDL', () => {
  it('makes and drops databases', async () => {
    await run("create database if not exists Desk comment 'x' location 's3://lake/desk/'")
    expect(catalog.getDatabase('desk')).toMatchObject({ Description: 'x', LocationUri: 's3://lake/desk/' })
    await run('create schema if not exists desk')
    await expect(run('create schema desk')).rejects.toThrowError(/Database desk already exists/)
    expect(await run("show databases like 'd*'")).toEqual(['desk'])
    await run('drop database desk')
    await run('drop database if exists desk')
    await expect(run('drop database desk')).rejects.toThrowError(
      /\[Error 10072\]: Database does not exist: desk/,
    )
  })

  it('makes a Parquet table as Glue wants it', async () => {
    await run(bars)
    await run(bars)
    expect(catalog.requireTable('market', 'bars')).toMatchObject({
      TableType: 'EXTERNAL_TABLE',
      PartitionKeys: [
        { Name: 'year', Type: 'int' },
        { Name: 'ticker', Type: 'string' },
      ],
      Parameters: { EXTERNAL: 'TRUE', comment: 'daily', 'projection.enabled': 'false', note: "it's" },
      StorageDescriptor: {
        Location: 's3://lake/bars/',
        InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
        SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
        Columns: [
          { Name: 'open', Type: 'decimal(18,4)', Comment: 'first price' },
          { Name: 'tags', Type: 'array<string>' },
          { Name: 'map', Type: 'map<string,struct<a:int,b:array<double>>>' },
        ],
      },
    })
    await expect(run(bars.replace('IF NOT EXISTS', ''))).rejects.toThrowError(/Table bars already exists/)
    await expect(run('drop database market')).rejects.toThrowError(/Database market is not empty/)
    await run('drop table bars')
    await run('drop table if exists bars')
    await expect(run('drop table bars')).rejects.toThrowError(/\[Error 10001\]: Table not found bars/)
  })

  it('shows tables, columns and a description', async () => {
    await run(bars)
    await run("create external table other (a int) stored as parquet location 's3://lake/other'")
    expect(await run('show tables')).toEqual(['bars', 'other'])
    expect(await run("SHOW TABLES IN market 'o*'")).toEqual(['other'])
    expect((await run('show columns in bars from market')).map((line) => line.trim())).toEqual([
      'open',
      'tags',
      'map',
      'year',
      'ticker',
    ])
    const description = await run('describe market.bars')
    expect(description[0]).toBe(
      `${'open'.padEnd(20)}\t${'decimal(18,4)'.padEnd(20)}\t${'first price'.padEnd(20)}`,
    )
    expect(description.filter((line) => line.startsWith('year'))).toHaveLength(2)
    expect(await run('describe other')).toHaveLength(1)
  })

  it('adds, shows and drops partitions', async () => {
    await run(bars)
    await run(`alter table bars add partition (year=2023, ticker='p:q')
      partition (ticker='A', year='2024') location 's3://lake/elsewhere/'`)
    expect(await run('show partitions bars')).toEqual(['year=2023/ticker=p%3Aq', 'year=2024/ticker=A'])
    const location = (values: string[]) =>
      catalog.getPartition('market', 'bars', values)?.StorageDescriptor?.Location
    expect(location(['2023', 'p:q'])).toBe('s3://lake/bars/year=2023/ticker=p%3Aq/')
    expect(location(['2024', 'A'])).toBe('s3://lake/elsewhere/')
    const both = "add partition (year=2025, ticker='A') partition (year=2024, ticker='A')"
    await expect(run(`alter table bars ${both}`)).rejects.toThrowError(/Partition already exists: year=2024/)
    expect(await run('show partitions bars')).toHaveLength(2)
    await run(`alter table bars ${both.replace('add', 'add if not exists')}`)
    await expect(run('alter table bars add partition (year=2025)')).rejects.toThrowError(/partition spec/)
    await run("alter table bars drop partition (ticker='A')")
    expect(await run('show partitions bars')).toEqual(['year=2023/ticker=p%3Aq'])
    await expect(run('alter table bars drop partition (year=1)')).rejects.toThrowError(/Partition not found/)
    await run('alter table bars drop if exists partition (year=1)')
  })

  it('adds columns, sets location and properties, each as a new version of the table', async () => {
    await run(bars)
    await run('alter table bars add columns (volume bigint)')
    await run("alter table bars set location 's3://lake/moved/'")
    await run("alter table bars set tblproperties ('note'='new', 'more'='x')")
    const table = catalog.requireTable('market', 'bars')
    expect(table.StorageDescriptor?.Columns?.at(-1)).toEqual({ Name: 'volume', Type: 'bigint' })
    expect(table.StorageDescriptor?.Location).toBe('s3://lake/moved/')
    expect(table.Parameters).toMatchObject({ comment: 'daily', note: 'new', more: 'x' })
    expect(table.VersionId).toBe('3')
    await expect(run('alter table bars add columns (Year int)')).rejects.toThrowError(
      /Duplicate column name: year/,
    )
    await expect(run("alter table bars set location '/tmp'")).rejects.toThrowError(/is not s3:/)
  })

  it('repairs: adds the key=value folders that are no partitions yet', async () => {
    await run(bars)
    for (const key of [
      'year=2023/ticker=p%3Aq/a',
      'year=2024/ticker=A/b',
      'year=2024/c',
      '_tmp/year=1/ticker=A/d',
    ]) {
      await storage.writeObject('lake', `bars/${key}`, Buffer.from('x'))
    }
    await run("alter table bars add partition (year=2024, ticker='A') location 's3://lake/own/'")
    expect(await run('msck repair table bars')).toEqual([
      'Partitions not in metastore:\tbars:year=2023/ticker=p%3Aq',
      'Repair: Added partition to metastore bars:year=2023/ticker=p%3Aq',
    ])
    expect(catalog.getPartition('market', 'bars', ['2023', 'p:q'])?.StorageDescriptor?.Location).toBe(
      's3://lake/bars/year=2023/ticker=p%3Aq/',
    )
    expect(await run('msck repair table bars')).toEqual([])
  })

  it('repairs nothing whose folders spell a key in other letters', async () => {
    await run(bars)
    await storage.writeObject('lake', 'bars/Year=2023/ticker=A/a', Buffer.from('x'))
    expect(await run('msck repair table bars')).toEqual([])
    expect(await run('show partitions bars')).toEqual([])
  })

  it('adds no partition at a place that is none, and says so of one that the catalog refuses', async () => {
    await run(bars)
    const at = "alter table bars add partition (year=2024, ticker='A') location"
    await expect(run(`${at} '/tmp/a'`)).rejects.toThrowError(/'\/tmp\/a' is not s3:/)
    catalog.store.commit([
      'partition-indexes',
      'market',
      'bars',
      [{ IndexName: 'by-year', Keys: ['year'], changedAtMillis: 0 }],
    ])
    const mixed = "add if not exists partition (year=2024, ticker='A') partition (year='x', ticker='A')"
    await expect(run(`alter table bars ${mixed}`)).rejects.toThrowError(
      /do not fit the keys of a partition index/,
    )
    expect(await run('show partitions bars')).toEqual([])
  })

  it.each([
    [
      "create external table t (a int) row format delimited fields terminated by ',' location 's3://b/'",
      /DELIMITED/,
    ],
    ["create external table t (a int) stored as orc location 's3://b/'", /STORED AS ORC/],
    ["create external table t (a int) row format serde 'x.JsonSerDe' location 's3://b/'", /x\.JsonSerDe/],
    ["create external table t (a int) location 's3://b/'", /without STORED AS PARQUET/],
    ['alter table t replace columns (b int)', /ALTER TABLE REPLACE/],
    ['alter table t add constraint', /ALTER TABLE ADD CONSTRAINT/],
    ['alter table t rename to u', /ALTER TABLE RENAME/],
    ['describe formatted t', /DESCRIBE FORMATTED T/],
  ])('refuses %j as NOT_SUPPORTED, by name', async (sql, message) => {
    await expect(run(sql)).rejects.toMatchObject({
      errorName: 'NOT_SUPPORTED',
      message: expect.stringMatching(message),
    })
  })

  it.each([
    [
      'create external table t (a integer) stored as parquet',
      /line 1:27 cannot recognize input near 'integer'/,
    ],
    ['create external table t (a int) stored as parquet', /expecting LOCATION/],
    ['drop table a b', /line 1:13 mismatched input 'b' expecting the end/],
    ['drop table', /mismatched input '<EOF>' expecting a name/],
    ['show\npartitions ?', /line 2:11 cannot recognize input near '\?'/],
  ])('%j is a ParseException where it goes wrong', async (sql, message) => {
    await expect(run(sql)).rejects.toThrowError(message)
    await expect(run(sql)).rejects.toThrowError(/^FAILED: ParseException/)
  })
})
