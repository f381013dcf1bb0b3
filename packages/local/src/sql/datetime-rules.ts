import type { AnalysisSession } from './analysis-session.ts'
import { asTimestamp, coerce } from './cast-rules.ts'
import { failure, notSupported, typeMismatch } from './query-failure.ts'
import type { Expression, Position } from './syntax-tree.ts'
import {
  bigintType,
  dateType,
  dayIntervalType,
  isInteger,
  monthIntervalType,
  type TrinoType,
  typeText,
} from './trino-type.ts'
import { failing, literal, type TypedExpression } from './typed-expression.ts'

const millisecondsPerUnit: Readonly<Record<string, bigint>> = {
  second: 1000n,
  minute: 60_000n,
  hour: 3_600_000n,
  day: 86_400_000n,
}

/** An INTERVAL literal: days to seconds as milliseconds, years to months as months. */
export function intervalLiteral(node: Expression & { kind: 'interval' }): TypedExpression {
  const { position } = node
  if (node.toUnit !== undefined) throw notSupported('INTERVAL ... TO ...', position)
  const unit = node.unit.toLowerCase()
  const sign = node.negative ? -1n : 1n
  const whole = /^[+-]?\d+$/.test(node.value) ? BigInt(node.value) * sign : undefined
  if (whole !== undefined && (unit === 'month' || unit === 'year')) {
    return literal((whole * (unit === 'year' ? 12n : 1n)).toString(), monthIntervalType)
  }
  const factor = millisecondsPerUnit[unit]
  if (whole !== undefined && factor !== undefined)
    return literal((whole * factor).toString(), dayIntervalType)
  const fraction = /^(-?)(\d+)\.(\d{1,3})$/.exec(node.value)
  if (fraction !== null && unit === 'second') {
    const millis =
      BigInt(fraction[2]! + fraction[3]!.padEnd(3, '0')) * sign * (fraction[1] === '-' ? -1n : 1n)
    return literal(millis.toString(), dayIntervalType)
  }
  throw failure('INVALID_LITERAL', `'${node.value}' is not a valid interval literal`, position)
}

function isInterval(type: TrinoType): boolean {
  return type.kind === 'interval day to second' || type.kind === 'interval year to month'
}

/** True where + and - are those of dates, times and intervals. */
export function isTemporalArithmetic(left: TrinoType, right: TrinoType): boolean {
  return [left, right].some(
    (type) => isInterval(type) || type.kind === 'date' || type.kind.startsWith('time'),
  )
}

/** date, timestamp or interval, plus or minus an interval; the difference of two. */
export function temporalArithmetic(
  session: AnalysisSession,
  operator: string,
  left: TypedExpression,
  right: TypedExpression,
  position: Position,
): TypedExpression {
  const mismatch = (): Error =>
    typeMismatch(
      `Cannot apply operator: ${typeText(left.type)} ${operator} ${typeText(right.type)}`,
      position,
    )
  if (operator === '+' && isInterval(left.type) && !isInterval(right.type)) {
    return temporalArithmetic(session, operator, right, left, position)
  }
  if ((operator === '+' || operator === '-') && isInterval(right.type)) {
    if (left.type.kind === right.type.kind) {
      return { type: left.type, sql: `(${left.sql} ${operator} ${right.sql})` }
    }
    if (isInterval(left.type)) throw mismatch()
    return shift(session, left, operator === '-' ? { ...right, sql: `(-${right.sql})` } : right, position)
  }
  if (operator === '-') {
    const known = difference(left, right)
    if (known !== undefined) return known
    const times = [left, right].every(({ type }) => type.kind === 'date' || type.kind.startsWith('time'))
    if (!times) throw mismatch()
  }
  if (operator === '*' && isInterval(left.type) && isInteger(right.type)) {
    const count = coerce(session, right, bigintType)!
    return {
      type: left.type,
      sql: `CAST(${left.sql} * ${count.sql} AS ${left.type === monthIntervalType ? 'INTEGER' : 'BIGINT'})`,
    }
  }
  if (operator === '-' || isInterval(left.type) || isInterval(right.type))
    throw notSupported(`${typeText(left.type)} ${operator} ${typeText(right.type)}`, position)
  throw mismatch()
}

function difference(left: TypedExpression, right: TypedExpression): TypedExpression | undefined {
  if (left.type.kind === 'date' && right.type.kind === 'date') {
    return { type: dayIntervalType, sql: `CAST((${left.sql} - ${right.sql}) * 86400000 AS BIGINT)` }
  }
  const coarse = (side: TypedExpression): TypedExpression | undefined => {
    const timestamp = side.type.kind === 'timestamp with time zone' ? side : asTimestamp(side)
    const { precision } = (timestamp?.type ?? {}) as { precision?: number }
    return precision !== undefined && precision <= 3 ? timestamp : undefined
  }
  const [from, to] = [coarse(right), coarse(left)]
  if (from !== undefined && to !== undefined && from.type.kind === to.type.kind) {
    return { type: dayIntervalType, sql: `(epoch_ms(${to.sql}) - epoch_ms(${from.sql}))` }
  }
  return undefined
}

/** Adds an interval of milliseconds or months. */
function shift(
  session: AnalysisSession,
  operand: TypedExpression,
  interval: TypedExpression,
  position: Position,
): TypedExpression {
  const { type } = operand
  const months = interval.type.kind === 'interval year to month'
  if (type.kind === 'date') {
    if (months) return { type, sql: `CAST(${operand.sql} + to_months(${interval.sql}) AS DATE)` }
    const days = `CAST(${interval.sql} // 86400000 AS INTEGER)`
    if (interval.constant !== undefined && BigInt(interval.constant) % 86_400_000n === 0n) {
      return { type, sql: `(${operand.sql} + ${days})` }
    }
    const message = 'Cannot add hour, minutes or seconds to a date'
    const error = failing(session, 'INVALID_FUNCTION_ARGUMENT', message, dateType)
    return {
      type,
      sql: `CASE WHEN ${interval.sql} % 86400000 <> 0 THEN ${error} ELSE ${operand.sql} + ${days} END`,
    }
  }
  if (type.kind === 'timestamp') {
    if (months) return { type, sql: `(${operand.sql} + to_months(${interval.sql}))` }
    // The interval counts milliseconds, and so does the result.
    const result: TrinoType = { kind: 'timestamp', precision: Math.max(3, type.precision) }
    return { type: result, sql: `(${operand.sql} + to_milliseconds(${interval.sql}))` }
  }
  if (type.kind === 'timestamp with time zone' && !months) {
    const result: TrinoType = { ...type, precision: Math.max(3, type.precision) }
    return { type: result, sql: `(${operand.sql} + to_milliseconds(${interval.sql}))` }
  }
  throw notSupported(`${typeText(type)} + ${typeText(interval.type)}`, position)
}
