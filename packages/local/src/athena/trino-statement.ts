import { failure, notSupported } from '../sql/query-failure.ts'
import { TokenStream } from '../sql/token-stream.ts'
import { withoutSemicolon } from './statement-kind.ts'

/** A table as a statement names it, lower-cased. */
export interface StatementTable {
  readonly database: string | undefined
  readonly table: string
}

/** The value of a property in `WITH (name = value, ...)`. */
export type PropertyValue = string | number | boolean | readonly string[]

export type Properties = ReadonlyMap<string, PropertyValue>

/** A statement of Trino's that is no query, with the query within it as text whose lines and columns stay. */
export type TrinoStatement =
  | (StatementTable & {
      readonly kind: 'create-table-as'
      readonly ifNotExists: boolean
      readonly properties: Properties
      readonly query: string
      readonly withData: boolean
    })
  | (StatementTable & {
      readonly kind: 'insert'
      readonly columns: readonly string[] | undefined
      readonly query: string
    })
  | {
      readonly kind: 'unload'
      readonly query: string
      readonly location: string
      readonly properties: Properties
    }
  | (StatementTable & { readonly kind: 'create-view'; readonly orReplace: boolean; readonly query: string })
  | (StatementTable & { readonly kind: 'drop-view'; readonly ifExists: boolean })
  | (StatementTable & { readonly kind: 'show-create-view' })
  | {
      readonly kind: 'show-views'
      readonly database: string | undefined
      readonly pattern: string | undefined
    }
  | { readonly kind: 'explain'; readonly statement: string; readonly validate: boolean }
  | { readonly kind: 'prepare'; readonly name: string; readonly statement: string }
  | { readonly kind: 'execute'; readonly name: string; readonly parameters: readonly string[] }
  | { readonly kind: 'deallocate'; readonly name: string }

/** Parses a statement that `statementKindOf` sends here. @throws QueryError SYNTAX_ERROR, NOT_SUPPORTED */
export function parseTrinoStatement(sql: string): TrinoStatement {
  return new TrinoStatementParser(sql).statement()
}

class TrinoStatementParser extends TokenStream {
  readonly #sql: string
  readonly #lineStarts: readonly number[]

  constructor(sql: string) {
    const statement = withoutSemicolon(sql)
    super(statement)
    this.#sql = statement
    this.#lineStarts = [0, ...[...statement.matchAll(/\n/g)].map(({ index }) => index + 1)]
  }

  statement(): TrinoStatement {
    for (let ahead = 0; this.peek(ahead).kind !== 'end'; ahead += 1) {
      if (!this.isSymbol(';', ahead)) continue
      const { position } = this.peek(ahead)
      throw failure('SYNTAX_ERROR', 'Only one sql statement is allowed', position)
    }
    if (this.takeWord('create', 'table')) return this.#createTableAs()
    if (this.takeWord('create', 'or', 'replace', 'view')) return this.#createView(true)
    if (this.takeWord('create', 'view')) return this.#createView(false)
    if (this.takeWord('drop', 'view')) {
      const ifExists = this.takeWord('if', 'exists')
      return this.#atEnd({ kind: 'drop-view', ifExists, ...this.#table() })
    }
    if (this.takeWord('show', 'create', 'view')) {
      return this.#atEnd({ kind: 'show-create-view', ...this.#table() })
    }
    if (this.takeWord('show', 'views')) return this.#showViews()
    if (this.takeWord('insert')) {
      this.expectWord('into')
      return this.#insert()
    }
    if (this.takeWord('unload')) return this.#unload()
    if (this.takeWord('explain')) return this.#explain()
    if (this.takeWord('prepare')) {
      const name = this.identifier().value
      this.expectWord('from')
      return { kind: 'prepare', name, statement: this.#rest().trim() }
    }
    if (this.takeWord('execute')) return this.#execute()
    if (this.takeWord('deallocate', 'prepare')) {
      return this.#atEnd({ kind: 'deallocate', name: this.identifier().value })
    }
    throw this.mismatch('<statement>')
  }

  #createTableAs(): TrinoStatement {
    const ifNotExists = this.takeWord('if', 'not', 'exists')
    const name = this.#table()
    if (this.isSymbol('(')) {
      throw notSupported('CREATE TABLE with columns: CREATE EXTERNAL TABLE makes one', this.position)
    }
    const properties = this.takeWord('with') ? this.#properties() : new Map()
    this.expectWord('as')
    const start = this.position
    const { end, withData } = this.#withData()
    if (end <= this.#offset())
      throw failure('SYNTAX_ERROR', "mismatched input '<EOF>'. Expecting: <query>", start)
    return {
      kind: 'create-table-as',
      ...name,
      ifNotExists,
      properties,
      query: this.#between(this.#offset(), end),
      withData,
    }
  }

  /** Where the query ends: before `WITH [NO] DATA` at the statement's end. */
  #withData(): { end: number; withData: boolean } {
    let ahead = 0
    while (this.peek(ahead).kind !== 'end') ahead += 1
    for (const words of [
      ['with', 'no', 'data'],
      ['with', 'data'],
    ]) {
      const start = ahead - words.length
      if (start < 0 || !words.every((word, i) => this.isWord(word, start + i))) continue
      return { end: this.#offset(start), withData: words.length === 2 }
    }
    return { end: this.#sql.length, withData: true }
  }

  #createView(orReplace: boolean): TrinoStatement {
    const name = this.#table()
    if (this.isWord('comment') || this.isWord('security')) {
      throw notSupported(`CREATE VIEW with ${this.peek().text.toUpperCase()}`, this.position)
    }
    this.expectWord('as')
    return { kind: 'create-view', ...name, orReplace, query: this.#rest() }
  }

  #showViews(): TrinoStatement {
    const database = this.takeWord('in') || this.takeWord('from') ? this.identifier().value : undefined
    this.takeWord('like')
    const pattern = this.peek().kind === 'string' ? this.next().text : undefined
    return this.#atEnd({ kind: 'show-views', database: database?.toLowerCase(), pattern })
  }

  #insert(): TrinoStatement {
    const name = this.#table()
    const mark = this.mark()
    let columns: readonly string[] | undefined
    // A parenthesis may open the query too.
    if (this.takeSymbol('(') && this.isIdentifier()) {
      columns = this.commaSeparated(() => this.identifier().value.toLowerCase())
      this.expectSymbol(')')
    } else this.rewind(mark)
    return { kind: 'insert', ...name, columns, query: this.#rest() }
  }

  #unload(): TrinoStatement {
    this.expectSymbol('(')
    const start = this.#offset()
    for (let depth = 1; ; ) {
      if (this.peek().kind === 'end') throw this.mismatch("')'")
      if (this.isSymbol('(')) depth += 1
      if (this.isSymbol(')')) depth -= 1
      if (depth === 0) break
      this.next()
    }
    const end = this.#offset()
    this.expectSymbol(')')
    this.expectWord('to')
    const location = this.#string()
    const properties = this.takeWord('with') ? this.#properties() : new Map()
    return this.#atEnd({ kind: 'unload', query: this.#between(start, end), location, properties })
  }

