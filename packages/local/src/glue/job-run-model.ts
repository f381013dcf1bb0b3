import type { JobDefinition, JobRunSettings } from './job-definition.ts'

export type JobRunState =
  | 'STARTING'
  | 'RUNNING'
  | 'STOPPING'
  | 'STOPPED'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'TIMEOUT'
  | 'ERROR'

/** A job as it is kept. Times are seconds since the epoch. */
export interface Job extends JobDefinition {
  readonly CreatedOn: number
  readonly LastModifiedOn: number
}

/** One run of a job as it is kept. Times are seconds since the epoch. */
export interface JobRun extends JobRunSettings {
  readonly Id: string
  /** 0 for the first; `MaxRetries` makes further ones. */
  readonly Attempt: number
  readonly PreviousRunId?: string
  readonly JobName: string
  readonly JobMode: 'SCRIPT'
  readonly StartedOn: number
  readonly LastModifiedOn: number
  readonly CompletedOn?: number
  readonly JobRunState: JobRunState
  readonly ErrorMessage?: string
  /** Seconds the script ran. */
  readonly ExecutionTime: number
  /** Minutes. */
  readonly Timeout: number
  readonly GlueVersion?: string
  readonly LogGroupName: string
  /** Where the log is. */
  readonly StateDetail?: string
}

export const isActive = ({ JobRunState }: JobRun): boolean =>
  JobRunState === 'STARTING' || JobRunState === 'RUNNING' || JobRunState === 'STOPPING'
