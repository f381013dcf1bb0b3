import { CellProblem, shown, unsuited } from './cell-problem.ts'
import type { StoredValue } from './column-builder.ts'
import type { ColumnType } from './column-type.ts'
import { decimalProblem } from './column-value.ts'
import { Decimal, powerOfTen } from './decimal.ts'
import { earliestMillis, latestMillis, parseDate, parseInstantNanos } from './instant.ts'
import type { InstantFormat, JsonEncoding } from './json-encoding.ts'
import { nestedCellReader } from './json-nested-cell.ts'
import type { JsonToken } from './json-reader.ts'

/** Turns a JSON value into what the column stores, or says why it cannot. */
export type JsonCellReader = (token: JsonToken) => StoredValue | CellProblem

const plainInteger = /^-?\d{1,15}$/
const int64Limit = 2n ** 63n

/** A whole number from its text; undefined when it is none. `1e3` and `10.0` are whole. */
const wholeNumber = (text: string): bigint | undefined => {
  if (plainInteger.test(text)) return BigInt(text)
  const decimal = Decimal.tryParse(text)
  if (!decimal) return undefined
  const divisor = powerOfTen(decimal.scale)
  return decimal.unscaled % divisor === 0n ? decimal.unscaled / divisor : undefined
}

const integerReader =
  (bits: 8 | 16 | 32): JsonCellReader =>
  (token) => {
    if (token.kind !== 'number' && token.kind !== 'string') return unsuited('a whole number', token)
    const value = wholeNumber(token.text)
    if (value === undefined) return unsuited('a whole number', token)
    return BigInt.asIntN(bits, value) === value
      ? Number(value)
      : new CellProblem(`does not fit ${bits} bits: ${value}`)
  }

const int64Reader =
  (mode: 'number' | undefined): JsonCellReader =>
  (token) => {
    if (token.kind !== 'number' && token.kind !== 'string') return unsuited('a whole number', token)
    const value = wholeNumber(token.text)
    if (value === undefined) return unsuited('a whole number', token)
    if (value < -int64Limit || value >= int64Limit)
      return new CellProblem(`does not fit 64 bits: ${shown(token)}`)
    if (mode === 'number' && !Number.isSafeInteger(Number(value))) {
      return new CellProblem(`is beyond 2^53 - 1 in a column of mode 'number': ${value}`)
    }
    return value
  }

const specialDoubles: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

const doubleReader: JsonCellReader = (token) => {
  if (token.kind === 'number') return Number(token.text)
  if (token.kind !== 'string') return unsuited('a number', token)
  return (
    specialDoubles.get(token.text) ??
    (Decimal.tryParse(token.text) ? Number(token.text) : unsuited('a number', token))
  )
}

const decimalReader =
  (type: { readonly precision: number; readonly scale: number }): JsonCellReader =>
  (token) => {
    const decimal =
      token.kind === 'number' || token.kind === 'string' ? Decimal.tryParse(token.text) : undefined
    if (!decimal) return unsuited('decimal digits', token)
    const problem = decimalProblem(type, decimal)
    if (problem) return new CellProblem(problem)
    return decimal.rescale(type.scale, 'down').unscaled
  }

/** Nanoseconds of one unit of each epoch format. */
const unitNanos: { readonly [Format in Exclude<InstantFormat, 'iso8601'>]: bigint } = {
  'epoch-seconds': 1_000_000_000n,
  'epoch-millis': 1_000_000n,
  'epoch-micros': 1_000n,
  'epoch-nanos': 1n,
}

const instantNanos = (token: JsonToken, format: InstantFormat): bigint | CellProblem => {
  if (format === 'iso8601') {
    const nanos = token.kind === 'string' ? parseInstantNanos(token.text) : undefined
    return nanos ?? unsuited('an ISO 8601 date and time', token)
  }
  const decimal =
    token.kind === 'number' || token.kind === 'string' ? Decimal.tryParse(token.text) : undefined
  if (!decimal) return unsuited(`a number (${format})`, token)
  const scaled = decimal.unscaled * unitNanos[format]
  const divisor = powerOfTen(decimal.scale)
  return scaled % divisor === 0n
    ? scaled / divisor
    : new CellProblem(`is finer than a nanosecond: ${shown(token)}`)
}

