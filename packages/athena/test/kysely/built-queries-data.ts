import { calendarPartition, Decimal, day, defineTable, identity, t, zoneOffset } from '@stockpipe/core'
import { type SqlValue, sqlLiteral } from '../../src/sql-literal.ts'

/** A row of every kind of column, as a built query answers it. */
export interface Trade {
  readonly id: bigint
  readonly symbol: string
  readonly price: Decimal
  readonly size: bigint
  readonly lots: number
  readonly ts: Date
  readonly nanos: bigint
  readonly settles: string
  readonly weight: number
  readonly open: boolean
  readonly venue: string | null
  readonly document: string
  readonly tags: readonly string[]
  readonly fees: ReadonlyMap<string, Decimal | null>
  readonly leg: { readonly venue: string; readonly size: bigint; readonly at: Date | null }
  readonly trade_date: string
  readonly ticker: string
}

export interface Quote {
  readonly symbol: string
  readonly bid: Decimal | null
  readonly at: Date
  readonly quote_date: string
}

const eastern = 'America/New_York'

export const tradesTable = defineTable('trades', {
  columns: {
    id: t.int64(),
    symbol: t.string(),
    price: t.decimal(18, 4),
    size: t.int64(),
    lots: t.int32(),
    ts: t.timestamp(),
    nanos: t.epochNanos(),
    settles: t.date(),
    weight: t.double(),
    open: t.boolean(),
    venue: t.string().nullable(),
    document: t.json(),
    tags: t.list(t.string()),
    fees: t.map(t.string(), t.decimal(10, 2).nullable()),
    leg: t.struct({ venue: t.string(), size: t.int64(), at: t.timestamp().nullable() }),
  },
  partitions: { trade_date: day('ts', { timeZone: eastern }), ticker: identity('symbol') },
}).at({ database: 'built', location: 's3://lake/trades/' })

export const quotesTable = defineTable('quotes', {
  columns: { symbol: t.string(), bid: t.decimal(18, 4).nullable(), at: t.timestamp() },
  partitions: { quote_date: day('at') },
}).at({ database: 'built', location: 's3://lake/quotes/' })

/** Midnights of the exchange, of days of 24, 23 and 25 hours, and moments beside them. */
const midnights = ['2024-03-08T05', '2024-03-10T05', '2024-03-11T04', '2024-11-03T04', '2024-11-04T05'].map(
  (hour) => Date.parse(`${hour}:00:00.000Z`),
)
const beside = [0, -1, 1, 3_600_000, 34_200_000]
/** Trino 476 asks Glue for a partition with an apostrophe without doubling it: no case restricts to that one. */
const symbols = ['AAPL', 'BRK.B', "it's", 'a b+c%', 'MSFT']

const dayOf = calendarPartition.bind(undefined, 'day')

export const trades: readonly Trade[] = midnights.flatMap((midnight, first) =>
  beside.map((shift, second) => {
    const n = first * beside.length + second
    const ts = new Date(midnight + shift)
    const symbol = symbols[(first + second * 2) % symbols.length]!
    const venue = n % 4 === 0 ? null : ['XNYS', 'xnas', '_%'][n % 3]!
    return {
      id: BigInt(n),
      symbol,
      price: Decimal.of(BigInt((n * 7919) % 50_000) * 1000n + 2500n, 4),
      size: n === 3 ? 9_223_372_036_854_775_807n : BigInt((n * 37) % 11) * 100n,
      lots: (n % 7) - 3,
      ts,
      nanos: BigInt(ts.getTime()) * 1_000_000n + 7n,
      settles: new Date(midnight + (n % 3) * 86_400_000).toISOString().slice(0, 10),
      weight: n / 8 - 1,
      open: n % 3 === 0,
      venue,
      document: JSON.stringify({ id: n, by: { name: `'${symbol}"` } }),
      tags: n % 5 === 0 ? [''] : ['null', 'a, b', '"\\é'].slice(n % 3),
      fees: new Map([
        ['x=1', n % 2 === 0 ? null : Decimal.of(BigInt(n), 2)],
        ['y', Decimal.of(-10n, 2)],
      ]),
      leg: { venue: 'N}', size: 9_007_199_254_740_993n + BigInt(n), at: n % 2 === 0 ? null : ts },
      trade_date: dayOf(ts.getTime(), zoneOffset(eastern)),
      ticker: symbol,
    }
  }),
)

export const quotes: readonly Quote[] = midnights.slice(0, 4).flatMap((midnight, first) =>
  symbols.slice(0, 3).map((symbol, second) => {
    const at = new Date(midnight - second * 3_600_000)
    const bid = (first + second) % 4 === 0 ? null : Decimal.of(BigInt(first * 10 + second) * 10_000n, 4)
    return { symbol, bid, at, quote_date: dayOf(at.getTime(), () => 0) }
  }),
)

const literal = (value: unknown): string => {
  if (Array.isArray(value)) return `CAST(ARRAY[${value.map(literal).join(', ')}] AS array(varchar))`
  if (value instanceof Map) {
    const items = (all: Iterable<unknown>) => `ARRAY[${[...all].map(literal).join(', ')}]`
    return `CAST(MAP(${items(value.keys())}, ${items(value.values())}) AS map(varchar, decimal(10,2)))`
  }
  if (typeof value === 'object' && value !== null && 'size' in value) {
    const { venue, size, at } = value as Trade['leg']
    const row = [venue, size, at].map((one) => sqlLiteral(one)).join(', ')
    return `CAST(ROW(${row}) AS row(venue varchar, size bigint, at timestamp(3)))`
  }
  return sqlLiteral(value as SqlValue)
}

const insert = (table: string, casts: Readonly<Record<string, string>>, rows: readonly object[]): string => {
  const names = Object.keys(rows[0]!)
  const selected = names.map((name) => (casts[name] ? `CAST(${name} AS ${casts[name]})` : name))
  const values = rows.map((row) => `(${Object.values(row).map(literal).join(', ')})`)
  return `INSERT INTO ${table} SELECT ${selected.join(', ')} FROM (VALUES ${values.join(', ')}) AS v(${names.join(', ')})`
}

/** Makes the tables, of which the bucket `lake` has the files. */
export const statements: readonly string[] = [
  'CREATE DATABASE built',
  `CREATE EXTERNAL TABLE built.trades (id bigint, symbol string, price decimal(18,4), size bigint, lots int, ts timestamp,
    nanos bigint, settles date, weight double, \`open\` boolean, venue string, document string, tags array<string>,
    fees map<string,decimal(10,2)>, leg struct<venue:string,size:bigint,at:timestamp>)
    PARTITIONED BY (trade_date string, ticker string) STORED AS PARQUET LOCATION 's3://lake/trades/'`,
  `CREATE EXTERNAL TABLE built.quotes (symbol string, bid decimal(18,4), at timestamp)
    PARTITIONED BY (quote_date string) STORED AS PARQUET LOCATION 's3://lake/quotes/'`,
  insert(
    'built.trades',
    {
      ...{ id: 'bigint', price: 'decimal(18,4)', size: 'bigint', lots: 'integer', nanos: 'bigint' },
      ...{ settles: 'date', weight: 'double' },
    },
    trades,
  ),
  insert('built.quotes', { bid: 'decimal(18,4)' }, quotes),
]
