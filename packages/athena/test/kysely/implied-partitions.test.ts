import {
  type BoundTable,
  calendarPartition,
  Decimal,
  day,
  defaultPartitionName,
  defineTable,
  hour,
  identity,
  month,
  parseDate,
  t,
  year,
  zoneOffset,
} from '@stockpipe/core'
import fc from 'fast-check'
import { type OperationNode, type SelectQueryNode, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { QueryRewriting } from '../../src/kysely/query-rewriting.ts'
import { namedSources } from '../../src/kysely/query-source.ts'
import { scripted } from './builder-tables.ts'
import { isTrue, type TestRow } from './predicate-evaluation.ts'

/** A table routed in one time zone by everything there is. */
const routed = (timeZone: string) =>
  defineTable('events', {
    columns: {
      ts: t.timestamp().nullable(),
      nanos: t.epochNanos().nullable(),
      born: t.date().nullable(),
      symbol: t.string().nullable(),
      lots: t.int32().nullable(),
      open: t.boolean().nullable(),
      price: t.decimal(10, 2),
    },
    partitions: {
      ts_year: year('ts', { timeZone }),
      ts_month: month('ts', { timeZone }),
      ts_day: day('ts', { timeZone }),
      ts_hour: hour('ts', { timeZone }),
      nanos_day: day('nanos', { timeZone }),
      nanos_hour: hour('nanos', { timeZone }),
      born_month: month('born'),
      born_day: identity('born'),
      ticker: identity('symbol'),
      lot: identity('lots'),
      is_open: identity('open'),
    },
  }).at({ database: 'market', location: 's3://lake/events/' })

const million = 1_000_000n

/** A row with the partitions that the sink routes it to. */
const route = (bound: BoundTable, row: TestRow): TestRow => {
  const values: Record<string, unknown> = { ...row }
  for (const { name, source, transform, timeZone } of bound.table.partitions) {
    const value = row[source]
    if (value === null) values[name] = null
    else if (transform === 'identity') {
      const text = String(value)
      values[name] = text === '' || text === defaultPartitionName ? null : text
    } else if (typeof value === 'string') {
      values[name] = calendarPartition(transform, parseDate(value)! * 86_400_000, () => 0)
    } else {
      const millis =
        value instanceof Date
          ? value.getTime()
          : Number(((value as bigint) - ((((value as bigint) % million) + million) % million)) / million)
      values[name] = calendarPartition(transform, millis, zoneOffset(timeZone))
    }
  }
  return values
}

const zones = [
  'UTC',
  'America/New_York',
  'America/St_Johns',
  'America/Sao_Paulo',
  'Europe/London',
  'Africa/Monrovia',
  'Asia/Tokyo',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Kwajalein',
]

/** Instants about which clocks are set, calendars jump, and years turn; and any others. */
const turns = [
  '1969-12-31T23:59:59.999Z',
  '1972-05-01T00:44:30.000Z',
  '1993-08-21T12:00:00.000Z',
  '1999-12-31T23:00:00.000Z',
  '2006-10-29T02:31:00.000Z',
  '2011-12-30T10:00:00.000Z',
  '2018-02-18T02:00:00.000Z',
  '2024-03-10T07:00:00.000Z',
  '2024-11-03T05:30:00.000Z',
  '2024-11-03T06:00:00.000Z',
].map((text) => Date.parse(text))
const shifts = [0, 1, -1, 60_000, -1_800_000, 3_600_000, -7_200_000, 43_200_000, -86_400_000]
const millis = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...turns),
        fc.constantFrom(...shifts),
        fc.integer({ min: -7_200_000, max: 7_200_000 }),
      )
      .map(([turn, shift, more]) => turn + shift + more),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...turns), fc.constantFrom(...shifts))
      .map(([turn, shift]) => turn + shift),
  },
  { weight: 1, arbitrary: fc.integer({ min: Date.parse('1900-01-01'), max: Date.parse('2100-01-01') }) },
)
const constants = {
  ts: millis.map((value) => new Date(value)),
  nanos: fc
    .tuple(millis, fc.constantFrom(0n, 1n, -1n, 999_999n))
    .map(([value, nanos]) => BigInt(value) * million + nanos),
  born: millis.map((value) => new Date(value).toISOString().slice(0, 10)),
  symbol: fc.constantFrom('', 'A', 'AAPL', 'BRK.B', 'Z', '_', defaultPartitionName, "a'b", '🐂'),
  lots: fc.integer({ min: -3, max: 12 }),
  open: fc.boolean(),
}
type ColumnName = keyof typeof constants
const columnNames = Object.keys(constants) as ColumnName[]
const nullable = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { freq: 5, nil: null })
const rowOf: fc.Arbitrary<TestRow> = fc.record({
  ts: nullable(constants.ts),
  nanos: nullable(constants.nanos),
  born: nullable(constants.born),
  symbol: nullable(constants.symbol),
  lots: nullable(constants.lots),
  open: nullable(constants.open),
  price: fc.constant(Decimal.parse('1.00')),
})

