import { ComposedQuery } from './composed-query.js'
import { quoteColumns, tradeColumns } from './golden-columns.js'
import { RandomAggregate } from './random-aggregate.js'
import { RandomExpression } from './random-expression.js'
import { RandomWindow } from './random-window.js'

const filters = [
  "dt = '2024-03-09'",
  "dt >= '2024-03-09'",
  'id <= 40',
  "symbol IN ('AAPL', 'MSFT')",
  'price IS NOT NULL',
  'not is_nan(price)',
  'id % 3 = 1',
  "side = 'B'",
]

/**
 * Queries over the golden tables. What is returned in an order is ordered by something unique: Trino does not determine
 * ties, nor rows that LIMIT takes from no order.
 */
export class RandomQuery {
  #random
  #trades
  #quotes
  #aggregates
  #windowCalls
  #composed

  constructor(random) {
    this.#random = random
    this.#trades = new RandomExpression(random, tradeColumns(''))
    this.#quotes = new RandomExpression(random, quoteColumns(''))
    this.#aggregates = new RandomAggregate(random)
    this.#windowCalls = new RandomWindow(random, this.#trades)
    this.#composed = new ComposedQuery(random)
  }

  query() {
    const shapes = [
      [4, () => this.#constants()],
      [5, () => this.#rows()],
      [6, () => this.#groups()],
      [2, () => this.#groupingSets()],
      [3, () => this.#total()],
      [5, () => this.#windows()],
      [3, () => this.#join()],
      [2, () => this.#setOperation()],
      [2, () => this.#unnest()],
      [3, () => this.#subqueries()],
      [2, () => this.#nestedQuery()],
      [2, () => this.#nestedValues()],
      [1, () => this.#values()],
      [6, () => this.#composed.query()],
    ]
    let ticket = this.#random.below(shapes.reduce((sum, [weight]) => sum + weight, 0))
    for (const [weight, shape] of shapes) {
      ticket -= weight
      if (ticket < 0) return shape()
    }
    throw new Error('no shape has this ticket')
  }

  #constants() {
    const expression = new RandomExpression(this.#random, [])
    const items = this.#times(1 + this.#random.below(3), () =>
      this.#random.chance(0.2)
        ? this.#random.pick([() => expression.seldom(2), () => expression.nested(2)])()
        : expression.of(expression.anyType(), 3),
    )
    return `SELECT ${this.#named(items)}`
  }

  #rows() {
    const { table, expression } = this.#source()
    const items = this.#times(1 + this.#random.below(3), () => expression.of(expression.anyType(), 2))
    if (this.#random.chance(0.2)) items.push(expression.seldom(1))
    const distinct = this.#random.chance(0.15) ? 'DISTINCT ' : ''
    return `SELECT ${distinct}${this.#named(items)} FROM ${table}${this.#where(table, expression)}${this.#orderAll(items.length)}`
  }

  #nestedValues() {
    const items = ['id', this.#trades.nested(), this.#trades.nested()]
    const limit = this.#random.chance(0.5) ? ` LIMIT ${1 + this.#random.below(30)}` : ''
    return `SELECT ${this.#named(items)} FROM trades${this.#where('trades', this.#trades)} ORDER BY id${limit}`
  }

  #groups() {
    const { table, expression } = this.#source()
    const keys = this.#aggregates.keys(table, 1 + this.#random.below(2))
    const aggregates = this.#times(1 + this.#random.below(3), () => this.#aggregates.of(table, expression))
    const by = this.#random.chance(0.5) ? keys.map((_, index) => index + 1) : keys
    const having = this.#random.chance(0.25)
      ? ` HAVING ${this.#random.pick(['count(*) > 5', 'count(*) % 2 = 0', `max(${expression.column('timestamp')}) > timestamp '2024-03-09 00:00:00'`])}`
      : ''
    const order = this.#random.chance(0.5) ? this.#orderAll(keys.length) : ''
    return `SELECT ${this.#named([...keys, ...aggregates])} FROM ${table}${this.#where(table, expression)} GROUP BY ${by.join(', ')}${having}${order}`
  }

  #groupingSets() {
    const keys = this.#random.pick([
      ['symbol', 'side'],
      ['dt', 'side'],
      ['symbol', 'dt'],
    ])
    const by = this.#random.pick([
      `ROLLUP (${keys.join(', ')})`,
      `CUBE (${keys.join(', ')})`,
      `GROUPING SETS ((${keys[0]}), (${keys[1]}), ())`,
      `GROUPING SETS ((${keys.join(', ')}), (${keys[1]}))`,
    ])
    const aggregate = this.#aggregates.of('trades', this.#trades)
    return `SELECT ${this.#named([...keys, `grouping(${keys.join(', ')})`, aggregate])} FROM trades GROUP BY ${by}`
  }

  #total() {
    const { table, expression } = this.#source()
    const aggregates = this.#times(1 + this.#random.below(4), () => this.#aggregates.of(table, expression))
    return `SELECT ${this.#named(aggregates)} FROM ${table}${this.#where(table, expression)}`
  }

  #windows() {
    const items = this.#times(1 + this.#random.below(3), () => this.#windowCalls.call())
    const where = this.#random.chance(0.5) ? ` WHERE ${this.#random.pick(filters)}` : ''
    const limit = this.#random.chance(0.4) ? ` LIMIT ${1 + this.#random.below(40)}` : ''
    return `SELECT id, ${this.#named(items, 1)} FROM trades${where} ORDER BY id${limit}`
  }

  #join() {
    const trades = new RandomExpression(this.#random, tradeColumns('t.'))
    const quotes = `(SELECT symbol, count(*) AS n, max(bid) AS bid, min(ask) AS ask, ${this.#random.pick(['min', 'max'])}(ts) AS last FROM quotes${this.#random.pick([" WHERE symbol <> 'AAPL'", ''])} GROUP BY symbol) q`
    const both = new RandomExpression(this.#random, [
      ...tradeColumns('t.'),
      ['q.n', 'bigint'],
      ['q.bid', 'double'],
      ['q.ask', 'double'],
      ['q.last', 'timestamp'],
    ])
    const kind = this.#random.pick(['JOIN', 'LEFT JOIN', 'INNER JOIN', 'FULL JOIN', 'RIGHT JOIN'])
    const extra = this.#random.pick(['', ' AND t.price > q.bid', " AND t.side = 'B'", ' AND t.ts < q.last'])
    if (this.#random.chance(0.3)) {
      const self = `SELECT ${this.#named(['a.id', 'b.id', 'b.size - a.size'])} FROM trades a ${this.#random.pick(['JOIN', 'LEFT JOIN'])} trades b ON a.symbol = b.symbol AND b.id = a.id + ${1 + this.#random.below(5)}`
      return `${self} WHERE a.id <= ${10 + this.#random.below(60)}${this.#orderAll(3)}`
    }
    const on = `ON t.symbol = q.symbol${extra}`
    if (this.#random.chance(0.4)) {
      const aggregates = this.#times(2, () => this.#aggregates.of('trades', trades, 't.'))
      return `SELECT ${this.#named(['q.symbol', ...aggregates])} FROM trades t ${kind} ${quotes} ${on} GROUP BY q.symbol`
    }
    const items = ['t.id', ...this.#times(2, () => both.of(both.anyType(), 2))]
    return `SELECT ${this.#named(items)} FROM trades t ${kind} ${quotes} ${on}${this.#orderAll(items.length)}`
  }

  #setOperation() {
    const types = this.#times(1 + this.#random.below(2), () =>
      this.#random.pick(['bigint', 'varchar', 'decimal', 'date', 'integer', 'double']),
    )
    const side = () => {
      const { table, expression } = this.#source()
      const items = types.map((type) => expression.of(type, 1))
      return `SELECT ${this.#named(items)} FROM ${table}${this.#where(table, expression)}`
    }
    const operation = this.#random.pick(['UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT'])
    const more = this.#random.chance(0.2) ? ` ${this.#random.pick(['UNION ALL', 'EXCEPT'])} ${side()}` : ''
    return `${side()} ${operation} ${side()}${more}${this.#orderAll(types.length)}`
  }

  #unnest() {
    const expression = new RandomExpression(this.#random, [...tradeColumns('t.'), ['tag', 'varchar']])
    const isOrdinal = this.#random.chance(0.4)
    const from = isOrdinal
      ? 'trades t CROSS JOIN UNNEST(t.tags) WITH ORDINALITY AS u(tag, o)'
      : this.#random.pick([
          'trades t CROSS JOIN UNNEST(t.tags) AS u(tag)',
          'trades t LEFT JOIN UNNEST(t.tags) AS u(tag) ON true',
          'trades t, UNNEST(t.tags) AS u(tag)',
        ])
    if (this.#random.chance(0.4)) {
      const aggregates = this.#times(2, () => this.#aggregates.of('trades', expression, 't.'))
      return `SELECT ${this.#named(['tag', ...aggregates])} FROM ${from} GROUP BY tag`
    }
    const items = ['t.id', 'tag', ...(isOrdinal ? ['o'] : []), expression.of(expression.anyType(), 1)]
    return `SELECT ${this.#named(items)} FROM ${from}${this.#orderAll(items.length)}`
  }

  #subqueries() {
    const { of } = { of: (type) => this.#trades.of(type, 1) }
    const condition = this.#random.pick([
      () => `size > (SELECT avg(size) FROM trades WHERE ${this.#random.pick(filters)})`,
      () => `px ${this.#random.pick(['>=', '<'])} (SELECT avg(px) FROM trades)`,
      () => `symbol IN (SELECT symbol FROM quotes WHERE bid > ${100 + this.#random.below(300)})`,
      () => `symbol NOT IN (SELECT symbol FROM quotes WHERE ask < ${100 + this.#random.below(300)})`,
      () => `EXISTS (SELECT 1 FROM quotes q WHERE q.symbol = trades.symbol AND q.ts <= trades.ts)`,
      () => `NOT EXISTS (SELECT 1 FROM quotes q WHERE q.symbol = trades.symbol AND q.bid > trades.price)`,
      () => `id IN (SELECT id + ${this.#random.below(4)} FROM trades WHERE side = 'S')`,
      () => `ts >= (SELECT max(ts) - interval '1' day FROM trades)`,
    ])()
    const items = ['id', of(this.#trades.anyType())]
    if (this.#random.chance(0.3)) {
      items.push('(SELECT max(q.bid) FROM quotes q WHERE q.symbol = trades.symbol)')
    }
    if (this.#random.chance(0.3)) items.push('size * 100 / (SELECT sum(size) FROM trades)')
    return `SELECT ${this.#named(items)} FROM trades WHERE ${condition}${this.#orderAll(items.length)}`
  }

  #nestedQuery() {
    const inner = this.#times(3, () =>
      this.#random.pick(['bigint', 'decimal', 'varchar', 'date', 'timestamp', 'double']),
    )
    const items = inner.map((type, index) => `${this.#trades.of(type, 1)} AS v${index}`)
    const where = this.#where('trades', this.#trades)
    const outer = new RandomExpression(this.#random, [
      ['k', 'bigint'],
      ...inner.map((type, index) => [`v${index}`, type]),
    ])
    const body = `SELECT id AS k, ${items.join(', ')} FROM trades${where}`
    const isTable = this.#random.chance(0.5)
    const from = isTable ? 'w' : `(${body}) AS w`
    const outerItems = ['k', ...this.#times(2, () => outer.of(outer.anyType(), 2))]
    const condition = this.#random.chance(0.4) ? ` WHERE ${outer.of('boolean', 1)}` : ''
    const query = `SELECT ${this.#named(outerItems)} FROM ${from}${condition}${this.#orderAll(outerItems.length)}`
    return isTable ? `WITH w AS (${body}) ${query}` : query
  }

