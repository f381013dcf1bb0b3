import { QueryError } from '../sql/query-engine.ts'
import type { StatementResult } from './query-runner.ts'

/** A failure of a statement that was understood, in Hive's words. */
export const executionError = (message: string): QueryError =>
  new QueryError(
    'FAILED',
    `FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. ${message}`,
  )

/** An answer of lines under one name. */
export const lines = (name: string, text: readonly string[]): StatementResult => ({
  kind: 'lines',
  columns: [{ name, type: 'string' }],
  lines: text,
})

/** What a statement answers that changes something and says nothing. */
export const done: StatementResult = { kind: 'lines', columns: [], lines: [] }
