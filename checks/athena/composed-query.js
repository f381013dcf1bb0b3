import { tradeColumns } from './golden-columns.js'
import { RandomExpression } from './random-expression.js'

const days = ["'2024-03-08'", "'2024-03-09'", "'2024-03-10'"]
const zones = ['America/New_York', 'Asia/Tokyo', 'Europe/London', '+05:30', 'UTC']
const letters = ['a', 'b', 'c']

/** Queries of several parts: named queries, joins by USING, correlated subqueries, windows over groups, set operations. */
export class ComposedQuery {
  #random
  #trades

  constructor(random) {
    this.#random = random
    this.#trades = new RandomExpression(random, tradeColumns('t.'))
  }

  query() {
    return this.#random.pick([
      () => this.#namedQueries(),
      () => this.#using(),
      () => this.#correlated(),
      () => this.#windowsOverGroups(),
      () => this.#namedWindows(),
      () => this.#sets(),
      () => this.#zones(),
      () => this.#intervals(),
      () => this.#guards(),
      () => this.#unnestedRows(),
      () => this.#outerJoins(),
      () => this.#groupsOfJoin(),
    ])()
  }

  #pick(...choices) {
    return this.#random.pick(choices)
  }

  #below(limit) {
    return this.#random.below(limit)
  }

  /** Conditions on partition keys reach through named queries; both readers of one see what each asked for. */
  #namedQueries() {
    const day = () => this.#random.pick(days)
    const first = `daily AS (SELECT dt, symbol, sum(size) AS volume, count(*) AS n FROM trades${this.#pick('', ' WHERE size > 20', ` WHERE dt <> ${day()}`)} GROUP BY dt, symbol)`
    const condition = () =>
      this.#pick(
        `dt = ${day()}`,
        `dt >= ${day()}`,
        `dt IN (${day()}, ${day()})`,
        `symbol <> 'MSFT'`,
        `n > ${this.#below(5)}`,
      )
    const rest = this.#pick(
      `SELECT dt, symbol, volume FROM daily WHERE ${condition()}`,
      `SELECT a.dt, a.symbol, b.volume - a.volume FROM daily a ${this.#pick('JOIN', 'LEFT JOIN')} daily b ON a.symbol = b.symbol AND b.${condition()} WHERE a.${condition()}`,
      `SELECT dt, sum(volume) FROM (SELECT * FROM daily WHERE ${condition()}) x WHERE ${condition()} GROUP BY dt`,
      `SELECT (SELECT sum(volume) FROM daily WHERE ${condition()}), (SELECT max(n) FROM daily WHERE ${condition()})`,
      `SELECT symbol, volume, rank() OVER (PARTITION BY dt ORDER BY volume DESC, symbol) FROM daily WHERE ${condition()}`,
      `SELECT dt FROM daily WHERE ${condition()} EXCEPT SELECT dt FROM daily WHERE ${condition()}`,
    )
    const second = this.#random.chance(0.3) ? `, daily2 AS (SELECT * FROM daily WHERE ${condition()})` : ''
    return `WITH ${first}${second} ${second === '' ? rest : rest.replace('FROM daily', 'FROM daily2')}`
  }

  #side(name, columns) {
    const rows = Array.from(
      { length: 2 + this.#below(4) },
      () =>
        `(${this.#pick('1', '2', '3', 'null')}, ${columns.map(() => this.#pick('10', '20', 'null', `'${this.#random.pick(letters)}'`).replace(/^'.*'$/, '30')).join(', ')})`,
    )
    return `(VALUES (1, ${columns.map(() => '5').join(', ')}), ${rows.join(', ')}) ${name}(k, ${columns.join(', ')})`
  }

  #using() {
    const kind = this.#pick('JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN')
    const from = `${this.#side('a', ['x', 'y'])} ${kind} ${this.#side('b', ['z'])} USING (k)`
    const more = this.#random.chance(0.3)
      ? ` ${this.#pick('JOIN', 'LEFT JOIN')} ${this.#side('c', ['w'])} USING (k)`
      : ''
    return this.#pick(
      `SELECT * FROM ${from}${more}`,
      `SELECT k, x, z FROM ${from} WHERE ${this.#pick('k > 1', 'x IS NULL', 'z > 5 OR x > 5', 'coalesce(y, 0) < 20')}`,
      `SELECT k, count(*), sum(x), max(z) FROM ${from} GROUP BY k`,
      `SELECT DISTINCT a.x, b.* FROM ${from}`,
    )
  }

  #correlated() {
    const aggregate = this.#pick(
      'max(q.bid)',
      'min(q.ask)',
      'count(*)',
      'count(q.bid)',
      'coalesce(max(q.ask), 0)',
    )
    const match = `q.symbol = t.symbol${this.#pick('', " AND q.ts >= timestamp '2024-03-09 00:00:00'", ' AND q.bid > 200')}`
    const scalar = `(SELECT ${aggregate} FROM quotes q WHERE ${match})`
    const condition = this.#pick(
      `t.price > (SELECT avg(u.price) FROM trades u WHERE u.symbol = t.symbol AND not is_nan(u.price))`,
      `${this.#pick('', 'NOT ')}EXISTS (SELECT 1 FROM quotes q WHERE ${match})`,
      `t.size ${this.#pick('', 'NOT ')}IN (SELECT u.size + ${this.#below(3)} FROM trades u WHERE u.side = 'B')`,
      `t.id = (SELECT max(u.id) FROM trades u WHERE u.symbol = t.symbol AND u.dt = t.dt)`,
    )
    if (this.#random.chance(0.3))
      return `SELECT t.symbol, ${scalar}, sum(t.size) FROM trades t GROUP BY t.symbol${this.#pick('', ` HAVING sum(t.size) > ${scalar.replace(aggregate, 'count(*)')}`)}`
    return `SELECT t.id, ${scalar} AS s FROM trades t WHERE ${condition}`
  }

  #windowsOverGroups() {
    const order = this.#pick('sum(size) DESC, symbol', 'symbol', 'count(*), symbol')
    const call = this.#pick(
      `rank() OVER (ORDER BY ${order})`,
      `sum(sum(size)) OVER (ORDER BY ${order})`,
      `sum(size) * 100 / sum(sum(size)) OVER ()`,
      `lag(sum(px)) OVER (ORDER BY ${order})`,
      `max(count(*)) OVER (PARTITION BY length(symbol))`,
    )
    return `SELECT symbol, ${call}, avg(px) FROM trades${this.#pick('', " WHERE side = 'S'")} GROUP BY symbol ORDER BY 2, 1`
  }

  #namedWindows() {
    const frame = this.#pick(
      '',
      ' ROWS 2 PRECEDING',
      ' ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING',
      ' GROUPS CURRENT ROW',
    )
    return `SELECT id, sum(size) OVER v, ${this.#pick('first_value(px)', 'count(*)', 'max(side)')} OVER (v${frame}), row_number() OVER v FROM trades WINDOW w AS (${this.#pick('PARTITION BY symbol', 'PARTITION BY side, dt', '')}), v AS (w ORDER BY id${this.#pick('', ' DESC')}) ORDER BY id`
  }

  #sets() {
    const side = () =>
      this.#pick(
        `SELECT symbol, size % ${2 + this.#below(3)} FROM trades WHERE dt = ${this.#random.pick(days)}`,
        `SELECT side, id % 4 FROM trades`,
        `(SELECT symbol, min(size) FROM trades GROUP BY symbol ORDER BY symbol LIMIT 2)`,
        `VALUES ('AAPL', 1), (null, 2), ('AAPL', 1)`,
        `SELECT DISTINCT symbol, 1 FROM quotes`,
      )
    const operator = () =>
      this.#pick('UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT', 'INTERSECT ALL', 'EXCEPT ALL')
    return this.#pick(
      `${side()} ${operator()} ${side()} ${operator()} ${side()}`,
      `(${side()} ${operator()} ${side()}) ${operator()} ${side()} ORDER BY 1, 2 LIMIT 7`,
      `SELECT s, count(*), sum(n) FROM (${side()} ${operator()} ${side()}) x(s, n) GROUP BY s`,
    )
  }

  #zones() {
    const zone = this.#random.pick(zones)
    const moment = this.#pick(
      't.ts',
      `t.ts + interval '${this.#below(60)}' day`,
      "timestamp '2024-11-03 05:30:00' + interval '1' hour * (t.id % 4)",
    )
    const zoned = `((${moment}) AT TIME ZONE '${zone}')`
    const item = this.#pick(
      zoned,
      `hour${zoned}`,
      `date_trunc('${this.#pick('hour', 'day', 'week', 'month')}', ${zoned})`,
      `cast(${zoned} as date)`,
      `cast(${zoned} as timestamp)`,
      `day_of_week${zoned}`,
      `format_datetime(${zoned}, 'yyyy-MM-dd HH:mm')`,
      `${zoned} + interval '${1 + this.#below(30)}' hour`,
      `${zoned} > timestamp '2024-03-09 12:00:00 Asia/Tokyo'`,
      `to_unixtime${zoned}`,
      `date_diff('minute', timestamp '2024-03-08 00:00:00 UTC', ${zoned})`,
    )
    if (this.#random.chance(0.4)) return `SELECT ${item} AS v, count(*) FROM trades t GROUP BY ${item}`
    return `SELECT t.id, ${item} FROM trades t WHERE t.id <= 40 ORDER BY ${this.#pick('1', '2, 1')}`
  }

  #intervals() {
    const interval = `interval '${1 + this.#below(40)}' ${this.#pick('day', 'hour', 'minute', 'second')}`
    const months = `interval '${1 + this.#below(30)}' ${this.#pick('month', 'year')}`
    const item = this.#pick(
      `t.ts ${this.#pick('+', '-')} ${interval}`,
      `date(t.ts) ${this.#pick('+', '-')} ${months}`,
      `t.ts ${this.#pick('+', '-')} ${months}`,
      `max(t.ts) OVER (PARTITION BY t.symbol) - t.ts`,
      `(t.ts - timestamp '2024-03-08 12:00:00') > ${interval}`,
      `${interval} * (t.id % 5)`,
      `${months} - interval '7' month`,
      `date '2024-01-31' + interval '1' month * cast(t.id % 14 as integer)`,
      `sequence(date(t.ts), date(t.ts) + interval '2' month, interval '1' month)`,
    )
    return `SELECT t.id, ${item} FROM trades t WHERE t.id <= ${20 + this.#below(60)}`
  }

  /** What a condition, CASE or COALESCE does not reach must not fail. */
  #guards() {
    const divided = this.#pick(
      '100 / (t.size % 3)',
      't.px / (t.id % 4)',
      'cast(t.side as integer)',
      'element_at(t.tags, cast(t.id % 3 as integer))',
    )
    const safe = divided.includes('size')
      ? 't.size % 3 <> 0'
      : divided.includes('px')
        ? 't.id % 4 <> 0'
        : divided.includes('side')
          ? "t.side NOT IN ('B', 'S')"
          : 't.id % 3 <> 0'
    const test = divided.includes('tags') ? "= 'a'" : '> 5'
    return this.#pick(
      `SELECT t.id, ${safe} AND ${divided} ${test}, NOT (${safe}) OR ${divided} ${test} FROM trades t`,
      `SELECT count(*) FROM trades t WHERE ${safe} AND ${divided} ${test}`,
      `SELECT t.id, CASE WHEN ${safe} THEN ${divided} END, if(${safe}, ${divided}), try(${divided}) FROM trades t`,
      `SELECT t.symbol, count_if(${safe} AND ${divided} ${test}), sum(if(${safe}, t.size)) FROM trades t GROUP BY t.symbol`,
    )
  }

  #unnestedRows() {
    const rows = `ARRAY[ROW(t.symbol, t.size), ROW(t.side, t.id), ${this.#pick('NULL', "ROW('z', 1)")}]`
    return this.#pick(
      `SELECT t.id, a, b FROM trades t CROSS JOIN UNNEST(${rows}) AS u(a, b)`,
      `SELECT t.id, k, v FROM trades t ${this.#pick('CROSS JOIN', 'LEFT JOIN')} UNNEST(t.attrs) AS u(k, v)`.replace(
        /LEFT JOIN (.*)$/,
        'LEFT JOIN $1 ON TRUE',
      ),
      `SELECT t.id, x, y, o FROM trades t CROSS JOIN UNNEST(t.tags, map_keys(t.attrs)) WITH ORDINALITY AS u(x, y, o)`,
      `SELECT k, count(*), max(v) FROM trades t, UNNEST(t.attrs) AS u(k, v) GROUP BY k`,
      `SELECT a, sum(b) FROM trades t CROSS JOIN UNNEST(${rows}) AS u(a, b) GROUP BY ROLLUP (a)`,
    )
  }

  #outerJoins() {
    const kind = () => this.#pick('LEFT JOIN', 'FULL JOIN', 'RIGHT JOIN', 'JOIN')
    const key = this.#pick(
      'a.id % 7 = b.id % 5 AND a.dt = b.dt',
      'a.side = b.side AND b.id < 6',
      'a.id = b.id + 100',
      'a.px < b.px AND b.id < 4',
    )
    const where = this.#pick(
      '',
      " WHERE b.dt = '2024-03-09'",
      ' WHERE b.id IS NULL',
      " WHERE a.dt >= '2024-03-09' OR b.side = 'B'",
      " WHERE coalesce(b.dt, a.dt) <> '2024-03-08'",
    )
    return `SELECT a.id, b.id, a.dt, b.side FROM (SELECT * FROM trades WHERE id < 30) a ${kind()} (SELECT * FROM trades WHERE ${this.#pick('id < 20', "dt <> '2024-03-08' AND id < 60")}) b ON ${key}${where}`
  }

  #groupsOfJoin() {
    const value = this.#trades.of(this.#pick('bigint', 'decimal', 'integer'), 1)
    return `SELECT t.symbol, t.dt, count(*), count(q.bid), max(q.ask), sum(${value}), grouping(t.symbol, t.dt) FROM trades t ${this.#pick('JOIN', 'LEFT JOIN')} quotes q ON q.symbol = t.symbol AND q.ts BETWEEN t.ts - interval '30' minute AND t.ts GROUP BY ${this.#pick('GROUPING SETS ((t.symbol), (t.dt), ())', 'CUBE (t.symbol, t.dt)', 't.symbol, ROLLUP (t.dt)', 't.symbol, t.dt')}`
  }
}
