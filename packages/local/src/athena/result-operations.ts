import { unsupportedMember } from '../glue/definition-input.ts'
import type { InputMembers } from '../glue/input-members.ts'
import { pagePositionOf, pageTokenOf } from '../glue/page-token.ts'
import { invalidRequest } from './athena-error.ts'
import type { AthenaOperations } from './athena-operations.ts'
import type { QueryExecution } from './query-execution.ts'
import type { QueryHistory } from './query-history.ts'
import { requireQuery } from './query-operations.ts'
import { type ResultRow, readCsvPage, readTextPage } from './result-csv.ts'
import type { ResultFiles } from './result-files.ts'

/**
 * GetQueryResults. Rows are read back from the result file a page at a time, the token being a byte offset:
 * no result is held in memory, and a deleted file cannot be paged, as on Amazon.
 */
export function resultOperations(history: QueryHistory, resultFiles: ResultFiles): AthenaOperations {
  return {
    async GetQueryResults(input) {
      const execution = requireQuery(history, input.string('QueryExecutionId'))
      refuseUnfinished(execution)
      if (input.optionalString('QueryResultType') === 'DATA_MANIFEST') {
        throw unsupportedMember('QueryResultType DATA_MANIFEST')
      }
      const ColumnInfo = execution.columns ?? []
      if (execution.updateCount !== undefined) {
        return {
          UpdateCount: execution.updateCount,
          ResultSet: { Rows: [], ResultSetMetadata: { ColumnInfo } },
        }
      }
      const limit = input.optionalInteger('MaxResults', { min: 1, max: 1000 }) ?? 1000
      const offset = offsetOf(input)
      const filePath = (await resultFiles.find(execution)) ?? noResult(execution)
      const read = execution.outputLocation.endsWith('.csv') ? readCsvPage : readTextPage
      const page = await read(filePath, offset, limit).catch((error: NodeJS.ErrnoException) => {
        // Gone since it was found.
        throw error.code === 'ENOENT' ? noResult(execution) : error
      })
      // A token is given where rows follow: another file stands there now.
      if (offset > 0 && page.rows.length === 0) throw invalidToken()
      return {
        UpdateCount: 0,
        ResultSet: {
          // The first row of a CSV holds the column names; Athena gives it as the first row of page 1.
          Rows: page.rows.map(rowOutput),
          ResultSetMetadata: { ColumnInfo },
        },
        NextToken: page.nextOffset === undefined ? undefined : pageTokenOf(String(page.nextOffset)),
      }
    },
  }
}

const rowOutput = (row: ResultRow) => ({
  Data: row.map((cell) => (cell === null ? {} : { VarCharValue: cell })),
})

function refuseUnfinished(execution: QueryExecution): void {
  const { state } = execution
  if (state === 'SUCCEEDED') return
  if (state === 'QUEUED' || state === 'RUNNING') {
    throw invalidRequest(`Query has not yet finished. Current state: ${state}`)
  }
  throw invalidRequest(`Query did not finish successfully. Final query state: ${state}`)
}

function noResult(execution: QueryExecution): never {
  const where = execution.managedResults === true ? execution.id : execution.outputLocation
  throw invalidRequest(`Could not find results at ${where}`)
}

function offsetOf(input: InputMembers): number {
  const offset = Number(pagePositionOf(input.optionalString('NextToken'), 'InvalidRequestException') ?? 0)
  if (!Number.isSafeInteger(offset) || offset < 0) throw invalidToken()
  return offset
}

const invalidToken = () => invalidRequest('The NextToken is not valid.')
