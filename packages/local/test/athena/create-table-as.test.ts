import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalAthena } from './local-athena.ts'
import { createTrades } from './trades-table.ts'

let athena: LocalAthena
beforeAll(async () => {
  athena = await LocalAthena.open()
  await createTrades(athena)
  await putCollections()
}, 60_000)
afterAll(() => athena?.[Symbol.asyncDispose]())

/** A file with empty arrays and maps, which no statement here makes. */
async function putCollections(): Promise<void> {
  const filePath = join(athena.directory, 'collections.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    `copy (select * from (values
       (1, []::integer[], map {}::map(varchar, integer), [[1]]),
       (2, [1, null], map {'k': 1}, [[1], []]),
       (3, null, null, null)) as t (id, a, m, b)) to '${filePath}' (format parquet)`,
  )
  connection.closeSync()
  instance.closeSync()
  await athena.storage.copyIn(filePath, 'lake', 'collections/a.parquet')
  await athena.run(
    `create external table collections (id int, a array<int>, m map<string,int>, b array<array<int>>)
     stored as parquet location 's3://lake/collections/'`,
  )
}

describe('CREATE TABLE AS', () => {
  it('makes a partitioned table whose rows come back as they went in, and says how many they are', async () => {
    const execution = await athena.run(
      `create table copied with (partitioned_by = array['dt']) as select id, px, symbol, ts, dt from trades`,
    )
    expect(execution).toMatchObject({ StatementType: 'DDL', SubstatementType: 'CREATE_TABLE_AS_SELECT' })
    expect(await athena.rows('select * from copied order by id')).toEqual([
      ['1', '10.5000', 'AAPL', '2024-03-08 10:00:00.123', '2024-03-08'],
      ['2', '20.2500', null, '2024-03-08 11:00:00.000', '2024-03-08'],
      ['3', null, 'MSFT', null, '2024-03-09'],
    ])
    const results = await athena.call('GetQueryResults', { QueryExecutionId: execution.id })
    expect(results).toMatchObject({
      UpdateCount: 3,
      ResultSet: { Rows: [], ResultSetMetadata: { ColumnInfo: [{ Name: 'rows', Type: 'bigint' }] } },
    })
  })

  it('puts its files below the place of results, and a manifest that names them', async () => {
    const execution = await athena.run(
      `create table placed with (partitioned_by = array['dt']) as select id, dt from trades`,
    )
    const { DataManifestLocation } = execution.Statistics
    expect(DataManifestLocation).toBe(`s3://results/out/tables/${execution.id}-manifest.csv`)
    const keys = await athena.keys('results', `out/tables/${execution.id}/`)
    expect(keys.map((key) => key.split('/').at(-2))).toEqual(['dt=2024-03-08', 'dt=2024-03-09'])
    const manifest = await athena.storage.findObject('results', `out/tables/${execution.id}-manifest.csv`)
    expect((await readFile(manifest!.filePath, 'utf8')).trimEnd().split('\n')).toEqual(
      keys.map((key) => `s3://results/${key}`),
    )
    const table = athena.catalog.requireTable('market', 'placed')
    expect(table).toMatchObject({
      TableType: 'EXTERNAL_TABLE',
      PartitionKeys: [{ Name: 'dt', Type: 'string' }],
      StorageDescriptor: {
        Columns: [{ Name: 'id', Type: 'bigint' }],
        Location: `s3://results/out/tables/${execution.id}/`,
      },
    })
    expect(athena.catalog.listPartitions('market', 'placed').map(({ Values }) => Values)).toEqual([
      ['2024-03-08'],
      ['2024-03-09'],
    ])
    expect(await athena.filesInFlight()).toEqual([])
  })

  it('keeps every type of a Hive table, in Parquet that other readers take', async () => {
    await athena.run(
      `create table wide with (external_location = 's3://lake/wide/', write_compression = 'ZSTD', compression_level = 3) as
       select true as b, cast(1 as tinyint) as ti, cast(2 as smallint) as si, 3 as i, bigint '4' as l,
         real '1.5' as r, 2.5e0 as d, cast(1.25 as decimal(38,4)) as dec, 'x' as c, cast('y' as varchar) as v,
         date '2024-02-29' as dt, timestamp '1969-12-31 23:59:59.999' as ts, X'00ff' as bin,
         a, m from collections where id = 2`,
    )
    const { StorageDescriptor } = athena.catalog.requireTable('market', 'wide')
    expect(StorageDescriptor?.Columns?.map(({ Type }) => Type)).toEqual([
      'boolean',
      'tinyint',
      'smallint',
      'int',
      'bigint',
      'float',
      'double',
      'decimal(38,4)',
      'varchar(1)',
      'string',
      'date',
      'timestamp',
      'binary',
      'array<int>',
      'map<string,int>',
    ])
    const names = 'b, ti, si, i, l, r, d, dec, c, v, dt, ts, bin, a, m'
    expect(await athena.rows(`select ${names} from wide`)).toEqual([
      [
        'true',
        '1',
        '2',
        '3',
        '4',
        '1.5',
        '2.5',
        '1.2500',
        'x',
        'y',
        '2024-02-29',
        '1969-12-31 23:59:59.999',
        '00 ff',
        '[1, null]',
        '{k=1}',
      ],
    ])
    const [key] = await athena.keys('lake', 'wide/')
    const { filePath } = (await athena.storage.findObject('lake', key!))!
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    const schema = await connection.runAndReadAll(
      `select name, type, converted_type from parquet_schema('${filePath}') where name in ('ts', 'dec', 'v')`,
    )
    expect(schema.getRows()).toEqual([
      ['dec', 'FIXED_LEN_BYTE_ARRAY', 'DECIMAL'],
      ['v', 'BYTE_ARRAY', 'UTF8'],
      ['ts', 'INT64', 'TIMESTAMP_MILLIS'],
    ])
    const metadata = await connection.runAndReadAll(
      `select distinct compression from parquet_metadata('${filePath}')`,
    )
    expect(metadata.getRows()).toEqual([['ZSTD']])
    connection.closeSync()
  })

  it('keeps NULL in the place of arrays and maps', async () => {
    await athena.run('create table filled as select a, m, b from collections where id = 3')
    expect(await athena.rows('select a, m, b from filled')).toEqual([[null, null, null]])
  })

  it('without data makes the table and writes nothing', async () => {
    const location = 's3://lake/empty/'
    await athena.run(
      `create table empty with (external_location = '${location}') as select * from trades with no data`,
    )
    expect(await athena.rows('select count(*) from empty')).toEqual([['0']])
    expect(await athena.keys('lake', 'empty/')).toEqual([])
    await athena.run('create table if not exists empty as select 1 as a')
    expect(await athena.failure('create table empty as select 1 as a')).toBe(
      "TABLE_ALREADY_EXISTS: line 1:1: Destination table 'awsdatacatalog.market.empty' already exists",
    )
  })

  it('takes parameters, and queries that begin with WITH or a parenthesis', async () => {
    await athena.run('create table one as (with x as (select ? as a) select a, ? as b from x)', {
      ExecutionParameters: ['7', "'it''s'"],
    })
    expect(await athena.rows('select a, b from one')).toEqual([['7', "it's"]])
  })

  it.each([
    ['select 1', /^MISSING_COLUMN_NAME: .*position 1/],
    ['select 1 as a, 2 as A', /^DUPLICATE_COLUMN_NAME: .*'a'/],
    ['select null as a', /^COLUMN_TYPE_UNKNOWN: .*a$/],
    ['select now() as t', /^NOT_SUPPORTED: Unsupported Hive type: timestamp\(3\) with time zone$/],
    ["select time '10:00:00' as t", /^NOT_SUPPORTED: Unsupported Hive type: time\(0\)$/],
    [
      'select cast(localtimestamp as timestamp(6)) as t',
      /^NOT_SUPPORTED: Incorrect timestamp precision for timestamp\(6\); the configured precision is MILLISECONDS$/,
    ],
    ['select a, m from collections where id = 1', /^GENERIC_INTERNAL_ERROR: Parquet record is malformed/],
    ['select b from collections where id = 2', /^GENERIC_INTERNAL_ERROR: Parquet record is malformed/],
    ['select nothing from trades', /^COLUMN_NOT_FOUND: line 1:32/],
    ['select 1 / 0 as a', /^DIVISION_BY_ZERO/],
  ])('of %j fails and leaves neither table nor file', async (query, reason) => {
    const before = await athena.keys('results', 'out/tables/')
    expect(await athena.failure(`create table refused as ${query}`)).toMatch(reason)
    expect(athena.catalog.getTable('market', 'refused')).toBeUndefined()
    expect(await athena.keys('results', 'out/tables/')).toEqual(before)
    expect(await athena.filesInFlight()).toEqual([])
  })

  it.each([
    ["format = 'ORC'", /^NOT_SUPPORTED: .*ORC/],
    ["format = 'nonsense'", /^INVALID_TABLE_PROPERTY/],
    ["table_type = 'ICEBERG'", /^NOT_SUPPORTED: .*ICEBERG/],
    ["bucketed_by = array['id'], bucket_count = 3", /^NOT_SUPPORTED: .*bucketed_by/],
    ["write_compression = 'LZ4'", /^NOT_SUPPORTED: .*LZ4/],
    ["write_compression = 'ZIP'", /^INVALID_TABLE_PROPERTY/],
    ['compression_level = 3', /^INVALID_TABLE_PROPERTY: .*ZSTD/],
    ["colour = 'red'", /^INVALID_TABLE_PROPERTY: .*'colour' does not exist/],
    ["external_location = '/tmp/x'", /^HIVE_FILESYSTEM_ERROR/],
    ["external_location = 's3://absent/x/'", /^HIVE_FILESYSTEM_ERROR: .*absent/],
    [
      "external_location = 's3://lake/trades/'",
      /^HIVE_PATH_ALREADY_EXISTS: Target directory for table 'market.refused'/,
    ],
    ["partitioned_by = array['id']", /^HIVE_COLUMN_ORDER_MISMATCH/],
    ["partitioned_by = array['absent']", /^INVALID_TABLE_PROPERTY: .*absent/],
    ["partitioned_by = array['id', 'dt']", /^INVALID_TABLE_PROPERTY: .*only partition columns/],
  ])('with %s is refused', async (properties, reason) => {
    expect(
      await athena.failure(`create table refused with (${properties}) as select id, dt from trades`),
    ).toMatch(reason)
    expect(athena.catalog.getTable('market', 'refused')).toBeUndefined()
  })

  it('writes 100 partitions and no more', async () => {
    const select = (count: number) => `select n as id, n as part from unnest(sequence(1, ${count})) as t (n)`
    expect(
      await athena.updateCount(`create table many with (partitioned_by = array['part']) as ${select(100)}`),
    ).toBe(100)
    expect(await athena.rows('select count(*), sum(id) from many where part > 98')).toEqual([['2', '199']])
    expect(
      await athena.failure(`create table more with (partitioned_by = array['part']) as ${select(101)}`),
    ).toBe('HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/buckets')
    expect(athena.catalog.getTable('market', 'more')).toBeUndefined()
  })

  it('keeps NULL and odd values of partitions', async () => {
    await athena.run(
      `create table odd with (external_location = 's3://lake/odd/', partitioned_by = array['p', 'd']) as
       select * from (values (1, 'a/b=c %', date '2024-01-01'), (2, null, null), (3, '', null)) as t (id, p, d)`,
    )
    expect(await athena.rows('select id, p, d from odd order by id')).toEqual([
      ['1', 'a/b=c %', '2024-01-01'],
      ['2', null, null],
      ['3', null, null],
    ])
    expect(
      await athena.failure(`create table bad with (partitioned_by = array['p']) as select 1 as id, 'é' as p`),
    ).toBe(
      'HIVE_INVALID_PARTITION_VALUE: Hive partition keys can only contain printable ASCII characters (0x20 - 0x7E). Invalid value: C3 A9',
    )
  })
})
