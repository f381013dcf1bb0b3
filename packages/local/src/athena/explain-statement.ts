import type { QueryEngine, RunQueryOptions } from '../sql/query-engine.ts'
import { notSupported } from '../sql/query-failure.ts'
import type { StatementResult } from './query-runner.ts'
import { statementKindOf, statementName } from './statement-kind.ts'
import { parseTrinoStatement } from './trino-statement.ts'

/**
 * EXPLAIN: checks a statement and tells what it reads, does and answers. It is no plan of Trino's, and says so: nothing here
 * makes one.
 */
export async function explain(
  statement: { readonly statement: string; readonly validate: boolean },
  engine: QueryEngine,
  query: Omit<RunQueryOptions, 'sql'>,
): Promise<StatementResult> {
  const { sql, writes } = explained(statement.statement)
  const { columns, scans } = await engine.describe({ ...query, sql })
  if (statement.validate) {
    return { kind: 'lines', columns: [{ name: 'Valid', type: 'boolean' }], lines: ['true'] }
  }
  const output = columns.map(({ name, type }, i) => `${name ?? `_col${i}`}:${type}`)
  const lines = [
    ...(writes === undefined ? [] : [writes]),
    `Output[${output.join(', ')}]`,
    ...scans.map(({ table, columns: used }) => `    TableScan[awsdatacatalog.${table}] [${used.join(', ')}]`),
    '',
    'The embedded Athena tells what a statement reads and answers; it has no plan of Trino to show.',
  ]
  return { kind: 'lines', columns: [{ name: 'Query Plan', type: 'varchar' }], lines }
}

function explained(text: string): { readonly sql: string; readonly writes?: string } {
  const kind = statementKindOf(text)
  if (kind?.runBy === 'engine') return { sql: text }
  const inner = kind?.runBy === 'trino' ? parseTrinoStatement(text) : undefined
  switch (inner?.kind) {
    case 'create-table-as':
    case 'insert': {
      const table = inner.database === undefined ? inner.table : `${inner.database}.${inner.table}`
      return { sql: inner.query, writes: `TableWriter[${table}]` }
    }
    case 'unload':
      return { sql: inner.query, writes: `Unload[${inner.location}]` }
    default:
      throw notSupported(`EXPLAIN ${statementName(text)}`)
  }
}
