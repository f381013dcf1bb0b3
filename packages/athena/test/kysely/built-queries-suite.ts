import { beforeAll, expect, test } from 'vitest'
import { type Athena, dailyBars } from '../../src/index.ts'
import { withBuilder, within } from '../../src/kysely/index.ts'
import { statements, trades, tradesTable } from './built-queries-data.ts'
import { queriesOfExpressions } from './built-queries-of-expressions.ts'
import { queriesOfSources } from './built-queries-of-sources.ts'
import { builderOf, byText, pick } from './built-query-case.ts'

const cases = { ...queriesOfSources, ...queriesOfExpressions }

/** Statements of the builder on an engine, beside a plain computation of what they mean. */
export const builtQueryTests = (askedOf: () => Athena, timeoutMillis: number, isEmbedded: boolean): void => {
  beforeAll(async () => {
    for (const statement of statements) await askedOf().queryText({ sql: statement })
  }, timeoutMillis)

  /** Rows by the sort order that no query states. */
  const plain = (rows: readonly object[]) =>
    rows.map((row) =>
      JSON.stringify(
        Object.entries(row).sort(([left], [right]) => byText(left, right)),
        (_, value) =>
          typeof value === 'bigint'
            ? `${value}n`
            : value instanceof Map
              ? { map: [...value].sort(([left], [right]) => byText(left, right)) }
              : value === Number.NEGATIVE_INFINITY
                ? '-Infinity'
                : value instanceof Uint8Array
                  ? [...value]
                  : value,
      ),
    )
  const sorted = (rows: readonly object[]) => plain(rows).sort()

  test.each(Object.entries(cases))('%s', { timeout: timeoutMillis }, async (_, one) => {
    const { build, expected, ordered, notEmbedded } = one
    const asked = build(builderOf(askedOf())).execute()
    if (isEmbedded && notEmbedded) {
      await expect(asked).rejects.toThrow(`The embedded Athena does not support ${notEmbedded}`)
      return
    }
    const rows = await asked
    expect(expected.length).toBeGreaterThan(0)
    if (ordered) expect(plain(rows)).toEqual(plain(expected))
    else expect(sorted(rows)).toEqual(sorted(expected))
  })

  test('a part of a table, and a market query of it', { timeout: timeoutMillis }, async () => {
    const part = within(tradesTable, { trade_date: { from: '2024-11-03' }, ticker: ['AAPL', 'a b+c%'] })
    const expected = trades.filter(
      ({ trade_date, ticker }) => trade_date >= '2024-11-03' && ['AAPL', 'a b+c%'].includes(ticker),
    )
    const bars = dailyBars(tradesTable, {
      ...{ symbol: 'symbol', price: 'price', size: 'lots', time: 'ts', day: 'trade_date' },
    })
    const db = withBuilder(askedOf()).from({ part, bars })
    const rows = await db
      .selectFrom('part')
      .innerJoin('bars', (join) =>
        join.onRef('bars.symbol', '=', 'part.ticker').onRef('bars.day', '=', 'part.trade_date'),
      )
      .select(['part.id', 'bars.high'])
      .execute()
    expect(sorted(rows)).toEqual(
      sorted(
        expected.map(({ id, ticker, trade_date }) => ({
          id,
          high: trades
            .filter((other) => other.ticker === ticker && other.trade_date === trade_date)
            .map(({ price }) => price)
            .reduce((left, right) => (left.compare(right) > 0 ? left : right)),
        })),
      ),
    )
  })

  test('a plan of a query', { timeout: timeoutMillis }, async () => {
    const plan = await builderOf(askedOf()).selectFrom('trades').select('id').where('id', '=', 5n).explain()
    expect(plan.length).toBeGreaterThan(0)
  })

  test('rows that stream', { timeout: timeoutMillis }, async () => {
    const rows: object[] = []
    for await (const row of builderOf(askedOf()).selectFrom('trades').select(['id', 'leg', 'fees']).stream(4))
      rows.push(row)
    expect(sorted(rows)).toEqual(sorted(pick(trades, 'id', 'leg', 'fees')))
  })
}
