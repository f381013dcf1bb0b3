import { ConfigurationError, Decimal, t } from '@stockpipe/core'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { dailyBars, sql as fragment } from '../../src/index.ts'
import type { AthenaCompiledQuery } from '../../src/kysely/athena-query-compiler.ts'
import { max, min, stated, sum } from '../../src/kysely/index.ts'
import { quotes, scripted, trades, venues } from './builder-tables.ts'

const { athena } = scripted()
const db = athena.from(trades, quotes, venues).withSettings({ allowFullScan: true })

/** One space where there are several, and none within parentheses: the text reads as it means. */
const text = (query: { compile(): { sql: string } }) =>
  query
    .compile()
    .sql.replace(/\s+/g, ' ')
    .replace(/\( /g, '(')
    .replace(/ ([),])/g, '$1')
    .trim()

describe('the text of a query', () => {
  test('names the database, quotes names, and has OFFSET before LIMIT as numbers', () => {
    const query = db
      .selectFrom('venues')
      .select(['code', 'name as title'])
      .orderBy('code')
      .limit(10)
      .offset(20)
    expect(text(query)).toBe(
      'select "code", "name" as "title" from "reference"."venues" as "venues" order by "code" offset 20 limit 10',
    )
    expect(query.compile().parameters).toEqual([])
  })

  test('has parameters after WHERE, ON and HAVING, and literals elsewhere', () => {
    const query = db
      .selectFrom('venues as v')
      .innerJoin('trades as t', (join) => join.onRef('t.venue', '=', 'v.code').on('t.size', '>', 5n))
      .select((eb) => ['v.code', eb.val("it's").as('said'), eb.fn.count<bigint>('t.size').as('n')])
      .where('v.name', 'like', 'N%')
      .where('t.price', '>=', Decimal.parse('1.50'))
      .groupBy('v.code')
      .having((eb) => eb.fn.count('t.size'), '>', 1n)
      .orderBy((eb) => eb.case().when('v.code', '=', 'X').then(0).else(1).end())
    expect(text(query)).toBe(
      `select "v"."code", 'it''s' as "said", count("t"."size") as "n" from "reference"."venues" as "v" ` +
        `inner join "market"."trades" as "t" on "t"."venue" = "v"."code" and "t"."size" > ? ` +
        `where "v"."name" like ? and "t"."price" >= ? group by "v"."code" having count("t"."size") > ? ` +
        `order by case when "v"."code" = 'X' then 0 else 1 end`,
    )
    expect(query.compile().parameters).toEqual([5n, 'N%', Decimal.parse('1.50'), 1n])
  })

  test('has the parameters of a subquery in its WHERE only', () => {
    const query = db
      .selectFrom((eb) =>
        eb
          .selectFrom('venues')
          .select((inner) => [inner.val('a').as('a'), 'code'])
          .where('code', '=', 'N')
          .as('x'),
      )
      .select('x.a')
      .where('x.code', 'in', (eb) => eb.selectFrom('venues as w').select('w.code').where('w.name', '=', 'M'))
    expect(text(query)).toBe(
      `select "x"."a" from (select 'a' as "a", "code" from "reference"."venues" as "venues" where "code" = ?) as "x" ` +
        `where "x"."code" in (select "w"."code" from "reference"."venues" as "w" where "w"."name" = ?)`,
    )
    expect(query.compile().parameters).toEqual(['N', 'M'])
  })

  test('compares dates with dates, also in lists and ranges', () => {
    const query = db
      .selectFrom('trades')
      .select('size')
      .where('settles', '>=', '2024-03-08')
      .where('settles', 'in', ['2024-03-08', '2024-03-11'])
      .where((eb) => eb.between('settles', '2024-01-01', '2024-12-31'))
      .where((eb) => eb(eb.val('2024-02-29'), '<', eb.ref('settles')))
    expect(text(query)).toBe(
      `select "size" from "market"."trades" as "trades" where "settles" >= DATE '2024-03-08' ` +
        `and "settles" in (DATE '2024-03-08', DATE '2024-03-11') ` +
        `and "settles" between DATE '2024-01-01' and DATE '2024-12-31' and DATE '2024-02-29' < "settles"`,
    )
    expect(() =>
      db.selectFrom('trades').select('size').where('settles', '=', '2024-02-30').compile(),
    ).toThrow(/"2024-02-30" stands beside a date and is none/)
  })

  test('has dates beside dates in CASE and coalesce', () => {
    const query = db
      .selectFrom('trades')
      .select((eb) => [
        eb.case('settles').when('2024-03-08').then(1).else(2).end().as('n'),
        eb.case().when('open', '=', true).then('2024-03-08').else(eb.ref('settles')).end().as('day'),
        eb.fn
          .coalesce(eb.fn<string | null>('nullif', ['settles', eb.val('2024-03-11')]), eb.val('2024-03-08'))
          .as('c'),
        eb.fn.coalesce('settles', eb.val('2024-03-08')).as('d'),
      ])
    expect(text(query)).toBe(
      `select case "settles" when DATE '2024-03-08' then 1 else 2 end as "n", ` +
        `case when "open" = true then DATE '2024-03-08' else "settles" end as "day", ` +
        `coalesce(nullif("settles", DATE '2024-03-11'), DATE '2024-03-08') as "c", ` +
        `coalesce("settles", DATE '2024-03-08') as "d" from "market"."trades" as "trades"`,
    )
  })

  test('puts an operation within another in parentheses, whatever the signs would bind', () => {
    const query = db
      .selectFrom('trades')
      .select((eb) => [
        eb(eb('lots', '+', 1), '*', 2).as('a'),
        eb.neg(eb.neg(eb('lots', '-', 1))).as('b'),
        eb(sql<number>`lots + 1`, '*', 2).as('c'),
        eb(eb('lots', '>', 1), 'is distinct from', eb.not('open')).as('d'),
      ])
    expect(text(query)).toBe(
      'select ("lots" + 1) * 2 as "a", -(-("lots" - 1)) as "b", (lots + 1) * 2 as "c", ' +
        '("lots" > 1) is distinct from (not "open") as "d" from "market"."trades" as "trades"',
    )
  })

  test('finds nothing in an empty list, and everything outside it', () => {
    const query = db.selectFrom('trades').select('size').where('symbol', 'in', []).where('size', 'not in', [])
    expect(text(query)).toBe('select "size" from "market"."trades" as "trades" where false and true')
  })

  test('compares a decimal with decimals and whole numbers; one that is rounded is refused', () => {
    const from = db.selectFrom('trades').select('size')
    const compare = (value: unknown) => from.where('price', '>', value as Decimal)
    expect(compare(5).compile().parameters).toEqual([5])
    expect(compare(2n ** 70n).compile().parameters).toEqual([2n ** 70n])
    const refused = [
      compare(1.5),
      compare(Number.NaN),
      from.where('price', 'in', [Decimal.parse('1'), 1.5 as never]),
      from.where((eb) => eb.between('price', Decimal.parse('1'), 1e300 as never)),
      from.where((eb) => eb(eb.val(0.1), '<', eb.ref('price') as never)),
      from.select((eb) => eb('price', '*', 1.5 as never).as('more')),
    ]
    for (const query of refused) {
      expect(() => query.compile()).toThrow(ConfigurationError)
      expect(() => query.compile()).toThrow(/stands beside a decimal, .* write Decimal\.parse\('/)
    }
  })

  test('answers a subquery under its own name, not that of its column', () => {
    const { outputs } = db
      .selectNoFrom((eb) =>
        eb
          .selectFrom('trades')
          .select((inner) => max(inner, 'price').as('m'))
          .as('bid'),
      )
      .compile() as AthenaCompiledQuery
    expect(outputs).toEqual([
      { name: 'bid', type: { kind: 'decimal', precision: 18, scale: 4 }, nullable: true },
    ])
  })

  test('unites queries as they are put together', () => {
    const code = db.selectFrom('venues').select('code')
    const written = 'select "code" from "reference"."venues" as "venues"'
    expect(text(code.unionAll(code.orderBy('code').limit(1)))).toBe(
      `${written} union all (${written} order by "code" limit 1)`,
    )
    expect(text(code.except(code.unionAll(code)))).toBe(`${written} except (${written} union all ${written})`)
  })

  test('takes a table that text names from the common table expressions first', () => {
    const query = db
      .with('venues', (qb) => qb.selectFrom('trades').select('venue as code'))
      .selectFrom('venues')
      .select(sql<bigint>`(SELECT count(*) FROM ${sql.table('venues')})`.as('n'))
    expect(text(query)).toContain('(SELECT count(*) FROM "venues") as "n" from "venues"')
  })

  test('compares dates through aliases, subqueries and common table expressions', () => {
    const query = db
      .with('last', (qb) => qb.selectFrom('trades').select((eb) => eb.fn.max('settles').as('day')))
      .selectFrom('last as l')
      .innerJoin(
        (eb) => eb.selectFrom('trades').select('settles as s').as('x'),
        (join) => join.onTrue(),
      )
      .select('l.day')
      .where('l.day', '>', '2024-01-01')
      .where('x.s', '<', '2025-01-01')
    expect(text(query)).toContain(`where "l"."day" > DATE '2024-01-01' and "x"."s" < DATE '2025-01-01'`)
  })

  test('tests booleans by IS DISTINCT FROM, as there is no IS TRUE', () => {
    const query = db
      .selectFrom('trades')
      .select('size')
      .where('open', 'is', true)
      .where('venue', 'is not', null)
    expect(text(query)).toContain('where "open" is not distinct from true and "venue" is not NULL')
  })

  test('writes * out, with nested columns as JSON', () => {
    expect(text(db.selectFrom('venues').selectAll())).toBe(
      'select "venues"."code", "venues"."name" from "reference"."venues" as "venues"',
    )
    expect(text(db.selectFrom('trades as t').selectAll('t'))).toContain(
      'json_format(CAST("t"."fees" AS json)) as "fees", "t"."trade_date", "t"."ticker"',
    )
    expect(
      text(db.selectFrom((eb) => eb.selectFrom('trades').select('fees').as('x')).select('x.fees as f')),
    ).toBe(
      'select json_format(CAST("x"."fees" AS json)) as "f" from (select "fees" from "market"."trades" as "trades") as "x"',
    )
  })

  test('takes a market query as a source, with its values where they are', () => {
    const bars = dailyBars(trades, {
      symbol: 'ticker',
      price: 'price',
      size: 'size',
      time: 'ts',
      day: 'trade_date',
      where: fragment`trade_date = ${'2024-03-08'}`,
    })
    const query = athena
      .from(venues, { bars })
      .selectFrom('bars as b')
      .innerJoin('venues', 'venues.code', 'b.symbol')
      .select(['b.symbol', 'b.close'])
      .where('b.volume', '>', 100n)
    expect(text(query)).toMatch(
      /^select "b"\."symbol", "b"\."close" from \(SELECT "ticker" AS symbol.* WHERE \(trade_date = \?\) GROUP BY.*\) as "b" inner join .* where "b"\."volume" > \?$/,
    )
    expect(query.compile().parameters).toEqual(['2024-03-08', 100n])
  })

  test('lets no value leave its literal, wherever it stands', () => {
    const hostile = `' OR 1=1 -- ? " \\`
    const query = db
      .selectFrom('venues')
      .select((eb) => [
        eb.val(hostile).as('v'),
        sql<string>`lower(${hostile})`.as('w'),
        sql.lit(hostile).as('x'),
      ])
      .where('code', '=', hostile)
    const literal = `'' OR 1=1 -- ? " \\`
    expect(query.compile().sql.split(`'${literal}'`)).toHaveLength(4)
    expect(query.compile().parameters).toEqual([hostile])
  })

  test('selects aggregates and expressions with stated types', () => {
    const query = db
      .selectFrom('trades')
      .select((eb) => [
        sum(eb, 'price').as('total'),
        min(eb, 'ts')
          .over((o) => o.partitionBy('venue'))
          .as('m'),
      ])
      .select(stated(sql`approx_percentile(weight, ${0.5})`, t.double()).as('median'))
    expect(text(query)).toBe(
      'select sum("price") as "total", min("ts") over(partition by "venue") as "m", (approx_percentile(weight, 0.5E0)) as "median" from "market"."trades" as "trades"',
    )
  })
})

describe('what Athena lacks', () => {
  const from = () => db.selectFrom('venues').select('code')
  const cases: Readonly<Record<string, readonly [() => unknown, string]>> = {
    'DISTINCT ON': [() => from().distinctOn('code').compile(), 'Athena has no DISTINCT ON: number the rows'],
    ILIKE: [
      () => from().where('code', 'ilike', 'n%').compile(),
      'Athena has no operator ilike: compare lower(column)',
    ],
    'FOR UPDATE': [() => from().forUpdate().compile(), 'Athena has no row locks (ForUpdate)'],
    FETCH: [() => from().fetch(5).compile(), 'Athena has no FETCH: use limit()'],
    TOP: [() => from().top(5).compile(), 'Athena has no TOP: use limit()'],
    'JSON arrows': [
      () =>
        from()
          .select((eb) =>
            eb
              .ref('name', '->' as never)
              .key('x' as never)
              .as('x'),
          )
          .compile(),
      'Athena has no -> and ->> for JSON',
    ],
    COLLATE: [
      () =>
        from()
          .orderBy('code', (ob) => ob.collate('nocase'))
          .compile(),
      'Athena has no COLLATE',
    ],
    'a limit that is no number': [
      () => from().limit(sql<number>`1 + 1`).compile(),
      'LIMIT is a whole number from 0 on; Athena takes no expression there',
    ],
    'a negative limit': [() => from().limit(-1).compile(), 'LIMIT is a whole number from 0 on'],
    'a function that Trino lacks': [
      () =>
        from()
          .select((eb) => eb.fn.jsonAgg('venues').as('x'))
          .compile(),
      'Athena has no function json_agg: use stated() with array_agg()',
    ],
    'a type that Trino lacks': [
      () =>
        from()
          .select((eb) => eb.cast('code', 'text').as('x'))
          .compile(),
      'Athena has no type text: write varchar',
    ],
    'JSON of a map by dates': [
      () => db.selectNoFrom(stated(sql`m`, t.map(t.date(), t.int64())).as('m')).compile(),
      "Athena has no JSON of maps by dates, which is how 'm' would be read",
    ],
    'the rows of one table counted': [
      () =>
        from()
          .select((eb) => eb.fn.countAll('venues').as('n'))
          .compile(),
      'Athena has no count of the rows of one table: count one of its columns that is never NULL',
    ],
    'two columns of a name': [
      () =>
        db
          .selectFrom('trades as a')
          .innerJoin('trades as b', 'a.symbol', 'b.symbol')
          .select(['a.size', 'b.size'])
          .compile(),
      "The query answers 'size' twice",
    ],
  }
  test.each(Object.entries(cases))('%s is refused', (_, [build, message]) => {
    expect(build).toThrow(ConfigurationError)
    expect(build).toThrow(message)
  })

  test('what writes is refused where types do not see it', async () => {
    const queries = db.with('x', (qb) => qb.selectFrom('venues').select('code'))
    expect(() => queries.insertInto('venues').values({ code: 'a', name: 'b' }).compile()).toThrow(/INSERT/)
    expect(() => queries.updateTable('venues').set({ code: 'a' }).compile()).toThrow(/UPDATE/)
    expect(() => queries.deleteFrom('venues').compile()).toThrow(/DELETE/)
    expect(() =>
      queries.mergeInto('venues').using('x', 'x.code', 'venues.code').whenMatched().thenDelete().compile(),
    ).toThrow(/MERGE/)
  })
})
