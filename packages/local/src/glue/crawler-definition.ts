import { ServiceError } from '../http/json-service.ts'
import { checkCronExpression } from './cron-expression.ts'
import { nameLimits, unsupportedMember } from './definition-input.ts'
import { exclusionPattern } from './exclusion-pattern.ts'
import { parseLocation } from './hive-path.ts'
import type { InputMembers } from './input-members.ts'

export interface S3Target {
  readonly Path: string
  readonly Exclusions: readonly string[]
  readonly SampleSize?: number
}

/** Tables of the catalog whose locations are crawled. */
export interface CatalogTarget {
  readonly DatabaseName: string
  readonly Tables: readonly string[]
}

/** A crawler's settings in Glue's words. */
export interface CrawlerDefinition {
  readonly Name: string
  readonly Role: string
  /** Absent where the targets are tables of the catalog. */
  readonly DatabaseName?: string
  readonly Description?: string
  readonly Targets: {
    readonly S3Targets?: readonly S3Target[]
    readonly CatalogTargets?: readonly CatalogTarget[]
  }
  /** A cron expression that is kept; nothing runs by it. */
  readonly Schedule?: { readonly ScheduleExpression: string; readonly State: 'SCHEDULED' | 'NOT_SCHEDULED' }
  readonly TablePrefix?: string
  readonly SchemaChangePolicy: {
    readonly UpdateBehavior: 'LOG' | 'UPDATE_IN_DATABASE'
    readonly DeleteBehavior: 'LOG' | 'DELETE_FROM_DATABASE' | 'DEPRECATE_IN_DATABASE'
  }
  readonly RecrawlPolicy: { readonly RecrawlBehavior: 'CRAWL_EVERYTHING' | 'CRAWL_NEW_FOLDERS_ONLY' }
  readonly Configuration?: string
}

/** What a crawler's Configuration JSON asks for. */
export interface CrawlerOutput {
  readonly partitionsInheritFromTable: boolean
  readonly mergeNewColumns: boolean
  readonly combineSchemas: boolean
  /** The level of the folders that are tables, 1 being the bucket. */
  readonly tableLevel: number | undefined
}

const refusedMembers = ['LineageConfiguration', 'LakeFormationConfiguration', 'CrawlerSecurityConfiguration']
const refusedTargets = [
  'JdbcTargets',
  'MongoDBTargets',
  'DynamoDBTargets',
  'DeltaTargets',
  'IcebergTargets',
  'HudiTargets',
]

/** Reads a CreateCrawler or UpdateCrawler request; what an update leaves out is taken from `former`. */
export function crawlerDefinition(input: InputMembers, former?: CrawlerDefinition): CrawlerDefinition {
  input.refuse(refusedMembers, unsupportedMember)
  if ((input.optionalStrings('Classifiers') ?? []).length > 0) throw unsupportedMember('Classifiers')
  const description = input.optionalString('Description', { max: 2048 }) ?? former?.Description
  const tablePrefix = input.optionalString('TablePrefix', { max: 128 }) ?? former?.TablePrefix
  const configuration = input.optionalString('Configuration') ?? former?.Configuration
  const schedule = scheduleOf(input, former)
  const Targets =
    input.has('Targets') || former === undefined ? targets(input.object('Targets')) : former.Targets
  const databaseName = databaseNameOf(input, Targets, former)
  const definition: CrawlerDefinition = {
    Name: input.string('Name', nameLimits),
    Role: input.optionalString('Role') ?? former?.Role ?? input.string('Role'),
    ...(databaseName === undefined ? {} : { DatabaseName: databaseName }),
    Targets,
    SchemaChangePolicy: schemaChangePolicy(input, former),
    RecrawlPolicy: recrawlPolicy(input, former),
    ...(description === undefined ? {} : { Description: description }),
    ...(tablePrefix === undefined ? {} : { TablePrefix: tablePrefix }),
    ...(configuration === undefined || configuration === '' ? {} : { Configuration: configuration }),
    ...(schedule === undefined ? {} : { Schedule: schedule }),
  }
  crawlerOutputOf(definition)
  const { UpdateBehavior, DeleteBehavior } = definition.SchemaChangePolicy
  const newFoldersOnly = definition.RecrawlPolicy.RecrawlBehavior === 'CRAWL_NEW_FOLDERS_ONLY'
  if (newFoldersOnly && (UpdateBehavior !== 'LOG' || DeleteBehavior !== 'LOG')) {
    throw invalidInput(
      'The SchemaChangePolicy for "Crawl new folders only" Amazon S3 target can have only LOG DeleteBehavior value and LOG UpdateBehavior value.',
    )
  }
  if (Targets.CatalogTargets !== undefined && DeleteBehavior !== 'LOG') {
    throw invalidInput(
      'The SchemaChangePolicy of a crawler of catalog targets can have only LOG DeleteBehavior value.',
    )
  }
  return definition
}

