import type { AnalysisSession } from './analysis-session.ts'
import { cast, coerce } from './cast-rules.ts'
import { unify } from './conditional-rules.ts'
import { FunctionFailure } from './decimal-arithmetic.ts'
import { type AnalyzedCall, type FunctionRule, noSuchOverload } from './function-call.ts'
import { isMap, mapElementAt, mapSubscript } from './map-rules.ts'
import type { NativeFunction } from './native-function.ts'
import { trinoNumberText } from './number-text.ts'
import { failure, notSupported } from './query-failure.ts'
import { type RowType, rowField } from './row-rules.ts'
import type { Position } from './syntax-tree.ts'
import {
  arrayType,
  bigintType,
  duckDbType,
  isFloating,
  isInteger,
  type TrinoType,
  typeText,
  varcharType,
} from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'
import { type PlainValue, valueText } from './value-text.ts'

type ArrayType = TrinoType & { kind: 'array' }

/** ARRAY[...] */
export function arrayLiteral(
  session: AnalysisSession,
  items: readonly TypedExpression[],
  position: Position,
): TypedExpression {
  const element = unify(items, 'ARRAY elements', position)
  const values = items.map((item) => cast(session, item, element, false, position).sql)
  const type = arrayType(element)
  return { type, sql: `CAST([${values.join(', ')}] AS ${duckDbType(type)})` }
}

const checkSubscript: NativeFunction = {
  name: 'check_subscript',
  parameters: ['BIGINT', 'BIGINT'],
  returns: 'BIGINT',
  evaluate: (index: bigint, length: bigint) => {
    const fail = (message: string): FunctionFailure =>
      new FunctionFailure('INVALID_FUNCTION_ARGUMENT', message)
    if (index === 0n) throw fail('SQL array indices start at 1')
    if (index < 0n) throw fail(`Array subscript is negative: ${index}`)
    if (index > length)
      throw fail(`Array subscript must be less than or equal to array length: ${index} > ${length}`)
    return index
  },
}

/** array[index]; an index outside of the array fails. */
export function subscript(
  session: AnalysisSession,
  operand: TypedExpression,
  index: TypedExpression,
  position: Position,
): TypedExpression {
  if (isMap(operand)) return mapSubscript(session, operand, index, position)
  if (operand.type.kind === 'row') return rowSubscript(operand, index, position)
  const place = coerce(session, index, bigintType)
  if (operand.type.kind !== 'array' || place === undefined) {
    throw notSupported(`subscripts of ${typeText(operand.type)}`, position)
  }
  const checked = session.native(checkSubscript, [place.sql, `len(${operand.sql})`])
  return { type: operand.type.element, sql: `list_extract(${operand.sql}, ${checked})` }
}

/** row[place], the place being a literal. */
function rowSubscript(row: TypedExpression, index: TypedExpression, position: Position): TypedExpression {
  const type = row.type as RowType
  const place = isInteger(index.type) ? Number(index.constant) : Number.NaN
  if (Number.isNaN(place)) throw notSupported('subscripts of rows that are not literals', position)
  if (place < 1 || place > type.fields.length)
    throw failure('INVALID_FUNCTION_ARGUMENT', `ROW index out of bounds: ${place}`, position)
  return rowField({ type, sql: row.sql }, place - 1)
}

function arrayArgument(call: AnalyzedCall, count: number): TypedExpression & { type: ArrayType } {
  const [array] = call.arguments
  if (call.arguments.length !== count || array?.type.kind !== 'array') throw noSuchOverload(call)
  return array as TypedExpression & { type: ArrayType }
}

const cardinality: FunctionRule = (call) => {
  const [map] = call.arguments
  if (isMap(map) && call.arguments.length === 1) return { type: bigintType, sql: `len(map_keys(${map.sql}))` }
  return { type: bigintType, sql: `len(${arrayArgument(call, 1).sql})` }
}

const elementAt: FunctionRule = (call) => {
  if (isMap(call.arguments[0])) return mapElementAt(call)
  const array = arrayArgument(call, 2)
  const place = coerce(call.session, call.arguments[1]!, bigintType)
  if (place === undefined) throw noSuchOverload(call)
  const native: NativeFunction = {
    name: 'check_element_at',
    parameters: ['BIGINT'],
    returns: 'BIGINT',
    evaluate: (index: bigint) => {
      if (index === 0n) throw new FunctionFailure('INVALID_FUNCTION_ARGUMENT', 'SQL array indices start at 1')
      return index
    },
  }
  return {
    type: array.type.element,
    sql: `list_extract(${array.sql}, ${call.session.native(native, [place.sql])})`,
  }
}

const joinable = [
  'unknown',
  'boolean',
  'tinyint',
  'smallint',
  'integer',
  'bigint',
  'varchar',
  'date',
  'timestamp',
  'decimal',
  'real',
  'double',
]

/** As CAST to varchar writes it. */
function castText(value: PlainValue, type: TrinoType): string | null {
  return isFloating(type) && value !== null
    ? trinoNumberText(value as number, type.kind)
    : valueText(value, type)
}

const arrayJoin: FunctionRule = (call) => {
  const [array, delimiter, nullText] = call.arguments
  if (array?.type.kind !== 'array' || delimiter?.type.kind !== 'varchar' || call.arguments.length > 3)
    throw noSuchOverload(call)
  const { element } = array.type
  if (!joinable.includes(element.kind) || (nullText !== undefined && nullText.type.kind !== 'varchar'))
    throw noSuchOverload(call)
  const native: NativeFunction = {
    name: `array_join_${call.arguments.length}_${typeText(element)}`,
    parameters: [duckDbType(array.type), 'VARCHAR', ...(nullText === undefined ? [] : ['VARCHAR'])],
    returns: 'VARCHAR',
    evaluate: (values: readonly PlainValue[], by: string, missing?: string) =>
      values.flatMap((value) => castText(value, element) ?? missing ?? []).join(by),
  }
  return {
    type: varcharType,
    sql: call.session.native(
      native,
      call.arguments.map(({ sql }) => sql),
    ),
  }
}

const flatten: FunctionRule = (call) => {
  const array = arrayArgument(call, 1)
  const { element } = array.type
  if (element.kind !== 'array') throw noSuchOverload(call)
  return { type: element, sql: `flatten(${array.sql})` }
}

export const arrayFunctions: Readonly<Record<string, FunctionRule>> = {
  cardinality,
  element_at: elementAt,
  array_join: arrayJoin,
  flatten,
}
