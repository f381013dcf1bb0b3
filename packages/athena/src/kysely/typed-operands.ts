import { type ColumnType, ConfigurationError, parseDate } from '@stockpipe/core'
import {
  type AndNode,
  AndNode as andNode,
  type BinaryOperationNode,
  type CaseNode,
  type FunctionNode,
  type OperationNode,
  type OperatorNode,
  OperatorNode as operatorNode,
  type ParensNode,
  type PrimitiveValueListNode,
  RawNode,
  type ValueListNode,
  type ValueNode,
  ValueListNode as valueListNode,
  ValueNode as valueNode,
} from 'kysely'
import type { DateLiteralNode } from './expression-type.ts'
import type { ValueType } from './query-source.ts'

/**
 * Constants as what they are compared with: Athena refuses to compare a date with a text, compares a decimal with a
 * number that is not whole by their doubles, and has neither `IS TRUE` nor empty lists.
 *
 * Throws a `ConfigurationError` for a text that is no date, and for such a number beside a decimal.
 */
export const typedOperands = (
  node: BinaryOperationNode,
  typeOf: (node: OperationNode) => ValueType,
): OperationNode => {
  const { leftOperand, operator, rightOperand } = node
  const isTest = isOperator(operator, 'is') || isOperator(operator, 'is not')
  if (isTest && rightOperand.kind === 'ValueNode' && (rightOperand as ValueNode).value !== null) {
    const distinct = isOperator(operator, 'is') ? 'is not distinct from' : 'is distinct from'
    return typedOperands({ ...node, operator: operatorNode.create(distinct) }, typeOf)
  }
  if (rightOperand.kind === 'PrimitiveValueListNode') {
    const { values } = rightOperand as PrimitiveValueListNode
    // Whatever the left side is, NULL as well.
    if (values.length === 0) return valueNode.createImmediate(isOperator(operator, 'not in'))
  }
  return {
    ...node,
    leftOperand: asComparedWith(typeOf(rightOperand).type, leftOperand),
    rightOperand: asComparedWith(typeOf(leftOperand).type, rightOperand),
  } as BinaryOperationNode
}

/** The constants of a CASE as what they stand beside: its value, and its other results. Throws as `typedOperands` does. */
export const typedCase = (node: CaseNode, typeOf: (node: OperationNode) => ValueType): CaseNode => {
  const { value, when, else: other } = node
  const valueType = value && typeOf(value).type
  const results = [...(when ?? []).map(({ result }) => result), other].filter((one) => one !== undefined)
  const resultType = alike(results, typeOf)
  return {
    ...node,
    ...(when && {
      when: when.map((one) => ({
        ...one,
        condition: asComparedWith(valueType, one.condition),
        ...(one.result && { result: asComparedWith(resultType, one.result) }),
      })),
    }),
    ...(other && { else: asComparedWith(resultType, other) }),
  }
}

const alikeFunctions = new Set(['coalesce', 'nullif', 'greatest', 'least'])

/** The constants of a function whose arguments are of one type, as that type. Throws as `typedOperands` does. */
export const typedArguments = (
  node: FunctionNode,
  typeOf: (node: OperationNode) => ValueType,
): FunctionNode => {
  if (!alikeFunctions.has(node.func.toLowerCase())) return node
  const type = alike(node.arguments, typeOf)
  return { ...node, arguments: node.arguments.map((one) => asComparedWith(type, one)) }
}

/** The type of the first of them that is no constant. */
const alike = (
  nodes: readonly OperationNode[],
  typeOf: (node: OperationNode) => ValueType,
): ColumnType | undefined => {
  const first = nodes.find(({ kind }) => kind !== 'ValueNode')
  return first && typeOf(first).type
}

const asComparedWith = (type: ColumnType | undefined, node: OperationNode): OperationNode => {
  if (type?.kind === 'date') return withConstants(node, dateOf)
  if (type?.kind === 'decimal') return withConstants(node, exact)
  return node
}

const isOperator = (node: OperationNode, operator: string): boolean =>
  node.kind === 'OperatorNode' && (node as OperatorNode).operator === operator

/** The constants in a list, a range or parentheses, or the constant itself, each replaced unless it is left as it is. */
const withConstants = (
  node: OperationNode,
  replace: (value: unknown) => OperationNode | undefined,
): OperationNode => {
  const within = (inner: OperationNode) => withConstants(inner, replace)
  switch (node.kind) {
    case 'ValueNode':
      return replace((node as ValueNode).value) ?? node
    case 'PrimitiveValueListNode': {
      const { values } = node as PrimitiveValueListNode
      const replaced = values.map((value) => replace(value) ?? valueNode.create(value))
      return valueListNode.create(replaced)
    }
    case 'ValueListNode':
      return valueListNode.create((node as ValueListNode).values.map(within))
    case 'AndNode': {
      const { left, right } = node as AndNode
      return andNode.create(within(left), within(right))
    }
    case 'ParensNode':
      return { ...node, node: within((node as ParensNode).node) } as ParensNode
    default:
      return node
  }
}

/** Nothing to replace, or a refusal. */
const exact = (value: unknown): undefined => {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return
  throw new ConfigurationError({
    code: 'SQL_VALUE_REFUSED',
    message: `${value} stands beside a decimal, which Athena would take for a double; write Decimal.parse('${value}').`,
  })
}

const dateOf = (value: unknown): DateLiteralNode | undefined => {
  if (typeof value !== 'string') return undefined
  if (parseDate(value) === undefined) {
    throw new ConfigurationError({
      code: 'SQL_VALUE_REFUSED',
      message: `"${value.slice(0, 40)}" stands beside a date and is none; write it as YYYY-MM-DD.`,
    })
  }
  return { ...RawNode.createWithSql(`DATE '${value}'`), date: value }
}
