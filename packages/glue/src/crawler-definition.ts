import type { Crawler, CreateCrawlerRequest, S3Target } from '@aws-sdk/client-glue'
import { type BoundTable, ConfigurationError } from '@stockpipe/core'
import { canonicalText } from './canonical-text.ts'

/** A path with what is left out of it. */
export interface CrawlerPath {
  /** `s3://bucket/prefix/`. */
  readonly path: string
  /** Glob patterns below the path, such as `**.json`. */
  readonly exclusions?: readonly string[]
  /** How many files of each folder are looked into, 1 to 249. Default all. */
  readonly sampleSize?: number
}

/** What a crawler is. Description, prefix and schedule that are left out stay as they are in Glue. */
export interface CrawlerSettings {
  readonly name: string
  /** The IAM role, name or ARN, by which Glue reads the data. */
  readonly role: string
  readonly database: string
  /** Tables, or S3 paths such as `s3://bucket/trades/`; a table is named after the last folder of its path. */
  readonly targets: readonly (BoundTable | string | CrawlerPath)[]
  readonly description?: string
  /** Before the name of each table it makes. */
  readonly tablePrefix?: string
  /** What becomes of a table whose files have other columns: `update` (the default) or `log` only. */
  readonly onChange?: 'update' | 'log'
  /** What becomes of a table or partition whose files are gone: `log` (the default), `deprecate`, or `delete`. */
  readonly onGone?: 'log' | 'deprecate' | 'delete'
  /** What a run looks through: everything (the default), or new folders only, which needs `log` for both changes. */
  readonly recrawl?: 'everything' | 'new-folders'
  /** Folders whose columns are alike become one table (the default), or each decides for itself. */
  readonly grouping?: 'combine' | 'separate'
  /** The depth of folders at which tables begin; the bucket is 1. */
  readonly tableLevel?: number
  /** New columns are added to the tables that are there (the default), or tables are made as the files are. */
  readonly columns?: 'merge' | 'replace'
  /** A cron expression such as `cron(15 12 * * ? *)`. Default it runs when started. */
  readonly schedule?: string
}

/** The crawler as CreateCrawler takes it, and the paths it looks through. */
export interface CrawlerDefinition {
  readonly request: CreateCrawlerRequest & { Name: string }
  readonly paths: readonly string[]
}

const gone = { log: 'LOG', deprecate: 'DEPRECATE_IN_DATABASE', delete: 'DELETE_FROM_DATABASE' } as const

/** Throws a `ConfigurationError` for what Glue would refuse. */
export const crawlerDefinition = (settings: CrawlerSettings): CrawlerDefinition => {
  const { name, database, targets, recrawl = 'everything' } = settings
  const refuse = (what: string): never => {
    throw new ConfigurationError({ code: 'CRAWLER_INVALID', message: `Crawler ${name}: ${what}` })
  }
  if (targets.length === 0) {
    refuse('it has no targets; give it tables or paths such as "s3://bucket/trades/".')
  }
  const onlyNew = recrawl === 'new-folders'
  // Glue takes no other policy beside it.
  const { onChange = onlyNew ? 'log' : 'update', onGone = 'log' } = settings
  if (onlyNew && (onChange !== 'log' || onGone !== 'log')) {
    refuse(`it looks through new folders only, and then Glue changes nothing: leave out onChange and onGone.`)
  }
  const { tableLevel } = settings
  if (tableLevel !== undefined && (!Number.isInteger(tableLevel) || tableLevel < 1)) {
    refuse(`its tableLevel is a whole number from 1, not ${tableLevel}.`)
  }
  const s3Targets = targets.map((target): S3Target & { Path: string } => {
    if (typeof target === 'object' && 'table' in target) {
      if (target.database !== database) {
        refuse(
          `table ${target.table.name} is bound to database ${target.database}, and the crawler writes to ${database}; use one database.`,
        )
      }
      return { Path: target.location }
    }
    const { path, exclusions, sampleSize }: CrawlerPath =
      typeof target === 'string' ? { path: target } : target
    if (!/^s3:\/\/[^/]+(\/|$)/.test(path)) refuse(`"${path}" is not a path such as "s3://bucket/trades/".`)
    if (sampleSize !== undefined && !(Number.isInteger(sampleSize) && sampleSize >= 1 && sampleSize <= 249)) {
      refuse(`the sampleSize of ${path} is 1 to 249, not ${sampleSize}.`)
    }
    return {
      Path: path,
      ...(exclusions === undefined ? {} : { Exclusions: [...exclusions] }),
      ...(sampleSize === undefined ? {} : { SampleSize: sampleSize }),
    }
  })
  const grouping = {
    ...(settings.grouping === 'separate' ? {} : { TableGroupingPolicy: 'CombineCompatibleSchemas' }),
    ...(tableLevel === undefined ? {} : { TableLevelConfiguration: tableLevel }),
  }
  return {
    paths: s3Targets.map(({ Path }) => Path),
    request: {
      Name: name,
      Role: settings.role,
      DatabaseName: database,
      Targets: { S3Targets: s3Targets },
      ...(settings.description === undefined ? {} : { Description: settings.description }),
      ...(settings.tablePrefix === undefined ? {} : { TablePrefix: settings.tablePrefix }),
      ...(settings.schedule === undefined ? {} : { Schedule: settings.schedule }),
      // What queries rely on is never taken away by a crawl, unless asked for.
      SchemaChangePolicy: {
        UpdateBehavior: onChange === 'update' ? 'UPDATE_IN_DATABASE' : 'LOG',
        DeleteBehavior: gone[onGone],
      },
      RecrawlPolicy: { RecrawlBehavior: onlyNew ? 'CRAWL_NEW_FOLDERS_ONLY' : 'CRAWL_EVERYTHING' },
      Configuration: JSON.stringify({
        Version: 1.0,
        CrawlerOutput: {
          Partitions: { AddOrUpdateBehavior: 'InheritFromTable' },
          ...(settings.columns === 'replace' ? {} : { Tables: { AddOrUpdateBehavior: 'MergeNewColumns' } }),
        },
        ...(Object.keys(grouping).length === 0 ? {} : { Grouping: grouping }),
      }),
    },
  }
}

/** The members of a crawler that are not as defined, as Glue names them. */
export const crawlerDifferences = (existing: Crawler, { request }: CrawlerDefinition): string[] => {
  const { Name: _, ...wanted } = request
  const has: Record<string, unknown> = { ...existing, Schedule: existing.Schedule?.ScheduleExpression }
  return Object.entries(wanted).flatMap(([member, wants]) => {
    const is = has[member]
    const isSame =
      member === 'Role'
        ? roleName(is) === roleName(wants)
        : canonicalText(parsed(is)) === canonicalText(parsed(wants))
    return isSame ? [] : [member]
  })
}

/** Glue answers a role's name, or its path and name, where an ARN was given. */
const roleName = (role: unknown): string => String(role ?? '').replace(/^.*\//, '')

/** The configuration is JSON, which Glue may write otherwise. */
const parsed = (text: unknown): unknown => {
  try {
    return typeof text === 'string' ? JSON.parse(text) : text
  } catch {
    return text
  }
}
