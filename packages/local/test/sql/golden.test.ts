import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { QueryError, type QueryResult } from '../../src/sql/query-engine.ts'
import { goldenDirectory, goldenEngine, goldenResolver } from './golden-tables.ts'

interface Golden {
  readonly sql: string
  readonly types: readonly string[]
  readonly rows?: readonly (readonly unknown[])[]
  readonly error?: { readonly name: string; readonly message: string }
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(join(goldenDirectory, name), 'utf8'))
}

const answers = read('answers.json') as {
  queries: Record<string, Omit<Golden, 'types'> & { columns?: { name: string; type: string }[] }>
}
const queries = Object.entries(answers.queries).map(
  ([name, query]): [string, Golden & { names: string[] | undefined }] => [
    name,
    {
      ...query,
      types: (query.columns ?? []).map((column) => column.type),
      names: query.columns?.map((column) => column.name),
    },
  ],
)
const expressions = read('expressions.json') as Golden[]

/** Sketches answer within their error: 5 percent of the true rank or count. */
const approximate = /approx_/

const engine = goldenEngine()

/** The types between the parentheses of a type's text. */
function innerTypes(type: string): readonly string[] {
  const inner = /^\w+\((.*)\)$/.exec(type)?.[1] ?? ''
  const types: string[] = ['']
  let depth = 0
  for (const character of inner) {
    if (character === '(') depth += 1
    if (character === ')') depth -= 1
    if (character === ',' && depth === 0) types.push('')
    else types[types.length - 1] += character
  }
  return types.map((text) => text.trim())
}

/** Trino's typed value as Athena's text. */
function text(value: unknown, type: string): string | null {
  if (value === null) return null
  const inner = (item: unknown, i: number): string => text(item, innerTypes(type)[i]!) ?? 'null'
  if (type.startsWith('row(')) {
    return `{${(value as unknown[]).map((item, i) => `field${i}=${inner(item, i)}`).join(', ')}}`
  }
  if (Array.isArray(value)) return `[${value.map((item) => inner(item, 0)).join(', ')}]`
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}=${inner(item, 1)}`)
      .join(', ')}}`
  }
  if (type === 'double' || type === 'real') return javaDouble(Number(value))
  return String(value)
}

/** Trino merges partial statistics in any order: the last digits of such doubles are not determined. */
const statistics = /stddev|variance|var_|corr|geometric_mean/

function rounded(rows: readonly (readonly (string | null)[])[]): unknown[][] {
  const isDouble = (value: string | null): value is string => value !== null && /^-?\d+\.\d{9,}/.test(value)
  return rows.map((row) => row.map((value) => (isDouble(value) ? Number(value).toPrecision(13) : value)))
}

/** Java's Double.toString, written apart from the engine's. */
function javaDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const magnitude = Math.abs(value)
  if (value === 0 || (magnitude >= 1e-3 && magnitude < 1e7)) {
    const plain = String(value)
    return plain.includes('.') ? plain : `${plain}.0`
  }
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string]
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`
}

/** As typeof() has it: the client's text of a decimal has a space. */
function typeName(type: string): string {
  return type.toLowerCase().replace(/decimal\((\d+), (\d+)\)/g, 'decimal($1,$2)')
}

/** The sentence of a refusal by name; undefined where the answer is Trino's. Anything else fails. */
async function refusal(golden: Golden): Promise<string | undefined> {
  let result: QueryResult
  try {
    result = await engine.run({ sql: golden.sql, database: 'golden', resolver: goldenResolver })
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    if (golden.error !== undefined && error.errorName === golden.error.name) {
      expect(error.message).toContain(golden.error.message)
      return undefined
    }
    expect(error.errorName, `${golden.sql}\n${error.message}`).toBe('NOT_SUPPORTED')
    return error.message.replace(/^NOT_SUPPORTED: (line \d+:\d+: )?The embedded Athena does not support /, '')
  }
  expect(golden.error, golden.sql).toBeUndefined()
  expect(
    result.columns.map((column) => column.type),
    golden.sql,
  ).toEqual(golden.types.map(typeName))
  if (approximate.test(golden.sql)) {
    const numbers = (rows: readonly (readonly unknown[])[]): number[] => rows.flat().map(Number)
    numbers(golden.rows!).forEach((expected, i) => {
      expect(Math.abs(numbers(result.rows)[i]! - expected)).toBeLessThanOrEqual(Math.abs(expected) * 0.05)
    })
    return undefined
  }
  const expected = golden.rows!.map((row) => row.map((value, i) => text(value, golden.types[i]!)))
  if (statistics.test(golden.sql)) expect(rounded(result.rows), golden.sql).toEqual(rounded(expected))
  else expect(result.rows, golden.sql).toEqual(expected)
  return undefined
}

/** What is not answered yet, each by its refusal: shorter is progress. */
const refusedQueries: Readonly<Record<string, string>> = {}

const refusedExpressions: Readonly<Record<string, string>> = {}

describe('the golden queries', () => {
  test.each(queries)('%s is answered as Trino answers, or refused by name', async (name, golden) => {
    const sentence = await refusal(golden)
    expect(sentence, name).toBe(refusedQueries[name])
  })
})

describe('the golden expressions', () => {
  test.each(expressions)('$sql is answered as Trino answers, or refused by name', async (golden) => {
    const sentence = await refusal(golden)
    expect(sentence, golden.sql).toBe(refusedExpressions[golden.sql])
  })
})
