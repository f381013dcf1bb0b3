import { KeyConditions, type PartitionValuePredicate } from './key-conditions.ts'
import { type OutputColumn, Scope } from './scope.ts'
import type { ComparisonOperator, Expression } from './syntax-tree.ts'
import { isInteger, type TrinoType } from './trino-type.ts'

/** A partition key of a scan, as a field carries it. */
export interface PartitionKeyReference {
  /** Of the scan, or of one reader of a named query above it. */
  readonly conditions: KeyConditions
  /** The place among the scan's keys. */
  readonly index: number
  /** The key as the scan has it. */
  readonly sql: string
  readonly type: TrinoType
}

/** Writes a part of a condition as SQL in a scope. */
type Emit = (part: Expression, scope: Scope) => string

/**
 * Hands each scan the parts of a condition that its partition keys decide: comparisons with literals, BETWEEN and
 * IN, joined by AND, and as SQL what else is of its keys alone. The condition itself is evaluated all the same.
 */
export function prunePartitions(condition: Expression, scope: Scope, emit: Emit): void {
  if (condition.kind === 'logical' && condition.operator === 'AND') {
    for (const operand of condition.operands) prunePartitions(operand, scope, emit)
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
    prunePartitions(low, scope, emit)
    prunePartitions(high, scope, emit)
    return
  }
  if (!pruneByLiterals(condition, scope)) pruneByKeys(condition, scope, emit)
}

function pruneByLiterals(condition: Expression, scope: Scope): boolean {
  if (condition.kind === 'comparison') {
    const { operator, left, right } = condition
    return (
      pruneComparison(operator, left, right, scope) || pruneComparison(mirrored[operator], right, left, scope)
    )
  }
  if (condition.kind !== 'in-list') return false
  const key = keyOf(condition.operand, scope)
  if (key === undefined) return false
  const tests = condition.list.map((item) => comparisonTest('=', key, item))
  if (tests.some((test) => test === undefined)) return false
  key.conditions.addPredicate(key.index, (value) => tests.some((test) => test!(value)))
  return true
}

function pruneByKeys(condition: Expression, scope: Scope, emit: Emit): void {
  const [key, ...others] = keysWithin(condition, scope) ?? []
  if (key === undefined || others.some((other) => other.conditions !== key.conditions)) return
  const keys = scope.fields.map((field) => ({ ...field, sql: field.partitionKey?.sql ?? field.sql }))
  key.conditions.addCondition(emit(condition, new Scope(keys, scope.namedQueries, scope.parent)))
}

const changing: ReadonlySet<unknown> = new Set(['rand', 'random', 'shuffle', 'uuid'])

/** The keys that an expression names; undefined where it depends on anything else. */
function keysWithin(node: unknown, scope: Scope): readonly PartitionKeyReference[] | undefined {
  if (typeof node !== 'object' || node === null) return []
  const syntax = node as Readonly<Record<string, unknown>>
  if (syntax['kind'] === 'reference') {
    const key = keyOf(node as Expression, scope)
    return key && [key]
  }
  // Queries and lambdas have names of their own.
  if (syntax['kind'] === 'query' || syntax['kind'] === 'lambda') return undefined
  if (syntax['kind'] === 'call' && changing.has(syntax['name'])) return undefined
  const keys: PartitionKeyReference[] = []
  for (const child of Object.values(syntax)) {
    const within = keysWithin(child, scope)
    if (within === undefined) return undefined
    keys.push(...within)
  }
  return keys
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
): boolean {
  const key = keyOf(left, scope)
  const test = key && comparisonTest(operator, key, right)
  if (key === undefined || test === undefined) return false
  key.conditions.addPredicate(key.index, test)
  return true
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

/** Gives the columns of a named query to each of its readers, which may ask for other partitions than the others. */
export function columnsForReaders(columns: readonly OutputColumn[]): () => readonly OutputColumn[] {
  const scans = new Set(columns.flatMap(({ partitionKey }) => partitionKey?.conditions ?? []))
  const readers = new Map([...scans].map((conditions) => [conditions, conditions.addReaders()]))
  return () => {
    const own = new Map(
      [...readers].map(([conditions, others]) => {
        const reader = new KeyConditions()
        others.push(reader)
        return [conditions, reader]
      }),
    )
    return columns.map(({ partitionKey: key, ...column }) =>
      key === undefined
        ? column
        : { ...column, partitionKey: { ...key, conditions: own.get(key.conditions)! } },
    )
  }
}
