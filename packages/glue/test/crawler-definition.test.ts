import { expect, test } from 'vitest'
import { type CrawlerSettings, ensureCrawler, runCrawler } from '../src/index.ts'
import { fakeGlue, type SentCommand, serviceException } from './fake-glue.ts'
import { boundTrades } from './market-tables.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const settings: CrawlerSettings = {
  name: 'c',
  role: 'arn:aws:iam::123456789012:role/path/crawler',
  database: 'market',
  targets: [boundTrades],
}

/** A Glue that keeps one crawler as Glue answers it: the role by its name, the schedule as an object, JSON rewritten. */
const crawlerService = (states: string[] = []) => {
  let kept: Record<string, unknown> | undefined
  return fakeGlue(({ operation, input }: SentCommand) => {
    switch (operation) {
      case 'GetCrawler':
        if (kept === undefined) throw serviceException('EntityNotFoundException')
        return { Crawler: { State: states.shift() ?? 'READY', ...kept } }
      case 'CreateCrawler':
      case 'UpdateCrawler':
        kept = {
          ...kept,
          ...input,
          Role: 'crawler',
          Configuration: JSON.stringify(JSON.parse(input.Configuration), null, 2),
          Classifiers: [],
          Version: 3,
          Targets: { ...input.Targets, JdbcTargets: [], DynamoDBTargets: [] },
          ...(input.Schedule ? { Schedule: { ScheduleExpression: input.Schedule, State: 'SCHEDULED' } } : {}),
        }
        return {}
      default:
        throw serviceException('UnknownOperationException', operation)
    }
  })
}
const ensure = (client: ReturnType<typeof crawlerService>['client'], more: Partial<CrawlerSettings> = {}) =>
  ensureCrawler({ client, runtime: virtualRuntime(), ...settings, ...more })

test('a crawler is made, found as defined however Glue words it, and changed where it is not', async () => {
  const { client, sent } = crawlerService()
  const scheduled = { schedule: 'cron(15 12 * * ? *)', tablePrefix: 'raw_' }
  expect(await ensure(client, scheduled)).toEqual({ outcome: 'created', changed: [] })
  expect(await ensure(client, scheduled)).toEqual({ outcome: 'unchanged', changed: [] })
  // What the definition says nothing of stays.
  expect(await ensure(client)).toEqual({ outcome: 'unchanged', changed: [] })
  expect(await ensure(client, { onGone: 'deprecate', grouping: 'separate', tableLevel: 3 })).toEqual({
    outcome: 'updated',
    changed: ['SchemaChangePolicy', 'Configuration'],
  })
  const update = sent.find(({ operation }) => operation === 'UpdateCrawler')?.input
  expect(update.SchemaChangePolicy).toEqual({
    UpdateBehavior: 'UPDATE_IN_DATABASE',
    DeleteBehavior: 'DEPRECATE_IN_DATABASE',
  })
  expect(JSON.parse(update.Configuration)).toEqual({
    Version: 1,
    CrawlerOutput: {
      Partitions: { AddOrUpdateBehavior: 'InheritFromTable' },
      Tables: { AddOrUpdateBehavior: 'MergeNewColumns' },
    },
    Grouping: { TableLevelConfiguration: 3 },
  })
})

test('paths with exclusions and samples, and new folders only', async () => {
  const { client, sent } = crawlerService()
  const path = { path: 's3://lake/raw/', exclusions: ['**.json'], sampleSize: 10 }
  await ensure(client, { targets: ['s3://lake/a', path], recrawl: 'new-folders' })
  expect(sent.at(-1)?.input).toMatchObject({
    Targets: {
      S3Targets: [
        { Path: 's3://lake/a' },
        { Path: 's3://lake/raw/', Exclusions: ['**.json'], SampleSize: 10 },
      ],
    },
    RecrawlPolicy: { RecrawlBehavior: 'CRAWL_NEW_FOLDERS_ONLY' },
    SchemaChangePolicy: { UpdateBehavior: 'LOG', DeleteBehavior: 'LOG' },
  })
  await expect(ensure(client, { recrawl: 'new-folders', onChange: 'update' })).rejects.toThrow(
    /new folders only/,
  )
  await expect(ensure(client, { targets: [{ ...path, sampleSize: 250 }] })).rejects.toThrow(
    /is 1 to 249, not 250/,
  )
  await expect(ensure(client, { tableLevel: 0 })).rejects.toThrow(/whole number from 1, not 0/)
})

test('a crawler that runs is waited for before it is changed', async () => {
  const { client, sent } = crawlerService(['READY', 'RUNNING', 'STOPPING'])
  await ensure(client)
  await ensure(client)
  expect(await ensure(client, { onChange: 'log' })).toMatchObject({ outcome: 'updated' })
  expect(sent.map(({ operation }) => operation)).toEqual([
    'GetCrawler',
    'CreateCrawler',
    'GetCrawler',
    'GetCrawler',
    'GetCrawler',
    'GetCrawler',
    'UpdateCrawler',
  ])
})

test('a run tells what it changed, and where its log is', async () => {
  const StartTime = new Date('2024-01-02T00:00:00Z')
  let started = false
  const { client } = fakeGlue(({ operation }) => {
    if (operation === 'StartCrawler') started = true
    if (operation === 'GetCrawler') {
      const LastCrawl = { Status: 'SUCCEEDED', StartTime, LogGroup: '/aws-glue/crawlers', LogStream: 'c' }
      return { Crawler: { Name: 'c', State: 'READY', ...(started ? { LastCrawl } : {}) } }
    }
    if (operation !== 'GetTables') return {}
    const table = (Name: string, CreateTime: string, UpdateTime: string) => ({
      Name,
      CreateTime: new Date(CreateTime),
      UpdateTime: new Date(UpdateTime),
      StorageDescriptor: { Location: `s3://market-lake/trades/${Name}/` },
    })
    return {
      TableList: [
        table('made', '2024-01-02T00:00:05Z', '2024-01-02T00:00:05Z'),
        table('changed', '2023-01-01T00:00:00Z', '2024-01-02T00:00:05Z'),
        table('same', '2023-01-01T00:00:00Z', '2023-01-01T00:00:00Z'),
      ],
    }
  })
  const run = await runCrawler({ client, runtime: virtualRuntime(), ...settings })
  expect(run.tables.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
    'made created',
    'changed updated',
    'same unchanged',
  ])
  expect(run.log).toEqual({ group: '/aws-glue/crawlers', stream: 'c' })
  expect(run.crawler.outcome).toBe('updated')
})
