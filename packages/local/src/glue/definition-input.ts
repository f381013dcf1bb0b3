import { ServiceError } from '../http/json-service.ts'
import type {
  GlueColumn,
  GlueDatabase,
  PartitionDefinition,
  SerDeInfo,
  StorageDescriptor,
  TableDefinition,
} from './catalog-model.ts'
import type { InputMembers, TextPattern } from './input-members.ts'

/** Text without control characters other than tab. */
export const singleLine: TextPattern = {
  test: /^[\t\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]*$/u,
  source: '[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\t]*',
}
/** The same over several lines. */
const multiLine: TextPattern = {
  test: /^[\t\r\n\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]*$/u,
  source: '[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\r\\n\\t]*',
}
export const nameLimits = { min: 1, max: 255, pattern: singleLine } as const
export const partitionValueLimits = { min: 1, max: 1024 } as const
export const uriLimits = { min: 1, max: 1024, pattern: multiLine } as const
export const predicateLimits = { max: 2048, pattern: multiLine } as const
const descriptionLimits = { max: 2048, pattern: multiLine } as const
const formatLimits = { max: 128, pattern: singleLine } as const
const parameterLimits = { key: nameLimits, value: { max: 512_000 } } as const

const permissions = [
  'ALL',
  'SELECT',
  'ALTER',
  'DROP',
  'DELETE',
  'INSERT',
  'CREATE_DATABASE',
  'CREATE_TABLE',
  'DATA_LOCATION_ACCESS',
] as const

/** The refusal of a member Glue has and the local stack does not. */
export function unsupportedMember(member: string): ServiceError {
  return new ServiceError(
    'UnsupportedOperationException',
    `The member ${member} is not supported: the local stack does not have it.`,
  )
}

/** Reads a DatabaseInput. */
export function databaseDefinition(input: InputMembers): Omit<GlueDatabase, 'CreateTime'> {
  input.refuse(['TargetDatabase', 'FederatedDatabase'], unsupportedMember)
  return withoutUndefined({
    Name: input.string('Name', nameLimits),
    Description: input.optionalString('Description', descriptionLimits),
    LocationUri: input.optionalString('LocationUri', uriLimits),
    Parameters: input.optionalStringMap('Parameters', parameterLimits),
    CreateTableDefaultPermissions: input.optionalObjects('CreateTableDefaultPermissions')?.map((one) =>
      withoutUndefined({
        Principal: principal(one.optionalObject('Principal')),
        Permissions: one.optionalEnums('Permissions', permissions),
      }),
    ),
  })
}

const principal = (input: InputMembers | undefined) =>
  input === undefined
    ? undefined
    : withoutUndefined({
        DataLakePrincipalIdentifier: input.optionalString('DataLakePrincipalIdentifier', {
          min: 1,
          max: 255,
        }),
      })

/** Reads a TableInput. */
export function tableDefinition(input: InputMembers): TableDefinition {
  input.refuse(['TargetTable', 'FederatedTable', 'ViewDefinition'], unsupportedMember)
  const descriptor = input.optionalObject('StorageDescriptor')
  return withoutUndefined({
    Name: input.string('Name', nameLimits),
    Description: input.optionalString('Description', descriptionLimits),
    Owner: input.optionalString('Owner', nameLimits),
    LastAccessTime: input.optionalNumber('LastAccessTime'),
    LastAnalyzedTime: input.optionalNumber('LastAnalyzedTime'),
    Retention: input.optionalInteger('Retention', { min: 0 }),
    StorageDescriptor: descriptor === undefined ? undefined : storageDescriptor(descriptor),
    PartitionKeys: columns(input, 'PartitionKeys'),
    ViewOriginalText: input.optionalString('ViewOriginalText', { max: 409_600 }),
    ViewExpandedText: input.optionalString('ViewExpandedText', { max: 409_600 }),
    TableType: input.optionalString('TableType', { max: 255 }),
    Parameters: input.optionalStringMap('Parameters', parameterLimits),
  })
}

/** Reads a PartitionInput. */
export function partitionDefinition(input: InputMembers): PartitionDefinition {
  const descriptor = input.optionalObject('StorageDescriptor')
  return withoutUndefined({
    Values: input.optionalStrings('Values', {}, partitionValueLimits) ?? [],
    LastAccessTime: input.optionalNumber('LastAccessTime'),
    LastAnalyzedTime: input.optionalNumber('LastAnalyzedTime'),
    StorageDescriptor: descriptor === undefined ? undefined : storageDescriptor(descriptor),
    Parameters: input.optionalStringMap('Parameters', parameterLimits),
  })
}

function storageDescriptor(input: InputMembers): StorageDescriptor {
  input.refuse(['AdditionalLocations', 'SchemaReference'], unsupportedMember)
  const serDe = input.optionalObject('SerdeInfo')
  const skewed = input.optionalObject('SkewedInfo')
  return withoutUndefined({
    Columns: columns(input, 'Columns'),
    Location: input.optionalString('Location', { max: 2056, pattern: multiLine }),
    InputFormat: input.optionalString('InputFormat', formatLimits),
    OutputFormat: input.optionalString('OutputFormat', formatLimits),
    Compressed: input.optionalBoolean('Compressed'),
    NumberOfBuckets: input.optionalInteger('NumberOfBuckets'),
    SerdeInfo: serDe === undefined ? undefined : serDeInfo(serDe),
    BucketColumns: input.optionalStrings('BucketColumns', {}, nameLimits),
    SortColumns: input.optionalObjects('SortColumns')?.map((column) => ({
      Column: column.string('Column', nameLimits),
      SortOrder: column.integer('SortOrder', { min: 0, max: 1 }),
    })),
    Parameters: input.optionalStringMap('Parameters', parameterLimits),
    SkewedInfo: skewed === undefined ? undefined : skewedInfo(skewed),
    StoredAsSubDirectories: input.optionalBoolean('StoredAsSubDirectories'),
  })
}

const skewedInfo = (input: InputMembers) =>
  withoutUndefined({
    SkewedColumnNames: input.optionalStrings('SkewedColumnNames', {}, nameLimits),
    SkewedColumnValues: input.optionalStrings('SkewedColumnValues'),
    SkewedColumnValueLocationMaps: input.optionalStringMap('SkewedColumnValueLocationMaps'),
  })

function serDeInfo(input: InputMembers): SerDeInfo {
  return withoutUndefined({
    Name: input.optionalString('Name', nameLimits),
    SerializationLibrary: input.optionalString('SerializationLibrary', nameLimits),
    Parameters: input.optionalStringMap('Parameters', parameterLimits),
  })
}

function columns(input: InputMembers, member: string): readonly GlueColumn[] | undefined {
  return input.optionalObjects(member)?.map((column) =>
    withoutUndefined({
      Name: column.string('Name', nameLimits),
      Type: column.optionalString('Type', { max: 131_072, pattern: singleLine }),
      Comment: column.optionalString('Comment', { max: 255, pattern: singleLine }),
      Parameters: column.optionalStringMap('Parameters', parameterLimits),
    }),
  )
}

type Defined<Shape> = {
  [Member in keyof Shape as undefined extends Shape[Member] ? never : Member]: Shape[Member]
} & {
  [Member in keyof Shape as undefined extends Shape[Member] ? Member : never]?: Exclude<
    Shape[Member],
    undefined
  >
}

/** The same object without the members that are undefined. */
export function withoutUndefined<Shape extends object>(shape: Shape): Defined<Shape> {
  return Object.fromEntries(
    Object.entries(shape).filter(([, value]) => value !== undefined),
  ) as Defined<Shape>
}
