import { calendarPartition, calendarStep, zoneOffset } from '@stockpipe/core'

/** Periods of event time of which a group holds one: calendar hours or days of a time zone. */
export interface EventTimeBoundary {
  readonly interval: 'hour' | 'day'
  /** IANA time zone. Default UTC. */
  readonly timeZone?: string
}

/**
 * Where the calendar hour or day that an instant lies in ends, in milliseconds since the epoch. A day of 25 hours is
 * one, and so is an hour that occurs twice.
 */
export const periodEnd = (epochMillis: number, { interval, timeZone }: EventTimeBoundary): number => {
  const offset = zoneOffset(timeZone)
  const period = calendarPartition(interval, epochMillis, offset)
  let end = (Math.floor(epochMillis / calendarStep) + 1) * calendarStep
  while (calendarPartition(interval, end, offset) === period) end += calendarStep
  return end
}
