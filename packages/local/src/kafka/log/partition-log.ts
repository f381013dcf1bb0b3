import { existsSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Durability, withoutFsync } from '../../durability.ts'
import { RefusedRequestError } from '../protocol/error-code.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import { recoverPartitionLog, saveCheckpoint } from './partition-recovery.ts'
import type { AbortedTransaction, ProducerState } from './producer-state.ts'
import {
  controlBatch,
  isCommitMarker,
  placeBatch,
  type RecordBatchHeader,
  readBatchHeader,
  stampLogAppendTime,
} from './record-batch.ts'
import { firstRecordAtOrAfter } from './records.ts'
import { Segment } from './segment.ts'
import { readBatches } from './segment-reader.ts'

/** After so many bytes index and producers are saved, so that a start reads no more than this again. */
const checkpointIntervalBytes = 16 * 1024 * 1024
/** Producers that wrote nothing for a day are forgotten, as `producer.id.expiration.ms` says. */
const producerExpirationMillis = 86_400_000

/** What a topic's configuration says about its logs. -1 is without limit. */
export interface LogSettings {
  readonly usesLogAppendTime: boolean
  readonly segmentBytes: number
  readonly segmentMillis: number
  readonly retentionBytes: number
  readonly retentionMillis: number
}

export interface AppendResult {
  readonly baseOffset: number
  /** Milliseconds since the epoch; -1 when the topic keeps the producer's timestamps. */
  readonly logAppendTime: number
}

export interface ReadResult {
  /** Whole record batches. */
  readonly records: Buffer
  /** Where the next read goes on. */
  readonly nextOffset: number
}

/** The log of one topic partition: segments on disk, offsets, producers and transactions. */
export class PartitionLog {
  readonly directory: string
  readonly #settings: () => LogSettings
  readonly #durability: Durability
  readonly #segments: Segment[]
  readonly #producers: ProducerState
  readonly leaderEpochs: LeaderEpochs
  /** Whether a start after a power loss would know of the present epoch. */
  #isEpochSaved: boolean
  #logStartOffset: number
  #uncheckpointedBytes = 0
  #activeSinceMillis = 0
  #openSealedSegment: Segment | undefined
  readonly #appendListeners = new Set<(byteCount: number) => void>()

