import { expect, expectTypeOf, test } from 'vitest'
import {
  cloudWatchLogReader,
  defineJob,
  ensureJob,
  type GlueJob,
  type JobRunError,
  type JobRunProgress,
  type RunJobOptions,
  runJob,
  uploadJobScript,
} from '../src/index.ts'
import { fakeGlue, serviceException } from './fake-glue.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const job = defineJob({
  type: 'pythonshell',
  name: 'bars',
  role: 'etl',
  script: 's3://scripts/bars.py',
  pythonVersion: '3.9',
  requiredArguments: ['day'],
  defaultArguments: { database: 'market' },
})

interface Run {
  Id: string
  JobRunState: string
  Attempt?: number
  PreviousRunId?: string
  Arguments?: Record<string, string>
  ErrorMessage?: string
  LogGroupName?: string
}

/** One job whose runs go through `states` as they are asked for; a stopped one goes through STOPPING to STOPPED. */
const jobService = (
  states: readonly string[],
  options: {
    readonly refuseStart?: (attempt: number, begin: () => void) => Error | undefined
    readonly maxRetries?: number
    readonly refuseStop?: boolean
    readonly defaults?: Record<string, string>
  } = {},
) => {
  const runs: (Run & { states: string[] })[] = []
  let starts = 0
  const begin = (more: Partial<Run> = {}) => {
    const run = {
      Id: `jr_${runs.length + 1}`,
      JobRunState: 'STARTING',
      Attempt: 0,
      states: [...states],
      ...more,
    }
    runs.push(run)
    return run
  }
  const glue = fakeGlue(({ operation, input }) => {
    switch (operation) {
      case 'GetJob':
        return {
          Job: { Name: 'bars', MaxRetries: options.maxRetries ?? 0, DefaultArguments: options.defaults },
        }
      case 'GetJobRuns':
        return { JobRuns: [...runs].reverse().map(({ states: _, ...run }) => run) }
      case 'StartJobRun': {
        const refused = options.refuseStart?.(++starts, () => begin({ Arguments: input.Arguments }))
        if (refused !== undefined) throw refused
        return { JobRunId: begin({ Arguments: input.Arguments }).Id }
      }
      case 'GetJobRun': {
        const run = runs.find(({ Id }) => Id === input.RunId)!
        run.JobRunState = run.states.length > 1 ? run.states.shift()! : run.states[0]!
        if (run.JobRunState === 'FAILED' && run.Attempt! < (options.maxRetries ?? 0)) {
          begin({ Attempt: run.Attempt! + 1, PreviousRunId: run.Id })
          run.states = ['FAILED']
        }
        const { states: _, ...answer } = run
        return { JobRun: { ...answer, ErrorMessage: 'boom.', LogGroupName: '/aws-glue/python-jobs' } }
      }
      case 'BatchStopJobRun': {
        const run = runs.find(({ Id }) => Id === input.JobRunIds[0])!
        if (!options.refuseStop) run.states = ['STOPPING', 'STOPPING', 'STOPPED']
        return {}
      }
      default:
        throw serviceException('UnknownOperationException', operation)
    }
  })
  return { ...glue, runs, begin, starts: () => starts }
}
const run = (
  { client }: ReturnType<typeof jobService>,
  more: Partial<RunJobOptions<'day', 'database'>> = {},
) => runJob({ client, job, arguments: { day: '2024-01-02' }, runtime: virtualRuntime(), ...more })

test('a run is started with its arguments, awaited through its states, and told of', async () => {
  const service = jobService(['STARTING', 'WAITING', 'RUNNING', 'SUCCEEDED'])
  const progress: JobRunProgress[] = []
  expect(await run(service, { onProgress: (one) => progress.push(one) })).toMatchObject({
    runId: 'jr_1',
    attempt: 0,
    logGroup: '/aws-glue/python-jobs',
  })
  expect(service.sent.find(({ operation }) => operation === 'StartJobRun')?.input).toEqual({
    JobName: 'bars',
    Arguments: { '--day': '2024-01-02' },
  })
  expect(progress.map(({ phase }) => phase)).toEqual(['starting', 'starting', 'running', 'ended'])
})

