import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Column } from './column.ts'
import type { ColumnDefinition, ColumnType, PartitionDefinition } from './column-type.ts'
import { deepFreeze } from './deep-freeze.ts'
import { ConfigurationError } from './errors.ts'
import { fingerprintOf } from './fingerprint.ts'
import type {
  CheckedPartitions,
  ColumnRecord,
  InputOf,
  PartitionOf,
  PartitionRecord,
  RowOf,
  Simplify,
} from './infer.ts'
import { validateRow } from './row-validation.ts'
import { checkDefinition } from './table-check.ts'

/** How data files are written; part of the fingerprint. */
export interface FileFormat {
  readonly kind: 'parquet'
}

/** The serialised form of a table definition; `tableFromJSON` reads it. */
export interface TableJSON {
  readonly formatVersion: 1
  readonly name: string
  readonly columns: readonly ColumnDefinition[]
  readonly partitions: readonly PartitionDefinition[]
  readonly fileFormat: FileFormat
}

declare const types: unique symbol

/**
 * What a table is: columns, partitions and file format. Frozen and serialisable.
 *
 * It implements Standard Schema v1: validating checks a row as a producer may pass it.
 */
export class TableDefinition<
  Columns extends ColumnRecord = ColumnRecord,
  Partitions extends PartitionRecord = PartitionRecord,
  Name extends string = string,
> implements StandardSchemaV1<InputOf<Columns>, InputOf<Columns>>
{
  declare readonly [types]: { readonly columns: Columns; readonly partitions: Partitions }
  readonly name: Name
  readonly columns: readonly ColumnDefinition[]
  readonly partitions: readonly PartitionDefinition[]
  readonly fileFormat: FileFormat
  /** 16 hex digits over columns, partitions and file format; never over name, database or location. */
  readonly fingerprint: string

  /** Use `defineTable` or `tableFromJSON`. */
  constructor(json: TableJSON) {
    checkDefinition(json)
    this.name = json.name as Name
    this.columns = deepFreeze(json.columns.map((column) => structuredClone(column)))
    this.partitions = deepFreeze(json.partitions.map((partition) => ({ ...partition })))
    this.fileFormat = Object.freeze({ ...json.fileFormat })
    this.fingerprint = fingerprintOf(this)
    Object.freeze(this)
  }

  /** The column of that name. Throws a `ConfigurationError` when there is none. */
  column(name: string): ColumnDefinition {
    const column = this.columns.find((candidate) => candidate.name === name)
    if (column) return column
    throw new ConfigurationError({
      code: 'COLUMN_UNKNOWN',
      message: `Table ${this.name} has no column '${name}'; it has ${this.columns.map((c) => c.name).join(', ')}.`,
    })
  }

  /**
   * The table bound to one environment.
   *
   * @param binding `database`: the Glue database; `location`: `s3://bucket/prefix/` (a missing `/` at the end is added)
   */
  at(binding: {
    readonly database: string
    readonly location: string
  }): BoundTable<Columns, Partitions, Name> {
    return new BoundTable(this, binding)
  }

  toJSON(): TableJSON {
    return {
      formatVersion: 1,
      name: this.name,
      columns: this.columns,
      partitions: this.partitions,
      fileFormat: this.fileFormat,
    }
  }

  get '~standard'(): StandardSchemaV1.Props<InputOf<Columns>, InputOf<Columns>> {
    return {
      version: 1,
      vendor: 'stockpipe',
      validate: (value) => {
        const issues = validateRow(this, value)
        return issues.length === 0 ? { value: value as InputOf<Columns> } : { issues }
      },
    }
  }
}

/** A table definition bound to a Glue database and a location on S3. */
export class BoundTable<
  Columns extends ColumnRecord = ColumnRecord,
  Partitions extends PartitionRecord = PartitionRecord,
  Name extends string = string,
