import { nestedForms, nestedValues } from './nested-forms.js'

const symbols = ["'AAPL'", "'MSFT'", "'BRK.B'", "'ZZZ'"]
const dates = [
  "date '2024-03-08'",
  "date '2024-03-09'",
  "date '2024-02-29'",
  "date '2023-12-31'",
  "date '2024-01-31'",
]
const timestamps = [
  "timestamp '2024-03-08 14:30:00'",
  "timestamp '2024-03-09 15:59:59.250'",
  "timestamp '2024-02-29 23:59:59.999'",
]
const timeUnits = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year']
const dateUnits = ['day', 'week', 'month', 'quarter', 'year']
const numericTypes = ['integer', 'bigint', 'decimal', 'double']
const comparisons = ['=', '<>', '<', '<=', '>', '>=']

/**
 * Expressions of a type over the columns of a scope, in Trino's SQL. Left out is what Trino itself does not determine, and
 * the last digits of transcendental functions. A divisor that may be zero is mostly guarded: an error ends a whole query.
 */
export class RandomExpression {
  #random
  #columns

  /** `columns`: pairs of a name and a type, which is `bigint`, `double`, `decimal`, `varchar`, `date`, `timestamp` or `array`. */
  constructor(random, columns) {
    this.#random = random
    this.#columns = columns
  }

  /** One expression; `depth` bounds how far it nests. */
  of(type, depth = 2) {
    const isLeaf = depth <= 0 || this.#random.chance(0.15)
    if (isLeaf) return this.#leaf(type)
    if (this.#random.chance(0.12)) return this.#conditional(type, depth - 1)
    if (this.#random.chance(0.1) && nestedForms[type] !== undefined)
      return this.#nested(nestedForms[type], depth - 1)
    return this[type](depth - 1)
  }

  /** A type that every table has something of. */
  anyType() {
    return this.#random.pick([
      'integer',
      'bigint',
      'decimal',
      'double',
      'varchar',
      'varchar',
      'boolean',
      'date',
      'timestamp',
    ])
  }

  /** A column of a type; a literal where the scope has none. */
  column(type) {
    const names = this.#columns.filter(([, columnType]) => columnType === type).map(([name]) => name)
    return names.length > 0 ? this.#random.pick(names) : this.#literal(type)
  }

