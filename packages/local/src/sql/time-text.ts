const microsPerDay = 86_400_000_000n

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor
  return value % divisor < 0n ? quotient - 1n : quotient
}

function padded(value: number | bigint, width: number): string {
  return value.toString().padStart(width, '0')
}

/** `2024-02-29` from days since 1970-01-01. */
export function dateText(days: number): string {
  const date = new Date(days * 86_400_000)
  const year = date.getUTCFullYear()
  const sign = year < 0 ? '-' : ''
  return `${sign}${padded(Math.abs(year), 4)}-${padded(date.getUTCMonth() + 1, 2)}-${padded(date.getUTCDate(), 2)}`
}

/** `01:02:03.120` from microseconds of a day, with `precision` digits of a second. */
export function timeText(micros: bigint, precision: number): string {
  const seconds = micros / 1_000_000n
  const clock = `${padded(seconds / 3600n, 2)}:${padded((seconds / 60n) % 60n, 2)}:${padded(seconds % 60n, 2)}`
  const fraction = padded(micros % 1_000_000n, 6).slice(0, precision)
  return precision === 0 ? clock : `${clock}.${fraction}`
}

/** `2024-02-29 01:02:03.120` from microseconds since 1970-01-01 00:00. */
export function timestampText(micros: bigint, precision: number): string {
  const days = floorDivide(micros, microsPerDay)
  return `${dateText(Number(days))} ${timeText(micros - days * microsPerDay, precision)}`
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** Microseconds to add to an instant for the wall clock of a zone: an IANA name, UTC, or `+05:30`. */
function zoneOffsetMicros(instantMicros: bigint, zone: string): bigint {
  if (zone === 'UTC') return 0n
  const fixed = /^([+-])(\d\d):(\d\d)$/.exec(zone)
  if (fixed !== null) {
    const minutes = BigInt(fixed[2]!) * 60n + BigInt(fixed[3]!)
    return (fixed[1] === '-' ? -minutes : minutes) * 60_000_000n
  }
  let format = formats.get(zone)
  if (format === undefined) {
    const field = 'numeric'
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: field,
      month: field,
      day: field,
      hour: field,
      minute: field,
      second: field,
    })
    formats.set(zone, format)
  }
  const seconds = floorDivide(instantMicros, 1_000_000n)
  const parts = new Map(format.formatToParts(Number(seconds) * 1000).map(({ type, value }) => [type, value]))
  const part = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name))
  const year = parts.get('era') === 'BC' ? 1 - part('year') : part('year')
  const wall = new Date(0)
  wall.setUTCFullYear(year, part('month') - 1, part('day'))
  wall.setUTCHours(part('hour'), part('minute'), part('second'))
  return (BigInt(wall.getTime()) / 1000n - seconds) * 1_000_000n
}

/** Whether the clocks of a zone ever show a time: in spring they leave out an hour. */
export function isShown(wallMicros: bigint, zone: string): boolean {
  return [-microsPerDay, microsPerDay].some((distance) => {
    const offset = zoneOffsetMicros(wallMicros + distance, zone)
    return zoneOffsetMicros(wallMicros - offset, zone) === offset
  })
}

/** `2024-11-03 01:30:00.000 America/New_York` from the instant. */
export function zonedTimestampText(instantMicros: bigint, precision: number, zone: string): string {
  return `${timestampText(instantMicros + zoneOffsetMicros(instantMicros, zone), precision)} ${zone}`
}

/** `2 00:00:00.000` from milliseconds. */
export function dayIntervalText(millis: bigint): string {
  const absolute = millis < 0n ? -millis : millis
  return `${millis < 0n ? '-' : ''}${absolute / 86_400_000n} ${timeText((absolute % 86_400_000n) * 1000n, 3)}`
}

/** `0-3` from months. */
export function monthIntervalText(months: number): string {
  const absolute = Math.abs(months)
  return `${months < 0 ? '-' : ''}${Math.floor(absolute / 12)}-${absolute % 12}`
}
