import { rmSync } from 'node:fs'
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { ObjectStorage, StoredObject } from '../object-storage.ts'
import { parseLocation } from './hive-path.ts'
import { awsGluePackage } from './job-awsglue-package.ts'
import type { JobArguments } from './job-definition.ts'
import { findPython, findSparkSubmit, type Python } from './job-interpreter.ts'
import { noteProcess } from './job-leftovers.ts'
import { JobProcess, lastLogLine, sparkFailureLine } from './job-process.ts'
import type { Job, JobRun, JobRunState } from './job-run-model.ts'

/** Where a script finds the local stack. */
export interface JobEndpoint {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface JobRunnerOptions {
  readonly storage: ObjectStorage
  /** Where runs keep their scripts while they run, and their logs. */
  readonly directory: string
  /** Called when a run starts. */
  readonly endpoint: () => JobEndpoint
  /** Of this process: where programs are found. What it has of AWS never reaches a script. */
  readonly environment: NodeJS.ProcessEnv
}

/** How a run ended. */
export interface JobRunEnd {
  readonly state: JobRunState
  readonly message?: string
}

/** A run that cannot start: a sentence for its `ErrorMessage`. */
class JobRunError extends Error {
  override readonly name = 'JobRunError'
}

/** Runs the script of one run of a job. */
export class JobRunner {
  readonly #options: JobRunnerOptions

  constructor(options: JobRunnerOptions) {
    this.#options = options
  }

