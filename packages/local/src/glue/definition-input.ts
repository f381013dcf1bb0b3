import { ServiceError } from '../http/json-service.ts'
import type {
  GlueColumn,
  GlueDatabase,
  PartitionDefinition,
  SerDeInfo,
  StorageDescriptor,
  TableDefinition,
} from './catalog-model.ts'
import type { InputMembers } from './input-members.ts'

export const nameLimits = { min: 1, max: 255 } as const
const parameterLimits = { key: { min: 1, max: 255 }, value: { max: 512_000 } } as const

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
    Description: input.optionalString('Description', { max: 2048 }),
    LocationUri: input.optionalString('LocationUri', { min: 1, max: 1024 }),
    Parameters: input.optionalStringMap('Parameters', parameterLimits),
  })
}

/** Reads a TableInput. */
export function tableDefinition(input: InputMembers): TableDefinition {
  input.refuse(['TargetTable', 'FederatedTable', 'ViewDefinition'], unsupportedMember)
  const descriptor = input.optionalObject('StorageDescriptor')
  return withoutUndefined({
    Name: input.string('Name', nameLimits),
    Description: input.optionalString('Description', { max: 2048 }),
    Owner: input.optionalString('Owner', nameLimits),
    LastAccessTime: input.optionalNumber('LastAccessTime'),
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
    Values: input.optionalStrings('Values', {}, { max: 1024 }) ?? [],
    LastAccessTime: input.optionalNumber('LastAccessTime'),
    StorageDescriptor: descriptor === undefined ? undefined : storageDescriptor(descriptor),
    Parameters: input.optionalStringMap('Parameters', parameterLimits),
  })
}

function storageDescriptor(input: InputMembers): StorageDescriptor {
  input.refuse(['AdditionalLocations', 'SkewedInfo', 'SchemaReference'], unsupportedMember)
  const serDe = input.optionalObject('SerdeInfo')
  return withoutUndefined({
    Columns: columns(input, 'Columns'),
    Location: input.optionalString('Location', { max: 2056 }),
    InputFormat: input.optionalString('InputFormat', { max: 128 }),
    OutputFormat: input.optionalString('OutputFormat', { max: 128 }),
    Compressed: input.optionalBoolean('Compressed'),
    NumberOfBuckets: input.optionalInteger('NumberOfBuckets'),
    SerdeInfo: serDe === undefined ? undefined : serDeInfo(serDe),
    BucketColumns: input.optionalStrings('BucketColumns', {}, nameLimits),
    SortColumns: input.optionalObjects('SortColumns')?.map((column) => ({
      Column: column.string('Column', nameLimits),
      SortOrder: column.optionalInteger('SortOrder', { min: 0, max: 1 }),
    })),
    Parameters: input.optionalStringMap('Parameters', parameterLimits),
    StoredAsSubDirectories: input.optionalBoolean('StoredAsSubDirectories'),
  })
}

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
      Type: column.optionalString('Type', { max: 131_072 }),
      Comment: column.optionalString('Comment', { max: 255 }),
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
