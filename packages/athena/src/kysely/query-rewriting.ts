import { BoundTable, ConfigurationError } from '@stockpipe/core'
import {
  AliasNode,
  AndNode,
  type BinaryOperationNode,
  type CaseNode,
  type CommonTableExpressionNode,
  type FunctionNode,
  IdentifierNode,
  type JoinNode,
  type LimitNode,
  type OffsetNode,
  type OperationNode,
  type OrNode,
  ParensNode,
  RawNode,
  type SelectQueryNode,
  type SetOperationNode,
  TableNode,
  type UnaryOperationNode,
  type ValueNode,
  type WithNode,
} from 'kysely'
import type { SqlValue } from '../sql-literal.ts'
import { expressionType } from './expression-type.ts'
import { impliedPartitions } from './implied-partitions.ts'
import { NameScope, type ScopeSource } from './name-scope.ts'
import { apart, oneOperand, oneSetOperand, withOneOperands } from './operand-parentheses.ts'
import { partNode } from './part-node.ts'
import { conditionNode, type PartitionCondition } from './partition-condition.ts'
import { type AllowFullScan, type Filter, refuseFullScans } from './partition-guard.ts'
import type { NamedSource, SourceColumns, ValueType } from './query-source.ts'
import { refuseClauses, refuseExpression } from './refusal.ts'
import { type OutputColumn, readSelections, unitedOutputs } from './select-outputs.ts'
import { typedArguments, typedCase, typedOperands } from './typed-operands.ts'

/** The text of a query with its own values, which `AthenaQueryCompiler` puts in as it is. */
export interface BoundTextNode extends RawNode {
  readonly boundValues: readonly SqlValue[]
}

/** A query as Athena takes it, and what it answers; undefined where the names are not known beforehand. */
export interface RewrittenQuery {
  readonly node: OperationNode
  readonly outputs: readonly OutputColumn[] | undefined
}

const isNode = (value: unknown): value is OperationNode =>
  typeof value === 'object' && value !== null && typeof (value as OperationNode).kind === 'string'

/** Turns the tree that Kysely builds into one that Athena takes, and works out the types of its answer. */
export class QueryRewriting {
  readonly #named: ReadonlyMap<string, NamedSource>
  readonly #allowFullScan: AllowFullScan
  readonly #outputs = new WeakMap<OperationNode, readonly OutputColumn[] | undefined>()

  constructor(named: ReadonlyMap<string, NamedSource>, allowFullScan: AllowFullScan) {
    this.#named = named
    this.#allowFullScan = allowFullScan
  }

