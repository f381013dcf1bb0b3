/** Whose rules a statement is read by: Athena hands most DDL to Hive's parser, the rest to Trino. */
export type SqlDialect = 'trino' | 'hive'

export interface SqlToken {
  readonly kind: 'word' | 'text' | 'comment' | 'parameter' | 'symbol'
  readonly text: string
  readonly at: number
}

/** In Trino a doubled quote is one, and a backslash is a plain character. */
const trinoQuoted = /'[^']*(?:''[^']*)*'?|"[^"]*(?:""[^"]*)*"?|`[^`]*(?:``[^`]*)*`?/.source
/** In Hive a backslash escapes whatever comes next, in both kinds of quotes. */
const hiveQuoted = /'[^'\\]*(?:\\[\s\S][^'\\]*)*'?|"[^"\\]*(?:\\[\s\S][^"\\]*)*"?|`[^`]*(?:``[^`]*)*`?/.source
const comment = /--[^\r\n]*|\/\*[\s\S]*?(?:\*\/|$)/.source
const word = /[\p{L}_][\p{L}\p{N}_$@]*/u.source

const patterns: Readonly<Record<SqlDialect, RegExp>> = {
  trino: new RegExp(`(${trinoQuoted})|(${comment})|(${word})|(\\?)|\\S`, 'gu'),
  hive: new RegExp(`(${hiveQuoted})|(${comment})|(${word})|(\\?)|\\S`, 'gu'),
}

/** The tokens of a statement; blanks are left out, numbers are symbols and words. */
export function* sqlTokens(sql: string, dialect: SqlDialect): Generator<SqlToken, void> {
  for (const match of sql.matchAll(patterns[dialect])) {
    const [text, quoted, remark, name, parameter] = match
    const kind =
      quoted !== undefined
        ? 'text'
        : remark !== undefined
          ? 'comment'
          : name !== undefined
            ? 'word'
            : parameter !== undefined
              ? 'parameter'
              : 'symbol'
    yield { kind, text, at: match.index }
  }
}
