import {
  boundTable,
  type ColumnRecord,
  ConfigurationError,
  type PartitionRecord,
  systemRuntime,
} from '@stockpipe/core'
import { isProjected } from './catalog-table.ts'
import { type CatalogColumn, type ColumnChange, checkEvolution } from './check-evolution.ts'
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
 * `checkEvolution`. A partition or file that lacks a new column is no drift, for its rows have NULL there; one that has another
 * type is, and so is a file with a column that its table does not have. Writes nothing.
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
  const inCatalog = (existing.StorageDescriptor?.Columns ?? []).map(({ Name, Type }) => ({
    name: Name ?? '',
    type: Type ?? '',
  }))
  const drifts: SchemaDrift[] = []
  const compare = (
    drift: Omit<SchemaDrift, 'changes'>,
    has: readonly CatalogColumn[],
    readBy: Parameters<typeof checkEvolution>[1],
    partitionSchemas: 'own' | 'none',
  ) => {
    const { changes } = checkEvolution(has, readBy, { partitionSchemas })
    const told = drift.kind === 'table' ? changes : changes.filter(isDrift(drift.kind))
    if (told.length > 0) drifts.push({ ...drift, changes: told })
  }
  compare({ kind: 'table', place: name }, inCatalog, table, 'none')

  const projected = isProjected(existing.Parameters)
  const registered = new Map<string, readonly CatalogColumn[]>()
  if (table.table.partitions.length > 0 && !projected) {
    const { files: _, ...list } = options
    for await (const { values, columns = [] } of listPartitions({ ...list, columns: true })) {
      const ordered = orderedValues(table, values as PartitionValues)
      registered.set(keyOf(ordered), columns)
      compare({ kind: 'partition', place: shownPartition(table, ordered) }, columns, inCatalog, 'own')
    }
  }
  let files = 0
  for await (const { file, values, columns } of options.files ?? []) {
    signal?.throwIfAborted()
    files += 1
    const key = values && keyOf(orderedValues(table, values as PartitionValues))
    const own = key === undefined ? undefined : registered.get(key)
    // A file is read by the types of its partition; columns that this lacks are read by the table's.
    const readBy = inCatalog.map((column) => own?.find(({ name }) => sameName(name, column.name)) ?? column)
    compare({ kind: 'file', place: file }, columns, readBy, 'none')
  }
  return { ok: drifts.length === 0, drifts, partitions: registered.size, files }
}

const sameName = (one: string, other: string) => one.toLowerCase() === other.toLowerCase()

/** Columns are found by name, so that of those only in one of the two a file's matter: nobody reads them. */
const isDrift =
  (kind: 'partition' | 'file') =>
  (change: ColumnChange): boolean =>
    change.kind === 'retyped' || (kind === 'file' && change.kind === 'dropped')