> {
  readonly table: TableDefinition<Columns, Partitions, Name>
  readonly database: string
  /** `s3://bucket/prefix/`, always with the slash at its end. */
  readonly location: string
  readonly bucket: string
  /** The key prefix of the location; empty or ending in a slash. */
  readonly prefix: string

  constructor(
    table: TableDefinition<Columns, Partitions, Name>,
    binding: { database: string; location: string },
  ) {
    const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(binding.location)
    if (!match) {
      throw new ConfigurationError({
        code: 'LOCATION_INVALID',
        message: `The location of table ${table.name} is "s3://bucket/prefix/", not "${binding.location}".`,
      })
    }
    if (!/^[a-z0-9_]{1,255}$/.test(binding.database)) {
      throw new ConfigurationError({
        code: 'DATABASE_NAME_INVALID',
        message: `"${binding.database}" cannot be a Glue database: use lower-case letters, digits and underscores.`,
      })
    }
    const prefix = match[2] ?? ''
    this.table = table
    this.database = binding.database
    this.bucket = match[1]!
    this.prefix = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`
    this.location = `s3://${this.bucket}/${this.prefix}`
    Object.freeze(this)
  }
}

/**
 * Defines a table from its columns and partitions; the order of the partitions is the order of the path.
 *
 * Throws a `ConfigurationError` for what the compiler could not see: names Glue refuses, unknown time zones.
 */
export const defineTable = <
  const Columns extends ColumnRecord,
  const Partitions extends PartitionRecord = Record<never, never>,
  const Name extends string = string,
>(
  name: Name,
  definition: {
    readonly columns: Columns
    readonly partitions?: Partitions extends CheckedPartitions<Columns, Partitions>
      ? Partitions
      : CheckedPartitions<Columns, Partitions>
  },
): TableDefinition<Columns, Partitions, Name> =>
  new TableDefinition<Columns, Partitions, Name>({
    formatVersion: 1,
    name,
    columns: Object.entries(definition.columns).map(([columnName, column], index) =>
      columnDefinition(index + 1, columnName, column),
    ),
    partitions: Object.entries(definition.partitions ?? {}).map(([partitionName, partition]) => ({
      name: partitionName,
      ...(partition as PartitionRecord[string]),
    })),
    fileFormat: { kind: 'parquet' },
  })

/** A table definition read from its serialised form. Throws a `ConfigurationError` when it is not one. */
export const tableFromJSON = (json: unknown): TableDefinition => {
  const version = (json as { formatVersion?: unknown } | null)?.formatVersion
  if (version !== 1) {
    throw new ConfigurationError({
      code: 'TABLE_FORMAT_VERSION',
      message: `A table definition of format version ${String(version)} cannot be read here; this package reads version 1.`,
    })
  }
  return new TableDefinition(json as TableJSON)
}

const columnDefinition = (id: number, name: string, column: Column): ColumnDefinition => ({
  id,
  name,
  type: column.type as ColumnType,
  nullable: column.isNullable,
  ...(column.metadata ? { metadata: column.metadata } : {}),
})

type AnyTable = TableDefinition<ColumnRecord, PartitionRecord>
type ColumnsOf<T> = T extends { readonly [types]: { readonly columns: infer Columns extends ColumnRecord } }
  ? Columns
  : never
type PartitionsOf<T> = T extends {
  readonly [types]: { readonly partitions: infer P extends PartitionRecord }
}
  ? P
  : never
type TableOf<T> =
  T extends BoundTable<infer Columns, infer Partitions> ? TableDefinition<Columns, Partitions> : T

/** What a producer may pass for a row of the table. */
export type InferInput<T extends AnyTable | BoundTable> = InputOf<ColumnsOf<TableOf<T>>>
/** What a row decodes to. */
export type InferRow<T extends AnyTable | BoundTable> = RowOf<ColumnsOf<TableOf<T>>>
/** The partition values of a row. */
export type InferPartition<T extends AnyTable | BoundTable> = PartitionOf<
  ColumnsOf<TableOf<T>>,
  PartitionsOf<TableOf<T>>
>
/** A row as Athena returns it: columns and partition values. */
export type InferSelect<T extends AnyTable | BoundTable> = Simplify<InferRow<T> & InferPartition<T>>
