import type { CsvEncoding } from './csv-encoding.ts'

/** A cell of a line: its text without quotes, and whether it had them. */
export interface CsvCell {
  readonly text: string
  readonly quoted: boolean
}

/** Why a text is not one line of CSV, and in which cell, from 0 on. */
export class CsvSyntaxProblem {
  readonly reason: string
  readonly cell: number
  constructor(reason: string, cell: number) {
    this.reason = reason
    this.cell = cell
  }
}

const lineBreak = 'the value has a line break outside of quotes; a record is one line, without a header'

/** The cells of one line, with at most one line break at its end. */
export const readCsvLine = (
  value: string,
  { delimiter, quote }: Pick<CsvEncoding, 'delimiter' | 'quote'>,
): readonly CsvCell[] | CsvSyntaxProblem => {
  const text = value.replace(/\r?\n$/, '')
  const cells: CsvCell[] = []
  const fault = (reason: string) => new CsvSyntaxProblem(reason, cells.length)
  for (let at = 0; ; at += 1) {
    if (text[at] === quote) {
      let content = ''
      let from = at + 1
      for (;;) {
        const close = text.indexOf(quote, from)
        if (close < 0)
          return fault(`the value is not CSV: the quote of cell ${cells.length + 1} is not closed`)
        content += text.slice(from, close)
        at = close + 1
        if (text[at] !== quote) break
        content += quote
        from = at + 1
      }
      if (text[at] === '\n' || text[at] === '\r') return fault(lineBreak)
      if (at < text.length && text[at] !== delimiter)
        return fault(`the value is not CSV: cell ${cells.length + 1} goes on after its closing quote`)
      cells.push({ text: content, quoted: true })
    } else {
      const from = at
      while (at < text.length && text[at] !== delimiter) {
        if (text[at] === '\n' || text[at] === '\r') return fault(lineBreak)
        if (text[at] === quote) {
          return fault(
            `the value is not CSV: cell ${cells.length + 1} has a quote in it and is not quoted itself`,
          )
        }
        at += 1
      }
      cells.push({ text: text.slice(from, at), quoted: false })
    }
    if (at === text.length) return cells
  }
}