/** A schedule as given, `''` taking it away; text that is no cron expression is refused. */
function scheduleOf(
  input: InputMembers,
  former: CrawlerDefinition | undefined,
): CrawlerDefinition['Schedule'] {
  const expression = input.optionalString('Schedule')
  if (expression === undefined) return former?.Schedule
  if (expression === '') return undefined
  checkCronExpression(expression)
  return { ScheduleExpression: expression, State: 'SCHEDULED' }
}

function databaseNameOf(
  input: InputMembers,
  { S3Targets }: CrawlerDefinition['Targets'],
  former: CrawlerDefinition | undefined,
): string | undefined {
  const name = input.optionalString('DatabaseName', { max: 255 }) ?? former?.DatabaseName
  if (S3Targets === undefined) return undefined
  if (name === undefined || name === '') throw invalidInput('A crawler of S3 targets needs a DatabaseName.')
  return name.toLowerCase()
}

function targets(input: InputMembers): CrawlerDefinition['Targets'] {
  for (const kind of refusedTargets) {
    if ((input.optionalObjects(kind) ?? []).length > 0) throw unsupportedMember(kind)
  }
  const S3Targets = (input.optionalObjects('S3Targets') ?? []).map(s3Target)
  const CatalogTargets = (input.optionalObjects('CatalogTargets') ?? []).map(catalogTarget)
  if (S3Targets.length === 0 && CatalogTargets.length === 0) {
    throw invalidInput('A crawler needs at least one S3 target or catalog target.')
  }
  if (S3Targets.length > 0 && CatalogTargets.length > 0) {
    throw invalidInput('A crawler of catalog targets can have no other targets.')
  }
  return CatalogTargets.length > 0 ? { CatalogTargets } : { S3Targets }
}

function catalogTarget(input: InputMembers): CatalogTarget {
  input.refuse(['ConnectionName', 'EventQueueArn', 'DlqEventQueueArn'], unsupportedMember)
  return {
    DatabaseName: input.string('DatabaseName', nameLimits).toLowerCase(),
    Tables: input.strings('Tables', { min: 1 }, nameLimits).map((name) => name.toLowerCase()),
  }
}

function s3Target(input: InputMembers): S3Target {
  input.refuse(['ConnectionName', 'EventQueueArn', 'DlqEventQueueArn'], unsupportedMember)
  const path = input.string('Path')
  if (parseLocation(path) === undefined)
    throw invalidInput(`The S3 target path '${path}' is not s3://bucket/prefix.`)
  const exclusions = input.optionalStrings('Exclusions') ?? []
  for (const exclusion of exclusions) {
    try {
      exclusionPattern(exclusion)
    } catch (cause) {
      throw new ServiceError(
        'InvalidInputException',
        `The exclusion '${exclusion}' is not a valid glob pattern.`,
        {
          cause,
        },
      )
    }
  }
  const sampleSize = input.optionalInteger('SampleSize', { min: 1, max: 249 })
  return {
    Path: path,
    Exclusions: exclusions,
    ...(sampleSize === undefined ? {} : { SampleSize: sampleSize }),
  }
}

