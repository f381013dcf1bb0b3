import { type ColumnRecord, Decimal, t } from '@stockpipe/core'
import fc from 'fast-check'
import { literal, type MarketQuery, type SqlValue } from '../../src/index.ts'

/** A trade as the tests make it; `id` is its own in the data. */
export interface Trade {
  readonly symbol: string | null
  readonly price: Decimal | null
  readonly quote: number | null
  readonly size: bigint | null
  readonly millis: number | null
  readonly id: bigint
}

const tradeColumns = {
  symbol: t.string().nullable(),
  /** Decimal, negative and zero as well. */
  price: t.decimal(18, 4).nullable(),
  /** A double of few bits, so that no order of a sum changes it. */
  quote: t.double().nullable(),
  size: t.int64().nullable(),
  ts: t.timestamp().nullable(),
  nanos: t.epochNanos().nullable(),
  id: t.int64(),
}
const sqlTypes = ['varchar', 'decimal(18,4)', 'double', 'bigint', 'timestamp(3)', 'bigint', 'bigint']

export type TradeSource = MarketQuery<typeof tradeColumns>

/** Rows as a source: `SELECT CAST(...) FROM (VALUES ...)`. */
export const valuesSource = <Columns extends ColumnRecord>(
  columns: Columns,
  types: readonly string[],
  rows: readonly (readonly SqlValue[])[],
): MarketQuery<Columns> => {
  const names = Object.keys(columns)
  const written = rows.length === 0 ? [names.map(() => null)] : rows
  const values = written.map((row) => `(${row.map((value) => literal(value).sql).join(',')})`)
  const casts = names.map((name, index) => `CAST(${name} AS ${types[index]}) AS ${name}`)
  return {
    sql: `SELECT ${casts.join(', ')} FROM (VALUES ${values.join(',\n')}) AS given(${names.join(', ')})${
      rows.length === 0 ? ' WHERE false' : ''
    }`,
    parameters: [],
    columns,
  }
}

/** Nanoseconds that are no whole milliseconds, so that they must be cut down. */
export const nanosOf = ({ millis, id }: Trade): bigint | null =>
  millis === null ? null : BigInt(millis) * 1_000_000n + ((id * 7919n) % 1_000_000n)

export const tradeSource = (trades: readonly Trade[]): TradeSource =>
  valuesSource(
    tradeColumns,
    sqlTypes,
    trades.map((trade) => [
      trade.symbol,
      trade.price,
      trade.quote,
      trade.size,
      trade.millis === null ? null : new Date(trade.millis),
      nanosOf(trade),
      trade.id,
    ]),
  )

/** Days on which clocks change, weekends, a half day, the turn of years, and days before 1970. */
const days = [
  '2024-03-08',
  '2024-03-10',
  '2024-03-11',
  '2024-11-03',
  '2024-11-29',
  '2024-12-31',
  '1969-12-31',
  '1969-12-28',
  '2018-02-18',
  '2018-11-04',
].map((day) => Date.parse(`${day}T00:00:00Z`))

const hour = 3_600_000

/** Moments of a day: half hours, opens and closes and what is just before, any, and many within few seconds. */
const sinceMidnight = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: 58 }).map((halves) => (halves * hour) / 2), weight: 2 },
  {
    arbitrary: fc
      .tuple(fc.constantFrom(13.5, 14.5, 18, 20, 21, 24, 28, 29), fc.constantFrom(-30_000, -1, 0, 1))
      .map(([hours, shift]) => hours * hour + shift),
    weight: 3,
  },
  { arbitrary: fc.integer({ min: 0, max: 29 * hour }), weight: 1 },
  { arbitrary: fc.integer({ min: 0, max: 6 }).map((step) => 14.5 * hour + step * 500), weight: 4 },
)

const sometimesNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 12 })

const tradeOf = (days: readonly number[], symbols: readonly string[]) =>
  fc.record({
    symbol: sometimesNull(fc.constantFrom(...symbols)),
    price: sometimesNull(
      fc.oneof(
        { arbitrary: fc.bigInt({ min: 1n, max: 2_000_000n }), weight: 6 },
        { arbitrary: fc.bigInt({ min: -20_000n, max: 20n }), weight: 1 },
        { arbitrary: fc.constantFrom(0n, 10_000n, 10n ** 17n), weight: 1 },
      ),
    ).map((unscaled) => (unscaled === null ? null : Decimal.of(unscaled, 4))),
    quote: sometimesNull(fc.integer({ min: -64, max: 4096 }).map((eighths) => eighths / 8)),
    size: sometimesNull(fc.oneof(fc.bigInt({ min: 1n, max: 100_000n }), fc.constant(0n))),
    millis: sometimesNull(
      fc.tuple(fc.constantFrom(...days), sinceMidnight).map(([day, since]) => day + since),
    ),
  })

/** Trades of few symbols on few days, with ties in time, gaps, groups of one row, NULLs, and none at all. */
export const tradesOn = (days: readonly number[]): fc.Arbitrary<readonly Trade[]> =>
  fc
    .tuple(
      fc.shuffledSubarray([...days], { minLength: 1, maxLength: 3 }),
      fc.shuffledSubarray(['BRK.B', 'AAPL', "O'X", 'ÄÖ 1'], { minLength: 1, maxLength: 3 }),
    )
    .chain(([some, symbols]) => fc.array(tradeOf(some, symbols), { maxLength: 40, size: 'max' }))
    .chain((trades) =>
      fc
        .shuffledSubarray(
          trades.map((_, index) => BigInt(index)),
          { minLength: trades.length },
        )
        .map((ids) => trades.map((trade, index) => ({ ...trade, id: ids[index]! }))),
    )

export const generatedTrades = tradesOn(days)

/** Of one year, so that the days between can be gone through one by one. */
export const tradesOf2024 = tradesOn(days.filter((day) => new Date(day).getUTCFullYear() === 2024))

/** What a row of an answer is compared by: text of decimals and moments. */
export const plain = (value: unknown): unknown => {
  if (Decimal.isDecimal(value) || typeof value === 'bigint') return value.toString()
  if (value instanceof Date) return value.toISOString()
  // Sums of doubles end in either zero.
  if (value === 0) return 0
  return value
}

export const plainRow = (row: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]))
