import type { TableJSON, TopicPartition, ValueEncoding } from '@stockpipe/core'
import { isClaimId } from './claim-id.ts'
import { JsonFields, journalBytes } from './json-fields.ts'
import type { LatePolicy } from './late-rows.ts'

const format = 'stockpipe-journal-entry'
const formatVersion = 1

export interface EntryPart {
  readonly partNumber: number
  readonly etag: string
  readonly size: number
}

/** A staged file: everything that is needed to publish it. */
export interface EntryFile {
  /** `late`: rows that came too late, outside the table's location. */
  readonly kind: 'data' | 'late' | 'dead-letters'
  readonly key: string
  readonly uploadId: string
  readonly parts: readonly EntryPart[]
  /** In the order of the table's partitions; null for the default partition. */
  readonly partitionValues: readonly (string | null)[]
  readonly rows: number
  readonly bytes: number
  readonly firstOffset: bigint
  readonly lastOffset: bigint
  /** Milliseconds since the epoch; null when the table has no event time. */
  readonly minEventTime: number | null
  readonly maxEventTime: number | null
}

/** The last record at or before a group's end: tells whether the log is still the same one. */
export interface LastRecord {
  readonly offset: bigint
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  /** CRC-32C of the value's bytes, 8 hex digits; of no bytes for a null value. */
  readonly crc32c: string
  /** Of the leader that wrote it; null where record blocks carry none, as where messages are read. */
  readonly leaderEpoch: number | null
}

/** Offsets of a group at which there was no record (compaction, transaction markers). */
export interface Holes {
  /** How many offsets. */
  readonly offsets: bigint
  /** The first of the runs `[from, to)`. */
  readonly ranges: readonly { readonly from: bigint; readonly to: bigint }[]
  /** True when there are more runs than listed. */
  readonly truncated: boolean
}

export interface EntryCounts {
  readonly records: number
  readonly rows: number
  readonly deadLetters: number
  readonly skipped: number
}

/** What the files of a group belong to. */
export interface EntryTable {
  readonly name: string
  readonly database: string
  readonly location: string
  readonly bucket: string
  readonly fingerprint: string
  readonly definition: TableJSON
  /** How the values of the records become rows. */
  readonly encoding: ValueEncoding
}

/** One flush group: the commit point of the sink, and all that a successor needs to finish it. */
export interface JournalEntry extends TopicPartition {
  readonly sink: string
  readonly writer: string
  readonly claimId: string
  /** ISO 8601: when the bytes were made. */
  readonly createdAt: string
  /** What cut the group: a `CutReason`, or `reset`. */
  readonly cutBy: string
  readonly genesisStart: bigint
  /** Null for the first group of the chain. */
  readonly previousStart: bigint | null
  readonly start: bigint
  readonly next: bigint
  readonly table: EntryTable
  /** The greatest event time of the data files of all groups before, milliseconds since the epoch; null without any. */
  readonly watermark: number | null
  /** What became of rows that were later than that; null where they are rows like any other. */
  readonly late: LatePolicy | null
  readonly counts: EntryCounts
  readonly holes: Holes
  readonly lastRecord: LastRecord | null
  readonly files: readonly EntryFile[]
}

/** The bytes of an entry: made once, sent unchanged. */
export const writeEntry = (entry: JournalEntry): Uint8Array =>
  journalBytes({ format, formatVersion, ...entry })

/** Throws a `JournalFormatError` when the bytes are not the entry that its key says. */
export const readEntry = (
  bytes: Uint8Array,
  key: string,
  expected: { readonly sink: string; readonly log: TopicPartition; readonly start: bigint },
): JournalEntry => {
  const fields = JsonFields.read(bytes, key, format, formatVersion)
  const entry: JournalEntry = {
    sink: fields.text('sink'),
    writer: fields.text('writer'),
    claimId: fields.text('claimId'),
    createdAt: fields.text('createdAt'),
    cutBy: fields.text('cutBy'),
    topic: fields.text('topic'),
    partition: fields.count('partition'),
    genesisStart: fields.offset('genesisStart'),
    previousStart: fields.offsetOrNull('previousStart'),
    start: fields.offset('start'),
    next: fields.offset('next'),
    table: readTable(fields.object('table')),
    watermark: fields.numberOrNull('watermark'),
    late: readLate(fields),
    counts: readCounts(fields.object('counts')),
    holes: readHoles(fields.object('holes')),
    lastRecord: readLastRecord(fields.objectOrNull('lastRecord')),
    files: fields.objects('files').map(readFile),
  }
  const { counts, log } = { counts: entry.counts, log: expected.log }
  fields.demand(
    entry.sink === expected.sink && entry.topic === log.topic && entry.partition === log.partition,
    `it is an entry of ${entry.sink} ${entry.topic}-${entry.partition}`,
  )
  fields.demand(entry.start === expected.start, `its start is ${entry.start}, its key says ${expected.start}`)
  fields.demand(isClaimId(entry.claimId), 'claimId is 32 hex digits')
  fields.demand(entry.start < entry.next, `start ${entry.start} is below next ${entry.next}`)
  fields.demand(entry.genesisStart <= entry.start, 'genesisStart is not above start')
  fields.demand(
    entry.previousStart === null ? entry.start === entry.genesisStart : entry.previousStart < entry.start,
    'previousStart is below start, and null only at genesis',
  )
  fields.demand(
    BigInt(counts.records) + entry.holes.offsets === entry.next - entry.start,
    'records and holes make up [start, next)',
  )
  fields.demand(
    counts.records === counts.rows + counts.deadLetters + counts.skipped,
    'every record is a row, a dead letter or skipped',
  )
  fields.demand(
    rowsOf(entry, 'data') + rowsOf(entry, 'late') === counts.rows,
    'the rows of the files add up to counts.rows',
  )
  fields.demand(rowsOf(entry, 'dead-letters') === counts.deadLetters, 'dead letters add up')
  // One would be published over the other, and pass for published by it.
  const keys = new Set<string>()
  for (const { key: file } of entry.files) {
    fields.demand(!keys.has(file), `two files share the key ${file}`)
    keys.add(file)
  }
  return entry
}

