import { isDeepStrictEqual } from 'node:util'
import {
  ConfigurationError,
  createDecoder,
  createTransformingDecoder,
  type Decoder,
  type RecordBlock,
  type RejectedRecord,
  StockpipeError,
  type TableDefinition,
  type TopicDefinition,
  type TopicPartition,
  topicFromJSON,
} from '@stockpipe/core'
import { batchSlice } from './batch-slice.ts'
import { deadLetterBatch, deadLetterTable } from './dead-letter-table.ts'
import type { Engine, EngineOptions, EngineRequest, EngineResponse, FileContent } from './engine-messages.ts'
import { eventTimeRange } from './event-time.ts'
import { GroupBuffer } from './group-buffer.ts'
import type { LatePolicy } from './late-rows.ts'
import { encoderMemoryBytes, ParquetEncoder } from './parquet-encoder.ts'
import type { PathBufferOptions } from './path-buffer.ts'
import { RowGroupEncoder, type RowGroupEncoderOptions, type RowGroupFacts } from './row-group-encoder.ts'
import type { UnroutableRow } from './row-router.ts'
import { RowVerdicts } from './row-verdict.ts'

const mebibyte = 1024 * 1024
/** S3 takes no smaller part but the last. */
const smallestPart = 5 * mebibyte

/** The rows held for one partition log, and what hinders taking more. */
interface LogBuffer {
  readonly log: TopicPartition
  readonly group: GroupBuffer
  /** The group's late rows, where they go to files of their own; made at the first one. */
  late?: GroupBuffer
  /** Where the group's period of event time ends, once known. */
  boundary?: number | undefined
  /** The group's rejected records in full; made at the first one. */
  deadLetters?: GroupBuffer
  /** Files of the group that have a number: parts of them were taken. */
  filesBegun: number
  /** True from a cut's first response to its end. */
  cutting: boolean
  /** Why the rows held are not whole; until a discard. */
  broken?: unknown
}

type BlockRequest = Extract<EngineRequest, { kind: 'block' }>
type CutRequest = Extract<EngineRequest, { kind: 'cut' }>
type PartResponse = Extract<EngineResponse, { kind: 'part' }>
type BufferedResponse = Extract<EngineResponse, { kind: 'buffered' }>

class ParquetEngine implements Engine {
  readonly #topic: TopicDefinition
  readonly #table: TableDefinition
  readonly #decoder: Decoder
  readonly #rowGroups: Readonly<Record<FileContent, RowGroupEncoder>>
  readonly #verdicts: RowVerdicts
  readonly #lateRows: LatePolicy['outcome'] | undefined
  readonly #givenStarts: EngineOptions['fileStarts']
  readonly #maxPathBytes: number
  readonly #footerMetadata: Readonly<Record<string, string>>
  readonly #logs = new Map<string, LogBuffer>()

