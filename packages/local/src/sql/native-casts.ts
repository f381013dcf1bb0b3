import { FunctionFailure, parseDecimal, powerOfTen } from './decimal-arithmetic.ts'
import type { NativeFunction } from './native-function.ts'
import { trinoNumberText } from './number-text.ts'
import { parseDate, parseTimestamp } from './time-parsing.ts'
import { dateText, timestampText, timeText, zonedTimestampText } from './time-text.ts'
import { duckDbType, type TrinoType, typeText } from './trino-type.ts'

const integerBits: Readonly<Record<string, bigint>> = {
  tinyint: 8n,
  smallint: 16n,
  integer: 32n,
  bigint: 64n,
}

function cannotCast(text: string, type: TrinoType): FunctionFailure {
  return new FunctionFailure(
    'INVALID_CAST_ARGUMENT',
    `Cannot cast '${text}' to ${typeText(type).toUpperCase()}`,
  )
}

/** Java's trim: a space and every control character before it. */
function trimControls(text: string): string {
  return text.replace(/^[\0-\x20]+|[\0-\x20]+$/g, '')
}

function parseInteger(written: string, type: TrinoType): bigint | number {
  const text = trimControls(written)
  if (!/^[+-]?\d+$/.test(text)) {
    // Java reads digits of every script.
    if (/^[+-]?\p{Nd}+$/u.test(text))
      throw new FunctionFailure('NOT_SUPPORTED', `The embedded Athena does not read the digits of '${text}'`)
    throw cannotCast(written, type)
  }
  const value = BigInt(text.replace('+', ''))
  if (BigInt.asIntN(Number(integerBits[type.kind]), value) !== value) throw cannotCast(written, type)
  return type.kind === 'bigint' ? value : Number(value)
}

function parseDouble(text: string, type: TrinoType): number {
  const trimmed = trimControls(text)
  const match = /^([+-]?)(?:(NaN|Infinity)|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[dDfF]?)$/.exec(trimmed)
  if (match === null) {
    if (/^[+-]?0[xX]/.test(trimmed))
      throw new FunctionFailure('NOT_SUPPORTED', `The embedded Athena does not read the number '${text}'`)
    throw cannotCast(text, type)
  }
  const value =
    match[2] === undefined ? Number(match[3]) : match[2] === 'NaN' ? Number.NaN : Number.POSITIVE_INFINITY
  return match[1] === '-' ? -value : value
}

function parseBoolean(text: string, type: TrinoType): boolean {
  const lower = text.toLowerCase()
  if (lower === 'true' || lower === 't' || lower === '1') return true
  if (lower === 'false' || lower === 'f' || lower === '0') return false
  throw cannotCast(text, type)
}

function parseDecimalAs(text: string, type: TrinoType & { kind: 'decimal' }): bigint {
  const unscaled = parseDecimal(text, type.scale)
  if (unscaled === undefined) throw cannotCast(text, type)
  const limit = powerOfTen(type.precision)
  if (unscaled >= limit || unscaled <= -limit) throw cannotCast(text, type)
  return unscaled
}

/** CAST of varchar, as Trino reads text; undefined where there is no rule. */
export function castFromText(type: TrinoType): NativeFunction | undefined {
  const cast = (evaluate: (text: string) => number | bigint | boolean): NativeFunction => ({
    name: `cast_text_${typeText(type).replace(/\W+/g, '_')}`,
    parameters: ['VARCHAR'],
    returns: duckDbType(type),
    evaluate,
  })
  switch (type.kind) {
    case 'boolean':
      return cast((text) => parseBoolean(text, type))
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
      return cast((text) => parseInteger(text, type))
    case 'double':
      return cast((text) => parseDouble(text, type))
    case 'real':
      return cast((text) => Math.fround(parseDouble(text, type)))
    case 'decimal':
      return cast((text) => parseDecimalAs(text, type))
    case 'date':
      return cast((text) => parseDate(text, () => cannotCast(text, type)))
    case 'timestamp':
      return cast((text) => parseTimestamp(text, type.precision, () => cannotCast(text, type)))
    default:
      return undefined
  }
}

/** CAST to unbounded varchar of what DuckDB prints otherwise; undefined where there is no rule. */
export function castToText(type: TrinoType): NativeFunction | undefined {
  const cast = (evaluate: (value: never) => string): NativeFunction => ({
    name: `cast_${typeText(type).replace(/\W+/g, '_')}${type.kind === 'timestamp with time zone' ? `_${type.zone}` : ''}_text`,
    parameters: [duckDbType(type)],
    returns: 'VARCHAR',
    evaluate,
  })
  switch (type.kind) {
    case 'real':
    case 'double':
      return cast((value: number) => trinoNumberText(value, type.kind === 'real' ? 'real' : 'double'))
    case 'date':
      return cast((days: number) => dateText(days))
    case 'timestamp':
      return cast((micros: bigint) => timestampText(micros, type.precision))
    case 'timestamp with time zone':
      return cast((micros: bigint) => zonedTimestampText(micros, type.precision, type.zone))
    case 'time':
      return cast((micros: bigint) => timeText(micros, type.precision))
    default:
      return undefined
  }
}

/** CAST of double to real: what is too large becomes infinite. */
export const castDoubleToReal: NativeFunction = {
  name: 'cast_double_real',
  parameters: ['DOUBLE'],
  returns: 'FLOAT',
  evaluate: (value: number) => Math.fround(value),
}

/** CAST of decimal to real, where every way of computing it gives the same: small numbers with few digits. */
export function castDecimalToReal(from: TrinoType & { kind: 'decimal' }): NativeFunction {
  return {
    name: `cast_decimal_${from.precision}_${from.scale}_real`,
    parameters: [duckDbType(from)],
    returns: 'FLOAT',
    evaluate: (unscaled: bigint) => {
      if (from.scale > 10 || unscaled > 1n << 24n || unscaled < -(1n << 24n)) {
        throw new FunctionFailure('NOT_SUPPORTED', 'The embedded Athena does not cast such a decimal to real')
      }
      return Math.fround(Number(unscaled) / 10 ** from.scale)
    },
  }
}

/** CAST of double or real to decimal: the shortest text of the number, rounded half up. */
export function castFloatingToDecimal(
  from: TrinoType & { kind: 'real' | 'double' },
  to: TrinoType & { kind: 'decimal' },
): NativeFunction {
  return {
    name: `cast_${from.kind}_decimal_${to.precision}_${to.scale}`,
    parameters: [duckDbType(from)],
    returns: duckDbType(to),
    evaluate: (value: number) => {
      const text = trinoNumberText(value, from.kind)
      const unscaled = parseDecimal(text, to.scale)
      const limit = powerOfTen(to.precision)
      if (unscaled === undefined || unscaled >= limit || unscaled <= -limit) {
        throw new FunctionFailure(
          'INVALID_CAST_ARGUMENT',
          `Cannot cast ${from.kind.toUpperCase()} '${text}' to DECIMAL(${to.precision}, ${to.scale})`,
        )
      }
      return unscaled
    },
  }
}
