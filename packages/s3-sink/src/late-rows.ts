import { ConfigurationError } from '@stockpipe/core'

/** What becomes of rows that come too late, checked. */
export interface LatePolicy {
  /** How much older than the watermark an event time may be, in milliseconds. */
  readonly allowedMillis: number
  readonly outcome: 'separate-prefix' | 'dead-letter'
}

const units: Readonly<Record<string, number>> = {
  ms: 1,
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
}

/** Milliseconds from a number of them, or from text such as `10 minutes`. Throws a `ConfigurationError`. */
export const durationMillis = (duration: string | number, name: string): number => {
  const match = /^(\d+(?:\.\d+)?)(?: ?(ms|second|minute|hour|day)s?)?$/.exec(String(duration))
  if (match) return Number(match[1]) * units[match[2] ?? 'ms']!
  throw new ConfigurationError({
    code: 'DURATION_INVALID',
    message: `${name} is a number of milliseconds, or text such as "10 minutes" (ms, seconds, minutes, hours, days), not "${duration}".`,
  })
}

const reasonStart = 'late: '

/** A pure function of the event time, the policy and the watermark at the group's start. */
export const lateReason = (eventTime: number, watermark: number, { allowedMillis }: LatePolicy): string =>
  `${reasonStart}the event time ${timeText(eventTime)} is more than ${allowedMillis} ms before the watermark ${timeText(watermark)}`

/** Whether a rejection says that a row came late, and nothing that is wrong with it. */
export const isLateReason = (reason: string): boolean => reason.startsWith(reasonStart)

const timeText = (epochMillis: number): string =>
  Math.abs(epochMillis) <= 8.64e15 ? new Date(epochMillis).toISOString() : String(epochMillis)
