import { FunctionFailure, parseDecimal, powerOfTen } from './decimal-arithmetic.ts'
import { constantText, type FunctionRule, noSuchOverload } from './function-call.ts'
import { bigDecimalText } from './json-cast.ts'
import { nativeCall } from './native-call.ts'
import { decimalText, javaNumberText } from './number-text.ts'
import { notSupported } from './query-failure.ts'
import { dateText } from './time-text.ts'
import { isFloating, isInteger, type TrinoType, varcharType } from './trino-type.ts'
import type { PlainValue } from './value-text.ts'

interface Specifier {
  readonly flags: string
  readonly width: number | undefined
  readonly precision: number | undefined
  readonly conversion: string
  /** The place of its argument. */
  readonly place: number
}

const specifier = /%(?:(\d+)\$)?([-+ 0,]*)([1-9]\d{0,3})?(?:\.(\d{1,3}))?([a-zA-Z%])/y

/** The parts of a format of Java's Formatter; undefined for forms without a rule. */
function readFormat(format: string): readonly (string | Specifier)[] | undefined {
  const parts: (string | Specifier)[] = []
  let next = 0
  let at = 0
  while (at < format.length) {
    const percent = format.indexOf('%', at)
    if (percent < 0) return [...parts, format.slice(at)]
    parts.push(format.slice(at, percent))
    specifier.lastIndex = percent
    const match = specifier.exec(format)
    if (match === null) return undefined
    at = specifier.lastIndex
    const [whole, index, flags = '', width, precision, conversion] = match
    if (whole === '%%' || whole === '%n') {
      parts.push(whole === '%%' ? '%' : '\n')
      continue
    }
    const place = index === undefined ? next++ : Number(index) - 1
    const read = {
      flags,
      width: width === undefined ? undefined : Number(width),
      precision: precision === undefined ? undefined : Number(precision),
      conversion: conversion!,
      place,
    }
    if (!isKnown(read)) return undefined
    parts.push(read)
  }
  return parts
}

function isKnown({ flags, width, precision, conversion, place }: Specifier): boolean {
  const aligned = flags.includes('-') || flags.includes('0')
  if (place < 0 || new Set(flags).size < flags.length || (aligned && width === undefined)) return false
  if (/-.*0|0.*-|,.*0|0.*,|\+.* | .*\+/.test(flags)) return false
  if (conversion === 's' || conversion === 'b') return /^-?$/.test(flags) && precision === undefined
  if (conversion === 'x') return /^[-0]?$/.test(flags) && precision === undefined
  return conversion === 'f' || (conversion === 'd' && precision === undefined)
}

function accepts(conversion: string, type: TrinoType): boolean {
  if (type.kind === 'unknown') return true
  switch (conversion) {
    case 's':
      return (
        isInteger(type) ||
        isFloating(type) ||
        ['varchar', 'boolean', 'decimal', 'date', 'json'].includes(type.kind)
      )
    case 'b':
      return type.kind === 'boolean'
    case 'f':
      return isFloating(type) || type.kind === 'decimal'
    default:
      return isInteger(type)
  }
}

function padded(text: string, { flags, width = 0 }: Specifier): string {
  return flags.includes('-') ? text.padEnd(width) : text.padStart(width)
}

