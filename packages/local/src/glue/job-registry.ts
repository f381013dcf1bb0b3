import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Durability } from '../durability.ts'
import { ServiceError } from '../http/json-service.ts'
import { AppendLog } from './append-log.ts'
import { defaultTimeoutMinutes, type JobDefinition, type JobRunSettings } from './job-definition.ts'
import { isActive, type Job, type JobRun, type JobRunState } from './job-run-model.ts'
import { type JobRunEnd, type JobRunner, StackCloses } from './job-runner.ts'

/** Runs of a job that are kept. */
const keptRuns = 1_000
/** The longest a timer of Node can wait. */
const longestTimerMillis = 2 ** 31 - 1

type JobEntry =
  | readonly ['job', Job]
  | readonly ['drop-job', string]
  /** A run as it stands, by its id. */
  | readonly ['job-run', JobRun]

interface ActiveRun {
  readonly abort: AbortController
  readonly finished: Promise<void>
}

/** Calls back after some milliseconds; answers how to prevent it. */
export type SetTimer = (callback: () => void, millis: number) => () => void

export interface JobRegistryOptions {
  readonly runner: JobRunner
  readonly durability?: Durability
  /** Why no job may run here; undefined where they may. */
  readonly refusal?: string | undefined
  /** Default: a timer of Node. */
  readonly setTimer?: SetTimer
}

/** The reason of a signal when a run takes longer than its `Timeout`. */
class TimedOut extends Error {
  override readonly name = 'TimedOut'
}

/** Jobs and their runs, kept in a log. */
export class JobRegistry {
  readonly #jobs = new Map<string, Job>()
  /** By job, then by id, oldest first. */
  readonly #runs = new Map<string, Map<string, JobRun>>()
  readonly #active = new Map<string, ActiveRun>()
  readonly #options: JobRegistryOptions
  readonly #log: AppendLog<JobEntry>
  #isClosed = false

