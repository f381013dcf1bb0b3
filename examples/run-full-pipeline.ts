/**
 * The whole flow: real daily bars and 200,000 trades go through Kafka topics into Parquet tables on S3, into the Glue
 * catalog, and come back from Athena as typed rows. It checks itself to the last digit and exits non-zero with the
 * differences otherwise.
 *
 * Without `KAFKA_BROKERS` everything runs in this process; with it and the usual AWS variables, against real services.
 */
import { setMaxListeners } from 'node:events'
import { CreateBucketCommand, HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3'
import { createAthena } from '@stockpipe/athena'
import {
  type BoundTable,
  type ColumnRecord,
  type InputOf,
  type PartitionRecord,
  type RecordSource,
  StockpipeError,
  type TopicDefinition,
} from '@stockpipe/core'
import { createPartitionRegistrar, ensureDatabase, ensureTable, runCrawler } from '@stockpipe/glue'
import { ensureTopics, loadTopic, runConsumer } from '@stockpipe/kafka'
import { createSink } from '@stockpipe/s3-sink'
import { expectedAnswers } from './expected-answers.ts'
import { askMarketQuestions, type MarketAnswers } from './market-answers.ts'
import { barsSource, readBars, tradeCount, tradesSource } from './market-data.ts'
import { bars, barsTopic, trades, tradesTopic } from './market-tables.ts'
import { openServices, type PipelineServices } from './pipeline-services.ts'
import { printTable } from './print-table.ts'
import { progressLine } from './progress-lines.ts'
import { countBySymbol, SelfCheck } from './self-check.ts'
import { checkTable } from './table-check.ts'

const dataDir = process.env['STOCKPIPE_DATA_DIR'] ?? '.stockpipe/full-pipeline'
const bucket = process.env['STOCKPIPE_BUCKET'] ?? 'market-lake'
const number = new Intl.NumberFormat('en-US')

const ensureBucket = async (s3: S3Client, signal: AbortSignal) => {
  try {
    await s3.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal: signal })
  } catch (error) {
    if ((error as { name?: string }).name !== 'NotFound') throw error
    await s3.send(new CreateBucketCommand({ Bucket: bucket }), { abortSignal: signal })
  }
}

/** Every row of the source into its topic once, however often this was started before. */
const loadRecords = async <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  { kafka }: PipelineServices,
  topic: TopicDefinition<Columns, Partitions>,
  source: RecordSource<InputOf<Columns>>,
  total: number,
  signal: AbortSignal,
) => {
  const progress = progressLine(`Records to topic ${topic.name}`)
  const onProgress = ({ records }: { readonly records: number }) => progress.update(records, total)
  const { written, skipped } = await loadTopic({ kafka, topic, source, signal, onProgress })
  progress.end(
    `${number.format(written)} written${skipped > 0 ? `, ${number.format(skipped)} there before` : ''}`,
  )
}

/** One row in, one row out: from the topics into the tables, in groups that are published together. */
const sinkTopics = async (
  services: PipelineServices,
  tables: readonly [BoundTable, TopicDefinition][],
  signal: AbortSignal,
) => {
  const sinks = tables.map(([table, topic]) =>
    createSink({
      name: table.table.name,
      topic,
      table,
      client: services.s3,
      registrar: createPartitionRegistrar({ client: services.glue, table }),
      rotation: { rows: 20_000 },
    }),
  )
  const progress = progressLine('Topics to Parquet tables')
  try {
    const summary = await runConsumer({
      kafka: services.kafka,
      groupId: 'full-pipeline',
      topics: tables.map(([, topic]) => topic),
      sink: Object.fromEntries(tables.map(([, topic], index) => [topic.name, sinks[index]!])),
      until: 'latest',
      signal,
      onProgress: ({ records, lag }) => progress.update(records, records + lag),
    })
    signal.throwIfAborted()
    progress.end(`${number.format(summary.records)} records read, all published and committed`)
  } finally {
    await Promise.all(sinks.map((sink) => sink.close()))
  }
}

const printAnswers = (answers: MarketAnswers) => {
  printTable('Daily bars rebuilt from the trades', answers.rebuilt)
  const newest = answers.averages.filter(({ symbol }, index, rows) => rows[index + 1]?.symbol !== symbol)
  printTable('20-day moving average of the close, on the newest day', newest)
  printTable('Best and worst day of each ticker', answers.extremes)
  printTable('Volume-weighted average price', answers.vwap)
  printTable('Rows per ticker and year', answers.counts)
}

