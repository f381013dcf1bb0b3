import { calendarPartition, calendarStep, zoneOffset } from '@stockpipe/core'

type CalendarTransform = Parameters<typeof calendarPartition>[0]

const hour = 3_600_000
/** No local time has ever been further from UTC. */
const furthestOffset = 16 * hour
/** After so long a later instant has a later local time, however clocks are set back meanwhile. */
const reach = 2 * furthestOffset
/** From here on `zoneOffset` is constant within a calendar step; before, zones had offsets of minutes and seconds. */
const stepsFrom = 94_694_400_000

const isWritable = (text: string): string | undefined => (/^\d{4}(?:-|$)/.test(text) ? text : undefined)

/**
 * The least partition that an instant at or after `epochMillis` can be in. Local clocks are set back, at times over
 * midnight, so it is not always that of the instant itself. Undefined for years that sort otherwise than they follow.
 */
export const earliestPartition = (
  transform: CalendarTransform,
  timeZone: string | undefined,
  epochMillis: number,
): string | undefined => {
  const offset = zoneOffset(timeZone)
  if (timeZone === undefined || timeZone === 'UTC') {
    return isWritable(calendarPartition(transform, epochMillis, offset))
  }
  if (epochMillis < stepsFrom) {
    return isWritable(calendarPartition(transform, epochMillis - furthestOffset, () => 0))
  }
  let least = calendarPartition(transform, epochMillis, offset)
  const first = (Math.floor(epochMillis / calendarStep) + 1) * calendarStep
  for (let instant = first; instant <= epochMillis + reach; instant += calendarStep) {
    const text = calendarPartition(transform, instant, offset)
    if (text < least) least = text
  }
  return isWritable(least)
}

/** The greatest partition that an instant at or before `epochMillis` can be in. */
export const latestPartition = (
  transform: CalendarTransform,
  timeZone: string | undefined,
  epochMillis: number,
): string | undefined => {
  const offset = zoneOffset(timeZone)
  if (timeZone === undefined || timeZone === 'UTC') {
    return isWritable(calendarPartition(transform, epochMillis, offset))
  }
  if (epochMillis - reach < stepsFrom) {
    return isWritable(calendarPartition(transform, epochMillis + furthestOffset, () => 0))
  }
  let greatest = calendarPartition(transform, epochMillis, offset)
  const last = Math.floor(epochMillis / calendarStep) * calendarStep - 1
  for (let instant = last; instant >= epochMillis - reach; instant -= calendarStep) {
    const text = calendarPartition(transform, instant, offset)
    if (text > greatest) greatest = text
  }
  return isWritable(greatest)
}
