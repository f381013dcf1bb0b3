import type { TableJSON } from '@stockpipe/core'
import { isClaimId } from './claim-id.ts'
import { JsonFields, journalBytes } from './json-fields.ts'
import type { RowChecksum } from './row-checksum.ts'

const format = 'stockpipe-journal-compaction'
const formatVersion = 1

/** A file whose rows a compaction took over, or that a retirement gave up. */
export interface CompactionSource {
  /** `group`: named by an entry; `pruned-group`: its entry is pruned; `compaction`: of the generation before. */
  readonly origin: 'group' | 'pruned-group' | 'compaction'
  readonly key: string
  readonly rows: number
  readonly bytes: number
  readonly etag: string
  /** Over the rows' content, whatever their order; null where nothing was read: in a retirement. */
  readonly checksum: RowChecksum | null
}

/** A file that a compaction made. */
export interface CompactedFile {
  readonly key: string
  readonly rows: number
  readonly bytes: number
  readonly etag: string
  readonly checksum: RowChecksum
  /** Milliseconds since the epoch; null when no row has an event time. */
  readonly minEventTime: number | null
  readonly maxEventTime: number | null
}

/** The table as the new files were written. */
export interface CompactionTable {
  readonly name: string
  readonly database: string
  readonly location: string
  readonly bucket: string
  readonly fingerprint: string
  readonly definition: TableJSON
}

/**
 * What a generation is: `compaction`: new files with the rows of the sources; `retirement`: these rows were given up, the
 * catalog has an empty folder; `removal`: the retired partition has left the catalog.
 */
export type GenerationKind = 'compaction' | 'retirement' | 'removal'

/**
 * One generation of a partition: claimed once, never changed. Its files are whole when it is claimed, and read from the
 * moment on at which the catalog has `to`.
 */
export interface CompactionRecord {
  readonly kind: GenerationKind
  readonly sink: string
  readonly writer: string
  readonly claimId: string
  /** ISO 8601: when the bytes were made. */
  readonly createdAt: string
  /** `k1=v1/k2=v2/`, as it stands in keys. */
  readonly path: string
  /** From 1, without gaps. */
  readonly generation: number
  readonly table: CompactionTable
  /** In the order of the table's partitions; null for the default partition. */
  readonly partitionValues: readonly (string | null)[]
  /** Where the catalog had the partition. */
  readonly from: string
  /** The folder of `files`; that of a retirement stays empty. Null for a removal. */
  readonly to: string | null
  readonly rows: number
  readonly checksum: RowChecksum | null
  readonly sources: readonly CompactionSource[]
  readonly files: readonly CompactedFile[]
}

/** That the catalog has what a record says, or that the former files are gone. */
export interface CompactionStepRecord {
  readonly sink: string
  readonly writer: string
  readonly claimId: string
  /** ISO 8601. */
  readonly doneAt: string
}

const zero: RowChecksum = '0000000000000000'

/** The checksum of rows in several files. */
export const addChecksums = (checksums: readonly RowChecksum[]): RowChecksum =>
  checksums.reduce((left, right) => {
    const lane = (text: string, at: number) => Number.parseInt(text.slice(at, at + 8), 16)
    const sum = (at: number) => ((lane(left, at) + lane(right, at)) >>> 0).toString(16).padStart(8, '0')
    return `${sum(0)}${sum(8)}`
  }, zero)

/** The bytes of a record: made once, sent unchanged. */
export const writeCompaction = (record: CompactionRecord): Uint8Array =>
  journalBytes({ format, formatVersion, ...record })

export const writeCompactionStep = (step: 'switched' | 'removed', record: CompactionStepRecord): Uint8Array =>
  journalBytes({ format: `${format}-${step}`, formatVersion, ...record })

