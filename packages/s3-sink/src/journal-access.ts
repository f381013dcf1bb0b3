import type { S3Client } from '@aws-sdk/client-s3'
import { ConfigurationError, type ObjectStore, type Runtime, systemRuntime } from '@stockpipe/core'
import { JournalKeys } from './journal-keys.ts'
import { type SinkLogger, silentLogger } from './logger.ts'
import { givenObjectSettings, type ObjectSettings } from './object-settings.ts'
import { createS3ObjectStore } from './object-store.ts'
import type { RetryContext } from './retry.ts'
import type { SinkObjectStore } from './sink-object-store.ts'

/** Which journal a tool works on, and with what. */
export interface JournalAccessOptions extends ObjectSettings {
  /** `s3://bucket/journal/sink`; or `s3://bucket/journal` beside `sink`. */
  readonly journal: string
  readonly sink?: string
  /** A client of AWS SDK v3; or `store`. */
  readonly client?: S3Client
  readonly store?: ObjectStore
  /** The store of the table's bucket, when it is another one than `store`'s. */
  readonly tableStore?: ObjectStore
  readonly signal?: AbortSignal
  readonly runtime?: Runtime
  /** Default: silent. */
  readonly logger?: SinkLogger
}

/** A journal as a tool reaches it. */
export interface JournalAccess {
  readonly keys: JournalKeys
  /** The journal's own store. */
  readonly store: SinkObjectStore
  /** The store of the files in a bucket. */
  readonly files: (bucket: string) => SinkObjectStore
  readonly context: RetryContext
  readonly signal: AbortSignal | undefined
}

/** Throws a `ConfigurationError` when there is nothing to reach the journal with, or its address is none. */
export const journalAccess = (options: JournalAccessOptions): JournalAccess => {
  const { client, store, tableStore, signal, runtime = systemRuntime, logger = silentLogger } = options
  const keys = keysOf(options)
  const made = new Map<string, SinkObjectStore>()
  const ofBucket = (bucket: string, given: ObjectStore | undefined): SinkObjectStore => {
    if (given) return given
    const known = made.get(bucket)
    if (known) return known
    if (!client) {
      throw new ConfigurationError({
        code: 'JOURNAL_STORE_MISSING',
        message: `To reach the journal of ${keys.sink}, \`client\` (an S3Client) or \`store\` is needed.`,
      })
    }
    const store = createS3ObjectStore({ client, bucket, runtime, ...givenObjectSettings(options) })
    made.set(bucket, store)
    return store
  }
  return {
    keys,
    store: ofBucket(keys.bucket, store),
    files: (bucket) => ofBucket(bucket, tableStore ?? store),
    context: { runtime, logger },
    signal,
  }
}

const keysOf = ({ journal, sink }: JournalAccessOptions): JournalKeys => {
  if (sink !== undefined) return new JournalKeys(journal, sink)
  const whole = journal.replace(/\/$/, '')
  const at = whole.lastIndexOf('/')
  return new JournalKeys(whole.slice(0, at), whole.slice(at + 1))
}
