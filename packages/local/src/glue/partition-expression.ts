import { ServiceError } from '../http/json-service.ts'
import type { GlueColumn } from './catalog-model.ts'
import { defaultPartition } from './hive-path.ts'
import { type ExpressionToken, tokenizeExpression } from './partition-expression-tokens.ts'
import {
  comparePartitionValues,
  isComparable,
  type PartitionValue,
  partitionValueOf,
} from './partition-value.ts'

/** Decides by a partition's raw values, in the order of the table's partition keys. */
export type PartitionPredicate = (values: readonly string[]) => boolean

/** SQL's three truth values: null is unknown. */
type Truth = boolean | null
type Condition = (values: readonly string[]) => Truth

const comparisons: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}

const mirrored: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' }

/**
 * Compiles a `GetPartitions` expression: comparisons of partition keys with literals, AND, OR, NOT, IN, BETWEEN,
 * LIKE, IS NULL and parentheses. Values are compared by the key's type: numbers as numbers, days and moments in time.
 *
 * @throws an InvalidInputException for anything else
 */
export function parsePartitionExpression(
  expression: string,
  partitionKeys: readonly GlueColumn[],
): PartitionPredicate {
  const condition = new ExpressionParser(expression, partitionKeys).parse()
  return (values) => condition(values) === true
}

class ExpressionParser {
  readonly #expression: string
  readonly #keys: readonly GlueColumn[]
  readonly #tokens: readonly ExpressionToken[]
  #at = 0

  constructor(expression: string, keys: readonly GlueColumn[]) {
    this.#expression = expression
    this.#keys = keys
    this.#tokens = tokenizeExpression(expression, (reason) => this.#refusal(reason))
  }

  parse(): Condition {
    const condition = this.#or()
    const rest = this.#tokens[this.#at]
    if (rest !== undefined) throw this.#refusal(`'${rest.text}' was not expected`)
    return condition
  }

  #or(): Condition {
    let left = this.#and()
    while (this.#takeWord('OR')) left = either(left, this.#and())
    return left
  }

  #and(): Condition {
    let left = this.#not()
    while (this.#takeWord('AND')) left = both(left, this.#not())
    return left
  }

  #not(): Condition {
    if (!this.#takeWord('NOT')) return this.#primary()
    return negation(this.#not())
  }

  #primary(): Condition {
    if (this.#takeSymbol('(')) {
      const inner = this.#or()
      this.#expectSymbol(')')
      return inner
    }
    return this.#tokens[this.#at]?.kind === 'name' ? this.#keyCondition() : this.#literalFirst()
  }

  #keyCondition(): Condition {
    const key = this.#key()
    if (this.#takeWord('IS')) {
      const negated = this.#takeWord('NOT')
      if (!this.#takeWord('NULL')) throw this.#refusal('IS must be followed by NULL or NOT NULL')
      // Glue finds no partition by IS NULL, as engines that ask it know.
      return (values) => negated && key.valueIn(values) !== null
    }
    if (this.#takeWord('NOT')) return negation(this.#setCondition(key))
    const operator = this.#operator()
    return operator === undefined ? this.#setCondition(key) : comparison(key, operator, this.#literal(key))
  }

  /** `'2024' <= year`: the literal may come first. */
  #literalFirst(): Condition {
    const token = this.#next()
    if (token.kind !== 'string' && token.kind !== 'number')
      throw this.#refusal(`'${token.text}' was not expected`)
    const operator = this.#operator()
    if (operator === undefined) throw this.#refusal('a comparison was expected')
    const key = this.#key()
    return comparison(key, mirrored[operator] ?? operator, key.literal(token.text))
  }

