/** Facts an error carries beside its sentence: topic, partition, offset, bucket, key, query id. Never a secret. */
export type ErrorFacts = Readonly<Record<string, string | number | bigint | boolean | undefined>>

/** What every stockpipe error is made from. */
export interface StockpipeErrorOptions {
  /** A stable code in capitals, such as `LOST_POSITION`; what programs match on. */
  readonly code: string
  /** What failed, where, and what to do. */
  readonly message: string
  /** True when the same call may be made again without harm. Default false: unknown is not retryable. */
  readonly retryable?: boolean
  /** What failed beneath. */
  readonly cause?: unknown
  readonly facts?: ErrorFacts
}

const brand = Symbol.for('stockpipe.error')

/**
 * The base of every error stockpipe throws.
 *
 * Match on `code`, or with `isInstance`, which also holds across two installed copies of a package
 * where `instanceof` does not.
 */
export class StockpipeError extends Error {
  override readonly name: string = 'StockpipeError'
  readonly code: string
  /** True when repeating the call is safe, not merely when the failure looks passing. */
  readonly retryable: boolean
  readonly facts: ErrorFacts

  constructor(options: StockpipeErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = options.code
    this.retryable = options.retryable ?? false
    this.facts = Object.freeze({ ...options.facts })
    Object.defineProperty(this, brand, { value: true })
  }

  static isInstance(value: unknown): value is StockpipeError {
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
  }
}

/** The program asks for something that cannot be had as written; the remedy is in its code or settings. */
export class ConfigurationError extends StockpipeError {
  override readonly name = 'ConfigurationError'
}

/** A value, row or file does not fit the table definition; the remedy is in the data. */
export class SchemaMismatchError extends StockpipeError {
  override readonly name = 'SchemaMismatchError'
}

/** The journal's position is gone from Kafka: going on would skip records. An operator decides. */
export class LostPositionError extends StockpipeError {
  override readonly name = 'LostPositionError'
}

/** The partition log is not the one the journal was written from (topic made anew, or log cut and grown again). */
export class LogChangedError extends StockpipeError {
  override readonly name = 'LogChangedError'
}

/** Another owner claimed the flush group first; what this owner staged will not be published. */
export class FencedError extends StockpipeError {
  override readonly name = 'FencedError'
}

/** The thread that held a partition log's open flush group ended. Nothing of it is published: it is read again. */
export class EngineLostError extends StockpipeError {
  override readonly name = 'EngineLostError'
}
