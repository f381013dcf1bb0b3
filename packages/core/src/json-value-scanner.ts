import { CellProblem } from './cell-problem.ts'
import { type CellScanner, createCellScanner } from './cell-scanner.ts'
import type { ColumnDefinition } from './column-type.ts'
import { BinaryWriter, type ColumnWriter, DictionaryWriter, NumberWriter } from './column-writer.ts'
import type { JsonCellReader } from './json-cell.ts'
import type { InstantFormat } from './json-encoding.ts'
import type { JsonToken } from './json-reader.ts'
import { endsPlainText, hasBackslash, skipNumber, skipValue } from './json-skip.ts'
import { JsonUnescaper } from './json-unescape.ts'
import { hashFactor } from './string-dictionary.ts'

/** What a value scanner is made from. */
export interface JsonValueColumn {
  readonly column: ColumnDefinition
  readonly format: InstantFormat | undefined
  readonly writer: ColumnWriter
  /** Reads what is odd. */
  readonly readCell: JsonCellReader
}

/** The bytes read last, as Node reads texts from them. */
const viewed: { bytes: Uint8Array; text: Buffer } = { bytes: new Uint8Array(0), text: Buffer.alloc(0) }

const textOf = (bytes: Uint8Array, start: number, end: number, encoding: 'latin1' | 'utf8'): string => {
  if (viewed.bytes !== bytes) {
    viewed.bytes = bytes
    viewed.text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  return viewed.text.toString(encoding, start, end)
}

const tokenAt = (bytes: Uint8Array, start: number, end: number): JsonToken => {
  switch (bytes[start]) {
    case 34:
      return { kind: 'string', text: JSON.parse(textOf(bytes, start, end, 'utf8')) as string }
    case 123:
      return { kind: 'object', text: textOf(bytes, start, end, 'utf8') }
    case 91:
      return { kind: 'array', text: textOf(bytes, start, end, 'utf8') }
    case 116:
      return { kind: 'true', text: 'true' }
    case 102:
      return { kind: 'false', text: 'false' }
    case 110:
      return { kind: 'null', text: 'null' }
    default:
      return { kind: 'number', text: textOf(bytes, start, end, 'latin1') }
  }
}

/** Any value, by the exact reader; -1 when it is not JSON or does not fit the column. */
const exactScanner =
  ({ column, writer, readCell }: JsonValueColumn): CellScanner =>
  (bytes, view, start, row) => {
    const end = skipValue(bytes, view, start, 1)
    if (end < 0) return -1
    if (bytes[start] === 110 && column.type.kind !== 'json') {
      if (!column.nullable) return -1
      writer.setNull(row)
      return end
    }
    const value = readCell(tokenAt(bytes, start, end))
    if (value instanceof CellProblem) return -1
    writer.set(row, value)
    return end
  }

const unescaper = new JsonUnescaper()

const stringScanner =
  (writer: DictionaryWriter, exact: CellScanner): CellScanner =>
  (bytes, view, start, row) => {
    if (bytes[start] !== 34) return exact(bytes, view, start, row)
    let at = start + 1
    let hash = 0
    const last = view.byteLength - 4
    while (at <= last) {
      const word = view.getInt32(at, true)
      if (endsPlainText(word) !== 0) break
      hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ word, hashFactor)
      at += 4
    }
    let byte = bytes[at]!
    while (byte !== 34) {
      if (byte < 32 || byte === 92) {
        const end = unescaper.read(bytes, start)
        if (end < 0) return exact(bytes, view, start, row)
        writer.codes[row] = writer.dictionary.intern(unescaper.bytes, 0, unescaper.length, row)
        return end
      }
      hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ byte, hashFactor)
      byte = bytes[++at]!
    }
    writer.codes[row] = writer.dictionary.internHashed(bytes, start + 1, at, hash, row)
    return at + 1
  }

/** JSON text as it stands; a string with escapes is written anew by the exact reader. */
const jsonScanner =
  (writer: DictionaryWriter, exact: CellScanner): CellScanner =>
  (bytes, view, start, row) => {
    const end = skipValue(bytes, view, start, 1)
    if (end < 0) return -1
    if (bytes[start] === 34 && hasBackslash(bytes, start, end)) return exact(bytes, view, start, row)
    writer.codes[row] = writer.dictionary.intern(bytes, start, end, row)
    return end
  }

