import type { AnalysisSession } from './analysis-session.ts'
import { asTimestamp, cast, instantOf, wallClock } from './cast-rules.ts'
import {
  type AnalyzedCall,
  constantText,
  type FunctionRule,
  noSuchOverload,
  takeArguments,
} from './function-call.ts'
import { fromUnixTime, monthsDifference } from './native-time.ts'
import { failure, notSupported } from './query-failure.ts'
import type { Position } from './syntax-tree.ts'
import { dateText, timestampText } from './time-text.ts'
import {
  bigintType,
  dateType,
  doubleType,
  isInteger,
  type TrinoType,
  timestampType,
  varcharType,
  zonedTimestampType,
} from './trino-type.ts'
import { failing, literal, type TypedExpression } from './typed-expression.ts'

const dateUnits = ['day', 'week', 'month', 'quarter', 'year']
const timeUnits = ['millisecond', 'second', 'minute', 'hour']

function unitOf(call: AnalyzedCall, units: readonly string[]): string {
  const unit = constantText(call, call.arguments[0], 'a unit').toLowerCase()
  if (!units.includes(unit)) {
    throw failure('INVALID_FUNCTION_ARGUMENT', `'${unit}' is not a valid unit here`, call.position)
  }
  return unit
}

const dateTrunc: FunctionRule = (call) => {
  const [, value] = takeArguments(call, [varcharType, 'datetime'])
  const { type, sql } = value!
  if (type.kind === 'date') {
    return { type, sql: `CAST(date_trunc('${unitOf(call, dateUnits)}', CAST(${sql} AS TIMESTAMP)) AS DATE)` }
  }
  const unit = unitOf(call, [...dateUnits, ...timeUnits])
  if (type.kind !== 'timestamp with time zone' || type.zone === 'UTC') {
    return { type, sql: `date_trunc('${unit}', ${sql})` }
  }
  const wall = wallClock(value!)
  // Below a day the offset of the moment stays: an hour that comes twice must not move.
  const truncated = timeUnits.includes(unit)
    ? `(date_trunc('${unit}', ${wall}) - (${wall} - ${sql}))`
    : instantOf(`date_trunc('${unit}', ${wall})`, type.zone)
  return { type, sql: truncated }
}

function field(sql: (value: string) => string, ofDate: boolean): FunctionRule {
  return (call) => {
    const [value] = call.arguments
    const kind = value?.type.kind
    const hasClock =
      kind === 'timestamp' || kind === 'timestamp with time zone' || (kind === 'time' && !ofDate)
    if (call.arguments.length !== 1 || !(hasClock || (kind === 'date' && ofDate))) throw noSuchOverload(call)
    return { type: bigintType, sql: `CAST(${sql(wallClock(value!))} AS BIGINT)` }
  }
}

const dateField = (name: string): FunctionRule => field((value) => `${name}(${value})`, true)
const clockField = (name: string): FunctionRule => field((value) => `${name}(${value})`, false)

const intervalOf: Readonly<Record<string, (count: string) => string>> = {
  millisecond: (count) => `to_milliseconds(${count})`,
  second: (count) => `to_milliseconds(${count} * 1000)`,
  minute: (count) => `to_milliseconds(${count} * 60000)`,
  hour: (count) => `to_milliseconds(${count} * 3600000)`,
  day: (count) => `to_days(CAST(${count} AS INTEGER))`,
  week: (count) => `to_days(CAST(${count} * 7 AS INTEGER))`,
  month: (count) => `to_months(CAST(${count} AS INTEGER))`,
  quarter: (count) => `to_months(CAST(${count} * 3 AS INTEGER))`,
  year: (count) => `to_months(CAST(${count} * 12 AS INTEGER))`,
}

