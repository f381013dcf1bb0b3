import { ConfigurationError } from '@stockpipe/core'
import { type SqlValue, sqlLiteral } from './sql-literal.ts'

/** Athena takes execution parameters of 1 to 1,024 characters. */
const maximumParameterLength = 1024

/** Athena takes query strings of at most 262,144 bytes. */
const maximumQueryBytes = 262_144

/** Quoted text, quoted identifiers and comments, in none of which a `?` is a parameter; or a `?`. */
const lexeme = /'(?:[^']|'')*'?|"(?:[^"]|"")*"?|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\?/g

/** A statement as StartQueryExecution takes it. */
export interface BoundStatement {
  readonly queryString: string
  readonly executionParameters: readonly string[]
}

/**
 * Gives each `?` of a statement its value: as an execution parameter, or, when its literal is over 1,024 characters,
 * in the text itself.
 *
 * Throws a `ConfigurationError` when the statement has not as many `?` as there are values.
 */
export const bindParameters = (sql: string, values: readonly SqlValue[]): BoundStatement => {
  const executionParameters: string[] = []
  let queryString = sql
  if (values.length > 0) {
    const literals = values.map(sqlLiteral)
    let index = 0
    queryString = sql.replace(lexeme, (text) => {
      if (text !== '?') return text
      const literal = literals[index++] ?? ''
      if (literal.length <= maximumParameterLength) {
        executionParameters.push(literal)
        return text
      }
      return inlined(literal)
    })
    if (index !== values.length) {
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

/** A literal in the text of a statement, apart from its neighbours, so that they cannot change what it is. */
export const inlined = (literal: string): string =>
  literal.startsWith('-') ? ` (${literal}) ` : ` ${literal} `
