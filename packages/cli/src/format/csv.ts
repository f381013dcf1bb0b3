import type { TextPrinter } from './text-table.ts'

const cell = (text: string | null): string => {
  if (text === null) return ''
  return text === '' || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Rows as CSV (RFC 4180) with a line of names; NULL is an empty field, the empty text is `""`. */
export const csvPrinter = (): TextPrinter => {
  let isFirst = true
  return {
    page({ columns, rows }) {
      const names = isFirst ? [columns.map(({ name }) => name)] : []
      isFirst = false
      return [...names, ...rows.map((row) => columns.map((_, index) => row[index] ?? null))]
        .map((row) => `${row.map(cell).join(',')}\n`)
        .join('')
    },
    end: () => '',
  }
}
