import {
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  type OperationNode,
  OperatorNode,
  OrNode,
  ParensNode,
  PrimitiveValueListNode,
  ReferenceNode,
  TableNode,
  ValueNode,
} from 'kysely'
import type { ScopeSource } from './name-scope.ts'

/**
 * What a predicate says of partitions. `written` conditions stand in the query already. An unknown condition, which holds
 * for every partition, is `undefined`.
 */
export type PartitionCondition =
  | {
      readonly kind: 'compare'
      readonly source: ScopeSource
      readonly partition: string
      readonly operator: '=' | '<' | '<=' | '>' | '>='
      readonly value: string
    }
  | {
      readonly kind: 'in'
      readonly source: ScopeSource
      readonly partition: string
      readonly values: readonly string[]
    }
  | { readonly kind: 'is null'; readonly source: ScopeSource; readonly partition: string }
  | {
      readonly kind: 'written'
      readonly source: ScopeSource
      readonly node: OperationNode
      /** It holds for NULL. */
      readonly ofNull: boolean
    }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly PartitionCondition[] }

export const allOf = (parts: readonly (PartitionCondition | undefined)[]): PartitionCondition | undefined => {
  const known = parts.filter((part) => part !== undefined)
  return known.length < 2 ? known[0] : { kind: 'and', parts: known }
}

/** One of them holds, of none at all never; nothing is known when one of them may hold for every partition. */
export const anyOf = (parts: readonly (PartitionCondition | undefined)[]): PartitionCondition | undefined => {
  const known = parts.filter((part) => part !== undefined)
  if (known.length < parts.length) return undefined
  return known.length === 1 ? known[0] : { kind: 'or', parts: known }
}

/** As `anyOf` of conditions of one partition: its values become one list, however many they are. */
export const anyOfPartition = (
  parts: readonly (PartitionCondition | undefined)[],
): PartitionCondition | undefined => {
  const others: (PartitionCondition | undefined)[] = []
  const equal = new Map<string, Extract<PartitionCondition, { kind: 'compare' }>>()
  for (const part of parts) {
    if (part?.kind === 'compare' && part.operator === '=') equal.set(part.value, part)
    else others.push(part)
  }
  const [first] = equal.values()
  if (!first || equal.size === 1) return anyOf([...equal.values(), ...others])
  const { source, partition } = first
  return anyOf([{ kind: 'in', source, partition, values: [...equal.keys()] }, ...others])
}

/** Whether it leaves out partitions of the source; a missing row of an outer join is NULL without any scan. */
export const restricts = (condition: PartitionCondition | undefined, source: ScopeSource): boolean => {
  if (condition === undefined) return false
  switch (condition.kind) {
    case 'and':
      return condition.parts.some((part) => restricts(part, source))
    case 'or':
      return condition.parts.every((part) => restricts(part, source))
    case 'is null':
      return condition.source === source && !source.nullable
    case 'written':
      return condition.source === source && !(condition.ofNull && source.nullable)
    default:
      return condition.source === source
  }
}

const isWritten = (condition: PartitionCondition): boolean =>
  condition.kind === 'and' || condition.kind === 'or'
    ? condition.parts.every(isWritten)
    : condition.kind === 'written'

/** The condition as a tree of Kysely; undefined where all of it stands in the query already. */
export const conditionNode = (condition: PartitionCondition | undefined): OperationNode | undefined => {
  if (condition === undefined || isWritten(condition)) return undefined
  if (condition.kind !== 'and') return nodeOf(condition)
  const parts = condition.parts.filter((part) => !isWritten(part))
  return parts.map(nodeOf).reduce((left, right) => AndNode.create(left, right))
}

const nodeOf = (condition: PartitionCondition): OperationNode => {
  switch (condition.kind) {
    case 'written':
      return ParensNode.create(condition.node)
    case 'and':
      return ParensNode.create(
        condition.parts.map(nodeOf).reduce((left, right) => AndNode.create(left, right)),
      )
    case 'or':
      return condition.parts.length === 0
        ? ValueNode.createImmediate(false)
        : ParensNode.create(condition.parts.map(nodeOf).reduce((left, right) => OrNode.create(left, right)))
    case 'is null':
      return operation(condition, 'is', ValueNode.createImmediate(null))
    case 'in':
      return operation(condition, 'in', PrimitiveValueListNode.create(condition.values))
    case 'compare':
      return operation(condition, condition.operator, ValueNode.create(condition.value))
  }
}

const operation = (
  { source, partition }: { readonly source: ScopeSource; readonly partition: string },
  operator: '=' | '<' | '<=' | '>' | '>=' | 'is' | 'in',
  value: OperationNode,
): OperationNode =>
  BinaryOperationNode.create(
    ReferenceNode.create(ColumnNode.create(partition), TableNode.create(source.name)),
    OperatorNode.create(operator),
    value,
  )
