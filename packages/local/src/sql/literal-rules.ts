import type { AnalysisSession } from './analysis-session.ts'
import { cast, instantOf } from './cast-rules.ts'
import { FunctionFailure } from './decimal-arithmetic.ts'
import { zoneName } from './functions-datetime.ts'
import { parsedJson } from './functions-json.ts'
import { castFromText } from './native-casts.ts'
import { failure, notSupported } from './query-failure.ts'
import type { Expression, Position } from './syntax-tree.ts'
import { readTime, readTimestamp } from './time-parsing.ts'
import { dateText, isShown, timestampText, timeText } from './time-text.ts'
import {
  bigintType,
  boundedVarchar,
  decimalType,
  doubleType,
  integerType,
  timestampType,
  zonedTimestampType,
} from './trino-type.ts'
import { namedType } from './type-name.ts'
import { literal, type TypedExpression } from './typed-expression.ts'
import type { PlainValue } from './value-text.ts'

/** 7 is an integer, 7.5 decimal(2,1), 7e0 double. */
export function numberLiteral(node: Expression & { kind: 'number' }): TypedExpression {
  if (node.form === 'double') return literal(node.text, doubleType)
  if (node.form === 'decimal') return decimalLiteral(node.text, node.position)
  const value = BigInt(node.text)
  if (BigInt.asIntN(32, value) === value) return literal(value.toString(), integerType)
  if (BigInt.asIntN(64, value) === value) return literal(value.toString(), bigintType)
  throw failure('INVALID_LITERAL', `Invalid numeric literal: ${node.text}`, node.position)
}

/** Leading zeros are no digits: 0.50 is decimal(2,2). */
function decimalLiteral(text: string, position: Position): TypedExpression {
  const match = /^([+-]?)0*(\d*)(?:\.(\d*))?$/.exec(text.trim())
  if (match === null) throw failure('INVALID_LITERAL', `'${text}' is not a valid decimal literal`, position)
  const [, sign, whole, fraction = ''] = match
  const precision = Math.max(1, whole!.length + fraction.length)
  if (precision > 38)
    throw failure('NUMERIC_VALUE_OUT_OF_RANGE', `Decimal literal ${text} has more than 38 digits`, position)
  const digits = fraction === '' ? whole || '0' : `${whole || '0'}.${fraction}`
  return literal(`${sign === '-' ? '-' : ''}${digits}`, decimalType(precision, fraction.length))
}

/** DATE '...', TIMESTAMP '...', DECIMAL '...', and any other type before a string: a cast of it. */
export function typedLiteral(
  session: AnalysisSession,
  node: Expression & { kind: 'typed-literal' },
): TypedExpression {
  const { value, position } = node
  const name = node.typeName.toLowerCase()
  const invalid = (): Error =>
    failure('INVALID_LITERAL', `'${value}' is not a valid ${name} literal`, position)
  if (name === 'decimal') return decimalLiteral(value, position)
  if (name === 'timestamp') {
    const written = readTimestamp(value.trim())
    if (written === undefined) throw invalid()
    if (written.precision > 6) throw notSupported(`timestamp(${written.precision})`, position)
    const wall = literal(timestampText(written.micros, 6), timestampType(written.precision))
    if (written.zone === undefined) return wall
    const zone = zoneName(written.zone, position)
    if (!isShown(written.micros, zone)) throw invalid()
    return { type: zonedTimestampType(written.precision, zone), sql: instantOf(wall.sql, zone) }
  }
  if (name === 'time') {
    const written = readTime(value.trim())
    if (written === undefined) throw invalid()
    return literal(timeText(written.micros, 6), { kind: 'time', precision: written.precision })
  }
  const type = namedType(name, [])
  if (type === undefined) throw failure('TYPE_NOT_FOUND', `Unknown type: ${name}`, position)
  if (type.kind === 'unsupported') throw notSupported(`the type ${type.text}`, position)
  const text = literal(value, boundedVarchar([...value].length))
  if (type.kind === 'json') return parsedJson({ session }, text)
  const typed = cast(session, text, type, false, position)
  const read = castFromText(type)?.evaluate as ((text: string) => PlainValue) | undefined
  try {
    const known = read?.(value)
    return type.kind === 'date' && typeof known === 'number' ? literal(dateText(known), type) : typed
  } catch (error) {
    if (error instanceof FunctionFailure && error.errorName === 'INVALID_CAST_ARGUMENT') throw invalid()
    throw error
  }
}
