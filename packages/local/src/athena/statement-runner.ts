import type { Catalog } from '../glue/catalog.ts'
import type { ObjectStorage } from '../object-storage.ts'
import { type QueryEngine, QueryError, type RunQueryOptions } from '../sql/query-engine.ts'
import { CatalogTableResolver } from './catalog-table-resolver.ts'
import { parseDdl } from './hive-ddl-parser.ts'
import { runDdl } from './hive-ddl-runner.ts'
import type { PreparedStatements } from './prepared-statements.ts'
import type { RunStatement, StatementResult } from './query-runner.ts'
import type { ResultSpool } from './result-spool.ts'
import { statementKindOf, statementName, withoutSemicolon } from './statement-kind.ts'
import { runTrinoStatement } from './trino-statement-runner.ts'
import type { WorkGroups } from './work-groups.ts'

interface StatementRunnerOptions {
  readonly catalog: Catalog
  readonly storage: ObjectStorage
  readonly queryEngine: () => Promise<QueryEngine>
  readonly preparedStatements: PreparedStatements
  readonly workGroups: WorkGroups
}

/** Runs a statement by its kind: queries by the SQL engine, Hive DDL by the catalog, the rest is refused by name. */
export function statementRunner(options: StatementRunnerOptions): RunStatement {
  const { catalog, storage, queryEngine } = options
  return async (execution, signal, spool) => {
    const database = execution.database ?? 'default'
    const query = {
      database,
      resolver: new CatalogTableResolver(catalog, storage, { signal }),
      signal,
      ...(execution.parameters === undefined ? {} : { parameters: execution.parameters }),
    }
    const kind = statementKindOf(execution.sql)
    switch (kind?.runBy) {
      case 'engine':
        return runQuery(await queryEngine(), { ...query, sql: execution.sql }, spool)
      case 'hive':
        return runDdl(parseDdl(execution.sql), {
          catalog,
          storage,
          // awswrangler quotes it as Hive does.
          database: database.replace(/^`(.*)`$/, '$1'),
          signal,
        })
      case 'trino':
        return runTrinoStatement(execution.sql, {
          ...options,
          execution,
          query,
          runQuery: async (sql, parameters) => {
            const { parameters: _, ...rest } = query
            return runQuery(await queryEngine(), { ...rest, sql, ...(parameters && { parameters }) }, spool)
          },
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
  engine: QueryEngine,
  options: RunQueryOptions,
  spool: ResultSpool,
): Promise<StatementResult> {
  // Athena takes a statement that ends with a semicolon.
  const sql = withoutSemicolon(options.sql)
  const { columns, rows, scannedBytes } = await engine.run({ ...options, sql, rowSink: spool })
  spool.begin(columns)
  await spool.add(rows)
  return { kind: 'rows', columns, scannedBytes }
}