  constructor(options: EngineOptions, leastPartBytes: number) {
    this.#topic = topicFromJSON(options.topic)
    this.#table = this.#topic.table
    this.#decoder = options.transform
      ? createTransformingDecoder(this.#topic, options.transform)
      : // What is buffered is copied out of a batch.
        createDecoder(this.#topic, { reuseBatches: true })
    const partBytes = wholeNumber('partBytes', options.partBytes ?? 8 * mebibyte, leastPartBytes)
    this.#maxPathBytes = wholeNumber('maxPathBytes', options.maxPathBytes ?? 512, 1)
    const rowGroupRows = wholeNumber('rowGroupRows', options.rowGroupRows ?? 65_536, 1)
    this.#givenStarts = options.fileStarts
    const fileBytes = options.fileStarts
      ? Number.MAX_SAFE_INTEGER
      : wholeNumber('fileBytes', options.fileBytes ?? 128 * mebibyte, 1)
    const rowGroupsOf = (
      { columns }: TableDefinition,
      eventTimes: RowGroupEncoderOptions['eventTimes'],
      sortBy = options.sortBy,
    ) =>
      new RowGroupEncoder({
        encoder: new ParquetEncoder(columns, { compression: options.compression ?? 'snappy', sortBy }),
        columns: columns.length,
        rowGroupRows,
        fileBytes,
        partBytes,
        eventTimes,
      })
    const eventTimes = eventTimeRange(this.#table, options.eventTimeColumn)
    this.#lateRows = options.late?.outcome
    this.#verdicts = new RowVerdicts(this.#table, {
      column: options.eventTimeColumn,
      late: options.late,
      boundary: options.eventTimeBoundary,
    })
    this.#rowGroups = {
      data: rowGroupsOf(this.#table, eventTimes),
      late: rowGroupsOf(this.#table, eventTimes),
      'dead-letters': rowGroupsOf(deadLetterTable, () => ({ minEventTime: null, maxEventTime: null }), []),
    }
    this.#footerMetadata = options.footerMetadata ?? {}
    const reserved = Object.keys(this.#footerMetadata).find((key) => /^(stockpipe\.|ARROW:schema$)/.test(key))
    if (reserved !== undefined) {
      throw new ConfigurationError({
        code: 'FOOTER_METADATA_RESERVED',
        message: `Footer metadata cannot be named "${reserved}": that name is written by the engine; choose another.`,
      })
    }
  }

  get encoderBytes(): number {
    return encoderMemoryBytes()
  }

  handle(request: EngineRequest): Iterable<EngineResponse> {
    switch (request.kind) {
      case 'block':
        return (
          this.#missingSchemas(request) ?? this.#take(request.block, request.from, request.watermark ?? null)
        )
      case 'cut':
        return this.#cut(request)
      case 'discard':
        this.#forget(logName(request.log))
        return []
    }
  }

  close(): void {
    for (const name of this.#logs.keys()) this.#forget(name)
  }

  #forget(name: string): void {
    const buffer = this.#logs.get(name)
    this.#logs.delete(name)
    for (const [, held] of buffer ? contentsOf(buffer) : []) held.release()
  }

  #missingSchemas({ block, schemas = [] }: BlockRequest): EngineResponse[] | undefined {
    for (const [id, schema] of schemas) this.#decoder.schemas?.give(id, schema)
    const ids = this.#decoder.schemas?.missing(block) ?? []
    const log = { topic: block.topic, partition: block.partition }
    return ids.length === 0 ? undefined : [{ kind: 'schemas-missing', log, ids }]
  }

  #take(block: RecordBlock, from: bigint, watermark: number | null): Iterable<EngineResponse> {
    if (block.topic !== this.#topic.name) {
      throw new ConfigurationError({
        code: 'TOPIC_MISMATCH',
        message: `An engine of topic ${this.#topic.name} was given a block of ${block.topic}.`,
      })
    }
    const log = { topic: block.topic, partition: block.partition }
    const name = logName(log)
    let buffer = this.#logs.get(name)
    if (buffer === undefined) {
      buffer = {
        log,
        group: new GroupBuffer(
          this.#table,
          this.#maxPathBytes,
          this.#rowGroups.data,
          this.#fileStarts('data'),
        ),
        filesBegun: 0,
        cutting: false,
      }
      this.#logs.set(name, buffer)
    }
    refuseUnlessWhole(buffer)
    const { group } = buffer
    const before = heldRows(buffer)
    const { batch: whole, rejected, skipped = [] } = this.#decoder.decode(block)
    const begin = firstFrom(whole.offsets, from)
    const verdict = this.#verdicts.of(whole, begin, watermark, buffer.boundary)
    buffer.boundary = verdict.boundary
    const stoppedAt = verdict.end < whole.rows ? whole.offsets[verdict.end]! : undefined
    const batch = stoppedAt === undefined ? whole : batchSlice(whole, 0, verdict.end)
    const records = rejected.filter(
      ({ offset }) => offset >= from && (stoppedAt === undefined || offset < stoppedAt),
    )
    const reject = ({ row, column, reason }: UnroutableRow) => {
      const offset = batch.offsets[row]!
      records.push({ index: indexOf(block, offset), offset, column, reason })
    }
    try {
      const skip = verdict.late.length > 0 ? new Uint8Array(batch.rows) : undefined
      for (const { row } of verdict.late) skip![row] = 1
      for (const unroutable of group.append(batch, begin, skip)) reject(unroutable)
      if (skip && this.#lateRows === 'separate-prefix') {
        buffer.late ??= new GroupBuffer(
          this.#table,
          this.#maxPathBytes,
          this.#rowGroups.late,
          this.#fileStarts('late'),
        )
        const onTime = skip.map((isLate) => 1 - isLate)
        for (const unroutable of buffer.late.append(batch, begin, onTime)) reject(unroutable)
      } else for (const row of verdict.late) reject(row)
      records.sort((left: RejectedRecord, right: RejectedRecord) => left.index - right.index)
      if (records.length > 0) {
        buffer.deadLetters ??= new GroupBuffer(
          deadLetterTable,
          this.#maxPathBytes,
          this.#rowGroups['dead-letters'],
          this.#fileStarts('dead-letters'),
        )
        buffer.deadLetters.append(deadLetterBatch(block, records, this.#table.fingerprint), 0)
      }
    } catch (error) {
      buffer.broken = error
      throw error
    }
    return this.#taken(buffer, records, {
      rows: heldRows(buffer) - before,
      deadLetters: records.length,
      skipped: skipped.filter((offset) => offset >= from && (stoppedAt === undefined || offset < stoppedAt))
        .length,
      ...(stoppedAt === undefined ? {} : { stoppedAt }),
    })
  }

  /** What is answered to a block that is in. */
  *#taken(
    buffer: LogBuffer,
    records: readonly RejectedRecord[],
    facts: Pick<BufferedResponse, 'rows' | 'deadLetters' | 'skipped' | 'stoppedAt'>,
  ): Generator<EngineResponse, void, undefined> {
    const { log, group, late } = buffer
    if (records.length > 0) yield { kind: 'rejected', log, records }
    yield* this.#wholeParts(buffer)
    const groups = contentsOf(buffer).map(([, held]) => held)
    const sum = (name: 'capacityBytes' | 'encodedBytes') =>
      groups.reduce((total, held) => total + held[name], 0)
    yield {
      kind: 'buffered',
      log,
      ...facts,
      bufferedRows: heldRows(buffer),
      bufferedBytes: sum('capacityBytes'),
      encodedBytes: sum('encodedBytes'),
      largestFileBytes: Math.max(...groups.map(({ largestFileBytes }) => largestFileBytes)),
      openPaths: group.openPaths + (late?.openPaths ?? 0),
    }
  }

