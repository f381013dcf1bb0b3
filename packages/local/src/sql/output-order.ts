import { analyzeExpression, type ExpressionContext } from './expression-analyzer.ts'
import type { PartitionKeyReference } from './partition-pruning.ts'
import { failure } from './query-failure.ts'
import { refuseOrder } from './row-rules.ts'
import type { Expression, SelectSpecification, SortItem } from './syntax-tree.ts'
import { isAggregateCall, loneName, replaceNodes, type Syntax, someNode } from './syntax-walk.ts'
import type { TypedExpression } from './typed-expression.ts'

/** A column of the answer, before its SQL is fixed. */
export interface OutputItem extends TypedExpression {
  readonly name: string | undefined
  /** The expression, for names in ORDER BY; undefined for a column of `*`. */
  readonly expression: Expression | undefined
  /** The partition key it is, and nothing else. */
  readonly partitionKey: PartitionKeyReference | undefined
}

/** ORDER BY with the names of the select list replaced by what they name. */
export function withoutAliases(orderBy: readonly SortItem[], node: SelectSpecification): readonly SortItem[] {
  const named = new Map<string, Expression>()
  for (const item of node.items) {
    if (item.kind === 'expression' && item.alias !== undefined)
      named.set(item.alias.value.toLowerCase(), item.expression)
  }
  if (named.size === 0) return orderBy
  return orderBy.map((item) => ({
    ...item,
    expression: replaceNodes(item.expression, (part) =>
      part.kind === 'reference' && part.parts.length === 1
        ? named.get(part.parts[0]!.value.toLowerCase())
        : undefined,
    ),
  }))
}

/** Refuses names of several columns of the answer, and any of its columns within an aggregate. */
export function refuseDoubtfulNames(expression: Expression, items: readonly OutputItem[]): void {
  const counts = new Map<string, number>()
  for (const { name } of items) {
    const key = name?.toLowerCase()
    if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const countOf = (node: Syntax): number => counts.get(loneName(node) ?? '') ?? 0
  someNode(expression, (node) => {
    if (isAggregateCall(node) && someNode(node['arguments'], (inner) => countOf(inner) > 0))
      throw failure(
        'COLUMN_NOT_FOUND',
        'Invalid reference to output projection attribute from ORDER BY aggregation',
        expression.position,
      )
    if (countOf(node) > 1)
      throw failure('AMBIGUOUS_NAME', `Column '${loneName(node)}' is ambiguous`, expression.position)
    return false
  })
}

/** The SQL of a sort key: the place of a column of the answer where it is one. */
export function orderSql(
  item: SortItem,
  written: SortItem,
  items: readonly OutputItem[],
  distinct: boolean,
  context: ExpressionContext,
): string {
  const { expression } = written
  if (expression.kind === 'number' && expression.form === 'integer') {
    const place = ordinalSql(expression, items.length)
    refuseOrder(items[Number(place) - 1]!.type, expression.position)
    return place
  }
  if (expression.kind === 'reference' && expression.parts.length === 1) {
    const name = expression.parts[0]!.value.toLowerCase()
    const place = items.findIndex((output) => output.name?.toLowerCase() === name)
    if (place >= 0) {
      refuseOrder(items[place]!.type, expression.position)
      return String(place + 1)
    }
  }
  const typed = analyzeExpression(item.expression, context)
  refuseOrder(typed.type, expression.position)
  const index = items.findIndex((output) => output.sql === typed.sql)
  if (index >= 0) return String(index + 1)
  if (distinct) {
    throw failure(
      'EXPRESSION_NOT_IN_DISTINCT',
      'For SELECT DISTINCT, ORDER BY expressions must appear in select list',
      expression.position,
    )
  }
  return typed.sql
}

/** The place of a column, checked against how many there are. */
export function ordinalSql(expression: Expression & { kind: 'number' }, count: number): string {
  const place = Number(expression.text)
  if (place < 1 || place > count) {
    throw failure(
      'INVALID_COLUMN_REFERENCE',
      `ORDER BY position ${expression.text} is not in select list`,
      expression.position,
    )
  }
  return String(place)
}
