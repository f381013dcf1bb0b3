import { Decimal, day, defineTable, identity, SchemaMismatchError, t } from '@stockpipe/core'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  barColumns,
  bars,
  bestAndWorstDay,
  coarserBars,
  createAthena,
  dailyBars,
  latestPerSymbol,
  movingAverage,
  type QueryRow,
  returns,
  rowsPer,
  rowsWhere,
  sql,
  volumeWeightedAveragePrice,
} from '../src/index.ts'
import { answering } from './fake-athena.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const trades = defineTable('trades', {
  columns: {
    symbol: t.string(),
    price: t.decimal(18, 4),
    size: t.int64(),
    ts: t.timestamp(),
    fee: t.decimal(10, 6).nullable(),
    weight: t.double(),
    lots: t.int32(),
    volume: t.int64(),
  },
  partitions: { trade_date: day('ts'), ticker: identity('symbol') },
}).at({ database: 'market', location: 's3://lake/trades/' })
const names = { symbol: 'ticker', price: 'price', size: 'size', time: 'ts', day: 'trade_date' } as const

const typesOf = (columns: Readonly<Record<string, { type: object }>>) =>
  Object.fromEntries(Object.entries(columns).map(([name, { type }]) => [name, type]))

describe('dailyBars', () => {
  test('is plain Trino, and keeps the price’s type', async () => {
    const query = dailyBars(trades, { ...names, where: sql`trade_date >= ${'2024-01-01'}` })
    expect(query.sql).toBe(`SELECT "ticker" AS symbol, "trade_date" AS day,
  min_by("price", ROW("ts", "price")) AS open, max("price") AS high, min("price") AS low, max_by("price", ROW("ts", -"price")) AS close,
  sum("size") AS volume, count(*) AS trades
FROM "market"."trades"
WHERE (trade_date >= ?)
GROUP BY 1, 2
ORDER BY 1, 2`)
    expect(query.parameters).toEqual(['2024-01-01'])
    expect(typesOf(query.columns)).toEqual({
      symbol: { kind: 'string' },
      day: { kind: 'string' },
      open: { kind: 'decimal', precision: 18, scale: 4 },
      high: { kind: 'decimal', precision: 18, scale: 4 },
      low: { kind: 'decimal', precision: 18, scale: 4 },
      close: { kind: 'decimal', precision: 18, scale: 4 },
      volume: { kind: 'int64' },
      trades: { kind: 'int64' },
    })
    const fake = answering({
      columns: {
        symbol: 'varchar',
        day: 'varchar',
        open: 'decimal(18,4)',
        high: 'decimal(18,4)',
        low: 'decimal(18,4)',
        close: 'decimal(18,4)',
        volume: 'bigint',
        trades: 'bigint',
      },
      pages: [[['IBM', '2024-03-08', '1.0000', '2.0000', '0.5000', '1.5000', '300', '3']]],
    })
    const athena = createAthena({ client: fake.client, database: 'market', runtime: virtualRuntime() })
    const { rows } = await athena.query(query)
    expectTypeOf(rows[0]!).toEqualTypeOf<{
      symbol: string
      day: string
      open: Decimal
      high: Decimal
      low: Decimal
      close: Decimal
      volume: bigint
      trades: bigint
    }>()
    expect(rows[0]!.close.equals(Decimal.parse('1.5'))).toBe(true)
  })

  test('rows without the figure are left out of a nullable column, so that no bar is null', () => {
    const query = dailyBars(trades, { ...names, price: 'fee' })
    expect(query.sql).toContain('FROM "market"."trades"\nWHERE "fee" IS NOT NULL\nGROUP BY')
    expect(query.columns.open.isNullable).toBe(false)
  })

  test('the compiler knows the columns of the table, and so does the run', () => {
    // @ts-expect-error the table has no column 'prize'
    expect(() => dailyBars(trades, { ...names, price: 'prize' })).toThrow(
      /has no column 'prize'; it has symbol/,
    )
    // @ts-expect-error symbol is text, not a number
    dailyBars(trades, { ...names, price: 'symbol' })
    // @ts-expect-error a double is no time
    dailyBars(trades, { ...names, time: 'weight' })
    // @ts-expect-error a decimal is no day
    dailyBars(trades, { ...names, day: 'price' })
  })
})

