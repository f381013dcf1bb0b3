import type { CrawlChanges } from './crawl-catalog.ts'
import type { LastCrawl } from './crawler-registry.ts'
import type { InputMembers } from './input-members.ts'

/** Crawls of a crawler that are kept. */
export const keptCrawls = 100

/** One crawl as ListCrawls tells of it. Times are seconds since the epoch. */
export interface CrawlRecord {
  readonly CrawlId: string
  readonly State: 'RUNNING' | 'COMPLETED' | 'FAILED' | 'STOPPED'
  readonly StartTime: number
  readonly EndTime?: number
  readonly ErrorMessage?: string
  readonly changes?: CrawlChanges
}

export const crawlStates: Readonly<Record<LastCrawl['Status'], CrawlRecord['State']>> = {
  SUCCEEDED: 'COMPLETED',
  FAILED: 'FAILED',
  CANCELLED: 'STOPPED',
}

/** The CrawlerHistory structure of the API. */
export const crawlOutput = ({ changes, ...record }: CrawlRecord) => ({
  ...record,
  ...(changes && {
    Summary: JSON.stringify({
      TABLE: { ADD: changes.created, UPDATE: changes.updated, DELETE: changes.deleted },
    }),
  }),
  DPUHour: 0,
})

/** Seconds from start to end of the crawls that have ended, shortest first. */
const runtimes = (crawls: readonly CrawlRecord[]): readonly number[] =>
  crawls
    .flatMap(({ StartTime, EndTime }) => (EndTime === undefined ? [] : [EndTime - StartTime]))
    .sort((a, b) => a - b)

/** The CrawlerMetrics structure of the API, from crawls, newest first. */
export function metricsOutput(name: string, crawls: readonly CrawlRecord[]) {
  const ended = crawls.filter((crawl) => crawl.EndTime !== undefined)
  const seconds = runtimes(ended)
  const middle = seconds.length / 2
  const low = seconds[Math.ceil(middle) - 1] ?? 0
  const high = seconds[Math.floor(middle)] ?? 0
  const sum = (count: (changes: CrawlChanges) => number): number =>
    ended.reduce((total, { changes }) => total + (changes === undefined ? 0 : count(changes)), 0)
  return {
    CrawlerName: name,
    TimeLeftSeconds: 0,
    StillEstimating: crawls.some((crawl) => crawl.State === 'RUNNING'),
    LastRuntimeSeconds: runtimes(ended.slice(0, 1))[0] ?? 0,
    MedianRuntimeSeconds: (low + high) / 2,
    TablesCreated: sum((changes) => changes.created),
    TablesUpdated: sum((changes) => changes.updated),
    TablesDeleted: sum((changes) => changes.deleted),
  }
}

const filterFields = {
  CRAWL_ID: 'CrawlId',
  STATE: 'State',
  START_TIME: 'StartTime',
  END_TIME: 'EndTime',
  DPU_HOUR: undefined,
} as const

const comparisons = {
  GT: (order: number) => order > 0,
  GE: (order: number) => order >= 0,
  LT: (order: number) => order < 0,
  LE: (order: number) => order <= 0,
  EQ: (order: number) => order === 0,
  NE: (order: number) => order !== 0,
} as const

/** The crawls that pass all `Filters` of a ListCrawls request; times are given in milliseconds since the epoch. */
export function filteredCrawls(crawls: readonly CrawlRecord[], input: InputMembers): readonly CrawlRecord[] {
  const filters = (input.optionalObjects('Filters') ?? []).map((filter) => ({
    field: filter.optionalEnum('FieldName', [...Object.keys(filterFields)] as (keyof typeof filterFields)[]),
    operator: filter.optionalEnum('FilterOperator', [
      ...Object.keys(comparisons),
    ] as (keyof typeof comparisons)[]),
    value: filter.string('FieldValue', {}),
  }))
  return crawls.filter((crawl) =>
    filters.every(({ field, operator, value }) => {
      const member = field && filterFields[field]
      const own = member === undefined ? 0 : crawl[member]
      if (own === undefined) return false
      const scale = member === 'StartTime' || member === 'EndTime' ? 1000 : 1
      const order =
        typeof own === 'number'
          ? Math.round(own * scale) - Number(value)
          : own < value
            ? -1
            : own > value
              ? 1
              : 0
      return comparisons[operator ?? 'EQ'](order)
    }),
  )
}