  /** Throws a `ConfigurationError` for what Athena cannot run, a `FullScanError` for tables that would be read whole. */
  rewrite(node: OperationNode): RewrittenQuery {
    const scope = new NameScope(this.#named)
    if (node.kind !== 'SelectQueryNode') return { node: this.#expression(node, scope), outputs: undefined }
    const query = this.#select(node as SelectQueryNode, scope, true)
    return { node: query, outputs: query.explain ? undefined : this.#outputs.get(query) }
  }

  #select(node: SelectQueryNode, around: NameScope, atRoot: boolean): SelectQueryNode {
    refuseClauses(node)
    const commonTables = around.inner()
    const withNode = node.with && this.#with(node.with, commonTables)
    const scope = commonTables.inner()
    const froms = node.from?.froms.map((from) => {
      const { node: table, source } = this.#source(from, scope)
      scope.sources.push(source)
      return table
    })
    const filters: Filter[] = []
    const joins = node.joins?.map((join) => this.#join(join, scope, filters))
    const implied = node.where && impliedPartitions(node.where.where, scope)
    filters.push({ condition: implied, sources: scope.sources })
    refuseFullScans(scope.sources, filters, this.#allowFullScan)
    const inner = <N extends OperationNode>(clause: N): N => this.#expression(clause, scope)
    const setOperations = node.setOperations?.map((operation) =>
      this.#setOperation(operation, commonTables, atRoot),
    )
    const { selections, outputs } = readSelections(
      (node.selections ?? []).map(inner),
      scope,
      (expression) => this.#typeOf(expression, scope),
      atRoot,
    )
    const query = {
      ...node,
      ...(withNode && { with: withNode }),
      ...(froms && { from: { ...node.from!, froms } }),
      ...(joins && { joins }),
      selections,
      ...(node.where && { where: { ...node.where, where: this.#filter(node.where.where, implied, scope) } }),
      ...(node.groupBy && { groupBy: inner(node.groupBy) }),
      ...(node.having && { having: inner(node.having) }),
      ...(node.orderBy && { orderBy: inner(node.orderBy) }),
      ...(setOperations && { setOperations }),
      ...limits(node),
    } as SelectQueryNode
    const others = setOperations?.map(({ expression }) => this.#outputsOf(expression)) ?? []
    this.#outputs.set(
      query,
      others.reduce((first, second) => unitedOutputs(first, second), outputs),
    )
    return query
  }

  #outputsOf(node: OperationNode): readonly OutputColumn[] | undefined {
    return this.#outputs.get(node.kind === 'ParensNode' ? (node as ParensNode).node : node)
  }

  #typeOf(node: OperationNode, scope: NameScope): ValueType {
    return expressionType(node, scope, (query) => this.#outputsOf(query)?.[0])
  }

  #with(node: WithNode, scope: NameScope): WithNode {
    return {
      ...node,
      expressions: node.expressions.map((one) => {
        const name = one.name.table.table.identifier.name
        if (node.recursive) scope.commonTables.set(name, undefined)
        const expression = this.#query(one.expression, scope)
        const columns = columnsByName(this.#outputsOf(expression))
        const names = one.name.columns?.map(({ column }) => column.name)
        scope.commonTables.set(name, names ? renamed(columns, names) : columns)
        const { materialized: _, ...plain } = one
        return { ...plain, expression } as CommonTableExpressionNode
      }),
    }
  }

  #setOperation(node: SetOperationNode, scope: NameScope, atRoot: boolean): SetOperationNode {
    return { ...node, expression: this.#query(oneSetOperand(node.expression), scope, atRoot) }
  }

  /** A query that may stand in parentheses. */
  #query(node: OperationNode, scope: NameScope, atRoot = false): OperationNode {
    if (node.kind === 'SelectQueryNode') return this.#select(node as SelectQueryNode, scope, atRoot)
    if (node.kind !== 'ParensNode') return this.#expression(node, scope)
    return ParensNode.create(this.#query((node as ParensNode).node, scope, atRoot))
  }

  #join(node: JoinNode, scope: NameScope, filters: Filter[]): JoinNode {
    const { node: table, source } = this.#source(node.table, scope)
    if (['RightJoin', 'FullJoin'].includes(node.joinType))
      for (const one of scope.sources) one.nullable = true
    scope.sources.push(source)
    if (['LeftJoin', 'FullJoin', 'LateralLeftJoin'].includes(node.joinType)) source.nullable = true
    if (!node.on) return { ...node, table }
    const condition = impliedPartitions(node.on.on, scope)
    filters.push({ condition, sources: filteredByJoin(node.joinType, source, scope.sources) })
    return { ...node, table, on: { ...node.on, on: this.#filter(node.on.on, condition, scope) } }
  }

  /** What stands in FROM or JOIN, with its name and its columns. */
  #source(node: OperationNode, scope: NameScope): { node: OperationNode; source: ScopeSource } {
    const aliased = node.kind === 'AliasNode' ? (node as AliasNode) : undefined
    const relation = aliased ? aliased.node : node
    const alias =
      aliased?.alias.kind === 'IdentifierNode' ? (aliased.alias as IdentifierNode).name : undefined
    const tableName = plainTableName(relation)
    const found = tableName === undefined ? undefined : scope.tableNamed(tableName)
    if (found === undefined) {
      const query = this.#query(relation, scope)
      const columns = columnsByName(this.#outputsOf(query))
      return {
        node: aliased ? AliasNode.create(query, aliased.alias) : query,
        source: { name: alias ?? tableName ?? '', columns, table: undefined, nullable: false },
      }
    }
    const name = alias ?? tableName!
    const { columns, named } = found
    const table = named?.source instanceof BoundTable ? named.source : undefined
    return {
      node: named ? AliasNode.create(sourceNode(named), IdentifierNode.create(name)) : node,
      source: { name, columns, table, named, nullable: false },
    }
  }

  /** A predicate with what it implies of partitions. */
  #filter(node: OperationNode, condition: PartitionCondition | undefined, scope: NameScope): OperationNode {
    const rewritten = this.#expression(node, scope)
    const implied = conditionNode(condition)
    return implied ? AndNode.create(apart(rewritten), implied) : rewritten
  }

  /** Any other node, with what stands in it. */
  #expression<N extends OperationNode>(node: N, scope: NameScope): N {
    refuseExpression(node)
    switch (node.kind) {
      case 'SelectQueryNode':
        return this.#select(node as OperationNode as SelectQueryNode, scope, false) as OperationNode as N
      case 'ValueNode':
      case 'PrimitiveValueListNode':
      case 'ReferenceNode':
        return node
      case 'TableNode': {
        const named = scope.tableNamed(plainTableName(node) ?? '')?.named
        return (named ? sourceNode(named) : node) as OperationNode as N
      }
    }
    const parts = Object.entries(node).map(([key, value]) => [
      key,
      Array.isArray(value)
        ? value.map((one) => (isNode(one) ? this.#expression(one, scope) : one))
        : isNode(value)
          ? this.#expression(value, scope)
          : value,
    ])
    const rewritten: N = { ...node, ...Object.fromEntries(parts) }
    return this.#operation(rewritten, scope) as N
  }

  /** An operation whose operands are rewritten, as the tree has them and as Athena compares them. */
  #operation(node: OperationNode, scope: NameScope): OperationNode {
    const typeOf = (operand: OperationNode) => this.#typeOf(operand, scope)
    switch (node.kind) {
      case 'AndNode':
      case 'OrNode': {
        const { left, right } = node as AndNode | OrNode
        return { ...node, left: apart(left), right: apart(right) } as AndNode | OrNode
      }
      case 'UnaryOperationNode': {
        const { operand } = node as UnaryOperationNode
        return { ...node, operand: apart(oneOperand(operand)) } as UnaryOperationNode
      }
      case 'BinaryOperationNode':
        return typedOperands(withOneOperands(node as BinaryOperationNode), typeOf)
      case 'CaseNode':
        return typedCase(node as CaseNode, typeOf)
      case 'FunctionNode':
        return typedArguments(node as FunctionNode, typeOf)
      default:
        return node
    }
  }
}

/** The sources whose rows an ON filters: not those whose rows an outer join keeps. */
const filteredByJoin = (
  joinType: JoinNode['joinType'],
  joined: ScopeSource,
  sources: readonly ScopeSource[],
): readonly ScopeSource[] => {
  switch (joinType) {
    case 'LeftJoin':
    case 'LateralLeftJoin':
      return [joined]
    case 'RightJoin':
      return sources.filter((source) => source !== joined)
    case 'FullJoin':
      return []
    default:
      return [...sources]
  }
}

const plainTableName = (node: OperationNode): string | undefined => {
  if (node.kind !== 'TableNode') return undefined
  const { table } = node as TableNode
  return table.schema ? undefined : table.identifier.name
}

const sourceNode = ({ source, part }: NamedSource): OperationNode => {
  if (source instanceof BoundTable) {
    const table = TableNode.createWithSchema(source.database, source.table.name)
    return part?.selections ? partNode(table, part.selections) : table
  }
  const text: BoundTextNode = {
    ...RawNode.createWithSql(source.sql),
    boundValues: source.parameters,
  }
  return ParensNode.create(text)
}

const columnsByName = (outputs: readonly OutputColumn[] | undefined): SourceColumns =>
  outputs && new Map(outputs.map(({ name, ...type }) => [name, type]))

const renamed = (columns: SourceColumns, names: readonly string[]): SourceColumns =>
  columns && new Map([...columns.values()].map((type, index) => [names[index] ?? '', type]))

/** Athena takes OFFSET before LIMIT, and both as plain numbers: they change places, and the compiler goes by kind. */
const limits = ({ limit, offset }: SelectQueryNode): { limit?: unknown; offset?: unknown } => ({
  limit: offset && ({ ...offset, offset: wholeNumber(offset.offset, 'OFFSET') } satisfies OffsetNode),
  offset: limit && ({ ...limit, limit: wholeNumber(limit.limit, 'LIMIT') } satisfies LimitNode),
})

const wholeNumber = (node: OperationNode, clause: string): OperationNode => {
  const value = node.kind === 'ValueNode' ? (node as ValueNode).value : undefined
  if ((typeof value === 'bigint' || Number.isSafeInteger(value)) && Number(value) >= 0) {
    return RawNode.createWithSql(String(value))
  }
  throw new ConfigurationError({
    code: 'LIMIT_INVALID',
    message: `${clause} is a whole number from 0 on; Athena takes no expression there${value === undefined ? '' : `, and ${String(value)} is none`}.`,
  })
}
