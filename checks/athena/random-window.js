/** Window functions over the columns of trades, whose orders determine what they answer. */
export class RandomWindow {
  #random
  #columns

  constructor(random, columns) {
    this.#random = random
    this.#columns = columns
  }

  call() {
    const partition = this.#random.pick([
      '',
      'PARTITION BY symbol ',
      'PARTITION BY side ',
      'PARTITION BY symbol, dt ',
    ])
    const unique = `ORDER BY ${this.#random.pick(['id', 'ts, id', 'size DESC, id', 'px NULLS FIRST, id DESC', 'side, id'])}`
    const ties = `ORDER BY ${this.#random.pick(['size', 'dt', 'symbol DESC', 'side', 'price'])}`
    const type = this.#random.pick(['bigint', 'decimal', 'double', 'varchar', 'timestamp'])
    const value = () => this.#columns.of(type, 1)
    const number = this.#columns.of(this.#random.pick(['bigint', 'decimal', 'double', 'integer']), 1)
    const frame = this.#random.pick([
      '',
      ` ROWS BETWEEN ${this.#random.below(5)} PRECEDING AND CURRENT ROW`,
      ' ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING',
      ` ROWS BETWEEN 1 PRECEDING AND ${1 + this.#random.below(3)} FOLLOWING`,
      ' ROWS UNBOUNDED PRECEDING',
      ' GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING',
    ])
    const ignored = this.#random.pick(['', '', ' IGNORE NULLS'])
    return this.#random.pick([
      () => `row_number() OVER (${partition}${unique})`,
      () =>
        `${this.#random.pick(['rank', 'dense_rank', 'percent_rank', 'cume_dist'])}() OVER (${partition}${ties})`,
      () => `ntile(${2 + this.#random.below(4)}) OVER (${partition}${unique})`,
      () =>
        `${this.#random.pick(['lag', 'lead'])}(${value()}${this.#random.pick(['', `, ${1 + this.#random.below(3)}`])})${ignored} OVER (${partition}${unique})`,
      () => `lag(${value()}, 1, ${value()}) OVER (${partition}${unique})`,
      () =>
        `${this.#random.pick(['first_value', 'last_value'])}(${value()})${ignored} OVER (${partition}${unique}${frame})`,
      () => `nth_value(${value()}, ${1 + this.#random.below(3)}) OVER (${partition}${unique}${frame})`,
      () =>
        `${this.#random.pick(['sum', 'avg', 'count', 'min', 'max'])}(${number}) OVER (${partition}${unique}${frame})`,
      () =>
        `${this.#random.pick(['sum', 'avg', 'count', 'min', 'max'])}(${number}) OVER (${partition}${ties})`,
      () =>
        `sum(size) OVER (${partition}ORDER BY ${this.#random.pick(['id', 'size'])} RANGE BETWEEN ${this.#random.below(50)} PRECEDING AND ${this.#random.pick(['CURRENT ROW', '20 FOLLOWING'])})`,
      () =>
        `count(*) OVER (${partition}ORDER BY ts RANGE BETWEEN INTERVAL '${1 + this.#random.below(12)}' HOUR PRECEDING AND CURRENT ROW)`,
      () => `max(${number}) OVER (${partition.trim()})`,
      () => `px - lag(px) OVER (${partition}ORDER BY id)`,
    ])()
  }
}