  integer(depth) {
    const { of } = this.#shorthand(depth)
    return this.#pick([
      () => `(${of('integer')} ${this.#random.pick(['+', '-', '*'])} ${this.#small()})`,
      () => `(${of('integer')} / ${this.#divisor()})`,
      () => `(${of('integer')} % ${this.#divisor()})`,
      () => `abs(${of('integer')})`,
      () => `cast(${of('bigint')} % 1000 as integer)`,
      () => `- ${of('integer')}`,
      () => `cast(${this.#random.pick(["'12'", "' 7'", "'-3'", "'0'"])} as integer)`,
      () => `try_cast(${of('varchar')} as integer)`,
      () => `greatest(${of('integer')}, ${of('integer')})`,
    ])
  }

  bigint(depth) {
    const { of } = this.#shorthand(depth)
    return this.#pick([
      () =>
        `(${of('bigint')} ${this.#random.pick(['+', '-'])} ${of(this.#random.pick(['bigint', 'integer']))})`,
      () => `(${of('bigint')} * ${this.#small()})`,
      () => `(${of('bigint')} / ${this.#divisor()})`,
      () => `(${of('bigint')} / nullif(${of('bigint')}, 0))`,
      () => `(${of('bigint')} % ${this.#divisor()})`,
      () => `mod(${of('bigint')}, ${this.#divisor()})`,
      () => `abs(${of('bigint')})`,
      () => `sign(${of('bigint')})`,
      () => `length(${of('varchar')})`,
      () => `strpos(${of('varchar')}, ${this.#random.pick(["'A'", "'-'", "'0'", "'B'"])})`,
      () => `date_diff('${this.#random.pick(dateUnits)}', ${of('date')}, ${of('date')})`,
      () => `date_diff('${this.#random.pick(timeUnits)}', ${of('timestamp')}, ${of('timestamp')})`,
      () =>
        `${this.#random.pick(['year', 'month', 'day', 'day_of_week', 'day_of_year', 'week', 'quarter', 'year_of_week'])}(${of(this.#random.pick(['date', 'timestamp']))})`,
      () => `${this.#random.pick(['hour', 'minute', 'second', 'millisecond'])}(${of('timestamp')})`,
      () => `hour(${of('timestamp')} AT TIME ZONE 'America/New_York')`,
      () => `extract(${this.#random.pick(['YEAR', 'MONTH', 'DAY', 'HOUR'])} FROM ${of('timestamp')})`,
      () => `cast(${of('decimal')} as bigint)`,
      () => `try_cast(${of('double')} as bigint)`,
      () => `try_cast(${of('varchar')} as bigint)`,
      () => `cardinality(${this.column('array')})`,
      () => `least(${of('bigint')}, ${of('bigint')}, ${of('integer')})`,
      () => `try_cast(json_extract_scalar(${this.#json()}, '$.n') as bigint)`,
    ])
  }

  decimal(depth) {
    const { of } = this.#shorthand(depth)
    const scale = this.#random.below(5)
    return this.#pick([
      () =>
        `(${of('decimal')} ${this.#random.pick(['+', '-'])} ${of(this.#random.pick(['decimal', 'integer', 'bigint']))})`,
      () => `(${of('decimal')} * ${of(this.#random.pick(['decimal', 'integer']))})`,
      () => `(${of('decimal')} * ${this.#literal('decimal')})`,
      () => `(${of('decimal')} / ${this.#divisor()})`,
      () => `(${of('decimal')} / ${this.#random.pick(['0.5', '3.00', '7.125', "decimal '11'"])})`,
      () => `(${of('decimal')} / nullif(${of('decimal')}, 0))`,
      () => `(${of('decimal')} % ${this.#random.pick(['0.7', '3', "decimal '2.25'"])})`,
      () => `(${of('integer')} / 2.0)`,
      () => `abs(${of('decimal')})`,
      () => `- ${of('decimal')}`,
      () => `round(${of('decimal')}, ${scale})`,
      () => `${this.#random.pick(['round', 'floor', 'ceiling', 'truncate'])}(${of('decimal')})`,
      () =>
        `cast(${of(this.#random.pick(['decimal', 'integer']))} as decimal(${20 + this.#random.below(15)},${scale}))`,
      () => `try_cast(${of('double')} as decimal(18,${scale}))`,
      () => `try_cast(${of(this.#random.pick(['decimal', 'bigint']))} as decimal(6,${Math.min(scale, 3)}))`,
      () => `try_cast(${of('varchar')} as decimal(12,${scale}))`,
    ])
  }

  double(depth) {
    const { of } = this.#shorthand(depth)
    const numeric = () => of(this.#random.pick(numericTypes))
    return this.#pick([
      () => `(${of('double')} ${this.#random.pick(['+', '-', '*', '/'])} ${numeric()})`,
      () => `(${numeric()} ${this.#random.pick(['+', '-', '*'])} ${of('double')})`,
      () => `(${of('double')} / nullif(${numeric()}, 0))`,
      () => `(${of('double')} % ${this.#random.pick(['3', '0.7', '2e0'])})`,
      () => `sqrt(abs(${numeric()}))`,
      () => `round(${of('double')}, ${this.#random.below(4)})`,
      () => `${this.#random.pick(['round', 'floor', 'ceil', 'truncate', 'abs', 'sign'])}(${of('double')})`,
      () => `- ${of('double')}`,
      () => `cast(${numeric()} as double)`,
      () => `to_unixtime(${of('timestamp')})`,
      () => `try_cast(${of('varchar')} as double)`,
      () => `element_at(${this.column('map')}, 'fee')`,
    ])
  }

  varchar(depth) {
    const { of } = this.#shorthand(depth)
    const text = () => of('varchar')
    return this.#pick([
      () => `${this.#random.pick(['upper', 'lower', 'reverse', 'trim'])}(${text()})`,
      () =>
        `substr(${text()}, ${this.#random.pick(['1', '2', '-2', '3'])}${this.#random.pick(['', ', 2', ', 3'])})`,
      () => `(${text()} || ${text()})`,
      () => `concat(${text()}, '-', ${text()})`,
      () =>
        `replace(${text()}, ${this.#random.pick(["'A'", "'.'", "'-'"])}, ${this.#random.pick(["''", "'_'", "'xy'"])})`,
      () => `${this.#random.pick(['lpad', 'rpad'])}(${text()}, ${this.#random.pick(['3', '8'])}, '*')`,
      () => `split_part(${text()}, ${this.#random.pick(["'-'", "'.'"])}, ${1 + this.#random.below(3)})`,
      () =>
        `cast(${of(this.#random.pick(['integer', 'bigint', 'decimal', 'double', 'boolean', 'date', 'timestamp']))} as varchar)`,
      () =>
        `date_format(${of('timestamp')}, ${this.#random.pick(["'%Y-%m'", "'%H:%i:%s'", "'%Y/%m/%d %T'", "'%b %d'"])})`,
      () =>
        `format_datetime(${of('timestamp')}, ${this.#random.pick(["'yyyy-MM-dd'", "'HH:mm'", "'EEE d MMM'"])})`,
      () =>
        `json_extract_scalar(${this.#json()}, ${this.#random.pick(["'$.venue'", "'$.lvl.a'", "'$.n'", "'$.none'"])})`,
      () => `regexp_extract(${text()}, ${this.#random.pick(["'[A-Z]+'", "'(\\d+)-(\\d+)', 2", "'^.'"])})`,
      () => `regexp_replace(${text()}, ${this.#random.pick(["'[0-9]+', '#'", "'([A-Z])', '<$1>'"])})`,
      () => `element_at(${this.column('array')}, ${this.#random.pick(['1', '2', '-1'])})`,
      () => `array_join(${this.column('array')}, '/')`,
      () =>
        `cast(${of('timestamp')} AT TIME ZONE '${this.#random.pick(['America/New_York', 'Asia/Tokyo', 'UTC'])}' as varchar)`,
      () => `typeof(${this.of(this.anyType(), depth)})`,
    ])
  }

  boolean(depth) {
    const { of } = this.#shorthand(depth)
    const numeric = () => of(this.#random.pick(numericTypes))
    return this.#pick([
      () => `(${numeric()} ${this.#random.pick(comparisons)} ${numeric()})`,
      () => `(${numeric()} ${this.#random.pick(comparisons)} ${numeric()})`,
      () => `(${of('varchar')} ${this.#random.pick(comparisons)} ${of('varchar')})`,
      () => `(${of('date')} ${this.#random.pick(comparisons)} ${of('date')})`,
      () =>
        `(${of('timestamp')} ${this.#random.pick(comparisons)} ${of(this.#random.pick(['timestamp', 'date']))})`,
      () => `(${numeric()} BETWEEN ${numeric()} AND ${numeric()})`,
      () =>
        `(${this.column('varchar')} ${this.#random.pick(['IN', 'NOT IN'])} (${this.#random.pick(symbols)}, 'S'${this.#random.pick(['', ', null'])}))`,
      () => `(${of('bigint')} IN (1, ${this.#small()}, ${of('bigint')}))`,
      () => `(${of(this.anyType())} IS ${this.#random.pick(['', 'NOT '])}NULL)`,
      () =>
        `(${of('varchar')} ${this.#random.pick(['', 'NOT '])}LIKE ${this.#random.pick(["'A%'", "'%.B'", "'_'", "'%0_-%'"])})`,
      () => `(${of('boolean')} ${this.#random.pick(['AND', 'OR'])} ${of('boolean')})`,
      () => `(NOT ${of('boolean')})`,
      () => `regexp_like(${of('varchar')}, ${this.#random.pick(["'^[A-Z]+$'", "'\\d{2}'", "'A|B'"])})`,
      () => `contains(${this.column('array')}, ${this.#random.pick(["'a'", "'b'", "'x'"])})`,
      () => `(${numeric()} IS ${this.#random.pick(['', 'NOT '])}DISTINCT FROM ${numeric()})`,
      () => `is_nan(${of('double')})`,
      () => `starts_with(${of('varchar')}, 'A')`,
    ])
  }

  date(depth) {
    const { of } = this.#shorthand(depth)
    return this.#pick([
      () => `cast(${of('timestamp')} as date)`,
      () => `date(${of('timestamp')})`,
      () =>
        `(${of('date')} ${this.#random.pick(['+', '-'])} interval '${1 + this.#random.below(40)}' ${this.#random.pick(['day', 'month', 'year'])})`,
      () => `date_trunc('${this.#random.pick(dateUnits)}', ${of('date')})`,
      () => `date_add('${this.#random.pick(dateUnits)}', ${this.#random.below(9) - 4}, ${of('date')})`,
      () => `last_day_of_month(${of('date')})`,
      () => `try_cast(${of('varchar')} as date)`,
    ])
  }

  timestamp(depth) {
    const { of } = this.#shorthand(depth)
    const unit = this.#random.pick(['second', 'minute', 'hour', 'day', 'month', 'year'])
    return this.#pick([
      () =>
        `(${of('timestamp')} ${this.#random.pick(['+', '-'])} interval '${1 + this.#random.below(90)}' ${unit})`,
      () => `date_trunc('${this.#random.pick(timeUnits)}', ${of('timestamp')})`,
      () => `date_add('${this.#random.pick(timeUnits)}', ${this.#random.below(9) - 4}, ${of('timestamp')})`,
      () => `cast(${of('date')} as timestamp)`,
      () => `cast(${of('timestamp')} as timestamp(${this.#random.pick(['0', '3'])}))`,
      () =>
        `date_parse('2024-03-0${1 + this.#random.below(9)} 10:1${this.#random.below(10)}', '%Y-%m-%d %H:%i')`,
    ])
  }

  array() {
    return this.column('array')
  }

  /** An array, map, row or JSON. */
  nested(depth = 1) {
    return this.#nested(nestedValues, depth)
  }

  /** Values of types that are seldom compared: intervals and times with a zone. */
  seldom(depth = 2) {
    const { of } = this.#shorthand(depth - 1)
    return this.#pick([
      () => `(${of('timestamp')} - ${of('timestamp')})`,
      () => `(${of('date')} - ${of('date')})`,
      () => `with_timezone(${of('timestamp')}, 'America/New_York')`,
      () => `from_unixtime(${of('bigint')})`,
      () => `split(${of('varchar')}, '-')`,
      () => `array[${of('bigint')}, ${of('integer')}]`,
    ])
  }

  #nested(forms, depth) {
    const columns = { array: this.column('array'), map: this.column('map'), json: this.#json() }
    return this.#random.pick(forms)({ ...this.#shorthand(depth), ...columns })
  }

  #conditional(type, depth) {
    const { of } = this.#shorthand(depth)
    return this.#pick([
      () => `CASE WHEN ${of('boolean')} THEN ${of(type)} ELSE ${of(type)} END`,
      () => `CASE WHEN ${of('boolean')} THEN ${of(type)} END`,
      () =>
        `CASE ${this.column('varchar')} WHEN ${this.#random.pick(symbols)} THEN ${of(type)} WHEN 'S' THEN ${of(type)} ELSE ${of(type)} END`,
      () => `coalesce(${of(type)}, ${of(type)})`,
      () => `if(${of('boolean')}, ${of(type)}, ${of(type)})`,
      () => `nullif(${of(type)}, ${of(type)})`,
      () => `try(${of(type)})`,
      () => `coalesce(null, ${of(type)})`,
    ])
  }

  #shorthand(depth) {
    return { of: (type) => this.of(type, depth) }
  }

  #pick(choices) {
    return this.#random.pick(choices)()
  }

  #leaf(type) {
    return this.#random.chance(0.7) ? this.column(type) : this.#literal(type)
  }

  #small() {
    return String(2 + this.#random.below(9))
  }

  #divisor() {
    return this.#random.chance(0.02) ? '0' : this.#random.pick(['2', '3', '-4', '7', '100'])
  }

  #json() {
    const columns = this.#columns.filter(([, type]) => type === 'json').map(([name]) => name)
    return columns[0] ?? `'{"venue":"X","n":${this.#small()},"lvl":{"a":1.50}}'`
  }

  #literal(type) {
    switch (type) {
      case 'integer':
        return String(this.#random.below(2000) - 500).replace(/^(-.*)$/, '($1)')
      case 'bigint':
        return this.#random.pick(["bigint '7'", 'cast(12 as bigint)', '5000000000', "bigint '-3'"])
      case 'decimal':
        return this.#random.pick(['1.50', '0.005', "decimal '12.345'", '100.0', '(-2.5)', "decimal '7'"])
      case 'double':
        return this.#random.pick(['1.5e0', '2e0', '0.1e0', '(-3.25e0)', '1e7', '0e0', 'nan()'])
      case 'varchar':
        return this.#random.pick([...symbols, "'a-b-c'", "'12'", "'2024-03-08'", "''", "' x '", "'1.50'"])
      case 'boolean':
        return this.#random.pick(['true', 'false', '(1 = 1)', 'cast(null as boolean)'])
      case 'date':
        return this.#random.pick(dates)
      case 'timestamp':
        return this.#random.pick(timestamps)
      case 'map':
        return "map(array['fee'], array[0.5e0])"
      default:
        return "array['a', 'b', null]"
    }
  }
}
