import type { Scope } from './scope.ts'
import type { ComparisonOperator, Expression } from './syntax-tree.ts'
import { isInteger, type TrinoType } from './trino-type.ts'

/** Says of a partition key's value whether files of a partition with it may hold rows that a condition keeps. */
export type PartitionValuePredicate = (value: string | null) => boolean

/** A partition key of a scan, as a field carries it. */
export interface PartitionKeyReference {
  readonly addPredicate: (predicate: PartitionValuePredicate) => void
  readonly type: TrinoType
}

/**
 * Hands each scan the parts of a condition that its partition keys decide: comparisons with literals, BETWEEN and
 * IN, joined by AND. What is of another form prunes nothing; the condition itself is evaluated all the same.
 */
export function prunePartitions(condition: Expression, scope: Scope): void {
  if (condition.kind === 'logical' && condition.operator === 'AND') {
    for (const operand of condition.operands) prunePartitions(operand, scope)
    return
  }
  if (condition.kind === 'between') {
    const low: Expression = {
      ...condition,
      kind: 'comparison',
      operator: '>=',
      left: condition.operand,
      right: condition.low,
    }
    const high: Expression = {
      ...condition,
      kind: 'comparison',
      operator: '<=',
      left: condition.operand,
      right: condition.high,
    }
    prunePartitions(low, scope)
    prunePartitions(high, scope)
    return
  }
  if (condition.kind === 'comparison') {
    pruneComparison(condition.operator, condition.left, condition.right, scope)
    pruneComparison(mirrored[condition.operator], condition.right, condition.left, scope)
    return
  }
  if (condition.kind === 'in-list') {
    const key = keyOf(condition.operand, scope)
    if (key === undefined) return
    const tests = condition.list.map((item) => comparisonTest('=', key, item))
    if (tests.some((test) => test === undefined)) return
    key.addPredicate((value) => tests.some((test) => test!(value)))
  }
}

const mirrored: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
}

function pruneComparison(
  operator: ComparisonOperator,
  left: Expression,
  right: Expression,
  scope: Scope,
): void {
  const key = keyOf(left, scope)
  const test = key && comparisonTest(operator, key, right)
  if (key !== undefined && test !== undefined) key.addPredicate(test)
}

function keyOf(operand: Expression, scope: Scope): PartitionKeyReference | undefined {
  return operand.kind === 'reference' ? scope.find(operand.parts)?.partitionKey : undefined
}

/** Decides for one partition value; undefined where the literal's type makes the comparison another. */
function comparisonTest(
  operator: ComparisonOperator,
  key: PartitionKeyReference,
  operand: Expression,
): PartitionValuePredicate | undefined {
  const literal = operand.kind === 'parameter' ? operand.value : operand
  const compare = ordering(key.type, literal)
  if (compare === undefined) return undefined
  return (value) => {
    // A comparison with NULL keeps no row.
    if (value === null) return false
    const order = compare(value)
    if (order === undefined) return true
    switch (operator) {
      case '=':
        return order === 0
      case '<>':
        return order !== 0
      case '<':
        return order < 0
      case '<=':
        return order <= 0
      case '>':
        return order > 0
      case '>=':
        return order >= 0
    }
  }
}

function ordering(type: TrinoType, literal: Expression): ((value: string) => number | undefined) | undefined {
  if (type.kind === 'varchar' && type.length === undefined && literal.kind === 'string') {
    const bytes = Buffer.from(literal.value)
    return (value) => Buffer.compare(Buffer.from(value), bytes)
  }
  if (isInteger(type) && literal.kind === 'number' && literal.form === 'integer') {
    const number = BigInt(literal.text)
    return (value) => {
      if (!/^-?\d+$/.test(value)) return undefined
      const partition = BigInt(value)
      return partition < number ? -1 : partition > number ? 1 : 0
    }
  }
  const day = /^\d{4}-\d\d-\d\d$/
  if (
    type.kind === 'date' &&
    literal.kind === 'typed-literal' &&
    literal.typeName.toLowerCase() === 'date' &&
    day.test(literal.value)
  ) {
    return (value) =>
      day.test(value) ? (value < literal.value ? -1 : value > literal.value ? 1 : 0) : undefined
  }
  return undefined
}
