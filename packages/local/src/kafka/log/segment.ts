import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Durability } from '../../durability.ts'
import {
  batchHeaderBytes,
  batchLengthOverheadBytes,
  type RecordBatchHeader,
  readBatchHeader,
} from './record-batch.ts'

/** One index entry about every 16 KiB of log: about 1.5 bytes of memory for a KiB of log. */
const indexIntervalBytes = 16 * 1024
const scanChunkBytes = 1024 * 1024
const indexFormat = 1
const indexHeaderNumbers = 5

/** A batch met on the way through a segment; `bytes` is a view that is good until the next step. */
export interface SegmentBatch {
  readonly header: RecordBatchHeader
  readonly position: number
  readonly bytes: Buffer
}

/** One file of a partition's log: record batches one after the other, with a sparse index in memory. */
export class Segment {
  readonly baseOffset: number
  readonly #path: string
  readonly #directory: string
  readonly #durability: Durability
  #descriptor: number | undefined
  #sizeBytes = 0
  #nextOffset: number
  #largestTimestamp = -1
  #firstTimestamp: number | undefined
  readonly #indexOffsets: number[] = []
  readonly #indexPositions: number[] = []
  /** The largest timestamp before each entry: it never falls, so it can be searched. */
  readonly #indexTimestamps: number[] = []

  constructor(directory: string, baseOffset: number, durability: Durability) {
    this.baseOffset = baseOffset
    this.#directory = directory
    this.#durability = durability
    this.#nextOffset = baseOffset
    this.#path = join(directory, segmentFileName(baseOffset))
  }

