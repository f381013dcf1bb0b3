import {
  type Crawler,
  CreateCrawlerCommand,
  type CreateCrawlerRequest,
  GetCrawlerCommand,
  StartCrawlerCommand,
  UpdateCrawlerCommand,
} from '@aws-sdk/client-glue'
import { type BoundTable, ConfigurationError, type Runtime, systemRuntime } from '@stockpipe/core'
import { type CrawledTable, listCrawledTables } from './crawled-tables.ts'
import { CrawlerError } from './errors.ts'
import { type GlueCall, type GlueSender, request, wasRefused } from './glue-request.ts'
import { type PollDelays, type Poller, poller } from './poller.ts'

export interface CrawlerProgress {
  readonly phase: 'preparing' | 'waiting for another run' | 'running' | 'stopping' | 'ended'
  readonly elapsedMillis: number
}

export interface RunCrawlerOptions {
  readonly client: GlueSender
  readonly name: string
  /** The IAM role, name or ARN, by which Glue reads the data. */
  readonly role: string
  readonly database: string
  /** Tables, or S3 paths such as `s3://bucket/trades/`; a table is named after the last folder of its path. */
  readonly targets: readonly (BoundTable | string)[]
  readonly runtime?: Runtime
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: CrawlerProgress) => void
  /** How often the state is asked for: from `initialMillis` (default 500) growing to `maximumMillis` (15,000). */
  readonly poll?: PollDelays
}

export interface CrawlerRun {
  /** When the run began by Glue's clock. */
  readonly startTime: Date | undefined
  readonly elapsedMillis: number
  /** The tables of the database that lie at the targets after the run. */
  readonly tables: readonly CrawledTable[]
  /** Partitions of all those tables. */
  readonly partitions: number
}

/** Glue lists a run it has accepted within seconds; one that does not show in this time was lost. */
const startLimitMillis = 300_000

/**
 * Creates or updates the crawler, starts it, and waits until the run started here has ended (never an earlier one).
 * A run of somebody else is waited for first.
 *
 * Throws a `CrawlerError` when the run fails or is cancelled, a `GlueRequestError` when Glue refuses a call, and
 * `signal.reason` when aborted; the crawler then goes on by itself.
 */
export const runCrawler = async (options: RunCrawlerOptions): Promise<CrawlerRun> => {
  const runtime = options.runtime ?? systemRuntime
  const call: GlueCall = { client: options.client, runtime, signal: options.signal }
  const definition = crawlerDefinition(options)
  const began = runtime.monotonic()
  const elapsedMillis = () => Math.round(runtime.monotonic() - began)
  const report = (phase: CrawlerProgress['phase']) =>
    options.onProgress?.({ phase, elapsedMillis: elapsedMillis() })

  report('preparing')
  const wait = poller(call, options.poll)
  let before: Date | undefined
  for (;;) {
    const existing = await untilIdle(call, options.name, wait, () => report('waiting for another run'))
    if (await putCrawler(call, definition, existing)) {
      before = existing?.LastCrawl?.StartTime
      if (await startCrawler(call, options.name)) break
    }
    report('waiting for another run')
    await wait()
  }

  wait.reset()
  const startTime = await untilOurRunEnded(call, options.name, before, wait, report)
  report('ended')
  const tables = await listCrawledTables(call, options.database, definition.paths)
  return {
    startTime,
    elapsedMillis: elapsedMillis(),
    tables,
    partitions: tables.reduce((sum, table) => sum + table.partitions, 0),
  }
}

type CrawlerDefinition = Omit<CreateCrawlerRequest, 'Name'> & { Name: string; paths: readonly string[] }

const crawlerDefinition = (options: RunCrawlerOptions): CrawlerDefinition => {
  const { name, database, targets } = options
  const refuse = (what: string): never => {
    throw new ConfigurationError({ code: 'CRAWLER_INVALID', message: `Crawler ${name}: ${what}` })
  }
  if (targets.length === 0)
    refuse('it has no targets; give it tables or paths such as "s3://bucket/trades/".')
  const paths = targets.map((target) => {
    if (typeof target === 'string') {
      if (!/^s3:\/\/[^/]+(\/|$)/.test(target))
        refuse(`"${target}" is not a path such as "s3://bucket/trades/".`)
      return target
    }
    if (target.database !== database) {
      refuse(
        `table ${target.table.name} is bound to database ${target.database}, and the crawler writes to ${database}; use one database.`,
      )
    }
    return target.location
  })
  return {
    Name: name,
    Role: options.role,
    DatabaseName: database,
    Targets: { S3Targets: paths.map((Path) => ({ Path })) },
    // What queries rely on is never taken away by a crawl: vanished files are logged, nothing more.
    SchemaChangePolicy: { UpdateBehavior: 'UPDATE_IN_DATABASE', DeleteBehavior: 'LOG' },
    RecrawlPolicy: { RecrawlBehavior: 'CRAWL_EVERYTHING' },
    Configuration: JSON.stringify({
      Version: 1.0,
      CrawlerOutput: {
        Partitions: { AddOrUpdateBehavior: 'InheritFromTable' },
        Tables: { AddOrUpdateBehavior: 'MergeNewColumns' },
      },
      Grouping: { TableGroupingPolicy: 'CombineCompatibleSchemas' },
    }),
    paths,
  }
}

