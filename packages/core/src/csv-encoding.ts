import type { InstantFormat } from './json-encoding.ts'

/** Names without a path: those of columns. */
type ColumnName<Name extends string> = Name extends `${string}.${string}` ? never : Name

/** Record values as one line of CSV a record. */
export interface CsvEncoding<Name extends string = string, Cell extends string = ColumnName<Name>> {
  readonly encoding: 'csv'
  /** One ASCII character between cells. */
  readonly delimiter: string
  /** One ASCII character around cells that hold a delimiter, a quote or a line break; doubled within them. */
  readonly quote: string
  /** The text of a cell that is null, where it is not quoted. */
  readonly nullText: string
  /** The column of each cell, null for a cell to skip. Absent: the columns of the table, in their order. */
  readonly columns?: readonly (Cell | null)[]
  /** Member names of fields of structs (`legs.price`) that differ from the field's. */
  readonly names: { readonly [Field in Name]?: string }
  /**
   * Wire form of timestamp and epochNanos columns, of what lists and maps of them hold, and of fields of structs
   * (`legs.at`). Default `iso8601`, for epochNanos `epoch-nanos`.
   */
  readonly timestamps: { readonly [Column in Name]?: InstantFormat }
}

/**
 * Record values as lines of CSV (RFC 4180), one a record: without a header, and with at most one line break at the end.
 *
 * Numbers and decimals are digits, read exactly; booleans `true` and `false`; binary base64; dates `YYYY-MM-DD`; lists,
 * maps and structs JSON text, as JSON columns are. Spaces belong to the cell. Quotes say nothing of a cell's type, only
 * that it is not null: with the default `nullText` an empty cell is null and `""` is the empty text.
 *
 * @param options `delimiter`: default `,`; `quote`: default `"`; `nullText`: default empty; `columns`: the column of each
 *   cell, null for a cell to skip, default the table's in their order, without facts of the record; `names`: of fields of
 *   structs; `timestamps`: wire forms
 */
export const csv = <const Name extends string = never, const Cell extends string = never>(
  options: {
    readonly delimiter?: string
    readonly quote?: string
    readonly nullText?: string
    readonly columns?: readonly (Cell | null)[]
    readonly names?: { readonly [Field in Name]?: string }
    readonly timestamps?: { readonly [Column in Name]?: InstantFormat }
  } = {},
): CsvEncoding<Name, Cell> => {
  const { delimiter = ',', quote = '"', nullText = '', columns, names, timestamps } = options
  return Object.freeze({
    encoding: 'csv',
    delimiter,
    quote,
    nullText,
    ...(columns ? { columns: Object.freeze([...columns]) } : {}),
    names: Object.freeze({ ...names }) as CsvEncoding<Name>['names'],
    timestamps: Object.freeze({ ...timestamps }) as CsvEncoding<Name>['timestamps'],
  })
}
