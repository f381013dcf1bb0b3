/** Aggregates over columns of a scope, and keys to group the golden tables by. */
export class RandomAggregate {
  #random

  constructor(random) {
    this.#random = random
  }

  keys(table, count) {
    const choices =
      table === 'trades'
        ? [
            'symbol',
            'side',
            'dt',
            "date_trunc('hour', ts)",
            'size % 3',
            'cast(ts as date)',
            'hour(ts) / 4',
            'substr(symbol, 1, 1)',
            'price',
            'id / 10',
            "json_extract_scalar(meta, '$.venue')",
            'floor(px)',
          ]
        : ['symbol', "date_trunc('day', ts)", 'hour(ts)', 'floor(bid / 10)', "date_format(ts, '%H')"]
    return [...new Set(Array.from({ length: count }, () => this.#random.pick(choices)))]
  }

  of(table, expression, alias = '') {
    const type = this.#random.pick([
      'bigint',
      'integer',
      'decimal',
      'double',
      'varchar',
      'date',
      'timestamp',
      'boolean',
    ])
    // An error in a row ends the query; a filter does not keep arguments from being computed.
    const text = this.ofArgument(type, expression.of(type, 1), table === 'trades' ? `${alias}id` : undefined)
    const isFiltered = this.#random.chance(0.2)
    return isFiltered ? `${text} FILTER (WHERE ${expression.of('boolean', 1)})` : text
  }

  /** `unique`: a column no two rows of which are alike. */
  ofArgument(type, argument, unique) {
    const any = [
      `min(${argument})`,
      `max(${argument})`,
      `count(${argument})`,
      `count(DISTINCT ${argument})`,
      'count(*)',
    ]
    if (unique !== undefined) any.push(`max_by(${argument}, ${unique})`, `min_by(${argument}, ${unique})`)
    switch (type) {
      case 'bigint':
      case 'integer':
      case 'decimal':
      case 'double': {
        const numeric = [`sum(${argument})`, `avg(${argument})`, `sum(${argument}) / count(*)`]
        if (type !== 'double')
          numeric.push(
            `sum(DISTINCT ${argument})`,
            `stddev(${argument})`,
            `max(${argument}) - min(${argument})`,
          )
        if (type === 'bigint' && unique !== undefined)
          numeric.push(`array_agg(${argument} ORDER BY ${unique})`, `max(${unique}, 2)`)
        return this.#random.pick([...any, ...numeric, ...numeric])
      }
      case 'boolean':
        return this.#random.pick([`bool_and(${argument})`, `bool_or(${argument})`, `count_if(${argument})`])
      case 'varchar': {
        const text = [
          `listagg(${argument}, '+') WITHIN GROUP (ORDER BY ${unique})`,
          `map_agg(${unique}, ${argument})`,
          `histogram(${argument})`,
        ]
        return this.#random.pick(unique === undefined ? any : [...any, ...text])
      }
      default:
        return this.#random.pick(any)
    }
  }
}
