import type { AnalysisSession } from './analysis-session.ts'
import { cast } from './cast-rules.ts'
import type { NativeFunction } from './native-function.ts'
import { compareNested, nestedDistinctFrom } from './nested-comparison.ts'
import { notSupported, typeMismatch } from './query-failure.ts'
import type { ComparisonOperator, Position } from './syntax-tree.ts'
import { booleanType, commonType, isFloating, isNested, type TrinoType, typeText } from './trino-type.ts'
import { nullOf, type TypedExpression } from './typed-expression.ts'

/** Both operands as the type they are compared in. */
export function comparable(
  session: AnalysisSession,
  operator: string,
  left: TypedExpression,
  right: TypedExpression,
  position: Position,
): { type: TrinoType; left: TypedExpression; right: TypedExpression } {
  // Instants compare whatever their zones.
  if (left.type.kind === 'timestamp with time zone' && right.type.kind === 'timestamp with time zone') {
    return { type: left.type, left, right }
  }
  for (const { type } of [left, right])
    if (isNested(type)) throw notSupported(`comparisons of ${type.kind}s`, position)
  const type = commonType(left.type, right.type)
  if (type === undefined) {
    if (left.type.kind === 'timestamp with time zone' || right.type.kind === 'timestamp with time zone') {
      const zoned = (side: TypedExpression): TypedExpression =>
        cast(session, side, { kind: 'timestamp with time zone', precision: 6, zone: 'UTC' }, false, position)
      const timed = ['date', 'timestamp', 'timestamp with time zone']
      if (timed.includes(left.type.kind) && timed.includes(right.type.kind)) {
        return { type: left.type, left: zoned(left), right: zoned(right) }
      }
    }
    throw typeMismatch(
      `Cannot apply operator: ${typeText(left.type)} ${operator} ${typeText(right.type)}`,
      position,
    )
  }
  const as = (side: TypedExpression): TypedExpression => ({
    ...cast(session, side, type, false, position),
    ...(side.constant !== undefined && { constant: side.constant }),
  })
  return { type, left: as(left), right: as(right) }
}

/** Expressions longer than this are not repeated in SQL: nesting would multiply them. */
const repeatableLength = 200

function floatingComparison(operator: ComparisonOperator): NativeFunction {
  return {
    name: `compare_double_${{ '=': 'eq', '<>': 'ne', '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' }[operator]}`,
    parameters: ['DOUBLE', 'DOUBLE'],
    returns: 'BOOLEAN',
    evaluate: (a: number, b: number) => {
      if (operator === '=') return a === b
      if (operator === '<>') return a !== b
      if (operator === '<') return a < b
      if (operator === '<=') return a <= b
      return operator === '>' ? a > b : a >= b
    },
  }
}

/** NaN equals nothing and is neither less nor greater, where DuckDB makes it the largest number. */
function compareFloating(
  session: AnalysisSession,
  operator: ComparisonOperator,
  left: TypedExpression,
  right: TypedExpression,
): string {
  const plain = `(${left.sql} ${operator} ${right.sql})`
  const variables = [left, right].filter((side) => side.constant === undefined || side.constant === 'NaN')
  if (variables.length === 0) return plain
  if (left.sql.length + right.sql.length > repeatableLength) {
    return session.native(floatingComparison(operator), [left.sql, right.sql])
  }
  const outcome = operator === '<>' ? 'TRUE' : 'FALSE'
  if (variables.length === 1) return `CASE WHEN isnan(${variables[0]!.sql}) THEN ${outcome} ELSE ${plain} END`
  const ordered = `CASE WHEN ${left.sql} IS NULL OR ${right.sql} IS NULL THEN NULL ELSE ${outcome} END`
  return `CASE WHEN isnan(${left.sql}) OR isnan(${right.sql}) THEN ${ordered} ELSE ${plain} END`
}

