import { CellProblem } from './cell-problem.ts'
import { type CellScanner, createCellScanner } from './cell-scanner.ts'
import type { ColumnDefinition } from './column-type.ts'
import { type ColumnWriter, DictionaryWriter, NumberWriter } from './column-writer.ts'
import type { JsonCellReader } from './json-cell.ts'
import type { InstantFormat } from './json-encoding.ts'
import type { JsonToken } from './json-reader.ts'
import { endsPlainText, hasBackslash, skipNumber, skipValue } from './json-skip.ts'
import { JsonUnescaper } from './json-unescape.ts'
import { hashFactor } from './string-dictionary.ts'
import { textOf } from './text-of-bytes.ts'

/** What a value scanner is made from. */
export interface JsonValueColumn {
  readonly column: ColumnDefinition
  readonly format: InstantFormat | undefined
  readonly writer: ColumnWriter
  /** Reads what is odd. */
  readonly readCell: JsonCellReader
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
  const scan = createCellScanner(column.type, writer, format)
  if (scan === undefined) return exact
  const isText =
    kind === 'date' ||
    kind === 'binary' ||
    ((kind === 'timestamp' || kind === 'epochNanos') && isIso(kind, format))
  const isDouble = kind === 'float' || kind === 'double'
  const odd = isDouble && writer instanceof NumberWriter ? longDoubleScanner(writer, exact) : exact
  return plainScanner(scan, odd, !isText, kind !== 'boolean')
}

const isIso = (kind: 'timestamp' | 'epochNanos', format: InstantFormat | undefined): boolean =>
  (format ?? (kind === 'timestamp' ? 'iso8601' : 'epoch-nanos')) === 'iso8601'
