import type { AnalysisSession } from './analysis-session.ts'
import { cast, coerce } from './cast-rules.ts'
import { FunctionFailure } from './decimal-arithmetic.ts'
import { type AnalyzedCall, type FunctionRule, noSuchOverload } from './function-call.ts'
import { nativeCall } from './native-call.ts'
import { rowField } from './row-rules.ts'
import {
  arrayType,
  bigintType,
  booleanType,
  commonType,
  rowType,
  type TrinoType,
  typeText,
} from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'
import { compareValues, equalValues, isOrdered, keyText, refuseBothZeros } from './value-comparison.ts'
import type { PlainValue } from './value-text.ts'

type PlainArray = readonly PlainValue[]
type ArrayType = TrinoType & { readonly kind: 'array' }
type ArrayExpression = TypedExpression & { readonly type: ArrayType }

function arrayArgument(call: AnalyzedCall, place: number): ArrayExpression {
  const array = call.arguments[place]
  if (array?.type.kind !== 'array') throw noSuchOverload(call)
  return array as ArrayExpression
}

function expectCount(call: AnalyzedCall, count: number): void {
  if (call.arguments.length !== count) throw noSuchOverload(call)
}

/** Two arrays as one type, their common one. */
function alike(call: AnalyzedCall): readonly [ArrayExpression, ArrayExpression] {
  expectCount(call, 2)
  const [a, b] = [arrayArgument(call, 0), arrayArgument(call, 1)]
  const type = commonType(a.type, b.type)
  if (type === undefined) throw noSuchOverload(call)
  const as = (array: TypedExpression): ArrayExpression =>
    cast(call.session, array, type, false, call.position) as ArrayExpression
  return [as(a), as(b)]
}

/** An array and a value of its elements' type. */
function withElement(call: AnalyzedCall): readonly [ArrayExpression, TypedExpression] {
  expectCount(call, 2)
  const array = arrayArgument(call, 0)
  const value = call.arguments[1]!
  const element = commonType(array.type.element, value.type)
  if (element === undefined) throw noSuchOverload(call)
  return [
    cast(call.session, array, arrayType(element), false, call.position) as ArrayExpression,
    cast(call.session, value, element, false, call.position),
  ]
}

/** Values without those whose like came before. */
function distinct(values: PlainArray, element: TrinoType, seen = new Set<string>()): PlainArray {
  return values.filter((value) => {
    const text = keyText(value, element)
    if (seen.has(text)) return false
    seen.add(text)
    return true
  })
}

function keys(values: PlainArray, element: TrinoType): Set<string> {
  return new Set(values.map((value) => keyText(value, element)))
}

const arrayDistinct: FunctionRule = (call) => {
  expectCount(call, 1)
  const array = arrayArgument(call, 0)
  const { element } = array.type
  return nativeCall(call.session, call.name, [array], array.type, (values: PlainArray) =>
    distinct(values, element),
  )
}

/** array_union, array_except and array_intersect: each value once, NULL and NaN like any other. */
function setOperation(
  combine: (a: PlainArray, b: PlainArray, element: TrinoType) => PlainArray,
): FunctionRule {
  return (call) => {
    const [a, b] = alike(call)
    const { element } = a.type
    return nativeCall(call.session, call.name, [a, b], a.type, (left: PlainArray, right: PlainArray) =>
      combine(left, right, element),
    )
  }
}

/** In the order of the longer array, as Trino has it. */
function intersection(a: PlainArray, b: PlainArray, element: TrinoType): PlainArray {
  const [longer, shorter] = a.length < b.length ? [b, a] : [a, b]
  const within = keys(shorter, element)
  return distinct(longer, element).filter((value) => within.has(keyText(value, element)))
}

const arraysOverlap: FunctionRule = (call) => {
  const [a, b] = alike(call)
  const { element } = a.type
  return nativeCall(call.session, call.name, [a, b], booleanType, (left: PlainArray, right: PlainArray) => {
    if (left.length === 0 || right.length === 0) return false
    const within = keys(right, element)
    if (left.some((value) => value !== null && within.has(keyText(value, element)))) return true
    return left.includes(null) || right.includes(null) ? null : false
  })
}

/** array_max and array_min: NULL where the array has a NULL; NaN counts only where there is nothing else. */
function extreme(sign: 1 | -1): FunctionRule {
  return (call) => {
    expectCount(call, 1)
    const array = arrayArgument(call, 0)
    const { element } = array.type
    if (!isOrdered(element)) throw noSuchOverload(call)
    return nativeCall(call.session, call.name, [array], element, (values: PlainArray) => {
      if (values.length === 0 || values.includes(null)) return null
      const numbers = values.filter((value) => !Number.isNaN(value))
      if (numbers.length === 0) return Number.NaN
      refuseBothZeros(numbers, call.name)
      return numbers.reduce((best, value) => (compareValues(value, best, element) * sign > 0 ? value : best))
    })
  }
}

/** reverse() of an array. */
export const reverseArray: FunctionRule = (call) => {
  expectCount(call, 1)
  const array = arrayArgument(call, 0)
  return nativeCall(call.session, call.name, [array], array.type, (values: PlainArray) =>
    [...values].reverse(),
  )
}

const arraySort: FunctionRule = (call) => {
  expectCount(call, 1)
  const array = arrayArgument(call, 0)
  const { element } = array.type
  if (!isOrdered(element)) throw noSuchOverload(call)
  return nativeCall(call.session, call.name, [array], array.type, (values: PlainArray) => {
    const sorted = values.filter((value) => value !== null).sort((a, b) => compareValues(a, b, element))
    return [...sorted, ...values.filter((value) => value === null)]
  })
}