/** Throws a `JournalFormatError` when the bytes are not the record that its key says. */
export const readCompaction = (
  bytes: Uint8Array,
  key: string,
  expected: { readonly sink: string; readonly path: string; readonly generation: number },
): CompactionRecord => {
  const fields = JsonFields.read(bytes, key, format, formatVersion)
  const kind = fields.text('kind')
  fields.demand(kind === 'compaction' || kind === 'retirement' || kind === 'removal', `kind is not "${kind}"`)
  const values = fields.list('partitionValues')
  fields.demand(
    values.every((value) => value === null || typeof value === 'string'),
    'partitionValues are texts or null',
  )
  const table = fields.object('table')
  table.object('definition').count('formatVersion')
  const record: CompactionRecord = {
    kind: kind as GenerationKind,
    sink: fields.text('sink'),
    writer: fields.text('writer'),
    claimId: fields.text('claimId'),
    createdAt: fields.text('createdAt'),
    path: fields.text('path'),
    generation: fields.count('generation'),
    table: {
      name: table.text('name'),
      database: table.text('database'),
      location: table.text('location'),
      bucket: table.text('bucket'),
      fingerprint: table.text('fingerprint'),
      definition: table.raw('definition') as TableJSON,
    },
    partitionValues: values as (string | null)[],
    from: fields.text('from'),
    to: fields.textOrNull('to'),
    rows: fields.count('rows'),
    checksum: readChecksum(fields),
    sources: fields.objects('sources').map(readSource),
    files: fields.objects('files').map(readCompactedFile),
  }
  const { sink, path, generation } = expected
  fields.demand(
    record.sink === sink && record.path === path && record.generation === generation,
    `it is generation ${record.generation} of ${record.path} of ${record.sink}`,
  )
  fields.demand(isClaimId(record.claimId), 'claimId is 32 hex digits')
  const { sources, files, rows, checksum } = record
  const rowsOf = (all: readonly { readonly rows: number }[]) => all.reduce((sum, one) => sum + one.rows, 0)
  fields.demand(rowsOf(sources) === rows, 'the rows of the sources add up to rows')
  fields.demand(
    new Set([...sources, ...files].map((file) => file.key)).size === sources.length + files.length,
    'no file is named twice',
  )
  fields.demand((record.to === null) === (kind === 'removal'), '`to` is null for a removal only')
  if (kind === 'compaction') {
    fields.demand(checksum !== null, 'a compaction has a checksum')
    fields.demand(rowsOf(files) === rows, 'the rows of the files add up to rows')
    fields.demand(
      checksum === addChecksums(files.map((file) => file.checksum)) &&
        checksum === addChecksums(sources.map((source) => source.checksum ?? zero)),
      'the checksums of the sources and of the files both add up to checksum',
    )
    const folder = record.to!.slice(`s3://${record.table.bucket}/`.length)
    fields.demand(
      files.every((file) => file.key.startsWith(folder)),
      'every file is in `to`',
    )
  } else fields.demand(files.length === 0, `a ${kind} has no files of its own`)
  if (kind === 'removal') fields.demand(sources.length === 0, 'a removal takes nothing over')
  return record
}

export const readCompactionStep = (
  bytes: Uint8Array,
  key: string,
  step: 'switched' | 'removed',
): CompactionStepRecord => {
  const fields = JsonFields.read(bytes, key, `${format}-${step}`, formatVersion)
  const doneAt = fields.text('doneAt')
  fields.demand(Number.isFinite(Date.parse(doneAt)), 'doneAt is a time')
  return {
    sink: fields.text('sink'),
    writer: fields.text('writer'),
    claimId: fields.text('claimId'),
    doneAt,
  }
}

const readChecksum = (fields: JsonFields): RowChecksum | null => {
  const checksum = fields.textOrNull('checksum')
  fields.demand(checksum === null || /^[0-9a-f]{16}$/.test(checksum), 'checksum is 16 hex digits')
  return checksum
}

const readSource = (fields: JsonFields): CompactionSource => {
  const origin = fields.text('origin')
  fields.demand(
    origin === 'group' || origin === 'pruned-group' || origin === 'compaction',
    `origin is not "${origin}"`,
  )
  return {
    origin: origin as CompactionSource['origin'],
    key: fields.text('key'),
    rows: fields.count('rows'),
    bytes: fields.count('bytes'),
    etag: fields.text('etag'),
    checksum: readChecksum(fields),
  }
}

const readCompactedFile = (fields: JsonFields): CompactedFile => ({
  key: fields.text('key'),
  rows: fields.count('rows'),
  bytes: fields.count('bytes'),
  etag: fields.text('etag'),
  checksum: readChecksum(fields) ?? zero,
  minEventTime: fields.numberOrNull('minEventTime'),
  maxEventTime: fields.numberOrNull('maxEventTime'),
})
