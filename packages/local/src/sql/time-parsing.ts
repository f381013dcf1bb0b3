import { divideHalfUp, FunctionFailure, powerOfTen } from './decimal-arithmetic.ts'

/** Days since 1970-01-01, undefined for a day that is not in the calendar. */
export function daysOf(year: number, month: number, day: number): number | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
    ? date.getTime() / 86_400_000
    : undefined
}

/** Three numbers with dashes may be a date to Trino that this engine does not know: years of other lengths, with a sign. */
function isNearMiss(text: string): boolean {
  return /^\s*[+-]?\d+-\d+-\d+(?:\s.*)?$/s.test(text) && !/[\u00a0\u2007\u202f\ufeff]/.test(text)
}

/** Java's strip: spaces that do not break stay. */
function trimSpace(text: string): string {
  return text.replace(/^[^\S\u00a0\u2007\u202f\ufeff]+|[^\S\u00a0\u2007\u202f\ufeff]+$/g, '')
}

function unknownForm(text: string): FunctionFailure {
  return new FunctionFailure('NOT_SUPPORTED', `The embedded Athena does not read the date or time '${text}'`)
}

/** Trino's cast of varchar to date, in days; `invalid` makes the error. */
export function parseDate(text: string, invalid: () => Error): number {
  const match = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(trimSpace(text))
  if (match === null) throw isNearMiss(text) ? unknownForm(text) : invalid()
  const days = daysOf(Number(match[1]), Number(match[2]), Number(match[3]))
  if (days === undefined) throw invalid()
  return days
}

/** A date and time as written, in microseconds, with the digits of its fraction and its zone. */
export interface WrittenTimestamp {
  readonly micros: bigint
  readonly precision: number
  readonly zone?: string
}

const timestampPattern =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?: (?:(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,12}))?)?)?\s*([A-Za-z+-].*)?)?$/

/** Reads a timestamp literal; undefined where it is none. Fractions beyond microseconds are cut by the caller's check. */
export function readTimestamp(text: string): WrittenTimestamp | undefined {
  const match = timestampPattern.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0))
  const days = daysOf(year!, month!, day!)
  if (days === undefined || hour! > 23 || minute! > 59 || second! > 59) return undefined
  const fraction = match[7] ?? ''
  const seconds = BigInt(days) * 86_400n + BigInt(hour! * 3600 + minute! * 60 + second!)
  const micros = seconds * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'))
  return { micros, precision: fraction.length, ...(match[8] !== undefined && { zone: match[8] }) }
}

/** Rounds microseconds half up to `precision` digits of a second. */
export function roundMicros(micros: bigint, precision: number): bigint {
  const step = powerOfTen(6 - precision)
  const floored = micros - (((micros % step) + step) % step)
  return floored + divideHalfUp(micros - floored, step) * step
}

/** Trino's cast of varchar to timestamp, in microseconds; `invalid` makes the error. */
export function parseTimestamp(text: string, precision: number, invalid: () => Error): bigint {
  const written = readTimestamp(trimSpace(text))
  if (written === undefined) throw isNearMiss(text) ? unknownForm(text) : invalid()
  if (written.zone !== undefined || written.precision > 6) throw unknownForm(text)
  return roundMicros(written.micros, precision)
}

/** A time of day as written, in microseconds. */
export function readTime(text: string): { micros: bigint; precision: number } | undefined {
  const match = /^(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6}))?)?$/.exec(text)
  if (match === null) return undefined
  const [hour, minute, second] = match.slice(1, 4).map((part) => Number(part ?? 0))
  if (hour! > 23 || minute! > 59 || second! > 59) return undefined
  const fraction = match[4] ?? ''
  const seconds = BigInt(hour! * 3600 + minute! * 60 + second!)
  return { micros: seconds * 1_000_000n + BigInt(fraction.padEnd(6, '0')), precision: fraction.length }
}
