import { Decimal, type SourceBatch } from '@stockpipe/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BridgedTrade, bridgeDailyBars, type DailyBar } from '../src/index.ts'

const readAll = async (
  source: ReturnType<typeof bridgeDailyBars>,
  from = 0,
): Promise<readonly BridgedTrade[]> => {
  const trades: BridgedTrade[] = []
  for await (const batch of source.read({ from })) trades.push(...batch.rows)
  return trades
}

const newYork = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'America/New_York',
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
})

/** Date and minute of the day in New York, by Intl alone. */
const inNewYork = (ts: Date): { date: string; minute: number } => {
  const parts = Object.fromEntries(newYork.formatToParts(ts).map(({ type, value }) => [type, value]))
  return {
    date: `${parts['year']}-${parts['month']}-${parts['day']}`,
    minute: Number(parts['hour']) * 60 + Number(parts['minute']),
  }
}

/** Daily bars computed back from trades in the order they come. */
const barsOf = (trades: readonly BridgedTrade[]): DailyBar[] => {
  const bars = new Map<string, { -readonly [Key in keyof DailyBar]: DailyBar[Key] }>()
  for (const { symbol, price, size, ts } of trades) {
    const { date } = inNewYork(ts)
    const bar = bars.get(`${date} ${symbol}`)
    if (!bar) {
      const fresh = { ticker: symbol, date, open: price, high: price, low: price, close: price, volume: size }
      bars.set(`${date} ${symbol}`, fresh)
      continue
    }
    if (price.compare(bar.high as Decimal) > 0) bar.high = price
    if (price.compare(bar.low as Decimal) < 0) bar.low = price
    bar.close = price
    bar.volume += size
  }
  return [...bars.values()]
}

const plain = (bar: DailyBar): string =>
  [
    bar.date,
    bar.ticker,
    ...[bar.open, bar.high, bar.low, bar.close].map((price) =>
      (typeof price === 'string' ? Decimal.parse(price) : price).rescale(6).toString(),
    ),
    bar.volume,
  ].join(' ')

const bar = (over: Partial<DailyBar> = {}): DailyBar => ({
  ticker: 'AAPL',
  date: '2013-02-28',
  open: '444.05',
  high: '447.87',
  low: '441.40',
  close: '441.40',
  volume: 80_628_800n,
  ...over,
})

const anyBars = fc
  .uniqueArray(
    fc.record({
      ticker: fc.constantFrom('AAPL', 'MSFT', 'IBM', 'A'),
      date: fc.constantFrom('2000-03-01', '2012-03-09', '2012-03-12', '2012-11-02', '2012-11-05'),
      prices: fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 4, maxLength: 4 }),
      scale: fc.integer({ min: 0, max: 4 }),
      volume: fc.oneof(fc.bigInt(4n, 40n), fc.bigInt(41n, 5_000_000_000n)),
    }),
    { minLength: 1, maxLength: 6, selector: ({ ticker, date }) => `${ticker} ${date}` },
  )
  .map((drafts) =>
    drafts.map(({ ticker, date, prices, scale, volume }): DailyBar => {
      const low = Math.min(...prices)
      const high = Math.max(...prices)
      const text = (ticks: number): string => Decimal.of(BigInt(ticks), scale).toString()
      return {
        ticker,
        date,
        open: text(prices[0]!),
        high: text(high),
        low: text(low),
        close: text(prices[1]!),
        volume,
      }
    }),
  )