function grouped(whole: string): string {
  return whole.replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** A number's digits with its sign, groups and zeros. */
function number(negative: boolean, digits: string, read: Specifier): string {
  const [whole, fraction] = digits.split('.') as [string, string | undefined]
  const sign = negative ? '-' : read.flags.includes('+') ? '+' : read.flags.includes(' ') ? ' ' : ''
  const magnitude =
    (read.flags.includes(',') ? grouped(whole) : whole) + (fraction === undefined ? '' : `.${fraction}`)
  if (!read.flags.includes('0')) return padded(sign + magnitude, read)
  return sign + magnitude.padStart(read.width! - sign.length, '0')
}

/** %f: half up by the shortest digits of a double. */
function fixed(value: PlainValue, type: TrinoType, read: Specifier): string {
  const scale = read.precision ?? 6
  if (type.kind === 'decimal') {
    const unscaled = value as bigint
    const absolute = unscaled < 0n ? -unscaled : unscaled
    return number(
      unscaled < 0n,
      decimalText(parseDecimal(decimalText(absolute, type.scale), scale)!, scale),
      read,
    )
  }
  const double = value as number
  if (!Number.isFinite(double))
    throw new FunctionFailure('NOT_SUPPORTED', `The embedded Athena does not format ${double} with %f`)
  // A real is widened first, as Java does.
  const absolute = parseDecimal(javaNumberText(Math.abs(double), 'double'), scale)!
  return number(double < 0 || Object.is(double, -0), decimalText(absolute, scale), read)
}

function formatted(value: PlainValue, type: TrinoType, read: Specifier): string {
  // Java cuts even this text to the precision.
  if (value === null) return padded(read.conversion === 'b' ? 'false' : 'null'.slice(0, read.precision), read)
  switch (read.conversion) {
    case 'f':
      return fixed(value, type, read)
    case 'd': {
      const whole = BigInt(value as number | bigint)
      return number(whole < 0n, (whole < 0n ? -whole : whole).toString(), read)
    }
    case 'x': {
      const text = BigInt.asUintN(64, BigInt(value as number | bigint)).toString(16)
      return read.flags.includes('0') ? text.padStart(read.width!, '0') : padded(text, read)
    }
    default:
      return padded(plainText(value, type), read)
  }
}

/** Java's toString of what Trino hands to Formatter. */
function plainText(value: PlainValue, type: TrinoType): string {
  if (isFloating(type)) return javaNumberText(value as number, type.kind)
  if (type.kind === 'decimal') return bigDecimalText(value as bigint, type.scale)
  return type.kind === 'date' ? dateText(value as number) : String(value)
}

/** format(format, ...): the forms of Java's Formatter whose text is sure. */
export const format: FunctionRule = (call) => {
  const [, ...values] = call.arguments
  if (values.length === 0 || call.arguments[0]!.type.kind !== 'varchar') throw noSuchOverload(call)
  const text = constantText(call, call.arguments[0], 'a format')
  const parts = readFormat(text)
  const isKnownFor = (part: string | Specifier): boolean => {
    const value = typeof part === 'string' ? undefined : values[part.place]
    return typeof part === 'string' || (value !== undefined && accepts(part.conversion, value.type))
  }
  if (parts === undefined || !parts.every(isKnownFor))
    throw notSupported(`format('${text}') of these arguments`, call.position)
  const types = values.map(({ type }) => type)
  return nativeCall(
    call.session,
    `format:${text}`,
    values,
    varcharType,
    (...items: PlainValue[]) =>
      parts
        .map((part) =>
          typeof part === 'string' ? part : formatted(items[part.place]!, types[part.place]!, part),
        )
        .join(''),
    { acceptsNull: true },
  )
}

const units = ['', 'K', 'M', 'B', 'T', 'Q']

/** Three significant digits and a unit: 123456789 is 123M. */
function shortNumber(value: number): string {
  let scaled = value
  let unit = 0
  while (Math.abs(scaled) >= 1000 && unit < units.length - 1) {
    scaled /= 1000
    unit += 1
  }
  const digits = scaled < 10 ? 2 : scaled < 100 ? 1 : 0
  const text = scaled.toFixed(digits)
  return `${digits === 0 ? text : text.replace(/\.?0+$/, '')}${units[unit]}`
}

export const formatNumber: FunctionRule = (call) => {
  const [value] = call.arguments
  const known = value !== undefined && (isInteger(value.type) || value.type.kind === 'double')
  if (call.arguments.length !== 1 || !known) throw noSuchOverload(call)
  return nativeCall(call.session, call.name, [value], varcharType, (item: number | bigint) => {
    const whole = Math.trunc(Number(item))
    if (!Number.isFinite(whole) || Math.abs(whole) >= Number(powerOfTen(18)))
      throw new FunctionFailure('NOT_SUPPORTED', `The embedded Athena does not format the number ${item}`)
    return shortNumber(whole)
  })
}