  /** Takes out the parts whose bytes are there, one a pull: what is not pulled is answered later. */
  *#wholeParts(buffer: LogBuffer): Generator<PartResponse, void, undefined> {
    const { log } = buffer
    for (const [content, held] of contentsOf(buffer)) {
      for (;;) {
        this.#refuseIfDiscarded(buffer)
        refuseUnlessWhole(buffer)
        const taken = held.takePart()
        if (taken === undefined) break
        const { partitionValues, part, file } = taken
        file.number ??= buffer.filesBegun++
        yield { kind: 'part', log, file: file.number, content, partitionValues, ...part }
      }
    }
  }

  *#cut(request: CutRequest): Generator<EngineResponse, void, undefined> {
    const name = logName(request.log)
    const buffer = this.#logs.get(name)
    if (buffer === undefined) return
    refuseUnlessWhole(buffer)
    const { log } = buffer
    for (const [, held] of contentsOf(buffer)) refuseOutside(held, request)
    let { filesBegun } = buffer
    buffer.cutting = true
    try {
      for (const [content, held] of contentsOf(buffer)) {
        for (const path of held.paths()) {
          const { files, release } = path.files()
          try {
            for (const file of files) {
              const { partitionValues } = path
              const facts = { log, file: file.number ?? filesBegun++, content, partitionValues }
              const { rowGroups } = file
              let bytes = file.takenBytes
              const footer = this.#rowGroups[content].footer(rowGroups, this.#keyValues(request, content))
              for (const part of file.rest(footer)) {
                bytes += part.bytes.length
                yield { kind: 'part', ...facts, ...part }
                this.#refuseIfDiscarded(buffer)
              }
              yield { kind: 'file', ...facts, bytes, ...fileFacts(rowGroups) }
              this.#refuseIfDiscarded(buffer)
            }
          } finally {
            release()
          }
        }
      }
      this.#forget(name)
    } finally {
      buffer.cutting = false
    }
  }

  #refuseIfDiscarded(buffer: LogBuffer): void {
    const name = logName(buffer.log)
    if (this.#logs.get(name) === buffer) return
    throw new StockpipeError({
      code: 'CUT_DISCARDED',
      message: `The rows of ${name} were discarded while they were cut or sent; what was pulled of their files is not whole.`,
    })
  }

  #fileStarts(content: FileContent): PathBufferOptions['fileStarts'] {
    const given = this.#givenStarts
    if (given === undefined) return undefined
    return (partitionValues) =>
      given
        .filter(
          (file) => file.content === content && isDeepStrictEqual(file.partitionValues, partitionValues),
        )
        .map(({ firstOffset }) => firstOffset)
  }

  #keyValues({ log, start, next }: CutRequest, content: FileContent): Map<string, string> {
    return new Map([
      ...Object.entries(this.#footerMetadata),
      ['stockpipe.fingerprint', this.#table.fingerprint],
      ['stockpipe.topic', log.topic],
      ['stockpipe.partition', String(log.partition)],
      ['stockpipe.start', String(start)],
      ['stockpipe.next', String(next)],
      ...(content === 'data' ? [] : [['stockpipe.content', content] as const]),
    ])
  }
}

