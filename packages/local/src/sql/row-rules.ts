import { notSupported, typeMismatch } from './query-failure.ts'
import type { Identifier, Position } from './syntax-tree.ts'
import {
  duckDbType,
  fieldCarriers,
  isNested,
  rowType,
  someType,
  type TrinoType,
  typeText,
} from './trino-type.ts'
import { quoteString, type TypedExpression } from './typed-expression.ts'

export type RowType = TrinoType & { kind: 'row' }

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
  const places = type.fields.flatMap((candidate, i) => (candidate.name?.toLowerCase() === name ? [i] : []))
  if (places.length !== 1) {
    const problem = places.length === 0 ? 'has no field' : 'has several fields named'
    throw typeMismatch(`${typeText(type)} ${problem} '${name}'`, position)
  }
  return rowField({ type, sql: operand.sql }, places[0]!)
}

/** The field of a row at a place that counts from 0. */
export function rowField(
  { type, sql }: { readonly type: RowType; readonly sql: string },
  place: number,
): TypedExpression {
  const carrier = fieldCarriers(type.fields)[place]!
  return { type: type.fields[place]!.type, sql: `struct_extract(${sql}, ${quoteString(carrier)})` }
}

/** SQL of a row that is not NULL, from SQL of its fields. */
export function packRow(type: RowType, fieldSql: readonly string[]): string {
  const entries = fieldCarriers(type.fields).map((carrier, i) => `${quoteString(carrier)}: ${fieldSql[i]}`)
  return `CAST({${entries.join(', ')}} AS ${duckDbType(type)})`
}

/** ROW(a, b): fields without names. */
export function rowConstructor(fields: readonly TypedExpression[]): TypedExpression {
  const type = rowType(fields.map((field) => ({ type: field.type })))
  return {
    type,
    sql: packRow(
      type,
      fields.map(({ sql }) => sql),
    ),
  }
}

/** Refuses to sort by what has no order here. */
export function refuseOrder(type: TrinoType, position?: Position): void {
  if (type.kind === 'json') throw typeMismatch('Type json is not orderable', position)
  if (isNested(type)) throw notSupported(`ORDER BY of ${type.kind}s`, position)
}

/** Refuses to tell equal values apart where a map is in them: DuckDB minds the order of its entries. */
export function refuseDistinct(type: TrinoType, what: string, position?: Position): void {
  if (someType(type, ({ kind }) => kind === 'map'))
    throw notSupported(`${what} of ${typeText(type)}`, position)
}