  #setCondition(key: PartitionKey): Condition {
    if (this.#takeWord('BETWEEN')) {
      const low = this.#literal(key)
      if (!this.#takeWord('AND')) throw this.#refusal('BETWEEN needs AND')
      return both(comparison(key, '>=', low), comparison(key, '<=', this.#literal(key)))
    }
    if (this.#takeWord('IN')) {
      this.#expectSymbol('(')
      let condition = comparison(key, '=', this.#literal(key))
      while (this.#takeSymbol(',')) condition = either(condition, comparison(key, '=', this.#literal(key)))
      this.#expectSymbol(')')
      return condition
    }
    if (this.#takeWord('LIKE')) {
      if (!key.isText) throw this.#refusal('LIKE is of text only')
      const token = this.#next()
      if (token.kind !== 'string') throw this.#refusal('LIKE needs a quoted pattern')
      const pattern = likePattern(token.text)
      return (values) => {
        const text = key.textIn(values)
        return text === null ? null : pattern.test(text)
      }
    }
    throw this.#refusal('one of =, <>, <, <=, >, >=, IN, BETWEEN, LIKE, IS was expected')
  }

  #key(): PartitionKey {
    const token = this.#next()
    if (token.kind !== 'name') throw this.#refusal(`'${token.text}' is not a partition key`)
    const name = token.text.toLowerCase()
    const at = this.#keys.findIndex((key) => key.Name.toLowerCase() === name)
    if (at === -1) throw this.#refusal(`'${token.text}' is not a partition key of the table`)
    const type = (this.#keys[at]?.Type ?? 'string').toLowerCase()
    if (!isComparable(type)) throw this.#refusal(`${name} has the type ${type}, which is not compared`)
    return new PartitionKey(at, type, (reason) => this.#refusal(reason))
  }

  #literal(key: PartitionKey): PartitionValue {
    let token = this.#next()
    // DATE '2024-03-08' and TIMESTAMP '...' are the text they hold.
    if (token.kind === 'name' && /^(date|timestamp)$/i.test(token.text)) token = this.#next()
    if (token.kind !== 'string' && token.kind !== 'number') {
      throw this.#refusal(`'${token.text}' is not a literal`)
    }
    return key.literal(token.text)
  }

  #operator(): string | undefined {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'symbol' || comparisons[token.text] === undefined) return undefined
    this.#at += 1
    return token.text
  }

  #takeWord(word: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'word' || token.text !== word) return false
    this.#at += 1
    return true
  }

  #takeSymbol(symbol: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'symbol' || token.text !== symbol) return false
    this.#at += 1
    return true
  }

  #expectSymbol(symbol: string): void {
    if (!this.#takeSymbol(symbol)) throw this.#refusal(`'${symbol}' was expected`)
  }

  #next(): ExpressionToken {
    const token = this.#tokens[this.#at]
    if (token === undefined) throw this.#refusal('it ends too early')
    this.#at += 1
    return token
  }

  #refusal(reason: string): ServiceError {
    return new ServiceError(
      'InvalidInputException',
      `Unsupported expression '${this.#expression}': ${reason}.`,
    )
  }
}

class PartitionKey {
  readonly #at: number
  readonly #type: string
  readonly #refusal: (reason: string) => ServiceError

  constructor(at: number, type: string, refusal: (reason: string) => ServiceError) {
    this.#at = at
    this.#type = type
    this.#refusal = refusal
  }

  /** The null partition is found by its name where keys are text: engines ask Glue for it so. */
  textIn(values: readonly string[]): string | null {
    const text = values[this.#at]
    return text === undefined || (text === defaultPartition && !this.isText) ? null : text
  }

  /** @throws an InvalidStateException where a partition has a value that the key's type cannot hold */
  valueIn(values: readonly string[]): PartitionValue | null {
    const text = this.textIn(values)
    if (text === null) return null
    const value = partitionValueOf(text, this.#type)
    if (value !== undefined) return value
    throw new ServiceError(
      'InvalidStateException',
      `The partition (${values.join(', ')}) has '${text}', which is not a value of type ${this.#type}.`,
    )
  }

  get isText(): boolean {
    return /^(string|char|varchar)\b/.test(this.#type)
  }

  literal(text: string): PartitionValue {
    const value = partitionValueOf(text, this.#type)
    if (value === undefined) throw this.#refusal(`'${text}' is not a value of type ${this.#type}`)
    return value
  }
}

function comparison(key: PartitionKey, operator: string, literal: PartitionValue): Condition {
  const accepts = comparisons[operator] as (order: number) => boolean
  return (values) => {
    const value = key.valueIn(values)
    return value === null ? null : accepts(comparePartitionValues(value, literal))
  }
}

const negation =
  (condition: Condition): Condition =>
  (values) => {
    const truth = condition(values)
    return truth === null ? null : !truth
  }

const both =
  (left: Condition, right: Condition): Condition =>
  (values) => {
    const first = left(values)
    if (first === false) return false
    const second = right(values)
    return second === false ? false : first === null || second === null ? null : true
  }

const either =
  (left: Condition, right: Condition): Condition =>
  (values) => {
    const first = left(values)
    if (first === true) return true
    const second = right(values)
    return second === true ? true : first === null || second === null ? null : false
  }

/** `%` is any run of characters, `_` any one. */
export function likePattern(pattern: string): RegExp {
  const source = [...pattern].map((character) =>
    character === '%' ? '.*' : character === '_' ? '.' : character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&'),
  )
  return new RegExp(`^${source.join('')}$`, 'su')
}
