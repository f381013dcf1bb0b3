import { analyzeExpression, condition, type ExpressionContext, sortItemSql } from './expression-analyzer.ts'
import { groupedContext, groupingOf } from './grouping-rules.ts'
import { type OutputItem, orderSql, refuseDoubtfulNames, withoutAliases } from './output-order.ts'
import { prunePartitions } from './partition-pruning.ts'
import { failure, notSupported } from './query-failure.ts'
import { analyzeRelation, type Relation, type RelationContext } from './relation-analyzer.ts'
import { refuseDistinct } from './row-rules.ts'
import { type OutputColumn, type QueryOutput, Scope, useField } from './scope.ts'
import type { Expression, Position, SelectSpecification, SortItem } from './syntax-tree.ts'
import { containsWindow } from './syntax-walk.ts'
import { isFloating } from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'
import { namedWindows } from './window-rules.ts'

/** What follows a SELECT in its query. */
export interface QueryTail {
  readonly orderBy: readonly SortItem[]
  /** ` LIMIT 10 OFFSET 5`, or nothing. */
  readonly limitSql: string
}

export function analyzeSelect(
  node: SelectSpecification,
  tail: QueryTail,
  context: RelationContext,
): QueryOutput {
  const { session } = context
  const relation = node.from && analyzeRelation(node.from, context)
  const scope = new Scope(relation?.fields ?? [], context.namedQueries, context.outer)
  const row: ExpressionContext = {
    session,
    scope,
    clause: 'WHERE clause',
    analyzeQuery: context.analyzeQuery,
  }
  let from = relation === undefined ? '' : ` FROM ${relation.sql}`
  if (node.where !== undefined) {
    prunePartitions(node.where, scope, (part, keys) =>
      condition(part, { ...row, scope: keys }, 'WHERE clause'),
    )
    from += ` WHERE ${condition(node.where, row, 'WHERE clause')}`
  }
  const windows = namedWindows(node)
  const orderBy = withoutAliases(tail.orderBy, node)
  const grouping = groupingOf(node, orderBy, row)
  const output = grouping === undefined ? { ...row, windows } : groupedContext(grouping, row, windows)
  const items = outputItems(node, relation, { ...output, clause: 'SELECT clause' })
  if (node.distinct) for (const { type } of items) refuseDistinct(type, 'SELECT DISTINCT', node.position)
  const having =
    node.having &&
    condition(node.having, { ...output, clause: 'HAVING clause', windows: undefined }, 'HAVING clause')
  for (const { expression } of tail.orderBy) refuseDoubtfulNames(expression, items)
  const order = orderBy.map((item, i) => {
    const inOrder = { ...output, clause: 'ORDER BY clause' }
    const sql = orderSql(item, tail.orderBy[i]!, items, node.distinct, inOrder)
    const place = /^\d+$/.test(sql) ? items[Number(sql) - 1] : undefined
    const value = place ?? analyzeExpression(item.expression, inOrder)
    if (node.distinct && item.nullsFirst && isFloating(value.type))
      throw notSupported('SELECT DISTINCT with NULLS FIRST of real or double', item.expression.position)
    return sortItemSql(sql, item, value, node.distinct)
  })
  if (grouping !== undefined) from = grouping.sql(from)
  const list = items.map(({ sql }, i) => `${sql} AS "c${i}"`).join(', ')
  const parts = [`SELECT ${node.distinct ? 'DISTINCT ' : ''}${list}${from}`]
  if (having !== undefined) parts.push(`WHERE ${having}`)
  if (order.length > 0) parts.push(`ORDER BY ${order.join(', ')}`)
  const prunable = isPrunable(node, tail)
  const columns = items.map(
    ({ name, type, partitionKey }): OutputColumn =>
      prunable ? { name, type, partitionKey } : { name, type },
  )
  return { sql: parts.join(' ') + tail.limitSql, columns }
}

/** True where rows of other partitions change nothing about those of one: no limit, window or grouping set spans them. */
function isPrunable(node: SelectSpecification, tail: QueryTail): boolean {
  return (
    tail.limitSql === '' && !containsWindow(node.items) && node.groupBy.every(({ kind }) => kind === 'simple')
  )
}

function outputItems(
  node: SelectSpecification,
  relation: Relation | undefined,
  context: ExpressionContext,
): readonly OutputItem[] {
  return node.items.flatMap((item): OutputItem[] => {
    if (item.kind === 'expression') {
      const { expression } = item
      const typed = analyzeExpression(expression, context)
      const { scope } = context.source ?? context
      const partitionKey =
        expression.kind === 'reference' ? scope.find(expression.parts)?.partitionKey : undefined
      return [{ ...typed, name: item.alias?.value ?? impliedName(expression), expression, partitionKey }]
    }
    const qualifier = item.qualifier.map((part) => part.value.toLowerCase())
    const fields = (relation?.fields ?? []).filter(
      (field) =>
        field.hidden !== true &&
        qualifier.length <= field.qualifier.length &&
        qualifier.every((part, i) => part === field.qualifier[field.qualifier.length - qualifier.length + i]),
    )
    if (fields.length === 0) {
      const what =
        qualifier.length === 0
          ? 'SELECT * not allowed in queries without FROM clause'
          : `Unable to resolve reference ${qualifier.join('.')}`
      throw failure(qualifier.length === 0 ? 'COLUMN_NOT_FOUND' : 'TABLE_NOT_FOUND', what, item.position)
    }
    return fields.map((field) => {
      const column = useField(field, item.position)
      return {
        ...starColumn(column, field.name, item.position, context),
        name: field.name,
        expression: undefined,
        partitionKey: field.partitionKey,
      }
    })
  })
}

/** A column of `*`: in a query with groups it must be a key. */
function starColumn(
  column: TypedExpression,
  name: string | undefined,
  position: Position,
  context: ExpressionContext,
): TypedExpression {
  if (context.aggregate === undefined) return column
  const parts = [{ value: name ?? '', position }]
  return analyzeExpression({ kind: 'reference', parts, position }, context)
}

function impliedName(expression: Expression): string | undefined {
  return expression.kind === 'reference' ? expression.parts.at(-1)!.value : undefined
}