  #values() {
    const constant = new RandomExpression(this.#random, [])
    const types = this.#times(2, () =>
      this.#random.pick(['integer', 'decimal', 'double', 'varchar', 'date', 'bigint']),
    )
    const rows = this.#times(2 + this.#random.below(4), () => {
      const cells = types.map((type) => (this.#random.chance(0.15) ? 'null' : constant.of(type, 1)))
      return `(${cells.join(', ')})`
    })
    // A column of NULL alone has no type that its readers could have been made for.
    rows.push(`(${types.map((type) => constant.of(type, 0)).join(', ')})`)
    const scope = new RandomExpression(
      this.#random,
      types.map((type, index) => [`c${index}`, type]),
    )
    const from = `(VALUES ${rows.join(', ')}) AS v(c0, c1)`
    if (this.#random.chance(0.5)) {
      return `SELECT ${this.#named(['c0', `count(*)`, this.#aggregates.ofArgument(types[1], 'c1')])} FROM ${from} GROUP BY c0`
    }
    return `SELECT ${this.#named(['c0', 'c1', scope.of(scope.anyType(), 2)])} FROM ${from}${this.#orderAll(3)}`
  }

  #source() {
    return this.#random.chance(0.8)
      ? { table: 'trades', expression: this.#trades }
      : { table: 'quotes', expression: this.#quotes }
  }

  #where(table, expression) {
    if (this.#random.chance(0.3)) return ''
    if (table === 'trades' && this.#random.chance(0.5)) return ` WHERE ${this.#random.pick(filters)}`
    return ` WHERE ${expression.of('boolean', 1)}`
  }

  /** Orders by every column, so that rows that tie are the same row. */
  #orderAll(count) {
    if (this.#random.chance(0.3)) return ''
    const directions = ['', ' DESC', ' ASC', ' NULLS FIRST', ' DESC NULLS LAST']
    const keys = this.#times(count, (index) => `${index + 1}${this.#random.pick(directions)}`)
    const limit = this.#random.pick([
      '',
      '',
      ` LIMIT ${1 + this.#random.below(20)}`,
      ` OFFSET ${this.#random.below(5)} LIMIT 10`,
    ])
    return ` ORDER BY ${keys.join(', ')}${limit}`
  }

  #named(items, from = 0) {
    const isNamed = this.#random.chance(0.7)
    return items.map((item, index) => (isNamed ? `${item} AS r${from + index}` : item)).join(', ')
  }

  #times(count, make) {
    return Array.from({ length: count }, (_, index) => make(index))
  }
}
