import { type Column, type ColumnType, Decimal } from '@stockpipe/core'
import type {
  AggregateFunctionNode,
  AliasNode,
  BinaryOperationNode,
  FunctionNode,
  OperationNode,
  OperatorNode,
  ParensNode,
  RawNode,
  UnaryOperationNode,
  ValueNode,
} from 'kysely'
import { averageType, isInteger, sumType } from '../market/result-type.ts'
import type { NameScope } from './name-scope.ts'
import type { ValueType } from './query-source.ts'

const unknown: ValueType = { type: undefined, nullable: true }
const boolean: ValueType = { type: { kind: 'boolean' }, nullable: true }

/** A node whose type was said by `stated()`. */
export interface StatedNode extends OperationNode {
  readonly stated: Column
}

/** A constant text that is written as a date. */
export interface DateLiteralNode extends RawNode {
  readonly date: string
}

/** An aggregate of this package, which hands out what the column type decodes to. */
export interface ExactAggregateNode extends AggregateFunctionNode {
  readonly exact: true
}

/** The type of a rewritten expression; `outputOf` tells that of the one column of a subquery. */
export const expressionType = (
  node: OperationNode,
  scope: NameScope,
  outputOf: (query: OperationNode) => ValueType | undefined,
): ValueType => {
  const typeOf = (inner: OperationNode): ValueType => expressionType(inner, scope, outputOf)
  if ('stated' in node) {
    const { type, isNullable } = (node as StatedNode).stated
    return { type, nullable: isNullable }
  }
  switch (node.kind) {
    case 'ColumnNode':
    case 'ReferenceNode': {
      const column = scope.column(node)
      if (!column) return unknown
      const { type, nullable, promised } = column
      return { type, nullable, ...(promised && { promised }) }
    }
    case 'AliasNode':
      return typeOf((node as AliasNode).node)
    case 'ParensNode':
      return typeOf((node as ParensNode).node)
    case 'SelectQueryNode':
      return { ...(outputOf(node) ?? unknown), nullable: true }
    case 'ValueNode':
      return constantType((node as ValueNode).value)
    case 'AggregateFunctionNode': {
      const { func, aggregated } = node as AggregateFunctionNode
      return aggregateType(func, aggregated.map(typeOf), 'exact' in node)
    }
    case 'FunctionNode': {
      const { func, arguments: given } = node as FunctionNode
      switch (func.toLowerCase()) {
        case 'coalesce':
          return coalesced(given.map(typeOf))
        case 'nullif':
          return given[0] ? { ...typeOf(given[0]), nullable: true } : unknown
        default:
          return unknown
      }
    }
    case 'RawNode':
      return 'date' in node ? { type: { kind: 'date' }, nullable: false } : unknown
    case 'UnaryOperationNode': {
      const { operator, operand } = node as UnaryOperationNode
      return (operator as OperatorNode).operator === '-' ? typeOf(operand) : boolean
    }
    case 'BinaryOperationNode':
      return operationType(node as BinaryOperationNode, typeOf)
    case 'AndNode':
    case 'OrNode':
      return boolean
    default:
      return unknown
  }
}

const constantType = (value: unknown): ValueType => {
  const of = (type: ColumnType): ValueType => ({ type, nullable: false })
  switch (typeof value) {
    case 'string':
      return of({ kind: 'string' })
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0)
        ? of({ kind: 'int64', mode: 'number' })
        : of({ kind: 'double' })
    case 'bigint':
      return of({ kind: 'int64' })
    case 'boolean':
      return of({ kind: 'boolean' })
  }
  if (value instanceof Date) return of({ kind: 'timestamp' })
  if (value instanceof Uint8Array) return of({ kind: 'binary' })
  // A literal has the digits of its text, and a whole zero before the point is one of them.
  if (Decimal.isDecimal(value)) return of({ kind: 'decimal', precision: 38, scale: value.scale })
  return unknown
}

/** Kysely's own sum() and avg() promise no `Decimal`: those of decimals are handed out as text. */
const aggregateType = (name: string, given: readonly ValueType[], exact: boolean): ValueType => {
  const [{ type, promised } = unknown] = given
  switch (name.toLowerCase()) {
    case 'count':
    case 'row_number':
    case 'rank':
    case 'dense_rank':
    case 'ntile':
      return { type: { kind: 'int64' }, nullable: false }
    case 'min':
    case 'max':
      return { type, nullable: true, ...(promised && { promised }) }
    case 'sum':
    case 'avg': {
      if (type === undefined) return unknown
      const answered = name.toLowerCase() === 'sum' ? sumType(type) : averageType(type)
      if (!exact)
        return { type: answered, nullable: true, ...(answered.kind === 'decimal' && { promised: 'text' }) }
      const numbers =
        promised === 'number' || (isInteger(type) && (type.kind !== 'int64' || type.mode === 'number'))
      return {
        type: answered.kind === 'int64' && numbers ? { kind: 'int64', mode: 'number' } : answered,
        nullable: true,
      }
    }
    default:
      return unknown
  }
}

const coalesced = (given: readonly ValueType[]): ValueType => {
  const [first] = given
  const same = first && given.every(({ type }) => JSON.stringify(type) === JSON.stringify(first.type))
  return same ? { ...first, nullable: given.every(({ nullable }) => nullable) } : unknown
}

const arithmetic = new Set(['+', '-', '*', '/', '%'])

/** Kysely types a calculation as its left operand: whole numbers are handed out as that says. */
const operationType = (
  { operator, leftOperand }: BinaryOperationNode,
  typeOf: (node: OperationNode) => ValueType,
): ValueType => {
  const name = operator.kind === 'OperatorNode' ? (operator as OperatorNode).operator : undefined
  if (name === undefined) return unknown
  if (name === '||') return unknown
  if (!arithmetic.has(name)) return boolean
  const promised = jsClassOf(typeOf(leftOperand).type)
  return { ...unknown, ...(promised && { promised }) }
}

const jsClassOf = (type: ColumnType | undefined): 'number' | 'bigint' | undefined => {
  switch (type?.kind) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'float':
    case 'double':
      return 'number'
    case 'int64':
      return type.mode === 'number' ? 'number' : 'bigint'
    case 'epochNanos':
      return 'bigint'
    default:
      return undefined
  }
}
