import type { Catalog } from '../glue/catalog.ts'
import type { ObjectStorage } from '../object-storage.ts'
import { type QueryEngine, QueryError } from '../sql/query-engine.ts'
import { CatalogTableResolver } from './catalog-table-resolver.ts'
import { parseDdl } from './hive-ddl-parser.ts'
import { runDdl } from './hive-ddl-runner.ts'
import type { QueryExecution } from './query-execution.ts'
import type { RunStatement, StatementResult } from './query-runner.ts'
import { statementKindOf, statementName } from './statement-kind.ts'

interface StatementRunnerOptions {
  readonly catalog: Catalog
  readonly storage: ObjectStorage
  readonly queryEngine: () => Promise<QueryEngine>
}

/** Runs a statement by its kind: queries by the SQL engine, Hive DDL by the catalog, the rest is refused by name. */
export function statementRunner(options: StatementRunnerOptions): RunStatement {
  return async (execution, signal) => {
    const kind = statementKindOf(execution.sql)
    switch (kind?.runBy) {
      case 'engine':
        return runQuery(options, execution, signal)
      case 'hive':
        return runDdl(parseDdl(execution.sql), {
          catalog: options.catalog,
          storage: options.storage,
          database: execution.database ?? 'default',
          signal,
        })
      default:
        throw new QueryError(
          'NOT_SUPPORTED',
          `NOT_SUPPORTED: The statement ${statementName(execution.sql)} is not supported: the local stack does not have it.`,
        )
    }
  }
}

async function runQuery(
  options: StatementRunnerOptions,
  execution: QueryExecution,
  signal: AbortSignal,
): Promise<StatementResult> {
  const engine = await options.queryEngine()
  const { columns, rows, scannedBytes } = await engine.run({
    // Athena takes a statement that ends with a semicolon.
    sql: execution.sql.replace(/[;\s]+$/, ''),
    database: execution.database ?? 'default',
    resolver: new CatalogTableResolver(options.catalog, options.storage),
    signal,
    ...(execution.parameters === undefined ? {} : { parameters: execution.parameters }),
  })
  return { kind: 'rows', columns, rows, scannedBytes }
}
