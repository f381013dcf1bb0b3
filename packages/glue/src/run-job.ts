import {
  BatchStopJobRunCommand,
  GetJobCommand,
  GetJobRunCommand,
  type Job,
  type JobRun,
  type JobRunState,
} from '@aws-sdk/client-glue'
import { type Runtime, sleep, systemRuntime } from '@stockpipe/core'
import { JobRunError } from './errors.ts'
import { type GlueCall, type GlueSender, request } from './glue-request.ts'
import { argumentTexts, type GlueJob, type JobArguments } from './job-definition.ts'
import { type PollDelays, poller } from './poller.ts'
import { listJobRuns, startJobRun } from './start-job-run.ts'

export interface JobRunProgress {
  readonly phase: 'waiting for other runs' | 'starting' | 'running' | 'stopping' | 'ended'
  /** Undefined before the run has begun. */
  readonly runId: string | undefined
  readonly state: JobRunState | undefined
  readonly elapsedMillis: number
}

/** Reads the last lines of a run's log: over CloudWatch Logs, the events of that group and stream. */
export type JobLogReader = (place: {
  readonly logGroup: string
  readonly logStream: string
}) => Promise<readonly string[]>

export interface RunJobOptions<Required extends string = string, Optional extends string = string> {
  readonly client: GlueSender
  readonly job: GlueJob<Required, Optional>
  readonly arguments?: JobArguments<Required, Optional>
  /** What to do when as many runs go as may: `wait` (the default) for one to end, or `fail`. */
  readonly onConcurrentRuns?: 'wait' | 'fail'
  /** How long the run may take from its start, in milliseconds; it is then stopped. Default Glue's own limit alone. */
  readonly timeoutMillis?: number
  /** What becomes of a run that is given up, by the signal or the time-out: `stop` (the default) or `leave`. */
  readonly onAbort?: 'stop' | 'leave'
  /** How long a stopped run may take to end, in milliseconds. Default 600,000. */
  readonly stopLimitMillis?: number
  /** How often the state is asked for. */
  readonly poll?: PollDelays
  readonly readLog?: JobLogReader
  readonly runtime?: Runtime
  /** Aborting rejects with `signal.reason`, once the run has ended. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: JobRunProgress) => void
}

export interface EndedJobRun {
  /** Of the run that succeeded: a retry by Glue has an id of its own. */
  readonly runId: string
  /** 0 for the first. */
  readonly attempt: number
  readonly startedOn: Date | undefined
  readonly completedOn: Date | undefined
  readonly executionSeconds: number
  /** What is charged, where Glue tells. */
  readonly dpuSeconds: number | undefined
  readonly logGroup: string
}

const activeStates: ReadonlySet<string | undefined> = new Set([
  'STARTING',
  'RUNNING',
  'STOPPING',
  'WAITING',
  undefined,
])

/**
 * Starts a run of a job that is there (`ensureJob`), and waits until it has succeeded, retries by Glue included.
 *
 * Throws a `JobRunError` that tells the state, Glue's message and the end of the log when the run ends otherwise, takes
 * longer than `timeoutMillis` (`JOB_TIMED_OUT`), does not end although stopped (`JOB_NOT_STOPPED`), or may have been
 * started without an answer (`JOB_START_UNKNOWN`); a `GlueRequestError` when Glue refuses a call.
 */
export const runJob = async <const Required extends string, const Optional extends string>(
  options: RunJobOptions<Required, Optional>,
): Promise<EndedJobRun> => {
  const { client, signal, runtime = systemRuntime, onAbort = 'stop' } = options
  const job = options.job as GlueJob
  const call: GlueCall = { client, runtime, signal }
  const began = runtime.monotonic()
  const report = (phase: JobRunProgress['phase'], run?: JobRun) =>
    options.onProgress?.({
      phase,
      runId: run?.Id,
      state: run?.JobRunState,
      elapsedMillis: Math.round(runtime.monotonic() - began),
    })
  const given = (options.arguments ?? {}) as Record<string, string | number | boolean>
  const { MaxRetries: maxRetries = 0, DefaultArguments: defaults = {} } = await getJob(call, job.name)
  const runId = await startJobRun(call, {
    job: job.name,
    given: argumentTexts(given),
    defaults,
    onConcurrentRuns: options.onConcurrentRuns ?? 'wait',
    wait: poller(call, options.poll),
    onWait: () => report('waiting for other runs'),
  })
  const watched: Watched = { job: job.name, runId, maxRetries, poll: options.poll ?? {}, report }
  try {
    const deadline =
      options.timeoutMillis === undefined ? undefined : runtime.monotonic() + options.timeoutMillis
    const run = await untilEnded(call, watched, deadline)
    if (run.JobRunState === 'SUCCEEDED') return endedRun(run)
    throw await runFailed(job.name, run, options.readLog)
  } catch (error) {
    const givenUp =
      signal?.aborted === true || (error instanceof JobRunError && error.code === 'JOB_TIMED_OUT')
    if (givenUp && onAbort === 'stop') {
      await stopRun({ client, runtime }, watched, options.stopLimitMillis ?? 600_000)
    }
    throw error
  }
}

interface Watched {
  readonly job: string
  /** Changes when Glue runs a failed run again. */
  runId: string
  readonly maxRetries: number
  readonly poll: PollDelays
  readonly report: (phase: JobRunProgress['phase'], run?: JobRun) => void
}

