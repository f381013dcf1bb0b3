import { type ColumnInfo, GetQueryResultsCommand, type Row } from '@aws-sdk/client-athena'
import { type AthenaCall, request } from './athena-request.ts'
import type { EndedQuery } from './query-execution.ts'

/** Rows of an answer as text, null for NULL, each as long as there are columns. */
export type TextRow = readonly (string | null)[]

export interface ResultPage {
  readonly columns: readonly ColumnInfo[]
  readonly rows: readonly TextRow[]
  /** What an INSERT or CTAS wrote. */
  readonly updateCount: number | undefined
  /** No page follows. */
  readonly isLast: boolean
}

/** The pages of a query's answer, 1,000 rows each, without the header row. There is at least one. */
export async function* resultPages(call: AthenaCall, query: EndedQuery): AsyncGenerator<ResultPage, void> {
  let token: string | undefined
  let first = true
  do {
    const answer = await request(call, 'GetQueryResults', `query ${query.QueryExecutionId}`, (options) =>
      call.client.send(
        new GetQueryResultsCommand({
          QueryExecutionId: query.QueryExecutionId,
          MaxResults: 1000,
          ...(token === undefined ? {} : { NextToken: token }),
        }),
        options,
      ),
    )
    const columns = answer.ResultSet?.ResultSetMetadata?.ColumnInfo ?? []
    const rows = answer.ResultSet?.Rows ?? []
    const data = first && beginsWithHeader(query, columns, rows) ? rows.slice(1) : rows
    token = answer.NextToken || undefined
    yield {
      columns,
      rows: data.map((row) => textRow(query, row, columns.length)),
      updateCount: answer.UpdateCount,
      isLast: token === undefined,
    }
    first = false
  } while (token !== undefined)
}

/**
 * Queries have a header row, on the first page only; DDL, SHOW and DESCRIBE have none, and a row of theirs may well equal
 * the names. Where there can be one it is known by the names it holds, so that nothing else is ever left out.
 */
const beginsWithHeader = (
  { StatementType: type, SubstatementType: substatement }: EndedQuery,
  columns: readonly ColumnInfo[],
  rows: readonly Row[],
): boolean => {
  if ((type === 'DDL' || type === 'UTILITY') && substatement !== 'EXPLAIN') return false
  const cells = rows[0]?.Data ?? []
  return (
    columns.length > 0 &&
    columns.every(({ Name, Label }, index) => [Name, Label].includes(cells[index]?.VarCharValue))
  )
}

/** DESCRIBE and SHOW answer one cell for several columns, parted by tabs; a short row lacks NULLs at its end. */
const textRow = (query: EndedQuery, row: Row, columns: number): TextRow => {
  const cells = (row.Data ?? []).map(({ VarCharValue }) => VarCharValue ?? null)
  if (query.StatementType === 'UTILITY' && cells.length === 1 && columns > 1 && cells[0]?.includes('\t')) {
    cells.splice(0, 1, ...cells[0].split('\t').map((cell) => cell.trim()))
  }
  while (cells.length < columns) cells.push(null)
  return cells
}
