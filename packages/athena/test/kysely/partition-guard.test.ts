import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { FullScanError, fullScan, projected, within } from '../../src/kysely/index.ts'
import { quotes, scripted, trades, venues } from './builder-tables.ts'

const { athena, sent } = scripted()
const db = athena.from(trades, quotes, venues)
const at = new Date('2024-03-08T14:30:00Z')

describe('a query over a partitioned table', () => {
  test('that restricts no partition is refused, by the names of the table and its partitions, before it is sent', async () => {
    const error = await db
      .selectFrom('trades as t')
      .select('price')
      .where('size', '>', 5n)
      .execute()
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(FullScanError)
    expect(error).toMatchObject({
      code: 'PARTITION_PREDICATE_MISSING',
      table: 'market.trades',
      partitionKeys: ['trade_date', 'ticker'],
      message:
        "The query restricts no partition of market.trades, and would read all of it: add a predicate on trade_date or ticker, or on ts or symbol, from which they are made, beside others with AND and in the SELECT that reads 't', or allow it with allowFullScan.",
    })
    expect(sent).toEqual([])
  })

  const from = () => db.selectFrom('trades').select('price')
  const joined = () => db.selectFrom('trades as t').where('t.ts', '>=', at).select('t.price')
  const enough: Readonly<Record<string, () => { compile(): unknown }>> = {
    'a partition': () => from().where('trade_date', '=', '2024-03-08'),
    'a partition and an expression': () =>
      from().where('trade_date', '>=', sql<string>`date_format(current_date, '%Y-%m-%d')`),
    'a partition in a subquery': () =>
      from().where('trade_date', 'in', (eb) =>
        eb.selectFrom('quotes').select('quote_date').where('quote_date', '>', '2024'),
      ),
    'the column it is made from': () => from().where('ts', '>=', at),
    'one of two columns': () => from().where('symbol', '=', 'IBM').where('size', '>', 5n),
    'each side of an OR': () => from().where((eb) => eb.or([eb('ts', '>=', at), eb('ticker', '=', 'IBM')])),
    'a negation that leaves a range': () => from().where((eb) => eb.not(eb('ts', '<', at))),
    'the ON of an inner join': () =>
      joined().innerJoin('quotes as q', (join) =>
        join.onRef('q.symbol', '=', 't.symbol').on('q.at', '>=', at),
      ),
    'the ON of the left join that may miss it': () =>
      joined().leftJoin('quotes as q', (join) =>
        join.onRef('q.symbol', '=', 't.symbol').on('q.at', '>=', at),
      ),
    'WHERE after a left join': () =>
      joined().leftJoin('quotes as q', 'q.symbol', 't.symbol').where('q.at', '>=', at),
    'a part of the table': () =>
      athena
        .from(within(trades, { ticker: ['IBM'] }))
        .selectFrom('trades')
        .select('price'),
    'the whole on purpose': () => athena.from(fullScan(trades)).selectFrom('trades').select('price'),
    'to nothing at all': () => from().where('symbol', 'in', []),
    'a table without partitions': () => db.selectFrom('venues').select('code'),
  }
  test.each(Object.entries(enough))('that restricts %s is built', (_, build) => {
    expect(() => build().compile()).not.toThrow()
  })

  const tooLittle: Readonly<Record<string, () => { compile(): unknown }>> = {
    'one side of an OR': () => from().where((eb) => eb.or([eb('ts', '>=', at), eb('size', '>', 5n)])),
    'what is not there': () => from().where('trade_date', 'is not', null),
    'one value not': () => from().where('trade_date', '!=', '2024-03-08'),
    'a partition by another column': () => from().whereRef('trade_date', '=', 'venue'),
    'nothing of a joined table': () => joined().innerJoin('quotes as q', 'q.symbol', 't.symbol'),
    'the kept side of a left join in its ON': () =>
      db
        .selectFrom('trades as t')
        .select('t.price')
        .leftJoin('venues as v', (join) => join.onRef('v.code', '=', 't.venue').on('t.ts', '>=', at)),
    'NULL of what a left join may miss': () =>
      joined().leftJoin('quotes as q', 'q.symbol', 't.symbol').where('q.quote_date', 'is', null),
    'a subquery from without': () =>
      db
        .selectFrom((eb) => eb.selectFrom('trades').select(['price', 'ts']).as('x'))
        .select('x.price')
        .where('x.ts', '>=', at),
    'a common table expression': () =>
      db
        .with('x', (qb) => qb.selectFrom('trades').select('price'))
        .selectFrom('x')
        .select('price'),
    'the second part of a union': () => from().where('ts', '>=', at).unionAll(from()),
    'a source that another of its name hides': () =>
      db
        .selectFrom('trades')
        .select('price')
        .where((eb) =>
          eb.exists(
            eb
              .selectFrom('venues as trades')
              .select('code')
              .where('ts' as never, '>=', at as never),
          ),
        ),
    'a subquery in a list': () =>
      db
        .selectFrom('venues')
        .select('code')
        .where('code', 'in', (eb) => eb.selectFrom('trades').select('symbol')),
  }
  test.each(Object.entries(tooLittle))('that restricts %s is refused', (_, build) => {
    expect(() => build().compile()).toThrow(FullScanError)
  })

  test('may read tables whole that are allowed to be, by name or all', () => {
    const query = (allowFullScan: boolean | readonly string[]) =>
      db.withSettings({ allowFullScan }).selectFrom('trades').select('price')
    expect(() => query(true).compile()).not.toThrow()
    expect(() => query(['trades']).compile()).not.toThrow()
    expect(() => query(['quotes']).compile()).toThrow(FullScanError)
  })
})

test('a part of a table is all that is read of it', () => {
  const part = within(projected(trades, { trade_date: { from: '2024-01-01' }, ticker: { injected: true } }), {
    ticker: ['IBM', 'BRK.B'],
    trade_date: { from: '2024-03-08', to: '2024-03-11' },
  })
  const query = athena.from(part).selectFrom('trades as t').select('t.price').where('t.ts', '<', at).compile()
  expect(query.sql).toBe(
    'select "t"."price" from (select * from "market"."trades" where "ticker" in (?, ?) and "trade_date" >= ? and "trade_date" <= ?) as "t" where "t"."ts" < ? and "t"."trade_date" <= ?',
  )
  expect(query.parameters).toEqual(['IBM', 'BRK.B', '2024-03-08', '2024-03-11', at, '2024-03-08'])
})

test('what is no part of a table is refused', () => {
  expect(() => within(trades, {})).toThrow(/no partition is restricted; name values of trade_date or ticker/)
  expect(() => within(trades, { ticker: [] })).toThrow(/'ticker' is restricted to nothing/)
  expect(() => within(trades, { tikker: 'IBM' } as never)).toThrow(/'tikker' is no partition/)
  const lake = projected(trades, { trade_date: { from: '2024-01-01' }, ticker: { injected: true } })
  expect(() => within(lake, { trade_date: '2024-03-08' } as never)).toThrow(
    /the injected partition 'ticker' needs its values/,
  )
  expect(() => athena.from(lake as never)).toThrow(/The partitions of 'trades' are projected/)
})
