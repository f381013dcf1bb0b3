import { QueryError } from '../sql/query-engine.ts'

/** A piece of a Hive DDL statement. */
export interface DdlToken {
  /** A bare word, a name in backticks, a string, a number, or a symbol. */
  readonly kind: 'word' | 'name' | 'string' | 'number' | 'symbol' | 'end'
  readonly text: string
  readonly line: number
  readonly column: number
}

const piece =
  /(?<space>\s+|--[^\n]*|\/\*[\s\S]*?\*\/)|'(?<single>(?:[^'\\]|\\[\s\S])*)'|"(?<double>(?:[^"\\]|\\[\s\S])*)"|`(?<name>(?:[^`]|``)+)`|(?<number>-?\d+(?:\.\d+)?)(?!\w)|(?<word>[A-Za-z_0-9][\w$]*)|(?<symbol>[-(),.=<>:;!+*/%])/y

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\u0000' }

/** Splits a statement; ends with an `end` token. @throws QueryError for a character that begins nothing */
export function tokenizeDdl(sql: string): readonly DdlToken[] {
  const tokens: DdlToken[] = []
  let line = 1
  let lineStart = 0
  piece.lastIndex = 0
  while (piece.lastIndex < sql.length) {
    const start = piece.lastIndex
    const match = piece.exec(sql)
    const place = { line, column: start - lineStart }
    if (match?.groups === undefined)
      throw parseError(place, `cannot recognize input near '${sql.slice(start, start + 20)}'`)
    const token = tokenOf(match.groups)
    if (token !== undefined) tokens.push({ ...token, ...place })
    for (const { index } of match[0].matchAll(/\n/g)) {
      line += 1
      lineStart = start + index + 1
    }
  }
  return [...tokens, { kind: 'end', text: '<EOF>', line, column: sql.length - lineStart }]
}

/** A syntax error in Hive's words. */
export function parseError(place: { line: number; column: number }, reason: string): QueryError {
  return new QueryError('FAILED', `FAILED: ParseException line ${place.line}:${place.column} ${reason}`)
}

function tokenOf(
  groups: Readonly<Record<string, string | undefined>>,
): Pick<DdlToken, 'kind' | 'text'> | undefined {
  const { single, double, name, number, word, symbol } = groups
  const string = single ?? double
  if (string !== undefined) {
    return { kind: 'string', text: string.replace(/\\([\s\S])/g, (_, one: string) => escapes[one] ?? one) }
  }
  if (name !== undefined) return { kind: 'name', text: name.replaceAll('``', '`') }
  if (number !== undefined) return { kind: 'number', text: number }
  if (word !== undefined) return { kind: 'word', text: word }
  return symbol === undefined ? undefined : { kind: 'symbol', text: symbol }
}
