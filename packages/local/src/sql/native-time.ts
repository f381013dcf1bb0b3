import type { NativeFunction } from './native-function.ts'

/** Whole months from `start` to `end`; the last day of a shorter month completes one. */
function monthsBetween(startMicros: bigint, endMicros: bigint): bigint {
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
