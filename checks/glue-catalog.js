#!/usr/bin/env node
// Partitions in batches, filters, crawlers and jobs of @stockpipe/glue against a Glue that is not ours (moto), as far as it has
// the calls, and read back by boto3: equal to what was asked for. Needs Python 3.11.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { buildFast, install, packageFolders, root } from '../scripts/workspace.js'
import { awsClients } from './athena/aws-clients.js'
import { startLane } from './lane-process.js'

await install('all')
await buildFast(packageFolders.filter((folder) => !['examples', 'benchmarks'].includes(folder)))
const { day, defineTable, identity, t } = await import('../packages/core/dist/index.js')
const glue = await import('../packages/glue/dist/index.js')

const database = 'market'
const columns = { symbol: t.string(), price: t.decimal(18, 4), ts: t.timestamp() }
const partitions = { trade_date: day('ts'), ticker: identity('symbol') }
const place = { database, location: 's3://market-lake/trades/' }
const table = defineTable('trades', { columns, partitions }).at(place)
const grown = defineTable('trades', { columns: { ...columns, size: t.int64().nullable() }, partitions }).at(
  place,
)

// As Hive writes them into paths, by hand.
const symbols = {
  IBM: 'IBM',
  'BRK.B': 'BRK.B',
  'a b+c%': 'a b+c%25',
  'x=y': 'x%3Dy',
  'é/ü': 'é%2Fü',
  "O'Neil": 'O%27Neil',
  '"quoted"': '%22quoted%22',
  'back\\slash': 'back%5Cslash',
  '^GSPC': '%5EGSPC',
  'RDS,A': 'RDS,A',
  日経: '日経',
  '#1': '%231',
  '[x]': '%5Bx%5D',
  'a:b': 'a%3Ab',
  'a*b': 'a%2Ab',
  'a?b': 'a%3Fb',
  '{x': '%7Bx',
  'x}': 'x}',
  'a;b': 'a;b',
  'a&b': 'a&b',
}
const days = Array.from({ length: 60 }, (_, index) =>
  new Date(Date.UTC(2024, 0, 1 + index)).toISOString().slice(0, 10),
)
const everything = days.flatMap((trade_date) =>
  Object.keys(symbols).map((ticker) => ({ trade_date, ticker })),
)
const keyOf = ({ trade_date, ticker }) => `${trade_date} ${ticker}`

/** What the catalog should have, as boto3 shows it. */
const expected = new Map(
  everything.map((values) => [
    keyOf(values),
    {
      Location: `${place.location}trade_date=${values.trade_date}/ticker=${symbols[values.ticker]}/`,
      columns: ['symbol string', 'price decimal(18,4)', 'ts timestamp'],
      Parameters: {},
    },
  ]),
)

const manyPartitions = async (client) => {
  const all = everything.map((values) => ({ values }))
  const made = await glue.createPartitions({ client, table, partitions: all })
  assert.deepEqual(made, { created: 1200, unchanged: 0, mended: [], switched: [] })
  const again = await glue.createPartitions({ client, table, partitions: all })
  assert.deepEqual(again, { created: 0, unchanged: 1200, mended: [], switched: [] })

  const some = everything.filter(({ ticker }) => ['IBM', 'a b+c%', 'x=y'].includes(ticker))
  const mended = await glue.createPartitions({
    client,
    table: grown,
    partitions: some.map((values) => ({ values })),
  })
  assert.equal(mended.mended.length, some.length)
  for (const values of some) expected.get(keyOf(values)).columns.push('size bigint')

  const moved = everything.filter(({ ticker }) => ticker === 'BRK.B')
  await glue.updatePartitions({
    client,
    table,
    partitions: moved.map((values) => ({
      values,
      location: `s3://market-lake/moved/${values.trade_date}`,
      parameters: { 'stockpipe.test': 'O\'Neil "x"', gone: null },
    })),
  })
  for (const values of moved) {
    const one = expected.get(keyOf(values))
    one.Location = `s3://market-lake/moved/${values.trade_date}/`
    one.Parameters = { 'stockpipe.test': 'O\'Neil "x"' }
  }

  const dropped = everything.filter(({ trade_date }) => trade_date < '2024-01-10')
  assert.deepEqual(await glue.deletePartitions({ client, table, partitions: dropped }), {
    deleted: dropped.length,
    absent: 0,
  })
  assert.deepEqual(await glue.deletePartitions({ client, table, partitions: dropped }), {
    deleted: 0,
    absent: dropped.length,
  })
  for (const values of dropped) expected.delete(keyOf(values))
  const { found, absent } = await glue.getPartitions({ client, table, partitions: everything })
  assert.deepEqual(absent, dropped)
  assert.equal(found.length, expected.size)
}

