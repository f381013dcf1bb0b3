import { ConfigurationError, type Runtime } from '@stockpipe/core'
import { longestPathBytes } from './data-file-key.ts'
import { deadLetterSetup } from './dead-letter-setup.ts'
import type { EngineOptions } from './engine-messages.ts'
import { type EventTimeBoundary, periodEnd } from './event-boundary.ts'
import { JournalKeys } from './journal-keys.ts'
import { journalLocation } from './journal-of-sink.ts'
import { eventTimesNeeded, type LateSetup, lateSetup } from './late-setup.ts'
import { silentLogger } from './logger.ts'
import { givenObjectSettings } from './object-settings.ts'
import { createS3ObjectStore } from './object-store.ts'
import { observedStore } from './observed-store.ts'
import { checkedRetention } from './prune.ts'
import type { RejectionPolicy } from './rejection-limit.ts'
import { registryMissing } from './schema-engine-host.ts'
import { SchemaLookup } from './schema-lookup.ts'
import type { SinkObjectStore } from './sink-object-store.ts'
import type { RotationOptions, SinkOptions } from './sink-options.ts'

const mebibyte = 1024 * 1024
const hourMillis = 3_600_000
/** UTF-8 bytes a partition path may take, where the location leaves as many. */
export const longestPath = 512

/** What the engine does not decide by itself. */
export type Rotation = Required<Omit<RotationOptions, 'eventTime'>>

/** What a sink's options come to, checked. */
export interface SinkSetup extends LateSetup {
  readonly keys: JournalKeys
  readonly tableStore: SinkObjectStore
  readonly journalStore: SinkObjectStore
  readonly rotation: Rotation
  readonly deadLetters: RejectionPolicy & { readonly prefix: string }
  readonly cutsAtOnce: number
  readonly uploadsAtOnce: number
  readonly engine: EngineOptions
  /** Where records name their schema in a registry. */
  readonly schemas: SchemaLookup | undefined
  readonly cleaner: { readonly everyMillis: number; readonly retainEntriesMillis: number } | undefined
}

/** Throws a `ConfigurationError` for options that do not fit together. */
export const setUpSink = (options: SinkOptions, runtime: Runtime): SinkSetup => {
  const { table, topic } = options
  if (topic.table.fingerprint !== table.table.fingerprint) {
    throw refusal(
      'SINK_TABLE_MISMATCH',
      `Sink ${options.name}: topic ${topic.name} carries rows of another table than ${table.table.name} at ${table.location}.`,
    )
  }
  const { value } = topic
  if (value.encoding === 'avro' && value.framing !== 'plain' && !options.schemaRegistry)
    throw registryMissing(topic.name)
  const journal = journalLocation(options)
  const keys = new JournalKeys(journal, options.name)
  if (keys.bucket === table.bucket && keys.root.startsWith(table.prefix)) {
    throw refusal(
      'JOURNAL_INSIDE_TABLE',
      `Sink ${options.name}: the journal ${journal} lies inside the table's location ${table.location}, where queries and crawlers read. Move one of them.`,
    )
  }
  if (options.writer !== undefined && !/^[\x21-\x7e]{1,100}$/.test(options.writer)) {
    throw refusal(
      'WRITER_NAME_INVALID',
      `Sink ${options.name}: a writer is named by up to 100 ASCII characters without spaces, not "${options.writer}".`,
    )
  }
  const pathBytes = longestPathBytes(table.prefix, topic.name)
  if (pathBytes < 64) {
    throw refusal(
      'LOCATION_TOO_LONG',
      `Sink ${options.name}: the location ${table.location} leaves ${pathBytes} bytes of a key for partition values. Use a shorter prefix.`,
    )
  }
  const observed = (store: SinkObjectStore, name: 'table' | 'journal') =>
    observedStore(store, { sink: options.name, store: name, runtime })
  const deadLetters = deadLetterSetup(options, keys)
  const late = lateSetup(options, keys, deadLetters.prefix)
  const boundary = eventTimeBoundary(options)
  const fileBytes = positive(options, 'rotation.bytes', options.rotation?.bytes ?? 128 * mebibyte)
  return {
    keys,
    tableStore: observed(storeOf(options, table.bucket, runtime), 'table'),
    journalStore: observed(journalStoreOf(options, keys.bucket, runtime), 'journal'),
    rotation: {
      rows: positive(options, 'rotation.rows', options.rotation?.rows ?? Number.POSITIVE_INFINITY),
      bytes: fileBytes,
      groupBytes: positive(options, 'rotation.groupBytes', options.rotation?.groupBytes ?? 4 * fileBytes),
      ageMillis: positive(options, 'rotation.ageMillis', options.rotation?.ageMillis ?? 300_000),
      idleMillis: positive(
        options,
        'rotation.idleMillis',
        options.rotation?.idleMillis ?? Number.POSITIVE_INFINITY,
      ),
    },
    deadLetters,
    schemas:
      options.schemaRegistry &&
      new SchemaLookup(options.schemaRegistry, {
        runtime,
        logger: options.logger ?? silentLogger,
        sink: options.name,
      }),
    late: late.late,
    latePrefix: late.latePrefix,
    cutsAtOnce: whole(options, 'cutsAtOnce', options.cutsAtOnce ?? 4),
    uploadsAtOnce: whole(options, 'uploadsAtOnce', options.uploadsAtOnce ?? 8),
    cleaner:
      options.cleaner === false
        ? undefined
        : {
            everyMillis: positive(options, 'cleaner.everyMillis', options.cleaner?.everyMillis ?? hourMillis),
            retainEntriesMillis: checkedRetention(options.retainEntriesMillis),
          },
    engine: {
      topic: topic.toJSON(),
      maxPathBytes: Math.min(
        longestPath,
        pathBytes,
        ...(late.latePrefix ? [longestPathBytes(late.latePrefix, topic.name)] : []),
      ),
      ...(boundary ? { eventTimeBoundary: boundary } : {}),
      ...(late.late ? { late: late.late } : {}),
      ...(options.eventTimeColumn === undefined ? {} : { eventTimeColumn: options.eventTimeColumn }),
      footerMetadata: { sink: options.name },
      ...(options.transform ? { transform: options.transform } : {}),
      fileBytes: Math.ceil(fileBytes),
      ...(options.partBytes === undefined ? {} : { partBytes: options.partBytes }),
      ...(options.compression === undefined ? {} : { compression: options.compression }),
      ...(options.sortBy === undefined ? {} : { sortBy: options.sortBy }),
    },
  }
}

