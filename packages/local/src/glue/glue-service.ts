import { join } from 'node:path'
import type { Durability } from '../durability.ts'
import { type JsonService, ServiceError } from '../http/json-service.ts'
import type { ObjectStorage } from '../object-storage.ts'
import { Catalog } from './catalog.ts'
import { catalogSettingsOperations } from './catalog-settings-operations.ts'
import { columnStatisticsOperations } from './column-statistics-operations.ts'
import { crawlerOperations } from './crawler-operations.ts'
import { CrawlerRegistry } from './crawler-registry.ts'
import { databaseOperations } from './database-operations.ts'
import { nameLimits } from './definition-input.ts'
import type { GlueOperations } from './glue-operations.ts'
import { InputMembers } from './input-members.ts'
import { endLeftovers } from './job-leftovers.ts'
import { jobOperations } from './job-operations.ts'
import { JobRegistry } from './job-registry.ts'
import { type JobEndpoint, JobRunner } from './job-runner.ts'
import { partitionIndexOperations } from './partition-index-operations.ts'
import { partitionOperations } from './partition-operations.ts'
import { searchTablesOperations } from './search-tables-operations.ts'
import { tableOperations } from './table-operations.ts'
import { tagOperations } from './tag-operations.ts'
import { userDefinedFunctionOperations } from './user-defined-function-operations.ts'

/** The embedded Glue: AWS JSON calls in front, the catalog for those in the same process. */
export interface GlueService extends JsonService {
  readonly catalog: Catalog
}

/** Who may run jobs, and where their scripts find the stack. */
export interface GlueJobs {
  /** Why no job may run; undefined where they may. */
  readonly refusal?: string | undefined
  /** Called when a run starts. */
  readonly endpoint: () => JobEndpoint
  /** Where programs are found. Default: the environment of this process. */
  readonly environment?: NodeJS.ProcessEnv
}

const noJobs: GlueJobs = {
  refusal: 'This Glue runs no jobs.',
  endpoint: () => {
    throw new Error('this Glue runs no jobs')
  },
}

/**
 * Opens the catalog, crawlers and jobs kept in `dataDirectory`, creating it when absent.
 * Operations the local stack does not have answer an `UnsupportedOperationException` that names them.
 */
export async function createGlueService(options: {
  readonly dataDirectory: string
  readonly storage: ObjectStorage
  /** What an answer waits for. Default: nothing beyond the operating system. */
  readonly durability?: Durability
  /** Default: none may run. */
  readonly jobs?: GlueJobs
}): Promise<GlueService> {
  const { dataDirectory, jobs: { refusal, endpoint, environment = process.env } = noJobs, ...rest } = options
  const catalog = new Catalog(dataDirectory, rest)
  const crawlers = new CrawlerRegistry(dataDirectory, { catalog, ...rest })
  const jobRuns = join(dataDirectory, 'job-runs')
  await endLeftovers(jobRuns)
  const jobs = new JobRegistry(dataDirectory, {
    runner: new JobRunner({
      storage: rest.storage,
      directory: jobRuns,
      endpoint,
      environment,
    }),
    refusal,
    ...(rest.durability && { durability: rest.durability }),
  })
  const tags = tagOperations(catalog, {
    database: (name) => catalog.getDatabase(name) !== undefined,
    crawler: (name) => crawlers.find(name) !== undefined,
    job: (name) => jobs.find(name) !== undefined,
  })
  const operations: GlueOperations = {
    ...databaseOperations(catalog),
    ...tableOperations(catalog),
    ...partitionOperations(catalog),
    ...partitionIndexOperations(catalog),
    ...columnStatisticsOperations(catalog),
    ...userDefinedFunctionOperations(catalog),
    ...searchTablesOperations(catalog),
    ...catalogSettingsOperations,
    ...tags.operations,
    ...tags.keptFor(
      { kind: 'crawler', creation: 'CreateCrawler', deletion: 'DeleteCrawler', member: 'Name' },
      crawlerOperations(crawlers, (name) => tags.find('crawler', name)),
    ),
    ...tags.keptFor(
      { kind: 'job', creation: 'CreateJob', deletion: 'DeleteJob', member: 'JobName' },
      jobOperations(jobs, (name) => tags.find('job', name)),
    ),
  }
  return {
    signingName: 'glue',
    catalog,
    async handle(operation, input) {
      const answer = Object.hasOwn(operations, operation) ? operations[operation] : undefined
      if (answer === undefined) {
        throw new ServiceError(
          'UnsupportedOperationException',
          `glue:${operation} is not supported: the local stack does not have it.`,
        )
      }
      const members = new InputMembers(input, 'ValidationException')
      members.optionalString('CatalogId', nameLimits)
      return answer(members)
    },
    async close() {
      await Promise.all([crawlers.close(), jobs.close()])
      catalog.close()
    },
  }
}
