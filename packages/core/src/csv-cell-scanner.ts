import { CellProblem } from './cell-problem.ts'
import { type CellScanner, createCellScanner } from './cell-scanner.ts'
import type { ColumnDefinition } from './column-type.ts'
import { type ColumnWriter, DictionaryWriter, NumberWriter } from './column-writer.ts'
import { csvCellReader } from './csv-cell.ts'
import type { CsvEncoding } from './csv-encoding.ts'
import { CsvUnquoter } from './csv-unquote.ts'
import { hasBackslash, skipNumber, skipValue } from './json-skip.ts'
import { hashFactor } from './string-dictionary.ts'
import { textOf } from './text-of-bytes.ts'

/**
 * Reads the cell that begins at `start` in a line that ends at `end`, writes it for `row`, and answers where it ends: at
 * `end` or at a delimiter. -1: the row has to be read by the exact reader. Values must be UTF-8, what stands at `end` is
 * a line break or 0x00, and the bytes must end in a 0x00.
 */
export type CsvCellScanner = (
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  row: number,
) => number

/** A delimiter and a quote as bytes. */
export interface CsvSeparators {
  readonly delimiter: number
  readonly quote: number
}

const unquoter = new CsvUnquoter()

const repeated = (byte: number): number => Math.imul(byte, 0x01010101)

/** Not 0 when one of four bytes is a delimiter, a quote or a control character. */
const endsPlainCell = (word: number, delimiters: number, quotes: number): number => {
  const delimiter = word ^ delimiters
  const quote = word ^ quotes
  return (
    (((delimiter - 0x01010101) & ~delimiter) |
      ((quote - 0x01010101) & ~quote) |
      ((word - 0x20202020) & ~word)) &
    0x80808080
  )
}

/** Where the cell without quotes that begins at `start` ends, or -1. */
const skipPlain = (
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  { delimiter, quote }: CsvSeparators,
): number => {
  const delimiters = repeated(delimiter)
  const quotes = repeated(quote)
  for (let at = start; ; at++) {
    while (at + 4 <= end && endsPlainCell(view.getInt32(at, true), delimiters, quotes) === 0) at += 4
    if (at === end) return end
    const byte = bytes[at]!
    if (byte === delimiter) return at
    if (byte === quote || byte === 10 || byte === 13) return -1
  }
}

/** A cell that is no column. */
export const csvSkipScanner = (separators: CsvSeparators): CsvCellScanner => {
  const { delimiter, quote } = separators
  return (bytes, view, start, end) => {
    if (bytes[start] !== quote) return skipPlain(bytes, view, start, end, separators)
    for (let at = start + 1; at < end; at++) {
      if (bytes[at] !== quote) continue
      at += 1
      if (at === end || bytes[at] === delimiter) return at
      if (bytes[at] !== quote) return -1
    }
    return -1
  }
}

/** Any cell, by the exact reader of its text. */
const exactScanner = (
  column: ColumnDefinition,
  writer: ColumnWriter,
  encoding: CsvEncoding,
  separators: CsvSeparators,
): CsvCellScanner => {
  const read = csvCellReader(column, encoding)
  const { delimiter, quote } = separators
  return (bytes, view, start, end, row) => {
    let stop: number
    let text: string
    if (bytes[start] === quote) {
      stop = unquoter.read(bytes, start, end, quote)
      if (stop < 0 || (stop !== end && bytes[stop] !== delimiter)) return -1
      text = textOf(unquoter.bytes, 0, unquoter.length, 'utf8')
    } else {
      stop = skipPlain(bytes, view, start, end, separators)
      if (stop < 0) return -1
      text = textOf(bytes, start, stop, 'utf8')
    }
    const value = read(text)
    if (value instanceof CellProblem || (value === null && !column.nullable)) return -1
    writer.set(row, value)
    return stop
  }
}

