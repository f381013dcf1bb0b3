import { spawn } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { AppendLog } from '../../src/glue/append-log.ts'
import { endLeftovers } from '../../src/glue/job-leftovers.ts'
import { startJobs } from './job-fixture.ts'

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
/** Waits until a signal ends it, with a child of its own; writes both process ids. */
const endless = (file: string) => `
const { spawn } = require('node:child_process')
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
require('node:fs').writeFileSync(${JSON.stringify(file)}, JSON.stringify([process.pid, child.pid]))
setInterval(() => {}, 1000)
`
const written = async (file: string): Promise<number[]> =>
  vi.waitFor(async () => JSON.parse(await readFile(file, 'utf8')) as number[], { timeout: 20_000 })

// Programs without an extension are found, and groups of processes ended, as POSIX has them.
describe.skipIf(process.platform === 'win32')('a Glue job', () => {
  it('runs its script with its arguments, and the stack in the place of all that leads to AWS', async () => {
    await using jobs = await startJobs()
    await jobs.script('console.log(JSON.stringify([process.argv.slice(2), process.env]))')
    jobs.create({
      DefaultArguments: { '--day': '1', '--table': 'a' },
      NonOverridableArguments: { '--table': 'fixed' },
      Timeout: 5,
    })
    const id = jobs.start({ Arguments: { '--day': '2', '--table': 'b' } })
    expect(id).toMatch(/^jr_[0-9a-f]{64}$/)
    expect(jobs.runOf(id).JobRunState).toBe('STARTING')
    const run = await jobs.ended(id)
    expect(run).toMatchObject({
      JobRunState: 'SUCCEEDED',
      JobName: 'job',
      Attempt: 0,
      Arguments: { '--day': '2', '--table': 'b' },
      Timeout: 5,
      LogGroupName: '/aws-glue/python-jobs',
      CompletedOn: expect.any(Number),
    })
    expect(run.ErrorMessage).toBeUndefined()
    const [given, environment] = JSON.parse(await jobs.log(run))
    const identity = ['--JOB_NAME', 'job', '--JOB_ID', `j_${id.slice(3)}`, '--JOB_RUN_ID', id]
    expect(given).toEqual([...identity, '--day', '2', '--table', 'fixed'])
    expect(environment).toMatchObject({
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9000',
      AWS_ACCESS_KEY_ID: 'key',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_CONFIG_FILE: '/dev/null',
      KEPT: 'yes',
      PYTHONPATH: expect.stringMatching(/\.packages$/),
    })
    expect(environment).not.toHaveProperty('AWS_PROFILE')
    expect(await readdir(path.join(jobs.directory, 'job-runs'))).toEqual([`${id}.log`])
  })

  it('fails with the exit code and the last line its script wrote', async () => {
    await using jobs = await startJobs()
    await jobs.script(`console.error('Traceback'); console.error('ValueError: boom'); process.exit(3)`)
    jobs.create()
    expect(await jobs.ended(jobs.start())).toMatchObject({
      JobRunState: 'FAILED',
      ErrorMessage: 'Command failed with exit code 3: ValueError: boom',
    })
  })

  it('fails and says so where there is no script, no Python, or no Spark', async () => {
    await using jobs = await startJobs()
    jobs.create()
    expect(await jobs.ended(jobs.start())).toMatchObject({
      JobRunState: 'FAILED',
      ErrorMessage: expect.stringContaining('s3://code/job.js is not there'),
    })
    await jobs.script('')
    jobs.call('DeleteJob', { JobName: 'job' })
    jobs.create({}, { Name: 'glueetl' })
    expect(await jobs.ended(jobs.start())).toMatchObject({
      JobRunState: 'FAILED',
      ErrorMessage: expect.stringContaining('No Spark was found'),
    })
    await using bare = await startJobs({ programs: [] })
    await bare.script('')
    bare.create()
    expect(await bare.ended(bare.start())).toMatchObject({
      JobRunState: 'FAILED',
      ErrorMessage: expect.stringContaining('No Python 3 was found'),
    })
  })

  it('runs a glueetl script by spark-submit, which is told of S3 but of no key', async () => {
    await using jobs = await startJobs({ programs: ['python3', 'spark-submit'] })
    await jobs.script('')
    jobs.create({}, { Name: 'glueetl' })
    const run = await jobs.ended(jobs.start())
    expect(run).toMatchObject({ JobRunState: 'SUCCEEDED', LogGroupName: '/aws-glue/jobs' })
    const log = await jobs.log(run)
    expect(log).toContain('spark.hadoop.fs.s3a.endpoint=http://127.0.0.1:9000')
    expect(log).toMatch(/job\.js --JOB_NAME job/)
    expect(log).not.toContain('secret')
  })

  it('fails with what Python says, where the log of Spark goes on after it', async () => {
    await using jobs = await startJobs({ programs: ['python3', 'spark-submit'] })
    const error = (text: string): string =>
      `Traceback (most recent call last):\n  File "job.py", line 1, in <module>\n    f()\n${text}\n`
    const log = `${error('KeyError: handled')}INFO goes on\n${error('ValueError: boom\nmore')}26/11/27 22:31:19 INFO SparkContext: stopped\n`
    await jobs.script(`process.stderr.write(${JSON.stringify(log)}); process.exitCode = 1`)
    jobs.create({}, { Name: 'glueetl' })
    const run = await jobs.ended(jobs.start())
    expect(run.ErrorMessage).toBe('Command failed with exit code 1: ValueError: boom')
    await jobs.script(
      `console.error('no day given\\n26/11/27 22:31:19 INFO SparkContext: stopped'); process.exitCode = 1`,
    )
    expect((await jobs.ended(jobs.start())).ErrorMessage).toMatch(/: no day given$/)
  })

  it('ends with all processes it has started when it is stopped', async () => {
    await using jobs = await startJobs()
    const file = path.join(jobs.directory, 'pids')
    await jobs.script(endless(file))
    jobs.create()
    const id = jobs.start()
    const pids = await written(file)
    expect(jobs.runOf(id).JobRunState).toBe('RUNNING')
    const stop = () => jobs.call('BatchStopJobRun', { JobName: 'job', JobRunIds: [id, 'jr_none'] })
    expect(stop()).toMatchObject({
      SuccessfulSubmissions: [{ JobName: 'job', JobRunId: id }],
      Errors: [{ JobRunId: 'jr_none', ErrorDetail: { ErrorCode: 'EntityNotFoundException' } }],
    })
    expect(jobs.runOf(id).JobRunState).toBe('STOPPING')
    expect(await jobs.ended(id)).toMatchObject({ JobRunState: 'STOPPED' })
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 20_000 })
    expect(stop()['Errors']).toHaveLength(2)
  })

  it('is TIMEOUT when it takes longer than its minutes', async () => {
    const timers: { callback: () => void; millis: number }[] = []
    await using jobs = await startJobs({
      setTimer: (callback, millis) => {
        timers.push({ callback, millis })
        return () => undefined
      },
    })
    const file = path.join(jobs.directory, 'pids')
    await jobs.script(endless(file))
    jobs.create({ Timeout: 7 })
    const id = jobs.start({ Timeout: 3 })
    const pids = await written(file)
    expect(timers.map(({ millis }) => millis)).toEqual([180_000])
    timers[0]?.callback()
    expect(await jobs.ended(id)).toMatchObject({ JobRunState: 'TIMEOUT' })
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 20_000 })
  })

  it('ends at once, with its processes, when the stack closes, and is on record after', async () => {
    await using jobs = await startJobs()
    const file = path.join(jobs.directory, 'pids')
    // It would hear of no polite signal.
    await jobs.script(`process.on('SIGTERM', () => {})\n${endless(file)}`)
    jobs.create()
    const id = jobs.start()
    const pids = await written(file)
    await jobs.reopen()
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 20_000 })
    expect(jobs.runOf(id)).toMatchObject({
      JobRunState: 'STOPPED',
      ErrorMessage: 'The local stack was closed.',
    })
  })

  it.skipIf(process.platform !== 'linux')(
    'that a killed stack has left running ends at the next start',
    async () => {
      await using jobs = await startJobs()
      const file = path.join(jobs.directory, 'pids')
      await jobs.script(endless(file))
      jobs.create()
      const id = jobs.start()
      const pids = await written(file)
      await jobs.until(id, 'RUNNING')
      const runs = path.join(jobs.directory, 'job-runs')
      // Of another start of the same number: it is none of ours.
      const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true })
      try {
        await mkdir(path.join(runs, 'jr_other'))
        const note = JSON.parse(await readFile(path.join(runs, id, '.process'), 'utf8')) as {
          started: string
        }
        await writeFile(
          path.join(runs, 'jr_other/.process'),
          JSON.stringify({ pid: other.pid, started: note.started }),
        )
        await endLeftovers(runs)
        await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 20_000 })
        expect(isAlive(other.pid!)).toBe(true)
        expect((await jobs.ended(id)).ErrorMessage).toMatch(/was ended by SIGKILL/)
        expect(await readdir(runs)).toEqual([`${id}.log`])
      } finally {
        other.kill('SIGKILL')
      }
    },
  )

  it('takes its log with it when it is deleted', async () => {
    await using jobs = await startJobs()
    await jobs.script(`console.log('done')`)
    jobs.create()
    await jobs.ended(jobs.start())
    expect(await readdir(path.join(jobs.directory, 'job-runs'))).toHaveLength(1)
    jobs.call('DeleteJob', { JobName: 'job' })
    expect(await readdir(path.join(jobs.directory, 'job-runs'))).toEqual([])
  })

  it('leaves nothing running that its script has left behind', async () => {
    await using jobs = await startJobs()
    const file = path.join(jobs.directory, 'pids')
    await jobs.script(endless(file).replace(/setInterval\(\(\) => \{\}, 1000\)\n$/, 'process.exit(0)\n'))
    jobs.create()
    expect(await jobs.ended(jobs.start())).toMatchObject({ JobRunState: 'SUCCEEDED' })
    const pids = await written(file)
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 20_000 })
  })

  it('runs again as often as MaxRetries says', async () => {
    await using jobs = await startJobs()
    await jobs.script(`process.exit(1)`)
    jobs.create({ MaxRetries: 2 })
    const id = jobs.start({ Arguments: { '--a': '1' } })
    const last = `${id}_attempt_2`
    await vi.waitFor(() => expect(jobs.call('GetJobRuns', { JobName: 'job' })['JobRuns']).toHaveLength(3), {
      timeout: 20_000,
    })
    expect(await jobs.ended(last)).toMatchObject({
      JobRunState: 'FAILED',
      Attempt: 2,
      PreviousRunId: `${id}_attempt_1`,
      Arguments: { '--a': '1' },
    })
  })

  it('that cannot be run again, the disk being full, has failed and no more', async () => {
    await using jobs = await startJobs()
    await jobs.script(`process.exit(1)`)
    jobs.create({ MaxRetries: 1 })
    const append = vi.spyOn(AppendLog.prototype, 'append')
    append.mockImplementation(() => {
      if (append.mock.calls.length > 1) throw new Error('ENOSPC: no space left on device, write')
    })
    try {
      expect(await jobs.ended(jobs.start())).toMatchObject({ JobRunState: 'FAILED' })
      expect(jobs.call('GetJobRuns', { JobName: 'job' })['JobRuns']).toHaveLength(1)
    } finally {
      append.mockRestore()
    }
  })

  it('takes modules of --extra-py-files beside its script', async () => {
    await using jobs = await startJobs()
    await jobs.script(`console.log(require('./helper.py').value, process.env.PYTHONPATH)`)
    await jobs.script('exports.value = 42', 'lib/helper.py')
    await jobs.script('zip', 'lib/more.zip')
    jobs.create({
      DefaultArguments: { '--extra-py-files': 's3://code/lib/helper.py,s3://code/lib/more.zip' },
    })
    // Node takes a file of any other ending for JavaScript.
    const run = await jobs.ended(jobs.start())
    expect(run).toMatchObject({ JobRunState: 'SUCCEEDED' })
    expect(await jobs.log(run)).toMatch(/^42 .*more\.zip:.*\.packages/)
  })
})
