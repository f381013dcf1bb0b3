import { createHash } from 'node:crypto'
import { FunctionFailure } from './decimal-arithmetic.ts'
import type { PlainValue } from './value-text.ts'

/** A scalar function written in JavaScript, registered with DuckDB when a statement first needs it. */
export interface NativeFunction {
  /** Unique with its types: one name, one meaning. */
  readonly name: string
  /** DuckDB types. */
  readonly parameters: readonly string[]
  readonly returns: string
  /** Called with NULL too; without it a NULL argument gives NULL. */
  readonly acceptsNull?: boolean
  /** Where one call may never end: how long it may take, in milliseconds. */
  readonly timeLimitMillis?: number
  /** Called with values that are not NULL, but for `acceptsNull`. Throws `FunctionFailure`. */
  readonly evaluate: (...values: readonly never[]) => PlainValue
}

/** The name in DuckDB, which tells no case apart: what is not plain is hashed. */
export function registeredName({ name }: NativeFunction): string {
  if (/^[a-z0-9_]+$/.test(name)) return `sp_${name}`
  return `sp_${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
}

/** The TRY_CAST form of a cast: NULL where Trino's cast fails, still failing where this engine does not know. */
export function safely(cast: NativeFunction): NativeFunction {
  const evaluate = cast.evaluate as (...values: readonly PlainValue[]) => PlainValue
  return {
    ...cast,
    name: `try_${cast.name}`,
    evaluate: (...values) => {
      try {
        return evaluate(...values)
      } catch (error) {
        if (error instanceof FunctionFailure && error.errorName !== 'NOT_SUPPORTED') return null
        throw error
      }
    },
  }
}

/** Fails a statement on the rows that reach it: `[[ERROR_NAME]] message`. */
export const failFunction: NativeFunction = {
  name: 'fail',
  parameters: ['VARCHAR', 'VARCHAR'],
  returns: 'VARCHAR',
  evaluate: (errorName: string, message: string) => {
    throw new FunctionFailure(errorName, message)
  },
}