const runPipeline = async (services: PipelineServices, signal: AbortSignal): Promise<readonly string[]> => {
  const lake = {
    bars: bars.at({ database: 'market', location: `s3://${bucket}/bars/` }),
    trades: trades.at({ database: 'market', location: `s3://${bucket}/trades/` }),
  }
  const barRows = await readBars()
  const tradeSource = tradesSource(barRows)

  await ensureBucket(services.s3, signal)
  await ensureTopics(services.kafka, [barsTopic, tradesTopic], { signal })
  await loadRecords(services, barsTopic, barsSource(), barRows.length, signal)
  await loadRecords(services, tradesTopic, tradeSource, tradeCount, signal)

  await ensureDatabase({ client: services.glue, database: 'market', signal })
  await ensureTable({ client: services.glue, table: lake.bars, signal })
  await ensureTable({ client: services.glue, table: lake.trades, signal })
  await sinkTopics(
    services,
    [
      [lake.bars, barsTopic],
      [lake.trades, tradesTopic],
    ],
    signal,
  )

  await ensureDatabase({ client: services.glue, database: 'market_crawled', signal })
  const crawling = progressLine('Crawler')
  const crawl = await runCrawler({
    client: services.glue,
    name: 'market-lake',
    role: process.env['STOCKPIPE_CRAWLER_ROLE'] ?? 'AWSGlueServiceRole-market-lake',
    database: 'market_crawled',
    targets: [lake.bars.location, lake.trades.location],
    signal,
  })
  crawling.end(`${crawl.tables.length} tables, ${crawl.partitions} partitions found`)

  const athena = createAthena({
    client: services.athena,
    database: 'market',
    outputLocation: `s3://${bucket}/athena-results/`,
  })
  const asking = progressLine('Athena')
  const answers = await askMarketQuestions(athena, lake.bars, lake.trades, signal)
  asking.end('five questions answered')
  printAnswers(answers)

  const check = new SelfCheck()
  const expected = await expectedAnswers(barRows, tradeSource)
  for (const name of Object.keys(expected) as (keyof MarketAnswers)[])
    check.rows(name, answers[name], expected[name])

  const tradesIn = new Map(expected.rebuilt.map(({ symbol, trades }) => [symbol, Number(trades)]))
  const given = { athena, s3: services.s3, check, signal }
  process.stdout.write(`\n${await checkTable(lake.bars, countBySymbol(barRows), given)}\n`)
  process.stdout.write(`${await checkTable(lake.trades, tradesIn, given)}\n`)
  process.stdout.write(
    `${number.format(check.checks)} figures compared, ${check.differences.length} differ.\n`,
  )
  return check.differences
}

const main = async (): Promise<number> => {
  const interrupted = new AbortController()
  // Many calls listen to this one signal at the same time.
  setMaxListeners(0, interrupted.signal)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (interrupted.signal.aborted) process.exit(130)
      process.stderr.write(
        '\nStopping; what is published stays, the next start goes on from there. Once more to stop at once.\n',
      )
      interrupted.abort(new StockpipeError({ code: 'INTERRUPTED', message: 'Interrupted.' }))
    })
  }
  const begun = performance.now()
  let services: PipelineServices | undefined
  try {
    services = await openServices(dataDir)
    process.stderr.write(`${services.description}\n`)
    const differences = await runPipeline(services, interrupted.signal)
    for (const difference of differences) process.stderr.write(`DIFFERENT  ${difference}\n`)
    process.stdout.write(
      `Done in ${((performance.now() - begun) / 1000).toFixed(1)} s, peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MB.\n`,
    )
    return differences.length === 0 ? 0 : 1
  } catch (error) {
    if (interrupted.signal.aborted) return 130
    process.stderr.write(
      `${StockpipeError.isInstance(error) ? `${error.code}: ${error.message}` : (error as Error).stack}\n`,
    )
    return 1
  } finally {
    await services?.close()
  }
}

process.exitCode = await main()
// Interrupted: everything is closed; whatever a client still has in mind is not waited for.
if (process.exitCode === 130) process.exit()
