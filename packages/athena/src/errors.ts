import { StockpipeError, type StockpipeErrorOptions } from '@stockpipe/core'

/** A call to Athena that failed and stayed failed; `operation` and `serviceError` say which and how. */
export class AthenaRequestError extends StockpipeError {
  override readonly name = 'AthenaRequestError'
  readonly operation: string
  /** The exception's name as Athena gives it, such as `InvalidRequestException`. */
  readonly serviceError: string

  constructor(options: StockpipeErrorOptions & { operation: string; serviceError: string }) {
    super(options)
    this.operation = options.operation
    this.serviceError = options.serviceError
  }
}

/** A query that took longer than it was given. It has ended, stopped by that, unless it was to be left. */
export class QueryTimedOutError extends StockpipeError {
  override readonly name = 'QueryTimedOutError'
}

/** A query that was stopped because it had scanned more than it may. */
export class ScanLimitError extends StockpipeError {
  override readonly name = 'ScanLimitError'
}

/**
 * A query that was given up, and of which it is not known that it has ended: it may still run and cost. `cause` is why
 * it was given up, the fact `queryExecutionId` which one it is.
 */
export class QueryNotStoppedError extends StockpipeError {
  override readonly name = 'QueryNotStoppedError'
}

/** Whose fault a failed query is, as Athena sorts it. */
export type QueryErrorCategory = 'system' | 'user' | 'other'

/** A query that ended as FAILED or CANCELLED. */
export class QueryFailedError extends StockpipeError {
  override readonly name = 'QueryFailedError'
  readonly queryExecutionId: string
  readonly state: 'FAILED' | 'CANCELLED'
  /** Athena's own words, such as `TABLE_NOT_FOUND: line 1:15: ...`. */
  readonly stateChangeReason: string
  readonly category: QueryErrorCategory | undefined
  /** Number in Athena's error catalog. */
  readonly errorType: number | undefined

  constructor(
    options: StockpipeErrorOptions & {
      queryExecutionId: string
      state: 'FAILED' | 'CANCELLED'
      stateChangeReason: string
      category: QueryErrorCategory | undefined
      errorType: number | undefined
    },
  ) {
    super(options)
    this.queryExecutionId = options.queryExecutionId
    this.state = options.state
    this.stateChangeReason = options.stateChangeReason
    this.category = options.category
    this.errorType = options.errorType
  }
}
