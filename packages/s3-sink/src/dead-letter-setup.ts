import { ConfigurationError } from '@stockpipe/core'
import { longestPathBytes } from './data-file-key.ts'
import type { JournalKeys } from './journal-keys.ts'
import type { RejectionPolicy } from './rejection-limit.ts'
import type { SinkOptions } from './sink-options.ts'

/** What the options for dead letters come to. Throws a `ConfigurationError` for those that cannot be met. */
export const deadLetterSetup = (
  { name, topic, table, deadLetters = {} }: SinkOptions,
  journal: JournalKeys,
): RejectionPolicy & { readonly prefix: string } => {
  const { onRejected = 'dead-letter', maxRejectedRatio = 0.5 } = deadLetters
  const location = deadLetters.location ?? `s3://${table.bucket}/_stockpipe/dead-letters/`
  const refuse = (code: string, message: string): never => {
    throw new ConfigurationError({ code, message: `Sink ${name}: ${message}` })
  }
  if (onRejected !== 'dead-letter' && onRejected !== 'stop') {
    refuse('SINK_OPTION_INVALID', `deadLetters.onRejected is "dead-letter" or "stop", not "${onRejected}".`)
  }
  if (!(maxRejectedRatio >= 0 && maxRejectedRatio <= 1)) {
    refuse('SINK_OPTION_INVALID', `deadLetters.maxRejectedRatio is from 0 to 1, not ${maxRejectedRatio}.`)
  }
  const policy = { onRejected, maxRejectedRatio }
  if (onRejected === 'stop') return { ...policy, prefix: '' }
  const bucket = `s3://${table.bucket}/`
  if (!/^s3:\/\/[^/]+\/[^/]/.test(location) || location.slice('s3://'.length).includes('//')) {
    refuse('DEAD_LETTERS_LOCATION_INVALID', `dead letters go to "s3://bucket/prefix/", not "${location}".`)
  }
  if (!location.startsWith(bucket)) {
    refuse(
      'DEAD_LETTERS_OTHER_BUCKET',
      `the dead letters' ${location} is not in ${bucket}: they are published with the rows, in the table's bucket.`,
    )
  }
  const prefix = `${location.slice(bucket.length).replace(/\/?$/, '/')}${name}/`
  if (prefix.startsWith(table.prefix) || table.prefix.startsWith(prefix)) {
    refuse(
      'DEAD_LETTERS_INSIDE_TABLE',
      `the dead letters' ${location} and the table's ${table.location} lie inside each other, and queries would read both. Move one of them, or set deadLetters.onRejected to "stop".`,
    )
  }
  if (
    journal.bucket === table.bucket &&
    (prefix.startsWith(journal.root) || journal.root.startsWith(prefix))
  ) {
    refuse(
      'DEAD_LETTERS_INSIDE_JOURNAL',
      `the dead letters' ${location} and the journal s3://${journal.bucket}/${journal.root} lie inside each other. Move one of them.`,
    )
  }
  if (longestPathBytes(prefix, topic.name) < 0) {
    refuse(
      'LOCATION_TOO_LONG',
      `the dead letters' ${location} leaves no room for a file's name. Use a shorter prefix.`,
    )
  }
  return { ...policy, prefix }
}
