import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Durability } from '../durability.ts'
import { ServiceError } from '../http/json-service.ts'
import type { ObjectStorage } from '../object-storage.ts'
import { AppendLog } from './append-log.ts'
import type { Catalog } from './catalog.ts'
import { crawl } from './crawl.ts'
import type { CrawlChanges } from './crawl-catalog.ts'
import { type CrawlRecord, crawlStates, keptCrawls } from './crawl-history.ts'
import type { CrawlerDefinition } from './crawler-definition.ts'

export interface LastCrawl {
  readonly Status: 'SUCCEEDED' | 'CANCELLED' | 'FAILED'
  /** Seconds since the epoch. */
  readonly StartTime: number
  readonly ErrorMessage?: string
}

/** A crawler with its last crawl, as it is kept. */
export interface Crawler extends CrawlerDefinition {
  readonly CreationTime: number
  readonly LastUpdated: number
  readonly Version: number
  readonly LastCrawl?: LastCrawl
}

export interface CrawlerStatus {
  readonly crawler: Crawler
  readonly state: 'READY' | 'RUNNING' | 'STOPPING'
  /** Milliseconds the crawl in progress has taken; 0 when none is. */
  readonly elapsedMillis: number
}

type CrawlerEntry =
  | readonly ['crawler', Crawler]
  | readonly ['drop-crawler', string]
  /** A crawl as it stands, by its id. */
  | readonly ['crawl', string, CrawlRecord]

/** How a crawl ended. */
interface CrawlEnd {
  readonly status: LastCrawl['Status']
  readonly message?: string
  readonly changes?: CrawlChanges
}

interface Run {
  readonly startMillis: number
  readonly abort: AbortController
  readonly finished: Promise<void>
}

/** Crawlers and their runs; definitions and last crawls are kept in a log. */
export class CrawlerRegistry {
  readonly #crawlers = new Map<string, Crawler>()
  /** By crawler, then by id, oldest first. */
  readonly #crawls = new Map<string, Map<string, CrawlRecord>>()
  readonly #runs = new Map<string, Run>()
  readonly #catalog: Catalog
  readonly #storage: ObjectStorage
  readonly #log: AppendLog<CrawlerEntry>

