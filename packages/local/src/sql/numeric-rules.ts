import type { AnalysisSession } from './analysis-session.ts'
import { cast } from './cast-rules.ts'
import {
  decimalDivide,
  decimalGuard,
  decimalMultiply,
  decimalRemainder,
  doubleRemainder,
  integerDivide,
} from './native-numeric.ts'
import { notSupported, typeMismatch } from './query-failure.ts'
import type { ArithmeticOperator, Position } from './syntax-tree.ts'
import {
  asDecimal,
  commonType,
  decimalType,
  duckDbType,
  isFloating,
  isInteger,
  isNumeric,
  type TrinoType,
  typeText,
} from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'

type Decimal = TrinoType & { kind: 'decimal' }

/** The decimal type of an operation on decimals, by Trino's rules. */
function decimalResult(operator: ArithmeticOperator, a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale)
  const limit = (precision: number, digits: number): Decimal => decimalType(Math.min(38, precision), digits)
  switch (operator) {
    case '+':
    case '-':
      return limit(Math.max(a.precision - a.scale, b.precision - b.scale) + scale + 1, scale)
    case '*':
      return limit(a.precision + b.precision, a.scale + b.scale)
    case '/':
      return limit(a.precision + b.scale + Math.max(b.scale - a.scale, 0), scale)
    case '%':
      return limit(Math.min(a.precision - a.scale, b.precision - b.scale) + scale, scale)
  }
}

/** Fails where a decimal of 38 digits has 39: DuckDB lets 10^38 through. */
export function guardDecimal(session: AnalysisSession, sql: string, type: Decimal): string {
  return type.precision < 38 ? sql : session.native(decimalGuard(type), [sql])
}

function decimalArithmetic(
  session: AnalysisSession,
  operator: ArithmeticOperator,
  left: TypedExpression,
  right: TypedExpression,
): TypedExpression {
  const a = asDecimal(left.type)!
  const b = asDecimal(right.type)!
  const type = decimalResult(operator, a, b)
  if (type.scale > 38) throw notSupported(`decimals with ${type.scale} digits after the point`)
  const operand = (side: TypedExpression, as: Decimal): string => cast(session, side, as, false).sql
  if (operator === '+' || operator === '-') {
    const sql = `CAST(${operand(left, type)} ${operator} ${operand(right, type)} AS ${duckDbType(type)})`
    return { type, sql: guardDecimal(session, sql, type) }
  }
  const x = operand(left, a)
  const y = operand(right, b)
  if (operator === '*') {
    // DuckDB keeps a product of two 64-bit decimals in 64 bits; 19 digits make the first one wider.
    const wide = `CAST(${x} AS ${duckDbType(decimalType(Math.max(19, a.precision), a.scale))})`
    const factor = a.precision <= 18 && b.precision <= 18 && a.precision + b.precision > 18 ? wide : x
    return a.precision + b.precision <= 38
      ? { type, sql: `CAST(${factor} * ${y} AS ${duckDbType(type)})` }
      : { type, sql: session.native(decimalMultiply(a, b, type), [x, y]) }
  }
  const native = operator === '/' ? decimalDivide(a, b, type) : decimalRemainder(a, b, type)
  return { type, sql: session.native(native, [x, y]) }
}

function integerDivision(
  session: AnalysisSession,
  operator: '/' | '%',
  left: TypedExpression,
  right: TypedExpression,
  type: TrinoType,
): string {
  // By -1 DuckDB fails at the smallest number.
  if (right.constant === undefined || ['0', '-1'].includes(right.constant)) {
    return session.native(integerDivide(operator, type), [left.sql, right.sql])
  }
  return `(${left.sql} ${operator === '/' ? '//' : '%'} ${right.sql})`
}

/** + - * / % of two numbers. */
export function numericArithmetic(
  session: AnalysisSession,
  operator: ArithmeticOperator,
  left: TypedExpression,
  right: TypedExpression,
  position: Position,
): TypedExpression {
  const type = isNumeric(left.type) && isNumeric(right.type) ? commonType(left.type, right.type) : undefined
  if (type === undefined) {
    if (left.type.kind === 'unknown' || right.type.kind === 'unknown') {
      throw notSupported('arithmetic with an untyped NULL', position)
    }
    throw typeMismatch(
      `Cannot apply operator: ${typeText(left.type)} ${operator} ${typeText(right.type)}`,
      position,
    )
  }
  if (type.kind === 'decimal') return decimalArithmetic(session, operator, left, right)
  const a = cast(session, left, type, false, position)
  const b = cast(session, right, type, false, position)
  if (isInteger(type)) {
    const operands = { a: { ...a, ...constantOf(left) }, b: { ...b, ...constantOf(right) } }
    const sql =
      operator === '/' || operator === '%'
        ? integerDivision(session, operator, operands.a, operands.b, type)
        : `(${a.sql} ${operator} ${b.sql})`
    return { type, sql }
  }
  if (operator === '%') {
    // DuckDB's own has the divisor's sign.
    const sides = [a.sql, b.sql].map((sql) => `CAST(${sql} AS DOUBLE)`)
    return { type, sql: `CAST(${session.native(doubleRemainder, sides)} AS ${duckDbType(type)})` }
  }
  return { type, sql: `CAST(${a.sql} ${operator} ${b.sql} AS ${duckDbType(type)})` }
}

function constantOf(operand: TypedExpression): { constant?: string } {
  return operand.constant === undefined ? {} : { constant: operand.constant }
}

/** A change of sign. */
export function negate(operand: TypedExpression, position: Position): TypedExpression {
  const { type } = operand
  if (type.kind === 'unknown') throw notSupported('arithmetic with an untyped NULL', position)
  const negatable = isNumeric(type) || type.kind.startsWith('interval')
  if (!negatable) throw typeMismatch(`Cannot negate ${typeText(type)}`, position)
  // 0 - x would lose the sign of zero.
  return {
    type,
    sql:
      isFloating(type) || isInteger(type)
        ? `(-${operand.sql})`
        : `CAST(-${operand.sql} AS ${duckDbType(type)})`,
  }
}
