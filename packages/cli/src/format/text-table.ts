/** Rows as text with the columns they belong to; null is NULL. */
export interface TextTable {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly (string | null)[])[]
}

/** Writes an answer of which some rows come at a time. */
export interface TextPrinter {
  page(table: TextTable): string
  /** What stands behind the last row. */
  end(): string
}

const numeric = /^(?:tinyint|smallint|integer|int|bigint|float|real|double|decimal\b.*)$/

export const isNumeric = (type: string): boolean => numeric.test(type)
