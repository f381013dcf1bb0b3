import {
  CreateJobCommand,
  GetJobCommand,
  type Job,
  type JobUpdate,
  UpdateJobCommand,
} from '@aws-sdk/client-glue'
import { ConfigurationError, type Runtime, systemRuntime } from '@stockpipe/core'
import { canonicalText } from './canonical-text.ts'
import {
  backOff,
  type GlueCall,
  type GlueSender,
  maximumAttempts,
  request,
  wasRefused,
} from './glue-request.ts'
import { type GlueJob, jobRequest } from './job-definition.ts'

export interface EnsureJobOptions {
  readonly client: GlueSender
  readonly job: GlueJob<never, never> | GlueJob
  readonly runtime?: Runtime
  readonly signal?: AbortSignal
}

export interface EnsuredJob {
  readonly outcome: 'created' | 'updated' | 'unchanged'
  /** The members of the job that were changed, as Glue names them. */
  readonly changed: readonly string[]
}

/** Members of a job that stay when the definition says nothing of them. */
const keptMembers = [
  'Connections',
  'Description',
  'JobMode',
  'JobRunQueuingEnabled',
  'LogUri',
  'MaintenanceWindow',
  'NonOverridableArguments',
  'NotificationProperty',
  'SecurityConfiguration',
  'SourceControlDetails',
  'Timeout',
] as const

/**
 * Makes the job, or compares it with what is there and changes what is not as defined. What the definition says nothing
 * of stays. Runs that have started keep what they started with.
 *
 * Throws a `ConfigurationError` for what Glue would refuse and for a job of another type, a `GlueRequestError` when Glue
 * refuses a call.
 */
export const ensureJob = async (options: EnsureJobOptions): Promise<EnsuredJob> => {
  const { client, signal, runtime = systemRuntime } = options
  const call: GlueCall = { client, runtime, signal }
  const wanted = jobRequest(options.job as GlueJob)
  const { Name: name = '', ...definition } = wanted
  const what = `job ${name}`
  for (let attempt = 1; ; attempt++) {
    const last = attempt >= maximumAttempts
    const found = await request(
      call,
      'GetJob',
      what,
      (sendOptions) => client.send(new GetJobCommand({ JobName: name }), sendOptions),
      ['EntityNotFoundException'],
    )
    if (wasRefused(found)) {
      const created = await request(
        call,
        'CreateJob',
        what,
        (sendOptions) => client.send(new CreateJobCommand(wanted), sendOptions),
        last ? [] : ['AlreadyExistsException', 'IdempotentParameterMismatchException'],
      )
      if (!wasRefused(created)) return { outcome: 'created', changed: [] }
    } else {
      const existing = found.Job ?? {}
      if (existing.Command?.Name !== undefined && existing.Command.Name !== wanted.Command.Name) {
        throw new ConfigurationError({
          code: 'JOB_DIFFERS',
          message: `Glue has another job ${name}: it is ${existing.Command.Name} in Glue and ${wanted.Command.Name} in the definition. Give it another name, or delete the one in Glue.`,
          facts: { job: name },
        })
      }
      const changed = changedMembers(existing, definition)
      if (changed.length === 0) return { outcome: 'unchanged', changed }
      const updated = await request(
        call,
        'UpdateJob',
        what,
        (sendOptions) =>
          client.send(
            new UpdateJobCommand({ JobName: name, JobUpdate: { ...keptOf(existing), ...definition } }),
            sendOptions,
          ),
        last ? [] : ['ConcurrentModificationException', 'EntityNotFoundException'],
      )
      if (!wasRefused(updated)) return { outcome: 'updated', changed }
    }
    await backOff(call, attempt)
  }
}

const keptOf = (existing: Job): JobUpdate => {
  const kept: JobUpdate = {}
  for (const member of keptMembers) {
    if (existing[member] !== undefined) Object.assign(kept, { [member]: existing[member] })
  }
  return kept
}

const changedMembers = (existing: Job, wanted: JobUpdate): string[] =>
  Object.entries(wanted)
    .filter(([member, value]) => canonicalText(existing[member as keyof Job]) !== canonicalText(value))
    .map(([member]) => member)
    .sort()