/** A predicate as Kysely builds it; tables are typed elsewhere. */
// biome-ignore lint/suspicious/noExplicitAny: any column with any operator and any constant
type Build = (eb: any) => any

const comparison: fc.Arbitrary<Build> = fc.constantFrom(...columnNames).chain((name): fc.Arbitrary<Build> => {
  const constant: fc.Arbitrary<unknown> = constants[name]
  return fc.oneof(
    fc.tuple(fc.constantFrom('=', '!=', '<>', '<', '<=', '>', '>='), constant).map(
      ([operator, value]): Build =>
        (eb) =>
          eb(name, operator, value),
    ),
    fc.tuple(fc.constantFrom('=', '<', '<=', '>', '>='), constant).map(
      ([operator, value]): Build =>
        (eb) =>
          eb(eb.val(value), operator, eb.ref(name)),
    ),
    fc.tuple(fc.constantFrom('in', 'not in'), fc.array(constant, { minLength: 1, maxLength: 3 })).map(
      ([operator, values]): Build =>
        (eb) =>
          eb(name, operator, values),
    ),
    fc.tuple(constant, constant).map(
      ([low, high]): Build =>
        (eb) =>
          eb.between(name, low, high),
    ),
    fc.constantFrom('is', 'is not').map(
      (operator): Build =>
        (eb) =>
          eb(name, operator, null),
    ),
    fc.tuple(fc.constantFrom('is distinct from', 'is not distinct from'), constant).map(
      ([operator, value]): Build =>
        (eb) =>
          eb(name, operator, value),
    ),
    fc.constantFrom('=', '<').map(
      (operator): Build =>
        (eb) =>
          eb(name, operator, eb.ref(name)),
    ),
  )
})
const onPartition: fc.Arbitrary<Build> = fc
  .tuple(fc.constantFrom('=', '!=', '>='), fc.constantFrom('2024-03-10', '2024-11-02', '2011-12-29'))
  .map(
    ([operator, value]): Build =>
      (eb) =>
        eb('ts_day', operator, value),
  )
const { predicate } = fc.letrec<{ predicate: Build }>((tie) => ({
  predicate: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 5, arbitrary: comparison },
    { weight: 1, arbitrary: onPartition },
    {
      weight: 2,
      arbitrary: fc.array(tie('predicate'), { minLength: 2, maxLength: 3 }).map(
        (parts): Build =>
          (eb) =>
            eb.and(parts.map((part) => part(eb))),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.array(tie('predicate'), { minLength: 2, maxLength: 3 }).map(
        (parts): Build =>
          (eb) =>
            eb.or(parts.map((part) => part(eb))),
      ),
    },
    {
      weight: 2,
      arbitrary: tie('predicate').map(
        (part): Build =>
          (eb) =>
            eb.not(part(eb)),
      ),
    },
  ),
}))

const whereOf = (node: OperationNode): OperationNode => (node as SelectQueryNode).where!.where

describe('a predicate with what it implies of partitions', () => {
  test('keeps every row that it keeps alone, in every zone', () => {
    let kept = 0
    let left = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        predicate,
        fc.array(rowOf, { minLength: 1, maxLength: 12 }),
        (zone, build, rows) => {
          const table = routed(zone)
          const query = scripted()
            .athena.from(table)
            .selectFrom('events')
            .select('price')
            .where(build as never)
          const before = query.toOperationNode()
          const after = new QueryRewriting(namedSources([table]), true).rewrite(before).node
          for (const row of rows.map((one) => route(table, one))) {
            const wanted = isTrue(whereOf(before), row)
            expect(
              isTrue(whereOf(after), row),
              JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
            ).toBe(wanted)
            if (wanted) kept += 1
            else left += 1
          }
        },
      ),
      { numRuns: 1000 },
    )
    expect(kept).toBeGreaterThan(300)
    expect(left).toBeGreaterThan(300)
  }, 120_000)
})

/** One space where there are several. */
const where = (query: { compile(): { sql: string; parameters: readonly unknown[] } }): string => {
  const { sql: text, parameters } = query.compile()
  let index = 0
  return text.slice(text.indexOf('where ') + 6).replaceAll('?', () => `'${parameters[index++]}'`)
}

