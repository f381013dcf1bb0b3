const quarterHour = 900_000

/** Answers the offset from UTC, in milliseconds, that a time zone has at an instant. */
export type ZoneOffset = (epochMillis: number) => number

const offsets = new Map<string, ZoneOffset>()

/**
 * The offset of an IANA time zone, cached by the quarter hour. Some zones change their clocks within one, as St. John's
 * did at 00:01 until 2011: instants of such a quarter hour are asked one by one.
 */
export const zoneOffset = (timeZone: string | undefined): ZoneOffset => {
  if (timeZone === undefined || timeZone === 'UTC') return () => 0
  const known = offsets.get(timeZone)
  if (known) return known
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const ask = (epochMillis: number): number => {
    const parts: Record<string, string> = {}
    for (const { type, value } of format.formatToParts(epochMillis)) parts[type] = value
    const year = parts['era']?.startsWith('B') ? 1 - Number(parts['year']) : Number(parts['year'])
    const local = new Date(0)
    local.setUTCFullYear(year, Number(parts['month']) - 1, Number(parts['day']))
    local.setUTCHours(Number(parts['hour']), Number(parts['minute']), Number(parts['second']))
    return local.getTime() - Math.floor(epochMillis / 1000) * 1000
  }
  const cache = new Map<number, number>()
  const lookup: ZoneOffset = (epochMillis) => {
    const slot = Math.floor(epochMillis / quarterHour)
    let offset = cache.get(slot)
    if (offset === undefined) {
      if (cache.size > 10_000) cache.clear()
      const first = ask(slot * quarterHour)
      offset = first === ask((slot + 1) * quarterHour - 1) ? first : Number.NaN
      cache.set(slot, offset)
    }
    return Number.isNaN(offset) ? ask(epochMillis) : offset
  }
  offsets.set(timeZone, lookup)
  return lookup
}

const pad = (value: number, width = 2): string => String(value).padStart(width, '0')

/** Text of a calendar partition of an instant: `2024`, `2024-03`, `2024-03-08` or `2024-03-08-14`. */
export const calendarPartition = (
  transform: 'year' | 'month' | 'day' | 'hour',
  epochMillis: number,
  offset: ZoneOffset,
): string => {
  const local = new Date(epochMillis + offset(epochMillis))
  let text = pad(local.getUTCFullYear(), 4)
  if (transform === 'year') return text
  text += `-${pad(local.getUTCMonth() + 1)}`
  if (transform === 'month') return text
  text += `-${pad(local.getUTCDate())}`
  return transform === 'day' ? text : `${text}-${pad(local.getUTCHours())}`
}

/**
 * A length of time, in milliseconds, within which a calendar partition changes once at most: all instants of such a step
 * are in one if its first and its last millisecond are. They mostly are, as clocks show whole hours at a quarter hour.
 */
export const calendarStep = quarterHour
