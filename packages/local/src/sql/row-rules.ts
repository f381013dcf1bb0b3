import { notSupported, typeMismatch } from './query-failure.ts'
import type { Identifier, Position } from './syntax-tree.ts'
import { holdsMapOrRow, isNested, type TrinoType, typeText } from './trino-type.ts'
import { quoteString, type TypedExpression } from './typed-expression.ts'

/** row.field, whatever the case of its name; NULL of a NULL row. */
export function dereference(
  operand: TypedExpression,
  field: Identifier,
  position: Position,
): TypedExpression {
  const { type } = operand
  if (type.kind !== 'row') {
    throw typeMismatch(`Expression of type ${typeText(type)} is not a row: it has no fields`, position)
  }
  const name = field.value.toLowerCase()
  const found = type.fields.filter((candidate) => candidate.name.toLowerCase() === name)
  if (found.length !== 1) {
    const problem = found.length === 0 ? 'has no field' : 'has several fields named'
    throw typeMismatch(`${typeText(type)} ${problem} '${name}'`, position)
  }
  return { type: found[0]!.type, sql: `struct_extract(${operand.sql}, ${quoteString(found[0]!.name)})` }
}

/** Refuses to sort by what has no order here. */
export function refuseOrder(type: TrinoType, position?: Position): void {
  if (isNested(type)) throw notSupported(`ORDER BY of ${type.kind}s`, position)
}

/** Refuses to tell equal values apart where a map or row is in them. */
export function refuseDistinct(type: TrinoType, what: string, position?: Position): void {
  if (holdsMapOrRow(type)) throw notSupported(`${what} of ${typeText(type)}`, position)
}
