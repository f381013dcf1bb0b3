import type { AnalysisSession } from './analysis-session.ts'
import { failFunction } from './native-function.ts'
import { duckDbType, type TrinoType } from './trino-type.ts'

/** An expression as analysed: what Trino says it is, and the DuckDB SQL that computes exactly that. */
export interface TypedExpression {
  readonly type: TrinoType
  readonly sql: string
  /** The value of a literal as text (unescaped): patterns, units, zones and counts must be known beforehand. */
  readonly constant?: string
}

/** A string in DuckDB's quotes. */
export function quoteString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A literal whose type DuckDB cannot mistake. */
export function literal(text: string, type: TrinoType): TypedExpression {
  return { type, sql: `CAST(${quoteString(text)} AS ${duckDbType(type)})`, constant: text }
}

export function nullOf(type: TrinoType): TypedExpression {
  return { type, sql: `CAST(NULL AS ${duckDbType(type)})` }
}

/** SQL that fails with Trino's error on every row that evaluates it. */
export function failing(
  session: AnalysisSession,
  errorName: string,
  message: string,
  type: TrinoType,
): string {
  const call = session.native(failFunction, [quoteString(errorName), quoteString(message)])
  return `CAST(${call} AS ${duckDbType(type)})`
}
