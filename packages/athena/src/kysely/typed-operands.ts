import { ConfigurationError, parseDate } from '@stockpipe/core'
import {
  type AndNode,
  type BinaryOperationNode,
  type OperationNode,
  type OperatorNode,
  OperatorNode as operatorNode,
  type ParensNode,
  type PrimitiveValueListNode,
  RawNode,
  type ValueListNode,
  type ValueNode,
} from 'kysely'
import type { ValueType } from './query-source.ts'

/**
 * Constants as what they are compared with: Athena refuses to compare a date with a text, and has no `IS TRUE`.
 *
 * Throws a `ConfigurationError` for a text that is no date.
 */
export const typedOperands = (
  node: BinaryOperationNode,
  typeOf: (node: OperationNode) => ValueType,
): BinaryOperationNode => {
  const { leftOperand, operator, rightOperand } = node
  const isTest = isOperator(operator, 'is') || isOperator(operator, 'is not')
  if (isTest && rightOperand.kind === 'ValueNode' && (rightOperand as ValueNode).value !== null) {
    const distinct = isOperator(operator, 'is') ? 'is not distinct from' : 'is distinct from'
    return { ...node, operator: operatorNode.create(distinct) }
  }
  if (typeOf(leftOperand).type?.kind === 'date') return { ...node, rightOperand: asDates(rightOperand) }
  if (typeOf(rightOperand).type?.kind === 'date') return { ...node, leftOperand: asDates(leftOperand) }
  return node
}

const isOperator = (node: OperationNode, operator: string): boolean =>
  node.kind === 'OperatorNode' && (node as OperatorNode).operator === operator

const asDates = (node: OperationNode): OperationNode => {
  switch (node.kind) {
    case 'ValueNode':
      return dateOf((node as ValueNode).value) ?? node
    case 'PrimitiveValueListNode': {
      const { values } = node as PrimitiveValueListNode
      const dates = values.map(dateOf)
      if (dates.some((date) => date === undefined)) return node
      return { kind: 'ValueListNode', values: dates } as ValueListNode
    }
    case 'ValueListNode':
      return { ...node, values: (node as ValueListNode).values.map(asDates) } as ValueListNode
    case 'AndNode': {
      const { left, right } = node as AndNode
      return { ...node, left: asDates(left), right: asDates(right) } as AndNode
    }
    case 'ParensNode':
      return { ...node, node: asDates((node as ParensNode).node) } as ParensNode
    default:
      return node
  }
}

const dateOf = (value: unknown): RawNode | undefined => {
  if (typeof value !== 'string') return undefined
  if (parseDate(value) === undefined) {
    throw new ConfigurationError({
      code: 'SQL_VALUE_REFUSED',
      message: `"${value.slice(0, 40)}" is compared with a date and is none; write it as YYYY-MM-DD.`,
    })
  }
  return { ...RawNode.createWithSql(`DATE '${value}'`), literal: true } as RawNode
}
