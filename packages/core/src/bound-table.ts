import { ConfigurationError } from './errors.ts'
import { BoundTable, TableDefinition } from './table.ts'

/**
 * What was given as a bound table, for callers the compiler does not watch.
 *
 * Throws a `ConfigurationError` for a definition that is bound to no place, and for anything else.
 */
export const boundTable = (given: unknown): BoundTable => {
  if (given instanceof BoundTable) return given
  const what =
    given instanceof TableDefinition
      ? `Table ${given.name} is a definition without a place`
      : `A bound table is needed, not ${given === null ? 'null' : typeof given}`
  throw new ConfigurationError({
    code: 'TABLE_NOT_BOUND',
    message: `${what}: pass what table.at({ database, location }) answers.`,
  })
}