/** A number of units as Trino takes it: it fails beyond 32 bits, whatever the unit. */
function unitCount(call: AnalyzedCall, count: TypedExpression): string {
  const given = call.arguments[1]!.type
  if (isInteger(given) && given.kind !== 'bigint') return count.sql
  const overflow = failing(call.session, 'INVALID_FUNCTION_ARGUMENT', 'integer overflow', bigintType)
  return `(CASE WHEN ${count.sql} NOT BETWEEN -2147483648 AND 2147483647 THEN ${overflow} ELSE ${count.sql} END)`
}

const dateAdd: FunctionRule = (call) => {
  const [, given, value] = takeArguments(call, [varcharType, bigintType, 'datetime'])
  const { type, sql } = value!
  const count = unitCount(call, given!)
  if (type.kind === 'date') {
    return { type, sql: `CAST(${sql} + ${intervalOf[unitOf(call, dateUnits)]!(count)} AS DATE)` }
  }
  const unit = unitOf(call, [...dateUnits, ...timeUnits])
  const { precision } = type as TrinoType & { kind: 'timestamp' }
  if (unit === 'millisecond' && precision < 3)
    throw notSupported(`date_add('millisecond', ...) of timestamp(${precision})`, call.position)
  if (type.kind === 'timestamp with time zone' && type.zone !== 'UTC' && dateUnits.includes(unit)) {
    throw notSupported(`date_add('${unit}', ...) in the zone ${type.zone}`, call.position)
  }
  return { type, sql: `(${sql} + ${intervalOf[unit]!(count)})` }
}

const microsecondsPerUnit: Readonly<Record<string, bigint>> = {
  millisecond: 1000n,
  second: 1_000_000n,
  minute: 60_000_000n,
  hour: 3_600_000_000n,
  day: 86_400_000_000n,
  week: 604_800_000_000n,
}

const dateDiff: FunctionRule = (call) => {
  const [, start, end] = takeArguments(call, [varcharType, 'datetime', 'datetime'])
  const dates = start!.type.kind === 'date' && end!.type.kind === 'date'
  const unit = unitOf(call, dates ? dateUnits : [...dateUnits, ...timeUnits])
  const zoned = [start!, end!].some(
    ({ type }) => type.kind === 'timestamp with time zone' && type.zone !== 'UTC',
  )
  if (zoned && dateUnits.includes(unit))
    throw notSupported(`date_diff('${unit}', ...) in another zone than UTC`, call.position)
  const [from, to] = [start!, end!].map((side) => {
    const timestamp = side.type.kind === 'timestamp with time zone' ? side : asTimestamp(side)!
    if ((timestamp.type as TrinoType & { kind: 'timestamp' }).precision > 3) throw noSuchOverload(call)
    return timestamp.sql
  })
  const micros = microsecondsPerUnit[unit]
  if (micros !== undefined) {
    return { type: bigintType, sql: `((epoch_us(${to}) - epoch_us(${from})) // ${micros})` }
  }
  const months = call.session.native(monthsDifference, [from!, to!])
  const perUnit = unit === 'month' ? 1 : unit === 'quarter' ? 3 : 12
  return { type: bigintType, sql: `(${months} // ${perUnit})` }
}

/** A zone by name, checked against the runtime's time zone database. */
export function zoneName(text: string, position: Position): string {
  if (/^(UTC|GMT|Z|UT)$/i.test(text) || /^[+-]00:?00$/.test(text)) return 'UTC'
  const fixed = /^[+-](\d\d):(\d\d)$/.exec(text)
  if (fixed !== null) {
    if (Number(fixed[2]) < 60 && Number(fixed[1]) * 60 + Number(fixed[2]) <= 14 * 60) return text
    throw failure('INVALID_FUNCTION_ARGUMENT', `'${text}' is not a valid time zone`, position)
  }
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: text })
  } catch {
    throw failure('INVALID_FUNCTION_ARGUMENT', `Time zone not supported: ${text}`, position)
  }
  if (!/^[A-Z][A-Za-z]+\/[A-Za-z_/]+$/.test(text)) throw notSupported(`the time zone ${text}`, position)
  return text
}

