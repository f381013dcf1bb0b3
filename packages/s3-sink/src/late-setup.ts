import { ConfigurationError } from '@stockpipe/core'
import { longestPathBytes } from './data-file-key.ts'
import { type EventTimes, eventTimesOf } from './event-time.ts'
import type { JournalKeys } from './journal-keys.ts'
import { durationMillis, type LatePolicy } from './late-rows.ts'
import type { SinkOptions } from './sink-options.ts'

/** What the options for late rows come to. */
export interface LateSetup {
  readonly late: LatePolicy | null
  /** Of the keys of late rows' files; empty where there are none. */
  readonly latePrefix: string
}

/** Throws a `ConfigurationError` for options that cannot be met. */
export const lateSetup = (
  options: SinkOptions,
  journal: JournalKeys,
  deadLettersPrefix: string,
): LateSetup => {
  const { name, topic, table, late = 'accept' } = options
  if (late === 'accept') return { late: null, latePrefix: '' }
  const refuse = (code: string, message: string): never => {
    throw new ConfigurationError({ code, message: `Sink ${name}: ${message}` })
  }
  const allowedMillis = Math.ceil(durationMillis(late.allowed, `Sink ${name}: late.allowed`))
  if (late.then !== 'separate-prefix' && late.then !== 'dead-letter')
    refuse('SINK_OPTION_INVALID', `late.then is "separate-prefix" or "dead-letter", not "${late.then}".`)
  eventTimesNeeded(options, 'late')
  const policy = { allowedMillis, outcome: late.then }
  if (late.then === 'dead-letter') {
    if (options.deadLetters?.onRejected === 'stop')
      refuse('SINK_OPTION_INVALID', 'late.then "dead-letter" needs deadLetters.onRejected "dead-letter".')
    return { late: policy, latePrefix: '' }
  }
  const location = late.location ?? `s3://${table.bucket}/_stockpipe/late/`
  const bucket = `s3://${table.bucket}/`
  if (!location.startsWith(bucket) || location === bucket || location.slice(bucket.length).includes('//'))
    refuse(
      'LATE_LOCATION_INVALID',
      `late rows go to "${bucket}prefix/", in the table's bucket, not "${location}".`,
    )
  const latePrefix = `${location.slice(bucket.length).replace(/\/?$/, '/')}${name}/`
  const inside = (other: string) => latePrefix.startsWith(other) || other.startsWith(latePrefix)
  if (inside(table.prefix) || (journal.bucket === table.bucket && inside(journal.root)))
    refuse(
      'LATE_LOCATION_INSIDE',
      `the late rows' ${location} lies inside the table or the journal, or they in it. Move it.`,
    )
  if (deadLettersPrefix !== '' && inside(deadLettersPrefix))
    refuse(
      'LATE_LOCATION_INSIDE',
      `the late rows' ${location} and the dead letters' s3://${table.bucket}/${deadLettersPrefix} lie inside each other. Move one of them.`,
    )
  if (
    longestPathBytes(latePrefix, topic.name) < longestPathBytes(table.prefix, topic.name) &&
    longestPathBytes(latePrefix, topic.name) < 64
  )
    refuse(
      'LOCATION_TOO_LONG',
      `the late rows' ${location} leaves no room for partition values. Use a shorter prefix.`,
    )
  return { late: policy, latePrefix }
}

/** The table's event times. Throws a `ConfigurationError` where it has none and an option needs them. */
export const eventTimesNeeded = (
  { name, table, eventTimeColumn }: SinkOptions,
  option: string,
): EventTimes => {
  const times = eventTimesOf(table.table, eventTimeColumn)
  if (times) return times
  throw new ConfigurationError({
    code: 'EVENT_TIME_MISSING',
    message: `Sink ${name}: ${option} needs event times, and table ${table.table.name} has no timestamp, epochNanos or date column.`,
  })
}
