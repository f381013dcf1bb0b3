import { stat } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from './command.ts'

/** Imports FILE. Throws a `UsageError` for a file that is missing or cannot be imported. */
export const importConfigModule = async (file: string): Promise<Record<string, unknown>> => {
  const whole = path.resolve(file)
  const found = await stat(whole).catch(() => undefined)
  if (!found?.isFile()) throw new UsageError(`there is no file ${whole}`)
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

/** What the function that FILE exports makes. Throws a `UsageError` when it throws. */
export const calledConfig = async (file: string, make: () => unknown): Promise<unknown> => {
  try {
    return await make()
  } catch (error) {
    throw new UsageError(`the function ${file} exports threw ${told(error)}`, { cause: error })
  }
}

const told = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}`.replaceAll(/\s*\n\s*/g, ' ') : String(error)
