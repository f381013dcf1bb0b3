import type { CreateJobRequest, WorkerType } from '@aws-sdk/client-glue'
import { ConfigurationError } from '@stockpipe/core'

/** What every job has, whatever runs it. */
interface JobBase<Required extends string, Optional extends string> {
  readonly name: string
  /** The IAM role, name or ARN, by which the job reads and writes. */
  readonly role: string
  /** `s3://bucket/key` of the script: what `uploadJobScript` answers. */
  readonly script: string
  readonly description?: string
  /** Arguments every run has to give, without their `--`. */
  readonly requiredArguments?: readonly Required[]
  /** Arguments a run may give, and what they are when it does not; without their `--`. */
  readonly defaultArguments?: Readonly<Record<Optional, string>>
  /** How many runs there may be at once. Default 1. */
  readonly maxConcurrentRuns?: number
  /** How often Glue runs a failed run again. Default 0. */
  readonly maxRetries?: number
  /** Glue's own limit of a run. */
  readonly timeoutMinutes?: number
  /** Names of Glue connections. */
  readonly connections?: readonly string[]
  readonly securityConfiguration?: string
}

/** Spark, batch. */
export interface SparkJob<Required extends string = string, Optional extends string = string>
  extends JobBase<Required, Optional> {
  readonly type: 'glueetl'
  /** Such as `5.0`. */
  readonly glueVersion: string
  readonly workerType: WorkerType
  readonly numberOfWorkers: number
  /** `FLEX` runs on spare capacity, for less. Default `STANDARD`. */
  readonly executionClass?: 'STANDARD' | 'FLEX'
}

/** Spark, streaming: it runs until it is stopped. */
export interface StreamingJob<Required extends string = string, Optional extends string = string>
  extends JobBase<Required, Optional> {
  readonly type: 'gluestreaming'
  readonly glueVersion: string
  readonly workerType: WorkerType
  readonly numberOfWorkers: number
  /** When Glue may restart it, such as `Sun:10`. */
  readonly maintenanceWindow?: string
}

/** Python on one small machine. */
export interface PythonShellJob<Required extends string = string, Optional extends string = string>
  extends JobBase<Required, Optional> {
  readonly type: 'pythonshell'
  readonly pythonVersion: '3.9' | '3'
  /** Data processing units. Default 0.0625. */
  readonly maxCapacity?: 0.0625 | 1
}

/** Ray. */
export interface RayJob<Required extends string = string, Optional extends string = string>
  extends JobBase<Required, Optional> {
  readonly type: 'glueray'
  readonly glueVersion: '4.0'
  readonly runtime: 'Ray2.4'
  readonly workerType: 'Z.2X'
  readonly numberOfWorkers: number
}

/** A job as it is to be: which members it takes depends on its `type`. */
export type GlueJob<Required extends string = string, Optional extends string = string> =
  | SparkJob<Required, Optional>
  | StreamingJob<Required, Optional>
  | PythonShellJob<Required, Optional>
  | RayJob<Required, Optional>

/** What a run of a job is given. */
export type JobArguments<Required extends string, Optional extends string> = {
  readonly [Name in Required]: string | number | boolean
} & { readonly [Name in Optional]?: string | number | boolean }

/**
 * A job whose runs are typed by its arguments.
 *
 * Throws a `ConfigurationError` for what Glue would refuse.
 */
export const defineJob = <const Required extends string = never, const Optional extends string = never>(
  job: GlueJob<Required, Optional>,
): GlueJob<Required, Optional> => {
  jobRequest(job as GlueJob)
  return Object.freeze(job)
}

/** Arguments as Glue takes them: texts, with `--` before their names. */
export const argumentTexts = (
  values: Readonly<Record<string, string | number | boolean | undefined>>,
): Record<string, string> => {
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) given[`--${name}`] = String(value)
  }
  return given
}

/** The job as CreateJob takes it. */
export const jobRequest = (job: GlueJob): CreateJobRequest & { Command: { Name: string } } => {
  const refuse = (what: string): never => {
    throw new ConfigurationError({ code: 'JOB_INVALID', message: `Glue job ${job.name} ${what}.` })
  }
  if (!/^.{1,255}$/.test(job.name)) refuse('needs a name of 1 to 255 characters')
  if (!/^s3:\/\/[^/]+\/.+/.test(job.script)) refuse(`has the script "${job.script}"; give s3://bucket/key`)
  for (const name of [...(job.requiredArguments ?? []), ...Object.keys(job.defaultArguments ?? {})]) {
    if (name === '' || name.startsWith('-')) refuse(`has an argument "${name}"; write its name without "--"`)
  }
  const whole = (what: string, value: number | undefined, least: number) => {
    if (value !== undefined && (!Number.isInteger(value) || value < least)) {
      refuse(`has ${what} ${value}; it is a whole number from ${least}`)
    }
  }
  whole('maxConcurrentRuns', job.maxConcurrentRuns, 1)
  whole('maxRetries', job.maxRetries, 0)
  whole('timeoutMinutes', job.timeoutMinutes, 1)
  if (job.type !== 'pythonshell') whole('numberOfWorkers', job.numberOfWorkers, 1)
  if (job.type === 'gluestreaming' && (job.maxRetries ?? 0) > 0) {
    refuse('is a streaming job, which Glue starts anew by itself: leave out maxRetries')
  }
  return {
    Name: job.name,
    Role: job.role,
    ...(job.description === undefined ? {} : { Description: job.description }),
    DefaultArguments: argumentTexts(job.defaultArguments ?? {}),
    ExecutionProperty: { MaxConcurrentRuns: job.maxConcurrentRuns ?? 1 },
    MaxRetries: job.maxRetries ?? 0,
    ...(job.timeoutMinutes === undefined ? {} : { Timeout: job.timeoutMinutes }),
    ...(job.connections === undefined ? {} : { Connections: { Connections: [...job.connections] } }),
    ...(job.securityConfiguration === undefined ? {} : { SecurityConfiguration: job.securityConfiguration }),
    ...typeMembers(job),
  }
}

const typeMembers = (job: GlueJob) => {
  const command = { Name: job.type, ScriptLocation: job.script }
  switch (job.type) {
    case 'pythonshell':
      return {
        Command: { ...command, PythonVersion: job.pythonVersion },
        MaxCapacity: job.maxCapacity ?? 0.0625,
      }
    case 'glueray':
      return { Command: { ...command, Runtime: job.runtime }, ...workers(job) }
    case 'gluestreaming':
      return {
        Command: { ...command, PythonVersion: '3' },
        ...workers(job),
        ...(job.maintenanceWindow === undefined ? {} : { MaintenanceWindow: job.maintenanceWindow }),
      }
    case 'glueetl':
      return {
        Command: { ...command, PythonVersion: '3' },
        ...workers(job),
        ExecutionClass: job.executionClass ?? 'STANDARD',
      }
  }
}

const workers = (job: SparkJob | StreamingJob | RayJob) => ({
  GlueVersion: job.glueVersion,
  WorkerType: job.workerType,
  NumberOfWorkers: job.numberOfWorkers,
})
