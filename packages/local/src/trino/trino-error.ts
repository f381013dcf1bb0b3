import { QueryError } from '../sql/query-engine.ts'
import { objectOf, type TrinoJson, textOf } from './trino-json.ts'

/** Who Athena says is at fault, by Trino's type of error: 1 the system, 2 the user, 3 others. */
const categories: Readonly<Record<string, 1 | 2 | 3>> = {
  USER_ERROR: 2,
  INTERNAL_ERROR: 1,
  INSUFFICIENT_RESOURCES: 1,
  // Data and tables that cannot be read.
  EXTERNAL: 2,
}

/** The failure an answer of Trino tells of, with the catalog by Athena's name for it. */
export function trinoErrorOf(value: TrinoJson, catalog: string): QueryError {
  const error = objectOf(value)
  const errorName = textOf(error['#errorName']) ?? 'GENERIC_INTERNAL_ERROR'
  const message = (textOf(error['#message']) ?? 'Trino gave no reason.').replaceAll(
    `'${catalog}.`,
    "'awsdatacatalog.",
  )
  const category = categories[textOf(error['#errorType']) ?? ''] ?? 3
  return new QueryError(errorName, `${errorName}: ${message}`, { category })
}
