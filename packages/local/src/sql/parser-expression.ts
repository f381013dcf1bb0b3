import { PrimaryParser } from './parser-primary.ts'
import { failure, notSupported } from './query-failure.ts'
import type { ArithmeticOperator, ComparisonOperator, Expression, Query } from './syntax-tree.ts'

const comparisonOperators: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>='])

function isParenthesized({ body, with: named, orderBy, limit, offset }: Query): boolean {
  const isBare = named.length + orderBy.length === 0 && limit === undefined && offset === undefined
  return isBare && body.kind === 'query'
}

/** Expressions by Trino's precedence: OR, AND, NOT, one predicate, ||, + -, * / %, sign, AT TIME ZONE. */
export abstract class ExpressionParser extends PrimaryParser {
  protected expression(): Expression {
    return this.#logical('OR', () => this.#logical('AND', () => this.#negation()))
  }

  #logical(operator: 'AND' | 'OR', operand: () => Expression): Expression {
    const { position } = this
    const first = operand()
    if (!this.isWord(operator.toLowerCase())) return first
    const operands = [first]
    while (this.takeWord(operator.toLowerCase())) operands.push(operand())
    return { kind: 'logical', operator, operands, position }
  }

  #negation(): Expression {
    const { position } = this
    if (this.takeWord('not')) return { kind: 'not', operand: this.#negation(), position }
    return this.#predicate(this.valueExpression())
  }

  #predicate(operand: Expression): Expression {
    const { position } = this
    const token = this.peek()
    if (token.kind === 'symbol' && comparisonOperators.has(token.text)) {
      this.next()
      if (this.isWord('all') || this.isWord('any') || this.isWord('some')) {
        throw notSupported('comparisons with ALL, ANY or SOME', this.position)
      }
      const operator = token.text as ComparisonOperator
      return { kind: 'comparison', operator, left: operand, right: this.valueExpression(), position }
    }
    if (this.takeWord('is')) {
      const not = this.takeWord('not')
      const negated = (expression: Expression): Expression =>
        not ? { kind: 'not', operand: expression, position } : expression
      if (this.takeWord('null')) return negated({ kind: 'is-null', operand, position })
      if (this.takeWord('distinct')) {
        this.expectWord('from')
        return negated({ kind: 'distinct-from', left: operand, right: this.valueExpression(), position })
      }
      throw this.mismatch("'DISTINCT', 'NULL'")
    }
    const not = this.isWord('not') && ['between', 'in', 'like'].some((word) => this.isWord(word, 1))
    if (not) this.next()
    const predicate = this.#predicateTail(operand)
    return predicate === undefined ? operand : not ? { kind: 'not', operand: predicate, position } : predicate
  }

  #predicateTail(operand: Expression): Expression | undefined {
    const { position } = this
    if (this.takeWord('between')) {
      const low = this.valueExpression()
      this.expectWord('and')
      return { kind: 'between', operand, low, high: this.valueExpression(), position }
    }
    if (this.takeWord('in')) {
      return this.parenthesized((): Expression => {
        const query = this.startsQuery() ? this.queryBefore(')') : undefined
        if (query !== undefined) {
          // Twice in parentheses it is one value.
          return isParenthesized(query)
            ? { kind: 'in-list', operand, list: [{ kind: 'subquery', query, position }], position }
            : { kind: 'in-query', operand, query, position }
        }
        return { kind: 'in-list', operand, list: this.commaSeparated(() => this.expression()), position }
      })
    }
    if (this.takeWord('like')) {
      const pattern = this.valueExpression()
      const escapeWith = this.takeWord('escape') ? this.valueExpression() : undefined
      return { kind: 'like', operand, pattern, position, ...(escapeWith && { escape: escapeWith }) }
    }
    return undefined
  }

  protected valueExpression(): Expression {
    let left = this.#additive()
    while (this.isSymbol('||')) {
      const { position } = this.next()
      left = { kind: 'concatenation', left, right: this.#additive(), position }
    }
    return left
  }

  #additive(): Expression {
    return this.#leftAssociative(['+', '-'], () =>
      this.#leftAssociative(['*', '/', '%'], () => this.#signed()),
    )
  }

  #leftAssociative(operators: readonly ArithmeticOperator[], operand: () => Expression): Expression {
    let left = operand()
    while (true) {
      const operator = operators.find((text) => this.isSymbol(text))
      if (operator === undefined) return left
      const { position } = this.next()
      left = { kind: 'arithmetic', operator, left, right: operand(), position }
    }
  }

  #signed(): Expression {
    const { position } = this
    if (this.takeSymbol('+')) return this.#signed()
    if (!this.takeSymbol('-')) return this.#zoned()
    const token = this.peek()
    if (token.kind === 'integer' || token.kind === 'decimal' || token.kind === 'double') {
      // The sign is part of the literal, so that -9223372036854775808 is a bigint.
      this.next()
      return { kind: 'number', form: token.kind, text: `-${token.text}`, position }
    }
    return { kind: 'negate', operand: this.#signed(), position }
  }

  #zoned(): Expression {
    let operand = this.primary()
    while (this.isWord('at') && this.isWord('time', 1) && this.isWord('zone', 2)) {
      const { position } = this
      this.expectWord('at', 'time', 'zone')
      if (this.isWord('interval')) throw notSupported('AT TIME ZONE with an interval', this.position)
      operand = { kind: 'at-time-zone', operand, zone: this.primary(), position }
    }
    return operand
  }

  protected startsQuery(): boolean {
    let ahead = 0
    while (this.isSymbol('(', ahead)) ahead += 1
    return ['select', 'with', 'values', 'table'].some((word) => this.isWord(word, ahead))
  }

  protected abstract override query(): Query

  /** Throws where anything follows the statement. */
  protected expectEnd(): void {
    const isEnded = this.takeSymbol(';')
    if (this.peek().kind === 'end') return
    if (isEnded) throw failure('SYNTAX_ERROR', 'Only one sql statement is allowed', this.position)
    throw this.mismatch('<EOF>')
  }
}
