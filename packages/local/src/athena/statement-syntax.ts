import { type QueryEngine, QueryError } from '../sql/query-engine.ts'
import { invalidRequest } from './athena-error.ts'
import { statementKindOf, withoutSemicolon } from './statement-kind.ts'
import { parseTrinoStatement } from './trino-statement.ts'

/**
 * Refuses a statement of Trino's that cannot be read, as Athena does before there is a query. What the parser only lacks
 * passes, and fails by name when it is run.
 * @throws ServiceError InvalidRequestException with the code MALFORMED_QUERY
 */
export function refuseMalformed(sql: string, engine: QueryEngine): void {
  try {
    checkSyntax(sql, engine)
  } catch (error) {
    if (!(error instanceof QueryError) || error.errorName !== 'SYNTAX_ERROR') return
    throw invalidRequest(error.message.replace(/^SYNTAX_ERROR: /, ''), 'MALFORMED_QUERY')
  }
}

function checkSyntax(sql: string, engine: QueryEngine): void {
  const runBy = statementKindOf(sql)?.runBy
  if (runBy === 'engine') engine.checkSyntax?.(withoutSemicolon(sql))
  if (runBy !== 'trino') return
  const statement = parseTrinoStatement(sql)
  if ('query' in statement) engine.checkSyntax?.(statement.query)
  if ('statement' in statement) checkSyntax(statement.statement, engine)
}
