import { failure } from './query-failure.ts'
import type { Position } from './syntax-tree.ts'

export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'binary' | 'integer' | 'decimal' | 'double' | 'symbol' | 'end'
  /** What it says: without quotes, a word in lower case. */
  readonly text: string
  readonly written: string
  readonly position: Position
}

const whitespace = /[ \r\n\t]+|--[^\r\n]*|\/\*[\s\S]*?\*\//y
const number = /(?:(\d+\.?\d*|\.\d+)[eE][+-]?\d+)|(\d+\.\d*|\.\d+)|(\d+)/y
const word = /[A-Za-z_][A-Za-z0-9_@:]*/y
const symbol = /<>|!=|<=|>=|\|\||->|=>|[-+*/%(),.;?=<>[\]]/y

/** Splits a statement of Trino's SQL into tokens; the last one has kind `end`. Throws SYNTAX_ERROR. */
export function tokenize(sql: string): readonly Token[] {
  const tokens: Token[] = []
  let offset = 0
  let line = 1
  let lineStart = 0
  const position = (): Position => ({ line, column: offset - lineStart + 1 })
  const advance = (length: number): void => {
    for (let i = offset; i < offset + length; i++) {
      if (sql[i] === '\n') {
        line += 1
        lineStart = i + 1
      }
    }
    offset += length
  }
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = offset
    return pattern.exec(sql)
  }
  const push = (kind: Token['kind'], text: string, length: number): void => {
    tokens.push({ kind, text, written: sql.slice(offset, offset + length), position: position() })
    advance(length)
  }

  if (sql.includes('\0'))
    throw failure('NOT_SUPPORTED', 'The embedded Athena does not support U+0000 in statements')
  while (offset < sql.length) {
    const space = match(whitespace)
    if (space !== null) {
      advance(space[0].length)
      continue
    }
    const character = sql[offset]!
    const binary = (character === 'X' || character === 'x') && sql[offset + 1] === "'"
    if (/[uU]/.test(character) && sql.startsWith("&'", offset + 1)) {
      throw failure('NOT_SUPPORTED', "The embedded Athena does not support U&'...' literals", position())
    }
    if (character === "'" || character === '"' || binary) {
      const { value, length } = quoted(sql, binary ? offset + 1 : offset, position())
      push(binary ? 'binary' : character === '"' ? 'quoted' : 'string', value, binary ? length + 1 : length)
      continue
    }
    const digits = match(number)
    if (digits !== null) {
      const following = sql[offset + digits[0].length] ?? ''
      if (/[A-Za-z_]/.test(following)) {
        throw failure(
          'SYNTAX_ERROR',
          'identifiers must not start with a digit; surround the identifier with double quotes',
          position(),
        )
      }
      push(
        digits[1] !== undefined ? 'double' : digits[2] !== undefined ? 'decimal' : 'integer',
        digits[0],
        digits[0].length,
      )
      continue
    }
    const name = match(word)
    if (name !== null) {
      push('word', name[0].toLowerCase(), name[0].length)
      continue
    }
    const sign = match(symbol)
    if (sign !== null) {
      push('symbol', sign[0] === '!=' ? '<>' : sign[0], sign[0].length)
      continue
    }
    if (character === '`') {
      throw failure(
        'SYNTAX_ERROR',
        'backquoted identifiers are not supported; use double quotes to quote identifiers',
        position(),
      )
    }
    throw failure('SYNTAX_ERROR', `mismatched input '${character}'`, position())
  }
  tokens.push({ kind: 'end', text: '<EOF>', written: '<EOF>', position: position() })
  return tokens
}

function quoted(sql: string, start: number, position: Position): { value: string; length: number } {
  const quote = sql[start]!
  let value = ''
  let i = start + 1
  while (true) {
    const end = sql.indexOf(quote, i)
    if (end < 0)
      throw failure('SYNTAX_ERROR', `mismatched input '${quote}': the quote is never closed`, position)
    value += sql.slice(i, end)
    if (sql[end + 1] !== quote) return { value, length: end + 1 - start }
    value += quote
    i = end + 2
  }
}
