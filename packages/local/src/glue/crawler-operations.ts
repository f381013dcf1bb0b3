import { ServiceError } from '../http/json-service.ts'
import { foundOf } from './batch-get.ts'
import { crawlOutput, filteredCrawls, metricsOutput } from './crawl-history.ts'
import { type CrawlerDefinition, crawlerDefinition } from './crawler-definition.ts'
import type { CrawlerRegistry, CrawlerStatus } from './crawler-registry.ts'
import { checkCronExpression } from './cron-expression.ts'
import { nameLimits } from './definition-input.ts'
import type { GlueOperations } from './glue-operations.ts'
import type { InputMembers } from './input-members.ts'
import { pageByName, pageNewestFirst } from './page-token.ts'
import { type TagMap, taggedAs } from './tag-operations.ts'

/** The operations on crawlers. */
export function crawlerOperations(
  registry: CrawlerRegistry,
  tagsOf: (name: string) => TagMap = () => ({}),
): GlueOperations {
  const named = (input: InputMembers): string => input.string('Name', nameLimits)
  const page = (input: InputMembers, crawlers = registry.list()) =>
    pageByName(crawlers, {
      nameOf: ({ crawler }) => crawler.Name,
      limit: input.optionalInteger('MaxResults', { min: 1, max: 1000 }) ?? 100,
      token: input.optionalString('NextToken'),
      errorName: 'InvalidInputException',
    })
  return {
    CreateCrawler(input) {
      registry.create(crawlerDefinition(input))
      return {}
    },
    UpdateCrawler(input) {
      const former: CrawlerDefinition = registry.require(named(input)).crawler
      registry.update(crawlerDefinition(input, former))
      return {}
    },
    GetCrawler(input) {
      return { Crawler: crawlerOutput(registry.require(named(input))) }
    },
    GetCrawlers(input) {
      const { items, nextToken } = page(input)
      return { Crawlers: items.map(crawlerOutput), NextToken: nextToken }
    },
    ListCrawlers(input) {
      const isTagged = taggedAs(input, tagsOf)
      const { items, nextToken } = page(
        input,
        registry.list().filter(({ crawler }) => isTagged(crawler.Name)),
      )
      return { CrawlerNames: items.map(({ crawler }) => crawler.Name), NextToken: nextToken }
    },
    BatchGetCrawlers(input) {
      const names = input.strings('CrawlerNames', { max: 100 }, nameLimits)
      const { found, absent } = foundOf(names, (name) => registry.find(name))
      return { Crawlers: found.map(crawlerOutput), CrawlersNotFound: absent }
    },
    DeleteCrawler(input) {
      registry.delete(named(input))
      return {}
    },
    StartCrawler(input) {
      registry.start(named(input))
      return {}
    },
    StopCrawler(input) {
      registry.stop(named(input))
      return {}
    },
    ListCrawls(input) {
      const crawls = filteredCrawls(registry.crawls(input.string('CrawlerName', nameLimits)), input)
      const shown = pageNewestFirst(crawls, {
        idOf: (crawl) => crawl.CrawlId,
        timeOf: (crawl) => crawl.StartTime,
        limit: input.optionalInteger('MaxResults', { min: 1, max: 1000 }) ?? 20,
        token: input.optionalString('NextToken'),
        errorName: 'InvalidInputException',
      })
      return { Crawls: shown.items.map(crawlOutput), NextToken: shown.nextToken }
    },
    GetCrawlerMetrics(input) {
      const names = input.optionalStrings('CrawlerNameList', { max: 100 }, nameLimits) ?? []
      const crawlers = registry
        .list()
        .filter(({ crawler }) => names.length === 0 || names.includes(crawler.Name))
      const { items, nextToken } = page(input, crawlers)
      return {
        CrawlerMetricsList: items.map(({ crawler: { Name } }) => metricsOutput(Name, registry.crawls(Name))),
        NextToken: nextToken,
      }
    },
    UpdateCrawlerSchedule(input) {
      const name = input.string('CrawlerName', nameLimits)
      const expression = input.optionalString('Schedule') ?? ''
      if (expression !== '') checkCronExpression(expression)
      registry.schedule(
        name,
        expression === '' ? undefined : { ScheduleExpression: expression, State: 'SCHEDULED' },
      )
      return {}
    },
    StartCrawlerSchedule(input) {
      const { Name, Schedule } = registry.require(input.string('CrawlerName', nameLimits)).crawler
      if (Schedule === undefined) {
        throw new ServiceError('NoScheduleException', `Crawler with name ${Name} has no schedule`)
      }
      if (Schedule.State === 'SCHEDULED') {
        throw new ServiceError(
          'SchedulerRunningException',
          `The schedule of crawler ${Name} is already running`,
        )
      }
      registry.schedule(Name, { ...Schedule, State: 'SCHEDULED' })
      return {}
    },
    StopCrawlerSchedule(input) {
      const { Name, Schedule } = registry.require(input.string('CrawlerName', nameLimits)).crawler
      if (Schedule?.State !== 'SCHEDULED') {
        throw new ServiceError(
          'SchedulerNotRunningException',
          `The schedule of crawler ${Name} is not running`,
        )
      }
      registry.schedule(Name, { ...Schedule, State: 'NOT_SCHEDULED' })
      return {}
    },
  }
}

const crawlerOutput = ({ crawler, state, elapsedMillis }: CrawlerStatus) => ({
  ...crawler,
  State: state,
  CrawlElapsedTime: elapsedMillis,
  Classifiers: [],
  LineageConfiguration: { CrawlerLineageSettings: 'DISABLE' },
})
