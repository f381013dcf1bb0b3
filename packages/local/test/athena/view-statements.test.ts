import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalAthena } from './local-athena.ts'

let athena: LocalAthena
beforeAll(async () => {
  athena = await LocalAthena.open()
  await athena.run(
    `create table trades with (external_location = 's3://lake/trades/', partitioned_by = array['dt']) as
     select id, px, cast(symbol as varchar) as symbol, cast(dt as varchar) as dt from (values (bigint '1', cast(10.5 as decimal(18,4)), 'A', '2024-03-08'), (2, 20, 'B', '2024-03-09'))
       as t (id, px, symbol, dt)`,
  )
}, 60_000)
afterAll(() => athena?.[Symbol.asyncDispose]())

describe('a view', () => {
  it('answers as its query, and is read like a table', async () => {
    await athena.run(
      'create view market.Daily as select dt, count(*) as n, sum(px) as total from trades group by dt',
    )
    expect(await athena.allRows('select * from daily order by dt')).toEqual([
      ['dt', 'n', 'total'],
      ['2024-03-08', '1', '10.5000'],
      ['2024-03-09', '1', '20.0000'],
    ])
    expect(
      await athena.rows('select d.n from daily d join market.daily e on d.dt = e.dt where e.n = 1'),
    ).toHaveLength(2)
    expect(await athena.rows('with daily as (select 5 as n) select n from daily')).toEqual([['5']])
  })

  it('reads only the partitions that a condition on it leaves', async () => {
    await athena.run(
      'create view by_day as select dt as day, count(*) as n, sum(px) as total from trades group by dt',
    )
    const scanned = async (sql: string) => (await athena.run(sql)).Statistics.DataScannedInBytes
    const one = await scanned("select * from by_day where day = '2024-03-09'")
    expect(one).toBeGreaterThan(0)
    expect(one).toBeLessThan(await scanned('select * from by_day'))
  })

  it('is kept in Glue as Athena keeps it', async () => {
    await athena.run('create view kept as select id, px, dt as day from trades')
    const table = athena.catalog.requireTable('market', 'kept')
    expect(table).toMatchObject({
      TableType: 'VIRTUAL_VIEW',
      Parameters: { presto_view: 'true' },
      ViewExpandedText: '/* Presto View */',
      StorageDescriptor: {
        Columns: [
          { Name: 'id', Type: 'bigint' },
          { Name: 'px', Type: 'decimal(18,4)' },
          { Name: 'day', Type: 'string' },
        ],
      },
    })
    const encoded = /^\/\* Presto View: (.*) \*\/$/.exec(table.ViewOriginalText ?? '')?.[1] ?? ''
    expect(JSON.parse(Buffer.from(encoded, 'base64').toString())).toEqual({
      originalSql: 'select id, px, dt as day from trades',
      catalog: 'awsdatacatalog',
      schema: 'market',
      columns: [
        { name: 'id', type: 'bigint' },
        { name: 'px', type: 'decimal(18,4)' },
        { name: 'day', type: 'varchar' },
      ],
    })
  })

  it('that others have put into Glue is read too, with names of its own database', async () => {
    athena.catalog.createDatabase({ Name: 'other' })
    const view = {
      originalSql: 'SELECT * FROM trades',
      catalog: 'awsdatacatalog',
      schema: 'market',
      columns: [
        { name: 'a', type: 'bigint' },
        { name: 'b', type: 'double' },
        { name: 'c', type: 'varchar' },
        { name: 'd', type: 'varchar' },
      ],
    }
    athena.catalog.createTable('other', {
      Name: 'foreign',
      TableType: 'VIRTUAL_VIEW',
      ViewOriginalText: `/* Presto View: ${Buffer.from(JSON.stringify(view)).toString('base64')} */`,
    })
    expect(await athena.rows('select a, b, d from other.foreign order by a')).toEqual([
      ['1', '10.5', '2024-03-08'],
      ['2', '20.0', '2024-03-09'],
    ])
    athena.catalog.createTable('other', {
      Name: 'hive',
      TableType: 'VIRTUAL_VIEW',
      ViewOriginalText: 'select 1',
    })
    expect(await athena.failure('select * from other.hive')).toMatch(
      /^NOT_SUPPORTED: other.hive is a view of Hive/,
    )
    athena.catalog.createTable('other', {
      Name: 'damaged',
      TableType: 'VIRTUAL_VIEW',
      ViewOriginalText: '/* Presto View: e30= */',
    })
    expect(await athena.failure('select * from other.damaged')).toMatch(/^HIVE_INVALID_VIEW_DATA/)
  })

  it('is replaced only when asked to, never by one that reads itself', async () => {
    await athena.run('create view once as select 1 as a')
    expect(await athena.failure('create view once as select 2 as a')).toBe(
      "TABLE_ALREADY_EXISTS: line 1:1: View already exists: 'awsdatacatalog.market.once'",
    )
    await athena.run('create or replace view once as select 2 as a')
    expect(await athena.rows('select a from once')).toEqual([['2']])
    expect(await athena.failure('create or replace view trades as select 1 as a')).toMatch(
      /^TABLE_ALREADY_EXISTS: .*Table already exists/,
    )
    expect(await athena.failure('create or replace view once as select a from once')).toMatch(
      /^INVALID_VIEW: .*recursive/,
    )
    await athena.run('create view twice as select a from once')
    expect(await athena.failure('create or replace view once as select a from twice')).toMatch(
      /^INVALID_VIEW/,
    )
  })

  it('whose table has changed beneath it says that it is stale', async () => {
    await athena.run('create table base as select 1 as a')
    await athena.run('create view above as select * from base')
    await athena.run('drop table base')
    expect(await athena.failure('select * from above')).toMatch(
      /^TABLE_NOT_FOUND: Failed analyzing stored view 'awsdatacatalog.market.above': .*'awsdatacatalog.market.base' does not exist/,
    )
    await athena.run("create table base as select 'text' as a")
    expect(await athena.failure('select * from above')).toMatch(
      /^VIEW_IS_STALE: line 1:15: View 'awsdatacatalog.market.above' is stale or in invalid state: column \[a\] of type varchar\(4\) .* of type integer/,
    )
    await athena.run('drop table base')
    await athena.run('create table base as select 1 as a, 2 as b')
    expect(await athena.failure('select * from above')).toMatch(/^VIEW_IS_STALE: .*column count \(1\)/)
  })

  it.each([
    ['create view v as select 1', /^MISSING_COLUMN_NAME/],
    ['create view v as select 1 as a, 2 as a', /^DUPLICATE_COLUMN_NAME/],
    ['create view v as select nothing from trades', /^COLUMN_NOT_FOUND: line 1:25/],
    ["create view v as select time '10:00:00' as t", /^NOT_SUPPORTED: .*Unsupported Hive type: time/],
    ['create view absent.v as select 1 as a', /^SCHEMA_NOT_FOUND/],
    ['create view v as insert into trades select 1', /^NOT_SUPPORTED|^SYNTAX_ERROR/],
    ['insert into daily select 1', /^NOT_SUPPORTED: .*view/],
    ['drop table daily', /Cannot drop a view with DROP TABLE/],
    ['drop view trades', /^NOT_SUPPORTED: .*is a table/],
    ['drop view absent', /^TABLE_NOT_FOUND/],
    ['show create view trades', /^NOT_SUPPORTED: .*is a table/],
    ['show create table daily', /is a view/],
  ])('%s is refused', async (sql, reason) => {
    expect(await athena.failure(sql)).toMatch(reason)
  })

  it('is listed, shown and dropped', async () => {
    await athena.run('create database desk')
    await athena.run('create view desk.b as select 1 as a')
    await athena.run('create view desk.a as\n  select 1 as a\n')
    expect(await athena.lines('show views in desk')).toEqual(['a', 'b'])
    expect(await athena.lines("show views in desk like 'b*'")).toEqual(['b'])
    expect(await athena.lines('show create view desk.a')).toEqual(['CREATE VIEW desk.a AS ', 'select 1 as a'])
    expect(await athena.lines('show tables in desk')).toEqual(['a', 'b'])
    await athena.run('drop view desk.a')
    await athena.run('drop view if exists desk.a')
    expect(await athena.lines('show views in desk')).toEqual(['b'])
  })
})

