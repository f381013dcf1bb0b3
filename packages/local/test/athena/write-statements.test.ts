import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { LocalAthena } from './local-athena.ts'

let athena: LocalAthena
beforeAll(async () => {
  athena = await LocalAthena.open()
  await athena.run(
    `create table trades with (external_location = 's3://lake/trades/', partitioned_by = array['dt']) as
     select id, px, cast(symbol as varchar) as symbol, ts, cast(dt as varchar) as dt from (values
       (bigint '1', cast(10.5 as decimal(18,4)), 'AAPL', timestamp '2024-03-08 10:00:00.123', '2024-03-08'),
       (2, cast(20.25 as decimal(18,4)), null, timestamp '2024-03-08 11:00:00.000', '2024-03-08'),
       (3, null, 'MSFT', null, '2024-03-09')) as t (id, px, symbol, ts, dt)`,
  )
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

describe('INSERT INTO', () => {
  it('adds rows of a query and of VALUES, also to partitions that were not there', async () => {
    await athena.run(
      `create table target with (external_location = 's3://lake/target/', partitioned_by = array['dt']) as
       select id, px, dt from trades where dt = '2024-03-08'`,
    )
    expect(
      await athena.updateCount("insert into target select id, px, dt from trades where dt = '2024-03-09'"),
    ).toBe(1)
    expect(
      await athena.updateCount("insert into target values (5, 1.5, '2024-03-08'), (6, 2, '2024-03-10')"),
    ).toBe(2)
    expect(await athena.rows('select id, px, dt from target order by id')).toEqual([
      ['1', '10.5000', '2024-03-08'],
      ['2', '20.2500', '2024-03-08'],
      ['3', null, '2024-03-09'],
      ['5', '1.5000', '2024-03-08'],
      ['6', '2.0000', '2024-03-10'],
    ])
    expect(await athena.lines('show partitions target')).toEqual([
      'dt=2024-03-08',
      'dt=2024-03-09',
      'dt=2024-03-10',
    ])
  })

  it('names columns in any order; the others are NULL', async () => {
    await athena.run('create table named as select id, px, symbol from trades with no data')
    await athena.run("insert into market.named (symbol, id) values ('X', 9), (null, 10)")
    expect(await athena.rows('select id, px, symbol from named order by id')).toEqual([
      ['9', null, 'X'],
      ['10', null, null],
    ])
  })

  it('keeps a text that fits once its spaces are cut, and refuses one that does not', async () => {
    await athena.run("create table short as select cast('ab' as varchar(2)) as t")
    await athena.run("insert into short values 'c', 'de  '")
    expect(await athena.rows('select t from short order by t')).toEqual([['ab'], ['c'], ['de']])
    expect(await athena.failure("insert into short values 'abc'")).toMatch(
      /Cannot truncate non-space characters when casting from varchar\(3\) to varchar\(2\) on INSERT/,
    )
  })

  it.each([
    [
      "insert into trades values ('a', 1.5, 'b', localtimestamp, 'c')",
      /^TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: \[bigint, decimal\(18,4\), varchar, timestamp\(3\), varchar\], Query: \[varchar\(1\), /,
    ],
    ['insert into trades (id) select 1e0', /^TYPE_MISMATCH: .*Table: \[bigint\], Query: \[double\]/],
    ['insert into trades (id) select 1, 2', /^TYPE_MISMATCH/],
    ['insert into trades (id, id) select 1, 2', /^DUPLICATE_COLUMN_NAME: .*id/],
    ['insert into trades (absent) select 1', /^COLUMN_NOT_FOUND: .*absent/],
    ['insert into absent select 1', /^TABLE_NOT_FOUND: .*absent/],
    ['insert into trades', /^line 1:19: mismatched input '<EOF>'/],
  ])('%s is refused', async (sql, reason) => {
    const before = await athena.keys('lake', 'trades/')
    expect(await athena.failure(sql)).toMatch(reason)
    expect(await athena.keys('lake', 'trades/')).toEqual(before)
  })

  it('goes where a projected table finds it, and refuses what it would not find', async () => {
    await athena.run(
      `create external table projected (id bigint) partitioned by (day string) stored as parquet
       location 's3://lake/projected/' tblproperties ('projection.enabled'='true', 'projection.day.type'='date',
       'projection.day.format'='yyyy-MM-dd', 'projection.day.range'='2024-03-01,2024-03-31',
       'storage.location.template'='s3://lake/projected/on-\${day}/')`,
    )
    await athena.run("insert into projected values (1, '2024-03-09')")
    expect((await athena.keys('lake', 'projected/'))[0]).toMatch(/^projected\/on-2024-03-09\//)
    expect(await athena.rows('select id, day from projected')).toEqual([['1', '2024-03-09']])
    expect(athena.catalog.listPartitions('market', 'projected')).toEqual([])
    expect(await athena.failure("insert into projected values (1, '2025-01-01')")).toMatch(
      /^HIVE_INVALID_PARTITION_VALUE: .*day=2025-01-01.*projection/,
    )
  })
})

describe('what the catalog or S3 refuses', () => {
  const files = (prefix: string) => athena.keys('lake', prefix)

  it('of a new table fails it, and none of it is registered', async () => {
    const { store } = athena.catalog
    const commit = store.commit.bind(store)
    const full = vi.spyOn(store, 'commit')
    full.mockImplementation((entry) => {
      if (!JSON.stringify(entry).includes('dt=2024')) return commit(entry)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    })
    const reason = await athena.failure(
      `create table halved with (external_location = 's3://lake/halved/', partitioned_by = array['dt']) as
       select id, dt from trades`,
    )
    full.mockRestore()
    expect(reason).toMatch(/no space left/)
    expect(athena.catalog.getTable('market', 'halved')).toBeUndefined()
  })

  it('of a partition fails the INSERT that brought it', async () => {
    await athena.run(
      `create external table indexed (id bigint) partitioned by (day string) stored as parquet
       location 's3://lake/indexed/'`,
    )
    athena.catalog.store.commit([
      'table',
      { ...athena.catalog.requireTable('market', 'indexed'), PartitionKeys: [{ Name: 'day', Type: 'int' }] },
      { archive: false },
    ])
    athena.catalog.store.commit([
      'partition-indexes',
      'market',
      'indexed',
      [{ IndexName: 'by-day', Keys: ['day'], changedAtMillis: 0 }],
    ])
    expect(await athena.failure('insert into indexed values (1, null)')).toMatch(
      /^InvalidInputException: .*__HIVE_DEFAULT_PARTITION__.*do not fit the keys of a partition index/,
    )
    expect(athena.catalog.listPartitions('market', 'indexed')).toEqual([])
  })

  it('in the middle of an INSERT fails it with the files to clean up named, and registers nothing', async () => {
    await athena.run(
      `create external table broken (id bigint) partitioned by (dt string) stored as parquet
       location 's3://lake/broken/'`,
    )
    const writeObject = athena.storage.writeObject.bind(athena.storage)
    const faulty = vi.spyOn(athena.storage, 'writeObject')
    faulty.mockImplementation(async (bucket, key, body) => {
      if (key.includes('dt=2024-03-09')) throw new Error('the connection to S3 is lost')
      return writeObject(bucket, key, body)
    })
    const id = await athena.start('insert into broken select id, dt from trades order by dt')
    const { Status } = await athena.ended(id)
    faulty.mockRestore()
    expect(Status).toMatchObject({
      State: 'FAILED',
      StateChangeReason: expect.stringMatching(
        /^HIVE_WRITER_CLOSE_ERROR: Error committing write to Hive: the connection to S3 is lost\. You may need to manually clean the data at s3:\/\/lake\/broken\/dt=/,
      ),
      AthenaError: { ErrorCategory: 1 },
    })
    expect(athena.catalog.listPartitions('market', 'broken')).toEqual([])
    expect(await athena.rows('select count(*) from broken')).toEqual([['0']])
    expect((await files('broken/')).length).toBeLessThan(2)
    expect(await athena.filesInFlight()).toEqual([])
    expect(await athena.updateCount('insert into broken select id, dt from trades')).toBe(3)
  })

  it('of the result of a query fails it, and tells why', async () => {
    const faulty = vi.spyOn(athena.storage, 'writeObject')
    faulty.mockRejectedValue(
      Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
    )
    const reason = await athena.failure('select 1')
    faulty.mockRestore()
    expect(reason).toMatch(
      /^PERMISSION_DENIED: The result could not be written to s3:\/\/results\/.*: ENOSPC: no space left on device/,
    )
    expect(await athena.rows('select 1')).toEqual([['1']])
  })
})

describe('UNLOAD', () => {
  it('writes the rows of a query below an empty place, one folder a partition', async () => {
    const execution = await athena.run(
      `unload (select id, ts, dt from trades where dt <> '(' ) to 's3://lake/unloaded/'
       with (format = 'PARQUET', compression = 'SNAPPY', partitioned_by = array['dt'])`,
    )
    expect(execution).toMatchObject({ StatementType: 'DML', SubstatementType: 'UNLOAD' })
    expect(execution.Statistics.DataManifestLocation).toBe(`s3://results/out/${execution.id}-manifest.csv`)
    const keys = await athena.keys('lake', 'unloaded/')
    expect(keys.map((key) => key.split('/')[1])).toEqual(['dt=2024-03-08', 'dt=2024-03-09'])
    await athena.run(
      `create external table unloaded (id bigint, ts timestamp) partitioned by (dt string) stored as parquet
       location 's3://lake/unloaded/'`,
    )
    await athena.run('msck repair table unloaded')
    expect(await athena.rows('select id, ts, dt from unloaded order by id')).toEqual(
      await athena.rows('select id, ts, dt from trades order by id'),
    )
  })

  it.each([
    ["to 's3://lake/trades/' with (format = 'PARQUET')", /^HIVE_PATH_ALREADY_EXISTS/],
    ["to 's3://lake/new/'", /^INVALID_TABLE_PROPERTY: .*format/],
    ["to 's3://lake/new/' with (format = 'TEXTFILE')", /^NOT_SUPPORTED: .*TEXTFILE/],
    ["to 's3://lake/new/' with (format = 'JSON')", /^NOT_SUPPORTED: .*JSON/],
    ["to '/etc/passwd' with (format = 'PARQUET')", /^HIVE_FILESYSTEM_ERROR/],
    ["to 's3://lake/new/' with (format = 'PARQUET') order by 1", /^line 1:\d+: mismatched input 'order'/],
    ["with (format = 'PARQUET')", /^line 1:\d+: mismatched input 'with'. Expecting: .*TO/],
  ])('%s is refused', async (rest, reason) => {
    expect(await athena.failure(`unload (select id from trades) ${rest}`)).toMatch(reason)
    expect(await athena.keys('lake', 'new/')).toEqual([])
  })
})

describe('a work group', () => {
  it('that prescribes the place of results takes no external_location', async () => {
    await athena.call('CreateWorkGroup', {
      Name: 'strict',
      Configuration: { ResultConfiguration: { OutputLocation: 's3://results/strict/' } },
    })
    const WorkGroup = 'strict'
    expect(
      await athena.failure(
        `create table placed2 with (external_location = 's3://lake/p2/') as select 1 as a`,
        {
          WorkGroup,
        },
      ),
    ).toMatch(/enforces a centralized output location/)
    const { id } = await athena.run('create table placed2 as select 1 as a', { WorkGroup })
    expect(await athena.keys('results', `strict/tables/${id}/`)).toHaveLength(1)
  })

  it('that limits what is scanned cancels a statement before it has written', async () => {
    await athena.call('CreateWorkGroup', {
      Name: 'small',
      Configuration: { BytesScannedCutoffPerQuery: 10_000_000, EnforceWorkGroupConfiguration: false },
    })
    await athena.run(
      `create table large with (write_compression = 'NONE') as
       select n, cast(n as varchar) || '-0123456789-0123456789-0123456789-' || cast(m as varchar) as t from unnest(sequence(1, 10000)) as a (n)
         cross join unnest(sequence(1, 60)) as b (m)`,
    )
    const id = await athena.start('create table never as select * from large', { WorkGroup: 'small' })
    const { Status } = await athena.ended(id)
    expect(Status).toMatchObject({ State: 'CANCELLED', StateChangeReason: /Bytes scanned limit/ })
    expect(athena.catalog.getTable('market', 'never')).toBeUndefined()
    expect(await athena.keys('results', `out/tables/${id}`)).toEqual([])
  }, 60_000)
})

describe('a statement that writes', () => {
  const endless = `select count(*) as n from unnest(sequence(1, 10000)) as a (x), unnest(sequence(1, 10000)) as b (y),
    unnest(sequence(1, 10000)) as c (z) where x + y * z < 0`

  it('is stopped at once, and leaves neither table nor file', async () => {
    const id = await athena.start(`create table stopped as ${endless}`)
    while ((await athena.execution(id)).Status.State === 'QUEUED')
      await new Promise((resolve) => setTimeout(resolve, 5))
    await new Promise((resolve) => setTimeout(resolve, 100))
    await athena.call('StopQueryExecution', { QueryExecutionId: id })
    expect((await athena.execution(id)).Status.State).toBe('CANCELLED')
    // The next one finds a place: the engine has let go.
    expect(await athena.rows('select 1')).toEqual([['1']])
    expect(athena.catalog.getTable('market', 'stopped')).toBeUndefined()
    expect(await athena.keys('results', `out/tables/${id}`)).toEqual([])
  }, 30_000)

  it('that outlasts the time-out fails', async () => {
    await using impatient = await LocalAthena.open({ timeoutMillis: 300 })
    const id = await impatient.start(`create table late as ${endless}`)
    const { Status } = await impatient.ended(id)
    expect(Status).toMatchObject({ State: 'FAILED', StateChangeReason: 'Query timeout' })
    expect(impatient.catalog.getTable('market', 'late')).toBeUndefined()
  }, 30_000)
})