/** Filters that moto reads as Glue does. */
const filters = async (client) => {
  const cases = [
    [{ trade_date: '2024-01-20' }, ({ trade_date }) => trade_date === '2024-01-20'],
    [{ ticker: "O'Neil" }, ({ ticker }) => ticker === "O'Neil"],
    [{ ticker: ['a b+c%', 'x=y', '日経'] }, ({ ticker }) => ['a b+c%', 'x=y', '日経'].includes(ticker)],
    [
      { trade_date: { from: '2024-01-30', before: '2024-02-02' }, ticker: { not: ['IBM', 'BRK.B'] } },
      ({ trade_date, ticker }) =>
        trade_date >= '2024-01-30' && trade_date < '2024-02-02' && ticker !== 'IBM' && ticker !== 'BRK.B',
    ],
    [{ trade_date: { startsWith: '2024-02' } }, ({ trade_date }) => trade_date.startsWith('2024-02')],
    [
      [{ trade_date: days[20] }, { ticker: '#1' }],
      ({ trade_date, ticker }) => trade_date === days[20] || ticker === '#1',
    ],
  ]
  const left = everything.filter((values) => expected.has(keyOf(values)))
  for (const [where, holds] of cases) {
    const found = []
    for await (const { values } of glue.listPartitions({ client, table, where })) found.push(keyOf(values))
    assert.deepEqual(found.sort(), left.filter(holds).map(keyOf).sort(), JSON.stringify(where))
  }
  return cases.length
}

const crawlerSettings = {
  name: 'raw',
  role: 'arn:aws:iam::123456789012:role/etl',
  database,
  targets: [{ path: 's3://market-lake/raw/', exclusions: ['**.json'] }, table],
  description: 'raw files',
  tablePrefix: 'raw_',
  schedule: 'cron(15 12 * * ? *)',
}
const job = glue.defineJob({
  type: 'glueetl',
  name: 'adjust_prices',
  role: 'arn:aws:iam::123456789012:role/etl',
  script: 's3://market-lake/scripts/adjust.py',
  glueVersion: '5.0',
  workerType: 'G.1X',
  numberOfWorkers: 3,
  requiredArguments: ['day'],
  defaultArguments: { database },
  maxRetries: 1,
  timeoutMinutes: 30,
  maxConcurrentRuns: 2,
})

/** moto's crawls go on when they are listed, and the last one is COMPLETED, which Glue calls SUCCEEDED. */
const advancing = (glue) => ({
  async send(command, options) {
    if (command.constructor.name === 'GetCrawlerCommand') {
      await glue.listCrawls({ CrawlerName: command.input.Name }).catch(() => {})
    }
    const answer = await glue.send(command, options)
    const last = answer.Crawler?.LastCrawl
    if (last?.Status === 'COMPLETED') last.Status = 'SUCCEEDED'
    return answer
  },
})

const crawlersAndJobs = async (moto) => {
  const client = advancing(moto)
  const signal = AbortSignal.timeout(120_000)
  const poll = { initialMillis: 20, maximumMillis: 100 }
  assert.equal((await glue.ensureCrawler({ client, ...crawlerSettings })).outcome, 'created')
  assert.deepEqual(await glue.ensureCrawler({ client, ...crawlerSettings }), {
    outcome: 'unchanged',
    changed: [],
  })
  const runs = [
    await glue.runCrawler({ client, ...crawlerSettings, poll, signal }),
    await glue.runCrawler({ client, ...crawlerSettings, poll, signal }),
  ]
  assert.ok(runs[0].startTime < runs[1].startTime)
  assert.equal((await glue.ensureJob({ client, job })).outcome, 'created')
  assert.deepEqual(await glue.ensureJob({ client, job }), { outcome: 'unchanged', changed: [] })
  return glue.runJob({ client, job, arguments: { day: '2024-01-02' }, poll, signal })
}

