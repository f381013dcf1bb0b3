import { expect } from 'vitest'
import type { CaseAthena } from './case-athena.ts'

/** What fails, and the name and the words it must fail with. */
const failures: Readonly<Record<string, readonly [sql: string, reason: RegExp]>> = {
  'dividing an integer by zero': ['SELECT 1/0', /^DIVISION_BY_ZERO: .*Division by zero/],
  'the remainder of zero': ['SELECT 1%0', /^DIVISION_BY_ZERO: .*Division by zero/],
  'an integer that overflows': [
    'SELECT 2147483647 + 1',
    /^NUMERIC_VALUE_OUT_OF_RANGE: .*integer addition overflow: 2147483647 \+ 1/,
  ],
  'a cast beyond the range of its type': [
    'SELECT cast(300 as tinyint)',
    /^NUMERIC_VALUE_OUT_OF_RANGE: .*Out of range for tinyint: 300/,
  ],
  'a cast of text that is no number': [
    "SELECT cast('abc' as bigint)",
    /^INVALID_CAST_ARGUMENT: .*Cannot cast 'abc' to BIGINT/,
  ],
  'an array index beyond its end': [
    'SELECT array[1,2,3][4]',
    /^INVALID_FUNCTION_ARGUMENT: .*Array subscript must be less than or equal to array length: 4 > 3/,
  ],
  'a key that a map does not have': [
    "SELECT map(array['a'], array[1])['z']",
    /^INVALID_FUNCTION_ARGUMENT: .*Key not present in map: z/,
  ],
  'a comparison of text with a number': ["SELECT 'a' = 1", /^TYPE_MISMATCH: line 1:\d+: /],
  'a column that is not there': [
    'SELECT y FROM (VALUES 1) t(x)',
    /^COLUMN_NOT_FOUND: line 1:8: Column 'y' cannot be resolved/,
  ],
  'a table that is not there': [
    'SELECT * FROM nothing',
    /^TABLE_NOT_FOUND: line 1:15: Table '.*nothing' does not exist/,
  ],
  'a function that is not there': [
    'SELECT nothing(1)',
    /^FUNCTION_NOT_FOUND: line 1:8: Function 'nothing' not registered/,
  ],
  'a column outside of the groups': [
    'SELECT x, y FROM (VALUES (1, 2)) t(x, y) GROUP BY x',
    /^EXPRESSION_NOT_AGGREGATE: line 1:11: 'y' must be an aggregate expression or appear in GROUP BY clause/,
  ],
  'a name of two columns': [
    'SELECT x FROM (VALUES 1) a(x) CROSS JOIN (VALUES 2) b(x)',
    /^AMBIGUOUS_NAME: line 1:8: Column 'x' is ambiguous/,
  ],
  'a subquery of two rows where one is meant': [
    'SELECT (SELECT x FROM (VALUES 1, 2) t(x))',
    /^SUBQUERY_MULTIPLE_ROWS: /,
  ],
}

/** Queries that fail are of the user's category and name what is wrong. */
export const describeSqlFailures = (athena: CaseAthena): void => {
  athena.concept('SQL failures', (it) => {
    for (const [title, [sql, reason]] of Object.entries(failures)) {
      it(title, async () => {
        const database = await defaultDatabase()
        const { Status } = await athena.ended(sql, { database })
        expect(Status).toMatchObject({ State: 'FAILED', StateChangeReason: expect.stringMatching(reason) })
        expect(Status?.AthenaError).toMatchObject({ ErrorCategory: 2, Retryable: false })
        expect(Status?.AthenaError?.ErrorMessage).toBe(Status?.StateChangeReason)
      })
    }

    let made: Promise<string> | undefined
    const defaultDatabase = () => (made ??= athena.database())
  })
}