const eventTimeBoundary = (options: SinkOptions): EventTimeBoundary | undefined => {
  const { eventTime } = options.rotation ?? {}
  if (eventTime === undefined) return undefined
  const boundary = typeof eventTime === 'string' ? { interval: eventTime } : eventTime
  if (boundary.interval !== 'hour' && boundary.interval !== 'day')
    throw refusal(
      'SINK_OPTION_INVALID',
      `Sink ${options.name}: rotation.eventTime is "hour" or "day", not "${String(boundary.interval)}".`,
    )
  const { column } = eventTimesNeeded(options, 'rotation.eventTime')
  try {
    // Dates are days in every zone.
    const { interval } = boundary
    if (column.type.kind === 'date') return { interval }
    periodEnd(0, boundary)
    return boundary
  } catch (cause) {
    throw new ConfigurationError({
      code: 'TIME_ZONE_UNKNOWN',
      message: `Sink ${options.name}: rotation.eventTime.timeZone is not an IANA time zone: "${boundary.timeZone}".`,
      cause,
    })
  }
}

const storeOf = (options: SinkOptions, bucket: string, runtime: Runtime): SinkObjectStore => {
  const settings = givenObjectSettings(options)
  if (options.store) {
    const given = Object.keys(settings)
    if (given.length === 0) return options.store
    throw refusal(
      'SINK_OPTION_INVALID',
      `Sink ${options.name}: ${given.join(', ')} cannot be told to a \`store\` of your own; give them to it when it is made, or a \`client\` here.`,
    )
  }
  if (options.client) return createS3ObjectStore({ client: options.client, bucket, runtime, ...settings })
  throw refusal('SINK_STORE_MISSING', `Sink ${options.name} needs \`client\` (an S3Client) or \`store\`.`)
}

const journalStoreOf = (options: SinkOptions, bucket: string, runtime: Runtime): SinkObjectStore => {
  if (options.journalStore) return options.journalStore
  if (options.store && bucket !== options.table.bucket) {
    throw refusal(
      'SINK_STORE_MISSING',
      `Sink ${options.name} keeps its journal in bucket ${bucket} and needs \`journalStore\` for it.`,
    )
  }
  return storeOf(options, bucket, runtime)
}

const positive = (options: SinkOptions, name: string, value: number): number => {
  if (value > 0) return value
  throw refusal('SINK_OPTION_INVALID', `Sink ${options.name}: ${name} is a number above 0, not ${value}.`)
}

const whole = (options: SinkOptions, name: string, value: number): number => {
  if (Number.isInteger(value) && value > 0) return value
  throw refusal(
    'SINK_OPTION_INVALID',
    `Sink ${options.name}: ${name} is a whole number above 0, not ${value}.`,
  )
}

const refusal = (code: string, message: string): ConfigurationError =>
  new ConfigurationError({ code, message })
