import { visitStructs } from './column-path.ts'
import type { ColumnDefinition } from './column-type.ts'
import type { CsvEncoding } from './csv-encoding.ts'
import { ConfigurationError } from './errors.ts'
import { checkMembers, checkNames } from './json-encoding-check.ts'
import type { TableDefinition } from './table.ts'

/** What no number, time, name of a column or base64 text holds, so that it always ends one. */
const separatorPattern = /^[\u0001-\u0009\u000b\u000c\u000e-\u001f!-*,;<>-@[-^`{-\u007f]$/

/** The columns of the cells of a line; undefined for a cell to skip. */
export const csvColumns = (
  table: TableDefinition,
  { columns }: Pick<CsvEncoding, 'columns'>,
): readonly (ColumnDefinition | undefined)[] =>
  columns
    ? columns.map((name) => (name === null ? undefined : table.column(name)))
    : table.columns.filter(({ metadata }) => !metadata)

/** A CSV encoding as a topic keeps it. Throws a `ConfigurationError` when it does not suit the table. */
export const checkCsvEncoding = (topic: string, table: TableDefinition, value: CsvEncoding): CsvEncoding => {
  const refuse = (code: string, message: string): never => {
    throw new ConfigurationError({ code, message: `Topic ${topic}: ${message}` })
  }
  const { delimiter, quote, nullText, columns } = value
  for (const [name, text] of Object.entries({ delimiter, quote })) {
    if (!separatorPattern.test(text)) {
      refuse(
        'CSV_SEPARATOR_INVALID',
        `the ${name} of CSV cannot be ${JSON.stringify(text)}: use one ASCII character that no number, time or base64 text holds.`,
      )
    }
  }
  if (delimiter === quote) refuse('CSV_SEPARATOR_INVALID', 'delimiter and quote of CSV cannot be the same.')
  const special = [delimiter, quote, '\r', '\n'].some((text) => nullText.includes(text))
  if (special || nullText.startsWith('\ufeff') || !nullText.isWellFormed()) {
    refuse(
      'CSV_NULL_TEXT_INVALID',
      `the nullText of CSV cannot be ${JSON.stringify(nullText)}: it stands in a cell without quotes.`,
    )
  }
  const cells = csvColumns(table, value)
  checkCells(table, cells, refuse)
  const { names, timestamps } = checkNames(topic, table, value)
  for (const name of Object.keys(names)) {
    if (!name.includes('.'))
      refuse(
        'CSV_NAME_UNSUITED',
        `'${name}' is a column, and a cell of CSV has no name; \`columns\` says which column it is.`,
      )
  }
  for (const column of cells) {
    if (!column) continue
    visitStructs(column.type, column.name, (path, fields) => checkMembers(topic, names, `${path}.`, fields))
  }
  return Object.freeze({
    encoding: 'csv',
    delimiter,
    quote,
    nullText,
    ...(columns ? { columns: Object.freeze([...columns]) } : {}),
    names,
    timestamps,
  })
}

const checkCells = (
  table: TableDefinition,
  cells: readonly (ColumnDefinition | undefined)[],
  refuse: (code: string, message: string) => never,
): void => {
  const named = new Set<ColumnDefinition>()
  for (const column of cells) {
    if (!column) continue
    const { name } = column
    if (column.metadata)
      refuse('CSV_COLUMNS_INVALID', `'${name}' is a fact of the record and cannot be a cell of CSV.`)
    if (named.has(column)) refuse('CSV_COLUMNS_INVALID', `'${name}' is the column of two cells of CSV.`)
    named.add(column)
  }
  if (named.size === 0) refuse('CSV_COLUMNS_INVALID', 'CSV needs a cell that is a column.')
  for (const column of table.columns) {
    if (column.metadata || column.nullable || named.has(column)) continue
    refuse('CSV_COLUMNS_INVALID', `no cell of CSV is '${column.name}', which is not nullable.`)
  }
}
