import { GetJobRunsCommand, type JobRun, StartJobRunCommand } from '@aws-sdk/client-glue'
import { lostConnections, neverConnected, serviceErrorName } from '@stockpipe/core'
import { JobRunError } from './errors.ts'
import { backOff, type GlueCall, maximumAttempts, request, requestFailed } from './glue-request.ts'
import type { Poller } from './poller.ts'

/** Refusals after which it is known that nothing was started. */
const refusals: ReadonlySet<string> = new Set([
  'ThrottlingException',
  'ThrottledException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'ResourceNumberLimitExceededException',
  ...neverConnected,
])

/** Failures after which a run may have been started or not. */
const unknowns: ReadonlySet<string> = new Set([
  'InternalServerException',
  'InternalServiceException',
  'OperationTimeoutException',
  'ServiceUnavailable',
  'TimeoutError',
  ...lostConnections,
  'UnknownError',
])

/** The newest runs of a job. */
export const listJobRuns = async (call: GlueCall, job: string): Promise<readonly JobRun[]> => {
  const answer = await request(call, 'GetJobRuns', `job ${job}`, (sendOptions) =>
    call.client.send(new GetJobRunsCommand({ JobName: job, MaxResults: 100 }), sendOptions),
  )
  return answer.JobRuns ?? []
}

interface JobStart {
  readonly job: string
  readonly given: Readonly<Record<string, string>>
  /** The job's own arguments: Glue may show those of a run with them or without. */
  readonly defaults: Readonly<Record<string, string>>
  readonly onConcurrentRuns: 'wait' | 'fail'
  readonly wait: Poller
  readonly onWait: () => void
}

/**
 * Starts one run, and answers its id. StartJobRun has no token by which Glue would know a repeat, so an answer that is
 * lost is looked for among the job's runs before the call is made again.
 */
export const startJobRun = async (call: GlueCall, start: JobStart): Promise<string> => {
  const { job, given } = start
  const what = `job ${job}`
  const before = new Set((await listJobRuns(call, job)).map(({ Id }) => Id))
  for (let attempt = 1; ; ) {
    call.signal?.throwIfAborted()
    try {
      // Not under the signal: whether an aborted call has started a run nobody would know.
      const { JobRunId } = await call.client.send(
        new StartJobRunCommand({ JobName: job, Arguments: { ...given } }),
      )
      return JobRunId ?? ''
    } catch (error) {
      const name = serviceErrorName(error)
      const sent = (error as { $metadata?: { attempts?: number } } | undefined)?.$metadata?.attempts ?? 1
      // A call the SDK has repeated may be refused because of the run it started before.
      if (unknowns.has(name) || sent > 1) {
        // Not under the signal either: the run is then stopped, and not left to itself.
        const ours = await startedMeanwhile(
          { client: call.client, runtime: call.runtime },
          start,
          before,
          error,
        )
        if (ours !== undefined) return ours
      }
      if (name === 'ConcurrentRunsExceededException' && start.onConcurrentRuns === 'wait') {
        start.onWait()
        await start.wait()
        continue
      }
      if ((!refusals.has(name) && !unknowns.has(name)) || attempt >= maximumAttempts) {
        throw requestFailed('StartJobRun', what, name, attempt, error)
      }
    }
    await backOff(call, attempt)
    attempt += 1
  }
}

/** How often is looked for a run whose start was not answered: it may show a moment later. */
const startLooks = 3

/** The run with these arguments that was not there before; undefined when there is none. */
const startedMeanwhile = async (
  call: GlueCall,
  { job, given, defaults }: Pick<JobStart, 'job' | 'given' | 'defaults'>,
  before: ReadonlySet<string | undefined>,
  cause: unknown,
): Promise<string | undefined> => {
  const text = (values: Readonly<Record<string, string>> | undefined) =>
    JSON.stringify(
      Object.entries({ ...defaults, ...values }).sort(([one], [other]) => (one < other ? -1 : 1)),
    )
  let runs: readonly JobRun[] = []
  for (let look = 1; runs.length === 0 && look <= startLooks; look++) {
    await backOff(call, 2 + look)
    runs = (await listJobRuns(call, job)).filter(
      ({ Id, Arguments, Attempt }) =>
        !before.has(Id) && (Attempt ?? 0) === 0 && text(Arguments) === text(given),
    )
  }
  if (runs.length <= 1) return runs[0]?.Id
  throw new JobRunError({
    code: 'JOB_START_UNKNOWN',
    message: `Whether a run of job ${job} was started here is not known: the answer was lost, and ${runs.length} runs with these arguments have begun since (${runs.map(({ Id }) => Id).join(', ')}). Look at them, and run it again if none is yours.`,
    cause,
    job,
    runId: undefined,
    state: undefined,
    logExcerpt: [],
    facts: { job },
  })
}
