import { gunzipSync, gzipSync } from 'node:zlib'
import { RefusedRequestError } from '../protocol/error-code.ts'
import { batchHeaderBytes, CompressionCodec, type RecordBatchHeader, recompressed } from './record-batch.ts'

/** No batch grows beyond this when it is opened. */
const maxRecordBytes = 256 * 1024 * 1024

/** What a record says of itself; the rest is passed over. */
export interface RecordPosition {
  readonly offset: number
  readonly timestampMillis: number
}

/** The records of a batch without their compression; undefined for a codec that cannot be opened here. */
export const openRecords = (batch: Buffer, { codec }: RecordBatchHeader): Buffer | undefined => {
  const records = batch.subarray(batchHeaderBytes)
  if (codec === CompressionCodec.none) return records
  if (codec !== CompressionCodec.gzip) return undefined
  try {
    return gunzipSync(records, { maxOutputLength: maxRecordBytes })
  } catch (cause) {
    const message = `The gzip of the record batch cannot be opened: ${(cause as Error).message}`
    throw new RefusedRequestError('CORRUPT_MESSAGE', message, cause)
  }
}

/**
 * The batch as `compression.type` of its topic asks for it. What cannot be opened or made here, which is all but gzip and
 * none, stays as it came: readers are told the codec by the batch itself.
 */
export const compressedAs = (
  batch: Buffer,
  header: RecordBatchHeader,
  compression: { readonly codec: number | undefined; readonly gzipLevel: number },
): Buffer => {
  const { codec, gzipLevel } = compression
  if (codec === undefined || codec === header.codec) return batch
  if (codec !== CompressionCodec.none && codec !== CompressionCodec.gzip) return batch
  const records = openRecords(batch, header)
  if (records === undefined) return batch
  const isGzip = codec === CompressionCodec.gzip
  return recompressed(batch, codec, isGzip ? gzipSync(records, { level: gzipLevel }) : records)
}

/**
 * Visits the records of a batch in their order until `visit` answers true.
 *
 * Throws a RefusedRequestError (`INVALID_RECORD`) when they are not as many, or not as long, as they say.
 */
export const visitRecords = (
  records: Buffer,
  header: RecordBatchHeader,
  visit: (timestampMillis: number, offset: number) => boolean,
): void => {
  let cursor = 0
  const varint = (): number => {
    let value = 0
    let scale = 1
    let byte: number
    do {
      if (cursor >= records.length) throw invalid('A record ends too early.')
      byte = records[cursor++]!
      value += (byte & 127) * scale
      scale *= 128
    } while (byte & 128)
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
  for (let index = 0; index < header.recordCount; index++) {
    const length = varint()
    const end = cursor + length
    if (length < 1 || end > records.length)
      throw invalid(`A record of ${length} bytes does not fit its batch.`)
    cursor++
    const timestampMillis = header.baseTimestamp + varint()
    const offset = header.baseOffset + varint()
    if (visit(timestampMillis, offset)) return
    cursor = end
  }
  if (cursor !== records.length) throw invalid('More follows the last record of the batch.')
}

/** The largest timestamp of the records, whatever the producer wrote into the header. */
export const largestTimestamp = (records: Buffer, header: RecordBatchHeader): number => {
  let largest = -1
  visitRecords(records, header, (timestampMillis) => {
    largest = Math.max(largest, timestampMillis)
    return false
  })
  return largest
}

/**
 * The first record of a batch at or after a time.
 *
 * Batches compressed with snappy, lz4 or zstd are not opened: their first offset stands for the record, so
 * that a reader starts a little early and misses nothing.
 */
export const firstRecordAtOrAfter = (
  batch: Buffer,
  header: RecordBatchHeader,
  timestampMillis: number,
): RecordPosition => {
  let found = { offset: header.baseOffset, timestampMillis: header.baseTimestamp }
  if (header.usesLogAppendTime) return { ...found, timestampMillis: header.maxTimestamp }
  const records = openRecords(batch, header)
  if (records === undefined) return found
  visitRecords(records, header, (recordMillis, offset) => {
    const isFound = recordMillis >= timestampMillis
    if (isFound) found = { offset, timestampMillis: recordMillis }
    return isFound
  })
  return found
}

const invalid = (message: string): RefusedRequestError => new RefusedRequestError('INVALID_RECORD', message)
