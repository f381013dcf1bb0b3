import { cast } from './cast-rules.ts'
import { type AnalyzedCall, noSuchOverload } from './function-call.ts'
import { nativeCall } from './native-call.ts'
import { arrayType, commonType, duckDbType, someType, type TrinoType } from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'
import type { PlainValue } from './value-text.ts'

type PlainArray = readonly PlainValue[]

/** || and concat() where an array is among the operands: arrays, or an element at either end of one. */
export function concatenateArrays(call: AnalyzedCall): TypedExpression {
  const { session, position } = call
  const [first, second] = call.arguments
  const types = call.arguments.map(({ type }) => type)
  // Trino cannot choose between an array and an element of one where the type of a side is open.
  const open = types.filter((type) => someType(type, ({ kind }) => kind === 'unknown'))
  if (types.some(({ kind }) => kind === 'unknown')) throw noSuchOverload(call)
  const common = types.reduce<TrinoType | undefined>((a, b) => a && commonType(a, b), types[0])
  if (common?.kind === 'array' && types.length >= 2) {
    if (open.length > 0 && open.length < types.length) throw noSuchOverload(call)
    const parts = call.arguments.map((array) => cast(session, array, common, false, position))
    return nativeCall(session, 'concat_arrays', parts, common, (...values: PlainArray[]) => values.flat(1))
  }
  if (call.arguments.length !== 2) throw noSuchOverload(call)
  const ends = [
    { array: first!, value: second!, isAppended: true },
    { array: second!, value: first!, isAppended: false },
  ]
  for (const { array, value, isAppended } of ends) {
    if (array.type.kind !== 'array') continue
    const element = commonType(array.type.element, value.type)
    if (element === undefined) continue
    const type = arrayType(element)
    const items = cast(session, array, type, false, position)
    const item = cast(session, value, element, false, position)
    return isAppended
      ? nativeCall(session, 'append', [items, item], type, (list: PlainArray, end: PlainValue) => [
          ...list,
          end,
        ])
      : nativeCall(session, 'prepend', [item, items], type, (end: PlainValue, list: PlainArray) => [
          end,
          ...list,
        ])
  }
  throw noSuchOverload(call)
}

/** `'a' || NULL`: Trino takes the NULL for an array, and so answers one that is NULL. */
export function textAndNull(text: TypedExpression): TypedExpression {
  const type = arrayType(text.type)
  return { type, sql: `CAST(NULL AS ${duckDbType(type)})` }
}
