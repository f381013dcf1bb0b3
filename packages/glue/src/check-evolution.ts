import type { ColumnDefinition } from '@stockpipe/core'
import { glueColumnType } from './column-type.ts'
import { foldHiveType, parseHiveType } from './hive-type.ts'
import {
  type PartitionSchemas,
  type ReadErrorName,
  type ReadOutcome,
  typeEvolution,
} from './type-evolution.ts'

/** The columns of a table in one of its versions: a definition, or names and types as the catalog has them. */
export type ColumnsToCheck = DefinedColumns | { readonly table: DefinedColumns } | readonly CatalogColumn[]

/** What is looked at of a table definition. */
export interface DefinedColumns {
  readonly columns: readonly ColumnDefinition[]
  readonly partitions?: readonly unknown[]
}

/** A column as the catalog has it, such as `{ name: 'price', type: 'decimal(18,4)' }`. */
export interface CatalogColumn {
  readonly name: string
  readonly type: string
}

/** One difference between two versions of a table's columns, and what it does to files written before. */
export type ColumnChange = ReadOutcome & {
  /** `price`, or a place within a nested type: `legs.element.price`. */
  readonly path: string
  readonly column: string
  readonly kind: 'added' | 'dropped' | 'retyped' | 'moved'
  /** The column's type before; undefined for an added one. */
  readonly before: string | undefined
  /** The column's type from then on; undefined for a dropped one. */
  readonly after: string | undefined
}

export interface SchemaEvolution {
  /** In the order of the new columns, dropped ones at the end. Empty when nothing differs. */
  readonly changes: readonly ColumnChange[]
  /** True when every value in old files is read as it was written, or is NULL in a column it never had. */
  readonly survives: boolean
  /** The errors that queries of old files end with, each once. */
  readonly errors: readonly ReadErrorName[]
}

export interface CheckEvolutionOptions {
  /**
   * `own` where partitions are registered: each keeps the columns it was registered with, and Athena compares them with the
   * table's. `none` for tables without partitions, and for projected ones. Default: `own` when `before` is the definition of a
   * table with partitions, else `none`.
   */
  readonly partitionSchemas?: PartitionSchemas
}

/**
 * What Athena makes of Parquet files written under `before` once the table has the columns of `after`. Columns are found by
 * name, as Athena does with Parquet; a column under a new name is one dropped and one added.
 */
export const checkEvolution = (
  before: ColumnsToCheck,
  after: ColumnsToCheck,
  options: CheckEvolutionOptions = {},
): SchemaEvolution => {
  const partitionSchemas = options.partitionSchemas ?? (hasPartitions(before) ? 'own' : 'none')
  const [old, next] = [catalogColumns(before), catalogColumns(after)]
  const changes: ColumnChange[] = []
  const dropped = old.filter(({ name }) => !next.some((column) => column.name === name))
  const kept = old.filter((column) => !dropped.includes(column))
  const keptInNewOrder = next.filter(({ name }) => kept.some((column) => column.name === name))
  for (const [index, column] of next.entries()) {
    const was = old.find(({ name }) => name === column.name)
    const base = { column: column.name, after: column.type }
    if (was === undefined) {
      changes.push({
        ...base,
        path: column.name,
        kind: 'added',
        before: undefined,
        outcome: 'null',
        reason: `NULL in rows of old files${renameOf(column, old[index], dropped)}`,
      })
      continue
    }
    const verdicts = typeEvolution(parseHiveType(was.type), parseHiveType(column.type), partitionSchemas)
    for (const verdict of verdicts) {
      const path = verdict.path === '' ? column.name : `${column.name}.${verdict.path}`
      changes.push({ ...base, ...verdict, path, kind: 'retyped', before: was.type })
    }
    if (kept.indexOf(was) !== keptInNewOrder.indexOf(column)) {
      changes.push({
        ...base,
        path: column.name,
        kind: 'moved',
        before: was.type,
        outcome: 'read',
        reason: 'Athena finds Parquet columns by name, whatever their order',
      })
    }
  }
  for (const column of dropped) {
    changes.push({
      path: column.name,
      column: column.name,
      kind: 'dropped',
      before: column.type,
      after: undefined,
      outcome: 'hidden',
      reason: 'no query sees the column any more; its values stay in the files',
    })
  }
  const errors = changes.flatMap((change) => (change.outcome === 'error' ? [change.error] : []))
  return {
    changes,
    survives: changes.every(({ outcome }) => outcome === 'read' || outcome === 'null'),
    errors: [...new Set(errors)],
  }
}

/** A column that came where another of its type went is likely that one renamed. */
const renameOf = (
  column: CatalogColumn,
  inItsPlace: CatalogColumn | undefined,
  dropped: readonly CatalogColumn[],
): string =>
  inItsPlace !== undefined && dropped.includes(inItsPlace) && inItsPlace.type === column.type
    ? `: if it is '${inItsPlace.name}' renamed, old values are not found under the new name`
    : ''

const hasPartitions = (columns: ColumnsToCheck): boolean => {
  const table = 'table' in columns ? columns.table : columns
  return 'partitions' in table && (table.partitions ?? []).length > 0
}

/** The columns as the catalog has them, names and types folded. */
export const catalogColumns = (columns: ColumnsToCheck): readonly CatalogColumn[] => {
  const list: readonly (CatalogColumn | ColumnDefinition)[] =
    'table' in columns ? columns.table.columns : 'columns' in columns ? columns.columns : columns
  return list.map(({ name, type }) => ({
    name: name.toLowerCase(),
    type: typeof type === 'string' ? foldHiveType(type) : glueColumnType(type),
  }))
}
