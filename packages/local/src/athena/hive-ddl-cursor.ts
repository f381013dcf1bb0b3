import type { QueryError } from '../sql/query-engine.ts'
import { type DdlToken, parseError, tokenizeDdl } from './hive-ddl-tokens.ts'

const scalarTypes = new Set([
  'boolean',
  'tinyint',
  'smallint',
  'int',
  'bigint',
  'double',
  'float',
  'string',
  'binary',
  'date',
  'timestamp',
])

/** Reads a Hive DDL statement token by token. */
export class DdlCursor {
  readonly #tokens: readonly DdlToken[]
  #at = 0

  constructor(sql: string) {
    this.#tokens = tokenizeDdl(sql)
  }

  /** Takes the words when they come next, all or none. */
  take(...words: readonly string[]): boolean {
    const isNext = words.every((word, offset) => {
      const token = this.#tokens[this.#at + offset]
      return token?.kind === 'word' && token.text.toUpperCase() === word
    })
    if (isNext) this.#at += words.length
    return isNext
  }

  takeSymbol(symbol: string): boolean {
    const token = this.peek
    if (token.kind !== 'symbol' || token.text !== symbol) return false
    this.#at += 1
    return true
  }

  expect(...words: readonly string[]): void {
    if (!this.take(...words)) throw this.unexpected(words.join(' '))
  }

  expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.unexpected(symbol)
  }

  get peek(): DdlToken {
    return this.#tokens[this.#at] ?? (this.#tokens.at(-1) as DdlToken)
  }

  /** A name, folded to lower case. */
  name(): string {
    const token = this.peek
    if (token.kind !== 'word' && token.kind !== 'name') throw this.unexpected('a name')
    this.#at += 1
    return token.text.toLowerCase()
  }

  /** `table` or `database.table`, which Hive also takes as one quoted name. */
  tableName(): { database: string | undefined; table: string } {
    const first = this.name()
    if (this.takeSymbol('.')) return { database: first, table: this.name() }
    const [, database, table = first] = /^([^.]+)\.([^.]+)$/.exec(first) ?? []
    return { database, table }
  }

  string(): string {
    const token = this.peek
    if (token.kind !== 'string') throw this.unexpected('a quoted string')
    this.#at += 1
    return token.text
  }

  /** A string or a number, as text. */
  literal(): string {
    const token = this.peek
    if (token.kind !== 'string' && token.kind !== 'number') throw this.unexpected('a literal')
    this.#at += 1
    return token.text
  }

  /** `( item, item, ... )`. */
  list<Item>(item: () => Item): Item[] {
    this.expectSymbol('(')
    const items = [item()]
    while (this.takeSymbol(',')) items.push(item())
    this.expectSymbol(')')
    return items
  }

  /** `('key' = 'value', ...)`. */
  properties(): Record<string, string> {
    return Object.fromEntries(
      this.list(() => {
        const key = this.string()
        this.expectSymbol('=')
        return [key, this.string()] as const
      }),
    )
  }

  /** A Hive type, in the catalog's spelling. */
  type(): string {
    const token = this.peek
    const name = this.name()
    if (scalarTypes.has(name)) return name
    switch (name) {
      case 'decimal':
        return this.peek.text === '(' ? `decimal(${this.#numbers().join(',')})` : 'decimal(10,0)'
      case 'char':
      case 'varchar':
        return `${name}(${this.#numbers()[0]})`
      case 'array':
        return `array<${this.#inAngles(() => this.type())}>`
      case 'map':
        return `map<${this.#inAngles(() => {
          const key = this.type()
          this.expectSymbol(',')
          return `${key},${this.type()}`
        })}>`
      case 'struct':
        return `struct<${this.#inAngles(() => this.#structFields())}>`
      default:
        throw parseError(token, `cannot recognize input near '${token.text}' in column type`)
    }
  }

  /** Ends the statement, with a semicolon or without. */
  end(): void {
    while (this.takeSymbol(';'));
    if (this.peek.kind !== 'end') throw this.unexpected('the end of the statement')
  }

  unexpected(expected: string): QueryError {
    return parseError(this.peek, `mismatched input '${this.peek.text}' expecting ${expected}`)
  }

  #structFields(): string {
    const fields: string[] = []
    do {
      const name = this.name()
      this.expectSymbol(':')
      fields.push(`${name}:${this.type()}`)
      if (this.take('COMMENT')) this.string()
    } while (this.takeSymbol(','))
    return fields.join(',')
  }

  #inAngles(content: () => string): string {
    this.expectSymbol('<')
    const text = content()
    this.expectSymbol('>')
    return text
  }

  #numbers(): readonly string[] {
    return this.list(() => {
      const token = this.peek
      if (token.kind !== 'number' || !/^\d+$/.test(token.text)) throw this.unexpected('a number')
      return this.literal()
    })
  }
}
