import { readFileSync } from 'node:fs'
import { Decimal, t } from '@stockpipe/core'
import { beforeAll, describe, expect, test } from 'vitest'
import { answer, identifier, type QueryColumn, sql } from '../src/index.ts'
import { localAthena } from './local-athena.ts'

interface Golden {
  readonly sql: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows?: readonly (readonly unknown[])[]
  readonly error?: { readonly name: string }
}

const directory = new URL('../../local/test/golden/', import.meta.url)
const read = (name: string) => JSON.parse(readFileSync(new URL(name, directory), 'utf8'))

const tables = read('tables.json') as Record<
  string,
  Record<'columns' | 'partitionKeys', readonly (readonly [string, string])[]>
>
const queries: [string, Golden][] = Object.entries(read('answers.json').queries as Record<string, Golden>)
/** Expressions have no name but the one that is a column. */
const nameOf = (text: string, index: number) =>
  index === 0 && /^SELECT x(,| from)/.test(text) ? 'x' : `_col${index}`
const expressions = (read('expressions.json') as (Omit<Golden, 'columns'> & { types?: string[] })[]).map(
  ({ types = [], ...golden }): [string, Golden] => [
    golden.sql,
    { ...golden, columns: types.map((type, index) => ({ name: nameOf(golden.sql, index), type })) },
  ],
)

const local = localAthena('golden')

beforeAll(async () => {
  const { athena, put } = local()
  await put('lake')
  await athena.execute({ sql: sql`CREATE DATABASE ${identifier('golden')}` })
  for (const [name, { columns, partitionKeys }] of Object.entries(tables)) {
    const declared = (list: readonly (readonly [string, string])[]) =>
      list.map(([column, type]) => `${column} ${type}`).join(', ')
    const partitioned = partitionKeys.length > 0 ? `PARTITIONED BY (${declared(partitionKeys)})` : ''
    await athena.execute({
      sql: `CREATE EXTERNAL TABLE ${name} (${declared(columns)}) ${partitioned} STORED AS PARQUET LOCATION 's3://lake/${name}/'`,
    })
  }
  await put('lake', 'quotes/q.parquet', readFileSync(new URL('data/quotes/q.parquet', directory)))
  for (const day of ['2024-03-08', '2024-03-09', '2024-03-10']) {
    const file = readFileSync(new URL(`data/trades/dt=${day}/part-0.parquet`, directory))
    await put('lake', `trades/dt=${day}/part-0.parquet`, file)
    await athena.execute({
      sql: sql`ALTER TABLE ${identifier('trades')} ADD PARTITION (dt = ${day}) LOCATION ${`s3://lake/trades/dt=${day}/`}`,
    })
  }
})

/** The types between the parentheses of a type's text. */
const innerTypes = (type: string): readonly string[] => {
  const types: string[] = ['']
  let depth = 0
  for (const character of /^\w+\((.*)\)$/.exec(type)?.[1] ?? '') {
    if (character === '(') depth += 1
    if (character === ')') depth -= 1
    if (character === ',' && depth === 0) types.push('')
    else types[types.length - 1] += character
  }
  return types.map((text) => text.trim())
}

/** A column for a Trino type, and what a value of Trino's client is when it is decoded. */
interface Stated {
  readonly column: QueryColumn
  readonly value: (golden: never) => unknown
}

const zones: Readonly<Record<string, number>> = { UTC: 0, 'Asia/Tokyo': 9, 'America/New_York': -5 }

