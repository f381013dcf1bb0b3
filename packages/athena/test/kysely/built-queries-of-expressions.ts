import { Decimal, t } from '@stockpipe/core'
import { sql } from 'kysely'
import { avg, max, min, stated, sum } from '../../src/kysely/index.ts'
import { type Trade, trades } from './built-queries-data.ts'
import { type BuiltQueryCase, byText, grouped, ids, iso, pick } from './built-query-case.ts'

const decimal = Decimal.parse
const total = (rows: readonly Trade[]) =>
  rows.map(({ price }) => price).reduce((left, right) => left.add(right))
const likeIs = (pattern: RegExp) => (trade: Trade) => trade.venue !== null && pattern.test(trade.venue)

/** What stands in predicates, in the SELECT list and in ORDER BY. */
export const queriesOfExpressions: Readonly<Record<string, BuiltQueryCase>> = {
  'decimals compared, in a list and in a range': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select('id')
        .where((eb) =>
          eb.or([
            eb('price', '>', decimal('4000')),
            eb('price', 'in', [decimal('0.2500'), decimal('791.9')]),
            eb.between('price', decimal('1583.8'), decimal('1584.05')),
          ]),
        ),
    expected: ids(
      ({ price }) =>
        price.compare(decimal('4000')) > 0 ||
        price.compare(decimal('0.25')) === 0 ||
        price.compare(decimal('791.9')) === 0 ||
        (price.compare(decimal('1583.8')) >= 0 && price.compare(decimal('1584.05')) <= 0),
    ),
  },
  'whole numbers to the last digit': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select('id')
        .where((eb) =>
          eb.or([
            eb('size', '=', 9_223_372_036_854_775_807n),
            eb('size', 'in', [100n, 300n]),
            eb('lots', '=', -3),
            eb('nanos', '=', trades[7]!.nanos as never),
          ]),
        ),
    expected: ids(
      ({ id, size, lots }) =>
        size === 9_223_372_036_854_775_807n || [100n, 300n].includes(size) || lots === -3 || id === 7n,
    ),
  },
  'not in a list': {
    build: (db) => db.selectFrom('trades').select('id').where('size', 'not in', [100n, 300n, 500n]),
    expected: ids(({ size }) => ![100n, 300n, 500n].includes(size)),
  },
  'in and not in an empty list': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select((eb) => ['id', eb('symbol', 'in', []).as('is_in'), eb('id', 'not in', []).as('is_not')])
        .where((eb) => eb.or([eb('symbol', 'in', []), eb('price', 'not in', [])]))
        .where('id', '<', 3n),
    expected: ids(({ id }) => id < 3n).map((row) => ({ ...row, is_in: false, is_not: true })),
  },
  'dates compared, in a list, in a range and by CASE': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select((eb) => [
          'id',
          'settles',
          eb.case().when('settles', '<', '2024-03-10').then('before').else('after').end().as('when'),
          eb.case('settles').when('2024-03-11').then(1).when('2024-11-03').then(2).end().as('which'),
        ])
        .where((eb) =>
          eb.or([
            eb('settles', '=', '2024-03-08'),
            eb('settles', 'in', ['2024-03-11', '2024-11-03']),
            eb.between('settles', '2024-11-05', '2024-11-06'),
            eb(eb.val('2024-03-09'), '=', eb.ref('settles')),
          ]),
        ),
    expected: trades
      .filter(({ settles }) =>
        ['2024-03-08', '2024-03-09', '2024-03-11', '2024-11-03', '2024-11-05', '2024-11-06'].includes(
          settles,
        ),
      )
      .map(({ id, settles }) => ({
        ...{ id, settles, when: settles < '2024-03-10' ? 'before' : 'after' },
        which: settles === '2024-03-11' ? 1 : settles === '2024-11-03' ? 2 : null,
      })),
  },
  'instants of milliseconds, reversed operands and ranges': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select('id')
        .where((eb) => eb(eb.val(iso('2024-03-08T04:59:59.999Z')), '<=', eb.ref('ts')))
        .where((eb) => eb.not(eb.between('ts', iso('2024-03-10T05:00:00Z'), iso('2024-11-03T04:00:00Z')))),
    expected: ids(({ ts }) => ts < iso('2024-03-10T05:00:00Z') || ts > iso('2024-11-03T04:00:00Z')),
  },
  'booleans and NULL': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select('id')
        .where((eb) =>
          eb.or([
            eb.and([eb('open', 'is', true), eb('venue', 'is', null)]),
            eb.and([eb('open', 'is not', true), eb('venue', 'is not', null), eb('lots', '>', 1)]),
            eb.and([eb('venue', 'is distinct from', 'XNYS'), eb('lots', '=', 0)]),
          ]),
        ),
    expected: ids(
      ({ open, venue, lots }) =>
        (open && venue === null) || (!open && venue !== null && lots > 1) || (venue !== 'XNYS' && lots === 0),
    ),
  },
  'text by LIKE, with signs that mean something': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select('id')
        .where((eb) =>
          eb.or([
            eb('venue', 'like', 'X%'),
            eb(eb.fn<string>('lower', ['venue']), 'like', '%n_s'),
            eb('venue', '=', '_%'),
          ]),
        ),
    expected: ids((trade) => likeIs(/^X|n.s$|^_%$/i)(trade) || trade.venue === '_%'),
  },
  'text that is no SQL, short and longer than a parameter may be': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select((eb) => ['id', eb.val(`' OR 1=1 -- ? " \\ \n é🐂`).as('said')])
        .where('symbol', 'in', ["it's", 'a b+c%', "' OR 1=1 --", '?', 'x'.repeat(2000)]),
    expected: ids(({ symbol }) => ["it's", 'a b+c%'].includes(symbol)).map((row) => ({
      ...row,
      said: `' OR 1=1 -- ? " \\ \n é🐂`,
    })),
  },
  'calculations as they are put together, not as signs bind': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select((eb) => [
          'id',
          eb(eb('lots', '+', 1), '*', 2).as('product'),
          eb('lots', '-', eb('lots', '-', eb.lit(1))).as('one'),
          eb(eb('size', '%', 7n), '-', -1n).as('rest'),
          eb.neg(eb('lots', '+', 1)).as('negative'),
          eb(eb('lots', '>', 0), '=', eb('lots', '<=', 0)).as('never'),
          eb(sql<number>`lots + 1`, '*', 3).as('own'),
          eb('price', '*', decimal('0.01')).as('part'),
        ])
        .where('size', '<', 10_000n),
    expected: trades
      .filter(({ size }) => size < 10_000n)
      .map(({ id, lots, size, price }) => ({
        ...{ id, product: (lots + 1) * 2, one: 1, rest: (size % 7n) + 1n, negative: 0 - (lots + 1) },
        ...{ never: false, own: (lots + 1) * 3, part: price.multiply(decimal('0.01')) },
      })),
  },
  'aggregates, with HAVING and FILTER': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select((eb) => [
          'symbol',
          sum(eb, 'price').as('total'),
          sum(eb, 'lots').as('lots'),
          min(eb, 'settles').as('first'),
          max(eb, 'ts').as('last'),
          avg(eb, 'weight').as('weight'),
          eb.fn.count<bigint>('venue').distinct().as('venues'),
          eb.fn.countAll<bigint>().filterWhere('price', '>', decimal('1000')).as('dear'),
          eb.fn.sum('price').as('text'),
        ])
        .groupBy('symbol')
        .having((eb) => eb.fn.countAll<bigint>(), '>', 4n)
        .having((eb) => eb.fn.max('settles'), '>=', '2024-11-04'),
    expected: grouped(({ symbol }) => symbol)
      .filter(([, rows]) => rows.length > 4 && rows.some(({ settles }) => settles >= '2024-11-04'))
      .map(([symbol, rows]) => ({
        symbol,
        total: total(rows),
        lots: rows.reduce((all, { lots }) => all + lots, 0),
        first: rows.map(({ settles }) => settles).sort()[0],
        last: new Date(Math.max(...rows.map(({ ts }) => ts.getTime()))),
        weight: rows.reduce((all, { weight }) => all + weight, 0) / rows.length,
        venues: BigInt(new Set(rows.flatMap(({ venue }) => venue ?? [])).size),
        dear: BigInt(rows.filter(({ price }) => price.compare(decimal('1000')) > 0).length),
        text: total(rows).toString(),
      })),
  },
  'groups of an expression with a value': {
    build: (db) => {
      const hour = sql<Date>`date_trunc(${'hour'}, ts)`
      return db
        .selectFrom('trades')
        .select((eb) => [hour.as('hour'), eb.fn.countAll<bigint>().as('n')])
        .groupBy(hour)
        .orderBy('hour')
    },
    expected: grouped(({ ts }) => ts.toISOString().slice(0, 13))
      .sort(([left], [right]) => byText(left, right))
      .map(([hour, rows]) => ({ hour: iso(`${hour}:00:00Z`), n: BigInt(rows.length) })),
    ordered: true,
  },
  'window functions': {
    build: (db) =>
      db.selectFrom('trades').select((eb) => [
        'id',
        eb.fn
          .agg<bigint>('row_number')
          .over((over) => over.partitionBy('symbol').orderBy('id', 'desc'))
          .as('place'),
        eb.fn
          .agg<Decimal | null>('lag', ['price'])
          .over((over) => over.partitionBy('symbol').orderBy('id'))
          .as('before'),
        sum(eb, 'price')
          .over((over) => over.partitionBy('symbol').orderBy('id'))
          .as('running'),
        eb.fn
          .agg<number>('rank')
          .over((over) => over.orderBy('lots'))
          .as('rank'),
      ]),
    expected: grouped(({ symbol }) => symbol).flatMap(([, rows]) =>
      rows.map(({ id, lots }, index) => ({
        id,
        place: BigInt(rows.length - index),
        before: rows[index - 1]?.price ?? null,
        running: total(rows.slice(0, index + 1)),
        rank: BigInt(1 + trades.filter((other) => other.lots < lots).length),
      })),
    ),
  },
  'an order with NULL first, and by an expression': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select(['id', 'venue'])
        .orderBy('venue', (order) => order.desc().nullsFirst())
        .orderBy((eb) => eb.neg(eb.ref('lots')))
        .orderBy('id'),
    expected: pick(
      [...trades].sort(
        (left, right) =>
          (left.venue === null ? 0 : 1) - (right.venue === null ? 0 : 1) ||
          byText(right.venue ?? '', left.venue ?? '') ||
          right.lots - left.lots ||
          Number(left.id - right.id),
      ),
      'id',
      'venue',
    ),
    ordered: true,
  },
  DISTINCT: {
    build: (db) => db.selectFrom('trades').select(['symbol', 'open']).distinct(),
    expected: grouped(({ symbol, open }) => `${symbol}|${open}`).map(([, [first]]) => ({
      symbol: first!.symbol,
      open: first!.open,
    })),
  },
  'CASE, coalesce and ||': {
    build: (db) =>
      db.selectFrom('trades').select((eb) => [
        'id',
        eb
          .case()
          .when('venue', 'is', null)
          .then('none')
          .when(eb.and([eb('venue', '=', 'XNYS'), eb('open', '=', true)]))
          .then("it's")
          .else('other')
          .end()
          .as('kind'),
        eb.fn.coalesce('venue', eb.val('?')).as('place'),
        eb.fn
          .coalesce(eb.fn<string | null>('nullif', ['settles', eb.val('2024-03-08')]), eb.val('1999-12-31'))
          .as('day'),
        eb.case().when('open', '=', true).then('2000-01-01').else(eb.ref('settles')).end().as('due'),
        eb(eb.ref('symbol'), '||', eb.val<string>('-')).as('dashed'),
      ]),
    expected: trades.map(({ id, venue, open, symbol, settles }) => ({
      id,
      kind: venue === null ? 'none' : venue === 'XNYS' && open ? "it's" : 'other',
      place: venue ?? '?',
      day: settles === '2024-03-08' ? '1999-12-31' : settles,
      due: open ? '2000-01-01' : settles,
      dashed: `${symbol}-`,
    })),
  },
  'values of every kind in the SELECT list': {
    build: (db) =>
      db.selectNoFrom((eb) => [
        eb.val("'\\").as('text'),
        eb.val(-5).as('whole'),
        eb.val(1.5e-7).as('small'),
        eb.val(1e300).as('large'),
        eb.val(-(2n ** 63n)).as('big'),
        eb.val(decimal('-99999999999999999999999999999999999.999')).as('exact'),
        eb.val(decimal('0.001')).as('fraction'),
        eb.val(new Date('0001-01-01T00:00:00.001Z')).as('time'),
        eb.val(Uint8Array.of(0, 255)).as('bytes'),
        eb.val(false).as('no'),
        eb.val(Number.NEGATIVE_INFINITY).as('least'),
        eb.val(null).as('nothing'),
      ]),
    expected: [
      {
        ...{ text: "'\\", whole: -5, small: 1.5e-7, large: 1e300, big: -(2n ** 63n) },
        ...{ exact: decimal('-99999999999999999999999999999999999.999'), fraction: decimal('0.001') },
        ...{ time: new Date('0001-01-01T00:00:00.001Z'), bytes: Uint8Array.of(0, 255), no: false },
        ...{ least: Number.NEGATIVE_INFINITY, nothing: null },
      },
    ],
  },
  'JSON and nested values by functions': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select([
          'id',
          sql<string>`json_extract_scalar(document, ${'$.by.name'})`.as('name'),
          stated(sql`element_at(fees, ${'x=1'})`, t.decimal(10, 2).nullable()).as('fee'),
          sql<Date>`leg.at`.as('at'),
          stated(sql`slice(tags, 1, 1)`, t.list(t.string())).as('tags'),
        ]),
    expected: trades.map(({ id, symbol, fees, leg, tags }) => ({
      id,
      name: `'${symbol}"`,
      fee: fees.get('x=1'),
      at: leg.at,
      tags: tags.slice(0, 1),
    })),
  },
  'expressions whose type is stated': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select([
          stated(sql`histogram(symbol)`, t.map(t.string(), t.int64())).as('symbols'),
          stated(sql`array_agg(price ORDER BY id)`, t.list(t.decimal(18, 4))).as('prices'),
          stated(
            sql`max_by(leg, id)`,
            t.struct({ venue: t.string(), size: t.int64(), at: t.timestamp().nullable() }),
          ).as('leg'),
        ]),
    expected: [
      {
        symbols: new Map(
          grouped(({ symbol }) => symbol).map(([symbol, rows]) => [symbol, BigInt(rows.length)]),
        ),
        prices: trades.map(({ price }) => price),
        leg: trades.at(-1)!.leg,
      },
    ],
  },
  'casts, and types that only the answer tells': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select((eb) => [
          'id',
          eb.cast<number>('price', 'double precision').as('double'),
          eb.cast<Decimal>('weight', 'decimal(10, 2)').as('decimal'),
          eb.cast<string>('id', 'varchar').as('text'),
          eb.cast<number>('lots', 'smallint').as('small'),
          sql<string>`date(ts)`.as('date'),
          sql<string>`CAST(ts AS timestamp(6)) AT TIME ZONE 'UTC'`.as('zoned'),
        ])
        .where('id', '=', 8n),
    expected: trades
      .filter(({ id }) => id === 8n)
      .map(({ id, price, lots, ts }) => ({
        ...{ id, double: price.toNumber(), decimal: decimal('0.00'), text: '8', small: lots },
        date: ts.toISOString().slice(0, 10),
        zoned: `${ts.toISOString().slice(0, -1).replace('T', ' ')}000 UTC`,
      })),
  },
  'tuples in a list, and an object as a filter': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select('id')
        .where((eb) =>
          eb.or([
            eb(eb.refTuple('symbol', 'open'), 'in', [eb.tuple('AAPL', true), eb.tuple("it's", false)]),
            eb.and({ symbol: 'BRK.B', open: true }),
          ]),
        ),
    expected: ids(
      ({ symbol, open }) =>
        (symbol === 'AAPL' && open) || (symbol === "it's" && !open) || (symbol === 'BRK.B' && open),
    ),
  },
  'text of the user’s own with values, beside other predicates': {
    build: (db) =>
      db
        .selectFrom('trades')
        .select('id')
        .where(sql<boolean>`venue IS NULL OR lots > ${1}`)
        .where('symbol', '=', 'AAPL')
        .where((eb) => eb.not(sql<boolean>`open OR lots < ${-2}`)),
    expected: ids(
      ({ venue, lots, symbol, open }) =>
        (venue === null || lots > 1) && symbol === 'AAPL' && !(open || lots < -2),
    ),
  },
}