const getJob = async (call: GlueCall, name: string): Promise<Job> => {
  const { Job } = await request(call, 'GetJob', `job ${name}`, (sendOptions) =>
    call.client.send(new GetJobCommand({ JobName: name }), sendOptions),
  )
  return Job ?? {}
}

const getRun = async (call: GlueCall, job: string, runId: string): Promise<JobRun> => {
  const { JobRun } = await request(call, 'GetJobRun', `run ${runId} of job ${job}`, (sendOptions) =>
    call.client.send(new GetJobRunCommand({ JobName: job, RunId: runId }), sendOptions),
  )
  return JobRun ?? {}
}

const untilEnded = async (
  call: GlueCall,
  watched: Watched,
  deadline: number | undefined,
): Promise<JobRun> => {
  const wait = poller(call, watched.poll)
  for (;;) {
    const run = await getRun(call, watched.job, watched.runId)
    if (activeStates.has(run.JobRunState)) {
      const phase =
        run.JobRunState === 'STOPPING' ? 'stopping' : run.JobRunState === 'RUNNING' ? 'running' : 'starting'
      watched.report(phase, run)
    } else {
      const again = await retryOf(call, watched, run)
      if (again === undefined) {
        watched.report('ended', run)
        return run
      }
      watched.runId = again
      wait.reset()
      continue
    }
    if (deadline !== undefined && call.runtime.monotonic() > deadline) {
      throw jobError(
        watched.job,
        run,
        'JOB_TIMED_OUT',
        'takes longer than it may',
        'Give it more time, or see in its log what it does',
      )
    }
    await wait()
  }
}

/** How often is looked for the run by which Glue repeats a failed one. */
const retryLooks = 5

/** The run by which Glue repeats one that failed; undefined when it does not. */
const retryOf = async (call: GlueCall, watched: Watched, run: JobRun): Promise<string | undefined> => {
  const isRepeated =
    run.JobRunState === 'FAILED' || run.JobRunState === 'ERROR' || run.JobRunState === 'TIMEOUT'
  if (!isRepeated || (run.Attempt ?? 0) >= watched.maxRetries) return undefined
  for (let look = 1; look <= retryLooks; look++) {
    const runs = await listJobRuns(call, watched.job)
    const next = runs.find(
      (one) => one.PreviousRunId === watched.runId && (one.Attempt ?? 0) > (run.Attempt ?? 0),
    )
    if (next?.Id !== undefined) return next.Id
    if (look < retryLooks) await sleep(call.runtime, watched.poll.initialMillis ?? 2000, call.signal)
  }
  return undefined
}

/** Stops a run and waits until it has ended. Throws a `JobRunError` when it has not in time. */
const stopRun = async (call: GlueCall, watched: Watched, limitMillis: number): Promise<void> => {
  const began = call.runtime.monotonic()
  const wait = poller(call, watched.poll)
  for (;;) {
    const run = await getRun(call, watched.job, watched.runId)
    if (!activeStates.has(run.JobRunState)) {
      const again = await retryOf(call, watched, run)
      if (again === undefined) {
        watched.report('ended', run)
        return
      }
      watched.runId = again
      continue
    }
    watched.report('stopping', run)
    if (call.runtime.monotonic() - began > limitMillis) {
      throw jobError(
        watched.job,
        run,
        'JOB_NOT_STOPPED',
        'was stopped and has not ended',
        'It may still run and write: look at it in Glue',
      )
    }
    if (run.JobRunState !== 'STOPPING') {
      // A run that cannot be stopped now is asked again; one that ended meanwhile is seen next.
      await request(call, 'BatchStopJobRun', `run ${watched.runId} of job ${watched.job}`, (sendOptions) =>
        call.client.send(
          new BatchStopJobRunCommand({ JobName: watched.job, JobRunIds: [watched.runId] }),
          sendOptions,
        ),
      )
    }
    await wait()
  }
}

const logGroupOf = (run: JobRun): string => run.LogGroupName ?? '/aws-glue/jobs'

const endedRun = (run: JobRun): EndedJobRun => ({
  runId: run.Id ?? '',
  attempt: run.Attempt ?? 0,
  startedOn: run.StartedOn,
  completedOn: run.CompletedOn,
  executionSeconds: run.ExecutionTime ?? 0,
  dpuSeconds: run.DPUSeconds,
  logGroup: logGroupOf(run),
})

const runFailed = async (
  job: string,
  run: JobRun,
  readLog: JobLogReader | undefined,
): Promise<JobRunError> => {
  const told = (run.ErrorMessage ?? 'Glue gives no reason').replace(/\.?\s*$/, '')
  // A log that cannot be read must not hide why the run failed.
  const lines = await readLog?.({ logGroup: `${logGroupOf(run)}/error`, logStream: run.Id ?? '' }).catch(
    () => [],
  )
  return jobError(
    job,
    run,
    run.JobRunState === 'STOPPED' ? 'JOB_STOPPED' : 'JOB_FAILED',
    `ended ${run.JobRunState}: ${told}`,
    `Its log: ${logGroupOf(run)}/error, stream ${run.Id}`,
    lines?.slice(-20),
  )
}

const jobError = (
  job: string,
  run: JobRun,
  code: string,
  what: string,
  remedy: string,
  logExcerpt: readonly string[] = [],
): JobRunError =>
  new JobRunError({
    code,
    message: `Run ${run.Id} of job ${job} ${what}. ${remedy}.`,
    job,
    runId: run.Id,
    state: run.JobRunState,
    logExcerpt,
    facts: { job, runId: run.Id, state: run.JobRunState },
  })
