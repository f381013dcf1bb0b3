import { GetDatabaseCommand, GetTableCommand, type Table } from '@aws-sdk/client-glue'
import { type BoundTable, boundTable, ConfigurationError, type Runtime, systemRuntime } from '@stockpipe/core'
import { type CatalogTable, isProjected, wantedTable } from './catalog-table.ts'
import { TableConflictError } from './errors.ts'
import { type GlueCall, type GlueSender, request, wasRefused } from './glue-request.ts'
import { compareOlderPartitions } from './older-partitions.ts'
import { newTableChanges, tableChanges } from './table-changes.ts'
import type { PlannedDatabase, PlannedTable, TablePlan } from './table-plan.ts'

export interface PlanTablesOptions {
  readonly client: GlueSender
  /** Each table as it is to be; one without more to say is taken alone. */
  readonly tables: readonly (CatalogTable | BoundTable)[]
  /**
   * Whether registered partitions are compared with the table, too, and mended by `applyPlan`: a page of GetPartitions with
   * columns for about 1,000 of them. Default true.
   */
  readonly comparePartitions?: boolean
  readonly runtime?: Runtime
  readonly signal?: AbortSignal
}

/**
 * Compares table definitions with the catalog and writes nothing: a plan says what `applyPlan` would do, and what can be
 * lost by it. It is plain data, to be shown (`formatPlan`), kept, and applied later.
 *
 * Throws a `ConfigurationError` for a table named twice, a `TableConflictError` for a view, a link or a table of another
 * format under one of the names, and a `GlueRequestError`.
 */
export const planTables = async (options: PlanTablesOptions): Promise<TablePlan> => {
  const call: GlueCall = {
    client: options.client,
    runtime: options.runtime ?? systemRuntime,
    signal: options.signal,
  }
  const definitions = options.tables.map(
    (one): CatalogTable =>
      'database' in one || !('table' in one)
        ? { table: boundTable(one) }
        : { ...one, table: boundTable(one.table) },
  )
  refuseRepeats(definitions)
  const databases: PlannedDatabase[] = []
  for (const name of new Set(definitions.map(({ table }) => table.database))) {
    databases.push({ name, action: (await hasDatabase(call, name)) ? 'none' : 'create' })
  }
  const missing = new Set(databases.filter(({ action }) => action === 'create').map(({ name }) => name))
  const tables: PlannedTable[] = []
  for (const definition of definitions) {
    const { database, table } = definition.table
    const existing = missing.has(database) ? undefined : await findTable(call, database, table.name)
    const planned = plannedTable(definition, existing)
    const compares = options.comparePartitions !== false && hasRegisteredPartitions(planned)
    tables.push(compares ? await withPartitions(call, planned) : planned)
  }
  return { formatVersion: 1, databases, tables }
}

const plannedTable = (definition: CatalogTable, existing: Table | undefined): PlannedTable => {
  const { database, table } = definition.table
  const wanted = wantedTable(definition)
  const base = { database, name: table.name, wanted }
  if (existing === undefined) {
    return { ...base, action: 'create', version: null, changes: newTableChanges(wanted) }
  }
  refuseOtherFormats(database, existing)
  return { ...base, version: existing.VersionId ?? null, ...tableChanges(existing, wanted) }
}

const hasRegisteredPartitions = ({ action, wanted: { input } }: PlannedTable): boolean =>
  (action === 'update' || action === 'none') &&
  (input.PartitionKeys ?? []).length > 0 &&
  !isProjected(input.Parameters)

const withPartitions = async (call: GlueCall, planned: PlannedTable): Promise<PlannedTable> => {
  const { partitions, changes } = await compareOlderPartitions(call, planned)
  if (partitions.registered === 0) return planned
  return {
    ...planned,
    action: partitions.older > 0 ? 'update' : planned.action,
    partitions,
    changes: [...planned.changes, ...changes],
  }
}

const refuseRepeats = (definitions: readonly CatalogTable[]) => {
  const seen = new Set<string>()
  for (const { table } of definitions) {
    const name = `${table.database}.${table.table.name}`
    if (seen.has(name)) {
      throw new ConfigurationError({
        code: 'TABLE_REPEATED',
        message: `Two of the tables to plan are ${name}; leave one out or give it another name.`,
      })
    }
    seen.add(name)
  }
}

const hasDatabase = async (call: GlueCall, database: string): Promise<boolean> => {
  const found = await request(
    call,
    'GetDatabase',
    `database ${database}`,
    (sendOptions) => call.client.send(new GetDatabaseCommand({ Name: database }), sendOptions),
    ['EntityNotFoundException'],
  )
  return !wasRefused(found)
}

/** The table as the catalog has it; undefined when it has none of that name. */
export const findTable = async (
  call: GlueCall,
  database: string,
  name: string,
): Promise<Table | undefined> => {
  const found = await request(
    call,
    'GetTable',
    `table ${database}.${name}`,
    (sendOptions) =>
      call.client.send(new GetTableCommand({ DatabaseName: database, Name: name }), sendOptions),
    ['EntityNotFoundException'],
  )
  return wasRefused(found) ? undefined : (found.Table ?? { Name: name })
}

/** A view, a link to another table, or a table whose files another format keeps: none of these is ours to change. */
const refuseOtherFormats = (database: string, existing: Table) => {
  const format = existing.Parameters?.['table_type'] ?? existing.Parameters?.['spark.sql.sources.provider']
  const what = existing.TargetTable
    ? 'a link to another table'
    : existing.TableType === 'VIRTUAL_VIEW' || existing.ViewOriginalText
      ? 'a view'
      : format !== undefined && /^(?:iceberg|delta|hudi)$/i.test(format)
        ? `a table of ${format.charAt(0).toUpperCase()}${format.slice(1).toLowerCase()}`
        : undefined
  if (what === undefined) return
  const table = `${database}.${existing.Name ?? ''}`
  throw new TableConflictError({
    code: 'TABLE_FORMAT_DIFFERS',
    message: `Glue has ${what} under the name ${table}, which a plan neither changes nor replaces. Give the table another name, or drop what is there yourself.`,
    facts: { table },
    differences: [{ what: 'table format', inCatalog: what, inDefinition: 'a Hive table of Parquet files' }],
  })
}
