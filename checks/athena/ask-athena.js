import { setTimeout as sleep } from 'node:timers/promises'

/** The base of a type and its numbers as Athena's ColumnInfo gives them: `decimal(18,4)`, `timestamp(3)`, `array`. */
const columnType = ({ Type, Precision, Scale }) => {
  if (Type === 'decimal') return `decimal(${Precision},${Scale})`
  if (Type === 'char' || (Type === 'varchar' && Precision !== 2_147_483_647)) return `${Type}(${Precision})`
  const [, base, zone = ''] = /^(timestamp|time)( with time zone)?$/.exec(Type) ?? []
  return base === undefined ? Type : `${base}(${Precision})${zone}`
}

/**
 * Runs a statement through Athena's API and reads all its pages: `types` of the columns and `rows` of texts (null for
 * NULL), or `error` with Trino's name for it and the message.
 */
export const askAthena = async (athena, database, sql) => {
  let QueryExecutionId
  try {
    const started = await athena.startQueryExecution({
      QueryString: sql,
      QueryExecutionContext: { Database: database },
      ResultConfiguration: { OutputLocation: `s3://${database}/results/` },
    })
    QueryExecutionId = started.QueryExecutionId
  } catch (error) {
    if (error.AthenaErrorCode !== 'MALFORMED_QUERY') throw error
    return { error: { name: 'SYNTAX_ERROR', message: error.message } }
  }
  for (let millis = 4; ; millis = Math.min(millis * 2, 100)) {
    const { QueryExecution } = await athena.getQueryExecution({ QueryExecutionId })
    const { State, StateChangeReason = '', AthenaError } = QueryExecution.Status
    if (State === 'SUCCEEDED') break
    if (State === 'FAILED' || State === 'CANCELLED') {
      const message = AthenaError?.ErrorMessage ?? StateChangeReason
      return { error: { name: /^[A-Z_]+/.exec(message)?.[0] ?? State, message } }
    }
    await sleep(millis)
  }
  const rows = []
  let columns
  let NextToken
  do {
    const page = await athena.getQueryResults({ QueryExecutionId, NextToken })
    columns ??= page.ResultSet.ResultSetMetadata.ColumnInfo
    for (const { Data } of page.ResultSet.Rows)
      rows.push(Data.map(({ VarCharValue }) => VarCharValue ?? null))
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  // The first row of a SELECT holds the names.
  return { names: columns.map(({ Name }) => Name), types: columns.map(columnType), rows: rows.slice(1) }
}
