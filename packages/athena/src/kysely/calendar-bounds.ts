import { calendarPartition, calendarStep, type ZoneOffset, zoneOffset } from '@stockpipe/core'

type CalendarTransform = Parameters<typeof calendarPartition>[0]

const minute = 60_000
const hour = 3_600_000
/** No local time has ever been further from UTC. */
const furthestOffset = 16 * hour
/** After so long a later instant has a later local time, however clocks are set back meanwhile. */
const reach = 2 * furthestOffset
/** From here on clocks change at whole minutes; before, zones had offsets of seconds. */
const stepsFrom = 94_694_400_000

/** The partitions of the instants before and after each change of clocks between two instants, and of these. */
const partitionsAround = (
  transform: CalendarTransform,
  offset: ZoneOffset,
  from: number,
  to: number,
): readonly string[] => {
  const instants = [from, to]
  for (let step = Math.floor(from / calendarStep) * calendarStep; step <= to; step += calendarStep) {
    const isWithin = offset(step) !== offset(step + calendarStep - 1)
    for (let instant = step; instant < step + calendarStep; instant += minute) {
      if (offset(instant - 1) !== offset(instant)) instants.push(instant - 1, instant)
      if (!isWithin) break
    }
  }
  return instants
    .filter((instant) => instant >= from && instant <= to)
    .map((instant) => calendarPartition(transform, instant, offset))
    .sort()
}

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
  return isWritable(partitionsAround(transform, offset, epochMillis, epochMillis + reach)[0]!)
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
  return isWritable(partitionsAround(transform, offset, epochMillis - reach, epochMillis).at(-1)!)
}
