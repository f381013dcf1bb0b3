import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { LocalAthena } from './local-athena.ts'
import { createTrades } from './trades-table.ts'

let athena: LocalAthena
beforeAll(async () => {
  athena = await LocalAthena.open()
  await createTrades(athena)
}, 60_000)
afterAll(() => athena?.[Symbol.asyncDispose]())

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