test.each([
  ['FAILED', 'JOB_FAILED'],
  ['ERROR', 'JOB_FAILED'],
  ['TIMEOUT', 'JOB_FAILED'],
  ['EXPIRED', 'JOB_FAILED'],
  ['STOPPED', 'JOB_STOPPED'],
])('a run that ends %s is an error with the end of its log', async (state, code) => {
  const places: object[] = []
  const error: JobRunError = await run(jobService(['RUNNING', state]), {
    readLog: async (place) => {
      places.push(place)
      return Array.from({ length: 30 }, (_, index) => `line ${index}`)
    },
  }).catch((thrown) => thrown)
  expect(error).toMatchObject({
    code,
    state,
    runId: 'jr_1',
    message: `Run jr_1 of job bars ended ${state}: boom. Its log: /aws-glue/python-jobs/error, stream jr_1.`,
  })
  expect(error.logExcerpt).toHaveLength(20)
  expect(error.logExcerpt.at(-1)).toBe('line 29')
  expect(places).toEqual([{ logGroup: '/aws-glue/python-jobs/error', logStream: 'jr_1' }])
})

test('a log that cannot be read does not hide why the run failed', async () => {
  const readLog = () => Promise.reject(new Error('no logs'))
  await expect(run(jobService(['FAILED']), { readLog })).rejects.toMatchObject({
    code: 'JOB_FAILED',
    logExcerpt: [],
  })
})

test('the end of a log is read page by page, over empty pages, to its beginning', async () => {
  const pages = [['d', 'e\nf\n'], [], ['b', 'c'], ['a']]
  const asked: object[] = []
  const logs = {
    async getLogEvents(input: { readonly nextToken?: string }) {
      asked.push(input)
      const at = Number(input.nextToken ?? 0)
      return {
        events: (pages[at] ?? []).map((message) => ({ message })),
        nextBackwardToken: String(Math.min(at + 1, pages.length)),
      }
    },
  }
  const place = { logGroup: '/aws-glue/jobs/error', logStream: 'jr_1' }
  expect(await cloudWatchLogReader(logs)(place)).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  expect(asked).toHaveLength(5)
  expect(await cloudWatchLogReader(logs, { lines: 4 })(place)).toEqual(['c', 'd', 'e', 'f'])
  expect(asked).toHaveLength(8)
  expect(asked[5]).toEqual({
    logGroupName: '/aws-glue/jobs/error',
    logStreamName: 'jr_1',
    startFromHead: false,
  })
})

test('Glue’s own retries are followed to the last', async () => {
  const again = jobService(['RUNNING', 'FAILED'], { maxRetries: 2 })
  await expect(run(again)).rejects.toMatchObject({ code: 'JOB_FAILED', runId: 'jr_3' })
  const service = jobService(['RUNNING', 'FAILED'], { maxRetries: 1 })
  const running = run(service, {
    onProgress: ({ runId }) => {
      const second = service.runs[1]
      if (runId === 'jr_1' && second) second.states = ['SUCCEEDED']
      else if (second && runId === 'jr_2') second.states = ['SUCCEEDED']
    },
  })
  expect(await running).toMatchObject({ runId: 'jr_2', attempt: 1 })
})

test('when as many run as may, one is waited for, or it fails at once', async () => {
  const full = () =>
    jobService(['SUCCEEDED'], {
      refuseStart: (attempt) =>
        attempt <= 9 ? serviceException('ConcurrentRunsExceededException') : undefined,
    })
  const phases: string[] = []
  const service = full()
  expect(await run(service, { onProgress: ({ phase }) => phases.push(phase) })).toMatchObject({
    runId: 'jr_1',
  })
  expect(service.starts()).toBe(10)
  expect(phases.filter((phase) => phase === 'waiting for other runs')).toHaveLength(9)
  await expect(run(full(), { onConcurrentRuns: 'fail' })).rejects.toMatchObject({
    serviceError: 'ConcurrentRunsExceededException',
  })
})

test('a start whose answer is lost is found again, and never made twice', async () => {
  for (const name of ['TimeoutError', 'ECONNRESET', 'InternalServiceException']) {
    const service = jobService(['SUCCEEDED'], {
      refuseStart: (attempt, begin) => {
        if (attempt > 1) return undefined
        begin()
        return serviceException(name)
      },
    })
    expect(await run(service)).toMatchObject({ runId: 'jr_1' })
    expect(service.runs).toHaveLength(1)
  }
  const lost = jobService(['SUCCEEDED'], {
    refuseStart: (attempt) => (attempt === 1 ? serviceException('TimeoutError') : undefined),
  })
  expect(await run(lost)).toMatchObject({ runId: 'jr_1' })
  expect(lost.starts()).toBe(2)
})

