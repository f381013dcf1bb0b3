import { expect, test } from 'vitest'
import { CrawlerError, type CrawlerProgress, runCrawler } from '../src/index.ts'
import { fakeGlue, serviceException } from './fake-glue.ts'
import { boundTrades } from './market-tables.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const old = new Date('2024-01-01T00:00:00Z')
const ours = new Date('2024-01-02T00:00:00Z')
type State = { State: string; LastCrawl?: { Status: string; StartTime: Date; ErrorMessage?: string } }

/** A crawler whose GetCrawler answers go through `states`, the last one for good. */
const scriptedCrawler = (
  states: readonly (State | undefined)[],
  refuseStart: (attempt: number) => boolean = () => false,
) => {
  let asked = 0
  let starts = 0
  return fakeGlue(({ operation }) => {
    if (operation === 'GetCrawler') {
      const Crawler = states[Math.min(asked++, states.length - 1)]
      if (Crawler === undefined) throw serviceException('EntityNotFoundException')
      return { Crawler: { Name: 'c', ...Crawler } }
    }
    if (operation === 'StartCrawler' && refuseStart(++starts))
      throw serviceException('CrawlerRunningException')
    if (operation === 'GetTables') {
      return {
        TableList: [
          {
            Name: 'trades',
            StorageDescriptor: {
              Location: 's3://market-lake/trades',
              Columns: [{ Name: 'symbol', Type: 'string' }],
            },
            PartitionKeys: [{ Name: 'trade_date', Type: 'string' }],
          },
          { Name: 'other', StorageDescriptor: { Location: 's3://market-lake/trades-old/' } },
        ],
      }
    }
    if (operation === 'GetPartitions') return { Partitions: [{}, {}, {}] }
    return {}
  })
}
const run = (client: ReturnType<typeof fakeGlue>['client'], progress: CrawlerProgress[] = []) =>
  runCrawler({
    client,
    name: 'c',
    role: 'crawler-role',
    database: 'market',
    targets: [boundTrades],
    runtime: virtualRuntime(),
    onProgress: (one) => progress.push(one),
  })
const succeeded = (StartTime: Date) => ({ State: 'READY', LastCrawl: { Status: 'SUCCEEDED', StartTime } })

test('a crawler is created, started, awaited, and its tables and partitions counted', async () => {
  const { client, sent } = scriptedCrawler([
    undefined,
    { State: 'RUNNING' },
    { State: 'STOPPING' },
    succeeded(ours),
  ])
  const progress: CrawlerProgress[] = []
  const result = await run(client, progress)
  expect(result).toMatchObject({
    startTime: ours,
    partitions: 3,
    tables: [
      {
        name: 'trades',
        location: 's3://market-lake/trades/',
        columns: [{ name: 'symbol', type: 'string' }],
        partitionKeys: ['trade_date'],
        partitions: 3,
      },
    ],
  })
  expect(sent.map((one) => one.operation)).toEqual([
    'GetCrawler',
    'CreateCrawler',
    'StartCrawler',
    'GetCrawler',
    'GetCrawler',
    'GetCrawler',
    'GetTables',
    'GetPartitions',
  ])
  expect(sent[1]?.input).toMatchObject({
    Name: 'c',
    Role: 'crawler-role',
    DatabaseName: 'market',
    Targets: { S3Targets: [{ Path: 's3://market-lake/trades/' }] },
    SchemaChangePolicy: { UpdateBehavior: 'UPDATE_IN_DATABASE', DeleteBehavior: 'LOG' },
  })
  expect(progress.map((one) => one.phase)).toEqual(['preparing', 'running', 'stopping', 'ended'])
})

test('an earlier run is never read as the one started here', async () => {
  const { client, sent } = scriptedCrawler([
    succeeded(old),
    succeeded(old),
    succeeded(old),
    { State: 'READY', LastCrawl: { Status: 'FAILED', StartTime: ours, ErrorMessage: 'no access.' } },
  ])
  const error = await run(client).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(CrawlerError)
  expect(error).toMatchObject({
    code: 'CRAWLER_FAILED',
    crawler: 'c',
    message: 'Crawler c failed: no access. Check that its role may read the targets and write the database.',
  })
  expect(sent.filter((one) => one.operation === 'GetCrawler')).toHaveLength(4)
})

test('a crawler that is READY again before it shows the new run is asked until it does', async () => {
  const { client, sent } = scriptedCrawler([
    succeeded(old),
    ...Array.from({ length: 400 }, () => ({ ...succeeded(old), State: 'RUNNING' })),
    succeeded(old),
    succeeded(old),
    succeeded(ours),
  ])
  expect((await run(client)).startTime).toEqual(ours)
  expect(sent.filter((one) => one.operation === 'GetCrawler')).toHaveLength(404)
})

test('two runs within one second of Glue’s clock are told apart by the prefix of their messages', async () => {
  const withPrefix = (MessagePrefix: string) => ({
    State: 'READY',
    LastCrawl: { Status: 'SUCCEEDED', StartTime: ours, MessagePrefix },
  })
  const { client } = scriptedCrawler([withPrefix('one'), withPrefix('one'), withPrefix('other')])
  await run(client)
})

test('a run of somebody else is waited for, and then ours started', async () => {
  const progress: CrawlerProgress[] = []
  const { client, sent } = scriptedCrawler(
    [succeeded(old), { State: 'RUNNING' }, succeeded(new Date('2024-01-01T12:00:00Z')), succeeded(ours)],
    (attempt) => attempt === 1,
  )
  expect((await run(client, progress)).startTime).toEqual(ours)
  expect(sent.filter((one) => one.operation === 'StartCrawler')).toHaveLength(2)
  expect(progress.map((one) => one.phase)).toContain('waiting for another run')
})

test('a run that never shows is an error, not an endless wait', async () => {
  const { client } = scriptedCrawler([succeeded(old)])
  await expect(run(client)).rejects.toMatchObject({ code: 'CRAWLER_NOT_STARTED' })
})

test('a run stopped by somebody is an error', async () => {
  const { client } = scriptedCrawler([
    undefined,
    { State: 'READY', LastCrawl: { Status: 'CANCELLED', StartTime: ours } },
  ])
  await expect(run(client)).rejects.toMatchObject({ code: 'CRAWLER_CANCELLED' })
})

test('an aborted wait rejects with the reason', async () => {
  const abort = new AbortController()
  const { client } = scriptedCrawler([undefined, { State: 'RUNNING' }])
  const running = runCrawler({
    client,
    name: 'c',
    role: 'r',
    database: 'market',
    targets: ['s3://market-lake/trades/'],
    runtime: virtualRuntime(),
    signal: abort.signal,
    onProgress: ({ phase }) => phase === 'running' && abort.abort(new Error('enough')),
  })
  await expect(running).rejects.toThrow('enough')
})

test('targets without sense are refused before anything is sent', async () => {
  const { client, sent } = fakeGlue(() => ({}))
  const options = { client, name: 'c', role: 'r', database: 'other' }
  await expect(runCrawler({ ...options, targets: [boundTrades] })).rejects.toThrow(/bound to database market/)
  await expect(runCrawler({ ...options, targets: [] })).rejects.toThrow(/has no targets/)
  await expect(runCrawler({ ...options, targets: ['market-lake/trades'] })).rejects.toThrow(/is not a path/)
  expect(sent).toHaveLength(0)
})
