import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestLake } from './market-lake.ts'

/** Unscaled decimals of four digits, computed here in BigInt apart from the engine. */
interface Trade {
  readonly ticker: string
  readonly day: string
  readonly price: bigint
  readonly size: bigint
  readonly millis: number
}
interface Bar {
  readonly ticker: string
  readonly date: string
  readonly close: bigint
}

const tickers = ['AAPL', 'AMZN', 'GOOG', 'IBM', 'MSFT', 'NFLX', 'NVDA', 'ORCL', 'TSLA', 'BRK.B']
const days = Array.from({ length: 10 }, (_, i) => `2024-03-${String(i + 4).padStart(2, '0')}`)
const tradesPerFile = 2000

const seed = 20240304
let state = seed
function random(below: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}

function decimal(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function halfUp(dividend: bigint, divisor: bigint): bigint {
  const doubled = 2n * (dividend < 0n ? -dividend : dividend)
  const magnitude = (doubled + divisor) / (2n * divisor)
  return dividend < 0n ? -magnitude : magnitude
}

const trades: Trade[] = []
const bars: Bar[] = []
const lake = new TestLake()

beforeAll(async () => {
  const files: { path: string; select: string; partitionValues: string[] }[] = []
  for (const ticker of tickers) {
    for (const day of days) {
      const rows: string[] = []
      for (let i = 0; i < tradesPerFile; i++) {
        const trade: Trade = {
          ticker,
          day,
          price: BigInt(1_000_000 + random(500_000)),
          size: BigInt(1 + random(1000)),
          // Unlike moments, not in order.
          millis: Date.parse(`${day}T14:30:00Z`) + ((i * 7919) % tradesPerFile) * 1000 + random(1000),
        }
        trades.push(trade)
        rows.push(`(${trade.price}, ${trade.size}, ${trade.millis})`)
      }
      const select = `SELECT '${ticker}' AS symbol, CAST(p * CAST(0.0001 AS DECIMAL(5,4)) AS DECIMAL(18,4)) AS price,
        CAST(s AS BIGINT) AS size, CAST(epoch_ms(m) AS TIMESTAMP_MS) AS ts FROM (VALUES ${rows.join(',')}) t(p, s, m)`
      files.push({
        path: `trades/trade_date=${day}/ticker=${ticker}/a.parquet`,
        select,
        partitionValues: [day, ticker],
      })
    }
  }
  const tradeFiles = await lake.files(files)
  lake.table(
    'trades',
    { symbol: 'string', price: 'decimal(18,4)', size: 'bigint', ts: 'timestamp' },
    { trade_date: 'string', ticker: 'string' },
    tradeFiles,
  )
  const barFiles: typeof files = []
  for (const year of ['2022', '2023']) {
    for (const ticker of tickers) {
      const rows: string[] = []
      for (let i = 0; i < 120; i++) {
        const date = new Date(Date.UTC(Number(year), 0, 1 + i * 3)).toISOString().slice(0, 10)
        const bar: Bar = { ticker, date, close: BigInt(1_000_000 + random(900_000)) }
        bars.push(bar)
        rows.push(`('${date}', ${bar.close})`)
      }
      const price = (add: number): string =>
        `CAST((c + ${add}) * CAST(0.0001 AS DECIMAL(5,4)) AS DECIMAL(18,4))`
      const select = `SELECT CAST(d AS DATE) AS date, ${price(0)} AS open, ${price(100)} AS high, ${price(-100)} AS low,
        ${price(0)} AS close, CAST(1000 AS BIGINT) AS volume,
        CAST(${price(0)} AS DECIMAL(18,15)) AS adj_close FROM (VALUES ${rows.join(',')}) t(d, c)`
      barFiles.push({
        path: `bars/year=${year}/ticker=${ticker}/a.parquet`,
        select: select.replaceAll('DECIMAL(18,15)', 'DECIMAL(20,15)'),
        partitionValues: [year, ticker],
      })
    }
  }
  lake.table(
    'bars',
    {
      date: 'date',
      open: 'decimal(18,4)',
      high: 'decimal(18,4)',
      low: 'decimal(18,4)',
      close: 'decimal(18,4)',
      volume: 'bigint',
      adj_close: 'decimal(18,15)',
    },
    { year: 'string', ticker: 'string' },
    await lake.files(barFiles),
  )
}, 60_000)

afterAll(() => lake[Symbol.asyncDispose]())

async function timed(sql: string): Promise<Awaited<ReturnType<typeof lake.query>> & { millis: number }> {
  const start = performance.now()
  const result = await lake.query(sql)
  return { ...result, millis: performance.now() - start }
}

function by<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item])
  return groups
}

