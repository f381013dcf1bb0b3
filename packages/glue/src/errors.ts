import { ConfigurationError, StockpipeError, type StockpipeErrorOptions } from '@stockpipe/core'

/** A call to Glue that failed and stayed failed; `operation` and `serviceError` say which and how. */
export class GlueRequestError extends StockpipeError {
  override readonly name = 'GlueRequestError'
  readonly operation: string
  /** The exception's name as Glue gives it, such as `AccessDeniedException`. */
  readonly serviceError: string

  constructor(options: StockpipeErrorOptions & { operation: string; serviceError: string }) {
    super(options)
    this.operation = options.operation
    this.serviceError = options.serviceError
  }
}

/** One way in which the catalog's table is not the table of the definition. */
export interface TableDifference {
  /** What differs: `column price`, `partition key ticker`, `location`, `parameter projection.enabled`. */
  readonly what: string
  /** As the catalog has it; undefined when it has none. */
  readonly inCatalog: string | undefined
  /** As the definition has it; undefined when it has none. */
  readonly inDefinition: string | undefined
}

/** The catalog holds a table of that name which an added column does not turn into the defined one. */
export class TableConflictError extends ConfigurationError {
  readonly differences: readonly TableDifference[]

  constructor(options: StockpipeErrorOptions & { differences: readonly TableDifference[] }) {
    super(options)
    this.differences = options.differences
  }
}

/** A partition that Glue did not take. */
export interface PartitionFailure {
  readonly values: readonly (string | null)[]
  readonly location: string
  /** Glue's name of the failure, such as `InvalidInputException`. */
  readonly serviceError: string
  readonly message: string
}

/** Some partitions could not be registered; the others were. */
export class PartitionRegistrationError extends StockpipeError {
  override readonly name = 'PartitionRegistrationError'
  readonly failures: readonly PartitionFailure[]

  constructor(options: StockpipeErrorOptions & { failures: readonly PartitionFailure[] }) {
    super(options)
    this.failures = options.failures
  }
}

/** Some partitions of a batch call failed; the others are done. */
export class PartitionBatchError extends StockpipeError {
  override readonly name = 'PartitionBatchError'
  /** Such as `BatchDeletePartition`. */
  readonly operation: string
  readonly failures: readonly PartitionFailure[]

  constructor(options: StockpipeErrorOptions & { operation: string; failures: readonly PartitionFailure[] }) {
    super(options)
    this.operation = options.operation
    this.failures = options.failures
  }
}

/** What Glue could not put into a partition index, and for which partitions. */
export interface IndexBackfillError {
  /** Such as `INVALID_PARTITION_TYPE_DATA_ERROR` or `MISSING_PARTITION_VALUE_ERROR`. */
  readonly code: string
  /** The values of those partitions, in the table's order. */
  readonly partitions: readonly (readonly string[])[]
}

/** A partition index failed, is another than defined, or did not become ACTIVE in time. */
export class PartitionIndexError extends StockpipeError {
  override readonly name = 'PartitionIndexError'
  readonly index: string
  readonly backfillErrors: readonly IndexBackfillError[]

  constructor(
    options: StockpipeErrorOptions & { index: string; backfillErrors: readonly IndexBackfillError[] },
  ) {
    super(options)
    this.index = options.index
    this.backfillErrors = options.backfillErrors
  }
}

/** A job's run did not succeed, or what became of it is not known. */
export class JobRunError extends StockpipeError {
  override readonly name = 'JobRunError'
  readonly job: string
  /** Undefined when it is not known whether one began. */
  readonly runId: string | undefined
  /** As Glue names it: `FAILED`, `TIMEOUT`, `STOPPED`, `ERROR`, `EXPIRED`. */
  readonly state: string | undefined
  /** The end of its log, where a reader of logs was given. */
  readonly logExcerpt: readonly string[]

  constructor(
    options: StockpipeErrorOptions & {
      job: string
      runId: string | undefined
      state: string | undefined
      logExcerpt: readonly string[]
    },
  ) {
    super(options)
    this.job = options.job
    this.runId = options.runId
    this.state = options.state
    this.logExcerpt = options.logExcerpt
  }
}

/** A crawler's run ended without success, or never began. */
export class CrawlerError extends StockpipeError {
  override readonly name = 'CrawlerError'
  readonly crawler: string

  constructor(options: StockpipeErrorOptions & { crawler: string }) {
    super(options)
    this.crawler = options.crawler
  }
}
