import { CellProblem, keyStep } from './cell-problem.ts'
import type { ColumnType, MapKeyType, NestedKind, NestedValue, StructField } from './column-type.ts'
import { Decimal, powerOfTen } from './decimal.ts'
import { parseDate } from './instant.ts'

const int64Limit = 2n ** 63n

const integerProblem = (value: unknown, bits: 8 | 16 | 32): string | undefined => {
  const limit = 2 ** (bits - 1)
  if (typeof value !== 'number' || !Number.isInteger(value))
    return `takes a whole number, not ${shown(value)}`
  return value < -limit || value >= limit ? `does not fit ${bits} bits: ${value}` : undefined
}

const bigintProblem = (value: unknown): string | undefined => {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? undefined : `takes a bigint or a safe integer, not ${value}`
  }
  if (typeof value !== 'bigint') return `takes a bigint or a safe integer, not ${shown(value)}`
  return value < -int64Limit || value >= int64Limit ? `does not fit 64 bits: ${value}` : undefined
}

/** Why a decimal does not fit a column, or undefined; never rounds. */
export const decimalProblem = (
  type: { readonly precision: number; readonly scale: number },
  decimal: Decimal,
): string | undefined => {
  let { unscaled, scale } = decimal
  while (scale > type.scale && unscaled % 10n === 0n) {
    unscaled /= 10n
    scale -= 1
  }
  if (scale > type.scale) return `has more than ${type.scale} digits after the point: ${decimal}`
  const limit = powerOfTen(type.precision)
  const rescaled = unscaled * powerOfTen(type.scale - scale)
  return rescaled >= limit || rescaled <= -limit
    ? `does not fit decimal(${type.precision},${type.scale}): ${decimal}`
    : undefined
}

type NestedType = Extract<ColumnType, { readonly kind: NestedKind }>
type ScalarType = Exclude<ColumnType, NestedType>

/** Why a value a producer passes does not fit a column of that type; undefined when it does. */
export const columnValueProblem = (type: ColumnType, value: unknown): CellProblem | undefined => {
  switch (type.kind) {
    case 'list':
      return listProblem(type.element, value)
    case 'map':
      return mapProblem(type.key, type.value, value)
    case 'struct':
      return structProblem(type.fields, value)
    default: {
      const reason = scalarProblem(type, value)
      return reason === undefined ? undefined : new CellProblem(reason)
    }
  }
}

const nestedProblem = ({ type, nullable }: NestedValue, value: unknown): CellProblem | undefined => {
  if (value !== null && value !== undefined) return columnValueProblem(type, value)
  return nullable ? undefined : new CellProblem('is missing and not nullable')
}

const listProblem = (element: NestedValue, value: unknown): CellProblem | undefined => {
  if (!Array.isArray(value)) return new CellProblem(`takes an array, not ${shown(value)}`)
  for (let index = 0; index < value.length; index++) {
    const problem = nestedProblem(element, value[index])
    if (problem) return problem.within(`[${index}]`)
  }
  return undefined
}

const mapProblem = (key: MapKeyType, inner: NestedValue, value: unknown): CellProblem | undefined => {
  const entries = mapEntries(key, value)
  if (!entries) {
    return new CellProblem(`takes a Map${key.kind === 'string' ? ' or an object' : ''}, not ${shown(value)}`)
  }
  // 1 and 1n are one key.
  const texts = new Set<string>()
  for (const [name, member] of entries) {
    const text = String(name)
    const keyReason = scalarProblem(key, name)
    if (keyReason !== undefined) return new CellProblem(`has a key that ${keyReason}`).within(keyStep(text))
    if (texts.has(text)) return new CellProblem('is a key that the map has already').within(keyStep(text))
    texts.add(text)
    const problem = nestedProblem(inner, member)
    if (problem) return problem.within(keyStep(text))
  }
  return undefined
}

/** The entries of a map as a producer may pass it; undefined when it is none. */
export const mapEntries = (
  key: MapKeyType,
  value: unknown,
): Iterable<readonly [unknown, unknown]> | undefined => {
  if (value instanceof Map) return value
  return key.kind === 'string' && isObject(value) ? Object.entries(value) : undefined
}

const structProblem = (fields: readonly StructField[], value: unknown): CellProblem | undefined => {
  if (!isObject(value)) return new CellProblem(`takes an object, not ${shown(value)}`)
  let present = 0
  for (const field of fields) {
    if (value[field.name] !== undefined) present += 1
    const problem = nestedProblem(field, value[field.name])
    if (problem) return problem.within(`.${field.name}`)
  }
  const names = Object.keys(value)
  if (names.length === present) return undefined
  const unknown = names.find((name) => !fields.some((field) => field.name === name))
  return unknown === undefined ? undefined : new CellProblem(`has no field '${unknown}'`)
}

/** Not one of the objects that stand for values of their own, such as a Date, a Map or a Decimal. */
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  Object.prototype.toString.call(value) === '[object Object]' && !Decimal.isDecimal(value)

const scalarProblem = (type: ScalarType, value: unknown): string | undefined => {
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `takes a boolean, not ${shown(value)}`
    case 'int8':
      return integerProblem(value, 8)
    case 'int16':
      return integerProblem(value, 16)
    case 'int32':
      return integerProblem(value, 32)
    case 'int64':
      return bigintProblem(value)
    case 'epochNanos':
      return typeof value === 'bigint'
        ? bigintProblem(value)
        : `takes a bigint of nanoseconds, not ${shown(value)}`
    case 'float':
    case 'double':
      return typeof value === 'number' ? undefined : `takes a number, not ${shown(value)}`
    case 'decimal': {
      if (Decimal.isDecimal(value)) return decimalProblem(type, value)
      if (typeof value !== 'string') return `takes a string or a Decimal, not ${shown(value)}`
      const decimal = Decimal.tryParse(value)
      return decimal ? decimalProblem(type, decimal) : `takes decimal digits, not ${shown(value)}`
    }
    case 'string':
      if (typeof value !== 'string') return `takes a string, not ${shown(value)}`
      return value.isWellFormed() ? undefined : 'holds a lone surrogate, which UTF-8 cannot keep'
    case 'json':
      return jsonProblem(value)
    case 'binary':
      return value instanceof Uint8Array ? undefined : `takes a Uint8Array, not ${shown(value)}`
    case 'date':
      return typeof value === 'string' && parseDate(value) !== undefined
        ? undefined
        : `takes a date 'YYYY-MM-DD', not ${shown(value)}`
    case 'timestamp':
      if (typeof value === 'bigint') return bigintProblem(value)
      return value instanceof Date && !Number.isNaN(value.getTime())
        ? undefined
        : `takes a valid Date or a bigint of milliseconds, not ${shown(value)}`
  }
}

const jsonProblem = (value: unknown): string | undefined => {
  if (typeof value !== 'string') return `takes JSON text, not ${shown(value)}`
  try {
    JSON.parse(value)
    return undefined
  } catch {
    return `takes JSON text, and this is not: ${shown(value)}`
  }
}

/** A value cut to a length that fits a message. */
const shown = (value: unknown): string => {
  if (typeof value === 'string') return `"${value.length > 40 ? `${value.slice(0, 40)}...` : value}"`
  if (typeof value === 'number' || typeof value === 'boolean') return `${typeof value} ${value}`
  if (typeof value === 'bigint') return `bigint ${value}`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : 'a Date'
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : `${typeof value}`
}
