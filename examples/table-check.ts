import type { S3Client } from '@aws-sdk/client-s3'
import { type Athena, identifier, sql } from '@stockpipe/athena'
import { type BoundTable, t } from '@stockpipe/core'
import { verifySink } from '@stockpipe/s3-sink'
import { countParquetRows } from './parquet-row-counts.ts'
import type { SelfCheck } from './self-check.ts'

/** Where the same table is looked for: as the sink registered it, and as the crawler found it. */
const databases = ['market', 'market_crawled']

/** Compares the rows of a table, by symbol, with the rows that went in; says in a sentence what was found. */
export const checkTable = async (
  table: BoundTable,
  rowsIn: ReadonlyMap<string, number>,
  given: {
    readonly athena: Athena
    readonly s3: S3Client
    readonly check: SelfCheck
    readonly signal: AbortSignal
  },
): Promise<string> => {
  const { athena, s3, check, signal } = given
  const { name } = table.table
  for (const database of databases) {
    const { rows } = await athena.query({
      sql: sql`SELECT symbol, count(*) AS records FROM ${identifier(database, name)} GROUP BY 1`,
      columns: { symbol: t.string(), records: t.int64() },
      signal,
    })
    const counted = new Map(rows.map(({ symbol, records }) => [symbol, Number(records)]))
    check.counts(`rows of ${database}.${name} through Athena`, counted, rowsIn)
  }
  const parquet = await countParquetRows(s3, table, signal)
  check.counts(`rows of ${name} in its Parquet files`, parquet.rows, rowsIn)
  const journal = `s3://${table.bucket}/_stockpipe/journal/${name}`
  const report = await verifySink({ client: s3, journal, table, signal })
  const problems = report.problems.map(({ code, message }) => `${code}: ${message}`).join('; ')
  check.same(`problems that verify finds in ${name}`, problems, '')
  const sum = (counts: ReadonlyMap<string, number>) =>
    [...counts.values()].reduce((total, count) => total + count, 0).toLocaleString('en-US')
  return `${name}: ${sum(rowsIn)} rows in, ${sum(parquet.rows)} out, in ${parquet.files} Parquet files; the journal ${report.ok ? 'holds' : 'does not hold'}.`
}