describe('bars', () => {
  const options = { symbol: 'ticker', price: 'price', size: 'size', time: 'ts', order: 'lots' } as const
  const minutes = bars(trades, {
    ...options,
    interval: { minutes: 5 },
    where: sql`trade_date = ${'2024-03-08'}`,
  })

  test('are plain Trino, of exact types', () => {
    expect(
      minutes.sql,
    ).toBe(`SELECT "ticker" AS symbol, date_add('millisecond', -(date_diff('millisecond', date_trunc('day', "ts"), "ts") % 300000), "ts") AS start,
  min_by("price", ROW("ts", "lots", "price")) AS open, max("price") AS high, min("price") AS low, max_by("price", ROW("ts", "lots", -"price")) AS close,
  sum("size") AS volume, sum("price" * "size") AS turnover, sum("price" * "size") / NULLIF(sum("size"), 0) AS vwap,
  count(*) AS trades
FROM "market"."trades"
WHERE (trade_date = ?)
GROUP BY 1, 2
ORDER BY 1, 2`)
    expect(minutes.parameters).toEqual(['2024-03-08'])
    const price = { kind: 'decimal', precision: 18, scale: 4 }
    expect(typesOf(minutes.columns)).toEqual({
      symbol: { kind: 'string' },
      start: { kind: 'timestamp' },
      open: price,
      high: price,
      low: price,
      close: price,
      volume: { kind: 'int64' },
      turnover: { kind: 'decimal', precision: 38, scale: 4 },
      vwap: { kind: 'decimal', precision: 38, scale: 4 },
      trades: { kind: 'int64' },
    })
    expectTypeOf<QueryRow<typeof minutes.columns>>().toEqualTypeOf<{
      symbol: string
      start: Date
      open: Decimal
      high: Decimal
      low: Decimal
      close: Decimal
      volume: bigint
      turnover: Decimal
      vwap: Decimal | null
      trades: bigint
    }>()
  })

  test('of days have a date, in the time zone', () => {
    const days = bars(trades, { ...options, interval: { days: 1 }, timeZone: 'America/New_York' })
    expect(days.sql).toContain(
      `CAST(at_timezone(with_timezone("ts", 'UTC'), 'America/New_York' ) AS date) AS start`,
    )
    expectTypeOf<QueryRow<typeof days.columns>['start']>().toEqualTypeOf<string>()
    expect(days.columns.start.type).toEqual({ kind: 'date' })
  })

  test('of bars have turnover, VWAP and trades where the source has', () => {
    const hours = coarserBars(minutes, { ...barColumns, interval: { hours: 1 } })
    expect(hours.sql).toContain(minutes.sql)
    expect(hours.parameters).toEqual(['2024-03-08'])
    expectTypeOf<QueryRow<typeof hours.columns>>().toEqualTypeOf<QueryRow<typeof minutes.columns>>()
    expect(typesOf(hours.columns)).toEqual(typesOf(minutes.columns))
    const { turnover: _, trades: __, ...fewer } = barColumns
    const plain = coarserBars(minutes, { ...fewer, interval: { weeks: 1 } })
    expect(Object.keys(plain.columns)).toEqual(['symbol', 'start', 'open', 'high', 'low', 'close', 'volume'])
    expectTypeOf<keyof typeof plain.columns>().toEqualTypeOf<
      'symbol' | 'start' | 'open' | 'high' | 'low' | 'close' | 'volume'
    >()
    // @ts-expect-error a bar's start is no volume
    coarserBars(minutes, { ...barColumns, volume: 'start', interval: { hours: 1 } })
  })

  test.each([
    [{ minutes: 0 }],
    [{ minutes: 1.5 }],
    [{ hours: 25 }],
    [{ days: -1 }],
    [{ fortnights: 1 }],
    [{ constructor: 1 }],
    [{ minutes: 1, hours: 1 }],
    [{}],
  ])('an interval of %o is refused', (interval) => {
    expect(() => bars(trades, { ...options, interval: interval as { minutes: 1 } })).toThrow(/is no interval/)
  })

  test('what cannot be told from a column is refused', () => {
    // @ts-expect-error a fee may be NULL
    expect(() => bars(trades, { ...options, order: 'fee', interval: { days: 1 } })).toThrow(/may be NULL/)
    // @ts-expect-error the day is text, no moment
    expect(() => bars(trades, { ...options, time: 'trade_date', interval: { days: 1 } })).toThrow(
      /tells no moment/,
    )
    const zone = { timeZone: "America/'" }
    expect(() => bars(trades, { ...options, interval: { days: 1 }, ...zone })).toThrow(
      /no IANA time zone|not an IANA/,
    )
    const days = bars(trades, { ...options, interval: { days: 1 } })
    expect(() => coarserBars(days, { ...barColumns, interval: { hours: 1 } })).toThrow(/no part of a day/)
  })
})