/** AT TIME ZONE and at_timezone: the same instant seen from another zone. */
export function atTimeZone(value: TypedExpression, zone: string, position: Position): TypedExpression {
  const { type, sql } = value
  if (type.kind === 'timestamp with time zone' || type.kind === 'timestamp') {
    return { type: zonedTimestampType(type.precision, zone), sql }
  }
  throw notSupported(`AT TIME ZONE of ${type.kind}`, position)
}

const atTimezone: FunctionRule = (call) => {
  const [value, zone] = takeArguments(call, ['datetime', varcharType])
  return atTimeZone(value!, zoneName(constantText(call, zone, 'a zone'), call.position), call.position)
}

const withTimezone: FunctionRule = (call) => {
  const [value, zone] = takeArguments(call, ['timestamp', varcharType])
  const name = zoneName(constantText(call, zone, 'a zone'), call.position)
  const { precision } = value!.type as TrinoType & { kind: 'timestamp' }
  return { type: zonedTimestampType(precision, name), sql: instantOf(value!.sql, name) }
}

const fromUnixtime: FunctionRule = (call) => {
  const [seconds, zone] = takeArguments(call, [doubleType, varcharType], 1)
  const name = zone === undefined ? 'UTC' : zoneName(constantText(call, zone, 'a zone'), call.position)
  return { type: zonedTimestampType(3, name), sql: call.session.native(fromUnixTime, [seconds!.sql]) }
}

const toUnixtime: FunctionRule = (call) => {
  const [value] = takeArguments(call, ['datetime'])
  const timestamp = asTimestamp(value!) ?? value!
  return { type: doubleType, sql: `(CAST(epoch_us(${timestamp.sql}) AS DOUBLE) / CAST('1000000' AS DOUBLE))` }
}

const toDate: FunctionRule = (call) => {
  if (call.arguments.length !== 1) throw noSuchOverload(call)
  return cast(call.session, call.arguments[0]!, dateType, false, call.position)
}

function now(session: AnalysisSession, type: TrinoType): TypedExpression {
  return literal(timestampText(BigInt(session.startMillis) * 1000n, 3), type)
}

function clock(answer: (session: AnalysisSession) => TypedExpression): FunctionRule {
  return (call) => {
    takeArguments(call, [])
    return answer(call.session)
  }
}

const currentTimestamp = clock((session) => now(session, zonedTimestampType(3, 'UTC')))

export const datetimeFunctions: Readonly<Record<string, FunctionRule>> = {
  date_trunc: dateTrunc,
  date_add: dateAdd,
  date_diff: dateDiff,
  year: dateField('year'),
  quarter: dateField('quarter'),
  month: dateField('month'),
  week: dateField('week'),
  week_of_year: dateField('week'),
  day: dateField('day'),
  day_of_month: dateField('day'),
  day_of_week: dateField('isodow'),
  dow: dateField('isodow'),
  day_of_year: dateField('dayofyear'),
  doy: dateField('dayofyear'),
  year_of_week: dateField('isoyear'),
  yow: dateField('isoyear'),
  hour: clockField('hour'),
  minute: clockField('minute'),
  second: clockField('second'),
  millisecond: field((value) => `millisecond(${value}) % 1000`, false),
  last_day_of_month: (call) => {
    const [value] = takeArguments(call, ['datetime'])
    return { type: dateType, sql: `last_day(CAST(${wallClock(value!)} AS DATE))` }
  },
  date: toDate,
  from_unixtime: fromUnixtime,
  to_unixtime: toUnixtime,
  at_timezone: atTimezone,
  with_timezone: withTimezone,
  now: currentTimestamp,
  current_timestamp: currentTimestamp,
  localtimestamp: clock((session) => now(session, timestampType(3))),
  current_date: clock((session) => literal(dateText(Math.floor(session.startMillis / 86_400_000)), dateType)),
}