describe(`the five questions over 200,000 trades in 100 files (seed ${seed})`, () => {
  test('daily bars rebuilt from trades', async () => {
    const { columns, rows, millis } = await timed(`
      SELECT ticker, trade_date, min_by(price, ts) AS open, max(price) AS high, min(price) AS low,
             max_by(price, ts) AS close, sum(size) AS volume, count(*) AS trades
      FROM trades GROUP BY 1, 2 ORDER BY 1, 2`)
    expect(columns.map(({ type }) => type)).toEqual([
      'varchar',
      'varchar',
      'decimal(18,4)',
      'decimal(18,4)',
      'decimal(18,4)',
      'decimal(18,4)',
      'bigint',
      'bigint',
    ])
    const groups = new Map<string, Trade[]>()
    for (const trade of trades) {
      const key = `${trade.ticker}|${trade.day}`
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [trade])
      else group.push(trade)
    }
    const expected = [...groups.values()].map((group) => {
      const ordered = group.toSorted((a, b) => a.millis - b.millis)
      const prices = group.map(({ price }) => price).toSorted((a, b) => (a < b ? -1 : 1))
      const text = (price: bigint): string => decimal(price, 4)
      return [
        group[0]!.ticker,
        group[0]!.day,
        text(ordered[0]!.price),
        text(prices.at(-1)!),
        text(prices[0]!),
        text(ordered.at(-1)!.price),
        String(group.reduce((sum, { size }) => sum + size, 0n)),
        String(group.length),
      ]
    })
    expect(rows).toEqual(expected.toSorted((a, b) => (`${a[0]}${a[1]}` < `${b[0]}${b[1]}` ? -1 : 1)))
    expect(millis).toBeLessThan(5000)
  })

  test('20-day moving average, rounded half up in the column type', async () => {
    const { columns, rows } = await timed(`
      SELECT ticker, date, avg(close) OVER (PARTITION BY ticker ORDER BY date ROWS BETWEEN 19 PRECEDING AND CURRENT ROW) AS ma20
      FROM bars ORDER BY ticker, date`)
    expect(columns[2]).toEqual({ name: 'ma20', type: 'decimal(18,4)' })
    const expected = [...by(bars, ({ ticker }) => ticker).entries()]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([ticker, group]) =>
        group.map(({ date }, i) => {
          const frame = group.slice(Math.max(0, i - 19), i + 1)
          const sum = frame.reduce((total, { close }) => total + close, 0n)
          return [ticker, date, decimal(halfUp(sum, BigInt(frame.length)), 4)]
        }),
      )
    expect(rows).toEqual(expected)
  })

  test('best and worst day in decimals, by max_by and min_by over a window in a CTE', async () => {
    const { columns, rows } = await timed(`
      WITH returns AS (
        SELECT ticker, date, close / lag(close) OVER (PARTITION BY ticker ORDER BY date) - 1 AS r FROM bars
      )
      SELECT ticker, max_by(date, r) AS best, max(r) AS best_return, min_by(date, r) AS worst, min(r) AS worst_return
      FROM returns WHERE r IS NOT NULL GROUP BY ticker ORDER BY ticker`)
    // decimal(18,4) / decimal(18,4) is decimal(22,4), minus 1 decimal(23,4).
    expect(columns.map(({ type }) => type)).toEqual([
      'varchar',
      'date',
      'decimal(23,4)',
      'date',
      'decimal(23,4)',
    ])
    for (const row of rows) {
      const group = bars.filter(({ ticker }) => ticker === row[0])
      const returns = group.slice(1).map(({ date, close }, i) => ({
        date,
        r: halfUp(close * 10_000n, group[i]!.close) - 10_000n,
      }))
      const best = returns.reduce((a, b) => (b.r > a.r ? b : a))
      const worst = returns.reduce((a, b) => (b.r < a.r ? b : a))
      expect([row[2], row[4]]).toEqual([decimal(best.r, 4), decimal(worst.r, 4)])
      expect(returns.find(({ date }) => date === row[1])!.r).toBe(best.r)
      expect(returns.find(({ date }) => date === row[3])!.r).toBe(worst.r)
    }
    expect(rows).toHaveLength(tickers.length)
  })

  test('best day in doubles, by row_number in a CTE', async () => {
    const { columns, rows } = await timed(`
      WITH returns AS (
        SELECT ticker, date, CAST(close AS double) / lag(CAST(close AS double)) OVER (PARTITION BY ticker ORDER BY date) - 1 AS r
        FROM bars
      ), ranked AS (
        SELECT *, row_number() OVER (PARTITION BY ticker ORDER BY r DESC) AS n FROM returns WHERE r IS NOT NULL
      )
      SELECT ticker, date, r FROM ranked WHERE n = 1 ORDER BY ticker`)
    expect(columns[2]!.type).toBe('double')
    for (const [ticker, date, r] of rows) {
      const group = bars.filter((bar) => bar.ticker === ticker)
      const returns = group.slice(1).map((bar, i) => ({
        date: bar.date,
        r: Number(decimal(bar.close, 4)) / Number(decimal(group[i]!.close, 4)) - 1,
      }))
      const best = returns.reduce((a, b) => (b.r > a.r ? b : a))
      expect([date, Number(r)]).toEqual([best.date, best.r])
    }
  })

  test('VWAP in decimals and in doubles', async () => {
    const { columns, rows, millis } = await timed(`
      SELECT ticker, sum(price * size) / sum(size) AS vwap,
             CAST(sum(price * size) AS double) / CAST(sum(size) AS double) AS exact
      FROM trades GROUP BY ticker ORDER BY ticker`)
    expect(columns.map(({ type }) => type)).toEqual(['varchar', 'decimal(38,4)', 'double'])
    const expected = tickers.toSorted().map((ticker) => {
      let amount = 0n
      let size = 0n
      for (const trade of trades) {
        if (trade.ticker !== ticker) continue
        amount += trade.price * trade.size
        size += trade.size
      }
      return [ticker, decimal(halfUp(amount, size), 4), Number(decimal(amount, 4)) / Number(size)]
    })
    expect(rows.map((row) => [row[0], row[1], Number(row[2])])).toEqual(expected)
    expect(millis).toBeLessThan(5000)
  })

  test('rows per ticker and year', async () => {
    const { rows } = await timed(
      'SELECT ticker, year, count(*) FROM bars GROUP BY ticker, year ORDER BY ticker, year',
    )
    expect(rows).toEqual(
      tickers.toSorted().flatMap((ticker) => [
        [ticker, '2022', '120'],
        [ticker, '2023', '120'],
      ]),
    )
  })
})
