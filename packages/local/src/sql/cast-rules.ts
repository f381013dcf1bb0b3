import type { AnalysisSession } from './analysis-session.ts'
import { castFromJson, castToJson } from './json-cast.ts'
import {
  castDecimalToReal,
  castDoubleToReal,
  castFloatingToDecimal,
  castFromText,
  castToText,
} from './native-casts.ts'
import { safely } from './native-function.ts'
import { castNested, tryCastNested } from './nested-casts.ts'
import { notSupported, typeMismatch } from './query-failure.ts'
import type { Position } from './syntax-tree.ts'
import {
  duckDbType,
  isCoercible,
  isFloating,
  isInteger,
  sameType,
  type TrinoType,
  timestampType,
  typeText,
  varcharType,
} from './trino-type.ts'
import { failing, nullOf, quoteString, type TypedExpression } from './typed-expression.ts'

/** The wall clock of a timestamp with time zone in its own zone, as a DuckDB TIMESTAMP. */
export function wallClock(operand: TypedExpression): string {
  if (operand.type.kind !== 'timestamp with time zone' || operand.type.zone === 'UTC') return operand.sql
  const fixed = /^([+-])(\d\d):(\d\d)$/.exec(operand.type.zone)
  if (fixed !== null) {
    const minutes = (Number(fixed[2]) * 60 + Number(fixed[3])) * (fixed[1] === '-' ? -1 : 1)
    return `(${operand.sql} + to_minutes(${minutes}))`
  }
  return `timezone(${quoteString(operand.type.zone)}, CAST(${operand.sql} AS TIMESTAMPTZ))`
}

/** The instant of a wall clock in a zone, as a DuckDB TIMESTAMP in UTC. */
export function instantOf(wallSql: string, zone: string): string {
  if (zone === 'UTC') return wallSql
  const fixed = /^([+-])(\d\d):(\d\d)$/.exec(zone)
  if (fixed !== null) {
    const minutes = (Number(fixed[2]) * 60 + Number(fixed[3])) * (fixed[1] === '-' ? -1 : 1)
    return `(${wallSql} - to_minutes(${minutes}))`
  }
  return `CAST(timezone(${quoteString(zone)}, ${wallSql}) AS TIMESTAMP)`
}

/** Rounds a DuckDB TIMESTAMP half up; undefined for a precision without a rule. */
export function roundTimestamp(sql: string, precision: number): string | undefined {
  if (precision >= 6) return sql
  if (precision === 3) return `date_trunc('millisecond', ${sql} + INTERVAL 500 MICROSECOND)`
  if (precision === 0) return `date_trunc('second', ${sql} + INTERVAL 500000 MICROSECOND)`
  return undefined
}

function toInteger(operand: TypedExpression, to: TrinoType, cast: string): string | undefined {
  const type = duckDbType(to)
  if (isInteger(operand.type) || operand.type.kind === 'decimal' || operand.type.kind === 'boolean') {
    return `${cast}(${operand.sql} AS ${type})`
  }
  return isFloating(operand.type) ? `${cast}(round(${operand.sql}) AS ${type})` : undefined
}

function toDouble(operand: TypedExpression): string | undefined {
  const { type, sql } = operand
  if (isInteger(type) || type.kind === 'real') return `CAST(${sql} AS DOUBLE)`
  if (type.kind === 'boolean') return `CAST(CAST(${sql} AS INTEGER) AS DOUBLE)`
  if (type.kind !== 'decimal') return undefined
  if (type.precision <= 15) return `CAST(${sql} AS DOUBLE)`
  // Above 18 digits Trino reads the text, below it divides the unscaled number.
  if (type.precision > 18) return `CAST(CAST(${sql} AS VARCHAR) AS DOUBLE)`
  const power = `1${'0'.repeat(type.scale)}`
  const wide = `CAST(${sql} AS DECIMAL(19,${type.scale}))`
  const unscaled = `CAST(${wide} * CAST('${power}' AS DECIMAL(${type.scale + 1},0)) AS BIGINT)`
  return `(CAST(${unscaled} AS DOUBLE) / CAST('${power}' AS DOUBLE))`
}

/** DuckDB prints `.05` where the type has no digit before the point. */
export function decimalToVarchar(sql: string, precision: number, scale: number): string {
  const text = `CAST(${sql} AS VARCHAR)`
  return precision > scale ? text : `regexp_replace(${text}, '^(-?)\\.', '\\10.')`
}

function toVarchar(session: AnalysisSession, operand: TypedExpression): string | undefined {
  const { type, sql } = operand
  if (type.kind === 'varchar') return sql
  if (type.kind === 'decimal') return decimalToVarchar(sql, type.precision, type.scale)
  if (isInteger(type) || type.kind === 'boolean') return `CAST(${sql} AS VARCHAR)`
  const native = castToText(type)
  return native && session.native(native, [sql])
}

function toBoundedVarchar(
  session: AnalysisSession,
  operand: TypedExpression,
  to: TrinoType & { kind: 'varchar' },
  safe: boolean,
): string | undefined {
  const length = to.length!
  if (operand.type.kind === 'varchar') {
    const fits = operand.type.length !== undefined && operand.type.length <= length
    return fits ? operand.sql : `substring(${operand.sql}, 1, ${length})`
  }
  const text = toVarchar(session, operand)
  if (text === undefined) return undefined
  const message = `Value cannot be represented as varchar(${length})`
  const tooLong = safe
    ? nullOf(varcharType).sql
    : failing(session, 'INVALID_CAST_ARGUMENT', message, varcharType)
  return `CASE WHEN length(${text}) > ${length} THEN ${tooLong} ELSE ${text} END`
}

