import type { QueryExecution } from '@aws-sdk/client-athena'

const mebibyte = 1024 ** 2
const tebibyte = 1024 ** 4
/** Athena charges a query for so much at least. */
const leastMebibytes = 10

/** What Athena asks for a TB in most regions. */
export const listDollarsPerTerabyte = 5

/**
 * What Athena charges for a query that is paid by what it scans: in whole MB, 10 at least; nothing for DDL that reads
 * nothing, SHOW and DESCRIBE, for failed queries and for results that are used again. CREATE TABLE AS and
 * EXPLAIN ANALYZE read, and are charged for. https://aws.amazon.com/athena/pricing/
 */
export const queryDollars = (query: QueryExecution, dollarsPerTerabyte = listDollarsPerTerabyte): number => {
  const {
    StatementType: type,
    SubstatementType: substatement,
    Statistics: statistics,
    Status: status,
  } = query
  const { DataScannedInBytes: scannedBytes = 0, ResultReuseInformation: reuse } = statistics ?? {}
  const mayBeFree = (type === 'DDL' || type === 'UTILITY') && substatement !== 'CREATE_TABLE_AS_SELECT'
  if ((mayBeFree && scannedBytes === 0) || status?.State === 'FAILED') return 0
  if (reuse?.ReusedPreviousResult) return 0
  const mebibytes = Math.max(leastMebibytes, Math.ceil(scannedBytes / mebibyte))
  return (mebibytes * mebibyte * dollarsPerTerabyte) / tebibyte
}
