import type { QueryExecution } from '@aws-sdk/client-athena'

const mebibyte = 1024 ** 2
const tebibyte = 1024 ** 4
/** Athena charges a query for so much at least. */
const leastMebibytes = 10

/** What Athena asks for a TB in most regions. */
export const listDollarsPerTerabyte = 5

/**
 * What Athena charges for a query that is paid by what it scans: in whole MB, 10 at least; nothing for DDL, SHOW and
 * DESCRIBE, for failed queries and for results that are used again. https://aws.amazon.com/athena/pricing/
 */
export const queryDollars = (query: QueryExecution, dollarsPerTerabyte = listDollarsPerTerabyte): number => {
  const { StatementType: type, Statistics: statistics, Status: status } = query
  if (type === 'DDL' || type === 'UTILITY' || status?.State === 'FAILED') return 0
  if (statistics?.ResultReuseInformation?.ReusedPreviousResult) return 0
  const mebibytes = Math.max(leastMebibytes, Math.ceil((statistics?.DataScannedInBytes ?? 0) / mebibyte))
  return (mebibytes * mebibyte * dollarsPerTerabyte) / tebibyte
}