function schemaChangePolicy(
  input: InputMembers,
  former?: CrawlerDefinition,
): CrawlerDefinition['SchemaChangePolicy'] {
  const policy = input.optionalObject('SchemaChangePolicy')
  return {
    UpdateBehavior:
      policy?.optionalEnum('UpdateBehavior', ['LOG', 'UPDATE_IN_DATABASE']) ??
      former?.SchemaChangePolicy.UpdateBehavior ??
      'UPDATE_IN_DATABASE',
    DeleteBehavior:
      policy?.optionalEnum('DeleteBehavior', ['LOG', 'DELETE_FROM_DATABASE', 'DEPRECATE_IN_DATABASE']) ??
      former?.SchemaChangePolicy.DeleteBehavior ??
      'DEPRECATE_IN_DATABASE',
  }
}

function recrawlPolicy(input: InputMembers, former?: CrawlerDefinition): CrawlerDefinition['RecrawlPolicy'] {
  const behavior = input
    .optionalObject('RecrawlPolicy')
    ?.optionalEnum('RecrawlBehavior', ['CRAWL_EVERYTHING', 'CRAWL_NEW_FOLDERS_ONLY', 'CRAWL_EVENT_MODE'])
  if (behavior === 'CRAWL_EVENT_MODE') throw unsupportedMember('RecrawlBehavior CRAWL_EVENT_MODE')
  return { RecrawlBehavior: behavior ?? former?.RecrawlPolicy.RecrawlBehavior ?? 'CRAWL_EVERYTHING' }
}

/** What is accepted in Configuration, by path. */
const configurationChoices: Readonly<Record<string, (value: unknown) => boolean>> = {
  Version: (value) => value === 1,
  CreatePartitionIndex: (value) => value === false,
  'CrawlerOutput.Partitions.AddOrUpdateBehavior': (value) => value === 'InheritFromTable',
  'CrawlerOutput.Tables.AddOrUpdateBehavior': (value) => value === 'MergeNewColumns',
  'Grouping.TableGroupingPolicy': (value) => value === 'CombineCompatibleSchemas',
  'Grouping.TableLevelConfiguration': (value) => Number.isInteger(value) && Number(value) > 0,
}

/** Reads the Configuration of a crawler. @throws InvalidInputException or UnsupportedOperationException */
export function crawlerOutputOf(definition: Pick<CrawlerDefinition, 'Configuration'>): CrawlerOutput {
  const settings = new Map<string, unknown>()
  if (definition.Configuration !== undefined) {
    try {
      collectSettings(JSON.parse(definition.Configuration), '', settings)
    } catch (cause) {
      throw new ServiceError('InvalidInputException', 'The crawler Configuration is not valid JSON.', {
        cause,
      })
    }
  }
  for (const [path, value] of settings) {
    if (configurationChoices[path]?.(value) === true) continue
    throw unsupportedMember(`Configuration ${path} = ${JSON.stringify(value)}`)
  }
  return {
    partitionsInheritFromTable: settings.has('CrawlerOutput.Partitions.AddOrUpdateBehavior'),
    mergeNewColumns: settings.has('CrawlerOutput.Tables.AddOrUpdateBehavior'),
    combineSchemas: settings.has('Grouping.TableGroupingPolicy'),
    tableLevel: settings.get('Grouping.TableLevelConfiguration') as number | undefined,
  }
}

function collectSettings(value: unknown, path: string, settings: Map<string, unknown>): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    settings.set(path, value)
    return
  }
  for (const [name, inner] of Object.entries(value)) {
    collectSettings(inner, path === '' ? name : `${path}.${name}`, settings)
  }
}

const invalidInput = (message: string): ServiceError => new ServiceError('InvalidInputException', message)