  #explain(): TrinoStatement {
    if (this.isWord('analyze')) throw notSupported('EXPLAIN ANALYZE', this.position)
    let validate = false
    if (this.isSymbol('(') && (this.isWord('format', 1) || this.isWord('type', 1))) {
      this.parenthesized(() =>
        this.commaSeparated(() => {
          const { position } = this
          const option = `${this.next().text} ${this.next().text}`.toUpperCase()
          if (option === 'TYPE VALIDATE') validate = true
          else if (option !== 'FORMAT TEXT' && option !== 'TYPE LOGICAL' && option !== 'TYPE DISTRIBUTED') {
            throw notSupported(`EXPLAIN (${option})`, position)
          }
        }),
      )
    }
    return { kind: 'explain', statement: this.#rest(), validate }
  }

  #execute(): TrinoStatement {
    const name = this.identifier().value
    const parameters: string[] = []
    if (this.takeWord('using')) {
      do {
        const start = this.#offset()
        for (let depth = 0; this.peek().kind !== 'end'; this.next()) {
          if (this.isSymbol('(') || this.isSymbol('[')) depth += 1
          if (this.isSymbol(')') || this.isSymbol(']')) depth -= 1
          if (depth === 0 && this.isSymbol(',')) break
        }
        const text = this.#sql.slice(start, this.#offset()).trim()
        if (text === '') throw this.mismatch('<expression>')
        parameters.push(text)
      } while (this.takeSymbol(','))
    }
    return this.#atEnd({ kind: 'execute', name, parameters })
  }

  #properties(): Properties {
    const properties = new Map<string, PropertyValue>()
    this.parenthesized(() =>
      this.commaSeparated(() => {
        const { position } = this
        const name = this.identifier().value.toLowerCase()
        this.expectSymbol('=')
        if (properties.has(name)) {
          throw failure('DUPLICATE_PROPERTY', `Duplicate property: ${name}`, position)
        }
        properties.set(name, this.#propertyValue())
      }),
    )
    return properties
  }

  #propertyValue(): PropertyValue {
    if (this.takeWord('array')) {
      this.expectSymbol('[')
      const values = this.isSymbol(']') ? [] : this.commaSeparated(() => this.#string())
      this.expectSymbol(']')
      return values
    }
    if (this.takeWord('true')) return true
    if (this.takeWord('false')) return false
    return this.peek().kind === 'integer' ? this.integer() : this.#string()
  }

  #string(): string {
    if (this.peek().kind !== 'string') throw this.mismatch('<string>')
    return this.next().text
  }

  #table(): StatementTable {
    const { position } = this
    const parts = [this.identifier().value.toLowerCase()]
    while (this.takeSymbol('.')) parts.push(this.identifier().value.toLowerCase())
    const catalog = parts.at(-3)
    if (parts.length > 3 || (catalog !== undefined && catalog !== 'awsdatacatalog')) {
      throw failure('CATALOG_NOT_FOUND', `Catalog '${parts.slice(0, -2).join('.')}' not found`, position)
    }
    return { database: parts.at(-2), table: parts.at(-1)! }
  }

  /** What is left of the statement. */
  #rest(): string {
    if (this.peek().kind === 'end') throw this.mismatch('<query>')
    return this.#between(this.#offset(), this.#sql.length)
  }

  /** A part of the statement where it stands: what is before it becomes blanks, so that errors name the right place. */
  #between(start: number, end: number): string {
    return this.#sql.slice(0, start).replace(/[^\n]/g, ' ') + this.#sql.slice(start, end)
  }

  #offset(ahead = 0): number {
    const token = this.peek(ahead)
    if (token.kind === 'end') return this.#sql.length
    return this.#lineStarts[token.position.line - 1]! + token.position.column - 1
  }

  #atEnd<Statement extends TrinoStatement>(statement: Statement): Statement {
    if (this.peek().kind !== 'end') throw this.mismatch('<EOF>')
    return statement
  }
}
