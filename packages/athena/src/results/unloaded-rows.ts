import type { AthenaCall } from '../athena-request.ts'
import { AthenaRequestError, QueryFailedError } from '../errors.ts'
import type { EndedQuery } from '../query-execution.ts'
import type { BoundStatement } from '../sql-parameters.ts'
import type { StatedColumn } from '../stated-column.ts'
import { rowsOfBatches, runUnload, type UnloadedBatch } from './unload.ts'
import { choosesUnload, type UnloadQuestion } from './unload-choice.ts'

export interface UnloadedRowsOptions extends Omit<UnloadQuestion, 'sql'> {
  readonly call: AthenaCall
  readonly statement: BoundStatement
  readonly run: (statement: BoundStatement) => Promise<EndedQuery>
}

export interface UnloadedRows {
  readonly query: EndedQuery
  readonly stated: readonly StatedColumn[]
  batches(): AsyncGenerator<UnloadedBatch, void>
}

/**
 * The answer of a query that is run as UNLOAD; undefined where it is not to be: `choosesUnload` tells. An UNLOAD that was
 * chosen of itself and that Athena refuses before it runs is left alone: the query as it stands may be fine.
 */
export const unloadedRows = async (options: UnloadedRowsOptions): Promise<UnloadedRows | undefined> => {
  const { call, store, location, statement, run, path } = options
  if (!(await choosesUnload({ ...options, sql: statement.queryString }))) return undefined
  // Only columns of types that tables have are chosen for.
  const stated = options.stated as readonly StatedColumn[]
  try {
    const answer = await runUnload({ call, store: store!, location: location!, statement, stated, run })
    return { ...answer, stated }
  } catch (error) {
    if (path === undefined && isRefusal(error)) return undefined
    throw error
  }
}

/** The pages of rows of an UNLOAD. */
export async function* unloadedPages({
  query,
  stated,
  batches,
}: UnloadedRows): AsyncGenerator<Record<string, unknown>[], void> {
  const rowsOf = rowsOfBatches(stated, query.QueryExecutionId)
  for await (const batch of batches()) yield rowsOf(batch)
}

/** What Athena says of a statement when it is analysed, before anything is read. */
const refusals =
  /^(?:AMBIGUOUS_NAME|COLUMN_NOT_FOUND|DUPLICATE_COLUMN_NAME|MISSING_COLUMN_NAME|NOT_SUPPORTED|SYNTAX_ERROR|TYPE_MISMATCH)\b/

const isRefusal = (error: unknown): boolean =>
  (error instanceof QueryFailedError && refusals.test(error.stateChangeReason)) ||
  (error instanceof AthenaRequestError && error.serviceError === 'InvalidRequestException')
