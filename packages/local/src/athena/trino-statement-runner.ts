import type { Catalog } from '../glue/catalog.ts'
import type { ObjectStorage } from '../object-storage.ts'
import type { QueryEngine, RunQueryOptions } from '../sql/query-engine.ts'
import { failure, notSupported } from '../sql/query-failure.ts'
import { explain } from './explain-statement.ts'
import type { PreparedStatements } from './prepared-statements.ts'
import type { QueryExecution } from './query-execution.ts'
import type { StatementResult } from './query-runner.ts'
import { statementKindOf, statementName, withoutSemicolon } from './statement-kind.ts'
import { parseTrinoStatement, type TrinoStatement } from './trino-statement.ts'
import { createView, dropView, showCreateView, showViews } from './view-statements.ts'
import type { WorkGroups } from './work-groups.ts'
import { createTableAs, insertInto, unload, type WriteContext } from './write-statements.ts'

/** What statements around queries work with. */
export interface TrinoStatementContext {
  readonly catalog: Catalog
  readonly storage: ObjectStorage
  readonly queryEngine: () => Promise<QueryEngine>
  readonly preparedStatements: PreparedStatements
  readonly workGroups: WorkGroups
  readonly execution: QueryExecution
  /** Everything of a query but its text. */
  readonly query: Omit<RunQueryOptions, 'sql'> & { readonly signal: AbortSignal }
  /** Runs a query. */
  readonly runQuery: (sql: string, parameters: readonly string[] | undefined) => Promise<StatementResult>
}

/** Runs a statement of Trino's that is no query. @throws QueryError */
export async function runTrinoStatement(
  sql: string,
  context: TrinoStatementContext,
): Promise<StatementResult> {
  const statement = parseTrinoStatement(sql)
  const { catalog, execution, preparedStatements, query } = context
  const passed = await passedStatement(statement, sql, context)
  if (passed !== undefined) return passed
  const viewContext = { catalog, engine: context.queryEngine, query }
  switch (statement.kind) {
    case 'create-table-as':
      return createTableAs(statement, await writeContext(statement, context))
    case 'insert':
      return insertInto(statement, await writeContext(statement, context))
    case 'unload':
      return unload(statement, await writeContext(statement, context))
    case 'create-view':
      return createView(statement, viewContext)
    case 'drop-view':
      return dropView(statement, viewContext)
    case 'show-create-view':
      return showCreateView(statement, viewContext)
    case 'show-views':
      return showViews(statement, viewContext)
    case 'explain':
      return explain(statement, await context.queryEngine(), query)
    case 'prepare':
      if (!isPreparable(statement.statement)) {
        throw notSupported(`PREPARE of ${statementName(statement.statement)}`)
      }
      preparedStatements.create({
        name: statement.name,
        workGroup: execution.workGroup,
        sql: statement.statement,
      })
      return done
    case 'deallocate':
      preparedStatements.delete(execution.workGroup, statement.name)
      return done
    case 'execute':
      return execute(statement, context)
  }
}

const done: StatementResult = { kind: 'lines', columns: [], lines: [] }

const passedKinds: ReadonlySet<TrinoStatement['kind']> = new Set([
  'create-table-as',
  'insert',
  'create-view',
  'explain',
])

/** The answer of an engine that takes the statement whole; undefined where it is to be taken apart here. */
async function passedStatement(
  { kind }: TrinoStatement,
  sql: string,
  { query, queryEngine }: TrinoStatementContext,
): Promise<StatementResult | undefined> {
  const engine = passedKinds.has(kind) ? await queryEngine() : undefined
  if (engine?.runStatement === undefined) return undefined
  const answer = await engine.runStatement({ ...query, sql: withoutSemicolon(sql) })
  const { columns, rows, scannedBytes, writtenRows: rowCount = 0 } = answer
  if (kind === 'create-view') return done
  if (kind !== 'explain') return { kind: 'written', rowCount, scannedBytes }
  // A plan is one value of many lines.
  return { kind: 'lines', columns, lines: rows.flatMap(([text]) => (text ?? '').split('\n')) }
}

/** Queries, INSERT, CTAS and UNLOAD take parameters, and only they. */
export function isPreparable(sql: string): boolean {
  const { substatement = '' } = statementKindOf(sql) ?? {}
  return ['SELECT', 'INSERT', 'CREATE_TABLE_AS_SELECT', 'UNLOAD'].includes(substatement)
}

async function execute(
  statement: TrinoStatement & { readonly kind: 'execute' },
  context: TrinoStatementContext,
): Promise<StatementResult> {
  const { execution, preparedStatements, query } = context
  const prepared = preparedStatements.find(execution.workGroup, statement.name)
  if (prepared === undefined) {
    throw failure('NOT_FOUND', `Prepared statement not found: ${statement.name}`)
  }
  if (!isPreparable(prepared.sql)) throw notSupported(`EXECUTE of ${statementName(prepared.sql)}`)
  const parameters = statement.parameters.length > 0 ? statement.parameters : query.parameters
  if (statementKindOf(prepared.sql)?.runBy === 'engine') return context.runQuery(prepared.sql, parameters)
  const { parameters: _, ...rest } = query
  const inner = parameters === undefined ? rest : { ...rest, parameters }
  return runTrinoStatement(prepared.sql, { ...context, query: inner })
}

async function writeContext({ kind }: TrinoStatement, context: TrinoStatementContext): Promise<WriteContext> {
  const { catalog, storage, execution, query } = context
  const workGroup = context.workGroups.find(execution.workGroup)
  const isDirect = execution.substatementType === 'CREATE_TABLE_AS_SELECT'
  const folder = execution.outputLocation.slice(0, execution.outputLocation.lastIndexOf('/') + 1)
  const tables = kind === 'create-table-as' && !isDirect ? 'tables/' : ''
  return {
    catalog,
    storage,
    engine: await context.queryEngine(),
    query,
    outputLocation: execution.managedResults === true ? undefined : `${folder}${tables}${execution.id}`,
    isLocationEnforced: workGroup?.enforced === true && workGroup.outputLocation !== undefined,
    bytesScannedCutoff: workGroup?.bytesScannedCutoff,
  }
}
