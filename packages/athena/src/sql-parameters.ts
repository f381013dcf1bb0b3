import { ConfigurationError } from '@stockpipe/core'
import { hiveIdentifier, hiveLiteral } from './hive-text.ts'
import { type SqlValue, sqlLiteral } from './sql-literal.ts'
import type { QuotedText } from './sql-template.ts'
import { sqlTokens } from './sql-tokens.ts'
import { ParameterPlaces, statementForm } from './statement-form.ts'

/** Athena takes execution parameters of 1 to 1,024 characters. */
const maximumParameterLength = 1024

/** Athena takes query strings of at most 262,144 bytes. */
const maximumQueryBytes = 262_144

/** A statement as StartQueryExecution takes it. */
export interface BoundStatement {
  readonly queryString: string
  readonly executionParameters: readonly string[]
}

/**
 * Gives each `?` of a statement its value: as an execution parameter where Athena takes one and its literal has at most
 * 1,024 characters, otherwise in the text itself. Names and values are written as Trino or Hive reads them, whichever
 * the statement goes to.
 *
 * Throws a `ConfigurationError` when the statement has not as many `?` as there are values.
 *
 * @param quoted names and values that stand in the text already, as Trino quotes them
 */
export const bindParameters = (
  sql: string,
  values: readonly SqlValue[],
  quoted: readonly QuotedText[] = [],
): BoundStatement => {
  const { dialect, takesParameters } = statementForm(rewritten(sql, quoted, () => 'x'))
  const text = dialect === 'hive' ? rewritten(sql, quoted, hiveText) : sql
  const literals = values.map(dialect === 'hive' ? hiveLiteral : sqlLiteral)
  const executionParameters: string[] = []
  let queryString = text
  if (literals.length > 0) {
    const places = new ParameterPlaces()
    let index = 0
    let end = 0
    queryString = ''
    for (const token of sqlTokens(text, dialect)) {
      if (token.kind === 'comment') continue
      const mayStand = places.next(token.kind, token.text)
      if (token.kind !== 'parameter') continue
      const literal = literals[index++] ?? ''
      const asParameter = takesParameters && mayStand && literal.length <= maximumParameterLength
      if (asParameter) executionParameters.push(literal)
      queryString += text.slice(end, token.at) + (asParameter ? '?' : inlined(literal))
      end = token.at + 1
    }
    queryString += text.slice(end)
    if (index !== literals.length) {
      throw new ConfigurationError({
        code: 'PARAMETER_COUNT',
        message: `The statement has ${index} parameters (?) and ${values.length} values were given. A ? inside quotes or a comment is none: leave the quotes out, they are added by themselves.`,
      })
    }
  }
  const bytes = Buffer.byteLength(queryString)
  if (bytes > maximumQueryBytes) {
    throw new ConfigurationError({
      code: 'QUERY_TOO_LONG',
      message: `The statement has ${bytes} bytes and Athena takes ${maximumQueryBytes}; put long lists into a table and join it.`,
    })
  }
  return { queryString, executionParameters }
}

const hiveText = (quoted: QuotedText): string =>
  'name' in quoted ? hiveIdentifier(quoted.name) : inlined(hiveLiteral(quoted.value))

/** The text with each quoted name and value written anew. */
const rewritten = (
  sql: string,
  quoted: readonly QuotedText[],
  write: (quoted: QuotedText) => string,
): string => {
  let text = ''
  let end = 0
  for (const one of quoted) {
    if (one.at < end || sql.slice(one.at, one.at + one.text.length) !== one.text) {
      throw new ConfigurationError({
        code: 'TEMPLATE_CHANGED',
        message:
          'The text of a sql`...` template was changed after it was made, so its names and values cannot be found in it. Put templates into templates instead.',
      })
    }
    text += sql.slice(end, one.at) + write(one)
    end = one.at + one.text.length
  }
  return text + sql.slice(end)
}

/** A literal in the text of a statement, apart from its neighbours, so that they cannot change what it is. */
export const inlined = (literal: string): string =>
  literal.startsWith('-') ? ` (${literal}) ` : ` ${literal} `
