import { RelationParser } from './parser-relation.ts'
import { QueryError } from './query-engine.ts'
import { failure, notSupported } from './query-failure.ts'
import type {
  CommonTableExpression,
  Expression,
  GroupingElement,
  Identifier,
  Position,
  Query,
  QueryBody,
  SelectItem,
  SelectSpecification,
  TableReference,
} from './syntax-tree.ts'
import type { TrinoType } from './trino-type.ts'

/** A statement as read, with every table it may name (names of WITH queries among them). */
export interface ParsedStatement {
  readonly query: Query
  readonly tables: readonly TableReference[]
}

/**
 * Reads one SELECT, VALUES or WITH statement of Trino's SQL.
 *
 * @param parameters SQL text of the value for each `?`, in order; each is one expression without columns.
 * @throws QueryError SYNTAX_ERROR, INVALID_PARAMETER_USAGE, or NOT_SUPPORTED for other statements.
 */
export function parseStatement(sql: string, parameters: readonly string[] = []): ParsedStatement {
  const values = parameters.map((text) => new StatementParser(text, []).standaloneExpression())
  return new StatementParser(sql, values).statement()
}

/** Reads a type as Trino writes it, such as `decimal(18,4)`. @throws QueryError SYNTAX_ERROR, TYPE_NOT_FOUND */
export function parseType(text: string): TrinoType {
  return new StatementParser(text, []).standaloneType()
}

interface Attempt {
  readonly query?: Query
  readonly end: number
  readonly error?: unknown
}

class StatementParser extends RelationParser {
  readonly #values: readonly Expression[]
  /** What was read of queries in parentheses, by where they start: reading them anew would double with every level. */
  readonly #attempts = new Map<number, Attempt>()
  /** The number of each `?` by its place: a part may be read twice. */
  readonly #placeholders = new Map<string, number>()

  constructor(sql: string, values: readonly Expression[]) {
    super(sql)
    this.#values = values
  }

  statement(): ParsedStatement {
    if (!this.startsQuery()) {
      const { kind, text, position } = this.peek()
      if (kind !== 'word') throw this.mismatch('<query>')
      throw notSupported(`statements that start with ${text.toUpperCase()}`, position)
    }
    const query = this.query()
    this.expectEnd()
    const expected = this.#placeholders.size
    if (expected !== this.#values.length) {
      throw failure(
        'INVALID_PARAMETER_USAGE',
        `Incorrect number of parameters: expected ${expected} but found ${this.#values.length}`,
      )
    }
    return { query, tables: this.tables }
  }

  standaloneExpression(): Expression {
    const expression = this.expression()
    this.expectEnd()
    return expression
  }

  standaloneType(): TrinoType {
    const type = this.type()
    this.expectEnd()
    return type
  }

  protected override parameter(position: Position): Expression {
    const place = `${position.line}:${position.column}`
    const index = this.#placeholders.get(place) ?? this.#placeholders.size
    this.#placeholders.set(place, index)
    // One without a value is counted, and reported with the total at the end.
    return { kind: 'parameter', value: this.#values[index] ?? { kind: 'null', position }, position }
  }

  protected override query(): Query {
    const { position } = this
    const ctes: CommonTableExpression[] = []
    if (this.takeWord('with')) {
      if (this.isWord('recursive')) throw notSupported('WITH RECURSIVE', this.position)
      ctes.push(...this.commaSeparated(() => this.#commonTableExpression()))
    }
    const body = this.#queryTerm()
    const orderBy = this.takeWord('order', 'by') ? this.sortItems() : []
    let offset: Expression | undefined
    let limit: Expression | undefined
    if (this.takeWord('offset')) {
      offset = this.#rowCount()
      if (!this.takeWord('row')) this.takeWord('rows')
    }
    if (this.takeWord('limit')) {
      if (!this.takeWord('all')) limit = this.#rowCount()
    } else if (this.takeWord('fetch')) {
      if (!this.takeWord('first') && !this.takeWord('next')) throw this.mismatch("'FIRST', 'NEXT'")
      limit = this.isWord('row') || this.isWord('rows') ? oneRow(this.position) : this.#fetchCount()
      if (!this.takeWord('row') && !this.takeWord('rows')) throw this.mismatch("'ROW', 'ROWS'")
      if (this.isWord('with')) throw notSupported('FETCH ... WITH TIES', this.position)
      this.expectWord('only')
    }
    return {
      kind: 'query',
      with: ctes,
      body,
      orderBy,
      position,
      ...(offset && { offset }),
      ...(limit && { limit }),
    }
  }

  protected override queryBefore(symbol: string): Query | undefined {
    const start = this.mark()
    let attempt = this.#attempts.get(start)
    if (attempt === undefined) {
      attempt = this.#attempt(start, symbol)
      this.#attempts.set(start, attempt)
    }
    if (attempt.error !== undefined) throw attempt.error
    this.rewind(attempt.end)
    return attempt.query
  }

  #attempt(start: number, symbol: string): Attempt {
    try {
      const query = this.query()
      if (this.isSymbol(symbol)) return { query, end: this.mark() }
    } catch (error) {
      // ((SELECT ...) AS a JOIN b ...) and ((SELECT 1) + 1) start like a query and are none.
      this.rewind(start)
      if (!this.isSymbol('(') || !(error instanceof QueryError)) return { error, end: start }
    }
    return { end: start }
  }

  #fetchCount(): Expression {
    const count = this.#rowCount()
    const value = count.kind === 'parameter' ? count.value : count
    if (value.kind === 'number' && Number(value.text) === 0)
      throw failure(
        'NUMERIC_VALUE_OUT_OF_RANGE',
        'FETCH FIRST row count must be positive (actual value: 0)',
        count.position,
      )
    return count
  }

  #rowCount(): Expression {
    const token = this.next()
    if (token.kind === 'integer') {
      return { kind: 'number', form: 'integer', text: token.text, position: token.position }
    }
    if (token.kind === 'symbol' && token.text === '?') return this.parameter(token.position)
    throw failure('SYNTAX_ERROR', `mismatched input '${token.text}'. Expecting: <integer>`, token.position)
  }

