import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalAthena } from './local-athena.ts'

let athena: LocalAthena
beforeAll(async () => {
  athena = await LocalAthena.open()
  await athena.run('create database desk')
  await athena.run(`create external table market.trades (
      id bigint comment 'the "number"', px decimal(18,4), ts timestamp, tags array<string>, legs struct<a:int,b:map<string,double>>)
    partitioned by (day date, \`n\` int) stored as parquet location 's3://lake/trades/'`)
  await athena.run(
    `create view market.daily as select day, count(*) as n from (values (date '2024-03-08')) as t (day) group by day`,
  )
  athena.catalog.createTable('desk', {
    Name: 'odd',
    StorageDescriptor: { Columns: [{ Name: "it's", Type: 'char(3)' }] },
  })
  athena.catalog.createTable('desk', {
    Name: 'hive',
    TableType: 'VIRTUAL_VIEW',
    ViewOriginalText: 'select 1',
  })
}, 60_000)
afterAll(() => athena?.[Symbol.asyncDispose]())

describe('information_schema', () => {
  it('lists databases, tables and views, with itself', async () => {
    expect(await athena.rows('SELECT * FROM information_schema.schemata')).toEqual([
      ['awsdatacatalog', 'desk'],
      ['awsdatacatalog', 'market'],
      ['awsdatacatalog', 'information_schema'],
    ])
    const tables = `SELECT table_schema, table_name, table_type FROM awsdatacatalog.Information_Schema.TABLES`
    expect(await athena.rows(`${tables} WHERE table_schema <> 'information_schema' ORDER BY 1, 2`)).toEqual([
      ['desk', 'hive', 'VIEW'],
      ['desk', 'odd', 'BASE TABLE'],
      ['market', 'daily', 'VIEW'],
      ['market', 'trades', 'BASE TABLE'],
    ])
    expect(
      await athena.rows(`SELECT count(*) FROM (${tables} WHERE table_schema = 'information_schema')`),
    ).toEqual([['4']])
    expect(
      await athena.rows('SELECT table_name, view_definition FROM information_schema.views ORDER BY 1'),
    ).toEqual([
      ['daily', expect.stringMatching(/^select day, count/)],
      ['hive', null],
    ])
  })

  it('tells the columns of a table in the types of Trino, its partition keys last', async () => {
    const [names, ...rows] = await athena.allRows(
      `SELECT * FROM information_schema.columns WHERE table_schema = 'market' AND table_name = 'trades' ORDER BY ordinal_position`,
    )
    expect(names).toEqual([
      'table_catalog',
      'table_schema',
      'table_name',
      'column_name',
      'ordinal_position',
      'column_default',
      'is_nullable',
      'data_type',
      'comment',
      'extra_info',
    ])
    const all = ['awsdatacatalog', 'market', 'trades']
    expect(rows).toEqual([
      [...all, 'id', '1', null, 'YES', 'bigint', 'the "number"', null],
      [...all, 'px', '2', null, 'YES', 'decimal(18,4)', null, null],
      [...all, 'ts', '3', null, 'YES', 'timestamp(3)', null, null],
      [...all, 'tags', '4', null, 'YES', 'array(varchar)', null, null],
      [...all, 'legs', '5', null, 'YES', 'row(a integer, b map(varchar, double))', null, null],
      [...all, 'day', '6', null, 'YES', 'date', null, 'partition key'],
      [...all, 'n', '7', null, 'YES', 'integer', null, 'partition key'],
    ])
    const others = `SELECT column_name, data_type FROM information_schema.columns WHERE table_name = `
    expect(await athena.rows(`${others} 'daily'`)).toEqual([
      ['day', 'date'],
      ['n', 'bigint'],
    ])
    expect(await athena.rows(`${others} 'odd'`)).toEqual([["it's", 'char(3)']])
    expect(await athena.rows(`${others} 'hive'`)).toEqual([])
    expect(await athena.rows(`${others} 'schemata'`)).toHaveLength(2)
  })

  it('is no database of the catalog, and no view is made of it', async () => {
    expect(await athena.failure('SELECT * FROM information_schema.character_sets')).toMatch(
      /^TABLE_NOT_FOUND/,
    )
    const view = 'CREATE VIEW market.meta AS SELECT table_name FROM information_schema.tables'
    expect(await athena.failure(view)).toMatch(/^NOT_SUPPORTED/)
    expect(await athena.lines('SHOW DATABASES')).toEqual(['desk', 'market'])
  })

  it('tells of thousands of columns', async () => {
    for (let table = 0; table < 50; table += 1) {
      const Columns = Array.from({ length: 100 }, (_, i) => ({ Name: `c${i}`, Type: 'double' }))
      athena.catalog.createTable('desk', { Name: `wide${table}`, StorageDescriptor: { Columns } })
    }
    const sql = `SELECT count(*), count(DISTINCT table_name) FROM information_schema.columns WHERE table_name LIKE 'wide%'`
    expect(await athena.rows(sql)).toEqual([['5000', '50']])
  }, 30_000)
})

describe('"table$partitions"', () => {
  const partitions = 'SELECT * FROM market."trades$partitions" ORDER BY day, n'

  it('has a row for each partition, with values of the types of the keys', async () => {
    expect(await athena.allRows(partitions)).toEqual([['day', 'n']])
    athena.catalog.createPartitions('market', 'trades', [
      { Values: ['2024-03-09', '10'] },
      { Values: ['2024-03-09', '9'] },
      { Values: ['2024-03-08', '__HIVE_DEFAULT_PARTITION__'] },
    ])
    expect(await athena.rows(partitions)).toEqual([
      ['2024-03-08', null],
      ['2024-03-09', '9'],
      ['2024-03-09', '10'],
    ])
    expect(await athena.rows('SELECT max(day) FROM market."trades$partitions" WHERE n > 9')).toEqual([
      ['2024-03-09'],
    ])
  })

  it('is there for partitioned tables only, and not for those with projection', async () => {
    expect(await athena.failure('SELECT * FROM market."daily$partitions"')).toMatch(/^TABLE_NOT_FOUND/)
    expect(await athena.failure('SELECT * FROM desk."odd$partitions"')).toMatch(/^TABLE_NOT_FOUND/)
    expect(await athena.failure('SELECT * FROM desk."odd$files"')).toMatch(/^NOT_SUPPORTED/)
    await athena.run(`ALTER TABLE market.trades SET TBLPROPERTIES ('projection.enabled' = 'true')`)
    expect(await athena.failure(partitions)).toMatch(/^NOT_SUPPORTED.*projection/)
  })
})
