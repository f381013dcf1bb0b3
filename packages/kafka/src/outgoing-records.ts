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

/** Limits with their defaults: 5,000 rows, and 1,048,588 bytes as brokers have it. */
export const batchLimits = ({
  maxBatchRows = 5000,
  maxBatchBytes = 1_048_588,
}: Partial<BatchLimits>): BatchLimits => ({ maxBatchRows, maxBatchBytes })

/** Requests stay well below the broker's socket.request.max.bytes (100 MiB). */
const maxRequestBytes = 16 * 1024 * 1024
const batchHeaderBytes = 61
/** Attributes, timestamp and offset deltas, lengths and header count take this at most. */
const recordOverheadBytes = 36

const recordBytes = (record: OutgoingRecord): number =>
  record.value.length + (record.key?.length ?? 0) + recordOverheadBytes

/** Bytes of a batch of this record alone, at most. */
export const batchBytesOf = (record: OutgoingRecord): number => recordBytes(record) + batchHeaderBytes

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