function toTimestamp(operand: TypedExpression, precision: number): string | undefined {
  const { type, sql } = operand
  if (type.kind === 'date') return `CAST(${sql} AS TIMESTAMP)`
  if (type.kind !== 'timestamp' && type.kind !== 'timestamp with time zone') return undefined
  const wall = wallClock(operand)
  return type.precision <= precision ? wall : roundTimestamp(wall, precision)
}

function convert(
  session: AnalysisSession,
  operand: TypedExpression,
  to: TrinoType,
  safe: boolean,
): string | undefined {
  const { type: from, sql } = operand
  if (sameType(from, to)) return sql
  if (from.kind === 'unknown') return nullOf(to).sql
  if (from.kind === 'json' || to.kind === 'json') {
    const native = to.kind === 'json' ? castToJson(from) : castFromJson(to)
    return native && session.native(safe ? safely(native) : native, [sql])
  }
  const cast = safe ? 'TRY_CAST' : 'CAST'
  if (from.kind === 'varchar' && to.kind !== 'varchar') {
    const native = castFromText(to)
    return native && session.native(safe ? safely(native) : native, [sql])
  }
  switch (to.kind) {
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
      return toInteger(operand, to, cast)
    case 'decimal': {
      if (isInteger(from) || from.kind === 'decimal') return `${cast}(${sql} AS ${duckDbType(to)})`
      if (!isFloating(from)) return undefined
      const native = castFloatingToDecimal(from, to)
      return session.native(safe ? safely(native) : native, [sql])
    }
    case 'double':
      return toDouble(operand)
    case 'real':
      if (from.kind === 'decimal') return session.native(castDecimalToReal(from), [sql])
      if (from.kind === 'double') return session.native(castDoubleToReal, [sql])
      return isInteger(from) ? `CAST(${sql} AS FLOAT)` : undefined
    case 'boolean':
      return isInteger(from) || isFloating(from) || from.kind === 'decimal' ? `(${sql} <> 0)` : undefined
    case 'varchar':
      return to.length === undefined
        ? toVarchar(session, operand)
        : toBoundedVarchar(session, operand, to, safe)
    case 'date':
      return from.kind === 'timestamp' || from.kind === 'timestamp with time zone'
        ? `CAST(${wallClock(operand)} AS DATE)`
        : undefined
    case 'timestamp':
      return toTimestamp(operand, to.precision)
    case 'timestamp with time zone':
      if (from.kind === 'timestamp with time zone') {
        return from.precision <= to.precision ? sql : roundTimestamp(sql, to.precision)
      }
      return to.zone === 'UTC' ? toTimestamp(operand, to.precision) : undefined
    case 'time':
      if (from.kind === 'time') return from.precision <= to.precision ? sql : undefined
      if (from.kind !== 'timestamp' && from.kind !== 'timestamp with time zone') return undefined
      return from.precision <= to.precision ? `CAST(${wallClock(operand)} AS TIME)` : undefined
    case 'array':
    case 'map':
    case 'row':
      return safe ? tryCastNested(session, operand, to) : castNested(session, operand, to)
    default:
      return undefined
  }
}

/** CAST and TRY_CAST; refuses pairs of types without a rule. */
export function cast(
  session: AnalysisSession,
  operand: TypedExpression,
  to: TrinoType,
  safe: boolean,
  position?: Position,
): TypedExpression {
  // A zone stays with the value: CAST(x AS timestamp with time zone) keeps it.
  const target =
    to.kind === 'timestamp with time zone' && operand.type.kind === to.kind
      ? { ...to, zone: operand.type.zone }
      : to
  const sql = convert(session, operand, target, safe)
  if (sql === undefined) {
    throw notSupported(`CAST from ${typeText(operand.type)} to ${typeText(to)}`, position)
  }
  return { type: target, sql }
}

/** The conversion Trino makes by itself; undefined where it makes none. */
export function coerce(
  session: AnalysisSession,
  operand: TypedExpression,
  to: TrinoType,
): TypedExpression | undefined {
  if (sameType(operand.type, to)) return operand
  if (!isCoercible(operand.type, to)) return undefined
  return {
    ...cast(session, operand, to, false),
    ...(operand.constant !== undefined && { constant: operand.constant }),
  }
}

/** The conversion Trino makes by itself, or TYPE_MISMATCH. */
export function coerceOrFail(
  session: AnalysisSession,
  operand: TypedExpression,
  to: TrinoType,
  what: string,
  position: Position,
): TypedExpression {
  const coerced = coerce(session, operand, to)
  if (coerced === undefined) {
    throw typeMismatch(
      `${what} must evaluate to ${typeText(to)} (actual: ${typeText(operand.type)})`,
      position,
    )
  }
  return coerced
}

/** As a timestamp of its own precision; a date becomes one of 0 digits. */
export function asTimestamp(operand: TypedExpression): TypedExpression | undefined {
  if (operand.type.kind === 'timestamp') return operand
  if (operand.type.kind === 'date')
    return { type: timestampType(0), sql: `CAST(${operand.sql} AS TIMESTAMP)` }
  return undefined
}