/** What is held of a log, in the order of a cut. */
const contentsOf = ({ group, late, deadLetters }: LogBuffer): (readonly [FileContent, GroupBuffer])[] => [
  ['data', group],
  ...(late ? [['late', late] as const] : []),
  ...(deadLetters ? [['dead-letters', deadLetters] as const] : []),
]

const heldRows = ({ group, late }: LogBuffer): number => group.rows + (late?.rows ?? 0)

/** What the row groups of a file come to. */
const fileFacts = (rowGroups: readonly RowGroupFacts[]) => {
  const times = (name: 'minEventTime' | 'maxEventTime') =>
    rowGroups.map((group) => group[name]).filter((time) => time !== null)
  const [min, max] = [times('minEventTime'), times('maxEventTime')]
  return {
    rows: rowGroups.reduce((rows, group) => rows + group.rows, 0),
    firstOffset: rowGroups[0]!.firstOffset,
    lastOffset: rowGroups.at(-1)!.lastOffset,
    minEventTime: min.length === 0 ? null : Math.min(...min),
    maxEventTime: max.length === 0 ? null : Math.max(...max),
  }
}

const logName = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`

const wholeNumber = (name: string, value: number, least: number): number => {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new ConfigurationError({
    code: 'ENGINE_OPTION_INVALID',
    message: `The engine's ${name} is a whole number from ${least} on, not ${value}.`,
  })
}

const refuseUnlessWhole = ({ log, cutting, broken }: LogBuffer): void => {
  if (broken !== undefined) {
    throw new StockpipeError({
      code: 'BUFFER_BROKEN',
      message: `The rows held of ${logName(log)} are not whole since an earlier error; discard them and hand the records over again.`,
      cause: broken,
    })
  }
  if (cutting) {
    throw new StockpipeError({
      code: 'CUT_UNDER_WAY',
      message: `A cut of ${logName(log)} is under way; pull it to its end, or return it, before the next request.`,
    })
  }
}

const refuseOutside = (group: GroupBuffer, { log, start, next }: CutRequest): void => {
  if (group.rows === 0 || (start <= group.firstOffset && group.lastOffset < next)) return
  throw new StockpipeError({
    code: 'CUT_OUT_OF_RANGE',
    message: `${logName(log)}: rows from offset ${group.firstOffset} to ${group.lastOffset} are held and cannot be the flush group [${start}, ${next}).`,
  })
}

/** The first row whose offset is not below `from`. */
const firstFrom = (offsets: BigInt64Array, from: bigint): number => {
  let low = 0
  let high = offsets.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (offsets[middle]! < from) low = middle + 1
    else high = middle
  }
  return low
}

/** Position of a record in its block. */
const indexOf = (block: RecordBlock, offset: bigint): number => {
  const delta = Number(offset - block.firstOffset)
  let low = 0
  let high = block.count - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (block.offsetDeltas[middle]! < delta) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * The engine of one topic: decodes blocks, routes rows to paths, holds them as columns, encodes them at a cut.
 *
 * Throws a `ConfigurationError` for options that cannot be met. Blocks and discards are done when `handle` returns;
 * parts are made, and a cut goes, as far as they are pulled.
 */
export const createEngine = (options: EngineOptions): Engine => new ParquetEngine(options, smallestPart)

/** @internal An engine whose parts may be smaller than S3 takes them, so that small groups have several. */
export const createSmallPartsEngine = (options: EngineOptions): Engine => new ParquetEngine(options, 1)