/** Whether an element is the value; refused where a NULL within leaves that open. */
function isElement(item: PlainValue, value: PlainValue, element: TrinoType, name: string): boolean {
  const outcome = equalValues(item, value, element)
  if (outcome === null && item !== null) {
    throw new FunctionFailure(
      'NOT_SUPPORTED',
      `${name} does not support arrays with elements that are null or contain null`,
    )
  }
  return outcome === true
}

/** A function of an array and a value, by which of its elements are the value. */
function byElement(
  result: (array: ArrayType) => TrinoType,
  answer: (values: PlainArray, isValue: (item: PlainValue) => boolean) => PlainValue,
): FunctionRule {
  return (call) => {
    const [array, value] = withElement(call)
    const { element } = array.type
    const evaluate = (values: PlainArray, sought: PlainValue): PlainValue =>
      answer(values, (item) => isElement(item, sought, element, call.name))
    return nativeCall(call.session, call.name, [array, value], result(array.type), evaluate)
  }
}

const arrayPosition = byElement(
  () => bigintType,
  (values, isValue) => BigInt(values.findIndex(isValue) + 1),
)

const arrayRemove = byElement(
  (array) => array,
  (values, isValue) => values.filter((item) => !isValue(item)),
)

/** contains(array, value): NULL where an element that is NULL might be it. */
const contains = byElement(
  () => booleanType,
  (values, isValue) => values.some(isValue) || (values.includes(null) ? null : false),
)

function invalid(message: string): FunctionFailure {
  return new FunctionFailure('INVALID_FUNCTION_ARGUMENT', message)
}

const slice: FunctionRule = (call) => {
  expectCount(call, 3)
  const array = arrayArgument(call, 0)
  const [start, length] = call.arguments
    .slice(1)
    .map((argument) => coerce(call.session, argument, bigintType))
  if (start === undefined || length === undefined) throw noSuchOverload(call)
  const cut = (values: PlainArray, from: bigint, count: bigint): PlainArray => {
    if (count < 0n) throw invalid('length must be greater than or equal to 0')
    if (from === 0n) throw invalid('SQL array indices start at 1')
    const first = from < 0n ? values.length + Number(from) : Number(from) - 1
    return first < 0 ? [] : values.slice(first, first + Number(count))
  }
  return nativeCall(call.session, call.name, [array, start, length], array.type, cut)
}

const trimArray: FunctionRule = (call) => {
  expectCount(call, 2)
  const array = arrayArgument(call, 0)
  const count = coerce(call.session, call.arguments[1]!, bigintType)
  if (count === undefined) throw noSuchOverload(call)
  return nativeCall(
    call.session,
    call.name,
    [array, count],
    array.type,
    (values: PlainArray, size: bigint) => {
      if (size < 0n) throw invalid(`size must not be negative: ${size}`)
      if (size > BigInt(values.length))
        throw invalid(`size must not exceed array cardinality ${values.length}: ${size}`)
      return values.slice(0, values.length - Number(size))
    },
  )
}

const maximumRepetitions = 10_000n

const repeat: FunctionRule = (call) => {
  expectCount(call, 2)
  const value = call.arguments[0]!
  const count = coerce(call.session, call.arguments[1]!, bigintType)
  if (count === undefined || value.type.kind === 'unknown') throw noSuchOverload(call)
  const fill = (item: PlainValue, times: bigint | null): PlainArray | null => {
    if (times === null) return null
    // How many Trino allows depends on its version.
    if (times > maximumRepetitions)
      throw new FunctionFailure('NOT_SUPPORTED', `The embedded Athena does not repeat a value ${times} times`)
    if (times < 0n) throw invalid('count argument of repeat function must be greater than or equal to 0')
    return Array.from({ length: Number(times) }, () => item)
  }
  return nativeCall(call.session, call.name, [value, count], arrayType(value.type), fill, {
    acceptsNull: true,
  })
}

/** Arrays side by side as rows, the shorter ones filled with NULL. */
export function zipped(session: AnalysisSession, arrays: readonly ArrayExpression[]): ArrayExpression {
  const type = arrayType(rowType(arrays.map((array) => ({ type: array.type.element }))))
  const zip = (...values: readonly PlainArray[]): PlainValue => {
    const length = Math.max(...values.map((items) => items.length))
    return Array.from({ length }, (_, i) => values.map((items) => items[i] ?? null))
  }
  return { ...nativeCall(session, 'zip', arrays, type, zip as (...values: never[]) => PlainValue), type }
}

/** The fields of the rows of an array, one of which has a name. */
export function elementFields(array: ArrayType, name: string): readonly TypedExpression[] {
  const row = array.element
  if (row.kind !== 'row') throw new Error(`${typeText(row)} is no row`)
  return row.fields.map((_, i) => rowField({ type: row, sql: name }, i))
}

const zip: FunctionRule = (call) => {
  const { length } = call.arguments
  if (length < 2 || length > 5) throw noSuchOverload(call)
  return zipped(
    call.session,
    call.arguments.map((_, i) => arrayArgument(call, i)),
  )
}

export const arraySetFunctions: Readonly<Record<string, FunctionRule>> = {
  array_distinct: arrayDistinct,
  array_union: setOperation((a, b, element) => distinct([...a, ...b], element)),
  array_except: setOperation((a, b, element) => distinct(a, element, keys(b, element))),
  array_intersect: setOperation(intersection),
  arrays_overlap: arraysOverlap,
  array_max: extreme(1),
  array_min: extreme(-1),
  array_sort: arraySort,
  array_position: arrayPosition,
  array_remove: arrayRemove,
  contains,
  slice,
  trim_array: trimArray,
  repeat,
  zip,
}
