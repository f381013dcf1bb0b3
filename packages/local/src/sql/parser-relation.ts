import { ExpressionParser } from './parser-expression.ts'
import { notSupported } from './query-failure.ts'
import type { Identifier, RelationNode, TableReference } from './syntax-tree.ts'

/** What stands in FROM. */
export abstract class RelationParser extends ExpressionParser {
  /** Every table read so far, names of WITH queries among them. */
  protected readonly tables: TableReference[] = []

  protected columnNames(): Identifier[] | undefined {
    if (!this.isSymbol('(')) return undefined
    return this.parenthesized(() => this.commaSeparated(() => this.identifier()))
  }

  protected fromClause(): RelationNode {
    let left = this.#joins()
    while (this.isSymbol(',')) {
      const { position } = this.next()
      left = { kind: 'join', type: 'CROSS', left, right: this.#joins(), position }
    }
    return left
  }

  #joins(): RelationNode {
    let left = this.#aliased()
    while (true) {
      const { position } = this
      if (this.isWord('natural')) throw notSupported('NATURAL joins', position)
      if (this.takeWord('cross', 'join')) {
        left = { kind: 'join', type: 'CROSS', left, right: this.#aliased(), position }
        continue
      }
      const type = this.#joinType()
      if (type === undefined) return left
      const right = this.#aliased()
      if (this.takeWord('using')) {
        left = { kind: 'join', type, left, right, using: this.columnNames() ?? [], position }
      } else {
        this.expectWord('on')
        left = { kind: 'join', type, left, right, on: this.expression(), position }
      }
    }
  }

  #joinType(): 'INNER' | 'LEFT' | 'RIGHT' | 'FULL' | undefined {
    if (this.takeWord('join') || this.takeWord('inner', 'join')) return 'INNER'
    for (const type of ['LEFT', 'RIGHT', 'FULL'] as const) {
      if (this.takeWord(type.toLowerCase())) {
        this.takeWord('outer')
        this.expectWord('join')
        return type
      }
    }
    return undefined
  }

  #aliased(): RelationNode {
    const { position } = this
    const relation = this.#relationPrimary()
    this.#refuseSampling()
    const alias = this.optionalAlias()
    if (alias === undefined) return relation
    const columnNames = this.columnNames()
    this.#refuseSampling()
    return { kind: 'aliased', relation, alias, position, ...(columnNames && { columnNames }) }
  }

  #refuseSampling(): void {
    if (this.isWord('tablesample') || this.isWord('match_recognize'))
      throw notSupported(this.peek().text.toUpperCase(), this.position)
  }

  #relationPrimary(): RelationNode {
    const { position } = this
    if (this.isWord('lateral')) throw notSupported('LATERAL', position)
    if (this.takeWord('unnest')) {
      const expressions = this.parenthesized(() => this.commaSeparated(() => this.expression()))
      return { kind: 'unnest', expressions, withOrdinality: this.takeWord('with', 'ordinality'), position }
    }
    if (this.isWord('table') && this.isSymbol('(', 1)) throw notSupported('table functions', position)
    if (!this.isSymbol('(')) return this.table()
    return this.parenthesized((): RelationNode => {
      if (!this.startsQuery()) return this.fromClause()
      const query = this.queryBefore(')')
      return query === undefined ? this.fromClause() : { kind: 'subquery-relation', query, position }
    })
  }

  protected table(): TableReference {
    const { position } = this
    const parts = [this.identifier()]
    while (this.takeSymbol('.')) parts.push(this.identifier())
    if (this.isWord('for') && (this.isWord('timestamp', 1) || this.isWord('version', 1))) {
      throw notSupported('FOR TIMESTAMP or VERSION AS OF', this.position)
    }
    const reference: TableReference = { kind: 'table', parts, position }
    this.tables.push(reference)
    return reference
  }
}
