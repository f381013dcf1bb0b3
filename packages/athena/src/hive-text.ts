import { ConfigurationError, Decimal } from '@stockpipe/core'
import { halfSurrogate, type SqlValue } from './sql-literal.ts'

/**
 * A name as Hive's DDL reads it, between backticks. A backtick within is refused: Glue and Athena do not agree on
 * doubled ones.
 */
export const hiveIdentifier = (name: string): string => {
  if (name.includes('`')) {
    throw new ConfigurationError({
      code: 'IDENTIFIER_INVALID',
      message: `"${name}" cannot be a name in Athena's DDL: it has a backtick.`,
    })
  }
  return `\`${name}\``
}

/**
 * A value as a literal of Hive's DDL, where a backslash escapes: `'it\'s'`, `'C:\\data'`, `5`, `1.50`.
 *
 * Throws a `ConfigurationError` for values that DDL has no place for: pass them as the text that Hive keeps.
 */
export const hiveLiteral = (value: SqlValue): string => {
  if (typeof value === 'string') return hiveString(value)
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (typeof value === 'number' && Number.isFinite(value)) return plainDigits(value)
  if (Decimal.isDecimal(value)) return value.toString()
  const what = value === null ? 'NULL' : value instanceof Date ? 'a Date' : 'such a value'
  throw new ConfigurationError({
    code: 'SQL_VALUE_REFUSED',
    message: `Athena's DDL has no literal for ${what}: pass the text it keeps, such as '2024-03-08' for a partition.`,
  })
}

const hiveString = (text: string): string => {
  if (halfSurrogate.test(text)) {
    throw new ConfigurationError({
      code: 'SQL_VALUE_REFUSED',
      message: 'A SQL value cannot be a string with half a surrogate pair: it has no UTF-8; mend the text.',
    })
  }
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/** Without an exponent, which a partition value has none of. */
const plainDigits = (value: number): string => Decimal.parse(String(value)).toString()
