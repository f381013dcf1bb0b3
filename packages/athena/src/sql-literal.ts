import { ConfigurationError, Decimal } from '@stockpipe/core'

/** A value that becomes a typed literal of Athena's SQL. */
export type SqlValue = string | number | bigint | boolean | Date | Decimal | Uint8Array | null

const refuse = (what: string, remedy: string): never => {
  throw new ConfigurationError({
    code: 'SQL_VALUE_REFUSED',
    message: `A SQL value cannot be ${what}: ${remedy}.`,
  })
}

/** Half of a surrogate pair: with the `u` flag, whole pairs do not match. */
export const halfSurrogate = /[\uD800-\uDFFF]/u

const int64Limit = 2n ** 63n

/**
 * A value as a literal of Trino SQL: `'it''s'`, `5`, `1.5E0`, `DECIMAL '1.50'`, `TIMESTAMP '2024-03-08 14:30:00.000'`.
 *
 * Throws a `ConfigurationError` for what has no exact literal.
 */
export const sqlLiteral = (value: SqlValue): string => {
  switch (typeof value) {
    case 'string':
      return stringLiteral(value)
    case 'number':
      return numberLiteral(value)
    case 'bigint':
      return value >= -int64Limit && value < int64Limit
        ? value.toString()
        : decimalLiteral(Decimal.of(value, 0))
    case 'boolean':
      return value ? 'true' : 'false'
  }
  if (value === null) return 'NULL'
  if (value instanceof Date) return timestampLiteral(value)
  if (Decimal.isDecimal(value)) return decimalLiteral(value)
  if (value instanceof Uint8Array) return `X'${Buffer.from(value).toString('hex').toUpperCase()}'`
  return refuse(
    value === undefined ? 'undefined' : Array.isArray(value) ? 'an array' : `of type ${typeof value}`,
    'pass a string, number, bigint, boolean, Date, Decimal, Uint8Array or null',
  )
}

/** In Trino a quote is doubled and nothing else escapes: a backslash is a plain character. */
const stringLiteral = (text: string): string => {
  if (halfSurrogate.test(text))
    refuse('a string with half a surrogate pair', 'it has no UTF-8; mend the text')
  return `'${text.replaceAll("'", "''")}'`
}

const numberLiteral = (value: number): string => {
  if (Number.isNaN(value)) return 'nan()'
  if (!Number.isFinite(value)) return value > 0 ? 'infinity()' : '-infinity()'
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return value.toString()
  const text = Object.is(value, -0) ? '-0' : value.toString()
  return text.includes('e') ? text.replace('e+', 'E').replace('e', 'E') : `${text}E0`
}

const decimalLiteral = (value: Decimal): string => {
  const digits = value.unscaled.toString().replace('-', '').length
  if (Math.max(digits, value.scale) > 38) {
    refuse(`a decimal of ${Math.max(digits, value.scale)} digits`, 'Athena knows at most 38; rescale it')
  }
  return `DECIMAL '${value}'`
}

const timestampLiteral = (value: Date): string => {
  const millis = value.getTime()
  if (Number.isNaN(millis)) refuse('an invalid Date', 'check how it was made')
  const text = value.toISOString()
  if (!/^\d{4}-/.test(text)) refuse(`the Date ${text}`, 'its year is outside 0000 to 9999')
  return `TIMESTAMP '${text.slice(0, -1).replace('T', ' ')}'`
}