  constructor(
    dataDirectory: string,
    options: { readonly catalog: Catalog; readonly storage: ObjectStorage; readonly durability?: Durability },
  ) {
    this.#catalog = options.catalog
    this.#storage = options.storage
    this.#log = AppendLog.open<CrawlerEntry>(
      join(dataDirectory, 'crawlers.log'),
      (entry) => this.#apply(entry),
      options.durability,
    )
    for (const [name, crawls] of this.#crawls) {
      for (const record of crawls.values()) {
        if (record.State !== 'RUNNING') continue
        const message = 'The local stack ended while the crawler was running.'
        this.#finish(name, record, { status: 'FAILED', message })
      }
    }
  }

  list(): readonly CrawlerStatus[] {
    return [...this.#crawlers.keys()].sort().map((name) => this.require(name))
  }

  find(name: string): CrawlerStatus | undefined {
    const crawler = this.#crawlers.get(name)
    if (crawler === undefined) return undefined
    const run = this.#runs.get(name)
    if (run === undefined) return { crawler, state: 'READY', elapsedMillis: 0 }
    const elapsedMillis = Date.now() - run.startMillis
    return { crawler, state: run.abort.signal.aborted ? 'STOPPING' : 'RUNNING', elapsedMillis }
  }

  /** The crawler, or an EntityNotFoundException. */
  require(name: string): CrawlerStatus {
    const status = this.find(name)
    if (status !== undefined) return status
    throw new ServiceError('EntityNotFoundException', `Crawler with name ${name} does not exist`)
  }

  create(definition: CrawlerDefinition): void {
    if (this.#crawlers.has(definition.Name)) {
      throw new ServiceError('AlreadyExistsException', `Crawler with name ${definition.Name} already exists`)
    }
    const now = Date.now() / 1000
    this.#commit(['crawler', { ...definition, CreationTime: now, LastUpdated: now, Version: 1 }])
  }

  update(definition: CrawlerDefinition): void {
    const { crawler } = this.#requireReady(definition.Name)
    this.#commit([
      'crawler',
      {
        ...definition,
        CreationTime: crawler.CreationTime,
        LastUpdated: Date.now() / 1000,
        Version: crawler.Version + 1,
        ...(crawler.LastCrawl === undefined ? {} : { LastCrawl: crawler.LastCrawl }),
      },
    ])
  }

  delete(name: string): void {
    this.#requireReady(name)
    this.#commit(['drop-crawler', name])
  }

  /** The crawls of a crawler that are kept, newest first. @throws EntityNotFoundException */
  crawls(name: string): readonly CrawlRecord[] {
    this.require(name)
    return [...(this.#crawls.get(name)?.values() ?? [])].reverse()
  }

  /** Puts another schedule in the place of a crawler's own, which nothing runs by. */
  schedule(name: string, Schedule: CrawlerDefinition['Schedule']): void {
    const { Schedule: _, ...crawler } = this.require(name).crawler
    this.#commit(['crawler', { ...crawler, ...(Schedule === undefined ? {} : { Schedule }) }])
  }

  /** Begins a crawl in the background. @throws CrawlerRunningException */
  start(name: string): void {
    const { crawler } = this.#requireReady(name)
    const startMillis = Date.now()
    const record: CrawlRecord = { CrawlId: randomUUID(), State: 'RUNNING', StartTime: startMillis / 1000 }
    this.#commit(['crawl', name, record])
    const abort = new AbortController()
    this.#runs.set(name, { startMillis, abort, finished: this.#run(crawler, record, abort.signal) })
  }

  /** Asks a running crawl to end; it is CANCELLED soon. */
  stop(name: string): void {
    this.require(name)
    const run = this.#runs.get(name)
    if (run === undefined) {
      throw new ServiceError('CrawlerNotRunningException', `Crawler with name ${name} is not running`)
    }
    if (run.abort.signal.aborted) {
      throw new ServiceError('CrawlerStoppingException', `Crawler with name ${name} is stopping`)
    }
    run.abort.abort(new Error('stopped by StopCrawler'))
  }

  async close(): Promise<void> {
    const runs = [...this.#runs.values()]
    for (const run of runs) run.abort.abort(new Error('the local stack closes'))
    await Promise.all(runs.map((run) => run.finished))
    this.#log.close()
  }

  async #run(crawler: Crawler, record: CrawlRecord, signal: AbortSignal): Promise<void> {
    // A turn later, so that the run is on record before it can end.
    await Promise.resolve()
    let end: CrawlEnd
    try {
      const changes = await crawl({ catalog: this.#catalog, storage: this.#storage, crawler, signal })
      end = { status: 'SUCCEEDED', changes }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      end = signal.aborted ? { status: 'CANCELLED' } : { status: 'FAILED', message }
    }
    this.#runs.delete(crawler.Name)
    this.#finish(crawler.Name, record, end)
  }

  #finish(name: string, record: CrawlRecord, { status, message, changes }: CrawlEnd): void {
    const crawler = this.#crawlers.get(name)
    if (crawler === undefined) return
    const error = message === undefined ? {} : { ErrorMessage: message.slice(0, 2048) }
    const LastCrawl: LastCrawl = { Status: status, StartTime: record.StartTime, ...error }
    const ended: CrawlRecord = {
      ...record,
      State: crawlStates[status],
      EndTime: Date.now() / 1000,
      ...error,
      ...(changes && { changes }),
    }
    const entries = [
      ['crawl', name, ended],
      ['crawler', { ...crawler, LastCrawl }],
    ] as const
    for (const entry of entries) this.#apply(entry)
    try {
      for (const entry of entries) this.#log.append(entry)
    } catch {
      // A full disk must not end the process: after a restart this crawl shows as cut off.
    }
  }

  #requireReady(name: string): CrawlerStatus {
    const status = this.require(name)
    if (status.state === 'READY') return status
    throw new ServiceError('CrawlerRunningException', `Crawler with name ${name} has already started`)
  }

  #commit(entry: CrawlerEntry): void {
    this.#log.append(entry)
    this.#apply(entry)
    this.#log.compactWhenGrown(() => this.#snapshot())
  }

  *#snapshot(): Iterable<CrawlerEntry> {
    for (const crawler of this.#crawlers.values()) yield ['crawler', crawler]
    for (const [name, crawls] of this.#crawls) {
      for (const record of crawls.values()) yield ['crawl', name, record]
    }
  }

  #apply(entry: CrawlerEntry): void {
    if (entry[0] === 'crawler') this.#crawlers.set(entry[1].Name, entry[1])
    else if (entry[0] === 'drop-crawler') {
      this.#crawlers.delete(entry[1])
      this.#crawls.delete(entry[1])
    } else if (entry[0] === 'crawl') {
      const crawls = this.#crawls.get(entry[1]) ?? new Map<string, CrawlRecord>()
      this.#crawls.set(entry[1], crawls)
      crawls.set(entry[2].CrawlId, entry[2])
      for (const id of [...crawls.keys()].slice(0, -keptCrawls)) crawls.delete(id)
    }
  }
}