describe('latestPerSymbol', () => {
  test('answers the columns that are named, and all by default', () => {
    const named = latestPerSymbol(trades, { symbol: 'ticker', time: 'ts', columns: ['ticker', 'fee'] })
    expectTypeOf<QueryRow<typeof named.columns>>().toEqualTypeOf<{ ticker: string; fee: Decimal | null }>()
    const all = latestPerSymbol(trades, { symbol: 'ticker', time: 'ts' })
    expect(Object.keys(all.columns)).toEqual([
      ...['symbol', 'price', 'size', 'ts', 'fee', 'weight', 'lots', 'volume', 'trade_date', 'ticker'],
    ])
    expectTypeOf<QueryRow<typeof all.columns>['weight']>().toEqualTypeOf<number>()
  })
})

describe('returns', () => {
  test('of bars of bars carry the parameters of the innermost query', () => {
    const source = bars(trades, {
      ...{ symbol: 'ticker', price: 'weight', size: 'fee', time: 'ts' },
      interval: { months: 1 },
      where: sql`lots > ${3}`,
    })
    const query = returns(source, {
      symbol: 'symbol',
      time: 'start',
      close: 'close',
      where: sql`volume > ${1n}`,
    })
    expect(query.parameters).toEqual([3, 1n])
    expectTypeOf<QueryRow<typeof query.columns>>().toEqualTypeOf<{
      symbol: string
      time: string
      close: number
      simpleReturn: number | null
      logReturn: number | null
    }>()
  })
})

describe('volumeWeightedAveragePrice', () => {
  const vwap = <
    const Price extends 'price' | 'weight' | 'lots',
    const Size extends 'size' | 'weight' | 'fee',
  >(
    price: Price,
    size: Size,
  ) => volumeWeightedAveragePrice(trades, { per: ['ticker'], price, size })

  test('divides the sums, leaves out groups without volume, and states decimal(38, 4)', () => {
    const query = vwap('price', 'size')
    expect(
      query.sql,
    ).toBe(`SELECT "ticker", sum("price" * "size") / sum("size") AS vwap, sum("size") AS volume
FROM "market"."trades"
GROUP BY 1
HAVING sum("size") > 0
ORDER BY 1`)
    expect(typesOf(query.columns)).toEqual({
      ticker: { kind: 'string' },
      vwap: { kind: 'decimal', precision: 38, scale: 4 },
      volume: { kind: 'int64' },
    })
  })

  test('types are derived as Trino does', () => {
    expect(typesOf(vwap('price', 'fee').columns)).toMatchObject({
      vwap: { kind: 'decimal', precision: 38, scale: 10 },
      volume: { kind: 'decimal', precision: 38, scale: 6 },
    })
    expect(typesOf(vwap('price', 'weight').columns)).toMatchObject({
      vwap: { kind: 'double' },
      volume: { kind: 'double' },
    })
    const whole = vwap('lots', 'size')
    expect(whole.columns.vwap.type).toEqual({ kind: 'double' })
    expect(whole.sql).toContain('sum(CAST("lots" AS double) * "size")')
    expectTypeOf(vwap('price', 'size').columns.vwap).toExtend<{ isNullable: false }>()
  })

  test('a column that would be named like a figure is refused', () => {
    expect(() =>
      volumeWeightedAveragePrice(trades, { per: ['volume'], price: 'price', size: 'size' }),
    ).toThrow(/would hold 'volume' twice/)
  })
})

