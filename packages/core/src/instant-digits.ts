/** The instant that `scanInstant` read last: whole seconds since the epoch, and nanoseconds from 0 to 999,999,999. */
export const instant = { seconds: 0, nanos: 0 }

/** The days since the epoch that `scanDate` read last. */
export const date = { days: 0 }

const daysInMonth = Uint8Array.of(0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

const last = { key: -1, days: 0 }

/** Days since the epoch of a proleptic Gregorian date; only for dates that are. */
const daysOf = (year: number, month: number, day: number): number => {
  const key = (year * 16 + month) * 32 + day
  if (key === last.key) return last.days
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const days =
    era * 146_097 + yearOfEra * 365 + (yearOfEra >> 2) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  last.key = key
  last.days = days
  return days
}

/** Two digits as a number; far above all that a date takes when they are none. */
const two = (bytes: Uint8Array, at: number): number => {
  const tens = bytes[at]! - 48
  const ones = bytes[at + 1]! - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : 1_000_000
}

/** Reads `YYYY-MM-DD`, year 0001 to 9999, at `start`: where it ends, or -1. */
export const scanDate = (bytes: Uint8Array, start: number): number => {
  const year = two(bytes, start) * 100 + two(bytes, start + 2)
  const month = two(bytes, start + 5)
  const day = two(bytes, start + 8)
  if (bytes[start + 4] !== 45 || bytes[start + 7] !== 45) return -1
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1) return -1
  if (day > daysInMonth[month]!) {
    const leap = (year & 3) === 0 && (year % 100 !== 0 || year % 400 === 0)
    if (month !== 2 || day !== 29 || !leap) return -1
  }
  date.days = daysOf(year, month, day)
  return start + 10
}

/**
 * Reads an ISO 8601 date and time such as `2024-03-08T14:30:00.123456789+01:00` at `start`: where it ends, or -1. What
 * `parseInstantNanos` takes beside it (no seconds, offsets without a colon) is left to that.
 */
export const scanInstant = (bytes: Uint8Array, start: number): number => {
  if (scanDate(bytes, start) < 0) return -1
  const separator = bytes[start + 10]
  if (separator !== 84 && separator !== 32 && separator !== 116) return -1
  const hour = two(bytes, start + 11)
  const minute = two(bytes, start + 14)
  const second = two(bytes, start + 17)
  if (bytes[start + 13] !== 58 || bytes[start + 16] !== 58) return -1
  if (hour > 23 || minute > 59 || second > 59) return -1
  let seconds = date.days * 86_400 + hour * 3600 + minute * 60 + second
  let nanos = 0
  let at = start + 19
  let byte = bytes[at]!
  if (byte === 46) {
    let scale = 100_000_000
    byte = bytes[++at]!
    const first = at
    while (byte >= 48 && byte <= 57) {
      if (at - first === 9) return -1
      nanos += (byte - 48) * scale
      scale /= 10
      byte = bytes[++at]!
    }
    if (at === first) return -1
  }
  if (byte === 90 || byte === 122) at += 1
  else if (byte === 43 || byte === 45) {
    const hours = two(bytes, at + 1)
    const minutes = two(bytes, at + 4)
    if (bytes[at + 3] !== 58 || hours > 18 || minutes > 59) return -1
    seconds += (byte === 43 ? -60 : 60) * (hours * 60 + minutes)
    at += 6
  }
  instant.seconds = seconds
  instant.nanos = nanos
  return at
}
