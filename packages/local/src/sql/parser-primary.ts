import { CallParser } from './parser-call.ts'
import { failure, notSupported } from './query-failure.ts'
import type { Expression, Identifier, Position, Query } from './syntax-tree.ts'

const clockWords = new Set([
  'current_date',
  'current_time',
  'current_timestamp',
  'localtime',
  'localtimestamp',
])

/** Literals, names, calls, CASE, CAST and everything in parentheses. */
export abstract class PrimaryParser extends CallParser {
  /** The value of each `?` in order; without values a `?` is an error. */
  protected abstract parameter(position: Position): Expression
  protected abstract query(): Query
  /** The query that starts here and ends before a symbol; undefined where what starts like one is none. */
  protected abstract queryBefore(symbol: string): Query | undefined
  protected abstract valueExpression(): Expression
  protected abstract startsQuery(): boolean

  protected primary(): Expression {
    let operand = this.#unit()
    while (true) {
      const { position } = this
      if (this.takeSymbol('[')) {
        operand = { kind: 'subscript', operand, index: this.valueExpression(), position }
        this.expectSymbol(']')
      } else if (this.isSymbol('.') && operand.kind !== 'number') {
        this.next()
        if (this.isSymbol('*')) throw notSupported('the fields of a row as columns', position)
        const field = this.identifier()
        operand =
          operand.kind === 'reference'
            ? { ...operand, parts: [...operand.parts, field] }
            : { kind: 'dereference', operand, field, position }
      } else {
        return operand
      }
    }
  }

