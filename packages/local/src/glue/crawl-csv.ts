import type { GlueColumn } from './catalog-model.ts'
import { commonType, noType, settledType } from './crawl-type.ts'

/** What a CSV file's beginning says of it. */
export interface CsvSchema {
  readonly columns: readonly GlueColumn[]
  readonly delimiter: string
  readonly hasHeader: boolean
}

const delimiters = [',', '|', '\t', ';', '\u0001']

interface Cell {
  readonly text: string
  readonly isQuoted: boolean
}

/**
 * Reads lines by the rules Glue documents for its CSV classifier: at least two rows and two columns, as many in each row;
 * the first row is a header when all its cells are strings that can be column names, and a later row has another type.
 * Undefined where the lines are no CSV.
 */
export function csvSchemaOf(lines: readonly string[]): CsvSchema | undefined {
  if (lines.length < 2) return undefined
  const tables = delimiters
    .map((delimiter) => ({ delimiter, rows: rowsOf(lines, delimiter) }))
    .filter(({ rows }) => rows !== undefined)
  const widest = tables.sort((a, b) => (b.rows?.[0]?.length ?? 0) - (a.rows?.[0]?.length ?? 0))[0]
  if (widest?.rows === undefined) return undefined
  const { delimiter, rows } = widest
  const [first = [], ...rest] = rows
  const dataTypes = typesOf(rest, first.length)
  const hasHeader = isHeader(first, dataTypes)
  const types = hasHeader ? dataTypes : typesOf(rows, first.length)
  return {
    columns: types.map((type, at) => {
      const name = hasHeader ? (first[at]?.text.trim().toLowerCase() ?? '') : ''
      return { Name: name === '' ? `col${at}` : name, Type: settledType(type) }
    }),
    delimiter,
    hasHeader,
  }
}

function rowsOf(lines: readonly string[], delimiter: string): readonly (readonly Cell[])[] | undefined {
  const rows: (readonly Cell[])[] = []
  for (const line of lines) {
    const cells = cellsOf(line, delimiter)
    if (cells.length < 2 || cells.length !== (rows[0] ?? cells).length) return undefined
    rows.push(cells)
  }
  return rows
}

function cellsOf(line: string, delimiter: string): readonly Cell[] {
  const cells: Cell[] = []
  for (let at = 0; at <= line.length; ) {
    const quoted = line.charAt(at) === '"' ? /^"((?:[^"]|"")*)"/.exec(line.slice(at)) : null
    if (quoted !== null && [delimiter, ''].includes(line.charAt(at + quoted[0].length))) {
      cells.push({ text: (quoted[1] ?? '').replaceAll('""', '"'), isQuoted: true })
      at += quoted[0].length + 1
      continue
    }
    const next = line.indexOf(delimiter, at)
    const end = next === -1 ? line.length : next
    cells.push({ text: line.slice(at, end), isQuoted: false })
    at = end + 1
  }
  return cells
}

const typesOf = (rows: readonly (readonly Cell[])[], width: number): readonly string[] =>
  Array.from({ length: width }, (_, at) =>
    rows.reduce((type, row) => {
      const own = row[at] === undefined ? noType : typeOf(row[at])
      return commonType(type, own, 'string') ?? 'string'
    }, noType),
  )

/** A cell in quotes is a string: so LazySimpleSerDe, which Glue chooses, reads it. */
function typeOf({ text, isQuoted }: Cell): string {
  const value = text.trim()
  if (isQuoted) return 'string'
  if (value === '') return noType
  if (/^[-+]?\d+$/.test(value)) {
    return BigInt.asIntN(64, BigInt(value.replace('+', ''))) === BigInt(value.replace('+', ''))
      ? 'bigint'
      : 'double'
  }
  if (/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(value)) return 'double'
  return /^(true|false)$/i.test(value) ? 'boolean' : 'string'
}

function isHeader(first: readonly Cell[], dataTypes: readonly string[]): boolean {
  const names = first.map(({ text }) => text.trim().toLowerCase())
  const canBeName = (name: string, at: number): boolean =>
    // An empty last cell comes of a delimiter at the end of every row.
    (name === '' && at === names.length - 1) || (name.length > 0 && name.length < 150)
  return (
    names.every(canBeName) &&
    new Set(names).size === names.length &&
    first.every((cell) => cell.text.trim() === '' || typeOf({ ...cell, isQuoted: false }) === 'string') &&
    dataTypes.some((type) => type !== 'string' && type !== noType)
  )
}
