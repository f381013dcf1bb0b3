const millisPerDay = 86_400_000

/** Year 0001 and year 9999 end, in milliseconds: what Athena's date and timestamp hold. */
export const earliestMillis = -62_135_596_800_000n
export const latestMillis = 253_402_300_799_999n

const datePattern = /^(\d{4})-(\d{2})-(\d{2})$/

/** Days since the epoch of a proleptic Gregorian `YYYY-MM-DD`, year 0001 to 9999; undefined for anything else. */
export const parseDate = (text: string): number | undefined => {
  const match = datePattern.exec(text)
  if (!match) return undefined
  return daysOf(Number(match[1]), Number(match[2]), Number(match[3]))
}

const daysOf = (year: number, month: number, day: number): number | undefined => {
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
    ? date.getTime() / millisPerDay
    : undefined
}

/** `YYYY-MM-DD` of days since the epoch. */
export const formatDate = (days: number): string => new Date(days * millisPerDay).toISOString().slice(0, 10)

const instantPattern =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|z|[+-]\d{2}:?\d{2})?$/

/**
 * Nanoseconds since the epoch of an ISO 8601 date and time; undefined for anything else.
 * A text without an offset is read as UTC.
 */
export const parseInstantNanos = (text: string): bigint | undefined => {
  const match = instantPattern.exec(text)
  if (!match) return undefined
  const days = daysOf(Number(match[1]), Number(match[2]), Number(match[3]))
  const hour = Number(match[4])
  const minute = Number(match[5])
  const second = Number(match[6] ?? 0)
  if (days === undefined || hour > 23 || minute > 59 || second > 59) return undefined
  const offset = offsetMinutes(match[8])
  if (offset === undefined) return undefined
  const seconds = days * 86_400 + (hour * 60 + minute - offset) * 60 + second
  return BigInt(seconds) * 1_000_000_000n + BigInt((match[7] ?? '').padEnd(9, '0'))
}

const offsetMinutes = (text: string | undefined): number | undefined => {
  if (text === undefined || text === 'Z' || text === 'z') return 0
  const hours = Number(text.slice(1, 3))
  const minutes = Number(text.slice(-2))
  if (hours > 18 || minutes > 59) return undefined
  return (text[0] === '-' ? -1 : 1) * (hours * 60 + minutes)
}
