import type { GlueColumn, GlueTable, PartitionIndex, TableDefinition } from './catalog-model.ts'
import { partitionValueOf } from './partition-value.ts'

/** How long an index is being made, or removed, for those who look at it. */
const changeMillis = 200

/** Partitions named at most for a backfill error. */
const namedPartitions = 10

/** What GetPartitionIndexes tells of an index; undefined once its removal is over. */
export function descriptorOf(index: PartitionIndex, table: GlueTable, nowMillis: number) {
  const status = statusOf(index, nowMillis)
  if (status === undefined) return undefined
  return {
    IndexName: index.IndexName,
    Keys: keysOf(index, table).map((key) => ({ Name: key.Name, Type: key.Type ?? 'string' })),
    IndexStatus: status,
    ...(status === 'FAILED' ? { BackfillErrors: index.BackfillErrors } : {}),
  }
}

/** The state an index is in; undefined once its removal is over. */
export function statusOf(
  index: PartitionIndex,
  nowMillis: number,
): 'CREATING' | 'ACTIVE' | 'FAILED' | 'DELETING' | undefined {
  const isChanging = nowMillis - index.changedAtMillis < changeMillis
  if (index.deleting === true) return isChanging ? 'DELETING' : undefined
  if (isChanging) return 'CREATING'
  return index.BackfillErrors === undefined ? 'ACTIVE' : 'FAILED'
}

/** The partition keys an index can be made of: text, integers and days. */
export const isIndexable = (type: string): boolean =>
  /^(string|char\(.*|varchar\(.*|tinyint|smallint|int|integer|bigint|long|date)$/.test(type.toLowerCase())

/** What keeps the partitions there are out of an index. */
export function backfillErrorsOf(
  keys: readonly string[],
  table: GlueTable,
  partitions: readonly (readonly string[])[],
): PartitionIndex['BackfillErrors'] {
  const errors = (['INVALID_PARTITION_TYPE_DATA_ERROR', 'UNSUPPORTED_PARTITION_CHARACTER_ERROR'] as const)
    .map((Code) => ({
      Code,
      Partitions: partitions
        .filter((values) => problemOf(values, keys, table) === Code)
        .slice(0, namedPartitions)
        .map((Values) => ({ Values })),
    }))
    .filter(({ Partitions }) => Partitions.length > 0)
  return errors.length === 0 ? undefined : errors
}

/** False for values that an index of the table cannot hold. */
export function fitsIndexes(
  values: readonly string[],
  table: GlueTable,
  indexes: readonly PartitionIndex[],
): boolean {
  return indexes.filter(isInForce).every((index) => problemOf(values, index.Keys, table) === undefined)
}

/** False where a new definition takes away, or gives another type to, a key that is in an index. */
export function keepsIndexes(
  definition: TableDefinition,
  current: GlueTable,
  indexes: readonly PartitionIndex[],
): boolean {
  const typeIn = (table: TableDefinition, name: string): string | undefined =>
    table.PartitionKeys?.find((key) => key.Name.toLowerCase() === name)?.Type
  const isThere = (name: string): boolean =>
    definition.PartitionKeys?.some((key) => key.Name.toLowerCase() === name) === true
  return indexes
    .filter(isInForce)
    .flatMap((index) => index.Keys)
    .every((name) => isThere(name) && typeIn(definition, name) === typeIn(current, name))
}

const isInForce = (index: PartitionIndex): boolean =>
  index.deleting !== true && index.BackfillErrors === undefined

const keysOf = (index: PartitionIndex, table: GlueTable): readonly GlueColumn[] =>
  index.Keys.flatMap((name) => table.PartitionKeys?.find((key) => key.Name.toLowerCase() === name) ?? [])

function problemOf(values: readonly string[], keys: readonly string[], table: GlueTable) {
  for (const name of keys) {
    const at = (table.PartitionKeys ?? []).findIndex((key) => key.Name.toLowerCase() === name)
    const value = values[at] ?? ''
    const type = (table.PartitionKeys?.[at]?.Type ?? 'string').toLowerCase()
    if (/[\u0000-\u0002]/.test(value)) return 'UNSUPPORTED_PARTITION_CHARACTER_ERROR'
    if (partitionValueOf(value, type) === undefined) return 'INVALID_PARTITION_TYPE_DATA_ERROR'
  }
  return undefined
}