const nanosOf = (text: string): bigint => {
  const [, seconds = '', fraction = ''] = /^(.{19})(?:\.(\d+))?$/.exec(text) ?? []
  return BigInt(Date.parse(`${seconds.replace(' ', 'T')}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}

const scalars: Readonly<Record<string, Stated>> = {
  boolean: { column: t.boolean(), value: (golden: boolean) => golden },
  tinyint: { column: t.int8(), value: Number },
  smallint: { column: t.int16(), value: Number },
  integer: { column: t.int32(), value: Number },
  bigint: { column: t.int64(), value: BigInt },
  real: { column: t.float(), value: Number },
  double: { column: t.double(), value: Number },
  varchar: { column: t.string(), value: String },
  char: { column: t.string(), value: String },
  date: { column: t.date(), value: String },
  json: { column: answer.json(), value: JSON.parse },
  timestamp: { column: answer.timestampNanos(), value: nanosOf },
  'timestamp with time zone': {
    column: answer.timestampWithTimeZone(),
    value: (golden: string) => {
      const [, local = '', zone = ''] = /^(.*) (\S+)$/.exec(golden) ?? []
      return { epochNanos: nanosOf(local) - BigInt(zones[zone]!) * 3_600_000_000_000n, zone }
    },
  },
  'interval day to second': {
    column: answer.intervalDayToSecond(),
    value: (golden: string) => {
      const [, sign, days, hours, minutes, seconds] = /^(-?)(\d+) (\d+):(\d+):([\d.]+)$/.exec(golden)!
      const millis =
        ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000
      return BigInt(Math.round(sign ? -millis : millis))
    },
  },
  'interval year to month': {
    column: answer.intervalYearToMonth(),
    value: (golden: string) => {
      const [years, months] = golden.split('-').map(Number)
      return years! * 12 + months!
    },
  },
}

const statedAs = (type: string): Stated => {
  const lower = type.toLowerCase()
  const [inner = '', second = ''] = innerTypes(type)
  if (lower.startsWith('decimal(')) {
    return { column: t.decimal(Number(inner), Number(second)), value: Decimal.parse }
  }
  if (lower.startsWith('array(')) {
    const element = inner.startsWith('timestamp')
      ? { column: t.timestamp(), value: (golden: string) => new Date(`${golden.replace(' ', 'T')}Z`) }
      : statedAs(inner)
    return {
      column: t.list((element.column as ReturnType<typeof t.int32>).nullable()),
      value: (golden: readonly never[]) =>
        golden.map((one) => (one === null ? null : (element as Stated).value(one))),
    }
  }
  if (lower.startsWith('map(')) {
    const [key, value] = [statedAs(inner), statedAs(second)]
    return {
      column: t.map(key.column as ReturnType<typeof t.string>, value.column as ReturnType<typeof t.int32>),
      value: (golden: Record<string, never>) =>
        new Map(Object.entries(golden).map(([name, one]) => [key.value(name as never), value.value(one)])),
    }
  }
  const scalar = scalars[lower.replace(/\(\d+\)/, '')]
  if (!scalar) throw new Error(`no column for ${type}`)
  return scalar
}

/** Rows have no names for their fields in this type, so that no struct can be stated. */
const withoutNames = 'array(row(integer, varchar(1)))'
const textOfRows: Stated = {
  column: answer.text(),
  value: (golden: readonly (readonly [number, string])[]) =>
    `[${golden.map(([first, second]) => `{field0=${first}, field1=${second}}`).join(', ')}]`,
}

const isNested = (type: string) => /^(array|map|row)\(/.test(type) && type !== withoutNames

/** The query with arrays and maps as JSON, which tells their strings apart. */
const withJson = ({ sql: text, columns }: Golden): string => {
  const names = columns.map((_, index) => `c${index}`)
  const selected = columns.map(({ type }, index) =>
    isNested(type) ? `CAST(c${index} AS JSON) AS c${index}` : `c${index}`,
  )
  return `SELECT ${selected.join(', ')} FROM (${text}) AS golden (${names.join(', ')})`
}

/** Trino merges partial statistics in any order: the last digits of such doubles are not determined. */
const statistics = /stddev|variance|var_|corr|geometric_mean/
/** Sketches answer within their error. */
const sketches = /approx_/

/** What an answer is equal to: doubles of statistics by 13 digits, numbers of sketches by 5 percent. */
const expected = (value: unknown, text: string): unknown => {
  if (typeof value !== 'number' || !Number.isFinite(value)) return value
  if (sketches.test(text))
    return expect.toSatisfy((got) => Math.abs(Number(got) - value) <= Math.abs(value) * 0.05)
  return statistics.test(text)
    ? expect.toSatisfy((got) => Number(got).toPrecision(13) === value.toPrecision(13))
    : value
}

/** An hour that New York has twice. */
const twice = "SELECT at_timezone(timestamp '2024-11-03 05:30:00 UTC', 'America/New_York')"

describe.each([
  ['market queries', queries],
  ['expressions', expressions],
])('the golden %s, decoded to the stated types', (_, golden) => {
  test.each(golden)('%s', async (_name, query) => {
    const { athena } = local()
    if (query.error || query.rows === undefined) {
      await expect(athena.query({ sql: query.sql })).rejects.toThrow(query.error?.name)
      return
    }
    const nested = query.columns.some(({ type }) => isNested(type))
    const columns = query.columns.map(({ name, type }, index) => ({
      name: nested ? `c${index}` : name,
      ...(type === withoutNames ? textOfRows : statedAs(type)),
    }))
    const run = () =>
      athena.query({
        sql: nested ? withJson(query) : query.sql,
        columns: Object.fromEntries(columns.map(({ name, column }) => [name, column.nullable()])),
      })
    if (query.sql === twice) {
      await expect(run()).rejects.toThrow('which its zone has twice')
      return
    }
    const { rows } = await run()
    const wanted = query.rows.map((row) =>
      Object.fromEntries(
        columns.map(({ name, value }, index) => [
          name,
          row[index] === null ? null : expected(value(row[index] as never), query.sql),
        ]),
      ),
    )
    expect(rows).toEqual(wanted)
  })
})