describe('movingAverage', () => {
  test('is a window of rows that keeps precision and scale of a decimal', () => {
    const query = movingAverage(trades, { symbol: 'ticker', day: 'trade_date', value: 'price', rows: 20 })
    expect(query.sql).toContain(
      'avg("price") OVER (PARTITION BY "ticker" ORDER BY "trade_date" ROWS BETWEEN 19 PRECEDING AND CURRENT ROW) AS average',
    )
    expect(query.columns.average.type).toEqual({ kind: 'decimal', precision: 18, scale: 4 })
    const whole = movingAverage(trades, { symbol: 'ticker', day: 'trade_date', value: 'size', rows: 5 })
    expect(whole.columns.average.type).toEqual({ kind: 'double' })
  })

  test('has the time under the name it was given', () => {
    const names = { symbol: 'ticker', value: 'price', rows: 2 } as const
    const timed = movingAverage(trades, { ...names, time: 'ts' })
    expectTypeOf<QueryRow<typeof timed.columns>>().toEqualTypeOf<{
      symbol: string
      time: Date
      value: Decimal
      average: Decimal
      rows: bigint
    }>()
    expect(Object.keys(timed.columns)).toEqual(['symbol', 'time', 'value', 'average', 'rows'])
    expect(() => movingAverage(trades, names)).toThrow(/as `day` or as `time`/)
    expect(() => movingAverage(trades, { ...names, day: 'trade_date', time: 'ts' })).toThrow(/one column/)
  })

  test.each([0, 1.5, -1, Number.NaN, 1e9])('a window of %d rows is refused', (rows) => {
    expect(() =>
      movingAverage(trades, { symbol: 'ticker', day: 'trade_date', value: 'price', rows }),
    ).toThrow(/whole number of rows/)
  })
})

test('bestAndWorstDay takes the changes that `returns` tells', () => {
  const query = bestAndWorstDay(trades, { symbol: 'ticker', day: 'trade_date', close: 'price' })
  expect(query.sql).toContain(returns(trades, { symbol: 'ticker', time: 'trade_date', close: 'price' }).sql)
  expect(Object.keys(query.columns)).toEqual(['symbol', 'bestDay', 'bestChange', 'worstDay', 'worstChange'])
})

describe('rowsWhere', () => {
  test('stands outside of what it filters, whose figures are computed over more rows', () => {
    const averages = movingAverage(trades, {
      ...{ symbol: 'ticker', day: 'trade_date', value: 'price', rows: 20 },
      where: sql`trade_date >= ${'2024-02-01'}`,
    })
    const query = rowsWhere(averages, sql`day >= ${'2024-03-01'} OR average < ${1}`, {
      orderBy: ['day', 'symbol'],
    })
    expect(query.sql).toBe(`SELECT "symbol", "day", "value", "average", "rows"
FROM (
${averages.sql}
) AS source
WHERE day >= ? OR average < ?
ORDER BY "day", "symbol"`)
    expect(query.parameters).toEqual(['2024-02-01', '2024-03-01', 1])
    expectTypeOf<QueryRow<typeof query.columns>>().toEqualTypeOf<QueryRow<typeof averages.columns>>()
    expect(typesOf(query.columns)).toEqual(typesOf(averages.columns))
    // @ts-expect-error the answer calls it day
    expect(() => rowsWhere(averages, sql`true`, { orderBy: 'trade_date' })).toThrow(/no column 'trade_date'/)
  })
})

describe('rowsPer', () => {
  test('groups by columns and partitions under their own names', async () => {
    const query = rowsPer(trades, ['ticker', 'ts'], { where: sql`size > ${1}` })
    expect(query.sql).toBe(
      'SELECT "ticker", "ts", count(*) AS rows\nFROM "market"."trades"\nWHERE (size > ?)\nGROUP BY 1, 2\nORDER BY 1, 2',
    )
    const fake = answering({ columns: { ticker: 'varchar', ts: 'timestamp', rows: 'bigint' }, pages: [[]] })
    const athena = createAthena({ client: fake.client, database: 'market', runtime: virtualRuntime() })
    const { rows } = await athena.query(query)
    expectTypeOf<(typeof rows)[number]>().toEqualTypeOf<{ ticker: string; ts: Date; rows: bigint }>()
  })

  test('of no columns counts all', () => {
    expect(rowsPer(trades, []).sql).toBe('SELECT count(*) AS rows\nFROM "market"."trades"')
  })

  test('an answer of another type than derived is noticed', async () => {
    const fake = answering({ columns: { rows: 'double' }, pages: [[]] })
    const athena = createAthena({ client: fake.client, database: 'market', runtime: virtualRuntime() })
    await expect(athena.query(rowsPer(trades, []))).rejects.toThrow(SchemaMismatchError)
  })
})