  /** The file both output streams of a run go to. */
  logPath(runId: string): string {
    return path.join(this.#options.directory, `${runId}.log`)
  }

  /** Removes the log of a run that is forgotten. */
  removeLog(runId: string): void {
    rmSync(this.logPath(runId), { force: true })
  }

  /**
   * Runs a script to its end and answers how it ended; never rejects. `onRunning` is told when its process has started.
   * Where `signal` is aborted, the process group ends; with `endNow` of its reason at once, else within 2 seconds.
   */
  async run(
    job: Job,
    run: JobRun,
    { signal, onRunning }: { readonly signal: AbortSignal; readonly onRunning: () => void },
  ): Promise<JobRunEnd> {
    const directory = path.join(this.#options.directory, run.Id)
    try {
      await mkdir(directory, { recursive: true })
      await writeFile(this.logPath(run.Id), '')
      const child = await this.#start(job, run, directory, signal)
      if (child.pid !== undefined) await noteProcess(directory, child.pid).catch(() => undefined)
      const stop = (): void => child.end(signal.reason instanceof StackCloses)
      signal.addEventListener('abort', stop)
      if (signal.aborted) stop()
      else onRunning()
      try {
        const { status, signalName } = await child.ended
        if (signal.aborted) return { state: 'STOPPED' }
        if (status === 0) return { state: 'SUCCEEDED' }
        const reasonOf = job.Command.Name === 'glueetl' ? sparkFailureLine : lastLogLine
        const last = await reasonOf(this.logPath(run.Id))
        const how = status === null ? `was ended by ${signalName}` : `failed with exit code ${status}`
        return { state: 'FAILED', message: `Command ${how}${last === undefined ? '' : `: ${last}`}` }
      } finally {
        signal.removeEventListener('abort', stop)
      }
    } catch (error) {
      if (signal.aborted) return { state: 'STOPPED' }
      return { state: 'FAILED', message: error instanceof Error ? error.message : String(error) }
    } finally {
      await rm(directory, { recursive: true, force: true }).catch(() => undefined)
    }
  }

  async #start(job: Job, run: JobRun, directory: string, signal: AbortSignal): Promise<JobProcess> {
    const { environment } = this.#options
    const given = argumentsOf(job, run)
    const script = await this.#fetch(job.Command.ScriptLocation, directory)
    const inherited = withoutAws(environment)
    const python = await findPython(inherited, signal)
    if (python === undefined) {
      throw new JobRunError(
        'No Python 3 was found on the PATH of the local stack: install it to run jobs, such as python3 of your system.',
      )
    }
    const modules = await this.#modules(python, given, directory)
    const child = {
      directory,
      environment: this.#environment(inherited, modules),
      logPath: this.logPath(run.Id),
    }
    const scriptArguments = [script, ...scriptArgumentsOf(job, run, given)]
    if (job.Command.Name === 'pythonshell') {
      signal.throwIfAborted()
      return new JobProcess({ ...child, command: python.command, arguments: scriptArguments })
    }
    const command = await findSparkSubmit(inherited, python)
    if (command === undefined) {
      throw new JobRunError(
        'No Spark was found: neither spark-submit in SPARK_HOME or on the PATH of the local stack, nor the Python package pyspark.',
      )
    }
    signal.throwIfAborted()
    return new JobProcess({ ...child, command, arguments: [...this.#sparkSettings(), ...scriptArguments] })
  }

  /** Directories and archives that Python imports from. */
  async #modules(python: Python, given: JobArguments, directory: string): Promise<readonly string[]> {
    const modules: string[] = []
    for (const location of (given['--extra-py-files'] ?? '')
      .split(',')
      .filter((each) => each.trim() !== '')) {
      const file = await this.#fetch(location.trim(), directory)
      // Modules lie beside the script, and are found there; archives are named.
      if (!file.endsWith('.py')) modules.push(file)
    }
    if (!python.hasAwsGlue) {
      const shim = path.join(directory, '.packages')
      for (const [name, text] of Object.entries(awsGluePackage)) {
        const file = path.join(shim, name)
        await mkdir(path.dirname(file), { recursive: true })
        await writeFile(file, text)
      }
      modules.push(shim)
    }
    return modules
  }

  /** Copies an object of the stack into the directory of a run. */
  async #fetch(location: string, directory: string): Promise<string> {
    const parsed = parseLocation(location)
    const key = parsed?.prefix.slice(0, -1) ?? ''
    let object: StoredObject | undefined
    if (parsed !== undefined) object = await this.#options.storage.findObject(parsed.bucket, key)
    if (object === undefined)
      throw new JobRunError(`${location} is not there: put it into S3 of the local stack.`)
    const file = path.join(directory, path.basename(key))
    await copyFile(object.filePath, file)
    return file
  }

  /** This machine's variables with the stack's in the place of all that lead to AWS. */
  #environment(inherited: NodeJS.ProcessEnv, modules: readonly string[]): NodeJS.ProcessEnv {
    const { endpoint, region, accessKeyId, secretAccessKey } = this.#options.endpoint()
    const former = inherited['PYTHONPATH']
    const paths = [...modules, ...(former === undefined || former === '' ? [] : [former])]
    return {
      ...inherited,
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
      // A profile could name other endpoints and keys.
      AWS_CONFIG_FILE: nowhere,
      AWS_SHARED_CREDENTIALS_FILE: nowhere,
      PYTHONUNBUFFERED: '1',
      ...(paths.length > 0 && { PYTHONPATH: paths.join(path.delimiter) }),
    }
  }

  /** Spark takes the keys from the environment, where other users of the machine cannot read them. */
  #sparkSettings(): readonly string[] {
    const { endpoint } = this.#options.endpoint()
    const settings = {
      'spark.ui.enabled': 'false',
      // Else it listens where other machines reach it.
      'spark.driver.host': '127.0.0.1',
      'spark.driver.bindAddress': '127.0.0.1',
      'spark.hadoop.fs.s3.impl': 'org.apache.hadoop.fs.s3a.S3AFileSystem',
      'spark.hadoop.fs.s3a.endpoint': endpoint,
      'spark.hadoop.fs.s3a.path.style.access': 'true',
      'spark.hadoop.fs.s3a.connection.ssl.enabled': 'false',
    }
    const pairs = Object.entries(settings).flatMap(([name, value]) => ['--conf', `${name}=${value}`])
    return ['--master', 'local[*]', ...pairs]
  }
}

/** The reason of a signal when the stack closes: what runs ends at once. */
export class StackCloses extends Error {
  override readonly name = 'StackCloses'
}

const nowhere = process.platform === 'win32' ? 'NUL' : '/dev/null'

const withoutAws = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !/^AWS_/i.test(name)))

/** The arguments of a run: its own over the job's, and over both what a run may not override. */
const argumentsOf = (job: Job, run: JobRun): JobArguments => ({
  ...job.DefaultArguments,
  ...run.Arguments,
  ...job.NonOverridableArguments,
})

const scriptArgumentsOf = (job: Job, run: JobRun, given: JobArguments): readonly string[] =>
  Object.entries({
    '--JOB_NAME': job.Name,
    '--JOB_ID': `j_${run.Id.slice('jr_'.length)}`,
    '--JOB_RUN_ID': run.Id,
    ...given,
  }).flat()
