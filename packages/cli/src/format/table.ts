import { isNumeric, type TextPrinter, type TextTable } from './text-table.ts'

/** A cell is cut here; csv and json have it whole. */
const maximumWidth = 100

/** What would move the cursor of a terminal or colour it. */
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g
const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** What is written as it is without moving the cursor or colouring: control characters become escapes. */
export const visible = (text: string): string =>
  text.replace(
    control,
    (character) => escapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u
const zeroWidth = /\p{Mn}|\p{Me}|\p{Cf}/u

/** How many columns of a terminal a text takes. */
const widthOf = (text: string): number => {
  let width = 0
  for (const character of text) width += zeroWidth.test(character) ? 0 : wide.test(character) ? 2 : 1
  return width
}

const cut = (text: string): string => {
  const characters = [...text]
  return characters.length > maximumWidth ? `${characters.slice(0, maximumWidth - 1).join('')}…` : text
}

/**
 * Rows as an aligned table: numbers to the right, a line under the names. Columns are as wide as the first page wants them,
 * and get wider with later ones. `styled`: with terminal colours.
 */
export const tablePrinter = (styled: boolean): TextPrinter => {
  const bold = (text: string) => (styled ? `\u001b[1m${text}\u001b[22m` : text)
  const dim = (text: string) => (styled ? `\u001b[2m${text}\u001b[22m` : text)
  const plain = (text: string) => text
  const line = (parts: readonly string[]) => `${parts.join('  ').trimEnd()}\n`
  let widths: readonly number[] | undefined
  return {
    page({ columns, rows }: TextTable) {
      if (columns.length === 0) return ''
      const names = columns.map(({ name }) => cut(visible(name)))
      const cells = rows.map((row) => columns.map((_, index) => cut(visible(row[index] ?? 'NULL'))))
      const isFirst = widths === undefined
      const before = widths ?? names.map(widthOf)
      const wide = before.map((width, index) =>
        cells.reduce((widest, row) => Math.max(widest, widthOf(row[index]!)), width),
      )
      widths = wide
      const padded = (text: string, index: number, style: (text: string) => string): string => {
        const space = ' '.repeat(wide[index]! - widthOf(text))
        return isNumeric(columns[index]!.type) ? space + style(text) : style(text) + space
      }
      const head = [
        line(names.map((name, index) => padded(name, index, bold))),
        line(wide.map((width) => dim('─'.repeat(width)))),
      ]
      const body = cells.map((row, rowIndex) =>
        line(row.map((cell, index) => padded(cell, index, rows[rowIndex]![index] == null ? dim : plain))),
      )
      return [...(isFirst ? head : []), ...body].join('')
    },
    end: () => '',
  }
}
