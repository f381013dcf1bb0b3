import type { ColumnType } from './column-type.ts'
import { BinaryWriter, BooleanWriter, type ColumnWriter, NumberWriter, WideWriter } from './column-writer.ts'
import {
  digits,
  powersOfTen,
  scanDigits,
  unsignedDigits,
  writeDigits,
  writeProduct,
  writeWhole,
  writeWideDigits,
} from './decimal-digits.ts'
import { earliestMillis, latestMillis } from './instant.ts'
import { date, instant, scanDate, scanInstant } from './instant-digits.ts'
import type { InstantFormat } from './json-encoding.ts'

/**
 * Reads the text of a value at `start`, writes it for `row`, and answers where it ends; -1 when it is odd or does not
 * fit, which an exact reader then decides. It stops at the first byte that cannot go on a value: the caller looks
 * whether the value may end there. The bytes must end in a 0x00.
 */
export type CellScanner = (bytes: Uint8Array, view: DataView, start: number, row: number) => number

const word = (bytes: Uint8Array, at: number, text: string): boolean => {
  for (let index = 0; index < text.length; index++) {
    if (bytes[at + index] !== text.charCodeAt(index)) return false
  }
  return true
}

const booleanScanner =
  (writer: BooleanWriter): CellScanner =>
  (bytes, _view, start, row) => {
    if (bytes[start] === 116 && word(bytes, start, 'true')) {
      writer.put(row, true)
      return start + 4
    }
    if (bytes[start] !== 102 || !word(bytes, start, 'false')) return -1
    writer.put(row, false)
    return start + 5
  }

const integerScanner = (writer: NumberWriter, bits: 8 | 16 | 32): CellScanner => {
  const limit = 2 ** (bits - 1)
  return (bytes, _view, start, row) => {
    const end = scanDigits(bytes, start)
    if (end < 0 || digits.fraction > 0 || digits.count > 10) return -1
    const value = digits.negative ? -unsignedDigits() : unsignedDigits()
    if (value < -limit || value >= limit) return -1
    writer.values[row] = value
    return end
  }
}

const int64Scanner =
  (writer: WideWriter, mode: 'number' | undefined): CellScanner =>
  (bytes, _view, start, row) => {
    const end = scanDigits(bytes, start)
    if (end < 0 || digits.fraction > 0 || (mode === 'number' && digits.count > 15)) return -1
    return writeDigits(writer.words, row * 2, 0) ? end : -1
  }

const decimalScanner =
  (writer: WideWriter, { precision, scale }: { precision: number; scale: number }): CellScanner =>
  (bytes, _view, start, row) => {
    const end = scanDigits(bytes, start)
    const shift = scale - digits.fraction
    if (end < 0 || digits.count + shift > precision) return -1
    const written =
      writer.kind === 'int64'
        ? writeDigits(writer.words, row * 2, shift)
        : writeWideDigits(writer.words, row * 4, shift)
    return written ? end : -1
  }

const doubleScanner =
  (writer: NumberWriter): CellScanner =>
  (bytes, _view, start, row) => {
    const end = scanDigits(bytes, start)
    if (end < 0 || digits.fraction > 22) return -1
    // A quotient of two numbers that doubles hold exactly is the nearest double.
    const whole = unsignedDigits()
    if (whole > Number.MAX_SAFE_INTEGER) return -1
    const value = whole / powersOfTen[digits.fraction]!
    writer.values[row] = digits.negative ? -value : value
    return end
  }

/** The digits after the point that a millisecond leaves of a unit. */
const unitDigits: { readonly [Format in Exclude<InstantFormat, 'iso8601'>]: number } = {
  'epoch-seconds': 3,
  'epoch-millis': 0,
  'epoch-micros': -3,
  'epoch-nanos': -6,
}

const earliest = Number(earliestMillis)
const latest = Number(latestMillis)