const base64Digits = new Int8Array(256).fill(-1)
'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  .split('')
  .forEach((character, value) => void (base64Digits[character.charCodeAt(0)] = value))

const base64Scanner =
  (writer: BinaryWriter, exact: CellScanner): CellScanner =>
  (bytes, view, start, row) => {
    if (bytes[start] !== 34) return exact(bytes, view, start, row)
    let end = start + 1
    while (base64Digits[bytes[end]!]! >= 0) end += 1
    const whole = end - start - 1
    let padding = 0
    while (bytes[end + padding] === 61) padding += 1
    const close = end + padding
    if (bytes[close] !== 34 || (whole + padding) % 4 !== 0 || padding > 2)
      return exact(bytes, view, start, row)
    const length = (whole * 3) >> 2
    let to = writer.reserve(row, length)
    const target = writer.bytes
    const last = to + length
    for (let at = start + 1; at < end; at += 4) {
      const group =
        (base64Digits[bytes[at]!]! << 18) |
        (base64Digits[bytes[at + 1]!]! << 12) |
        ((base64Digits[bytes[at + 2]!]! & 63) << 6) |
        (base64Digits[bytes[at + 3]!]! & 63)
      target[to++] = group >> 16
      if (to < last) target[to++] = group >> 8
      if (to < last) target[to++] = group
    }
    return close + 1
  }

/** Numbers with more digits than doubles take from a quotient of two. */
const longDoubleScanner =
  (writer: NumberWriter, exact: CellScanner): CellScanner =>
  (bytes, view, start, row) => {
    const byte = bytes[start]!
    if (byte !== 45 && !(byte >= 48 && byte <= 57)) return exact(bytes, view, start, row)
    const end = skipNumber(bytes, start)
    if (end < 0) return -1
    writer.values[row] = Number(textOf(bytes, start, end, 'latin1'))
    return end
  }

/** A plain text, bare or in quotes. */
const plainScanner = (scan: CellScanner, exact: CellScanner, bare: boolean, quoted: boolean): CellScanner => {
  if (!quoted) {
    return (bytes, view, start, row) => {
      const end = scan(bytes, view, start, row)
      return end < 0 ? exact(bytes, view, start, row) : end
    }
  }
  return (bytes, view, start, row) => {
    if (bytes[start] === 34) {
      const end = scan(bytes, view, start + 1, row)
      if (end >= 0 && bytes[end] === 34) return end + 1
    } else if (bare) {
      const end = scan(bytes, view, start, row)
      if (end >= 0) return end
    }
    return exact(bytes, view, start, row)
  }
}

/**
 * The scanner of a column's JSON value: where the value ends, written for the row; -1 when the row has to be read by
 * the exact reader, which says what is wrong with it. Values must be UTF-8 and the bytes must end in a 0x00.
 */
export const jsonValueScanner = (value: JsonValueColumn): CellScanner => {
  const { column, writer, format } = value
  const exact = exactScanner(value)
  const { kind } = column.type
  if (writer instanceof DictionaryWriter) {
    return kind === 'json' ? jsonScanner(writer, exact) : stringScanner(writer, exact)
  }
  if (writer instanceof BinaryWriter) return base64Scanner(writer, exact)
  const scan = createCellScanner(column.type, writer, format)
  if (scan === undefined) return exact
  const isText = kind === 'date' || ((kind === 'timestamp' || kind === 'epochNanos') && isIso(kind, format))
  const isDouble = kind === 'float' || kind === 'double'
  const odd = isDouble && writer instanceof NumberWriter ? longDoubleScanner(writer, exact) : exact
  return plainScanner(scan, odd, !isText, kind !== 'boolean')
}

const isIso = (kind: 'timestamp' | 'epochNanos', format: InstantFormat | undefined): boolean =>
  (format ?? (kind === 'timestamp' ? 'iso8601' : 'epoch-nanos')) === 'iso8601'
