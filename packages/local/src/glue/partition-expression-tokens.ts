/** A piece of a partition expression; keywords are `word`s in upper case. */
export interface ExpressionToken {
  readonly kind: 'word' | 'name' | 'string' | 'number' | 'symbol'
  readonly text: string
}

const keywords = new Set(['AND', 'OR', 'NOT', 'IN', 'BETWEEN', 'LIKE', 'IS', 'NULL'])

const piece =
  /\s*(?:'(?<string>(?:[^']|'')*)'|"(?<double>(?:[^"]|"")*)"|`(?<backtick>[^`]+)`|(?<number>[+-]?\d+(?:\.\d+)?)(?![\w.])|(?<name>[A-Za-z_]\w*)|(?<symbol><=|>=|<>|!=|[=<>(),]))/y

/** Splits an expression; `refuse` makes the error for what is not a token. */
export function tokenizeExpression(
  expression: string,
  refuse: (reason: string) => Error,
): readonly ExpressionToken[] {
  const tokens: ExpressionToken[] = []
  const text = expression.trimEnd()
  piece.lastIndex = 0
  while (piece.lastIndex < text.length) {
    const start = piece.lastIndex
    const groups = piece.exec(text)?.groups
    if (groups === undefined) throw refuse(`'${text.slice(start).trim().slice(0, 20)}' is not understood`)
    tokens.push(tokenOf(groups))
  }
  return tokens
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>): ExpressionToken {
  if (groups['string'] !== undefined) return { kind: 'string', text: groups['string'].replaceAll("''", "'") }
  // Hive clients quote strings with double quotes as well; Glue's parser reads them as strings.
  if (groups['double'] !== undefined) return { kind: 'string', text: groups['double'].replaceAll('""', '"') }
  if (groups['backtick'] !== undefined) return { kind: 'name', text: groups['backtick'] }
  if (groups['number'] !== undefined) return { kind: 'number', text: groups['number'] }
  if (groups['name'] !== undefined) {
    const upper = groups['name'].toUpperCase()
    return keywords.has(upper) ? { kind: 'word', text: upper } : { kind: 'name', text: groups['name'] }
  }
  return { kind: 'symbol', text: groups['symbol'] ?? '' }
}