test('a lost start is found by its arguments, whether Glue shows the job’s own with them or not', async () => {
  for (const shown of [{}, { '--database': 'market' }]) {
    const service = jobService(['SUCCEEDED'], {
      defaults: { '--database': 'market' },
      refuseStart: () => {
        const [other, mine] = [service.begin(), service.begin()]
        other.Arguments = { ...shown, '--day': '2024-01-01' }
        mine.Arguments = { ...shown, '--day': '2024-01-02' }
        return serviceException('TimeoutError')
      },
    })
    expect(await run(service)).toMatchObject({ runId: 'jr_2' })
    expect(service.starts()).toBe(1)
  }
})

test('a run that is found after its start was aborted is stopped', async () => {
  const abort = new AbortController()
  const reason = new Error('enough')
  const service = jobService(['RUNNING'], {
    refuseStart: (_, begin) => {
      begin()
      abort.abort(reason)
      return serviceException('TimeoutError')
    },
  })
  await expect(run(service, { signal: abort.signal })).rejects.toBe(reason)
  expect(service.runs[0]?.JobRunState).toBe('STOPPED')
})

test('a start the SDK has repeated is found again behind the refusal it meets', async () => {
  const service = jobService(['SUCCEEDED'], {
    refuseStart: (_, begin) => {
      begin()
      return Object.assign(serviceException('ConcurrentRunsExceededException'), {
        $metadata: { attempts: 2 },
      })
    },
  })
  expect(await run(service)).toMatchObject({ runId: 'jr_1' })
  expect(service.starts()).toBe(1)
})

test('an answer that is lost among several such runs is said to be unknown', async () => {
  const service = jobService(['SUCCEEDED'], {
    refuseStart: (_, begin) => {
      begin()
      begin()
      return serviceException('TimeoutError')
    },
  })
  await expect(run(service)).rejects.toMatchObject({
    code: 'JOB_START_UNKNOWN',
    message: expect.stringMatching(/jr_2, jr_1/),
  })
})

test('an aborted run is stopped, and has ended when its caller is told', async () => {
  const service = jobService(['STARTING', 'RUNNING'])
  const abort = new AbortController()
  const reason = new Error('enough')
  const onProgress = ({ phase }: JobRunProgress) => phase === 'running' && abort.abort(reason)
  await expect(run(service, { signal: abort.signal, onProgress })).rejects.toBe(reason)
  expect(service.runs[0]?.JobRunState).toBe('STOPPED')
  expect(service.sent.filter(({ operation }) => operation === 'BatchStopJobRun')).toHaveLength(1)

  const left = jobService(['STARTING', 'RUNNING'])
  const other = new AbortController()
  const leave = ({ phase }: JobRunProgress) => phase === 'running' && other.abort(reason)
  await expect(run(left, { signal: other.signal, onProgress: leave, onAbort: 'leave' })).rejects.toBe(reason)
  expect(left.sent.some(({ operation }) => operation === 'BatchStopJobRun')).toBe(false)
})

test('a run aborted while it is being started is stopped too', async () => {
  const abort = new AbortController()
  const service = jobService(['RUNNING'], {
    refuseStart: () => {
      abort.abort(new Error('enough'))
      return undefined
    },
  })
  await expect(run(service, { signal: abort.signal })).rejects.toThrow('enough')
  expect(service.runs[0]?.JobRunState).toBe('STOPPED')
})

test('a run that takes too long is stopped, and one that does not end is told of', async () => {
  const slow = jobService(['RUNNING'])
  await expect(run(slow, { timeoutMillis: 60_000 })).rejects.toMatchObject({ code: 'JOB_TIMED_OUT' })
  expect(slow.runs[0]?.JobRunState).toBe('STOPPED')
  const stubborn = jobService(['RUNNING'], { refuseStop: true })
  await expect(run(stubborn, { timeoutMillis: 60_000 })).rejects.toMatchObject({
    code: 'JOB_NOT_STOPPED',
    state: 'RUNNING',
  })
})

