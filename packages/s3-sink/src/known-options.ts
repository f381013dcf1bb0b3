import { ConfigurationError, nearestName } from '@stockpipe/core'
import type { EventTimeBoundary } from './event-boundary.ts'
import type { PushSinkOptions } from './push-sink-options.ts'
import type {
  DeadLetterOptions,
  LateOptions,
  RotationOptions,
  SinkOptions,
  WorkerOptions,
} from './sink-options.ts'

/** A name is known, or holds options whose names are. */
interface Names {
  readonly [name: string]: true | Names
}
type KnownNames<Options> = Readonly<Record<keyof Options, true | Names>>

const eventTime = { interval: true, timeZone: true } satisfies KnownNames<EventTimeBoundary>
const rotation = {
  rows: true,
  bytes: true,
  groupBytes: true,
  ageMillis: true,
  idleMillis: true,
  eventTime,
} satisfies KnownNames<RotationOptions>
// biome-ignore lint/suspicious/noThenProperty: the name of an option.
const late = { allowed: true, then: true, location: true } satisfies KnownNames<LateOptions>
const pushedDeadLetters = { onRejected: true, location: true, maxRejectedRatio: true } as const
const deadLetters = { ...pushedDeadLetters, publisher: true } satisfies KnownNames<DeadLetterOptions>

const workers = { count: true, entry: true, maxEncoderBytes: true } satisfies KnownNames<WorkerOptions>

const both = {
  name: true,
  topic: true,
  table: true,
  client: true,
  store: true,
  journalStore: true,
  journal: true,
  registrar: true,
  eventTimeColumn: true,
  late,
  transform: true,
  schemaRegistry: true,
  memory: true,
  uploadsAtOnce: true,
  partBytes: true,
  compression: true,
  sortBy: true,
  writer: true,
  runtime: true,
  logger: true,
  createEngine: true,
  serverSideEncryption: true,
  kmsKeyId: true,
  bucketKeyEnabled: true,
  storageClass: true,
  tags: true,
  journalTags: true,
  expectedBucketOwner: true,
} as const

const ofSink = {
  ...both,
  start: true,
  offsetForTimestamp: true,
  readAgain: true,
  cleaner: { everyMillis: true },
  retainEntriesMillis: true,
  rotation,
  deadLetters,
  cutsAtOnce: true,
  workers,
  compacted: true,
  onCommit: true,
} satisfies KnownNames<SinkOptions>

const ofPushSink = {
  ...both,
  genesis: true,
  rotation: { bytes: true },
  deadLetters: pushedDeadLetters,
} satisfies KnownNames<PushSinkOptions>

/**
 * Throws a `ConfigurationError` (`SINK_OPTION_UNKNOWN`) for an option `createSink` does not have: types do not tell of one
 * that was renamed or mistyped and comes in a variable.
 */
export const refuseUnknownSinkOptions = (options: SinkOptions): void =>
  refuseUnknown(options, ofSink, `Sink ${options.name}: createSink`)

/** The same of `createPushSink`. */
export const refuseUnknownPushOptions = (options: PushSinkOptions): void =>
  refuseUnknown(options, ofPushSink, `Sink ${options.name}: createPushSink`, ofSink)

const refuseUnknown = (
  options: object,
  known: Names,
  whose: string,
  elsewhere: Names = {},
  path = '',
): void => {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue
    const within = Object.hasOwn(known, name) ? known[name] : undefined
    const withinElsewhere = Object.hasOwn(elsewhere, name) ? elsewhere[name] : undefined
    if (within === undefined) {
      throw new ConfigurationError({
        code: 'SINK_OPTION_UNKNOWN',
        message: `${whose} has no option ${path}${name}${remedy(name, known, withinElsewhere !== undefined, path)}`,
        facts: { option: `${path}${name}` },
      })
    }
    if (within !== true && typeof value === 'object' && value !== null) {
      refuseUnknown(value, within, whose, withinElsewhere === true ? {} : withinElsewhere, `${path}${name}.`)
    }
  }
}

const remedy = (name: string, known: Names, isOfSink: boolean, path: string): string => {
  if (isOfSink) return ": it is createSink's, and says nothing where records are handed over. Leave it out."
  const near = nearestName(name, Object.keys(known))
  if (near !== undefined) return `. Did you mean ${path}${near}?`
  return `. It has ${Object.keys(known)
    .map((one) => `${path}${one}`)
    .join(', ')}.`
}