/** The watermark after an entry: where the next group starts. */
export const watermarkAfter = ({
  watermark,
  files,
}: Pick<JournalEntry, 'watermark' | 'files'>): number | null =>
  files.reduce((latest, { kind, maxEventTime }) => {
    if (kind !== 'data' || maxEventTime === null) return latest
    return latest === null ? maxEventTime : Math.max(latest, maxEventTime)
  }, watermark)

/** Absent in entries of sinks that knew no late rows. */
const readLate = (fields: JsonFields): LatePolicy | null => {
  if (fields.raw('late') === undefined || fields.raw('late') === null) return null
  const late = fields.object('late')
  const outcome = late.text('outcome')
  fields.demand(
    outcome === 'separate-prefix' || outcome === 'dead-letter',
    `late.outcome is not "${outcome}"`,
  )
  return { allowedMillis: late.count('allowedMillis'), outcome: outcome as LatePolicy['outcome'] }
}

const rowsOf = (entry: JournalEntry, kind: EntryFile['kind']): number =>
  entry.files.reduce((sum, file) => sum + (file.kind === kind ? file.rows : 0), 0)

const readTable = (fields: JsonFields): EntryTable => ({
  name: fields.text('name'),
  database: fields.text('database'),
  location: fields.text('location'),
  bucket: fields.text('bucket'),
  fingerprint: fields.text('fingerprint'),
  definition: readDefinition(fields),
  encoding: readEncoding(fields),
})

/** Only the outline of both is checked: uploads settle whatever the columns are. */
const readEncoding = (fields: JsonFields): ValueEncoding => {
  fields.object('encoding').text('encoding')
  return fields.raw('encoding') as ValueEncoding
}

const readDefinition = (fields: JsonFields): TableJSON => {
  fields.object('definition').count('formatVersion')
  return fields.raw('definition') as TableJSON
}

const readCounts = (fields: JsonFields): EntryCounts => ({
  records: fields.count('records'),
  rows: fields.count('rows'),
  deadLetters: fields.count('deadLetters'),
  skipped: fields.count('skipped'),
})

const readHoles = (fields: JsonFields): Holes => {
  const truncated = fields.raw('truncated')
  fields.demand(typeof truncated === 'boolean', 'holes.truncated is true or false')
  return {
    offsets: fields.offset('offsets'),
    ranges: fields.objects('ranges').map((range) => ({ from: range.offset('from'), to: range.offset('to') })),
    truncated: truncated === true,
  }
}

const readLastRecord = (fields: JsonFields | null): LastRecord | null => {
  if (fields === null) return null
  const timestamp = fields.numberOrNull('timestamp')
  fields.demand(timestamp !== null, 'lastRecord.timestamp is a number')
  return {
    offset: fields.offset('offset'),
    timestamp: timestamp ?? 0,
    crc32c: fields.text('crc32c'),
    leaderEpoch: fields.countOrNull('leaderEpoch'),
  }
}

const readFile = (fields: JsonFields): EntryFile => {
  const kind = fields.text('kind')
  fields.demand(kind === 'data' || kind === 'late' || kind === 'dead-letters', `"${kind}" is no kind of file`)
  const partitionValues = fields.list('partitionValues')
  fields.demand(
    partitionValues.every((value) => value === null || typeof value === 'string'),
    'partitionValues are texts or null',
  )
  const file: EntryFile = {
    kind: kind as EntryFile['kind'],
    key: fields.text('key'),
    uploadId: fields.text('uploadId'),
    parts: fields.objects('parts').map((part) => ({
      partNumber: part.count('partNumber'),
      etag: part.text('etag'),
      size: part.count('size'),
    })),
    partitionValues: partitionValues as (string | null)[],
    rows: fields.count('rows'),
    bytes: fields.count('bytes'),
    firstOffset: fields.offset('firstOffset'),
    lastOffset: fields.offset('lastOffset'),
    minEventTime: fields.numberOrNull('minEventTime'),
    maxEventTime: fields.numberOrNull('maxEventTime'),
  }
  fields.demand(file.parts.length > 0, `${file.key} has no parts`)
  fields.demand(
    file.parts.every((part, index) => index === 0 || file.parts[index - 1]!.partNumber < part.partNumber),
    `the part numbers of ${file.key} ascend`,
  )
  fields.demand(
    file.parts.reduce((sum, part) => sum + part.size, 0) === file.bytes,
    `the parts of ${file.key} add up to its bytes`,
  )
  return file
}
