import type { AnalysisSession } from './analysis-session.ts'
import { cast } from './cast-rules.ts'
import { packRow, rowField } from './row-rules.ts'
import { duckDbType, fieldCarriers, isCoercible, someType, type TrinoType } from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'

/** True where a value of one type is already one of the other in DuckDB. */
function isSameInDuckDb(from: TrinoType, to: TrinoType): boolean {
  if (from.kind === 'array' && to.kind === 'array') return isSameInDuckDb(from.element, to.element)
  if (from.kind === 'map' && to.kind === 'map')
    return isSameInDuckDb(from.key, to.key) && isSameInDuckDb(from.value, to.value)
  if (from.kind === 'row' && to.kind === 'row') {
    const carriers = fieldCarriers(to.fields)
    return (
      from.fields.length === to.fields.length &&
      fieldCarriers(from.fields).every((name, i) => name === carriers[i]) &&
      from.fields.every((field, i) => isSameInDuckDb(field.type, to.fields[i]!.type))
    )
  }
  return from.kind === to.kind && duckDbType(from) === duckDbType(to) && isCoercible(from, to)
}

/** Levels of types within: a lambda's parameter must not have the name of one around it. */
function depthOf(type: TrinoType): number {
  switch (type.kind) {
    case 'array':
      return 1 + depthOf(type.element)
    case 'map':
      return 1 + depthOf(type.value)
    case 'row':
      return 1 + Math.max(...type.fields.map((field) => depthOf(field.type)))
    default:
      return 0
  }
}

/** CAST between arrays, maps or rows, element by element; undefined where there is no rule. */
export function castNested(
  session: AnalysisSession,
  operand: TypedExpression,
  to: TrinoType,
): string | undefined {
  const { type: from, sql } = operand
  if (isSameInDuckDb(from, to)) return sql
  // The zone of a cast value is its own.
  if (someType(to, ({ kind }) => kind === 'timestamp with time zone')) return undefined
  const parameter = `"cast ${depthOf(to)}"`
  const each = (list: string, element: TrinoType, target: TrinoType): string => {
    if (isSameInDuckDb(element, target)) return list
    const value = cast(session, { type: element, sql: parameter }, target, false).sql
    return `list_transform(${list}, lambda ${parameter}: ${value})`
  }
  if (from.kind === 'array' && to.kind === 'array') return each(sql, from.element, to.element)
  if (from.kind === 'map' && to.kind === 'map') {
    // Other casts of keys could make two of them one.
    if (!isCoercible(from.key, to.key)) return undefined
    const keys = each(`map_keys(${sql})`, from.key, to.key)
    return `map(${keys}, ${each(`map_values(${sql})`, from.value, to.value)})`
  }
  if (from.kind !== 'row' || to.kind !== 'row' || from.fields.length !== to.fields.length) return undefined
  const fields = to.fields.map(
    (field, i) => cast(session, rowField({ type: from, sql: parameter }, i), field.type, false).sql,
  )
  // A lambda over a list of one gives the row a name.
  const packed = `CASE WHEN ${parameter} IS NULL THEN NULL ELSE ${packRow(to, fields)} END`
  return `list_extract(list_transform([${sql}], lambda ${parameter}: ${packed}), 1)`
}

/** TRY_CAST: NULL where anything within cannot be cast; what the operand itself fails with stays an error. */
export function tryCastNested(
  session: AnalysisSession,
  operand: TypedExpression,
  to: TrinoType,
): string | undefined {
  const parameter = '"try cast"'
  const nested = castNested(session, { type: operand.type, sql: parameter }, to)
  if (nested === undefined || nested === parameter) return nested && operand.sql
  return `list_extract(list_transform([${operand.sql}], lambda ${parameter}: TRY(${nested})), 1)`
}
