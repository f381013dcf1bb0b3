import { StockpipeError, type StockpipeErrorOptions } from '@stockpipe/core'

/**
 * What is known about a call that failed. `refused`: the store said no, nothing happened. `unknown`: no answer that
 * can be trusted; the call may have taken effect, or may still.
 */
export type CallOutcome = 'refused' | 'unknown'

/** A call to the object store failed. `retryable`: the same call may succeed later. */
export class ObjectStoreError extends StockpipeError {
  override readonly name = 'ObjectStoreError'
  readonly outcome: CallOutcome
  /** HTTP status, when there was an answer. */
  readonly status: number | undefined

  constructor(
    options: StockpipeErrorOptions & { readonly outcome: CallOutcome; readonly status?: number | undefined },
  ) {
    super(options)
    this.outcome = options.outcome
    this.status = options.status
  }
}

/** A claimed upload is gone and its rows cannot be had again here; an operator decides. */
export class LostUploadError extends StockpipeError {
  override readonly name = 'LostUploadError'
}

/** An object of the journal is not what it should be: damaged, foreign, or of a newer format. */
export class JournalFormatError extends StockpipeError {
  override readonly name = 'JournalFormatError'
}

/** A conditional request was not sent because what it relies on was read too long ago. */
export const isSignedTooLate = (error: unknown): boolean =>
  error instanceof ObjectStoreError && error.code === 'SIGNED_TOO_LATE'