const getCrawler = async (call: GlueCall, name: string): Promise<Crawler | undefined> => {
  const answer = await request(
    call,
    'GetCrawler',
    `crawler ${name}`,
    (sendOptions) => call.client.send(new GetCrawlerCommand({ Name: name }), sendOptions),
    ['EntityNotFoundException'],
  )
  return wasRefused(answer) ? undefined : answer.Crawler
}

/** The crawler once it runs no more; undefined when there is none of that name. */
const untilIdle = async (call: GlueCall, name: string, wait: Poller, onBusy: () => void) => {
  for (;;) {
    const crawler = await getCrawler(call, name)
    if (crawler === undefined || crawler.State === 'READY') return crawler
    onBusy()
    await wait()
  }
}

/** Creates or updates the crawler; false when it was running or appeared meanwhile. */
const putCrawler = async (
  call: GlueCall,
  { paths: _, ...definition }: CrawlerDefinition,
  existing?: Crawler,
) => {
  const what = `crawler ${definition.Name}`
  const answer = existing
    ? await request(
        call,
        'UpdateCrawler',
        what,
        (sendOptions) => call.client.send(new UpdateCrawlerCommand(definition), sendOptions),
        ['CrawlerRunningException'],
      )
    : await request(
        call,
        'CreateCrawler',
        what,
        (sendOptions) => call.client.send(new CreateCrawlerCommand(definition), sendOptions),
        ['AlreadyExistsException'],
      )
  return !wasRefused(answer)
}

/** Starts the crawler; false when somebody else's run was faster. */
const startCrawler = async (call: GlueCall, name: string): Promise<boolean> => {
  const answer = await request(
    call,
    'StartCrawler',
    `crawler ${name}`,
    (sendOptions) => call.client.send(new StartCrawlerCommand({ Name: name }), sendOptions),
    ['CrawlerRunningException'],
  )
  return !wasRefused(answer)
}

const untilOurRunEnded = async (
  call: GlueCall,
  name: string,
  before: Date | undefined,
  wait: Poller,
  report: (phase: CrawlerProgress['phase']) => void,
): Promise<Date | undefined> => {
  const started = call.runtime.monotonic()
  let seenRunning = false
  for (;;) {
    const crawler = await getCrawler(call, name)
    const lastCrawl = crawler?.LastCrawl
    if (crawler === undefined) {
      throw crawlerError(
        name,
        'CRAWLER_GONE',
        'was deleted while it ran',
        'Find out who did, and run it again.',
      )
    }
    if (crawler.State !== 'READY') {
      seenRunning = true
      report(crawler.State === 'STOPPING' ? 'stopping' : 'running')
    } else if (lastCrawl && (seenRunning || lastCrawl.StartTime?.getTime() !== before?.getTime())) {
      if (lastCrawl.Status === 'SUCCEEDED') return lastCrawl.StartTime
      const log = lastCrawl.LogGroup ? ` Its log: ${lastCrawl.LogGroup}/${lastCrawl.LogStream ?? ''}.` : ''
      throw lastCrawl.Status === 'CANCELLED'
        ? crawlerError(name, 'CRAWLER_CANCELLED', 'was stopped before its end', `Run it again.${log}`)
        : crawlerError(
            name,
            'CRAWLER_FAILED',
            `failed: ${(lastCrawl.ErrorMessage ?? 'Glue gives no reason').replace(/\.?\s*$/, '')}`,
            `Check that its role may read the targets and write the database.${log}`,
          )
    } else if (call.runtime.monotonic() - started > startLimitMillis) {
      throw crawlerError(
        name,
        'CRAWLER_NOT_STARTED',
        `was started, and Glue shows no run of it after ${startLimitMillis / 1000} s`,
        'Look at the crawler in the Glue console and run it again.',
      )
    }
    await wait()
  }
}

const crawlerError = (crawler: string, code: string, what: string, remedy: string) =>
  new CrawlerError({ code, message: `Crawler ${crawler} ${what}. ${remedy}`, crawler, facts: { crawler } })