const timestampReader = (format: InstantFormat, floor: boolean): JsonCellReader => {
  const exact: JsonCellReader = (token) => {
    const nanos = instantNanos(token, format)
    if (typeof nanos !== 'bigint') return nanos
    const remainder = ((nanos % 1_000_000n) + 1_000_000n) % 1_000_000n
    if (remainder !== 0n && !floor) {
      return new CellProblem(`is finer than a millisecond: ${shown(token)}; say floor('millis') to cut it`)
    }
    const millis = (nanos - remainder) / 1_000_000n
    return millis < earliestMillis || millis > latestMillis
      ? new CellProblem(`lies outside the years 0001 to 9999: ${shown(token)}`)
      : millis
  }
  if (format !== 'epoch-millis') return exact
  return (token) => {
    if (token.kind !== 'number' || token.text.length > 14 || !plainInteger.test(token.text))
      return exact(token)
    return BigInt(token.text)
  }
}

const epochNanosReader =
  (format: InstantFormat): JsonCellReader =>
  (token) => {
    const nanos = instantNanos(token, format)
    if (typeof nanos !== 'bigint') return nanos
    return nanos < -int64Limit || nanos >= int64Limit
      ? new CellProblem(`does not fit 64 bits: ${shown(token)}`)
      : nanos
  }

const stringReader: JsonCellReader = (token) => {
  if (token.kind !== 'string') return unsuited('a string', token)
  return token.text.isWellFormed()
    ? token.text
    : new CellProblem('holds a lone surrogate, which UTF-8 cannot keep')
}

const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const binaryReader: JsonCellReader = (token) => {
  if (token.kind !== 'string' || !base64Pattern.test(token.text)) return unsuited('base64 text', token)
  return Uint8Array.from(atob(token.text), (character) => character.charCodeAt(0))
}

/** What the readers have to know of an encoding. */
export type JsonCellEncoding = Pick<JsonEncoding, 'names' | 'timestamps'>

/** The reader of one column's JSON value; `null` is dealt with before it. */
export const jsonCellReader = (
  column: { readonly name: string; readonly type: ColumnType },
  encoding: JsonCellEncoding,
): JsonCellReader => typeReader(column.type, column.name, encoding)

/** @param path names the value in the encoding: `legs.price` */
const typeReader = (type: ColumnType, path: string, encoding: JsonCellEncoding): JsonCellReader => {
  switch (type.kind) {
    case 'boolean':
      return (token) =>
        token.kind === 'true' ? 1 : token.kind === 'false' ? 0 : unsuited('true or false', token)
    case 'int8':
      return integerReader(8)
    case 'int16':
      return integerReader(16)
    case 'int32':
      return integerReader(32)
    case 'int64':
      return int64Reader(type.mode)
    case 'float':
    case 'double':
      return doubleReader
    case 'decimal':
      return decimalReader(type)
    case 'string':
      return stringReader
    case 'binary':
      return binaryReader
    case 'date':
      return (token) =>
        (token.kind === 'string' ? parseDate(token.text) : undefined) ??
        unsuited("a date 'YYYY-MM-DD'", token)
    case 'timestamp':
      return timestampReader(encoding.timestamps[path] ?? 'iso8601', type.floor === 'millis')
    case 'epochNanos':
      return epochNanosReader(encoding.timestamps[path] ?? 'epoch-nanos')
    case 'json':
      return (token) => {
        const text = token.kind === 'string' ? JSON.stringify(token.text) : token.text
        return text.isWellFormed() ? text : new CellProblem('holds a lone surrogate, which UTF-8 cannot keep')
      }
    case 'list':
    case 'map':
    case 'struct':
      return nestedCellReader(type, path, encoding, typeReader)
  }
}