  #commonTableExpression(): CommonTableExpression {
    const name = this.identifier()
    const columnNames = this.columnNames()
    this.expectWord('as')
    const query = this.parenthesized(() => this.query())
    return { name, query, ...(columnNames && { columnNames }) }
  }

  #queryTerm(): QueryBody {
    return this.#setOperations(['union', 'except'], () =>
      this.#setOperations(['intersect'], () => this.#queryPrimary()),
    )
  }

  #setOperations(words: readonly ('union' | 'except' | 'intersect')[], operand: () => QueryBody): QueryBody {
    let left = operand()
    while (true) {
      const { position } = this
      const word = words.find((candidate) => this.takeWord(candidate))
      if (word === undefined) return left
      const all = this.takeWord('all')
      if (!all) this.takeWord('distinct')
      const operator = word.toUpperCase() as 'UNION' | 'EXCEPT' | 'INTERSECT'
      left = { kind: 'set-operation', operator, all, left, right: operand(), position }
    }
  }

  #queryPrimary(): QueryBody {
    const { position } = this
    if (this.isSymbol('(')) return this.parenthesized(() => this.query())
    if (this.takeWord('values')) {
      return { kind: 'values', rows: this.commaSeparated(() => this.expression()), position }
    }
    if (this.takeWord('table')) {
      const star: SelectItem = { kind: 'star', qualifier: [], position }
      return {
        kind: 'select',
        distinct: false,
        items: [star],
        from: this.table(),
        groupBy: [],
        windows: [],
        position,
      }
    }
    this.expectWord('select')
    return this.#select(position)
  }

  #select(position: Position): SelectSpecification {
    const distinct = this.takeWord('distinct')
    if (!distinct) this.takeWord('all')
    const items = this.commaSeparated(() => this.#selectItem())
    const from = this.takeWord('from') ? this.fromClause() : undefined
    const where = this.takeWord('where') ? this.expression() : undefined
    const groupBy = this.takeWord('group', 'by') ? this.#groupBy() : []
    const having = this.takeWord('having') ? this.expression() : undefined
    const windows = this.takeWord('window')
      ? this.commaSeparated(() => {
          const name = this.identifier()
          this.expectWord('as')
          return { name, window: this.parenthesized(() => this.windowSpecification()) }
        })
      : []
    return {
      kind: 'select',
      distinct,
      items,
      groupBy,
      windows,
      position,
      ...(from && { from }),
      ...(where && { where }),
      ...(having && { having }),
    }
  }

  #selectItem(): SelectItem {
    const { position } = this
    if (this.takeSymbol('*')) return { kind: 'star', qualifier: [], position }
    const mark = this.mark()
    const qualifier: Identifier[] = []
    while (this.isIdentifier() && this.isSymbol('.', 1)) {
      qualifier.push(this.identifier())
      this.expectSymbol('.')
      if (this.takeSymbol('*')) return { kind: 'star', qualifier, position }
    }
    this.rewind(mark)
    const expression = this.expression()
    const alias = this.optionalAlias()
    return { kind: 'expression', expression, ...(alias && { alias }) }
  }

  #groupBy(): GroupingElement[] {
    if (this.isWord('distinct') || this.isWord('all'))
      throw notSupported('GROUP BY with a set quantifier', this.position)
    return this.commaSeparated((): GroupingElement => {
      const { position } = this
      const set = (): Expression[] =>
        this.isSymbol('(')
          ? this.parenthesized(() => (this.isSymbol(')') ? [] : this.commaSeparated(() => this.expression())))
          : [this.expression()]
      if (this.takeWord('grouping', 'sets')) {
        return { kind: 'sets', position, sets: this.parenthesized(() => this.commaSeparated(set)) }
      }
      for (const kind of ['rollup', 'cube'] as const) {
        if (this.takeWord(kind)) {
          return { kind, position, sets: this.parenthesized(() => this.commaSeparated(set)) }
        }
      }
      if (this.isSymbol('(') && this.isSymbol(')', 1)) return { kind: 'sets', position, sets: [set()] }
      return { kind: 'simple', expression: this.expression() }
    })
  }
}

function oneRow(position: Position): Expression {
  return { kind: 'number', form: 'integer', text: '1', position }
}