describe('SHOW', () => {
  it('CREATE TABLE shows a statement that makes the same table again', async () => {
    await athena.run(
      `create external table shown (id bigint comment 'it''s', tags array<string>) comment 'daily'
       partitioned by (dt string, hour int) stored as parquet location 's3://lake/shown'
       tblproperties ('projection.enabled'='false', 'note'='a')`.replace("it''s", "it\\'s"),
    )
    const before = athena.catalog.requireTable('market', 'shown')
    const lines = await athena.lines('show create table shown')
    expect(lines[0]).toBe('CREATE EXTERNAL TABLE `market.shown`(')
    await athena.run('drop table shown')
    await athena.run(lines.join('\n').replace('`market.shown`', 'shown'))
    const { CreateTime: _1, UpdateTime: _2, ...after } = athena.catalog.requireTable('market', 'shown')
    expect(before).toMatchObject(after)
  })

  it('TBLPROPERTIES shows all, or one', async () => {
    await athena.run(
      "create external table properties (id int) stored as parquet location 's3://lake/p/' tblproperties ('b'='2', 'a'='1')",
    )
    const lines = await athena.lines('show tblproperties properties')
    expect(lines).toEqual(expect.arrayContaining(['EXTERNAL\tTRUE', 'a\t1', 'b\t2']))
    expect(await athena.lines("show tblproperties properties('b')")).toEqual(['2'])
    expect(await athena.lines("show tblproperties properties('c')")).toEqual([
      'Table properties does not have property: c',
    ])
  })
})

