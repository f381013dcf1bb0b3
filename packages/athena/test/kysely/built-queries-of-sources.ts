import { Decimal } from '@stockpipe/core'
import { sql } from 'kysely'
import { max } from '../../src/kysely/index.ts'
import { type Quote, quotes, type Trade, trades } from './built-queries-data.ts'
import { type BuiltQueryCase, byText, grouped, ids, iso } from './built-query-case.ts'

const decimal = Decimal.parse
const joined = (on: (trade: Trade, quote: Quote) => boolean) =>
  trades.flatMap((trade) => quotes.filter((quote) => on(trade, quote)).map((quote) => ({ trade, quote })))

/** What stands in FROM, JOIN, UNION and WITH. */
export const queriesOfSources: Readonly<Record<string, BuiltQueryCase>> = {
  'every column, of rows within a range of time': {
    build: (db) =>
      db
        .selectFrom('trades')
        .selectAll()
        .where('ts', '>=', iso('2024-03-10T05:00:00Z'))
        .where('ts', '<', iso('2024-11-04T05:00:00Z')),
    expected: trades.filter(
      ({ ts }) => ts >= iso('2024-03-10T05:00:00Z') && ts < iso('2024-11-04T05:00:00Z'),
    ),
  },
  'the first of each group out of a subquery': {
    build: (db) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('trades')
            .select((inner) => [
              'symbol',
              'price as p',
              'fees',
              inner.fn
                .agg<bigint>('row_number')
                .over((over) => over.partitionBy('symbol').orderBy('price', 'desc').orderBy('id'))
                .as('n'),
            ])
            .as('x'),
        )
        .select(['x.symbol', 'x.p', 'x.fees'])
        .where('x.n', '=', 1n),
    expected: grouped(({ symbol }) => symbol).map(([symbol, rows]) => {
      const [first] = [...rows].sort((left, right) => right.price.compare(left.price))
      return { symbol, p: first!.price, fees: first!.fees }
    }),
  },
  'subqueries as a value, in a list, and by EXISTS of the row without': {
    build: (db) =>
      db
        .selectFrom('trades as t')
        .select((eb) => [
          't.id',
          eb
            .selectFrom('quotes as q')
            .select((inner) => max(inner, 'q.bid').as('m'))
            .whereRef('q.symbol', '=', 't.symbol')
            .as('bid'),
          eb.exists(eb.selectFrom('quotes as q').select('q.bid').whereRef('q.at', '=', 't.ts')).as('quoted'),
        ])
        .where('t.symbol', 'in', (eb) =>
          eb.selectFrom('quotes').select('symbol').where('quote_date', '>=', '2024-03-10'),
        ),
    expected: trades
      .filter(({ symbol }) => quotes.some((quote) => quote.symbol === symbol))
      .map(({ id, symbol, ts }) => ({
        id,
        bid: quotes
          .flatMap((quote) => (quote.symbol === symbol && quote.bid ? quote.bid : []))
          .reduce((left, right) => (left.compare(right) > 0 ? left : right)),
        quoted: quotes.some(({ at }) => at.getTime() === ts.getTime()),
      })),
  },
  'joins: inner, on more than equality': {
    build: (db) =>
      db
        .selectFrom('trades as t')
        .innerJoin('quotes as q', (join) =>
          join.onRef('q.symbol', '=', 't.symbol').onRef('q.at', '<=', 't.ts'),
        )
        .select(['t.id', 'q.at', 'q.bid'])
        .where('t.ts', '>=', iso('2024-11-03T04:00:00Z'))
        .where('q.at', '>', iso('2024-03-10T04:00:00Z')),
    expected: joined(
      ({ symbol, ts }, quote) =>
        quote.symbol === symbol &&
        quote.at <= ts &&
        ts >= iso('2024-11-03T04:00:00Z') &&
        quote.at > iso('2024-03-10T04:00:00Z'),
    ).map(({ trade, quote }) => ({ id: trade.id, at: quote.at, bid: quote.bid })),
  },
  'joins: left, its predicate in ON': {
    build: (db) =>
      db
        .selectFrom('trades as t')
        .leftJoin('quotes as q', (join) =>
          join.onRef('q.symbol', '=', 't.symbol').on('q.at', '>=', iso('2024-11-03T00:00:00Z')),
        )
        .select(['t.id', 'q.at', 'q.quote_date']),
    expected: trades.flatMap<object>(({ id, symbol }) => {
      const found = quotes.filter(
        (quote) => quote.symbol === symbol && quote.at >= iso('2024-11-03T00:00:00Z'),
      )
      return found.length === 0
        ? [{ id, at: null, quote_date: null }]
        : found.map(({ at, quote_date }) => ({ id, at, quote_date }))
    }),
  },
  'joins: left, NULL of what it misses': {
    build: (db) =>
      db
        .selectFrom('trades as t')
        .leftJoin('quotes as q', 'q.symbol', 't.symbol')
        .select('t.id')
        .where('q.at', 'is', null),
    expected: ids(({ symbol }) => quotes.every((quote) => quote.symbol !== symbol)),
  },
  'joins: right and full': {
    build: (db) =>
      db
        .selectFrom('quotes as q')
        .rightJoin('trades as t', (join) =>
          join.onRef('q.symbol', '=', 't.symbol').on('t.ts', '<', iso('2024-03-08T05:00:00Z')),
        )
        .fullJoin('quotes as r', (join) =>
          join.onRef('r.at', '=', 't.ts').on('r.at', '<', iso('2024-03-09T00:00:00Z')),
        )
        .select((eb) => [
          eb.fn.countAll<bigint>().as('n'),
          eb.fn.count<bigint>('q.at').as('q'),
          eb.fn.count<bigint>('r.at').as('r'),
        ]),
    expected: (() => {
      const early = ({ ts }: Trade) => ts < iso('2024-03-08T05:00:00Z')
      const left = trades.flatMap((trade) => {
        const found = early(trade) ? quotes.filter(({ symbol }) => symbol === trade.symbol) : []
        return found.length === 0 ? [{ trade, q: false }] : found.map(() => ({ trade, q: true }))
      })
      const met = new Set<Quote>()
      const rows = left.flatMap(({ trade, q }) => {
        const found = quotes.filter(
          ({ at }) => at.getTime() === trade.ts.getTime() && at < iso('2024-03-09T00:00:00Z'),
        )
        for (const quote of found) met.add(quote)
        return found.length === 0 ? [{ q, r: false }] : found.map(() => ({ q, r: true }))
      })
      const others = quotes.filter((quote) => !met.has(quote)).length
      return [
        {
          n: BigInt(rows.length + others),
          q: BigInt(rows.filter(({ q }) => q).length),
          r: BigInt(rows.filter(({ r }) => r).length + others),
        },
      ]
    })(),
  },
  'joins: of a table with itself, cross and lateral': {
    notEmbedded: 'LATERAL',
    build: (db) =>
      db
        .selectFrom('trades as a')
        .innerJoin('trades as b', (join) =>
          join.onRef('b.symbol', '=', 'a.symbol').onRef('b.id', '>', 'a.id'),
        )
        .crossJoin((eb) =>
          eb
            .selectFrom('quotes')
            .select((inner) => max(inner, 'at').as('latest'))
            .as('c'),
        )
        .innerJoinLateral(
          (eb) =>
            eb
              .selectFrom('quotes as q')
              .select((inner) => inner.fn.countAll<bigint>().as('n'))
              .whereRef('q.symbol', '=', 'a.symbol')
              .as('d'),
          (join) => join.onTrue(),
        )
        .select(['a.id', 'b.id as other', 'c.latest', 'd.n'])
        .where('a.ts', '<', iso('2024-03-10T06:00:00Z'))
        .where('b.ts', '>', iso('2024-11-03T05:00:00Z')),
    expected: trades.flatMap((a) =>
      trades
        .filter(
          (b) =>
            b.symbol === a.symbol &&
            b.id > a.id &&
            a.ts < iso('2024-03-10T06:00:00Z') &&
            b.ts > iso('2024-11-03T05:00:00Z'),
        )
        .map((b) => ({
          id: a.id,
          other: b.id,
          latest: new Date(Math.max(...quotes.map(({ at }) => at.getTime()))),
          n: BigInt(quotes.filter(({ symbol }) => symbol === a.symbol).length),
        })),
    ),
  },
  'UNION ALL, ordered and cut': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select(['symbol', 'ts as at'])
        .where('ts', '<', iso('2024-03-10T00:00:00Z'))
        .unionAll(
          db.selectFrom('quotes').select(['symbol', 'at']).where('at', '>', iso('2024-11-01T00:00:00Z')),
        )
        .orderBy('at')
        .orderBy('symbol')
        .limit(5)
        .offset(2),
    expected: [
      ...trades.flatMap(({ symbol, ts }) => (ts < iso('2024-03-10T00:00:00Z') ? { symbol, at: ts } : [])),
      ...quotes.flatMap(({ symbol, at }) => (at > iso('2024-11-01T00:00:00Z') ? { symbol, at } : [])),
    ]
      .sort((left, right) => left.at.getTime() - right.at.getTime() || byText(left.symbol, right.symbol))
      .slice(2, 7),
    ordered: true,
  },
  'UNION, INTERSECT and EXCEPT': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select('symbol')
        .union(db.selectFrom('quotes').select('symbol'))
        .intersect(db.selectFrom('quotes').select('symbol'))
        .except(db.selectFrom('trades').select('symbol').where('symbol', '=', 'MSFT')),
    // INTERSECT binds before UNION, and EXCEPT beside it from the left.
    expected: [...new Set(trades.map(({ symbol }) => symbol))]
      .filter((symbol) => symbol !== 'MSFT')
      .map((symbol) => ({ symbol })),
  },
  'a UNION of nested values': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select(['fees', 'tags', 'leg'])
        .where('id', '<=', 2n)
        .union(db.selectFrom('trades').select(['fees', 'tags', 'leg']).where('id', 'in', [2n, 3n])),
    expected: trades.slice(0, 4).map(({ fees, tags, leg }) => ({ fees, tags, leg })),
  },
  'common table expressions, one of another': {
    build: (db) =>
      db
        .with('early', (qb) =>
          qb
            .selectFrom('trades')
            .select(['id', 'price', 'leg'])
            .where('ts', '<', iso('2024-03-11T04:00:00Z')),
        )
        .with('dear(number, amount, part)', (qb) =>
          qb
            .selectFrom('early')
            .select(['id as number', 'price as amount', 'leg as part'])
            .where('price', '>', decimal('1000')),
        )
        .selectFrom('dear as d')
        .innerJoin('early as e', 'e.id', 'd.number')
        .select(['d.number', 'd.amount', 'd.part', 'e.price']),
    expected: trades
      .filter(({ ts, price }) => ts < iso('2024-03-11T04:00:00Z') && price.compare(decimal('1000')) > 0)
      .map(({ id, price, leg }) => ({ number: id, amount: price, part: leg, price })),
  },
  'a common table expression of itself': {
    notEmbedded: 'WITH RECURSIVE',
    build: (db) =>
      db
        .withRecursive('up(n)', (qb) =>
          qb
            .selectNoFrom((eb) => eb.lit(1).as('n'))
            .unionAll(
              qb
                .selectFrom('up')
                .select((eb) => eb('up.n', '+', 1).as('n'))
                .where('up.n', '<', 5),
            ),
        )
        .selectFrom('up')
        .select('n'),
    expected: [1, 2, 3, 4, 5].map((n) => ({ n })),
  },
  'a page: OFFSET before LIMIT': {
    build: (db) => db.selectFrom('trades').select('id').orderBy('id', 'desc').limit(3).offset(4),
    expected: [20n, 19n, 18n].map((id) => ({ id })),
    ordered: true,
  },
  'OFFSET alone': {
    build: (db) => db.selectFrom('trades').select('id').orderBy('id').offset(23),
    expected: [23n, 24n].map((id) => ({ id })),
    ordered: true,
  },
  'a statement of the user’s own over a table of the builder': {
    build: (db) => ({
      execute: async () => {
        const { rows } =
          await sql<object>`SELECT count(*) AS n FROM ${sql.table('trades')} WHERE ${sql.ref('symbol')} = ${'AAPL'}`.execute(
            db as never,
          )
        return rows
      },
    }),
    expected: [{ n: BigInt(trades.filter(({ symbol }) => symbol === 'AAPL').length) }],
  },
}