/** = <> < <= > >= */
export function compare(
  session: AnalysisSession,
  operator: ComparisonOperator,
  leftOperand: TypedExpression,
  rightOperand: TypedExpression,
  position: Position,
): TypedExpression {
  if (isNested(leftOperand.type) || isNested(rightOperand.type))
    return compareNested(session, operator, leftOperand, rightOperand, position)
  const { type, left, right } = comparable(session, operator, leftOperand, rightOperand, position)
  if (type.kind === 'unknown') return nullOf(booleanType)
  if (type.kind === 'json' && operator !== '=' && operator !== '<>')
    throw typeMismatch(`Cannot apply operator: json ${operator} json`, position)
  if (isFloating(type)) return { type: booleanType, sql: compareFloating(session, operator, left, right) }
  return { type: booleanType, sql: `(${left.sql} ${operator} ${right.sql})` }
}

/** IS DISTINCT FROM, in which NaN is one value. */
export function distinctFrom(
  session: AnalysisSession,
  leftOperand: TypedExpression,
  rightOperand: TypedExpression,
  position: Position,
): TypedExpression {
  if (isNested(leftOperand.type) || isNested(rightOperand.type))
    return nestedDistinctFrom(session, leftOperand, rightOperand, position)
  const { left, right } = comparable(session, 'IS DISTINCT FROM', leftOperand, rightOperand, position)
  return { type: booleanType, sql: `(${left.sql} IS DISTINCT FROM ${right.sql})` }
}

/** IN with a list: each item compared by itself, NULL as in OR. */
export function inList(
  session: AnalysisSession,
  operand: TypedExpression,
  items: readonly TypedExpression[],
  position: Position,
): TypedExpression {
  let type: TrinoType = operand.type
  for (const item of items) {
    const common = commonType(type, item.type)
    if (common === undefined) {
      throw typeMismatch(`IN value and list items must be the same type: ${typeText(item.type)}`, position)
    }
    type = common
  }
  const isOneByOne = isFloating(type) || isNested(type) || type.kind === 'timestamp with time zone'
  // DuckDB reads IN ((SELECT ...)) as IN (SELECT ...).
  if (isOneByOne || items.length === 1 || operand.sql.length > 10_000) {
    const comparisons = items.map((item) => compare(session, '=', operand, item, position).sql)
    return { type: booleanType, sql: `(${comparisons.join(' OR ')})` }
  }
  const as = (side: TypedExpression): string => cast(session, side, type, false, position).sql
  return { type: booleanType, sql: `(${as(operand)} IN (${items.map(as).join(', ')}))` }
}

/** LIKE; there is no escape character unless one is given. */
export function like(
  operand: TypedExpression,
  pattern: TypedExpression,
  escapeWith: TypedExpression | undefined,
  position: Position,
): TypedExpression {
  for (const side of [operand, pattern, ...(escapeWith === undefined ? [] : [escapeWith])]) {
    if (side.type.kind === 'unknown') return nullOf(booleanType)
    if (side.type.kind !== 'varchar') {
      throw typeMismatch(
        `Left side of LIKE expression must evaluate to a varchar (actual: ${typeText(side.type)})`,
        position,
      )
    }
  }
  if (escapeWith === undefined) return { type: booleanType, sql: `(${operand.sql} LIKE ${pattern.sql})` }
  if (escapeWith.constant === undefined || pattern.constant === undefined) {
    throw notSupported('LIKE ... ESCAPE with a pattern that is not a literal', position)
  }
  if ([...escapeWith.constant].length !== 1) {
    throw notSupported('LIKE with an escape that is not one character', position)
  }
  if (!validEscapes(pattern.constant, escapeWith.constant)) {
    throw notSupported('LIKE with an escape before another character than %, _ or itself', position)
  }
  return { type: booleanType, sql: `(${operand.sql} LIKE ${pattern.sql} ESCAPE ${escapeWith.sql})` }
}

function validEscapes(pattern: string, escapeWith: string): boolean {
  const characters = [...pattern]
  for (let i = 0; i < characters.length; i++) {
    if (characters[i] !== escapeWith) continue
    i += 1
    if (characters[i] !== '%' && characters[i] !== '_' && characters[i] !== escapeWith) return false
  }
  return true
}
