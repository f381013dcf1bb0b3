import type { AnalysisSession } from './analysis-session.ts'
import { cast } from './cast-rules.ts'
import type { NativeFunction } from './native-function.ts'
import { notSupported, typeMismatch } from './query-failure.ts'
import type { ComparisonOperator, Position } from './syntax-tree.ts'
import { booleanType, commonType, duckDbType, type TrinoType, typeText } from './trino-type.ts'
import { nullOf, type TypedExpression } from './typed-expression.ts'
import { equalValues, keyText } from './value-comparison.ts'
import type { PlainValue } from './value-text.ts'

interface Sides {
  readonly type: TrinoType
  readonly sql: readonly [string, string]
}

function sides(
  session: AnalysisSession,
  operator: string,
  left: TypedExpression,
  right: TypedExpression,
  position: Position,
): Sides {
  const type = commonType(left.type, right.type)
  if (type === undefined)
    throw typeMismatch(
      `Cannot apply operator: ${typeText(left.type)} ${operator} ${typeText(right.type)}`,
      position,
    )
  const as = (side: TypedExpression): string => cast(session, side, type, false, position).sql
  return { type, sql: [as(left), as(right)] }
}

/** = and <> of arrays, maps and rows, unknown where a NULL within decides. */
export function compareNested(
  session: AnalysisSession,
  operator: ComparisonOperator,
  left: TypedExpression,
  right: TypedExpression,
  position: Position,
): TypedExpression {
  if (operator !== '=' && operator !== '<>')
    throw notSupported(`comparisons of ${left.type.kind}s by ${operator}`, position)
  const { type, sql } = sides(session, operator, left, right, position)
  if (type.kind === 'unknown') return nullOf(booleanType)
  const native: NativeFunction = {
    name: `equal:${typeText(type)}`,
    parameters: [duckDbType(type), duckDbType(type)],
    returns: 'BOOLEAN',
    evaluate: (a: PlainValue, b: PlainValue) => equalValues(a, b, type),
  }
  const equal = session.native(native, sql)
  return { type: booleanType, sql: operator === '=' ? equal : `(NOT ${equal})` }
}

/** IS DISTINCT FROM of arrays, maps and rows: NULL and NaN within are each one value. */
export function nestedDistinctFrom(
  session: AnalysisSession,
  left: TypedExpression,
  right: TypedExpression,
  position: Position,
): TypedExpression {
  const { type, sql } = sides(session, 'IS DISTINCT FROM', left, right, position)
  const native: NativeFunction = {
    name: `distinct:${typeText(type)}`,
    parameters: [duckDbType(type), duckDbType(type)],
    returns: 'BOOLEAN',
    acceptsNull: true,
    evaluate: (a: PlainValue, b: PlainValue) => keyText(a, type) !== keyText(b, type),
  }
  return { type: booleanType, sql: session.native(native, sql) }
}
