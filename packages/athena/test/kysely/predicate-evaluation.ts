import { Decimal } from '@stockpipe/core'
import type {
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  OperationNode,
  OperatorNode,
  ParensNode,
  PrimitiveValueListNode,
  RawNode,
  ReferenceNode,
  UnaryOperationNode,
  ValueListNode,
  ValueNode,
} from 'kysely'

export type TestRow = Readonly<Record<string, unknown>>

type Truth = boolean | null

/** Whether a predicate is true of a row, by SQL's three values; for the operators that tests use. */
export const isTrue = (node: OperationNode, row: TestRow): boolean => truth(node, row) === true

const not = (value: Truth): Truth => (value === null ? null : !value)
const and = (left: Truth, right: Truth): Truth =>
  left === false || right === false ? false : left === null || right === null ? null : true
const or = (left: Truth, right: Truth): Truth => not(and(not(left), not(right)))

const truth = (node: OperationNode, row: TestRow): Truth => {
  switch (node.kind) {
    case 'ParensNode':
      return truth((node as ParensNode).node, row)
    case 'AndNode':
      return and(truth((node as AndNode).left, row), truth((node as AndNode).right, row))
    case 'OrNode':
      return or(truth((node as AndNode).left, row), truth((node as AndNode).right, row))
    case 'UnaryOperationNode':
      return not(truth((node as UnaryOperationNode).operand, row))
    case 'BinaryOperationNode':
      return operation(node as BinaryOperationNode, row)
    default:
      throw new Error(`no truth of ${node.kind}`)
  }
}

const operation = ({ leftOperand, operator, rightOperand }: BinaryOperationNode, row: TestRow): Truth => {
  const left = evaluated(leftOperand, row)
  const name = (operator as OperatorNode).operator
  switch (name) {
    case 'in':
    case 'not in': {
      const found = listOf(rightOperand, row)
        .map((one) => compare(left, '=', one))
        .reduce(or, false)
      return name === 'in' ? found : not(found)
    }
    case 'between': {
      const { left: low, right: high } = rightOperand as AndNode
      return and(compare(left, '>=', evaluated(low, row)), compare(left, '<=', evaluated(high, row)))
    }
    case 'is':
      return left === null
    case 'is not':
      return left !== null
    case 'is distinct from':
    case 'is not distinct from': {
      const right = evaluated(rightOperand, row)
      const same = left === null || right === null ? left === right : compare(left, '=', right)
      return name === 'is distinct from' ? not(same) : same
    }
    default:
      return compare(left, name, evaluated(rightOperand, row))
  }
}

const evaluated = (node: OperationNode, row: TestRow): unknown => {
  switch (node.kind) {
    case 'ValueNode':
      return (node as ValueNode).value
    case 'ReferenceNode':
      return row[((node as ReferenceNode).column as ColumnNode).column.name]
    case 'RawNode':
      return /^DATE '(.*)'$/.exec((node as RawNode).sqlFragments[0]!)![1]
    default:
      throw new Error(`no value of ${node.kind}`)
  }
}

const listOf = (node: OperationNode, row: TestRow): readonly unknown[] =>
  node.kind === 'PrimitiveValueListNode'
    ? (node as PrimitiveValueListNode).values
    : (node as ValueListNode).values.map((one) => evaluated(one, row))

/** Texts compare by their bytes, as in Trino. */
const compare = (left: unknown, operator: string, right: unknown): Truth => {
  if (left === null || right === null) return null
  const order =
    typeof left === 'string'
      ? Buffer.compare(Buffer.from(left), Buffer.from(right as string))
      : Decimal.isDecimal(left)
        ? left.compare(right as Decimal)
        : Math.sign(
            Number((left as number) > (right as number)) - Number((left as number) < (right as number)),
          )
  switch (operator) {
    case '=':
      return order === 0
    case '!=':
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
    default:
      throw new Error(`no operator ${operator}`)
  }
}
