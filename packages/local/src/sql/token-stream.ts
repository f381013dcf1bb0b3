import type { QueryError } from './query-engine.ts'
import { failure, notSupported } from './query-failure.ts'
import type { Identifier, Position } from './syntax-tree.ts'
import { type Token, tokenize } from './tokenizer.ts'
import { arrayType, mapType, type RowField, rowType, type TrinoType } from './trino-type.ts'
import { namedType } from './type-name.ts'

const reservedWords = new Set(
  `alter and as between by case cast constraint create cross cube current_catalog current_date current_path
   current_role current_schema current_time current_timestamp current_user deallocate delete describe distinct
   drop else end escape except execute exists extract false for from full group grouping having in inner insert
   intersect into is join json_array json_exists json_object json_query json_table json_value left like listagg
   localtime localtimestamp natural normalize not null on or order outer prepare recursive right rollup select
   skip table then trim true uescape union unnest using values when where with`.split(/\s+/),
)

/** Words that may name a column but never stand as an alias without AS: they start the next clause. */
const clauseWords = new Set(['limit', 'offset', 'fetch', 'window', 'tablesample', 'match_recognize'])

/** A statement's tokens with a place in them; the base of the parsers. */
export class TokenStream {
  readonly #tokens: readonly Token[]
  #index = 0

  constructor(sql: string) {
    this.#tokens = tokenize(sql)
  }

  get position(): Position {
    return this.peek().position
  }

  protected peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#index + ahead, this.#tokens.length - 1)]!
  }

  protected next(): Token {
    const token = this.peek()
    if (token.kind !== 'end') this.#index += 1
    return token
  }

  /** The place to come back to with `rewind`. */
  protected mark(): number {
    return this.#index
  }
  protected rewind(mark: number): void {
    this.#index = mark
  }

  protected isWord(text: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return token.kind === 'word' && token.text === text
  }
  protected isSymbol(text: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return token.kind === 'symbol' && token.text === text
  }

  protected takeWord(...words: readonly string[]): boolean {
    if (!words.every((text, ahead) => this.isWord(text, ahead))) return false
    this.#index += words.length
    return true
  }
  protected takeSymbol(text: string): boolean {
    if (!this.isSymbol(text)) return false
    this.#index += 1
    return true
  }

  protected expectWord(...words: readonly string[]): void {
    for (const text of words) if (!this.takeWord(text)) throw this.mismatch(text.toUpperCase())
  }
  protected expectSymbol(text: string): void {
    if (!this.takeSymbol(text)) throw this.mismatch(`'${text}'`)
  }

  protected mismatch(expecting: string): QueryError {
    const { written, position } = this.peek()
    return failure('SYNTAX_ERROR', `mismatched input '${written}'. Expecting: ${expecting}`, position)
  }

  protected isIdentifier(ahead = 0): boolean {
    const token = this.peek(ahead)
    return token.kind === 'quoted' || (token.kind === 'word' && !reservedWords.has(token.text))
  }

  protected identifier(): Identifier {
    if (!this.isIdentifier()) throw this.mismatch('<identifier>')
    const { kind, text, written, position } = this.next()
    return { value: kind === 'word' ? written : text, position }
  }

  /** `AS name` or a bare name. */
  protected optionalAlias(): Identifier | undefined {
    if (this.takeWord('as')) return this.identifier()
    const token = this.peek()
    if (!this.isIdentifier() || (token.kind === 'word' && clauseWords.has(token.text))) return undefined
    return this.identifier()
  }

  protected commaSeparated<T>(item: () => T): T[] {
    const items = [item()]
    while (this.takeSymbol(',')) items.push(item())
    return items
  }

  protected parenthesized<T>(content: () => T): T {
    this.expectSymbol('(')
    const result = content()
    this.expectSymbol(')')
    return result
  }

  protected integer(): number {
    const token = this.peek()
    if (token.kind !== 'integer') throw this.mismatch('<integer>')
    this.next()
    return Number(token.text)
  }

  /** A type as written in CAST. */
  protected type(): TrinoType {
    const start = this.peek()
    if (start.kind !== 'word') throw this.mismatch('<type>')
    this.next()
    const name = start.text === 'dec' ? 'decimal' : start.text
    if (name === 'double') this.takeWord('precision')
    if (name === 'array') return arrayType(this.parenthesized(() => this.#typeWithin()))
    if (name === 'map') {
      return this.parenthesized(() => {
        const key = this.#typeWithin()
        this.expectSymbol(',')
        return mapType(key, this.#typeWithin())
      })
    }
    if (name === 'row') return rowType(this.parenthesized(() => this.commaSeparated(() => this.#rowField())))
    if (name === 'interval') throw notSupported('casts to intervals', start.position)
    const parameters = this.isSymbol('(')
      ? this.parenthesized(() => this.commaSeparated(() => this.integer()))
      : []
    let withTimeZone = false
    if (name === 'timestamp' || name === 'time') {
      if (this.takeWord('with', 'time', 'zone')) withTimeZone = true
      else this.takeWord('without', 'time', 'zone')
    }
    const type = namedType(name, parameters, withTimeZone)
    if (type === undefined) throw failure('TYPE_NOT_FOUND', `Unknown type: ${name}`, start.position)
    return type
  }

  /** A type that an array, map or row is made of: none that cannot be used here. */
  #typeWithin(): TrinoType {
    const { position } = this
    const type = this.type()
    if (type.kind === 'unsupported') throw notSupported(`the type ${type.text}`, position)
    return type
  }

  /** `x integer`, or a type alone. */
  #rowField(): RowField {
    const [first, second] = [this.peek(), this.peek(1)]
    const isName =
      (second.kind === 'word' && !['precision', 'with', 'without'].includes(second.text)) ||
      first.kind === 'quoted'
    if (!isName) return { type: this.#typeWithin() }
    // Trino keeps the case of quoted names only.
    const name = this.identifier().value
    return { name: first.kind === 'quoted' ? name : name.toLowerCase(), type: this.#typeWithin() }
  }
}
