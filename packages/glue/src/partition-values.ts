import {
  type BoundTable,
  ConfigurationError,
  defaultPartitionName,
  type PartitionRecord,
  partitionPath,
} from '@stockpipe/core'

/** The values of a partition by name; null (or the empty text) is `__HIVE_DEFAULT_PARTITION__`. */
export type PartitionValues<Partitions extends PartitionRecord = PartitionRecord> = {
  readonly [Name in keyof Partitions]: string | null
}

/** Values as the catalog keeps them: texts in the order of the partition keys. */
export type CatalogValues = readonly string[]

/** Glue's limits on a value and on a location, in characters. */
const longestValue = 1024
const longestLocation = 2056

/** What a partition's texts are in the catalog. */
export const catalogValues = (values: readonly (string | null)[]): string[] =>
  values.map((value) => (value === null || value === '' ? defaultPartitionName : value))

/** One text for the values, the same for values the catalog takes as the same. */
export const keyOf = (values: readonly (string | null)[]): string => JSON.stringify(catalogValues(values))

/** A location with one slash at its end, as locations are compared. */
export const withSlash = (location: string | undefined): string => `${(location ?? '').replace(/\/+$/, '')}/`

/** What is asked of a table to name it and its partitions: bound, or as a plan has it. */
export interface NamedTable {
  readonly database: string
  readonly table: { readonly name: string; readonly partitions: readonly { readonly name: string }[] }
}

/** `market.trades`, for messages. */
export const tableName = (bound: NamedTable): string => `${bound.database}.${bound.table.name}`

/** `trade_date=2024-01-02/ticker=IBM`, for messages: unescaped. */
export const shownPartition = (bound: NamedTable, values: readonly (string | null)[]): string =>
  catalogValues(values)
    .map((value, index) => `${bound.table.partitions[index]?.name ?? '?'}=${value}`)
    .join('/')

/** The values in the catalog's order. Throws a `ConfigurationError` for names and values that cannot be. */
export const orderedValues = (bound: BoundTable, values: PartitionValues): CatalogValues => {
  const { partitions } = requirePartitions(bound)
  const names = partitions.map(({ name }) => name)
  const unknown = Object.keys(values).filter((name) => !names.includes(name))
  const missing = names.filter((name) => values[name] === undefined)
  if (unknown.length > 0 || missing.length > 0) {
    throw invalid(
      `A partition of table ${tableName(bound)} has a value for each of ${names.join(', ')}; got ${JSON.stringify(values)}.`,
    )
  }
  return checkedValues(
    bound,
    names.map((name) => values[name] ?? null),
  )
}

/** Values Glue takes, in its order. Throws a `ConfigurationError` for one it would refuse the whole call for. */
export const checkedValues = (bound: BoundTable, values: readonly (string | null)[]): CatalogValues => {
  const listed = catalogValues(values)
  listed.forEach((value, index) => {
    if (typeof value !== 'string' || value.length > longestValue) {
      throw invalid(
        `The value of partition '${bound.table.partitions[index]?.name}' of table ${tableName(bound)} is a text of at most ${longestValue} characters, as Glue keeps it; got ${String(value).slice(0, 60)}.`,
      )
    }
  })
  return listed
}

/** The values by name, null for the default partition. */
export const namedValues = <Partitions extends PartitionRecord>(
  bound: BoundTable,
  values: CatalogValues,
): PartitionValues<Partitions> =>
  Object.fromEntries(
    bound.table.partitions.map(({ name }, index) => {
      const value = values[index]
      return [name, value === undefined || value === defaultPartitionName ? null : value]
    }),
  ) as PartitionValues<Partitions>

/** `s3://bucket/prefix/name=value/`, where the sink puts the files of a partition. */
export const defaultLocation = (bound: BoundTable, values: CatalogValues): string =>
  `${bound.location}${partitionPath(
    bound.table.partitions,
    values.map((value) => (value === defaultPartitionName ? null : value)),
  )}`

/** A location Glue takes, with its slash. Throws a `ConfigurationError` for another. */
export const checkedLocation = (bound: BoundTable, location: string): string => {
  if (!/^s3:\/\/[^/]+\//.test(location) || location.length >= longestLocation) {
    throw invalid(
      `The location of a partition of table ${tableName(bound)} is s3://bucket/prefix/ of at most ${longestLocation} characters, not "${location.slice(0, 200)}".`,
    )
  }
  return withSlash(location)
}

/** The table's definition. Throws a `ConfigurationError` when it has no partitions. */
export const requirePartitions = (bound: BoundTable) => {
  if (bound.table.partitions.length === 0) {
    throw invalid(`Table ${tableName(bound)} has no partitions.`)
  }
  return bound.table
}

const invalid = (message: string) => new ConfigurationError({ code: 'PARTITION_INVALID', message })
