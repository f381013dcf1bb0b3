import { RefusedRequestError } from '../protocol/error-code.ts'
import { type RecordBatchHeader, sequenceAfter } from './record-batch.ts'

/** How many batches of a producer are remembered, so that a repeated one is recognised. */
const rememberedBatches = 5

interface RememberedBatch {
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly timestampMillis: number
}

interface ProducerEntry {
  epoch: number
  batches: RememberedBatch[]
  lastUsedMillis: number
}

/** A transaction that was rolled back: consumers that read committed skip its records. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  readonly lastOffset: number
}

/** What is kept of the state in the checkpoint of a partition. */
export interface ProducerStateSnapshot {
  readonly producers: readonly (readonly [number, ProducerEntry])[]
  readonly open: readonly (readonly [number, number])[]
  readonly aborted: readonly AbortedTransaction[]
}

/** What one partition knows of its idempotent and transactional producers. */
export class ProducerState {
  readonly #producers = new Map<number, ProducerEntry>()
  /** The first offset of each producer's open transaction. */
  readonly #open = new Map<number, number>()
  #aborted: AbortedTransaction[] = []

  restore(snapshot: ProducerStateSnapshot): void {
    for (const [producerId, entry] of snapshot.producers) this.#producers.set(producerId, entry)
    for (const [producerId, firstOffset] of snapshot.open) this.#open.set(producerId, firstOffset)
    this.#aborted = [...snapshot.aborted]
  }

  snapshot(): ProducerStateSnapshot {
    return { producers: [...this.#producers], open: [...this.#open], aborted: this.#aborted }
  }

  /**
   * Checks epoch and sequence of a batch that is to be appended.
   *
   * Returns the remembered batch when this one is a repetition of it. Throws a RefusedRequestError for an old
   * epoch (INVALID_PRODUCER_EPOCH) or a gap (OUT_OF_ORDER_SEQUENCE_NUMBER).
   */
  check(header: RecordBatchHeader): RememberedBatch | undefined {
    const entry = this.#producers.get(header.producerId)
    // A producer that is not known (any more) may begin with any sequence.
    if (entry === undefined) return undefined
    if (header.producerEpoch < entry.epoch) {
      throw new RefusedRequestError(
        'INVALID_PRODUCER_EPOCH',
        `Producer ${header.producerId} writes with epoch ${header.producerEpoch}, but epoch ${entry.epoch} has begun.`,
      )
    }
    let expected = 0
    if (header.producerEpoch === entry.epoch) {
      const repeated = entry.batches.find(
        (batch) => batch.baseSequence === header.baseSequence && batch.lastSequence === header.lastSequence,
      )
      if (repeated !== undefined) return repeated
      const last = entry.batches.at(-1)
      if (last !== undefined) expected = sequenceAfter(last.lastSequence, 1)
    }
    if (header.baseSequence !== expected) {
      throw new RefusedRequestError(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        `Producer ${header.producerId} sent sequence ${header.baseSequence} where ${expected} was expected.`,
      )
    }
    return undefined
  }

  /** Takes note of an appended batch of records. */
  appended(header: RecordBatchHeader, nowMillis: number): void {
    const entry = this.#entryAt(header.producerId, header.producerEpoch, nowMillis)
    entry.batches.push({
      baseSequence: header.baseSequence,
      lastSequence: header.lastSequence,
      baseOffset: header.baseOffset,
      timestampMillis: header.usesLogAppendTime ? header.maxTimestamp : -1,
    })
    if (entry.batches.length > rememberedBatches) entry.batches.shift()
    if (header.isTransactional && !this.#open.has(header.producerId)) {
      this.#open.set(header.producerId, header.baseOffset)
    }
  }

  /** Takes note of the marker that ends a transaction. */
  ended(header: RecordBatchHeader, committed: boolean, nowMillis: number): void {
    this.#entryAt(header.producerId, header.producerEpoch, nowMillis)
    const firstOffset = this.#open.get(header.producerId)
    if (firstOffset !== undefined && !committed) {
      this.#aborted.push({ producerId: header.producerId, firstOffset, lastOffset: header.lastOffset })
    }
    this.#open.delete(header.producerId)
  }

  /** The first offset of the oldest open transaction, or undefined when none is open. */
  oldestOpenTransaction(): number | undefined {
    return this.#open.size === 0 ? undefined : Math.min(...this.#open.values())
  }

  /** Producers with an open transaction on this partition. */
  openTransactions(): { producerId: number; producerEpoch: number }[] {
    return [...this.#open.keys()].map((producerId) => ({
      producerId,
      producerEpoch: this.#producers.get(producerId)!.epoch,
    }))
  }

  /** Rolled back transactions with records in `[fromOffset, endOffset)`, by first offset. */
  abortedBetween(fromOffset: number, endOffset: number): AbortedTransaction[] {
    return this.#aborted
      .filter((aborted) => aborted.lastOffset >= fromOffset && aborted.firstOffset < endOffset)
      .sort((left, right) => left.firstOffset - right.firstOffset)
  }

  /** Forgets what lies before the log's start, and producers unused since `unusedSinceMillis`. */
  expire(logStartOffset: number, unusedSinceMillis: number): void {
    this.#aborted = this.#aborted.filter((aborted) => aborted.lastOffset >= logStartOffset)
    for (const [producerId, entry] of this.#producers) {
      if (!this.#open.has(producerId) && entry.lastUsedMillis < unusedSinceMillis) {
        this.#producers.delete(producerId)
      }
    }
  }

  #entryAt(producerId: number, epoch: number, nowMillis: number): ProducerEntry {
    let entry = this.#producers.get(producerId)
    if (entry === undefined) {
      entry = { epoch, batches: [], lastUsedMillis: nowMillis }
      this.#producers.set(producerId, entry)
    }
    if (entry.epoch !== epoch) {
      entry.epoch = epoch
      entry.batches = []
    }
    entry.lastUsedMillis = nowMillis
    return entry
  }
}
