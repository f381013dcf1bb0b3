import { BoundTable, boundTable, ConfigurationError, TableDefinition } from '@stockpipe/core'
import { halfSurrogate, type SqlValue, sqlLiteral } from './sql-literal.ts'
import { inlined } from './sql-parameters.ts'

/** A name or value that stands in the text of a fragment as Trino quotes it; statements of Hive's quote it otherwise. */
export type QuotedText = { readonly at: number; readonly text: string } & (
  | { readonly name: string }
  | { readonly value: SqlValue }
)

/** A piece of SQL with the values of its `?`; made by `sql`, `identifier`, `literal` and `list` only. */
export class SqlFragment {
  readonly sql: string
  readonly parameters: readonly SqlValue[]
  /** Where names and values stand in `sql`, in order. */
  readonly quoted: readonly QuotedText[]

  /** Use `sql`: what is given here is taken as SQL text. */
  constructor(text: string, parameters: readonly SqlValue[], quoted: readonly QuotedText[] = []) {
    this.sql = text
    this.parameters = Object.freeze([...parameters])
    this.quoted = Object.freeze([...quoted])
    Object.freeze(this)
  }
}

/** What may stand in `${}` of a `sql` template. */
export type SqlInterpolation = SqlValue | SqlFragment | BoundTable

/**
 * SQL with values, for `athena.query({ sql, columns })`. A value becomes a typed parameter or literal and cannot leave
 * it, a `BoundTable` becomes its quoted name, and a fragment is put in as it is. Names and values are quoted as the
 * statement wants them: `"name"` and `'it''s'` in queries and views, `` `name` `` and `'it\'s'` in other DDL.
 *
 * Throws a `ConfigurationError` for values that have no exact literal, and for a single backslash that JavaScript would drop.
 */
export const sql = (strings: TemplateStringsArray, ...values: readonly SqlInterpolation[]): SqlFragment => {
  let text = writtenText(strings, 0)
  const parameters: SqlValue[] = []
  const quoted: QuotedText[] = []
  const put = (fragment: SqlFragment) => {
    for (const one of fragment.quoted) quoted.push({ ...one, at: text.length + one.at })
    text += fragment.sql
    parameters.push(...fragment.parameters)
  }
  values.forEach((value, index) => {
    if (value instanceof SqlFragment) put(value)
    else if (value instanceof BoundTable) put(identifier(value.database, value.table.name))
    else if (value instanceof TableDefinition) boundTable(value)
    else {
      sqlLiteral(value) // refuses here, where the stack names the template
      text += '?'
      parameters.push(value)
    }
    text += writtenText(strings, index + 1)
  })
  return new SqlFragment(text, parameters, quoted)
}

/** An escape of which JavaScript would leave out the backslash, as of `\d`. */
const droppedBackslash = /^(?:[^\\]|\\[\\`${bfnrtvxu0\r\n])*(\\[^\\`${bfnrtvxu0\r\n])/

/** The text at a place of a template, where no backslash may be lost: a regular expression would be another without. */
const writtenText = (strings: TemplateStringsArray, index: number): string => {
  const text: string | undefined = strings[index]
  const raw = strings.raw[index] ?? ''
  const dropped = droppedBackslash.exec(raw)?.[1]
  if (text !== undefined && dropped === undefined) return text
  throw new ConfigurationError({
    code: 'TEMPLATE_ESCAPE',
    message: `A sql\`...\` template has ${dropped ?? 'an escape'} in ${raw.trim().slice(0, 60)}, which JavaScript ${dropped === undefined ? 'cannot read' : 'would read without the backslash'}: write two backslashes for one, or pass the text as a value.`,
  })
}

/** A quoted name for a template: `identifier('market', 'trades')` is `"market"."trades"`. */
export const identifier = (...names: readonly string[]): SqlFragment => {
  let text = ''
  const quoted = names.map((name, index) => {
    if (index > 0) text += '.'
    const one = { at: text.length, text: quoteIdentifier(name), name }
    text += one.text
    return one
  })
  return new SqlFragment(text, [], quoted)
}

/** A value written into the text itself, as all values are where Athena takes no parameter. */
export const literal = (value: SqlValue): SqlFragment => {
  const text = inlined(sqlLiteral(value))
  return new SqlFragment(text, [], [{ at: 0, text, value }])
}

/**
 * Values for `IN`, each a value of its own: `` sql`WHERE ticker IN ${list(tickers)}` ``. With an empty list nothing is in
 * it: `IN` is false and `NOT IN` true for every row.
 *
 * Throws a `ConfigurationError` for null, which `IN` never finds and which makes `NOT IN` leave out every row.
 */
export const list = (values: readonly SqlValue[]): SqlFragment => {
  if (values.includes(null)) {
    throw new ConfigurationError({
      code: 'SQL_VALUE_REFUSED',
      message: 'A list for IN cannot hold null: IN never finds it. Leave it out, and add OR ... IS NULL.',
    })
  }
  for (const value of values) sqlLiteral(value)
  return values.length === 0
    ? new SqlFragment('(SELECT NULL WHERE false)', [])
    : new SqlFragment(`(${values.map(() => '?').join(', ')})`, values)
}

export const quoteIdentifier = (name: string): string => {
  if (typeof name !== 'string' || name === '' || name.includes('\0') || halfSurrogate.test(name)) {
    throw new ConfigurationError({
      code: 'IDENTIFIER_INVALID',
      message: `"${String(name)}" cannot be a SQL identifier; name a column, table or alias.`,
    })
  }
  return `"${name.replaceAll('"', '""')}"`
}
