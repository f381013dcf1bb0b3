import type { AnalysisSession } from './analysis-session.ts'
import { cast, coerce } from './cast-rules.ts'
import { unify } from './conditional-rules.ts'
import { FunctionFailure } from './decimal-arithmetic.ts'
import { type AnalyzedCall, type FunctionRule, noSuchOverload } from './function-call.ts'
import { isMap, mapElementAt, mapSubscript } from './map-rules.ts'
import type { NativeFunction } from './native-function.ts'
import { notSupported } from './query-failure.ts'
import type { Position } from './syntax-tree.ts'
import {
  arrayType,
  bigintType,
  dateType,
  duckDbType,
  isNested,
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
  if (element.kind === 'unknown') throw notSupported('arrays without a typed element', position)
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
  const place = coerce(session, index, bigintType)
  if (operand.type.kind !== 'array' || place === undefined) {
    throw notSupported(`subscripts of ${typeText(operand.type)}`, position)
  }
  const checked = session.native(checkSubscript, [place.sql, `len(${operand.sql})`])
  return { type: operand.type.element, sql: `list_extract(${operand.sql}, ${checked})` }
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
  'boolean',
  'tinyint',
  'smallint',
  'integer',
  'bigint',
  'varchar',
  'date',
  'timestamp',
  'decimal',
]

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
      values.flatMap((value) => valueText(value, element) ?? missing ?? []).join(by),
  }
  return {
    type: varcharType,
    sql: call.session.native(
      native,
      call.arguments.map(({ sql }) => sql),
    ),
  }
}

const maximumLength = 10_000n

/** The steps of sequence(); Trino allows ten thousand. */
function steps(start: bigint, stop: bigint, step: bigint): bigint[] {
  const fail = (message: string): FunctionFailure => new FunctionFailure('INVALID_FUNCTION_ARGUMENT', message)
  if (step === 0n) throw fail('step must not be zero')
  if (step > 0n ? stop < start : stop > start) {
    throw fail(
      'sequence stop value should be greater than or equal to start value if step is greater than zero otherwise stop should be less than or equal to start',
    )
  }
  const length = (stop - start) / step + 1n
  if (length > maximumLength) throw fail('result of sequence function must not have more than 10000 entries')
  return Array.from({ length: Number(length) }, (_, i) => start + BigInt(i) * step)
}

const sequence: FunctionRule = (call) => {
  const [start, stop, step] = call.arguments
  if (start === undefined || stop === undefined || call.arguments.length > 3) throw noSuchOverload(call)
  const integers = call.arguments.map((argument) => coerce(call.session, argument, bigintType))
  if (integers.every((argument) => argument !== undefined)) {
    const native: NativeFunction = {
      name: `sequence_bigint_${call.arguments.length}`,
      parameters: call.arguments.map(() => 'BIGINT'),
      returns: 'BIGINT[]',
      evaluate: (from: bigint, to: bigint, by?: bigint) => steps(from, to, by ?? (from <= to ? 1n : -1n)),
    }
    return {
      type: arrayType(bigintType),
      sql: call.session.native(
        native,
        integers.map(({ sql }) => sql),
      ),
    }
  }
  const { type } = start
  const unit = { date: 86_400_000n, timestamp: 1n }[type.kind as string]
  const byInterval = step?.type.kind === 'interval day to second'
  if (unit === undefined || stop.type.kind !== type.kind || typeText(stop.type) !== typeText(type))
    throw noSuchOverload(call)
  if (!byInterval && !(step === undefined && type.kind === 'date')) throw noSuchOverload(call)
  const result = arrayType(type.kind === 'date' ? dateType : type)
  const native: NativeFunction = {
    name: `sequence_${type.kind}_${call.arguments.length}`,
    parameters: [duckDbType(type), duckDbType(type), ...(step === undefined ? [] : ['BIGINT'])],
    returns: duckDbType(result),
    evaluate: (from: bigint | number, to: bigint | number, millis?: bigint) => {
      if (type.kind === 'timestamp') return steps(from as bigint, to as bigint, millis! * 1000n)
      if (millis !== undefined && millis % unit !== 0n) {
        throw new FunctionFailure(
          'INVALID_FUNCTION_ARGUMENT',
          'sequence step must be a day interval if start and end values are dates',
        )
      }
      return steps(
        BigInt(from),
        BigInt(to),
        millis === undefined ? (from <= to ? 1n : -1n) : millis / unit,
      ).map(Number)
    },
  }
  return {
    type: result,
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

/** contains(array, value): NULL where an element might be it. */
const contains: FunctionRule = (call) => {
  const array = arrayArgument(call, 2)
  const { element } = array.type
  const value = coerce(call.session, call.arguments[1]!, element)
  if (value === undefined || element.kind === 'double' || element.kind === 'real' || isNested(element))
    throw noSuchOverload(call)
  const found = `list_contains(${array.sql}, ${value.sql})`
  const hasNull = `list_count(${array.sql}) < len(${array.sql})`
  return {
    type: { kind: 'boolean' },
    sql: `CASE WHEN ${value.sql} IS NULL THEN NULL WHEN ${found} THEN TRUE WHEN ${hasNull} THEN NULL ELSE ${found} END`,
  }
}

export const arrayFunctions: Readonly<Record<string, FunctionRule>> = {
  cardinality,
  element_at: elementAt,
  array_join: arrayJoin,
  sequence,
  flatten,
  contains,
}
