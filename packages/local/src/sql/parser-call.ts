import { notSupported } from './query-failure.ts'
import type { Expression, FrameBound, Identifier, SortItem, WindowSpecification } from './syntax-tree.ts'
import { TokenStream } from './token-stream.ts'

/** Calls with what may follow their arguments, sort items and windows. */
export abstract class CallParser extends TokenStream {
  protected abstract expression(): Expression

  protected call(name: Identifier): Expression {
    this.expectSymbol('(')
    let star = false
    let distinct = false
    let args: Expression[] = []
    let orderBy: SortItem[] = []
    if (this.takeSymbol('*')) star = true
    else if (!this.isSymbol(')')) {
      distinct = this.takeWord('distinct')
      if (!distinct) this.takeWord('all')
      args = this.commaSeparated(() => this.expression())
      if (this.takeWord('order', 'by')) orderBy = this.sortItems()
      if (this.isWord('on')) throw notSupported('ON OVERFLOW', this.position)
    }
    this.expectSymbol(')')
    if (name.value.toLowerCase() === 'listagg') orderBy = this.#withinGroup()
    const filter = this.isWord('filter') && this.isSymbol('(', 1) ? this.#filter() : undefined
    let ignoreNulls = this.takeWord('ignore', 'nulls')
    if (!ignoreNulls) this.takeWord('respect', 'nulls')
    const over = this.takeWord('over') ? this.#over() : undefined
    if (over !== undefined && this.takeWord('ignore', 'nulls')) ignoreNulls = true
    return {
      kind: 'call',
      name: name.value.toLowerCase(),
      arguments: args,
      star,
      distinct,
      orderBy,
      ignoreNulls,
      position: name.position,
      ...(filter && { filter }),
      ...(over && { over }),
    }
  }

  #withinGroup(): SortItem[] {
    this.expectWord('within', 'group')
    return this.parenthesized(() => {
      this.expectWord('order', 'by')
      return this.sortItems()
    })
  }

  #filter(): Expression {
    this.expectWord('filter')
    return this.parenthesized(() => {
      this.expectWord('where')
      return this.expression()
    })
  }

  #over(): WindowSpecification | Identifier {
    return this.isSymbol('(') ? this.parenthesized(() => this.windowSpecification()) : this.identifier()
  }

  protected sortItems(): SortItem[] {
    return this.commaSeparated(() => {
      const expression = this.expression()
      const descending = this.takeWord('desc')
      if (!descending) this.takeWord('asc')
      const nullsFirst = this.takeWord('nulls', 'first')
      if (!nullsFirst) this.takeWord('nulls', 'last')
      return { expression, descending, nullsFirst }
    })
  }

  protected windowSpecification(): WindowSpecification {
    const startsClause = ['partition', 'order', 'rows', 'range', 'groups'].some((word) => this.isWord(word))
    const base = !startsClause && this.isIdentifier() ? this.identifier() : undefined
    const partitionBy = this.takeWord('partition', 'by') ? this.commaSeparated(() => this.expression()) : []
    const orderBy = this.takeWord('order', 'by') ? this.sortItems() : []
    const unit = (['ROWS', 'RANGE', 'GROUPS'] as const).find((word) => this.takeWord(word.toLowerCase()))
    if (unit === undefined) return { partitionBy, orderBy, ...(base && { base }) }
    let start: FrameBound
    let end: FrameBound = { kind: 'current-row' }
    if (this.takeWord('between')) {
      start = this.#frameBound()
      this.expectWord('and')
      end = this.#frameBound()
    } else {
      start = this.#frameBound()
    }
    return { partitionBy, orderBy, frame: { unit, start, end }, ...(base && { base }) }
  }

  #frameBound(): FrameBound {
    if (this.takeWord('unbounded', 'preceding')) return { kind: 'unbounded-preceding' }
    if (this.takeWord('unbounded', 'following')) return { kind: 'unbounded-following' }
    if (this.takeWord('current', 'row')) return { kind: 'current-row' }
    const offset = this.expression()
    if (this.takeWord('preceding')) return { kind: 'preceding', offset }
    if (this.takeWord('following')) return { kind: 'following', offset }
    throw this.mismatch("'FOLLOWING', 'PRECEDING'")
  }
}