const byBoto3 = (python, endpoint) => {
  const script = join(root, 'lanes/moto/read_catalog.py')
  const { status, stdout, stderr } = spawnSync(python, [script, endpoint, database, 'trades'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

const compare = ({ partitions: listed, crawlers, jobs, runs }, run) => {
  const there = new Map(
    listed.map(({ Values: [trade_date, ticker], StorageDescriptor, Parameters = {} }) => [
      keyOf({ trade_date, ticker }),
      {
        Location: StorageDescriptor.Location,
        columns: StorageDescriptor.Columns.map(({ Name, Type }) => `${Name} ${Type}`),
        Parameters,
      },
    ]),
  )
  for (const [key, one] of expected) assert.deepEqual(there.get(key), one, key)
  assert.equal(there.size, expected.size)
  const [crawler] = crawlers
  assert.deepEqual(
    { ...crawler, Configuration: JSON.parse(crawler.Configuration), Targets: crawler.Targets.S3Targets },
    {
      ...crawler,
      Name: 'raw',
      Role: crawlerSettings.role,
      DatabaseName: database,
      Description: 'raw files',
      TablePrefix: 'raw_',
      Schedule: { ScheduleExpression: crawlerSettings.schedule, State: 'SCHEDULED' },
      SchemaChangePolicy: { UpdateBehavior: 'UPDATE_IN_DATABASE', DeleteBehavior: 'LOG' },
      RecrawlPolicy: { RecrawlBehavior: 'CRAWL_EVERYTHING' },
      Configuration: {
        Version: 1,
        CrawlerOutput: {
          Tables: { AddOrUpdateBehavior: 'MergeNewColumns' },
          Partitions: { AddOrUpdateBehavior: 'InheritFromTable' },
        },
        Grouping: { TableGroupingPolicy: 'CombineCompatibleSchemas' },
      },
      Targets: [{ Path: 's3://market-lake/raw/', Exclusions: ['**.json'] }, { Path: table.location }],
    },
  )
  const [made] = jobs
  const { Command, DefaultArguments, ExecutionProperty, ...rest } = made
  assert.deepEqual(Command, { Name: 'glueetl', ScriptLocation: job.script, PythonVersion: '3' })
  assert.deepEqual(DefaultArguments, { '--database': database })
  assert.deepEqual(ExecutionProperty, { MaxConcurrentRuns: 2 })
  assert.deepEqual(
    [
      rest.Name,
      rest.Role,
      rest.MaxRetries,
      rest.Timeout,
      rest.GlueVersion,
      rest.WorkerType,
      rest.NumberOfWorkers,
    ],
    ['adjust_prices', job.role, 1, 30, '5.0', 'G.1X', 3],
  )
  assert.deepEqual(
    runs.map(({ Id, Arguments }) => [Id, Arguments]),
    [[run.runId, { '--database': database, '--day': '2024-01-02' }]],
  )
}

/** What moto has no call for, which is told rather than passed over. */
const refusedByMoto = async (client) => {
  const index = { name: 'by_date', keys: ['trade_date'] }
  await assert.rejects(glue.ensurePartitionIndexes({ client, table, indexes: [index] }), {
    code: 'GLUE_REQUEST_FAILED',
    operation: 'CreatePartitionIndex',
  })
}

const moto = await startLane('moto')
if (moto !== undefined) {
  const clients = awsClients(moto.address.glue)
  try {
    const client = clients.glue
    await glue.ensureDatabase({ client, database })
    await glue.ensureTable({ client, table })
    await manyPartitions(client)
    const filtered = await filters(client)
    const run = await crawlersAndJobs(client)
    await refusedByMoto(client)
    compare(byBoto3(moto.address.python, moto.address.glue.endpoint), run)
    console.log(
      `figure: ${expected.size} of 1200 partitions, ${filtered} filters, a crawler, a job and its run in moto, read back equal by boto3; it has no partition indexes, no UpdateCrawler, UpdateJob and BatchStopJobRun`,
    )
  } finally {
    clients.destroy()
    await moto.close()
  }
}
