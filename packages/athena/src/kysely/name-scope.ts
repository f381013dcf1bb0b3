import type { BoundTable } from '@stockpipe/core'
import type { ColumnNode, OperationNode, ReferenceNode } from 'kysely'
import type { NamedSource, SourceColumns, ValueType } from './query-source.ts'

/** What stands in FROM or JOIN, under its alias. */
export interface ScopeSource {
  readonly name: string
  readonly columns: SourceColumns
  /** Set where it is a table of the catalog itself. */
  readonly table: BoundTable | undefined
  /** The source of the builder it is. */
  readonly named?: NamedSource | undefined
  /** On the side of an outer join that may be missing. */
  nullable: boolean
}

/** A column as a reference names it. */
export interface ResolvedColumn extends ValueType {
  readonly source: ScopeSource
  readonly name: string
}

/** The names that a SELECT sees: its sources, its common table expressions, and those of the queries around it. */
export class NameScope {
  readonly sources: ScopeSource[] = []
  readonly commonTables = new Map<string, SourceColumns>()
  readonly #named: ReadonlyMap<string, NamedSource>
  readonly #parent: NameScope | undefined

  constructor(named: ReadonlyMap<string, NamedSource>, parent?: NameScope) {
    this.#named = named
    this.#parent = parent
  }

  inner(): NameScope {
    return new NameScope(this.#named, this)
  }

  /** What a table name stands for: a common table expression, else a source of the builder. */
  tableNamed(name: string): { readonly columns: SourceColumns; readonly named?: NamedSource } | undefined {
    for (let scope: NameScope | undefined = this; scope; scope = scope.#parent) {
      if (scope.commonTables.has(name)) return { columns: scope.commonTables.get(name) }
    }
    const named = this.#named.get(name)
    return named && { columns: named.columns, named }
  }

  /** The column a reference names; undefined for what is not known. */
  column(node: OperationNode): ResolvedColumn | undefined {
    const reference = asReference(node)
    return reference && this.#find(reference.table, reference.column)
  }

  #find(table: string | undefined, name: string): ResolvedColumn | undefined {
    const candidates = this.sources.filter((source) => table === undefined || source.name === table)
    if (candidates.some(({ columns }) => columns === undefined)) return undefined
    const found = candidates.filter(({ columns }) => columns?.has(name))
    if (found.length > 1) return undefined
    const [source] = found
    if (!source) {
      const outer = this.#parent === undefined ? undefined : this.#parent.#find(table, name)
      // A source of this SELECT hides the outer one of its name: nothing can be said of that one here.
      return this.sources.some((inner) => inner.name === outer?.source.name) ? undefined : outer
    }
    const column = source.columns!.get(name)!
    return { ...column, nullable: column.nullable || source.nullable, source, name }
  }
}

/** The names of a column reference without a schema; undefined for `*` and for what is none. */
const asReference = (node: OperationNode): { table: string | undefined; column: string } | undefined => {
  if (node.kind === 'ColumnNode') return { table: undefined, column: (node as ColumnNode).column.name }
  if (node.kind !== 'ReferenceNode') return undefined
  const { column, table } = node as ReferenceNode
  if (column.kind !== 'ColumnNode' || table?.table.schema) return undefined
  return { table: table?.table.identifier.name, column: column.column.name }
}
