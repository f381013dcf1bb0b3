import { type CrawlerDefinition, crawlerDefinition } from './crawler-definition.ts'
import type { CrawlerRegistry, CrawlerStatus } from './crawler-registry.ts'
import { nameLimits, unsupportedMember } from './definition-input.ts'
import type { GlueOperations } from './glue-operations.ts'
import type { InputMembers } from './input-members.ts'
import { pageByName } from './page-token.ts'

/** The operations on crawlers. */
export function crawlerOperations(registry: CrawlerRegistry): GlueOperations {
  const named = (input: InputMembers): string => input.string('Name', nameLimits)
  const page = (input: InputMembers) =>
    pageByName(registry.list(), {
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
      input.refuse(['Tags'], unsupportedMember)
      const { items, nextToken } = page(input)
      return { CrawlerNames: items.map(({ crawler }) => crawler.Name), NextToken: nextToken }
    },
    BatchGetCrawlers(input) {
      const names = input.strings('CrawlerNames', { max: 100 }, nameLimits)
      const found = names.flatMap((name) => registry.find(name) ?? [])
      return {
        Crawlers: found.map(crawlerOutput),
        CrawlersNotFound: names.filter((name) => registry.find(name) === undefined),
      }
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
  }
}

const crawlerOutput = ({ crawler, state, elapsedMillis }: CrawlerStatus) => ({
  ...crawler,
  State: state,
  CrawlElapsedTime: elapsedMillis,
  Classifiers: [],
  LineageConfiguration: { CrawlerLineageSettings: 'DISABLE' },
})
