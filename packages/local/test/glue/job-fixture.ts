import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, vi } from 'vitest'
import { InputMembers } from '../../src/glue/input-members.ts'
import { jobOperations } from '../../src/glue/job-operations.ts'
import { JobRegistry, type SetTimer } from '../../src/glue/job-registry.ts'
import { JobRunner } from '../../src/glue/job-runner.ts'
import { FolderStorage } from './folder-storage.ts'

/** The scripts of these tests are JavaScript: what they find as Python runs them with Node. */
const fakePython = `#!${process.execPath}
const { spawnSync } = require('node:child_process')
const [first, ...rest] = process.argv.slice(2)
if (first === '-c') console.log(JSON.stringify({ version: '3.11.7', hasAwsGlue: false, pysparkDirectory: null }))
else {
  process.argv = [process.argv[0], first, ...rest]
  require(first)
}
`
const fakeSpark = `#!${process.execPath}
console.log('spark ' + process.argv.slice(2).join(' '))
require(process.argv.find((argument) => argument.endsWith('/job.js')))
`

interface Run {
  readonly JobRunState: string
  readonly ErrorMessage?: string
  readonly Id: string
  readonly StateDetail: string
  readonly [name: string]: unknown
}

/** A registry of jobs over a directory of its own, and what its programs are. */
export async function startJobs(
  options: {
    readonly programs?: readonly string[]
    readonly setTimer?: SetTimer
    readonly refusal?: string
  } = {},
) {
  const directory = await mkdtemp(path.join(tmpdir(), 'jobs-'))
  const storage = new FolderStorage(path.join(directory, 'objects'))
  await storage.createBucket('code')
  const programs = path.join(directory, 'programs')
  await mkdir(programs)
  for (const name of options.programs ?? ['python3']) {
    await writeFile(path.join(programs, name), name === 'spark-submit' ? fakeSpark : fakePython)
    await chmod(path.join(programs, name), 0o755)
  }
  const environment = { PATH: programs, AWS_PROFILE: 'mine', AWS_SECRET_ACCESS_KEY: 'real', KEPT: 'yes' }
  const open = () =>
    new JobRegistry(directory, {
      runner: new JobRunner({
        storage,
        directory: path.join(directory, 'job-runs'),
        endpoint: () => ({
          endpoint: 'http://127.0.0.1:9000',
          region: 'us-east-1',
          accessKeyId: 'key',
          secretAccessKey: 'secret',
        }),
        environment,
      }),
      refusal: options.refusal,
      ...(options.setTimer && { setTimer: options.setTimer }),
    })
  let registry = open()
  const call = (operation: string, input: Record<string, unknown> = {}) =>
    jobOperations(registry)[operation]!(new InputMembers(input, 'ValidationException'))
  const runOf = (RunId: string): Run => call('GetJobRun', { JobName: 'job', RunId })['JobRun'] as Run
  const until = async (id: string, ...states: string[]): Promise<Run> => {
    await vi.waitFor(() => expect(states).toContain(runOf(id).JobRunState), { timeout: 20_000, interval: 10 })
    return runOf(id)
  }
  return {
    call,
    runOf,
    until,
    directory,
    async script(text: string, key = 'job.js') {
      await storage.writeObject('code', key, Buffer.from(text))
    },
    create: (more: Record<string, unknown> = {}, command: Record<string, unknown> = {}) =>
      call('CreateJob', {
        Name: 'job',
        Role: 'arn:aws:iam::000000000000:role/job',
        Command: { Name: 'pythonshell', ScriptLocation: 's3://code/job.js', ...command },
        ...more,
      }),
    start: (more: Record<string, unknown> = {}) =>
      call('StartJobRun', { JobName: 'job', ...more })['JobRunId'] as string,
    ended: (id: string) => until(id, 'SUCCEEDED', 'FAILED', 'STOPPED', 'TIMEOUT', 'ERROR'),
    log: async (run: Run) => readFile(run.StateDetail.replace('The log of this run is ', ''), 'utf8'),
    async reopen() {
      await registry.close()
      registry = open()
    },
    async [Symbol.asyncDispose]() {
      await registry.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