const timestampScanner = (writer: WideWriter, format: InstantFormat, floor: boolean): CellScanner => {
  const put = (row: number, millis: number): boolean => {
    if (millis < earliest || millis > latest) return false
    writeWhole(writer.words, row * 2, millis)
    return true
  }
  if (format === 'iso8601') {
    return (bytes, _view, start, row) => {
      const end = scanInstant(bytes, start)
      if (end < 0) return -1
      const millis = Math.floor(instant.nanos / 1_000_000)
      if (!floor && millis * 1_000_000 !== instant.nanos) return -1
      return put(row, instant.seconds * 1000 + millis) ? end : -1
    }
  }
  const base = unitDigits[format]
  return (bytes, _view, start, row) => {
    const end = scanDigits(bytes, start)
    if (end < 0) return -1
    const shift = base - digits.fraction
    if (shift < -6) return -1
    let millis: number
    if (digits.count <= 15) {
      const value = digits.negative ? -unsignedDigits() : unsignedDigits()
      const unit = powersOfTen[Math.abs(shift)]!
      millis = shift >= 0 ? value * unit : Math.floor(value / unit)
      if (shift < 0 && !floor && millis * unit !== value) return -1
    } else {
      // Nanoseconds since the epoch have 19 digits.
      const { head, tail, last } = digits
      if (shift !== -6 || digits.negative || digits.count !== 19) return -1
      millis = head * 10_000 + Math.floor(tail / 100_000)
      if (!floor && (tail % 100_000 !== 0 || last !== 0)) return -1
    }
    return put(row, millis) ? end : -1
  }
}

const epochNanosScanner = (writer: WideWriter, format: InstantFormat): CellScanner => {
  if (format === 'iso8601') {
    return (bytes, _view, start, row) => {
      const end = scanInstant(bytes, start)
      if (end < 0) return -1
      return writeProduct(writer.words, row * 2, instant.seconds, 1e9, instant.nanos) ? end : -1
    }
  }
  const base = unitDigits[format] + 6
  return (bytes, _view, start, row) => {
    const end = scanDigits(bytes, start)
    if (end < 0 || base < digits.fraction) return -1
    return writeDigits(writer.words, row * 2, base - digits.fraction) ? end : -1
  }
}

const dateScanner =
  (writer: NumberWriter): CellScanner =>
  (bytes, _view, start, row) => {
    const end = scanDate(bytes, start)
    if (end >= 0) writer.values[row] = date.days
    return end
  }

const base64Digits = new Int8Array(256).fill(-1)
'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  .split('')
  .forEach((character, value) => void (base64Digits[character.charCodeAt(0)] = value))

const base64Scanner =
  (writer: BinaryWriter): CellScanner =>
  (bytes, _view, start, row) => {
    let end = start
    while (base64Digits[bytes[end]!]! >= 0) end += 1
    const whole = end - start
    let padding = 0
    while (bytes[end + padding] === 61) padding += 1
    if ((whole + padding) % 4 !== 0 || padding > 2) return -1
    const length = (whole * 3) >> 2
    let to = writer.reserve(row, length)
    const target = writer.bytes
    const last = to + length
    for (let at = start; at < end; at += 4) {
      const group =
        (base64Digits[bytes[at]!]! << 18) |
        (base64Digits[bytes[at + 1]!]! << 12) |
        ((base64Digits[bytes[at + 2]!]! & 63) << 6) |
        (base64Digits[bytes[at + 3]!]! & 63)
      target[to++] = group >> 16
      if (to < last) target[to++] = group >> 8
      if (to < last) target[to++] = group
    }
    return end + padding
  }

/** The scanner of a column's text; undefined for types whose values are not one plain text. */
export const createCellScanner = (
  type: ColumnType,
  writer: ColumnWriter,
  format: InstantFormat | undefined,
): CellScanner | undefined => {
  if (writer instanceof BooleanWriter) return booleanScanner(writer)
  if (writer instanceof BinaryWriter) return base64Scanner(writer)
  if (writer instanceof NumberWriter) {
    switch (type.kind) {
      case 'int8':
        return integerScanner(writer, 8)
      case 'int16':
        return integerScanner(writer, 16)
      case 'int32':
        return integerScanner(writer, 32)
      case 'date':
        return dateScanner(writer)
      default:
        return doubleScanner(writer)
    }
  }
  if (!(writer instanceof WideWriter)) return undefined
  switch (type.kind) {
    case 'int64':
      return int64Scanner(writer, type.mode)
    case 'decimal':
      return decimalScanner(writer, type)
    case 'timestamp':
      return timestampScanner(writer, format ?? 'iso8601', type.floor === 'millis')
    case 'epochNanos':
      return epochNanosScanner(writer, format ?? 'epoch-nanos')
    default:
      return undefined
  }
}
