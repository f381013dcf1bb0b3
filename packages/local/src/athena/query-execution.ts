import type { AthenaError } from './athena-error.ts'
import type { ColumnInfo } from './column-info.ts'

export type StatementType = 'DML' | 'DDL' | 'UTILITY'
export type QueryState = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED'

/** One query as it was asked for, with how it stands. Times are milliseconds since the epoch. */
export interface QueryExecution {
  readonly id: string
  readonly sql: string
  readonly statementType: StatementType
  readonly substatementType: string
  readonly catalog: string
  readonly database: string | undefined
  readonly workGroup: string
  /** Where the result file goes: `s3://bucket/prefix/<id>.csv`; its name alone where results are managed. */
  readonly outputLocation: string
  /** No bucket holds the result. */
  readonly managedResults?: boolean
  readonly parameters?: readonly string[]
  /** The caller's token and a digest of what it asked with it. */
  readonly clientRequest?: { readonly token: string; readonly digest: string }
  readonly submittedMillis: number
  readonly state: QueryState
  readonly startedMillis?: number
  readonly completedMillis?: number
  readonly reason?: string
  readonly error?: AthenaError
  readonly scannedBytes?: number
  /** Time the statement itself took, without queue and result writing. */
  readonly engineMillis?: number
  /** What GetQueryResults describes; present once SUCCEEDED. */
  readonly columns?: readonly ColumnInfo[]
  /** Rows written by a statement that answers none. */
  readonly updateCount?: number
  /** The object that names the files the statement has written. */
  readonly manifestLocation?: string
  /** Rows of the answer, the names left out. */
  readonly outputRows?: number
  /** How old a result may be to be given again, in minutes; undefined where none may. */
  readonly reuseMaxAgeMinutes?: number
  /** The answer is that of an earlier query. */
  readonly reused?: boolean
}

export const isFinal = (state: QueryState): boolean =>
  state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED'

/** The QueryExecution structure of the API. */
export function queryExecutionOutput(execution: QueryExecution, nowMillis: number) {
  const { submittedMillis, completedMillis } = execution
  return {
    QueryExecutionId: execution.id,
    Query: execution.sql,
    StatementType: execution.statementType,
    SubstatementType: execution.substatementType,
    ...(execution.managedResults === true
      ? { ManagedQueryResultsConfiguration: { Enabled: true } }
      : { ResultConfiguration: { OutputLocation: execution.outputLocation } }),
    ResultReuseConfiguration: {
      ResultReuseByAgeConfiguration: {
        Enabled: execution.reuseMaxAgeMinutes !== undefined,
        MaxAgeInMinutes: execution.reuseMaxAgeMinutes,
      },
    },
    QueryExecutionContext: { Catalog: execution.catalog, Database: execution.database },
    Status: {
      State: execution.state,
      StateChangeReason: execution.reason,
      AthenaError: execution.error,
      SubmissionDateTime: submittedMillis / 1000,
      CompletionDateTime: completedMillis === undefined ? undefined : completedMillis / 1000,
    },
    Statistics: {
      ...timelineOf(execution, nowMillis),
      DataScannedInBytes: execution.scannedBytes ?? 0,
      DataManifestLocation: execution.manifestLocation,
      ResultReuseInformation: { ReusedPreviousResult: execution.reused ?? false },
    },
    WorkGroup: execution.workGroup,
    EngineVersion: engineVersion,
    ExecutionParameters: execution.parameters,
  }
}

/** How long the steps of a query took, in milliseconds. */
export function timelineOf(execution: QueryExecution, nowMillis: number) {
  const { submittedMillis, startedMillis, completedMillis, engineMillis = 0 } = execution
  const end = completedMillis ?? nowMillis
  return {
    EngineExecutionTimeInMillis: engineMillis,
    TotalExecutionTimeInMillis: end - submittedMillis,
    QueryQueueTimeInMillis: (startedMillis ?? end) - submittedMillis,
    ServicePreProcessingTimeInMillis: 0,
    QueryPlanningTimeInMillis: 0,
    ServiceProcessingTimeInMillis:
      startedMillis === undefined || completedMillis === undefined
        ? 0
        : Math.max(0, completedMillis - startedMillis - engineMillis),
  }
}

export const engineVersion = {
  SelectedEngineVersion: 'AUTO',
  EffectiveEngineVersion: 'Athena engine version 3',
} as const