  constructor(dataDirectory: string, options: JobRegistryOptions) {
    this.#options = options
    this.#log = AppendLog.open<JobEntry>(
      join(dataDirectory, 'jobs.log'),
      (entry) => this.#apply(entry),
      options.durability,
    )
    for (const runs of this.#runs.values()) {
      for (const run of runs.values()) {
        if (!isActive(run)) continue
        this.#change(run, 'ERROR', { ErrorMessage: 'The local stack ended while the job was running.' })
      }
    }
  }

  list(): readonly Job[] {
    return [...this.#jobs.keys()].sort().map((name) => this.require(name))
  }

  find(name: string): Job | undefined {
    return this.#jobs.get(name)
  }

  /** The job, or an EntityNotFoundException. */
  require(name: string): Job {
    const job = this.#jobs.get(name)
    if (job !== undefined) return job
    throw new ServiceError('EntityNotFoundException', `Job with name: ${name} not found.`)
  }

  create(definition: JobDefinition): void {
    if (this.#jobs.has(definition.Name)) {
      throw new ServiceError('AlreadyExistsException', `Job already exists: ${definition.Name}`)
    }
    const now = Date.now() / 1000
    this.#commit(['job', { ...definition, CreatedOn: now, LastModifiedOn: now }])
  }

  /** Replaces a job's definition; runs that have started keep the former one. */
  update(definition: JobDefinition): void {
    const { CreatedOn } = this.require(definition.Name)
    this.#commit(['job', { ...definition, CreatedOn, LastModifiedOn: Date.now() / 1000 }])
  }

  /** Removes a job and its runs; what runs is stopped. A job that is missing is none to remove. */
  delete(name: string): void {
    if (!this.#jobs.has(name)) return
    for (const run of this.#runs.get(name)?.values() ?? []) this.#active.get(run.Id)?.abort.abort()
    this.#commit(['drop-job', name])
  }

  /** The runs of a job, newest first. @throws EntityNotFoundException */
  runs(name: string): readonly JobRun[] {
    this.require(name)
    return [...(this.#runs.get(name)?.values() ?? [])].reverse()
  }

  findRun(name: string, id: string): JobRun | undefined {
    return this.#runs.get(name)?.get(id)
  }

  /** The run, or an EntityNotFoundException. */
  requireRun(name: string, id: string): JobRun {
    this.require(name)
    const run = this.findRun(name, id)
    if (run !== undefined) return run
    throw new ServiceError('EntityNotFoundException', `Job run with id: ${id} not found.`)
  }

  /**
   * Begins a run in the background, and answers its id. `previous` is a run to repeat.
   *
   * @throws AccessDeniedException, EntityNotFoundException, ConcurrentRunsExceededException
   */
  start(name: string, settings: JobRunSettings, previous?: string): string {
    const { refusal } = this.#options
    if (refusal !== undefined) throw new ServiceError('AccessDeniedException', refusal)
    const job = this.require(name)
    const former = previous === undefined ? undefined : this.requireRun(name, previous)
    const active = this.runs(name).filter(isActive)
    if (active.length >= job.ExecutionProperty.MaxConcurrentRuns) {
      throw new ServiceError('ConcurrentRunsExceededException', `Concurrent runs exceeded for ${name}`)
    }
    return this.#begin(job, {
      ...(former?.Arguments === undefined ? {} : { Arguments: former.Arguments }),
      ...settings,
      Id: `jr_${randomBytes(32).toString('hex')}`,
      Attempt: 0,
      ...(former === undefined ? {} : { PreviousRunId: former.Id }),
    })
  }

  /** Asks a run to end; it is STOPPED soon. False where it has ended already. */
  stop(run: JobRun): boolean {
    const active = this.#active.get(run.Id)
    if (active === undefined || !isActive(run)) return false
    this.#change(run, 'STOPPING')
    active.abort.abort(new Error('stopped by BatchStopJobRun'))
    return true
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const active = [...this.#active.values()]
    for (const { abort } of active) abort.abort(new StackCloses('The local stack was closed.'))
    await Promise.all(active.map(({ finished }) => finished))
    this.#log.close()
  }

  #begin(job: Job, settings: JobRunSettings & Pick<JobRun, 'Id' | 'Attempt' | 'PreviousRunId'>): string {
    const now = Date.now() / 1000
    const isShell = job.Command.Name === 'pythonshell'
    const run: JobRun = {
      ...(job.MaxCapacity === undefined ? {} : { MaxCapacity: job.MaxCapacity }),
      ...(job.WorkerType === undefined ? {} : { WorkerType: job.WorkerType }),
      ...(job.NumberOfWorkers === undefined ? {} : { NumberOfWorkers: job.NumberOfWorkers }),
      ...(job.GlueVersion === undefined ? {} : { GlueVersion: job.GlueVersion }),
      ...settings,
      Timeout: settings.Timeout ?? job.Timeout ?? defaultTimeoutMinutes(job),
      JobName: job.Name,
      JobMode: job.JobMode,
      StartedOn: now,
      LastModifiedOn: now,
      JobRunState: 'STARTING',
      ExecutionTime: 0,
      LogGroupName: isShell ? '/aws-glue/python-jobs' : '/aws-glue/jobs',
      StateDetail: `The log of this run is ${this.#options.runner.logPath(settings.Id)}`,
    }
    this.#commit(['job-run', run])
    const abort = new AbortController()
    this.#active.set(run.Id, { abort, finished: this.#run(job, run, abort) })
    return run.Id
  }

  async #run(job: Job, started: JobRun, abort: AbortController): Promise<void> {
    const { Id, JobName } = started
    const { setTimer = nodeTimer, runner } = this.#options
    // A turn later, so that the run is on record before it can end.
    await Promise.resolve()
    let runningMillis: number | undefined
    let cancelTimer = (): void => undefined
    const onRunning = (): void => {
      runningMillis = Date.now()
      const timeoutMillis = Math.min(started.Timeout * 60_000, longestTimerMillis)
      cancelTimer = setTimer(() => abort.abort(new TimedOut('timed out')), timeoutMillis)
      const run = this.findRun(JobName, Id)
      if (run?.JobRunState === 'STARTING') this.#change(run, 'RUNNING')
    }
    const { signal } = abort
    const end = endOf(await runner.run(job, started, { signal, onRunning }), signal)
    cancelTimer()
    this.#active.delete(Id)
    const run = this.findRun(JobName, Id)
    // Its job may be gone.
    if (run === undefined) return
    this.#change(run, end.state, {
      CompletedOn: Date.now() / 1000,
      ExecutionTime: runningMillis === undefined ? 0 : Math.round((Date.now() - runningMillis) / 1000),
      ...(end.message === undefined ? {} : { ErrorMessage: end.message }),
    })
    const current = this.find(JobName)
    if (end.state !== 'FAILED' || this.#isClosed || current === undefined) return
    if (run.Attempt >= current.MaxRetries) return
    const { Arguments, Timeout } = run
    try {
      this.#begin(current, {
        ...(Arguments === undefined ? {} : { Arguments }),
        Timeout,
        Id: `${Id.replace(/_attempt_\d+$/, '')}_attempt_${run.Attempt + 1}`,
        Attempt: run.Attempt + 1,
        PreviousRunId: Id,
      })
    } catch {
      // A full disk must not end the process: what cannot be put on record does not run.
    }
  }

  /** Puts a run into another state. A full disk must not end the process: the log then lacks it. */
  #change(run: JobRun, state: JobRunState, more: Partial<JobRun> = {}): void {
    const entry = [
      'job-run',
      { ...run, ...more, JobRunState: state, LastModifiedOn: Date.now() / 1000 },
    ] as const
    this.#apply(entry)
    try {
      this.#log.append(entry)
    } catch {
      // After a restart this run shows as cut off.
    }
  }

  #commit(entry: JobEntry): void {
    this.#log.append(entry)
    this.#apply(entry)
    this.#log.compactWhenGrown(() => this.#snapshot())
  }

  *#snapshot(): Iterable<JobEntry> {
    for (const job of this.#jobs.values()) yield ['job', job]
    for (const runs of this.#runs.values()) for (const run of runs.values()) yield ['job-run', run]
  }

  #apply(entry: JobEntry): void {
    if (entry[0] === 'job') this.#jobs.set(entry[1].Name, entry[1])
    else if (entry[0] === 'drop-job') {
      this.#forget(entry[1], [...(this.#runs.get(entry[1])?.values() ?? [])])
      this.#jobs.delete(entry[1])
      this.#runs.delete(entry[1])
    } else {
      const runs = this.#runs.get(entry[1].JobName) ?? new Map<string, JobRun>()
      this.#runs.set(entry[1].JobName, runs)
      runs.set(entry[1].Id, entry[1])
      this.#forget(
        entry[1].JobName,
        [...runs.values()].slice(0, -keptRuns).filter((run) => !isActive(run)),
      )
    }
  }

  #forget(name: string, runs: readonly JobRun[]): void {
    for (const { Id } of runs) {
      this.#runs.get(name)?.delete(Id)
      this.#options.runner.removeLog(Id)
    }
  }
}

function endOf(end: JobRunEnd, { aborted, reason }: AbortSignal): JobRunEnd {
  if (!aborted || end.state !== 'STOPPED') return end
  if (reason instanceof TimedOut)
    return { state: 'TIMEOUT', message: 'The job run took longer than its Timeout.' }
  return reason instanceof StackCloses ? { state: 'STOPPED', message: reason.message } : end
}

const nodeTimer: SetTimer = (callback, millis) => {
  const timer = setTimeout(callback, millis)
  return () => clearTimeout(timer)
}
