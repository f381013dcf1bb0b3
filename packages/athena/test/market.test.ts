import { Decimal, day, defineTable, identity, SchemaMismatchError, t } from '@stockpipe/core'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  bestAndWorstDay,
  createAthena,
  dailyBars,
  movingAverage,
  rowsPer,
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
  min_by("price", "ts") AS open, max("price") AS high, min("price") AS low, max_by("price", "ts") AS close,
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

  test.each([0, 1.5, -1, Number.NaN, 1e9])('a window of %d rows is refused', (rows) => {
    expect(() =>
      movingAverage(trades, { symbol: 'ticker', day: 'trade_date', value: 'price', rows }),
    ).toThrow(/whole number of rows/)
  })
})

test('bestAndWorstDay divides doubles, because a quotient of decimals would be cut to their scale', () => {
  const query = bestAndWorstDay(trades, { symbol: 'ticker', day: 'trade_date', close: 'price' })
  expect(query.sql).toContain(
    'CAST("price" AS double) / lag(CAST("price" AS double)) OVER (PARTITION BY "ticker" ORDER BY "trade_date") - 1 AS change',
  )
  expect(Object.keys(query.columns)).toEqual(['symbol', 'bestDay', 'bestChange', 'worstDay', 'worstChange'])
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