const stringScanner = (
  writer: DictionaryWriter,
  exact: CsvCellScanner,
  { delimiter, quote }: CsvSeparators,
): CsvCellScanner => {
  const delimiters = repeated(delimiter)
  const quotes = repeated(quote)

  const quoted: CsvCellScanner = (bytes, view, start, end, row) => {
    let at = start + 1
    let hash = 0
    const last = view.byteLength - 4
    while (at <= last) {
      const word = view.getInt32(at, true)
      const closes = word ^ quotes
      if ((((closes - 0x01010101) & ~closes) | ((word - 0x01010101) & ~word)) & 0x80808080) break
      hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ word, hashFactor)
      at += 4
    }
    let byte = bytes[at]!
    while (byte !== quote) {
      // The end of the value, or a 0x00 that is part of the text.
      if (byte === 0) return exact(bytes, view, start, end, row)
      hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ byte, hashFactor)
      byte = bytes[++at]!
    }
    const stop = at + 1
    if (stop === end || bytes[stop] === delimiter) {
      writer.codes[row] = writer.dictionary.internHashed(bytes, start + 1, at, hash, row)
      return stop
    }
    const close = unquoter.read(bytes, start, end, quote)
    if (close < 0 || (close !== end && bytes[close] !== delimiter)) return -1
    writer.codes[row] = writer.dictionary.intern(unquoter.bytes, 0, unquoter.length, row)
    return close
  }

  return (bytes, view, start, end, row) => {
    if (bytes[start] === quote) return quoted(bytes, view, start, end, row)
    let at = start
    let hash = 0
    const last = view.byteLength - 4
    while (at <= last) {
      const word = view.getInt32(at, true)
      if (endsPlainCell(word, delimiters, quotes) !== 0) break
      hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ word, hashFactor)
      at += 4
    }
    let byte = bytes[at]!
    while (byte !== delimiter) {
      if (byte < 32) {
        if (at === end) break
        return exact(bytes, view, start, end, row)
      }
      if (byte === quote) return -1
      hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ byte, hashFactor)
      byte = bytes[++at]!
    }
    writer.codes[row] = writer.dictionary.internHashed(bytes, start, at, hash, row)
    return at
  }
}

/** JSON text as it stands; what has spaces around it, and a string with escapes, is left to the exact reader. */
const jsonScanner =
  (writer: DictionaryWriter, exact: CsvCellScanner, { delimiter, quote }: CsvSeparators): CsvCellScanner =>
  (bytes, view, start, end, row) => {
    if (bytes[start] !== quote) {
      const first = bytes[start]
      // Strings, objects and arrays may hold what ends a cell.
      const stop = first === 34 || first === 91 || first === 123 ? -1 : skipValue(bytes, view, start, 1)
      if (stop < 0 || (stop !== end && bytes[stop] !== delimiter)) return exact(bytes, view, start, end, row)
      writer.codes[row] = writer.dictionary.intern(bytes, start, stop, row)
      return stop
    }
    const stop = unquoter.read(bytes, start, end, quote)
    if (stop < 0 || (stop !== end && bytes[stop] !== delimiter)) return -1
    const { length } = unquoter
    const isString = unquoter.bytes[0] === 34
    if (
      skipValue(unquoter.bytes, unquoter.view, 0, 1) !== length ||
      (isString && hasBackslash(unquoter.bytes, 0, length))
    )
      return exact(bytes, view, start, end, row)
    writer.codes[row] = writer.dictionary.intern(unquoter.bytes, 0, length, row)
    return stop
  }

/** Numbers with more digits than doubles take from a quotient of two; what is odd beyond that fails. */
const longDoubleScanner =
  (writer: NumberWriter): CellScanner =>
  (bytes, _view, start, row) => {
    const end = skipNumber(bytes, start)
    if (end < 0 || end - start > 40) return -1
    const text = textOf(bytes, start, end, 'latin1')
    // A decimal has at most 1,000 digits behind the point.
    const exponent = text.search(/[eE]/)
    if (exponent >= 0 && text.length - exponent > 4) return -1
    writer.values[row] = Number(text)
    return end
  }

/** A plain text, with quotes or without. */
const plainScanner =
  (
    scan: CellScanner,
    odd: CellScanner,
    exact: CsvCellScanner,
    { delimiter, quote }: CsvSeparators,
  ): CsvCellScanner =>
  (bytes, view, start, end, row) => {
    if (bytes[start] !== quote) {
      let stop = scan(bytes, view, start, row)
      if (stop === end || (stop >= 0 && bytes[stop] === delimiter)) return stop
      stop = odd(bytes, view, start, row)
      if (stop === end || (stop >= 0 && bytes[stop] === delimiter)) return stop
      return exact(bytes, view, start, end, row)
    }
    let close = scan(bytes, view, start + 1, row)
    if (close < 0) close = odd(bytes, view, start + 1, row)
    if (close < 0 || bytes[close] !== quote) return exact(bytes, view, start, end, row)
    const stop = close + 1
    return stop === end || bytes[stop] === delimiter ? stop : -1
  }

const fails: CellScanner = () => -1

/** The scanner of a column's cells that are not null. */
export const csvCellScanner = (
  column: ColumnDefinition,
  writer: ColumnWriter,
  encoding: CsvEncoding,
  separators: CsvSeparators,
): CsvCellScanner => {
  const { kind } = column.type
  const exact = exactScanner(column, writer, encoding, separators)
  if (writer instanceof DictionaryWriter) {
    const make = kind === 'json' ? jsonScanner : stringScanner
    return make(writer, exact, separators)
  }
  const scan = createCellScanner(column.type, writer, encoding.timestamps[column.name])
  if (scan === undefined) return exact
  const isDouble = (kind === 'float' || kind === 'double') && writer instanceof NumberWriter
  return plainScanner(scan, isDouble ? longDoubleScanner(writer) : fails, exact, separators)
}
