import { Decimal } from '@stockpipe/core'

const text = (value: unknown): string => {
  if (value === null || value === undefined) return ''
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'bigint') return value.toLocaleString('en-US')
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toFixed(6)
  return String(value instanceof Decimal ? value.toString() : value)
}

const isNumeric = (value: unknown): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || Decimal.isDecimal(value)

/** Rows as an aligned table: numbers to the right, a line under the names. */
export const printTable = (title: string, rows: readonly object[], limit = 12): void => {
  const names = Object.keys(rows[0] ?? {})
  const shown = rows.slice(0, limit).map((row) => names.map((name) => (row as Record<string, unknown>)[name]))
  const widths = names.map((name, index) =>
    Math.max(name.length, ...shown.map((row) => text(row[index]).length)),
  )
  const line = (cells: readonly string[]) => `  ${cells.join('   ').trimEnd()}\n`
  const pad = (cell: string, index: number, right: boolean) =>
    right ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!)
  process.stdout.write(`\n${title}\n`)
  process.stdout.write(line(names.map((name, index) => pad(name, index, isNumeric(shown[0]?.[index])))))
  process.stdout.write(line(widths.map((width) => '─'.repeat(width))))
  for (const row of shown) {
    process.stdout.write(line(row.map((value, index) => pad(text(value), index, isNumeric(value)))))
  }
  if (rows.length > limit)
    process.stdout.write(`  ... and ${(rows.length - limit).toLocaleString('en-US')} more rows\n`)
}
