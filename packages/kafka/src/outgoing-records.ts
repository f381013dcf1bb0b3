import { StockpipeError, type TopicDefinition } from '@stockpipe/core'

/** A record with its partition chosen, as kafkajs takes it. */
export interface OutgoingRecord {
  readonly key: Buffer | null
  readonly value: Buffer
  readonly partition: number
}

export interface BatchLimits {
  /** Records a request. */
  readonly maxBatchRows: number
  /** Bytes of one partition a request, before compression: at most `message.max.bytes` of the broker. */
  readonly maxBatchBytes: number
}

export const defaultBatchLimits: BatchLimits = { maxBatchRows: 5000, maxBatchBytes: 1_048_588 }

/** Requests stay well below the broker's socket.request.max.bytes (100 MiB). */
const maxRequestBytes = 16 * 1024 * 1024
const batchHeaderBytes = 61
/** Attributes, timestamp and offset deltas, lengths and header count take this at most. */
const recordOverheadBytes = 36

const recordBytes = (record: OutgoingRecord): number =>
  record.value.length + (record.key?.length ?? 0) + recordOverheadBytes

/** Throws a `StockpipeError` `RECORD_TOO_LARGE` when a record cannot go into any request. */
export const checkRecordSize = (
  topic: TopicDefinition,
  record: OutgoingRecord,
  limits: BatchLimits,
): void => {
  const bytes = recordBytes(record) + batchHeaderBytes
  if (bytes <= limits.maxBatchBytes) return
  throw new StockpipeError({
    code: 'RECORD_TOO_LARGE',
    message:
      `A record of ${bytes} bytes for topic ${topic.name} is above the limit of ${limits.maxBatchBytes}: ` +
      'make it smaller, or raise max.message.bytes of the topic and maxBatchBytes together.',
    facts: { topic: topic.name, partition: record.partition, bytes, maxBatchBytes: limits.maxBatchBytes },
  })
}

/** Records of one request, kept within the limits. */
export class OutgoingBatch {
  readonly records: OutgoingRecord[] = []
  readonly #limits: BatchLimits
  readonly #bytes = new Map<number, number>()
  #totalBytes = 0

  constructor(limits: BatchLimits) {
    this.#limits = limits
  }

  /** Records by partition. */
  counts(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>()
    for (const { partition } of this.records) counts.set(partition, (counts.get(partition) ?? 0) + 1)
    return counts
  }

  /** Takes a record, or answers false when it has to wait for the next batch. */
  add(record: OutgoingRecord): boolean {
    const bytes = recordBytes(record)
    const ofPartition = (this.#bytes.get(record.partition) ?? batchHeaderBytes) + bytes
    const full =
      this.records.length >= this.#limits.maxBatchRows ||
      ofPartition > this.#limits.maxBatchBytes ||
      this.#totalBytes + bytes > maxRequestBytes
    if (full && this.records.length > 0) return false
    this.#bytes.set(record.partition, ofPartition)
    this.#totalBytes += bytes
    this.records.push(record)
    return true
  }
}
