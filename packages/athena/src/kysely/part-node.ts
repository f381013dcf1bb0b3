import {
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  FromNode,
  type OperationNode,
  OperatorNode,
  PrimitiveValueListNode,
  SelectionNode,
  type SelectQueryNode,
  type TableNode,
  ValueNode,
  WhereNode,
} from 'kysely'
import type { PartitionSelection, PartitionSelections } from './within.ts'

/** `SELECT *` of those partitions of a table. */
export const partNode = (table: TableNode, selections: PartitionSelections): SelectQueryNode => {
  const conditions = Object.entries(selections).flatMap(([name, selection]) =>
    selection === undefined ? [] : selectionConditions(name, selection),
  )
  return {
    kind: 'SelectQueryNode',
    from: FromNode.create([table]),
    selections: [SelectionNode.createSelectAll()],
    where: WhereNode.create(conditions.reduce((left, right) => AndNode.create(left, right))),
  }
}

const selectionConditions = (name: string, selection: PartitionSelection): readonly OperationNode[] => {
  const compare = (operator: '=' | '>=' | '<=' | 'in', value: OperationNode) =>
    BinaryOperationNode.create(ColumnNode.create(name), OperatorNode.create(operator), value)
  if (typeof selection === 'string') return [compare('=', ValueNode.create(selection))]
  if (isList(selection)) return [compare('in', PrimitiveValueListNode.create([...selection]))]
  const { from, to } = selection
  return [
    ...(from === undefined ? [] : [compare('>=', ValueNode.create(from))]),
    ...(to === undefined ? [] : [compare('<=', ValueNode.create(to))]),
  ]
}

const isList = (selection: PartitionSelection): selection is readonly string[] => Array.isArray(selection)
