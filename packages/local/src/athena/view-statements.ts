import type { Catalog } from '../glue/catalog.ts'
import type { GlueTable } from '../glue/catalog-model.ts'
import type { QueryEngine, RunQueryOptions } from '../sql/query-engine.ts'
import { failure } from '../sql/query-failure.ts'
import { isNamedBy } from './hive-ddl-text.ts'
import { informationSchema } from './metadata-tables.ts'
import type { StatementResult } from './query-runner.ts'
import type { TrinoStatement } from './trino-statement.ts'
import { isView, resolvedView, viewDefinition } from './view-definition.ts'

/** What statements about views work with. */
export interface ViewContext {
  readonly catalog: Catalog
  readonly engine: () => Promise<QueryEngine>
  /** Everything of the query but its text. */
  readonly query: Omit<RunQueryOptions, 'sql'> & { readonly signal: AbortSignal }
}

type Statement<Kind extends TrinoStatement['kind']> = TrinoStatement & { readonly kind: Kind }

const start = { line: 1, column: 1 } as const
const done: StatementResult = { kind: 'lines', columns: [], lines: [] }

/** CREATE [OR REPLACE] VIEW. */
export async function createView(
  statement: Statement<'create-view'>,
  { catalog, engine, query }: ViewContext,
): Promise<StatementResult> {
  const database = statement.database ?? query.database
  if (catalog.getDatabase(database) === undefined) {
    throw failure('SCHEMA_NOT_FOUND', `Schema '${database}' does not exist`, start)
  }
  const name = `'awsdatacatalog.${database}.${statement.table}'`
  const { columns, relations } = await (await engine()).describe({ ...query, sql: statement.query })
  if (relations.includes(`${database}.${statement.table}`)) {
    throw failure('INVALID_VIEW', 'Statement would create a recursive view', start)
  }
  if (relations.some((relation) => relation.startsWith(`${informationSchema}.`))) {
    throw failure('NOT_SUPPORTED', `Athena makes no view of ${informationSchema}`, start)
  }
  const definition = viewDefinition(statement.table, statement.query.trim(), query.database, columns)
  query.signal.throwIfAborted()
  const former = catalog.getTable(database, statement.table)
  if (former === undefined) catalog.createTable(database, definition)
  else if (!isView(former)) throw failure('TABLE_ALREADY_EXISTS', `Table already exists: ${name}`, start)
  else if (!statement.orReplace) throw failure('TABLE_ALREADY_EXISTS', `View already exists: ${name}`, start)
  else catalog.updateTable(database, definition)
  return done
}

/** DROP VIEW. */
export function dropView(
  statement: Statement<'drop-view'>,
  { catalog, query }: ViewContext,
): StatementResult {
  const database = statement.database ?? query.database
  if (statement.ifExists && catalog.getTable(database, statement.table) === undefined) return done
  const view = requireView(catalog, database, statement.table)
  catalog.deleteTable(view.DatabaseName, view.Name)
  return done
}

/** SHOW CREATE VIEW. */
export function showCreateView(
  statement: Statement<'show-create-view'>,
  { catalog, query }: ViewContext,
): StatementResult {
  const view = requireView(catalog, statement.database ?? query.database, statement.table)
  const lines = `CREATE VIEW ${view.DatabaseName}.${view.Name} AS \n${resolvedView(view).viewSql}`.split('\n')
  return { kind: 'lines', columns: [{ name: 'Create View', type: 'string' }], lines }
}

/** SHOW VIEWS. */
export function showViews(
  statement: Statement<'show-views'>,
  { catalog, query }: ViewContext,
): StatementResult {
  const database = statement.database ?? query.database
  if (catalog.getDatabase(database) === undefined) {
    throw failure('SCHEMA_NOT_FOUND', `Schema '${database}' does not exist`, start)
  }
  const names = catalog
    .listTables(database)
    .filter(isView)
    .map((view) => view.Name)
  const lines = names.filter(isNamedBy(statement.pattern))
  return { kind: 'lines', columns: [{ name: 'views', type: 'string' }], lines }
}

function requireView(catalog: Catalog, database: string, name: string): GlueTable {
  const table = catalog.getTable(database, name)
  const full = `'awsdatacatalog.${database}.${name}'`
  if (table === undefined) throw failure('TABLE_NOT_FOUND', `View ${full} does not exist`, start)
  if (!isView(table)) throw failure('NOT_SUPPORTED', `${full} is a table, not a view`, start)
  return table
}
