import {
  type Crawler,
  CreateCrawlerCommand,
  GetCrawlerCommand,
  type LastCrawlInfo,
  StartCrawlerCommand,
  UpdateCrawlerCommand,
} from '@aws-sdk/client-glue'
import { type Runtime, systemRuntime } from '@stockpipe/core'
import { type CrawledTable, listCrawledTables } from './crawled-tables.ts'
import {
  type CrawlerDefinition,
  type CrawlerSettings,
  crawlerDefinition,
  crawlerDifferences,
} from './crawler-definition.ts'
import { CrawlerError } from './errors.ts'
import { type GlueCall, type GlueSender, request, wasRefused } from './glue-request.ts'
import { type PollDelays, type Poller, poller } from './poller.ts'

export interface CrawlerProgress {
  readonly phase: 'preparing' | 'waiting for another run' | 'running' | 'stopping' | 'ended'
  readonly elapsedMillis: number
}

interface CrawlerCallOptions extends CrawlerSettings {
  readonly client: GlueSender
  readonly runtime?: Runtime
  readonly signal?: AbortSignal
  /** How often the state is asked for: from `initialMillis` (default 500) growing to `maximumMillis` (15,000). */
  readonly poll?: PollDelays
}

export interface EnsureCrawlerOptions extends CrawlerCallOptions {}

export interface EnsuredCrawler {
  readonly outcome: 'created' | 'updated' | 'unchanged'
  /** The members of the crawler that were changed, as Glue names them. */
  readonly changed: readonly string[]
}

export interface RunCrawlerOptions extends CrawlerCallOptions {
  readonly onProgress?: (progress: CrawlerProgress) => void
}

export interface CrawlerRun {
  /** When the run began by Glue's clock. */
  readonly startTime: Date | undefined
  readonly elapsedMillis: number
  /** What the run did to the crawler before it started. */
  readonly crawler: EnsuredCrawler
  /** Where the run's log is, in CloudWatch Logs. */
  readonly log: { readonly group: string; readonly stream: string } | undefined
  /** The tables of the database that lie at the targets after the run. */
  readonly tables: readonly CrawledTable[]
  /** Partitions of all those tables. */
  readonly partitions: number
}

/** Glue shows a run it has accepted, and its result, within seconds; one that does not show in this time was lost. */
const startLimitMillis = 300_000

/**
 * Makes the crawler, or changes what is not as defined. One that runs is waited for, as Glue changes none while it runs.
 *
 * Throws a `ConfigurationError` for what Glue would refuse, a `GlueRequestError` when Glue refuses a call, and
 * `signal.reason` when aborted.
 */
export const ensureCrawler = async (options: EnsureCrawlerOptions): Promise<EnsuredCrawler> => {
  const call: GlueCall = {
    client: options.client,
    runtime: options.runtime ?? systemRuntime,
    signal: options.signal,
  }
  const definition = crawlerDefinition(options)
  const wait = poller(call, options.poll)
  for (;;) {
    const existing = await getCrawler(call, options.name)
    if (existing !== undefined && crawlerDifferences(existing, definition).length === 0) {
      return { outcome: 'unchanged', changed: [] }
    }
    const put =
      existing?.State === 'RUNNING' || existing?.State === 'STOPPING'
        ? undefined
        : await putCrawler(call, definition, existing)
    if (put !== undefined) return put
    await wait()
  }
}

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
  let before = ''
  let crawler: EnsuredCrawler = { outcome: 'unchanged', changed: [] }
  for (;;) {
    const existing = await untilIdle(call, options.name, wait, () => report('waiting for another run'))
    const put = await putCrawler(call, definition, existing)
    if (put !== undefined) {
      if (put.outcome !== 'unchanged') crawler = put
      before = crawlIdentity(existing?.LastCrawl)
      if (await startCrawler(call, options.name)) break
    }
    report('waiting for another run')
    await wait()
  }

  wait.reset()
  const last = await untilOurRunEnded(call, options.name, before, wait, report)
  report('ended')
  const startTime = last.StartTime
  const tables = await listCrawledTables(call, options.database, definition.paths, startTime)
  return {
    startTime,
    elapsedMillis: elapsedMillis(),
    crawler,
    log: last.LogGroup === undefined ? undefined : { group: last.LogGroup, stream: last.LogStream ?? '' },
    tables,
    partitions: tables.reduce((sum, table) => sum + table.partitions, 0),
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

/** Creates the crawler, or changes what is not as defined; undefined when it was running or appeared meanwhile. */
const putCrawler = async (
  call: GlueCall,
  definition: CrawlerDefinition,
  existing?: Crawler,
): Promise<EnsuredCrawler | undefined> => {
  const { request: wanted } = definition
  const what = `crawler ${wanted.Name}`
  if (existing === undefined) {
    const created = await request(
      call,
      'CreateCrawler',
      what,
      (sendOptions) => call.client.send(new CreateCrawlerCommand(wanted), sendOptions),
      ['AlreadyExistsException'],
    )
    return wasRefused(created) ? undefined : { outcome: 'created', changed: [] }
  }
  const changed = crawlerDifferences(existing, definition)
  if (changed.length === 0) return { outcome: 'unchanged', changed }
  const updated = await request(
    call,
    'UpdateCrawler',
    what,
    (sendOptions) => call.client.send(new UpdateCrawlerCommand(wanted), sendOptions),
    ['CrawlerRunningException', 'EntityNotFoundException'],
  )
  return wasRefused(updated) ? undefined : { outcome: 'updated', changed }
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

/** What tells two runs apart: Glue's times may be whole seconds. A crawler that is READY may still show the run before. */
const crawlIdentity = (crawl: LastCrawlInfo | undefined): string =>
  crawl === undefined ? '' : `${crawl.StartTime?.getTime()} ${crawl.MessagePrefix} ${crawl.LogStream}`

const untilOurRunEnded = async (
  call: GlueCall,
  name: string,
  before: string,
  wait: Poller,
  report: (phase: CrawlerProgress['phase']) => void,
): Promise<LastCrawlInfo> => {
  let idleSince = call.runtime.monotonic()
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
      idleSince = call.runtime.monotonic()
      report(crawler.State === 'STOPPING' ? 'stopping' : 'running')
    } else if (lastCrawl && crawlIdentity(lastCrawl) !== before) {
      if (lastCrawl.Status === 'SUCCEEDED') return lastCrawl
      const log = lastCrawl.LogGroup ? ` Its log: ${lastCrawl.LogGroup}/${lastCrawl.LogStream ?? ''}.` : ''
      throw lastCrawl.Status === 'CANCELLED'
        ? crawlerError(name, 'CRAWLER_CANCELLED', 'was stopped before its end', `Run it again.${log}`)
        : crawlerError(
            name,
            'CRAWLER_FAILED',
            `failed: ${(lastCrawl.ErrorMessage ?? 'Glue gives no reason').replace(/\.?\s*$/, '')}`,
            `Check that its role may read the targets and write the database.${log}`,
          )
    } else if (call.runtime.monotonic() - idleSince > startLimitMillis) {
      throw crawlerError(
        name,
        'CRAWLER_NOT_STARTED',
        `was started, and Glue shows no new run of it after ${startLimitMillis / 1000} s`,
        'Look at the crawler in the Glue console and run it again.',
      )
    }
    await wait()
  }
}

const crawlerError = (crawler: string, code: string, what: string, remedy: string) =>
  new CrawlerError({ code, message: `Crawler ${crawler} ${what}. ${remedy}`, crawler, facts: { crawler } })