  get path(): string {
    return this.#path
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get nextOffset(): number {
    return this.#nextOffset
  }

  /** Milliseconds since the epoch; -1 when the segment is empty. */
  get largestTimestamp(): number {
    return this.#largestTimestamp
  }

  /** Largest timestamp of the first batch, in milliseconds since the epoch; -1 when it has none. The segment is not empty. */
  firstTimestamp(): number {
    this.#firstTimestamp ??= readBatchHeader(this.read(0, batchHeaderBytes)).maxTimestamp
    return this.#firstTimestamp
  }

  /** The time of the youngest record, in milliseconds since the epoch: that of the file when no record has one. */
  youngestMillis(): number {
    if (this.#largestTimestamp >= 0 || this.#sizeBytes === 0) return this.#largestTimestamp
    return fstatSync(this.#open()).mtimeMs
  }

  /** Bytes in the file, which are more than `sizeBytes` before recovery has accounted for them. */
  fileSizeBytes(): number {
    return existsSync(this.#path) ? fstatSync(this.#open()).size : 0
  }

  /** Writes a batch at the end; when that fails the file is cut back and the error thrown. */
  append(batch: Buffer, header: RecordBatchHeader): void {
    const descriptor = this.#open()
    this.#durability.fileChanged(this.#path)
    try {
      for (let written = 0; written < batch.length; ) {
        written += writeSync(descriptor, batch, written, batch.length - written, this.#sizeBytes + written)
      }
    } catch (error) {
      ftruncateSync(descriptor, this.#sizeBytes)
      throw error
    }
    this.account(header)
  }

  /** Takes note of a batch that stands at the end of the accounted bytes. */
  account(header: RecordBatchHeader): void {
    const lastIndexed = this.#indexPositions.at(-1)
    if (lastIndexed === undefined || this.#sizeBytes - lastIndexed >= indexIntervalBytes) {
      this.#indexOffsets.push(header.baseOffset)
      this.#indexPositions.push(this.#sizeBytes)
      this.#indexTimestamps.push(this.#largestTimestamp)
    }
    this.#sizeBytes += header.sizeBytes
    this.#nextOffset = header.lastOffset + 1
    this.#largestTimestamp = Math.max(this.#largestTimestamp, header.maxTimestamp)
  }

  /** A position at or before the batch that holds `offset`, at most about 16 KiB before it. */
  positionBefore(offset: number): number {
    return this.#indexPositions[lastAtMost(this.#indexOffsets, offset)] ?? 0
  }

  /** A position at or before the first batch that reaches `timestampMillis`. */
  positionBeforeTimestamp(timestampMillis: number): number {
    return this.#indexPositions[lastAtMost(this.#indexTimestamps, timestampMillis - 1)] ?? 0
  }

  /** Reads up to `byteCount` bytes at `position`; fewer at the end of the file. */
  read(position: number, byteCount: number): Buffer {
    const buffer = Buffer.allocUnsafe(byteCount)
    let filled = 0
    while (filled < byteCount) {
      const count = readSync(this.#open(), buffer, filled, byteCount - filled, position + filled)
      if (count === 0) break
      filled += count
    }
    return buffer.subarray(0, filled)
  }

  /** The whole batches from `position` to `end`; stops before one that is cut off or is no v2 batch. */
  *batches(position: number, end = this.#sizeBytes): Generator<SegmentBatch> {
    let chunk: Buffer = Buffer.alloc(0)
    let chunkPosition = position
    while (position < end) {
      let start = position - chunkPosition
      let needed = batchHeaderBytes
      if (chunk.length - start >= batchHeaderBytes) {
        needed = chunk.readInt32BE(start + 8) + batchLengthOverheadBytes
        if (needed < batchHeaderBytes || chunk.readInt8(start + 16) !== 2) return
      }
      if (position + needed > end) return
      if (chunk.length - start < needed) {
        chunk = this.read(position, Math.min(Math.max(needed, scanChunkBytes), end - position))
        chunkPosition = position
        start = 0
        if (chunk.length < needed) return
        continue
      }
      const header = readBatchHeader(chunk, start)
      yield { header, position, bytes: chunk.subarray(start, start + needed) }
      position += needed
    }
  }

  /** Cuts the file to what has been accounted for, so that nothing behind it comes back with what is written next. */
  cutToAccounted(): void {
    ftruncateSync(this.#open(), this.#sizeBytes)
    this.#durability.fileChanged(this.#path)
    this.#durability.settleFileNow(this.#path)
  }

  /** Writes the index beside the segment, whole or not at all, so that a start need not read the log. */
  saveIndex(): void {
    const count = this.#indexOffsets.length
    const numbers = new Float64Array(indexHeaderNumbers + count * 3)
    numbers.set([indexFormat, this.#sizeBytes, this.#nextOffset, this.#largestTimestamp, count])
    numbers.set(this.#indexOffsets, indexHeaderNumbers)
    numbers.set(this.#indexPositions, indexHeaderNumbers + count)
    numbers.set(this.#indexTimestamps, indexHeaderNumbers + count * 2)
    const temporaryPath = `${this.#indexPath()}.tmp`
    writeFileSync(temporaryPath, new Uint8Array(numbers.buffer))
    this.#durability.replace(temporaryPath, this.#indexPath())
  }

  /** Takes the index from its file unless it is missing, damaged, or reaches beyond `offsetLimit` or the log. */
  loadIndex(offsetLimit: number): void {
    if (!existsSync(this.#indexPath())) return
    const file = readFileSync(this.#indexPath())
    if (file.length % 8 !== 0 || file.length < indexHeaderNumbers * 8) return
    const numbers = new Float64Array(new Uint8Array(file).buffer)
    const [format, sizeBytes, nextOffset, largestTimestamp, count] = numbers as unknown as number[]
    if (format !== indexFormat || numbers.length !== indexHeaderNumbers + count! * 3) return
    if (nextOffset! > offsetLimit || sizeBytes! > this.fileSizeBytes()) return
    for (let entry = 0; entry < count!; entry++) {
      this.#indexOffsets.push(numbers[indexHeaderNumbers + entry]!)
      this.#indexPositions.push(numbers[indexHeaderNumbers + count! + entry]!)
      this.#indexTimestamps.push(numbers[indexHeaderNumbers + count! * 2 + entry]!)
    }
    this.#sizeBytes = sizeBytes!
    this.#nextOffset = nextOffset!
    this.#largestTimestamp = largestTimestamp!
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }

  delete(): void {
    this.close()
    rmSync(this.#path, { force: true })
    rmSync(this.#indexPath(), { force: true })
  }

  #indexPath(): string {
    return this.#path.replace(/\.log$/, '.index')
  }

  #open(): number {
    if (this.#descriptor === undefined) {
      const exists = existsSync(this.#path)
      this.#descriptor = openSync(this.#path, exists ? 'r+' : 'w+')
      if (!exists) this.#durability.directoryChanged(this.#directory)
    }
    return this.#descriptor
  }
}

export const segmentFileName = (baseOffset: number): string => `${String(baseOffset).padStart(20, '0')}.log`

/** The base offset of a segment file, or undefined for any other file. */
export const baseOffsetOfFile = (fileName: string): number | undefined =>
  /^\d{20}\.log$/.test(fileName) ? Number(fileName.slice(0, 20)) : undefined

/** The place of the last number at most `limit` in an ascending list; -1 when there is none. */
const lastAtMost = (ascending: readonly number[], limit: number): number => {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ascending[middle]! <= limit) low = middle + 1
    else high = middle
  }
  return low - 1
}
