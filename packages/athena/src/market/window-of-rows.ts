import { ConfigurationError } from '@stockpipe/core'
import { type SqlFragment, sql } from '../sql-template.ts'
import { wholeNumber } from './table-column.ts'

/** The frame of the last `rows` rows. Throws a `ConfigurationError` for no whole number from 1 to 100,000. */
export const windowOfRows = (rows: number): SqlFragment => {
  if (!Number.isInteger(rows) || rows < 1 || rows > 100_000) {
    throw new ConfigurationError({
      code: 'ROWS_INVALID',
      message: `A window is a whole number of rows from 1 to 100,000, not ${rows}.`,
    })
  }
  return sql`ROWS BETWEEN ${wholeNumber(rows - 1)} PRECEDING AND CURRENT ROW`
}

/** Which of `day` and `time` was named, as the answer calls it, and the column. */
export const momentOf = (names: {
  readonly day?: string | undefined
  readonly time?: string | undefined
}): readonly ['day' | 'time', string] => {
  if (names.day !== undefined && names.time === undefined) return ['day', names.day]
  if (names.time !== undefined && names.day === undefined) return ['time', names.time]
  throw new ConfigurationError({
    code: 'TIME_MISSING',
    message: 'Rows are ordered by one column: name it as `day` or as `time`.',
  })
}