describe('EXPLAIN', () => {
  it('tells what a statement reads and answers, without running it', async () => {
    const execution = await athena.run(
      "explain select symbol, count(*) as n from trades where dt = 'x' group by symbol",
    )
    expect(execution).toMatchObject({ StatementType: 'UTILITY', SubstatementType: 'EXPLAIN' })
    const lines = await athena.lines(
      "explain select symbol, count(*) as n from trades where dt = 'x' group by symbol",
    )
    expect(lines[0]).toBe('Output[symbol:varchar, n:bigint]')
    expect(lines[1]).toBe('    TableScan[awsdatacatalog.market.trades] [symbol, dt]')
    const writing = await athena.lines('explain insert into trades select * from trades')
    expect(writing[0]).toBe('TableWriter[trades]')
    expect(await athena.lines('explain (type validate) select 1')).toEqual(['true'])
  })

  it.each([
    ['explain analyze select 1', /^NOT_SUPPORTED: .*EXPLAIN ANALYZE/],
    ['explain (format json) select 1', /^NOT_SUPPORTED: .*FORMAT JSON/],
    ['explain drop table trades', /^NOT_SUPPORTED: .*DROP TABLE/],
    ['explain select nothing from trades', /^COLUMN_NOT_FOUND: line 1:16/],
  ])('%s is refused', async (sql, reason) => {
    expect(await athena.failure(sql)).toMatch(reason)
  })
})

describe('a prepared statement', () => {
  it('runs with the values given, until it is gone', async () => {
    await athena.run('prepare by_id from select symbol, ? as note from trades where id = ?')
    expect(await athena.rows("execute by_id using 'a, (b', cast(1 as bigint)")).toEqual([['A', 'a, (b']])
    expect(await athena.rows('execute by_id', { ExecutionParameters: ["'x'", '2'] })).toEqual([['B', 'x']])
    expect(await athena.failure("execute by_id using 'a'")).toMatch(
      /^INVALID_PARAMETER_USAGE: .*expected 2 but found 1/,
    )
    expect(await athena.failure('prepare by_id from select 1')).toMatch(/already exists/)
    await athena.run('deallocate prepare by_id')
    expect(await athena.failure('execute by_id using 1, 2')).toBe(
      'NOT_FOUND: Prepared statement not found: by_id',
    )
    expect(await athena.failure('deallocate prepare by_id')).toMatch(
      /by_id was not found in workGroup primary/,
    )
  })

  it('may write', async () => {
    await athena.run('prepare copying from create table prepared_copy as select * from trades where id = ?')
    const execution = await athena.run('execute copying using 2')
    expect(execution.Statistics.DataManifestLocation).toBe(
      `s3://results/out/tables/${execution.id}-manifest.csv`,
    )
    expect(await athena.rows('select id from prepared_copy')).toEqual([['2']])
    await athena.run('prepare adding from insert into prepared_copy (id) values (?)')
    expect(await athena.updateCount('execute adding using 7')).toBe(1)
    expect(await athena.failure('prepare dropping from drop table trades')).toMatch(
      /^NOT_SUPPORTED: .*DROP TABLE/,
    )
  })
})
