import { type AggregateCall, type AggregateRule, apply, refuse } from './aggregate-rules.ts'
import { FunctionFailure } from './decimal-arithmetic.ts'
import { isMapKey, mapOfFirst, multimapOf } from './map-functions.ts'
import { nativeCall } from './native-call.ts'
import { packRow } from './row-rules.ts'
import {
  arrayType,
  bigintType,
  isFloating,
  isInteger,
  mapType,
  rowType,
  type TrinoType,
  varcharType,
} from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'
import { isOrdered, keyText } from './value-comparison.ts'
import type { PlainValue } from './value-text.ts'

/** Two arguments as the entries of a group, those without a key left out. */
function ofEntries(
  build: (call: AggregateCall, list: string, key: TrinoType, value: TrinoType) => TypedExpression,
): AggregateRule {
  return (call) => {
    const [key, value] = call.arguments
    if (
      call.arguments.length !== 2 ||
      call.distinct ||
      value!.type.kind === 'unknown' ||
      !isMapKey(key!.type)
    )
      throw refuse(call)
    const row = rowType([{ type: key!.type }, { type: value!.type }])
    const list = apply(call, 'list', [packRow(row, [key!.sql, value!.sql])], `${key!.sql} IS NOT NULL`)
    return build(call, list, key!.type, value!.type)
  }
}

const histogram: AggregateRule = (call) => {
  const [value] = call.arguments
  if (call.arguments.length !== 1 || call.distinct || !isMapKey(value!.type)) throw refuse(call)
  const { type } = value!
  const values = {
    type: arrayType(type),
    sql: apply(call, 'list', [value!.sql], `${value!.sql} IS NOT NULL`),
  }
  return nativeCall(
    call.session,
    call.name,
    [values],
    mapType(type, bigintType),
    (items: readonly PlainValue[]) => {
      const counts = new Map<string, { readonly value: PlainValue; count: bigint }>()
      for (const item of items) {
        const text = keyText(item, type)
        const entry = counts.get(text) ?? { value: item, count: 0n }
        entry.count += 1n
        counts.set(text, entry)
      }
      return [...counts.values()].map((entry) => [entry.value, entry.count])
    },
  )
}

/** What LISTAGG answers at most. */
const maximumTextLength = 1_048_576

const listagg: AggregateRule = (call) => {
  const [value, separator] = call.arguments
  const isText = value?.type.kind === 'varchar'
  if (!isText || call.arguments.length > 2 || call.over !== undefined || call.orderBy.length === 0)
    throw refuse(call)
  if (separator !== undefined && separator.constant === undefined) throw refuse(call)
  const by = separator?.constant ?? ''
  const texts = {
    type: arrayType(value.type),
    sql: apply(call, 'list', [value.sql], `${value.sql} IS NOT NULL`),
  }
  return nativeCall(call.session, `listagg_by:${by}`, [texts], varcharType, (items: readonly string[]) => {
    const text = items.join(by)
    if (Buffer.byteLength(text) > maximumTextLength)
      throw new FunctionFailure(
        'EXCEEDED_FUNCTION_MEMORY_LIMIT',
        'Concatenated string has the length in bytes larger than the maximum output length 1048576',
      )
    return text
  })
}

/** max(x, n), min(x, n), max_by(x, y, n), min_by(x, y, n): the n first values by an order. */
export function firstByOrder(
  call: AggregateCall,
  value: TypedExpression,
  key: TypedExpression,
  count: TypedExpression,
  descending: boolean,
): TypedExpression {
  const isCount = count.constant !== undefined && isInteger(count.type) && Number(count.constant) > 0
  if (!isCount || !isOrdered(key.type) || value.type.kind === 'unknown' || call.distinct) throw refuse(call)
  const byKey = `${key.sql} ${descending ? 'DESC' : 'ASC'}`
  // NaN comes last both ways.
  const sorted = { ...call, orderBy: isFloating(key.type) ? [`isnan(${key.sql})`, byKey] : [byKey] }
  const list = apply(sorted, 'list', [value.sql], `${key.sql} IS NOT NULL`)
  return { type: arrayType(value.type), sql: `list_slice(${list}, 1, ${Number(count.constant)})` }
}

function bitwise(name: 'bit_and' | 'bit_or'): AggregateRule {
  return (call) => {
    const [value] = call.arguments
    if (call.arguments.length !== 1 || !isInteger(value!.type)) throw refuse(call)
    return { type: bigintType, sql: apply(call, name, [`CAST(${value!.sql} AS BIGINT)`]) }
  }
}

export const collectionAggregates: Readonly<Record<string, AggregateRule>> = {
  map_agg: ofEntries((call, list, key, value) => mapOfFirst(call.session, list, key, value)),
  multimap_agg: ofEntries((call, list, key, value) => multimapOf(call.session, list, key, value)),
  histogram,
  listagg,
  bitwise_and_agg: bitwise('bit_and'),
  bitwise_or_agg: bitwise('bit_or'),
}
