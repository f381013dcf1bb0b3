import { BoundTable, ConfigurationError } from '@stockpipe/core'
import { halfSurrogate, type SqlValue, sqlLiteral } from './sql-literal.ts'
import { inlined } from './sql-parameters.ts'

/** A piece of SQL with the values of its `?`; made by `sql`, `identifier` and `literal` only. */
export class SqlFragment {
  readonly sql: string
  readonly parameters: readonly SqlValue[]

  /** Use `sql`: what is given here is taken as SQL text. */
  constructor(text: string, parameters: readonly SqlValue[]) {
    this.sql = text
    this.parameters = Object.freeze([...parameters])
    Object.freeze(this)
  }
}

/** What may stand in `${}` of a `sql` template. */
export type SqlInterpolation = SqlValue | SqlFragment | BoundTable

/**
 * SQL with values, for `athena.query({ sql, columns })`. A value becomes a typed parameter and cannot leave its
 * literal, a `BoundTable` becomes `"database"."table"`, and a fragment is put in as it is.
 */
export const sql = (strings: TemplateStringsArray, ...values: readonly SqlInterpolation[]): SqlFragment => {
  let text = strings[0] ?? ''
  const parameters: SqlValue[] = []
  values.forEach((value, index) => {
    if (value instanceof SqlFragment) {
      text += value.sql
      parameters.push(...value.parameters)
    } else if (value instanceof BoundTable) {
      text += tableName(value)
    } else {
      sqlLiteral(value) // refuses here, where the stack names the template
      text += '?'
      parameters.push(value)
    }
    text += strings[index + 1] ?? ''
  })
  return new SqlFragment(text, parameters)
}

/** A quoted name for a template: `identifier('market', 'trades')` is `"market"."trades"`. */
export const identifier = (...names: readonly string[]): SqlFragment =>
  new SqlFragment(names.map(quoteIdentifier).join('.'), [])

/** A value written into the text itself, for places where Athena takes no parameter (it takes them after WHERE). */
export const literal = (value: SqlValue): SqlFragment => new SqlFragment(inlined(sqlLiteral(value)), [])

export const tableName = (bound: BoundTable): string =>
  `${quoteIdentifier(bound.database)}.${quoteIdentifier(bound.table.name)}`

export const quoteIdentifier = (name: string): string => {
  if (typeof name !== 'string' || name === '' || name.includes('\0') || halfSurrogate.test(name)) {
    throw new ConfigurationError({
      code: 'IDENTIFIER_INVALID',
      message: `"${String(name)}" cannot be a SQL identifier; name a column, table or alias.`,
    })
  }
  return `"${name.replaceAll('"', '""')}"`
}
