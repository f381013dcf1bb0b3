import { stat } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from './command.ts'
import type { SinkConfig } from './sink-config.ts'

/**
 * Imports FILE and answers its default export, or else the one named `sink`.
 *
 * Throws a `UsageError` for a file that is missing, cannot be imported, or exports something else.
 */
export const loadSinkConfig = async (file: string): Promise<SinkConfig> => {
  const whole = path.resolve(file)
  const found = await stat(whole).catch(() => undefined)
  if (!found?.isFile()) throw new UsageError(`there is no file ${whole}`)
  const module = await importFile(whole)
  const exported = module['default'] ?? module['sink']
  if (exported === undefined) {
    throw new UsageError(`${file} exports neither \`default\` nor \`sink\`: ${remedy}`)
  }
  return checked(file, typeof exported === 'function' ? await called(file, exported as Make) : exported)
}

type Make = () => unknown

const remedy = 'export default defineSinkConfig({ kafka, groupId, sink })'

const importFile = async (whole: string): Promise<Record<string, unknown>> => {
  try {
    return (await import(pathToFileURL(whole).href)) as Record<string, unknown>
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[cm]?ts$/.test(whole)) {
      throw new UsageError(
        `${whole} is TypeScript, which Node ${process.versions.node} does not run: compile it to JavaScript, or use Node 22.18 or newer, which strips types`,
        { cause: error },
      )
    }
    throw new UsageError(`${whole} cannot be imported: ${told(error)}`, { cause: error })
  }
}

const called = async (file: string, make: Make): Promise<unknown> => {
  try {
    return await make()
  } catch (error) {
    throw new UsageError(`the function ${file} exports threw ${told(error)}`, { cause: error })
  }
}

const told = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}`.replaceAll(/\s*\n\s*/g, ' ') : String(error)

const checked = (file: string, config: unknown): SinkConfig => {
  const refuse = (what: string): never => {
    throw new UsageError(`${file}: ${what}; ${remedy}`)
  }
  if (typeof config !== 'object' || config === null) return refuse(`it exports a ${typeof config}`)
  const { kafka, groupId, sink, consumer, close, ...others } = config as Record<string, unknown>
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) refuse(`it has a field '${unknown}' that nobody reads`)
  if (typeof kafka !== 'object' || kafka === null) refuse('`kafka` is a client of kafkajs or its settings')
  if (typeof groupId !== 'string' || groupId === '') refuse('`groupId` names the consumer group')
  const { name, topic, table } = (sink ?? {}) as Record<string, unknown>
  const isObject = (value: unknown) => typeof value === 'object' && value !== null
  if (typeof name !== 'string' || !isObject(topic) || !isObject(table)) {
    refuse('`sink` has the options of createSink: name, topic, table and a client')
  }
  if (consumer !== undefined && (typeof consumer !== 'object' || consumer === null)) {
    refuse('`consumer` has options of runConsumer')
  }
  if (close !== undefined && typeof close !== 'function') refuse('`close` is a function')
  return config as unknown as SinkConfig
}
