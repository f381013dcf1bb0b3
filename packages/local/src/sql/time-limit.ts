import { Script } from 'node:vm'
import { FunctionFailure } from './decimal-arithmetic.ts'
import type { NativeFunction } from './native-function.ts'

const hook = Symbol.for('stockpipe.local.limited')
const script = new Script(`globalThis[Symbol.for('stockpipe.local.limited')]()`)

/** Calls `work`; false where it took longer, and was stopped. Nothing else stops a regular expression. */
function endsWithin(timeLimitMillis: number, work: () => void): boolean {
  Reflect.set(globalThis, hook, work)
  try {
    script.runInThisContext({ timeout: timeLimitMillis })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false
    throw error
  } finally {
    Reflect.deleteProperty(globalThis, hook)
  }
}

/** Calls `work` for each row; fails where one row alone takes longer than the function's limit. */
export function eachRow(
  rowCount: number,
  { timeLimitMillis }: NativeFunction,
  work: (row: number) => void,
): void {
  let row = 0
  const rest = (): void => {
    for (; row < rowCount; row++) work(row)
  }
  if (timeLimitMillis === undefined) {
    rest()
    return
  }
  for (let begun = -1; !endsWithin(timeLimitMillis, rest); begun = row) {
    if (row === begun)
      throw new FunctionFailure(
        'NOT_SUPPORTED',
        `The embedded Athena does not match a pattern for longer than ${timeLimitMillis} ms`,
      )
  }
}
