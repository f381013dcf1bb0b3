import type {
  AndNode,
  BinaryOperationNode,
  OperationNode,
  OperatorNode,
  OrNode,
  ParensNode,
  PrimitiveValueListNode,
  UnaryOperationNode,
  ValueListNode,
  ValueNode,
} from 'kysely'
import type { NameScope, ResolvedColumn } from './name-scope.ts'
import { allOf, anyOf, type PartitionCondition } from './partition-condition.ts'
import { type Comparison, comparedPartitions, listedPartitions, nullPartitions } from './partition-mapping.ts'

const negations: Readonly<Record<string, string>> = {
  '=': '!=',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
  in: 'not in',
  between: 'not between',
  is: 'is not',
}

const mirrored: Readonly<Record<string, Comparison>> = {
  '=': '=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
}

/**
 * What has to hold of partitions for a predicate to be true of a row: whoever adds it to the predicate loses no row.
 * A row is in the partitions that its columns say; those that a join has not found have NULL for both.
 */
export const impliedPartitions = (
  node: OperationNode,
  scope: NameScope,
  negated = false,
): PartitionCondition | undefined => {
  const of = (inner: OperationNode, negate = negated) => impliedPartitions(inner, scope, negate)
  switch (node.kind) {
    case 'ParensNode':
      return of((node as ParensNode).node)
    case 'AndNode':
    case 'OrNode': {
      const { left, right } = node as AndNode | OrNode
      const parts = [of(left), of(right)]
      return (node.kind === 'AndNode') === negated ? anyOf(parts) : allOf(parts)
    }
    case 'UnaryOperationNode': {
      const { operator, operand } = node as UnaryOperationNode
      return (operator as OperatorNode).operator === 'not' ? of(operand, !negated) : undefined
    }
    case 'BinaryOperationNode':
      return ofComparison(node as BinaryOperationNode, scope, negated)
    default:
      return undefined
  }
}

const ofComparison = (
  node: BinaryOperationNode,
  scope: NameScope,
  negated: boolean,
): PartitionCondition | undefined => {
  const { leftOperand, operator, rightOperand } = node
  if (operator.kind !== 'OperatorNode') return undefined
  const written = (operator as OperatorNode).operator
  const name = negated ? negations[written] : written
  const left = scope.column(leftOperand)
  if (left?.source.table) return ofColumn(left, name, rightOperand, node, negated)
  const right = scope.column(rightOperand)
  const mirror = mirrored[name ?? '']
  return right?.source.table && mirror ? ofColumn(right, mirror, leftOperand, node, negated) : undefined
}

/** A column of a table beside an operator and something else. */
const ofColumn = (
  column: ResolvedColumn,
  name: string | undefined,
  other: OperationNode,
  node: BinaryOperationNode,
  negated: boolean,
): PartitionCondition | undefined => {
  const isPartition = column.source.table!.table.partitions.some(
    (partition) => partition.name === column.name,
  )
  if (isPartition) return ofPartition(column, name, other, node, negated)
  switch (name) {
    case '=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return other.kind === 'ValueNode'
        ? comparedPartitions(column, name, (other as ValueNode).value)
        : undefined
    case 'is':
    case 'is not distinct from': {
      if (other.kind !== 'ValueNode') return undefined
      const { value } = other as ValueNode
      return value === null ? nullPartitions(column) : comparedPartitions(column, '=', value)
    }
    case 'in': {
      const values = listed(other)
      return values && listedPartitions(column, values)
    }
    case 'between':
    case 'not between': {
      if (other.kind !== 'AndNode') return undefined
      const { left, right } = other as AndNode
      if (left.kind !== 'ValueNode' || right.kind !== 'ValueNode') return undefined
      const low = (left as ValueNode).value
      const high = (right as ValueNode).value
      return name === 'between'
        ? allOf([comparedPartitions(column, '>=', low), comparedPartitions(column, '<=', high)])
        : anyOf([comparedPartitions(column, '<', low), comparedPartitions(column, '>', high)])
    }
    default:
      return undefined
  }
}

/** The values of a list of constants; undefined when one of them is no constant. */
const listed = (node: OperationNode): readonly unknown[] | undefined => {
  if (node.kind === 'PrimitiveValueListNode') return (node as PrimitiveValueListNode).values
  if (node.kind !== 'ValueListNode') return undefined
  const { values } = node as ValueListNode
  return values.every(({ kind }) => kind === 'ValueNode')
    ? values.map((value) => (value as ValueNode).value)
    : undefined
}

const narrowing = new Set(['=', '<', '<=', '>', '>=', 'in', 'between', 'is', 'is not distinct from', 'like'])

/** A predicate on a partition itself. Beside another column it names no partitions; beside anything else it does. */
const ofPartition = (
  { source }: ResolvedColumn,
  name: string | undefined,
  other: OperationNode,
  node: BinaryOperationNode,
  negated: boolean,
): PartitionCondition | undefined => {
  if (negated || name === undefined || !narrowing.has(name)) return undefined
  if (other.kind === 'ReferenceNode' || other.kind === 'ColumnNode') return undefined
  const ofNull = (name === 'is' || name === 'is not distinct from') && !isConstant(other)
  return { kind: 'written', source, node, ofNull }
}

/** A value that is not NULL. */
const isConstant = (node: OperationNode): boolean =>
  node.kind === 'ValueNode' && (node as ValueNode).value !== null
