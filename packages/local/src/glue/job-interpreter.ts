import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import path from 'node:path'

/** The Python of this machine, and what it has. */
export interface Python {
  readonly command: string
  /** Such as `3.11.7`. */
  readonly version: string
  /** The package awsglue is installed. */
  readonly hasAwsGlue: boolean
  /** The directory of the package pyspark; undefined where it is not installed. */
  readonly pysparkDirectory?: string | undefined
}

const isWindows = process.platform === 'win32'
const probeMillis = 30_000

/** Says what a Python has, as one line of JSON. */
const probe = `
import importlib.util, json, os, sys
spark = importlib.util.find_spec("pyspark")
print(json.dumps({
    "version": "%d.%d.%d" % sys.version_info[:3],
    "hasAwsGlue": importlib.util.find_spec("awsglue") is not None,
    "pysparkDirectory": os.path.dirname(spark.origin) if spark and spark.origin else None,
}))
`

/** Finds `python3`, or `python` where that is Python 3, on the PATH; undefined where there is none. */
export async function findPython(
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Python | undefined> {
  for (const name of ['python3', 'python']) {
    const command = await findProgram(name, environment)
    if (command === undefined) continue
    const facts = await probed(command, environment, signal)
    if (facts?.version.startsWith('3.')) {
      const { pysparkDirectory, ...rest } = facts
      return { command, ...rest, ...(pysparkDirectory && { pysparkDirectory }) }
    }
  }
  return undefined
}

/** Finds `spark-submit`: of SPARK_HOME, on the PATH, or of the package pyspark. */
export async function findSparkSubmit(
  environment: NodeJS.ProcessEnv,
  python: Python,
): Promise<string | undefined> {
  const homes = [environment['SPARK_HOME'], python.pysparkDirectory]
  const [ofHome, ofPackage] = await Promise.all(
    homes.map((home) => (home ? findIn([path.join(home, 'bin')], 'spark-submit') : undefined)),
  )
  return ofHome ?? (await findProgram('spark-submit', environment)) ?? ofPackage
}

const findProgram = (name: string, environment: NodeJS.ProcessEnv): Promise<string | undefined> =>
  findIn((environment['PATH'] ?? environment['Path'] ?? '').split(path.delimiter), name)

async function findIn(directories: readonly string[], name: string): Promise<string | undefined> {
  const names = isWindows ? [`${name}.exe`, `${name}.cmd`] : [name]
  for (const directory of directories.filter((each) => each !== '')) {
    for (const each of names) {
      const file = path.join(directory, each)
      const found = await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (found) return file
    }
  }
  return undefined
}

/** Undefined where the program is no Python that works, such as the one Windows has to advertise its store. */
function probed(
  command: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Omit<Python, 'command'> | undefined> {
  return new Promise((resolve) => {
    execFile(command, ['-c', probe], { env, signal, timeout: probeMillis }, (error, stdout) => {
      try {
        resolve(error === null ? (JSON.parse(stdout) as Omit<Python, 'command'>) : undefined)
      } catch {
        resolve(undefined)
      }
    })
  })
}
