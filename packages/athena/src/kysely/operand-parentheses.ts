import {
  type BinaryOperationNode,
  type OperationNode,
  type OperatorNode,
  ParensNode,
  type SelectQueryNode,
  type UnaryOperationNode,
} from 'kysely'

/** Text of the user's own beside AND, OR and NOT, in parentheses: whatever stands in it, it is one operand. */
export const apart = (node: OperationNode): OperationNode =>
  holdsText(node) ? ParensNode.create(node) : node

const holdsText = (node: OperationNode): boolean => {
  switch (node.kind) {
    case 'RawNode':
      return !('date' in node)
    case 'OrNode':
      return true
    case 'UnaryOperationNode':
      return holdsText((node as UnaryOperationNode).operand)
    case 'BinaryOperationNode': {
      const { leftOperand, rightOperand } = node as BinaryOperationNode
      return holdsText(leftOperand) || holdsText(rightOperand)
    }
    default:
      return false
  }
}

const arithmetic = new Set(['+', '-', '*', '/', '%', '||'])

/** An operation within another in parentheses: Kysely writes the operands of a tree down as they are. */
export const oneOperand = (node: OperationNode): OperationNode =>
  node.kind === 'BinaryOperationNode' || node.kind === 'UnaryOperationNode' ? ParensNode.create(node) : node

/** A calculation also takes text of the user's own as one operand. */
export const withOneOperands = (node: BinaryOperationNode): BinaryOperationNode => {
  const { leftOperand, operator, rightOperand } = node
  const calculates = operator.kind === 'OperatorNode' && arithmetic.has((operator as OperatorNode).operator)
  const one = (operand: OperationNode) =>
    calculates && operand.kind === 'RawNode' ? apart(operand) : oneOperand(operand)
  return { ...node, leftOperand: one(leftOperand), rightOperand: one(rightOperand) }
}

/** A query that is united with another, its own order, limit and set operations in parentheses. */
export const oneSetOperand = (node: OperationNode): OperationNode => {
  if (node.kind !== 'SelectQueryNode') return node
  const { orderBy, limit, offset, setOperations } = node as SelectQueryNode
  return orderBy || limit || offset || setOperations ? ParensNode.create(node) : node
}