describe('what is implied', () => {
  const eastern = routed('America/New_York')
  const from = () => scripted().athena.from(eastern).selectFrom('events').select('price')
  const days = (text: string) =>
    [...text.matchAll(/"ts_(?:day|hour)" (\S+) ('[^']*')/g)].map((match) => match[0].slice(4))

  test('a day in local time names its partition, also one of 25 and one of 23 hours', () => {
    const day25 = from()
      .where('ts', '>=', new Date('2024-11-03T04:00:00Z'))
      .where('ts', '<', new Date('2024-11-04T05:00:00Z'))
    expect(days(where(day25))).toEqual([
      `day" >= '2024-11-03'`,
      `hour" >= '2024-11-03-00'`,
      `day" <= '2024-11-03'`,
      `hour" <= '2024-11-03-23'`,
    ])
    const day23 = from().where((eb) =>
      eb.between('ts', new Date('2024-03-10T05:00:00Z'), new Date('2024-03-11T03:59:59.999Z')),
    )
    expect(days(where(day23))).toEqual([
      `day" >= '2024-03-10'`,
      `hour" >= '2024-03-10-00'`,
      `day" <= '2024-03-10'`,
      `hour" <= '2024-03-10-23'`,
    ])
  })

  test('an instant names one partition, a list several, and nothing is said twice', () => {
    expect(days(where(from().where('ts', '=', new Date('2024-03-08T14:30:00Z'))))).toEqual([
      `day" = '2024-03-08'`,
      `hour" = '2024-03-08-09'`,
    ])
    expect(where(from().where('symbol', 'in', ['A', 'B']))).toBe(
      `"symbol" in ('A', 'B') and "events"."ticker" in ('A', 'B')`,
    )
    expect(where(from().where('ts_day', '=', '2024-03-08'))).toBe(`"ts_day" = '2024-03-08'`)
  })

  test('a long list is one list of partitions, each of them once', () => {
    const symbols = Array.from({ length: 20_000 }, (_, index) => `S${index}`)
    const query = from().where('symbol', 'in', [...symbols, '', 'S0'])
    expect(where(query).length).toBeLessThan(500_000)
    const noon = Date.parse('2024-03-08T17:00:00Z')
    const sameDay = [0, 1, 3_600_000].map((more) => new Date(noon + more))
    expect(days(where(from().where('ts', 'in', sameDay)))).toEqual([`day" = '2024-03-08'`])
    expect(where(from().where('ts', 'in', sameDay))).toContain(
      `"ts_hour" in ('2024-03-08-12', '2024-03-08-13')`,
    )
  })

  test('what is NULL, or has the text of it, is in the default partition', () => {
    expect(where(from().where('symbol', 'is', null))).toBe(
      `"symbol" is  NULL  and "events"."ticker" is  NULL `,
    )
    expect(where(from().where('symbol', '=', ''))).toBe(`"symbol" = '' and "events"."ticker" is  NULL `)
    expect(where(from().where('symbol', '<', 'B'))).toBe(
      `"symbol" < 'B' and ("events"."ticker" < 'B' or "events"."ticker" is  NULL )`,
    )
  })

  test('a negation keeps the last millisecond of a day, and what begins after it', () => {
    const last = new Date('2024-03-09T04:59:59.999Z')
    const day = (operator: '<' | '<=' | '>' | '>=') =>
      days(where(from().where((eb) => eb.not(eb('ts', operator, last)))))[0]
    expect(day('<')).toBe(`day" >= '2024-03-08'`)
    expect(day('<=')).toBe(`day" >= '2024-03-09'`)
    expect(day('>')).toBe(`day" <= '2024-03-08'`)
    expect(day('>=')).toBe(`day" <= '2024-03-08'`)
  })

  test('nothing is said of an outer table that a source within hides', () => {
    const query = from()
      .where('ts_day', '=', '2024-03-08')
      .where((eb) =>
        eb.exists(
          eb
            .selectFrom('quotes as events' as never)
            .select(sql`1`.as('one'))
            .where('ts' as never, '>=', new Date(0) as never),
        ),
      )
    expect(where(query)).toMatch(/where "ts" >= '[^']*'\)$/)
  })

  test('an empty list keeps nothing, alone or beside others', () => {
    expect(where(from().where('symbol', 'in', []))).toBe(' false ')
    expect(where(from().where((eb) => eb.or([eb('symbol', 'in', []), eb('symbol', '=', 'A')])))).toBe(
      `( false  or "symbol" = 'A') and ( false  or "events"."ticker" = 'A')`,
    )
  })

  test('text of the user’s own stays one operand', () => {
    const query = from().where(sql<boolean>`symbol IS NULL OR lots > 5`).where('symbol', '=', 'A')
    expect(where(query)).toBe(`(symbol IS NULL OR lots > 5) and "symbol" = 'A' and "events"."ticker" = 'A'`)
  })
})