  /** Opens the log in `directory`, cutting a torn last batch; `settings` is asked again for each append. */
  constructor(directory: string, settings: () => LogSettings, durability: Durability = withoutFsync) {
    const isNew = !existsSync(directory)
    durability.makeDirectory(directory)
    this.directory = directory
    this.#settings = settings
    this.#durability = durability
    const recovered = recoverPartitionLog(directory, durability)
    this.#segments = recovered.segments
    this.#producers = recovered.producers
    this.#logStartOffset = recovered.logStartOffset
    this.leaderEpochs = recovered.leaderEpochs
    this.leaderEpochs.forgetBefore(this.#logStartOffset)
    // The first epoch is 0, and one that wrote nothing is not told from it.
    this.leaderEpochs.begin(isNew ? 0 : Math.max(0, this.leaderEpochs.current) + 1, this.logEndOffset)
    this.#isEpochSaved = isNew
    this.#activeSinceMillis = Date.now()
    // A killed process may have left here what never reached the disk.
    durability.fileChanged(this.#activeSegment().path)
    durability.directoryChanged(directory)
  }

  /** Counts the times the log was opened, as far as anything was written then. */
  get leaderEpoch(): number {
    return this.leaderEpochs.current
  }

  get logStartOffset(): number {
    return this.#logStartOffset
  }

  /** The offset the next record gets; with one replica also the high watermark. */
  get logEndOffset(): number {
    return this.#activeSegment().nextOffset
  }

  /** Records before it belong to no open transaction. */
  get lastStableOffset(): number {
    return this.#producers.oldestOpenTransaction() ?? this.logEndOffset
  }

  get sizeBytes(): number {
    return this.#segments.reduce((total, segment) => total + segment.sizeBytes, 0)
  }

  /** Tells `listener` the size of each appended batch, or Infinity when a transaction ends or the log goes. */
  onAppend(listener: (byteCount: number) => void): () => void {
    this.#appendListeners.add(listener)
    return () => this.#appendListeners.delete(listener)
  }

  /**
   * Appends a validated batch; its first bytes are changed in place.
   *
   * Throws a RefusedRequestError for a sequence gap, an old producer epoch, or a disk that takes no more.
   */
  append(batch: Buffer): AppendResult {
    let header = readBatchHeader(batch)
    if (header.producerId >= 0) {
      const repeated = this.#producers.check(header)
      if (repeated !== undefined) {
        return { baseOffset: repeated.baseOffset, logAppendTime: repeated.timestampMillis }
      }
    }
    const now = Date.now()
    const baseOffset = this.logEndOffset
    const usesLogAppendTime = this.#settings().usesLogAppendTime
    if (usesLogAppendTime) stampLogAppendTime(batch, now)
    placeBatch(batch, baseOffset, this.leaderEpoch)
    header = readBatchHeader(batch)
    this.#write(batch, header)
    if (header.producerId >= 0) this.#producers.appended(header, now)
    this.#checkpointWhenDue()
    this.#notify(header.sizeBytes)
    return { baseOffset, logAppendTime: usesLogAppendTime ? now : -1 }
  }

  /** Appends the marker that ends a producer's transaction. */
  appendMarker(marker: { producerId: number; producerEpoch: number; committed: boolean }): void {
    const now = Date.now()
    const batch = controlBatch({ ...marker, timestampMillis: now })
    placeBatch(batch, this.logEndOffset, this.leaderEpoch)
    const header = readBatchHeader(batch)
    this.#write(batch, header)
    this.#producers.ended(header, isCommitMarker(batch), now)
    this.#notify(Number.POSITIVE_INFINITY)
  }

  /**
   * Reads whole batches from the one that holds `offset` up to `endOffset`.
   *
   * `atLeastOne` lets a first batch larger than `maxBytes` through. A read ends with its segment.
   */
  read(offset: number, endOffset: number, maxBytes: number, atLeastOne: boolean): ReadResult {
    const isEmpty = offset >= endOffset || (maxBytes <= 0 && !atLeastOne)
    if (isEmpty) return { records: Buffer.alloc(0), nextOffset: offset }
    return readBatches(this.#segmentOf(offset), { offset, endOffset, maxBytes, atLeastOne })
  }

  /** Rolled back transactions with records in `[fromOffset, endOffset)`. */
  abortedBetween(fromOffset: number, endOffset: number): AbortedTransaction[] {
    return this.#producers.abortedBetween(fromOffset, endOffset)
  }

  /** Producers whose transaction is open here. */
  openTransactions(): { producerId: number; producerEpoch: number }[] {
    return this.#producers.openTransactions()
  }

  /** The first record at or after a time before `endOffset`; undefined when there is none. */
  findTimestamp(
    timestampMillis: number,
    endOffset: number,
  ): { offset: number; timestampMillis: number } | undefined {
    for (const segment of this.#segments) {
      if (segment.largestTimestamp < timestampMillis) continue
      for (const { header, bytes } of this.#opened(segment).batches(
        segment.positionBeforeTimestamp(timestampMillis),
      )) {
        if (header.baseOffset >= endOffset) return undefined
        if (header.maxTimestamp < timestampMillis || header.lastOffset < this.#logStartOffset) continue
        const found = firstRecordAtOrAfter(bytes, header, timestampMillis)
        return found.offset < this.#logStartOffset ? { ...found, offset: this.#logStartOffset } : found
      }
    }
    return undefined
  }

  /** Deletes the records before `offset`; files go as soon as nothing in them is left. */
  deleteRecordsBefore(offset: number): void {
    if (offset <= this.#logStartOffset) return
    this.#logStartOffset = offset
    this.#producers.expire(offset, 0)
    this.leaderEpochs.forgetBefore(offset)
    // The new start is durable before a file goes.
    this.#saveCheckpoint()
    while (this.#segments.length > 1 && this.#segments[0]!.nextOffset <= offset) {
      this.#segments.shift()!.delete()
    }
  }

  /**
   * Enforces retention by time and size, as the topic's configuration asks: whole segments go, the oldest first, and when
   * none is left to keep a new one takes the place of the active one.
   */
  applyRetention(nowMillis: number): void {
    const { retentionMillis, retentionBytes } = this.#settings()
    let excessBytes = this.sizeBytes - retentionBytes
    const keepFrom = this.#segments.findIndex((segment) => {
      const isOld = retentionMillis >= 0 && segment.youngestMillis() < nowMillis - retentionMillis
      excessBytes -= segment.sizeBytes
      const isTooMuch = retentionBytes >= 0 && excessBytes >= 0
      return segment.sizeBytes === 0 || !(isOld || isTooMuch)
    })
    const kept = keepFrom === -1 ? this.#roll() : this.#segments[keepFrom]!
    this.deleteRecordsBefore(kept.baseOffset)
    this.#producers.expire(this.#logStartOffset, nowMillis - producerExpirationMillis)
  }

  /** Saves index and producers, and closes the files. */
  close(): void {
    try {
      if (this.#uncheckpointedBytes > 0) this.#saveCheckpoint()
    } finally {
      for (const segment of this.#segments) segment.close()
    }
  }

  /** Removes the log from the disk; waiting readers are told. */
  delete(): void {
    for (const segment of this.#segments) segment.close()
    rmSync(this.directory, { recursive: true, force: true })
    this.#durability.directoryChanged(dirname(this.directory))
    this.#notify(Number.POSITIVE_INFINITY)
  }

  #write(batch: Buffer, header: RecordBatchHeader): void {
    try {
      if (!this.#isEpochSaved) this.#saveCheckpoint()
      let active = this.#activeSegment()
      if (active.sizeBytes > 0 && this.#isToRoll(active, header)) active = this.#roll()
      active.append(batch, header)
    } catch (cause) {
      const message = `The log in ${this.directory} could not be written: ${(cause as Error).message}`
      throw new RefusedRequestError('KAFKA_STORAGE_ERROR', message, cause)
    }
    this.#uncheckpointedBytes += batch.length
  }

  /** By `segment.ms` a segment ages with the timestamps of its records; only without them with the clock. */
  #isToRoll(active: Segment, { sizeBytes, maxTimestamp }: RecordBatchHeader): boolean {
    const { segmentBytes, segmentMillis } = this.#settings()
    const firstTimestamp = active.firstTimestamp()
    const ageMillis =
      firstTimestamp >= 0 ? maxTimestamp - firstTimestamp : Date.now() - this.#activeSinceMillis
    return active.sizeBytes + sizeBytes > segmentBytes || ageMillis > segmentMillis
  }

  /** The batch is in the log already: without a checkpoint the next start only reads more of it. */
  #checkpointWhenDue(): void {
    if (this.#uncheckpointedBytes < checkpointIntervalBytes) return
    try {
      this.#saveCheckpoint()
    } catch {
      this.#uncheckpointedBytes = 0
    }
  }

  #roll(): Segment {
    this.#saveCheckpoint()
    this.#activeSegment().close()
    const segment = new Segment(this.directory, this.logEndOffset, this.#durability)
    this.#segments.push(segment)
    this.#activeSinceMillis = Date.now()
    return segment
  }

  #saveCheckpoint(): void {
    const active = this.#activeSegment()
    // Whoever trusts the index does not look at the bytes again.
    this.#durability.settleFileNow(active.path)
    active.saveIndex()
    const checkpoint = {
      logStartOffset: this.#logStartOffset,
      nextOffset: this.logEndOffset,
      producers: this.#producers.snapshot(),
      leaderEpochs: this.leaderEpochs.snapshot(),
    }
    saveCheckpoint(this.directory, checkpoint, this.#durability)
    this.#isEpochSaved = true
    this.#uncheckpointedBytes = 0
  }

  #activeSegment(): Segment {
    return this.#segments.at(-1)!
  }

  #segmentOf(offset: number): Segment {
    let index = this.#segments.length - 1
    while (index > 0 && this.#segments[index]!.baseOffset > offset) index--
    return this.#opened(this.#segments[index]!)
  }

  /** At most one sealed segment keeps its file open. */
  #opened(segment: Segment): Segment {
    if (segment !== this.#activeSegment() && segment !== this.#openSealedSegment) {
      this.#openSealedSegment?.close()
      this.#openSealedSegment = segment
    }
    return segment
  }

  #notify(byteCount: number): void {
    for (const listener of this.#appendListeners) listener(byteCount)
  }
}
