export { AnswerColumn, type AnswerOutput, answer, type ZonedTimestamp } from './answer-column.ts'
export {
  type Athena,
  type AthenaOptions,
  createAthena,
  type DecodedQueryOptions,
  type ExecuteResult,
  type QueryFacts,
  type QueryOptions,
  type QueryResult,
  type SchemaQueryOptions,
  type StatementOptions,
  type TextResult,
} from './athena.ts'
export type { AthenaSender } from './athena-request.ts'
export type { CatalogColumn, CatalogTable } from './catalog-tables.ts'
export {
  AthenaRequestError,
  type QueryErrorCategory,
  QueryFailedError,
  QueryNotStoppedError,
  QueryTimedOutError,
  ScanLimitError,
} from './errors.ts'
export { asOfJoin } from './market/as-of-join.ts'
export { bars } from './market/bars.ts'
export { bestAndWorstDay } from './market/best-and-worst-day.ts'
export { barColumns, coarserBars } from './market/coarser-bars.ts'
export { dailyBars } from './market/daily-bars.ts'
export { drawdown, maxDrawdown } from './market/drawdown.ts'
export { exponentialMovingAverage } from './market/exponential-moving-average.ts'
export type { CalendarInterval, Interval, IntradayInterval } from './market/interval.ts'
export { latestPerSymbol } from './market/latest-per-symbol.ts'
export { missingBars } from './market/missing-bars.ts'
export { movingAverage } from './market/moving-average.ts'
export { returns } from './market/returns.ts'
export { rowsPer } from './market/rows-per.ts'
export { rowsWhere } from './market/rows-where.ts'
export type { Session } from './market/session.ts'
export { duringSession } from './market/session-filter.ts'
export { silentIntervals } from './market/silent-intervals.ts'
export type { MarketQuery, MarketSource, RowFilter } from './market/table-column.ts'
export { topMovers } from './market/top-movers.ts'
export { movingVolatility, volatility } from './market/volatility.ts'
export { volumeWeightedAveragePrice } from './market/volume-weighted-average-price.ts'
export type { ResultEncryption } from './query-execution.ts'
export type { PollSettings } from './query-poller.ts'
export type { DecodedRow, DecodedValue } from './result-rows.ts'
export type { ResultPath } from './results/answer-pages.ts'
export type {
  ColumnData,
  ColumnDataType,
  OpenedParquet,
  OpenParquet,
  ParquetBatch,
  RangedFile,
} from './results/column-data.ts'
export { ResultReadError } from './results/result-read-error.ts'
export type { OpenedObject, ResultStore, StoredLocation, StoredObject } from './results/result-store.ts'
export { type SqlValue, sqlLiteral } from './sql-literal.ts'
export {
  identifier,
  list,
  literal,
  type QuotedText,
  SqlFragment,
  type SqlInterpolation,
  sql,
} from './sql-template.ts'
export type { QueryColumn, QueryColumns, QueryRow } from './stated-column.ts'
