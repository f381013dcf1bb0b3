import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { LocalAthena } from './local-athena.ts'

let athena: LocalAthena
beforeAll(async () => {
  athena = await LocalAthena.open()
  await athena.call('CreateWorkGroup', { Name: 'desk' })
}, 60_000)
afterAll(() => athena?.[Symbol.asyncDispose]())

const call = (operation: string, input: Record<string, unknown>) => athena.call(operation, input)
const invalid = (message: RegExp) => ({
  name: 'InvalidRequestException',
  message: expect.stringMatching(message),
})

describe('prepared statements of a work group', () => {
  const WorkGroup = 'primary'

  it('are made, changed, listed by pages and deleted', async () => {
    for (const StatementName of ['b', 'a', 'c']) {
      await call('CreatePreparedStatement', { StatementName, WorkGroup, QueryStatement: 'select 1' })
    }
    const again = { StatementName: 'a', WorkGroup, QueryStatement: 'select 2' }
    await expect(call('CreatePreparedStatement', again)).rejects.toMatchObject(invalid(/already exists/))
    await call('UpdatePreparedStatement', { ...again, Description: 'two' })
    expect(await call('GetPreparedStatement', { StatementName: 'a', WorkGroup })).toMatchObject({
      PreparedStatement: {
        StatementName: 'a',
        QueryStatement: 'select 2',
        WorkGroupName: 'primary',
        Description: 'two',
      },
    })
    const first = await call('ListPreparedStatements', { WorkGroup, MaxResults: 2 })
    expect(first).toMatchObject({ PreparedStatements: [{ StatementName: 'a' }, { StatementName: 'b' }] })
    const rest = await call('ListPreparedStatements', { WorkGroup, NextToken: first['NextToken'] })
    expect(rest).toEqual({ PreparedStatements: [expect.objectContaining({ StatementName: 'c' })] })
    expect(
      await call('BatchGetPreparedStatement', { WorkGroup, PreparedStatementNames: ['a', 'absent'] }),
    ).toMatchObject({
      PreparedStatements: [{ StatementName: 'a' }],
      UnprocessedPreparedStatementNames: [{ StatementName: 'absent', ErrorCode: 'STATEMENT_NOT_FOUND' }],
    })
    await call('DeletePreparedStatement', { StatementName: 'b', WorkGroup })
    for (const operation of ['GetPreparedStatement', 'DeletePreparedStatement']) {
      await expect(call(operation, { StatementName: 'b', WorkGroup })).rejects.toMatchObject({
        name: 'ResourceNotFoundException',
      })
    }
  })

  it('are apart from those of others, and have names of letters', async () => {
    await call('CreatePreparedStatement', {
      StatementName: 'mine',
      WorkGroup: 'desk',
      QueryStatement: 'select 1',
    })
    await expect(call('GetPreparedStatement', { StatementName: 'mine', WorkGroup })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
    const bad = { StatementName: '1x', WorkGroup, QueryStatement: 'select 1' }
    await expect(call('CreatePreparedStatement', bad)).rejects.toMatchObject(invalid(/not valid/))
    const nowhere = { ...bad, StatementName: 'x', WorkGroup: 'absent' }
    await expect(call('CreatePreparedStatement', nowhere)).rejects.toMatchObject(
      invalid(/absent is not found/),
    )
  })
})

describe('named queries', () => {
  it('are made once a token, changed, listed by pages and deleted', async () => {
    const query = { Name: 'q', Database: 'market', QueryString: 'select 1' }
    const ClientRequestToken = 't'.repeat(32)
    const { NamedQueryId } = await call('CreateNamedQuery', { ...query, ClientRequestToken })
    expect(await call('CreateNamedQuery', { ...query, ClientRequestToken })).toEqual({ NamedQueryId })
    await expect(call('CreateNamedQuery', { ...query, Name: 'r', ClientRequestToken })).rejects.toMatchObject(
      invalid(/Idempotent parameters do not match/),
    )
    const { NamedQueryId: second } = await call('CreateNamedQuery', query)
    await call('UpdateNamedQuery', { NamedQueryId, Name: 'new', QueryString: 'select 2' })
    expect(await call('GetNamedQuery', { NamedQueryId })).toEqual({
      NamedQuery: {
        NamedQueryId,
        Name: 'new',
        Database: 'market',
        QueryString: 'select 2',
        WorkGroup: 'primary',
      },
    })
    const [firstId, lastId] = [NamedQueryId, second].sort()
    const page = await call('ListNamedQueries', { MaxResults: 1 })
    expect(page['NamedQueryIds']).toEqual([firstId])
    expect(await call('ListNamedQueries', { NextToken: page['NextToken'] })).toEqual({
      NamedQueryIds: [lastId],
    })
    await call('DeleteNamedQuery', { NamedQueryId: second })
    expect(await call('BatchGetNamedQuery', { NamedQueryIds: [NamedQueryId, second] })).toMatchObject({
      NamedQueries: [{ Name: 'new' }],
      UnprocessedNamedQueryIds: [{ NamedQueryId: second, ErrorCode: 'INVALID_INPUT' }],
    })
    await expect(call('GetNamedQuery', { NamedQueryId: second })).rejects.toMatchObject(invalid(/not found/))
    await expect(call('CreateNamedQuery', { ...query, Name: 'x'.repeat(129) })).rejects.toMatchObject(
      invalid(/less than or equal to 128/),
    )
  })
})

it('a listing of named queries goes on where it was, also when the query it had come to is gone', async () => {
  await call('CreateWorkGroup', { Name: 'listed' })
  const query = { Name: 'q', Database: 'market', QueryString: 'select 1', WorkGroup: 'listed' }
  for (let count = 0; count < 4; count += 1) await call('CreateNamedQuery', query)
  const { NamedQueryIds: all } = await call('ListNamedQueries', { WorkGroup: 'listed' })
  const page = await call('ListNamedQueries', { WorkGroup: 'listed', MaxResults: 2 })
  await call('DeleteNamedQuery', { NamedQueryId: (page['NamedQueryIds'] as string[])[1] })
  const rest = await call('ListNamedQueries', { WorkGroup: 'listed', NextToken: page['NextToken'] })
  expect(rest).toEqual({ NamedQueryIds: (all as string[]).slice(2) })
})

describe('tags', () => {
  const ResourceARN = 'arn:aws:athena:us-east-1:000000000000:workgroup/tagged'

  it('come with a work group and go with it', async () => {
    await call('CreateWorkGroup', { Name: 'tagged', Tags: [{ Key: 'team', Value: 'desk' }] })
    await call('TagResource', {
      ResourceARN,
      Tags: [
        { Key: 'cost', Value: '' },
        { Key: 'team', Value: 'other' },
      ],
    })
    expect(await call('ListTagsForResource', { ResourceARN })).toEqual({
      Tags: [
        { Key: 'cost', Value: '' },
        { Key: 'team', Value: 'other' },
      ],
    })
    await call('UntagResource', { ResourceARN, TagKeys: ['team'] })
    expect(await call('ListTagsForResource', { ResourceARN })).toEqual({ Tags: [{ Key: 'cost', Value: '' }] })
    await call('DeleteWorkGroup', { WorkGroup: 'tagged' })
    await expect(call('ListTagsForResource', { ResourceARN })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
    await expect(call('ListTagsForResource', { ResourceARN: 'desk' })).rejects.toMatchObject(invalid(/ARN/))
  })

  it('that are too many keep a work group from being made', async () => {
    const Tags = Array.from({ length: 51 }, (_, at) => ({ Key: `k${at}`, Value: '' }))
    await expect(call('CreateWorkGroup', { Name: 'overtagged', Tags })).rejects.toMatchObject(invalid(/50/))
    await expect(call('GetWorkGroup', { WorkGroup: 'overtagged' })).rejects.toMatchObject(
      invalid(/is not found/),
    )
  })
})

describe('a work group', () => {
  it('that has something is deleted only with all of it', async () => {
    await call('CreateWorkGroup', { Name: 'full' })
    await call('CreateNamedQuery', { Name: 'q', Database: 'd', QueryString: 'select 1', WorkGroup: 'full' })
    await expect(call('DeleteWorkGroup', { WorkGroup: 'full' })).rejects.toMatchObject(
      invalid(/full is not empty/),
    )
    await call('DeleteWorkGroup', { WorkGroup: 'full', RecursiveDeleteOption: true })
    await expect(call('GetWorkGroup', { WorkGroup: 'full' })).rejects.toMatchObject(invalid(/is not found/))
  })

  it('that has run queries is deleted only with them', async () => {
    await call('CreateWorkGroup', { Name: 'used' })
    const { id } = await athena.run('select 1', { WorkGroup: 'used' })
    await expect(call('DeleteWorkGroup', { WorkGroup: 'used' })).rejects.toMatchObject(
      invalid(/used is not empty/),
    )
    await call('DeleteWorkGroup', { WorkGroup: 'used', RecursiveDeleteOption: true })
    await call('CreateWorkGroup', { Name: 'used' })
    expect(await call('ListQueryExecutions', { WorkGroup: 'used' })).toEqual({ QueryExecutionIds: [] })
    expect((await athena.execution(id)).Status.State).toBe('SUCCEEDED')
  })

  it('that is disabled starts nothing', async () => {
    await call('CreateWorkGroup', { Name: 'closed' })
    await call('UpdateWorkGroup', { WorkGroup: 'closed', State: 'DISABLED' })
    await expect(athena.start('select 1', { WorkGroup: 'closed' })).rejects.toMatchObject(
      invalid(/closed is disabled/),
    )
  })

  it('scans 10,000,000 bytes at least, and has a plain name', async () => {
    const Configuration = { BytesScannedCutoffPerQuery: 9_999_999 }
    await expect(call('CreateWorkGroup', { Name: 'less', Configuration })).rejects.toMatchObject(
      invalid(/greater than or equal to 10000000/),
    )
    await expect(call('CreateWorkGroup', { Name: 'a b' })).rejects.toMatchObject(invalid(/not valid/))
    await expect(call('CreateWorkGroup', { Name: 'desk' })).rejects.toMatchObject(invalid(/already created/))
    await expect(call('DeleteWorkGroup', { WorkGroup: 'primary' })).rejects.toMatchObject(
      invalid(/cannot be deleted/),
    )
  })
})

describe('an earlier result', () => {
  const reuse = {
    ResultReuseConfiguration: { ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes: 5 } },
  }

  it('is given again when asked for, and only to the same question', async () => {
    const first = await athena.run('select 1 as a')
    const again = await athena.run('select 1 as a;', reuse)
    expect(again.id).not.toBe(first.id)
    expect(again.Statistics).toMatchObject({
      DataScannedInBytes: 0,
      ResultReuseInformation: { ReusedPreviousResult: true },
    })
    expect(again.ResultConfiguration).toEqual(first.ResultConfiguration)
    expect(await athena.rows('select 1 as a', reuse)).toEqual([['1']])
    for (const [sql, more] of [
      ['select 2 as a', reuse],
      ['select 1 as a', {}],
      ['select 1 as a', { ...reuse, QueryExecutionContext: { Database: 'other' } }],
      ['select 1 as a', { ...reuse, ResultConfiguration: { OutputLocation: 's3://results/elsewhere/' } }],
      ['select 1 as a', { ...reuse, WorkGroup: 'desk' }],
    ] as const) {
      const other = await athena.run(sql, more)
      expect(other.Statistics.ResultReuseInformation.ReusedPreviousResult).toBe(false)
    }
  })

  it('is not given when it is too old, gone, or another each time', async () => {
    const isReused = async (sql: string) =>
      (await athena.run(sql, reuse)).Statistics.ResultReuseInformation.ReusedPreviousResult
    expect(await isReused('select now() as a')).toBe(false)
    expect(await isReused('select now() as a')).toBe(false)
    expect(await isReused('select 3 as a')).toBe(false)
    const clock = vi.spyOn(Date, 'now')
    const now = Date.now()
    clock.mockImplementation(() => now + 6 * 60_000)
    try {
      expect(await isReused('select 3 as a')).toBe(false)
    } finally {
      clock.mockRestore()
    }
  })

  it('may be a week old at most', async () => {
    const byAge = (ResultReuseByAgeConfiguration: Record<string, unknown>) =>
      athena.start('select 1', { ResultReuseConfiguration: { ResultReuseByAgeConfiguration } })
    await expect(byAge({ Enabled: true, MaxAgeInMinutes: 10_081 })).rejects.toMatchObject(
      invalid(/less than or equal to 10080/),
    )
    await expect(byAge({})).rejects.toMatchObject(invalid(/Enabled/))
  })
})

it('statistics tell how long the steps took and how many rows came out', async () => {
  const { id: QueryExecutionId } = await athena.run('select * from unnest(sequence(1, 5)) as t (n)')
  expect(await call('GetQueryRuntimeStatistics', { QueryExecutionId })).toMatchObject({
    QueryRuntimeStatistics: {
      Timeline: { TotalExecutionTimeInMillis: expect.any(Number) },
      Rows: { OutputRows: 5, InputBytes: 0 },
    },
  })
})

it('a result that is shorter than where its reader has come to, or gone meanwhile, is refused', async () => {
  const { id: QueryExecutionId } = await athena.run('select * from unnest(sequence(1, 50)) as t (n)')
  const { NextToken } = await call('GetQueryResults', { QueryExecutionId, MaxResults: 40 })
  await athena.storage.writeObject('results', `out/${QueryExecutionId}.csv`, Buffer.from('"n"\n'))
  const next = () => call('GetQueryResults', { QueryExecutionId, NextToken })
  await expect(next()).rejects.toMatchObject(invalid(/NextToken/))
  const find = vi.spyOn(athena.storage, 'findObject')
  find.mockImplementation(async (bucket, key) => {
    const filePath = `${athena.directory}/gone.csv`
    return { bucket, key, size: 1, etag: 'e', lastModified: 0, filePath }
  })
  await expect(next()).rejects.toMatchObject(invalid(/Could not find results/))
  find.mockRestore()
})

it('every refusal of a request has a code', async () => {
  for (const [operation, input] of [
    ['StartQueryExecution', { QueryString: '' }],
    ['BatchGetQueryExecution', { QueryExecutionIds: [] }],
    ['ListQueryExecutions', { MaxResults: 51 }],
    ['ListQueryExecutions', { NextToken: 'nonsense' }],
    ['GetWorkGroup', {}],
    ['GetQueryExecution', { QueryExecutionId: 'absent' }],
  ] as const) {
    await expect(call(operation, input)).rejects.toMatchObject({
      name: 'InvalidRequestException',
      members: { AthenaErrorCode: 'INVALID_INPUT' },
    })
  }
})

it('an answer of many megabytes comes whole, in pages, also where the service keeps it', async () => {
  const sql = `select a.n, b.n as m, 'some text to fill a line' as t
    from unnest(sequence(1, 300)) as a (n) cross join unnest(sequence(1, 300)) as b (n) order by 1, 2`
  await call('CreateWorkGroup', {
    Name: 'large',
    Configuration: { ManagedQueryResultsConfiguration: { Enabled: true } },
  })
  for (const more of [{}, { WorkGroup: 'large', ResultConfiguration: undefined }]) {
    const { id: QueryExecutionId } = await athena.run(sql, more)
    let NextToken: unknown
    let count = 0
    let last: unknown
    do {
      const page = await call('GetQueryResults', { QueryExecutionId, ...(NextToken ? { NextToken } : {}) })
      const { Rows } = page['ResultSet'] as { Rows: { Data: { VarCharValue: string }[] }[] }
      count += Rows.length
      last = Rows.at(-1)?.Data.map((cell) => cell.VarCharValue)
      NextToken = page['NextToken']
    } while (NextToken !== undefined)
    expect(count).toBe(90_001)
    expect(last).toEqual(['300', '300', 'some text to fill a line'])
  }
}, 60_000)

it('runs of blanks and slashes, however long, hold nobody up', async () => {
  const blanks = ' '.repeat(200_000)
  expect(await athena.rows(`select 1${blanks}as a ; `)).toEqual([['1']])
  expect(await athena.updateCount(`create table blanks as select 1${blanks}as a;`)).toBe(1)
  const OutputLocation = `s3://absent${'/'.repeat(200_000)}x`
  await expect(athena.start('select 1', { ResultConfiguration: { OutputLocation } })).rejects.toMatchObject(
    invalid(/bucket absent/),
  )
})

it('parameters are for queries and what writes', async () => {
  const refused = athena.start('show tables', { ExecutionParameters: ['1'] })
  await expect(refused).rejects.toMatchObject(invalid(/SELECT, INSERT INTO, CTAS and UNLOAD only/))
  const view = athena.start('create view v as select ? as a', { ExecutionParameters: ['1'] })
  await expect(view).rejects.toMatchObject(invalid(/SELECT, INSERT INTO/))
})

it('statements, queries and tags outlive the service', async () => {
  await using lasting = await LocalAthena.open()
  const WorkGroup = 'primary'
  await lasting.run('prepare lasting from select 7 as a')
  const { NamedQueryId } = await lasting.call('CreateNamedQuery', {
    Name: 'q',
    Database: 'd',
    QueryString: 'select 1',
  })
  const written = await lasting.run('create table t as select 1 as a')
  await lasting.service?.close()
  lasting.service = await lasting.openService()
  expect(await lasting.rows('execute lasting')).toEqual([['7']])
  expect(await lasting.call('GetNamedQuery', { NamedQueryId })).toMatchObject({ NamedQuery: { Name: 'q' } })
  expect(await lasting.call('ListPreparedStatements', { WorkGroup })).toMatchObject({
    PreparedStatements: [{ StatementName: 'lasting' }],
  })
  expect(await lasting.call('GetQueryResults', { QueryExecutionId: written.id })).toMatchObject({
    UpdateCount: 1,
  })
}, 30_000)

describe('managed query results', () => {
  it('are kept by the service, and in no bucket', async () => {
    const Configuration = { ManagedQueryResultsConfiguration: { Enabled: true } }
    await call('CreateWorkGroup', { Name: 'managed', Configuration })
    expect(await call('GetWorkGroup', { WorkGroup: 'managed' })).toMatchObject({
      WorkGroup: { Configuration: { ManagedQueryResultsConfiguration: { Enabled: true } } },
    })
    const managed = { WorkGroup: 'managed', ResultConfiguration: undefined }
    const before = await athena.keys('results')
    const { id, ...execution } = await athena.run("select 'x' as a", managed)
    expect(execution).toMatchObject({ ManagedQueryResultsConfiguration: { Enabled: true } })
    expect(execution.ResultConfiguration).toBeUndefined()
    expect(await athena.allRows("select 'y' as a", managed)).toEqual([['a'], ['y']])
    expect(await athena.keys('results')).toEqual(before)
    await expect(athena.start('select 1', { WorkGroup: 'managed' })).rejects.toMatchObject(
      invalid(/managed query results/),
    )
    expect(await athena.failure('create table nowhere as select 1 as a', managed)).toMatch(
      /external_location/,
    )
    const inLake = `create table somewhere with (external_location = 's3://lake/somewhere/') as select 1 as a`
    expect(await athena.updateCount(inLake, managed)).toBe(1)
    const both = { ...Configuration, ResultConfiguration: { OutputLocation: 's3://results/' } }
    await expect(call('CreateWorkGroup', { Name: 'both', Configuration: both })).rejects.toMatchObject(
      invalid(/has no OutputLocation/),
    )
    expect(id).toBeDefined()
  })
})

describe('Hive DDL through the API', () => {
  it('runs in a database that the client has quoted', async () => {
    athena.catalog.createTable('market', { Name: 'quoted', StorageDescriptor: { Location: 's3://lake/q/' } })
    const more = { QueryExecutionContext: { Database: '`market`' } }
    await athena.run('DESCRIBE `quoted`;', more)
    expect(await athena.failure('SELECT 1 FROM quoted', more)).toMatch(/does not exist/)
  })
})