describe('bridgeDailyBars', () => {
  it('makes trades from which the very bars can be computed back', async () => {
    await fc.assert(
      fc.asyncProperty(anyBars, fc.integer({ min: 0, max: 120 }), fc.integer(), async (bars, more, seed) => {
        const most = bars.reduce((sum, { volume }) => sum + Number(volume), 0)
        const trades = Math.min(bars.length * 4 + more, most)
        const made = await readAll(bridgeDailyBars({ bars, trades, seed }))
        expect(made).toHaveLength(trades)
        expect(barsOf(made).map(plain).sort()).toEqual(bars.map(plain).sort())
        expect(made.map(({ trade_id }) => trade_id)).toEqual(made.map((_, index) => BigInt(index + 1)))
        const lastOf = new Map<string, number>()
        let last = 0
        for (const { symbol, ts, size, price } of made) {
          const { minute } = inNewYork(ts)
          expect(minute).toBeGreaterThanOrEqual(570)
          expect(minute).toBeLessThan(960)
          expect(ts.getTime()).toBeGreaterThan(lastOf.get(symbol) ?? 0)
          expect(ts.getTime()).toBeGreaterThanOrEqual(last)
          expect(size).toBeGreaterThan(0n)
          expect(price.scale).toBe(4)
          last = ts.getTime()
          lastOf.set(symbol, last)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('moves in the tick of the bar, not of the column', async () => {
    const made = await readAll(
      bridgeDailyBars({
        bars: [bar({ open: '444.1', high: '447.9', low: '441.4', close: '442' })],
        trades: 500,
      }),
    )
    expect(new Set(made.map(({ price }) => price.toString().slice(-3)))).toEqual(new Set(['000']))
    expect(new Set(made.map(({ price }) => price.toString())).size).toBeGreaterThan(20)
  })

  it('gives the same trades for the same seed and others for another', async () => {
    const bars = [bar(), bar({ ticker: 'IBM' })]
    const read = async (seed: number) =>
      (await readAll(bridgeDailyBars({ bars, trades: 300, seed }))).map(
        ({ symbol, price, size, ts }) => `${symbol} ${price} ${size} ${ts.toISOString()}`,
      )
    expect(await read(7)).toEqual(await read(7))
    expect(await read(7)).not.toEqual(await read(8))
    expect((await read(7))[0]).toBe('IBM 444.0500 125557 2013-02-28T14:30:10.360Z')
  })

  it('goes on from any position with the rows that follow it', async () => {
    const bars = [bar(), bar({ date: '2013-03-01' }), bar({ date: '2013-03-01', ticker: 'IBM' })]
    const source = bridgeDailyBars({ bars, trades: 40, batchRows: 7 })
    const all = await readAll(source)
    for (let from = 0; from <= 41; from++) {
      expect((await readAll(source, from)).map(({ trade_id }) => trade_id)).toEqual(
        all.slice(from).map(({ trade_id }) => trade_id),
      )
      expect((await readAll(source, from))[0]?.ts).toEqual(all[from]?.ts)
    }
    const positions: number[] = []
    for await (const batch of source.read({ from: 3 })) positions.push(batch.position)
    expect(positions).toEqual([10, 17, 24, 31, 38, 40])
  })

  it('shares the trades by volume, and every bar can be shown', async () => {
    const bars = [
      bar({ volume: 1_000_000n }),
      bar({ ticker: 'IBM', volume: 9_000_000n }),
      bar({ ticker: 'TINY', volume: 3n }),
    ]
    const made = await readAll(bridgeDailyBars({ bars, trades: 1000 }))
    const count = (ticker: string) => made.filter(({ symbol }) => symbol === ticker).length
    expect(count('TINY')).toBe(3)
    expect(count('IBM') / count('AAPL')).toBeGreaterThan(7)
    expect(count('IBM') + count('AAPL') + count('TINY')).toBe(1000)
  })

  it.each([
    ['a close above the high', bar({ close: '500' }), /AAPL on 2013-02-28.*within low and high/],
    ['no volume', bar({ volume: 0n }), /AAPL on 2013-02-28.*nothing was traded/],
    [
      'a volume below the trades it takes',
      bar({ open: '445', volume: 2n }),
      /volume 2 is too small for the 3 trades/,
    ],
    ['a price that is no number', bar({ open: 'n/a' }), /open "n\/a" is not a decimal/],
    ['a price as a number', bar({ open: 444.05 as unknown as string }), /open "444.05" is not a decimal/],
    [
      'more digits than the trades have',
      bar({ open: '444.05001' }),
      /5 digits after the point.*raise priceScale/,
    ],
    ['a date that is none', bar({ date: '2013-02-30' }), /2013-02-30.*its date/],
  ])('refuses a bar with %s', (_, unfit, message) => {
    expect(() => bridgeDailyBars({ bars: [unfit], trades: 10 })).toThrow(message)
  })

  it('refuses a day given twice, no bars, and too few or too many trades', () => {
    expect(() => bridgeDailyBars({ bars: [bar(), bar()], trades: 10 })).toThrow(/that day twice/)
    expect(() => bridgeDailyBars({ bars: [], trades: 10 })).toThrow(/no daily bars/)
    for (const trades of [2, 11, 3.5, Number.NaN]) {
      expect(() => bridgeDailyBars({ bars: [bar({ volume: 10n, open: '445' })], trades })).toThrow(
        /at least 3 .* at most 10/,
      )
    }
  })

  it('shows a bar of one price, and fills every millisecond of a session when asked to', async () => {
    const flat = bar({ open: '5', high: '5', low: '5', close: '5', volume: 7n })
    const made = await readAll(bridgeDailyBars({ bars: [flat], trades: 7 }))
    expect(made.map(({ price, size }) => `${price} ${size}`)).toEqual(Array(7).fill('5.0000 1'))
    expect(() => bridgeDailyBars({ bars: [bar({ volume: 10n ** 12n })], trades: 23_400_001 })).toThrow(
      /at most 23400000/,
    )
  })

  it('stops between batches when its signal aborts and tells progress', async () => {
    const controller = new AbortController()
    const seen: number[] = []
    const read = async () => {
      const source = bridgeDailyBars({ bars: [bar()], trades: 5000, batchRows: 100 })
      const batches: SourceBatch<BridgedTrade>[] = []
      const onProgress = ({ records, totalRecords }: { records: number; totalRecords?: number }) => {
        seen.push(records)
        expect(totalRecords).toBe(5000)
      }
      for await (const batch of source.read({ signal: controller.signal, onProgress })) {
        batches.push(batch)
        // From another turn of the event loop, as a Ctrl-C would come: a reader that never yields would not see it.
        if (batches.length === 3) setImmediate(() => controller.abort(new Error('enough')))
      }
    }
    await expect(read()).rejects.toThrow('enough')
    expect(seen).toEqual([100, 200, 300])
  })
})
