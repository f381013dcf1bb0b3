import type { DeliveryFailure } from './delivery-failure.ts'
import type { RowReceiver } from './delivery-report.ts'
import { type BatchLimits, type OutgoingRecord, recordBytes } from './outgoing-records.ts'
import { type ProducerIdentity, RecordBatchBuilder, sequenceAfter } from './record-batch.ts'

/** Rows of one receiver in a batch, with the place of each. */
interface BatchShare {
  readonly receiver: RowReceiver
  readonly rows: number[]
  readonly places: number[]
}

/** A batch on its way to one partition. Once sealed its bytes, and so its sequence number, stay as they are. */
export interface WaitingBatch {
  readonly builder: RecordBatchBuilder
  readonly shares: BatchShare[]
  /** By the monotonic clock. */
  readonly deadline: number
  sealed: Buffer | undefined
  attempts: number
  /** An attempt may have been written though nobody said so. */
  maybeWritten: boolean
  lastFailure: DeliveryFailure | undefined
  settled: boolean
}

/**
 * The batches of one partition, in order, one of them under way at a time.
 *
 * Every batch has one sequence number for all its attempts, so that the broker knows a repeat wherever the leader has
 * moved. When a batch is given up that may have been written, its number can neither be used again (the next batch
 * would be taken for its repeat) nor skipped (the broker would miss it): the lane goes on as another producer.
 */
export class PartitionLane {
  readonly partition: number
  readonly #limits: BatchLimits
  readonly #full: WaitingBatch[] = []
  #open: WaitingBatch | undefined
  /** The open batch has waited long enough for company. */
  due = false
  underWay = false
  backingOff = false
  identity: ProducerIdentity | undefined
  /** The identity the lane had cannot be used any more. */
  identitySpent = false
  sequence = 0
  lastLeader: number | undefined
  /** The number of the request it was last part of. */
  lastRequest = 0

  constructor(partition: number, limits: BatchLimits) {
    this.partition = partition
    this.#limits = limits
  }

  get hasOpen(): boolean {
    return this.#open !== undefined
  }

  get isEmpty(): boolean {
    return this.#open === undefined && this.#full.length === 0
  }

  /** Answers by how many bytes the lane has grown. */
  add(
    record: OutgoingRecord,
    row: number,
    receiver: RowReceiver,
    timestamp: number,
    deadline: number,
  ): number {
    const { batchBytes, batchRows } = this.#limits
    if (this.#open && this.#open.builder.byteLength + recordBytes(record) > batchBytes) this.#close()
    this.#open ??= {
      builder: new RecordBatchBuilder(),
      shares: [],
      deadline,
      sealed: undefined,
      attempts: 0,
      maybeWritten: false,
      lastFailure: undefined,
      settled: false,
    }
    const { builder, shares } = this.#open
    const before = builder.count === 0 ? 0 : builder.byteLength
    let share = shares.at(-1)
    if (share?.receiver !== receiver) {
      share = { receiver, rows: [], places: [] }
      shares.push(share)
    }
    share.rows.push(row)
    share.places.push(builder.count)
    receiver.placed(row, this.partition, builder.add(record, timestamp))
    const grown = builder.byteLength - before
    if (builder.count >= batchRows) this.#close()
    return grown
  }

  /** The batch to send now, when there is one and the lane is free. */
  next(): WaitingBatch | undefined {
    if (this.underWay || this.backingOff) return undefined
    if (this.#full.length === 0 && this.due && this.#open) this.#close()
    return this.#full[0]
  }

  /** Every batch, in order. */
  batches(): WaitingBatch[] {
    return this.#open ? [...this.#full, this.#open] : [...this.#full]
  }

  /** Takes a batch out whose rows are acknowledged. */
  acknowledged(batch: WaitingBatch): void {
    this.#remove(batch)
    this.sequence = sequenceAfter(this.sequence, batch.builder.count)
  }

  /** Takes a batch out that is given up. */
  givenUp(batch: WaitingBatch): void {
    this.#remove(batch)
    if (batch.maybeWritten) this.spendIdentity()
  }

  /** Goes on as another producer, from sequence number 0. */
  spendIdentity(): void {
    this.identity = undefined
    this.identitySpent = true
    this.sequence = 0
  }

  #close(): void {
    this.#full.push(this.#open!)
    this.#open = undefined
    this.due = false
  }

  #remove(batch: WaitingBatch): void {
    batch.settled = true
    if (this.#open === batch) this.#open = undefined
    const index = this.#full.indexOf(batch)
    if (index >= 0) this.#full.splice(index, 1)
  }
}