  #unit(): Expression {
    const token = this.peek()
    const { position } = token
    switch (token.kind) {
      case 'string':
        this.next()
        return { kind: 'string', value: token.text, position }
      case 'binary':
        this.next()
        return { kind: 'binary-literal', hex: token.text, position }
      case 'integer':
      case 'decimal':
      case 'double':
        this.next()
        return { kind: 'number', form: token.kind, text: token.text, position }
      case 'symbol':
        if (this.takeSymbol('?')) return this.parameter(position)
        if (this.isSymbol('(')) return this.#parentheses()
        throw this.mismatch('<expression>')
      case 'quoted':
        return this.#name()
      case 'word':
        return this.#word(token.text, position)
      default:
        throw this.mismatch('<expression>')
    }
  }

  #parentheses(): Expression {
    const { position } = this
    const lambda = this.#lambda()
    if (lambda !== undefined) return lambda
    return this.parenthesized((): Expression => {
      if (this.startsQuery()) {
        const query = this.queryBefore(')')
        if (query !== undefined) return { kind: 'subquery', query, position }
      }
      const items = this.commaSeparated(() => this.expression())
      return items.length === 1 ? items[0]! : { kind: 'row', items, position }
    })
  }

  /** `(a, b) ->` or `a ->`, undefined when none starts here. */
  #lambda(): Expression | undefined {
    const { position } = this
    const mark = this.mark()
    const parameters: string[] = []
    if (this.takeSymbol('(')) {
      while (this.isIdentifier() && parameters.length < 10) {
        parameters.push(this.identifier().value)
        if (!this.takeSymbol(',')) break
      }
      if (this.takeSymbol(')') && this.takeSymbol('->')) {
        return { kind: 'lambda', parameters, body: this.expression(), position }
      }
    }
    this.rewind(mark)
    return undefined
  }

  #word(text: string, position: Position): Expression {
    switch (text) {
      case 'null':
        this.next()
        return { kind: 'null', position }
      case 'true':
      case 'false':
        this.next()
        return { kind: 'boolean', value: text === 'true', position }
      case 'case':
        return this.#case()
      case 'cast':
      case 'try_cast':
        if (!this.isSymbol('(', 1)) break
        this.next()
        return this.parenthesized(() => {
          const operand = this.expression()
          this.expectWord('as')
          return { kind: 'cast', operand, type: this.type(), safe: text === 'try_cast', position }
        })
      case 'exists':
        this.next()
        return this.parenthesized(() => ({ kind: 'exists', query: this.query(), position }))
      case 'extract':
        this.next()
        return this.parenthesized(() => {
          const field = this.identifier()
          this.expectWord('from')
          return this.#simpleCall(extractFunction(field), [this.valueExpression()], position)
        })
      case 'row':
        if (!this.isSymbol('(', 1)) break
        this.next()
        return {
          kind: 'row',
          items: this.parenthesized(() => this.commaSeparated(() => this.expression())),
          position,
        }
      case 'array':
        if (!this.isSymbol('[', 1)) break
        this.next()
        return this.#array(position)
      case 'interval':
        if (this.peek(1).kind === 'string' || this.isSymbol('-', 1) || this.isSymbol('+', 1))
          return this.#interval()
        break
      case 'position':
        if (this.isSymbol('(', 1)) return this.#position()
        break
      case 'substring':
        if (this.isSymbol('(', 1)) return this.#substring()
        break
      case 'trim':
        if (this.isSymbol('(', 1)) return this.#trim()
        break
    }
    if (clockWords.has(text)) {
      this.next()
      const precision = this.isSymbol('(') ? this.parenthesized(() => this.integer()) : undefined
      if (precision !== undefined && precision !== 3) throw notSupported(`${text}(${precision})`, position)
      return this.#simpleCall(text, [], position)
    }
    if (text === 'grouping') {
      this.next()
      const args = this.parenthesized(() => this.commaSeparated(() => this.expression()))
      return this.#simpleCall(text, args, position)
    }
    if (/^json_(?:array|exists|object|query|table|value)$/.test(text) && this.isSymbol('(', 1))
      throw notSupported(`the function ${text}`, position)
    if (text === 'listagg') {
      this.next()
      return this.call({ value: text, position })
    }
    return this.#name()
  }

  #simpleCall(name: string, args: readonly Expression[], position: Position): Expression {
    const plain = { star: false, distinct: false, orderBy: [], ignoreNulls: false }
    return { kind: 'call', name, arguments: args, ...plain, position }
  }

  #case(): Expression {
    const { position } = this.next()
    const operand = this.isWord('when') ? undefined : this.expression()
    const branches: { condition: Expression; result: Expression }[] = []
    while (this.takeWord('when')) {
      const condition = this.expression()
      this.expectWord('then')
      branches.push({ condition, result: this.expression() })
    }
    if (branches.length === 0) throw this.mismatch("'WHEN'")
    const otherwise = this.takeWord('else') ? this.expression() : undefined
    this.expectWord('end')
    return { kind: 'case', branches, position, ...(operand && { operand }), ...(otherwise && { otherwise }) }
  }

  #array(position: Position): Expression {
    this.expectSymbol('[')
    const items = this.isSymbol(']') ? [] : this.commaSeparated(() => this.expression())
    this.expectSymbol(']')
    return { kind: 'array', items, position }
  }

  #interval(): Expression {
    const { position } = this.next()
    const negative = this.takeSymbol('-')
    if (!negative) this.takeSymbol('+')
    const value = this.peek()
    if (value.kind !== 'string') throw this.mismatch('<string>')
    this.next()
    const unit = this.identifier().value
    const toUnit = this.takeWord('to') ? this.identifier().value : undefined
    return {
      kind: 'interval',
      negative,
      value: value.text,
      unit,
      position,
      ...(toUnit !== undefined && { toUnit }),
    }
  }

  #position(): Expression {
    const { position } = this.next()
    return this.parenthesized(() => {
      const needle = this.valueExpression()
      this.expectWord('in')
      return this.#simpleCall('strpos', [this.valueExpression(), needle], position)
    })
  }

  #substring(): Expression {
    const { position } = this.next()
    return this.parenthesized(() => {
      const args = [this.valueExpression()]
      if (this.takeWord('from')) {
        args.push(this.valueExpression())
        if (this.takeWord('for')) args.push(this.valueExpression())
      } else {
        while (this.takeSymbol(',')) args.push(this.expression())
      }
      return this.#simpleCall('substr', args, position)
    })
  }

  #trim(): Expression {
    const { position } = this.next()
    return this.parenthesized(() => {
      const side = ['both', 'leading', 'trailing'].find((word) => this.takeWord(word))
      const name = side === 'leading' ? 'ltrim' : side === 'trailing' ? 'rtrim' : 'trim'
      if (side !== undefined && this.takeWord('from'))
        return this.#simpleCall(name, [this.valueExpression()], position)
      const first = this.valueExpression()
      if (this.takeWord('from')) return this.#simpleCall(name, [this.valueExpression(), first], position)
      if (this.takeSymbol(',')) return this.#simpleCall(name, [first, this.valueExpression()], position)
      return this.#simpleCall(name, [first], position)
    })
  }

  #name(): Expression {
    const name = this.identifier()
    const { position } = name
    const next = this.peek()
    if (next.kind === 'string') {
      this.next()
      return { kind: 'typed-literal', typeName: name.value, value: next.text, position }
    }
    if (name.value.toLowerCase() === 'double' && this.isWord('precision') && this.peek(1).kind === 'string') {
      this.next()
      return { kind: 'typed-literal', typeName: 'double', value: this.next().text, position }
    }
    if (this.takeSymbol('->'))
      return { kind: 'lambda', parameters: [name.value], body: this.expression(), position }
    if (this.isSymbol('(')) return this.call(name)
    return { kind: 'reference', parts: [name], position }
  }
}

function extractFunction(field: Identifier): string {
  const name = field.value.toLowerCase()
  const known = [
    'year',
    'quarter',
    'month',
    'week',
    'day',
    'day_of_month',
    'day_of_week',
    'dow',
    'day_of_year',
    'doy',
    'year_of_week',
    'yow',
    'hour',
    'minute',
    'second',
  ]
  if (['timezone_hour', 'timezone_minute'].includes(name))
    throw notSupported(`EXTRACT of ${name}`, field.position)
  if (!known.includes(name))
    throw failure('SYNTAX_ERROR', `Invalid EXTRACT field: ${field.value}`, field.position)
  return name
}
