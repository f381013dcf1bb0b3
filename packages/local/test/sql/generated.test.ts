import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { QueryError, type QueryResult } from '../../src/sql/query-engine.ts'
import { goldenDirectory, goldenEngine, goldenResolver } from './golden-tables.ts'

type Row = readonly (string | null)[]

/** A generated statement and what Trino says: `checks/athena-judge.js --generated 335 --keep` wrote it. */
interface Generated {
  readonly sql: string
  /** Name and Trino type. */
  readonly columns?: readonly (readonly [string, string])[]
  readonly rows?: readonly Row[]
  readonly isOrdered?: true
  /** Trino adds doubles in any order: their last digits are not determined. */
  readonly hasFreeDigits?: true
  readonly error?: string
}

const generated = JSON.parse(readFileSync(join(goldenDirectory, 'generated.json'), 'utf8')) as Generated[]

/** How many of a hundred may be refused by name. */
const refusedShare = 0.05

const engine = goldenEngine()

/** Rows in an order of their own where the statement gives none. */
function comparable(rows: readonly Row[], { isOrdered, hasFreeDigits }: Generated): Row[] {
  const round = (text: string | null): string | null => {
    if (text === null || !/^-?\d+\.\d+(E-?\d+)?$/.test(text)) return text
    const rounded = Number(text).toPrecision(10)
    return Math.abs(Number(rounded)) < 1e-12 ? '0' : rounded
  }
  const shown = hasFreeDigits ? rows.map((row) => row.map(round)) : [...rows]
  const key = (row: Row): string => JSON.stringify(row)
  return isOrdered ? shown : shown.sort((a, b) => (key(a) < key(b) ? -1 : 1))
}

/** Whether the statement is answered; a refusal by name is not. Fails at any other answer than Trino's. */
async function isAnswered(one: Generated): Promise<boolean> {
  let result: QueryResult
  try {
    result = await engine.run({ sql: one.sql, database: 'golden', resolver: goldenResolver })
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    const isRefused = error.errorName === 'NOT_SUPPORTED'
    if (!isRefused) expect(one.error, `${one.sql}\n${error.message}`).toBeDefined()
    return !isRefused
  }
  expect(one.error, one.sql).toBeUndefined()
  const columns = result.columns.map(({ name, type }) => [name, type])
  expect(columns, one.sql).toEqual(
    one.columns!.map(([name, type]) => [
      name,
      type.toLowerCase().replace(/decimal\((\d+), (\d+)\)/g, 'decimal($1,$2)'),
    ]),
  )
  expect(comparable(result.rows, one), one.sql).toEqual(comparable(one.rows!, one))
  return true
}

test('three hundred generated queries are answered as Trino answers, at most one in twenty refused by name', async () => {
  const refused: string[] = []
  for (const one of generated) if (!(await isAnswered(one))) refused.push(one.sql)
  expect(generated.length).toBeGreaterThanOrEqual(300)
  expect(refused.length, refused.join('\n')).toBeLessThanOrEqual(generated.length * refusedShare)
}, 120_000)
