import {
  boundTable,
  type ColumnRecord,
  ConfigurationError,
  type PartitionRecord,
  systemRuntime,
} from '@stockpipe/core'
import { isProjected } from './catalog-table.ts'
import { type CatalogColumn, type ColumnChange, catalogColumns, checkEvolution } from './check-evolution.ts'
import { listPartitions } from './list-partitions.ts'
import type { PartitionOptions } from './partition-request.ts'
import { keyOf, orderedValues, type PartitionValues, shownPartition } from './partition-values.ts'
import { findTable } from './plan-tables.ts'

/** The columns in the footer of one Parquet file, by the types of the catalog. */
export interface FileColumns<Partitions extends PartitionRecord = PartitionRecord> {
  /** Which file, for the report: its key or address. */
  readonly file: string
  /** The partition it is in; left out for a table without partitions. */
  readonly values?: PartitionValues<Partitions>
  readonly columns: readonly CatalogColumn[]
  /** Why its footer cannot be read, or has a column that Athena has no type for. */
  readonly unreadable?: string
}

export interface CheckDriftOptions<Columns extends ColumnRecord, Partitions extends PartitionRecord>
  extends PartitionOptions<Columns, Partitions> {
  /** Whatever reads footers: all files, or a sample of them. Default none. */
  readonly files?: Iterable<FileColumns<Partitions>> | AsyncIterable<FileColumns<Partitions>>
}

/** One place whose columns are not those that read it, and what queries make of that. */
export interface SchemaDrift {
  /** Whose columns: the catalog's table, one of its partitions, or a file. */
  readonly kind: 'table' | 'partition' | 'file'
  /** `market.trades`, `trade_date=2024-01-02/ticker=IBM`, or the file. */
  readonly place: string
  /** From the columns of the place to those that it is read by: the definition's, the table's, the partition's. */
  readonly changes: readonly ColumnChange[]
  /** Of a file that queries end at, whatever its columns: why. */
  readonly unreadable?: string
}

export interface DriftReport {
  /** True when nothing has drifted. */
  readonly ok: boolean
  readonly drifts: readonly SchemaDrift[]
  readonly partitions: number
  readonly files: number
}

/**
 * Compares the columns of the definition, of the catalog's table, of each registered partition and of files, by the rules of
 * `checkEvolution`. A partition or file that lacks a new column is no drift, for its rows have NULL there, nor is a file of an
 * older type that is read as it is. A partition of another type is, a file that queries fail on or read otherwise, and one
 * with a column that its table does not have. Partitions without a list of columns are read by the table's. Writes nothing.
 *
 * Throws a `ConfigurationError` when the catalog has no such table, a `GlueRequestError`, and `signal.reason`.
 */
export const checkDrift = async <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  options: CheckDriftOptions<Columns, Partitions>,
): Promise<DriftReport> => {
  const { client, signal, runtime = systemRuntime } = options
  const table = boundTable(options.table)
  const name = `${table.database}.${table.table.name}`
  const existing = await findTable({ client, runtime, signal }, table.database, table.table.name)
  if (existing === undefined) {
    throw new ConfigurationError({
      code: 'TABLE_UNKNOWN',
      message: `The catalog has no table ${name} to compare; make it with applyPlan() or ensureTable().`,
    })
  }
  const inCatalog: readonly CatalogColumn[] = (existing.StorageDescriptor?.Columns ?? []).map(
    ({ Name, Type }) => ({
      name: Name ?? '',
      type: Type ?? '',
    }),
  )
  const drifts: SchemaDrift[] = []
  const changesOf = evolutions()
  const compare = (
    drift: Omit<SchemaDrift, 'changes'>,
    has: readonly CatalogColumn[],
    readBy: Parameters<typeof checkEvolution>[1],
    partitionSchemas: 'own' | 'none',
  ) => {
    const changes = changesOf(drift.kind, has, readBy, partitionSchemas)
    if (changes.length > 0) drifts.push({ ...drift, changes })
  }
  compare({ kind: 'table', place: name }, inCatalog, catalogColumns(table), 'none')

  let partitions = 0
  /** Lists that are not the table's, by partition; those that are the same are one. */
  const others = new Map<string, readonly CatalogColumn[]>()
  const lists = new Map([[JSON.stringify(inCatalog), inCatalog]])
  if (table.table.partitions.length > 0 && !isProjected(existing.Parameters)) {
    const { files: _, ...list } = options
    for await (const { values, columns = [] } of listPartitions({ ...list, columns: true })) {
      partitions += 1
      if (columns.length === 0) continue
      const listed = JSON.stringify(columns)
      const own = lists.get(listed) ?? columns
      lists.set(listed, own)
      if (own === inCatalog) continue
      const ordered = orderedValues(table, values as PartitionValues)
      others.set(keyOf(ordered), own)
      compare({ kind: 'partition', place: shownPartition(table, ordered) }, own, inCatalog, 'own')
    }
  }
  let files = 0
  for await (const { file, values, columns, unreadable } of options.files ?? []) {
    signal?.throwIfAborted()
    files += 1
    if (unreadable !== undefined) {
      drifts.push({ kind: 'file', place: file, changes: [], unreadable })
      continue
    }
    const own = values && others.get(keyOf(orderedValues(table, values as PartitionValues)))
    // A file is read by the types of its partition; columns that this lacks are read by the table's.
    const readBy = own
      ? inCatalog.map((column) => own.find(({ name }) => sameName(name, column.name)) ?? column)
      : inCatalog
    compare({ kind: 'file', place: file }, columns, readBy, 'none')
  }
  return { ok: drifts.length === 0, drifts, partitions, files }
}

/** So many comparisons are remembered: files and partitions of one time have the same columns. */
const rememberedComparisons = 1000

/** The changes that are drift, of which equal ones are one and the same. */
const evolutions = () => {
  const known = new Map<string, readonly ColumnChange[]>()
  return (
    kind: SchemaDrift['kind'],
    has: readonly CatalogColumn[],
    readBy: Parameters<typeof checkEvolution>[1],
    partitionSchemas: 'own' | 'none',
  ): readonly ColumnChange[] => {
    const key = JSON.stringify([kind, has, readBy])
    const remembered = known.get(key)
    if (remembered !== undefined) return remembered
    const { changes } = checkEvolution(has, readBy, { partitionSchemas })
    const drift = changes.filter(isDrift[kind])
    const told = kind === 'partition' ? drift.map(ofNewFiles) : drift
    if (known.size < rememberedComparisons) known.set(key, told)
    return told
  }
}

/** An older partition does its harm to files that are newer than it. */
const ofNewFiles = (change: ColumnChange): ColumnChange =>
  change.outcome === 'read'
    ? { ...change, reason: 'old files are read; files of the new type end queries with an error there' }
    : change.outcome === 'null'
      ? { ...change, reason: 'the new field is NULL there in new files too, without an error' }
      : change

const sameName = (one: string, other: string) => one.toLowerCase() === other.toLowerCase()

/** Columns are found by name, so that of those only in one of the two a file's matter: nobody reads them. */
const isDrift: Readonly<Record<SchemaDrift['kind'], (change: ColumnChange) => boolean>> = {
  table: () => true,
  partition: ({ kind }) => kind === 'retyped',
  file: ({ outcome }) => outcome === 'error' || outcome === 'lossy' || outcome === 'hidden',
}
