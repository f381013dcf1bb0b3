import { StringDecoder } from 'node:string_decoder'
import type { TextRow } from '../result-pages.ts'

const quote = 0x22
const comma = 0x2c
const lineFeed = 0x0a
/** A slice of at least so many characters keeps the text it was cut from in memory. */
const sliceCharacters = 13

/** A text that is no result of Athena's. */
export class MalformedCsv extends Error {
  /** @param row the row it is in, from 1, the header counted */
  constructor(row: number, what: string) {
    super(`row ${row} ${what}`)
  }
}

/**
 * Reads Athena's CSV as its bytes arrive, wherever they are cut: cells in quotes, doubled within, may hold line ends; a
 * bare empty cell is NULL. Holds what of a row is not there yet.
 */
export class CsvRows {
  readonly #decoder = new StringDecoder('utf8')
  #waiting: string[] = []
  #waitingLength = 0
  /** A row that was not whole is looked at again once there is twice as much of it: a long one is not read over and over. */
  #wantedLength = 0
  #rows = 0
  #columns: number | undefined

  /** The rows that are whole now. Throws a `MalformedCsv`. */
  push(bytes: Uint8Array): TextRow[] {
    this.#take(this.#decoder.write(bytes as Buffer))
    return this.#waitingLength < this.#wantedLength ? [] : this.#read()
  }

  /** There are no more bytes. Throws a `MalformedCsv` for a row without its line end: what it ends with may be cut. */
  end(): TextRow[] {
    this.#take(this.#decoder.end())
    const rows = this.#read()
    if (this.#waitingLength > 0) throw new MalformedCsv(this.#rows + 1, 'has no end')
    return rows
  }

  #take(text: string): void {
    if (text === '') return
    this.#waiting.push(text)
    this.#waitingLength += text.length
  }

  #read(): TextRow[] {
    const text = this.#waiting.length === 1 ? this.#waiting[0]! : this.#waiting.join('')
    const rows: TextRow[] = []
    let begin = 0
    while (begin < text.length) {
      const end = this.#readRow(text, begin, rows)
      if (end === undefined) break
      begin = end
    }
    const rest = begin === 0 ? text : unpinned(text.slice(begin))
    this.#waiting = rest === '' ? [] : [rest]
    this.#waitingLength = rest.length
    this.#wantedLength = rest.length * 2
    return rows
  }

  /** Reads the row that begins at `at`, and tells where the next one does; undefined when it is not whole. */
  #readRow(text: string, at: number, rows: TextRow[]): number | undefined {
    const cells: (string | null)[] = []
    for (;;) {
      if (text.charCodeAt(at) === quote) {
        let end = text.indexOf('"', at + 1)
        let isDoubled = false
        while (end !== -1 && text.charCodeAt(end + 1) === quote) {
          isDoubled = true
          end = text.indexOf('"', end + 2)
        }
        if (end === -1) return undefined
        // Whether a quote at the end is doubled is not known yet.
        if (end + 1 === text.length) return undefined
        const cell = text.slice(at + 1, end)
        cells.push(isDoubled ? cell.replaceAll('""', '"') : cell)
        at = end + 1
      } else {
        const begin = at
        let code = text.charCodeAt(at)
        while (code !== comma && code !== lineFeed && at < text.length) code = text.charCodeAt(++at)
        cells.push(at === begin ? null : text.slice(begin, at))
      }
      const after = text.charCodeAt(at)
      if (after === comma) {
        at += 1
      } else if (after === lineFeed) {
        this.#add(cells, rows)
        return at + 1
      } else if (at === text.length) {
        return undefined
      } else {
        throw new MalformedCsv(this.#rows + 1, `goes on behind the quotes of cell ${cells.length}`)
      }
    }
  }

  #add(cells: (string | null)[], rows: TextRow[]): void {
    this.#rows += 1
    this.#columns ??= cells.length
    if (cells.length !== this.#columns) {
      throw new MalformedCsv(this.#rows, `has ${cells.length} cells where the first has ${this.#columns}`)
    }
    rows.push(cells)
  }
}

/** The same text, which keeps no longer one in memory: a slice refers to the whole it is of. */
export const unpinned = (text: string): string => (text.length < sliceCharacters ? text : ` ${text}`.slice(1))