test('a job is made, left alone, and changed where it is not as defined; what is not defined stays', async () => {
  let kept: Record<string, unknown> | undefined
  const { client, sent } = fakeGlue(({ operation, input }) => {
    if (operation === 'GetJob') {
      if (kept === undefined) throw serviceException('EntityNotFoundException')
      return { Job: kept }
    }
    // As Glue answers: with defaults of its own, and members by another order.
    const given = operation === 'CreateJob' ? input : input.JobUpdate
    kept = { AllocatedCapacity: 0, Timeout: 2880, LogUri: 's3://logs/', ...given, Name: 'bars' }
    return {}
  })
  const ensure = (more: object = {}) =>
    ensureJob({ client, job: { ...job, ...more } as GlueJob, runtime: virtualRuntime() })
  expect(await ensure()).toEqual({ outcome: 'created', changed: [] })
  expect(await ensure()).toEqual({ outcome: 'unchanged', changed: [] })
  expect(await ensure({ script: 's3://scripts/other.py', maxRetries: 2 })).toEqual({
    outcome: 'updated',
    changed: ['Command', 'MaxRetries'],
  })
  const update = sent.find(({ operation }) => operation === 'UpdateJob')?.input.JobUpdate
  expect(update).toMatchObject({
    Timeout: 2880,
    LogUri: 's3://logs/',
    Command: { Name: 'pythonshell', ScriptLocation: 's3://scripts/other.py', PythonVersion: '3.9' },
    DefaultArguments: { '--database': 'market' },
  })
  expect(update).not.toHaveProperty('AllocatedCapacity')
  const spark = { type: 'glueetl', glueVersion: '5.0', workerType: 'G.1X', numberOfWorkers: 2 }
  await expect(ensure(spark)).rejects.toMatchObject({ code: 'JOB_DIFFERS' })
})

test('a job that is not there is told of with what makes it', async () => {
  const { client } = fakeGlue(() => {
    throw serviceException('EntityNotFoundException')
  })
  await expect(runJob({ client, job, arguments: { day: '2024-01-02' } })).rejects.toThrow(
    /GetJob for job bars failed with EntityNotFoundException.*ensureJob\(\) makes the job\.$/,
  )
})

test('each type of job takes its own members, and runs are typed by their arguments', () => {
  const base = { name: 'x', role: 'r', script: 's3://b/x.py' }
  defineJob({
    ...base,
    type: 'glueray',
    glueVersion: '4.0',
    runtime: 'Ray2.4',
    workerType: 'Z.2X',
    numberOfWorkers: 2,
  })
  // @ts-expect-error Property 'glueVersion' is missing
  defineJob({ ...base, type: 'glueetl', workerType: 'G.1X', numberOfWorkers: 2 })
  const shell = { ...base, type: 'pythonshell', pythonVersion: '3.9' } as const
  // @ts-expect-error 'numberOfWorkers' does not exist
  defineJob({ ...base, type: 'pythonshell', pythonVersion: '3.9', numberOfWorkers: 2 })
  expectTypeOf<NonNullable<Parameters<typeof runJob<'day', 'database'>>[0]['arguments']>>().toEqualTypeOf<
    { readonly day: string | number | boolean } & { readonly database?: string | number | boolean }
  >()
  expect(() => defineJob({ ...shell, script: 'x.py' })).toThrow(/give s3:\/\/bucket\/key/)
  expect(() => defineJob({ ...shell, requiredArguments: ['--day'] })).toThrow(/without "--"/)
  expect(() => defineJob({ ...shell, maxConcurrentRuns: 0 })).toThrow(/whole number from 1/)
})

test('a script’s key is of its content', async () => {
  const put: string[] = []
  const store = {
    async putIfAbsent(key: string) {
      put.push(key)
      return 'exists' as const
    },
  }
  const upload = (source: string) => uploadJobScript({ store, bucket: 'scripts', name: 'bars.py', source })
  const first = await upload('print(1)')
  expect(first).toMatch(/^s3:\/\/scripts\/glue-scripts\/bars-[0-9a-f]{16}\.py$/)
  expect(await upload('print(1)')).toBe(first)
  expect(await upload('print(2)')).not.toBe(first)
})
