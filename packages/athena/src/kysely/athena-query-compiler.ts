import {
  type CompiledQuery,
  DefaultQueryCompiler,
  type HavingNode,
  type IdentifierNode,
  type OnNode,
  type QueryId,
  type RawNode,
  type RootOperationNode,
  type SelectQueryNode,
  type WhereNode,
} from 'kysely'
import { type SqlValue, sqlLiteral } from '../sql-literal.ts'
import { inlined } from '../sql-parameters.ts'
import { quoteIdentifier } from '../sql-template.ts'
import type { AllowFullScan } from './partition-guard.ts'
import { type BoundTextNode, QueryRewriting } from './query-rewriting.ts'
import type { NamedSource } from './query-source.ts'
import { refuseStatement } from './refusal.ts'
import type { OutputColumn } from './select-outputs.ts'

/** A query for Athena, and what it answers as far as that is known beforehand. */
export interface AthenaCompiledQuery extends CompiledQuery {
  readonly parameters: readonly SqlValue[]
  readonly outputs: readonly OutputColumn[] | undefined
}

/** Writes a query in Athena's SQL: parameters after WHERE, ON and HAVING only, literals everywhere else. */
export class AthenaQueryCompiler extends DefaultQueryCompiler {
  readonly #named: ReadonlyMap<string, NamedSource>
  readonly #allowFullScan: AllowFullScan
  #takesParameters = false

  constructor(named: ReadonlyMap<string, NamedSource>, allowFullScan: AllowFullScan) {
    super()
    this.#named = named
    this.#allowFullScan = allowFullScan
  }

  /**
   * Throws a `ConfigurationError` for what Athena cannot run and for values that are no SQL, a `FullScanError` for tables
   * that would be read whole.
   */
  override compileQuery(node: RootOperationNode, queryId: QueryId): AthenaCompiledQuery {
    if (node.kind !== 'SelectQueryNode' && node.kind !== 'RawNode') refuseStatement(node.kind)
    const { node: rewritten, outputs } = new QueryRewriting(this.#named, this.#allowFullScan).rewrite(node)
    this.#takesParameters = false
    const compiled = super.compileQuery(rewritten as RootOperationNode, queryId)
    return { ...compiled, query: node, parameters: compiled.parameters as readonly SqlValue[], outputs }
  }

  protected override visitWhere(node: WhereNode): void {
    this.#predicate(() => super.visitWhere(node))
  }

  protected override visitOn(node: OnNode): void {
    this.#predicate(() => super.visitOn(node))
  }

  protected override visitHaving(node: HavingNode): void {
    this.#predicate(() => super.visitHaving(node))
  }

  #predicate(visit: () => void): void {
    this.#within(true, visit)
  }

  #within(takesParameters: boolean, visit: () => void): void {
    const before = this.#takesParameters
    this.#takesParameters = takesParameters
    visit()
    this.#takesParameters = before
  }

  protected override visitSelectQuery(node: SelectQueryNode): void {
    this.#within(false, () => super.visitSelectQuery(node))
  }

  protected override visitRaw(node: RawNode): void {
    super.visitRaw(node)
    for (const value of (node as Partial<BoundTextNode>).boundValues ?? []) this.addParameter(value)
  }

  protected override visitIdentifier(node: IdentifierNode): void {
    this.append(quoteIdentifier(node.name))
  }

  protected override appendValue(value: unknown): void {
    const literal = sqlLiteral(value as SqlValue)
    if (this.#takesParameters) super.appendValue(value)
    else this.append(inlined(literal))
  }

  protected override appendImmediateValue(value: unknown): void {
    this.append(inlined(sqlLiteral(value as SqlValue)))
  }

  protected override getCurrentParameterPlaceholder(): string {
    return '?'
  }
}
