import type { NativeFunction } from './native-function.ts'

/** Whole months from `start` to `end`; the last day of a shorter month completes one. */
export function monthsBetween(startMicros: bigint, endMicros: bigint): bigint {
  if (endMicros < startMicros) return -monthsBetween(endMicros, startMicros)
  const start = fields(startMicros)
  const end = fields(endMicros)
  const months = (end.year - start.year) * 12 + end.month - start.month
  const day = end.day === daysInMonth(end.year, end.month) ? Math.min(start.day, end.day) : start.day
  const complete = end.day > day || (end.day === day && end.microsOfDay >= start.microsOfDay)
  return BigInt(complete ? months : months - 1)
}

function fields(micros: bigint): { year: number; month: number; day: number; microsOfDay: bigint } {
  const microsPerDay = 86_400_000_000n
  const microsOfDay = ((micros % microsPerDay) + microsPerDay) % microsPerDay
  const date = new Date(Number((micros - microsOfDay) / 1000n))
  return { year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate(), microsOfDay }
}

function daysInMonth(year: number, month: number): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month + 1, 0)
  return date.getUTCDate()
}

/** The same clock so many months later, on the last day of a month that is too short. */
export function addMonths(micros: bigint, months: number): bigint {
  const { year, month, day, microsOfDay } = fields(micros)
  const target = year * 12 + month + months
  const [newYear, newMonth] = [Math.floor(target / 12), ((target % 12) + 12) % 12]
  const date = new Date(0)
  date.setUTCFullYear(newYear, newMonth, Math.min(day, daysInMonth(newYear, newMonth)))
  return BigInt(date.getTime()) * 1000n + microsOfDay
}

export const monthsDifference: NativeFunction = {
  name: 'months_difference',
  parameters: ['TIMESTAMP', 'TIMESTAMP'],
  returns: 'BIGINT',
  evaluate: monthsBetween,
}

/** from_unixtime: seconds to the nearest millisecond. */
export const fromUnixTime: NativeFunction = {
  name: 'from_unixtime',
  parameters: ['DOUBLE'],
  returns: 'TIMESTAMP',
  evaluate: (seconds: number) => BigInt(Math.round(seconds * 1000)) * 1000n,
}
