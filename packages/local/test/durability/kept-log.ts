import { expect } from 'vitest'
import type { Durability } from '../../src/durability.ts'
import { PartitionLog } from '../../src/kafka/log/partition-log.ts'
import { hasValidChecksum, readBatchHeader } from '../../src/kafka/log/record-batch.ts'
import { recordBatch } from '../kafka/record-batch-fixture.ts'
import type { Storage } from './machine.ts'

export type LogAction =
  | { readonly kind: 'append'; readonly records: number; readonly isIdempotent: boolean }
  | { readonly kind: 'delete'; readonly share: number }
  | { readonly kind: 'retention' | 'read' | 'reopen' }

const settings = {
  usesLogAppendTime: false,
  segmentBytes: 500,
  segmentMillis: Number.MAX_SAFE_INTEGER,
  retentionBytes: 800,
  retentionMillis: -1,
}
const producerId = 7

interface PlacedBatch {
  readonly offset: number
  readonly bytes: Buffer
}

interface Pending {
  readonly sequence: number
  readonly bytes: Buffer
}

/** A partition's log: every acknowledged or consumed batch is at its offset, whole, and no batch is there twice. */
export class KeptLog implements Storage<LogAction> {
  #log: PartitionLog | undefined
  #directory = ''
  #durability: Durability | undefined
  #batches = 0
  /** Whatever was appended, by the first value of the batch. */
  readonly #appended = new Map<string, PlacedBatch[]>()
  readonly #acknowledged = new Map<number, Buffer>()
  /** The name of what was written, by leader epoch and offset. */
  readonly #places = new Map<string, string>()
  #mostDeleted = 0
  #leastDeleted = 0
  #sequence = 0
  /** Batches of the idempotent producer that were not answered: it sends them again. */
  #pending: Pending[] = []

  async open(directory: string, durability: Durability): Promise<void> {
    durability.makeDirectory(`${directory}/logs`)
    this.#directory = `${directory}/logs/t-0`
    this.#durability = durability
    this.#log = new PartitionLog(this.#directory, () => settings, durability)
  }

  async verify(): Promise<void> {
    const log = this.#log!
    expect(log.logStartOffset).toBeGreaterThanOrEqual(this.#leastDeleted)
    expect(log.logStartOffset).toBeLessThanOrEqual(this.#mostDeleted)
    const found = new Map(this.#read().map(({ offset, bytes }) => [offset, bytes]))
    const texts = [...found.values()].map(firstValueOf)
    expect(new Set(texts).size).toBe(texts.length)
    for (const [offset, bytes] of found) {
      const placed = this.#appended.get(firstValueOf(bytes)) ?? []
      expect(placed.some((one) => one.offset === offset && one.bytes.equals(bytes))).toBe(true)
    }
    for (const [offset, bytes] of this.#acknowledged) {
      if (readBatchHeader(bytes).lastOffset < log.logStartOffset) this.#acknowledged.delete(offset)
      else expect(found.get(offset)?.equals(bytes), `the batch at offset ${offset}`).toBe(true)
    }
    for (const pending of [...this.#pending]) await this.#append(pending.bytes, pending)
  }

  async begin(action: LogAction) {
    switch (action.kind) {
      case 'append': {
        // A producer waits for the oldest of five.
        const isIdempotent = action.isIdempotent && this.#pending.length < 5
        const name = `batch-${this.#batches++}`
        const values = Array.from({ length: action.records }, (_, index) => `${name}.${index}`)
        const sequence = this.#sequence
        const bytes = await recordBatch({
          values,
          ...(isIdempotent && { producerId, firstSequence: sequence }),
        })
        if (!isIdempotent) return { acknowledged: this.#append(bytes) }
        this.#sequence += action.records
        const pending = { sequence, bytes: Buffer.from(bytes) }
        this.#pending.push(pending)
        return { acknowledged: this.#append(bytes, pending) }
      }
      case 'delete': {
        const log = this.#log!
        const offset = Math.floor(log.logStartOffset + action.share * (log.logEndOffset - log.logStartOffset))
        this.#mostDeleted = Math.max(this.#mostDeleted, offset)
        log.deleteRecordsBefore(offset)
        return { acknowledged: this.#acknowledgeDeletion(offset) }
      }
      case 'retention':
        // It may delete all but what is in the last segment.
        this.#mostDeleted = Math.max(this.#mostDeleted, this.#log!.logEndOffset)
        this.#log!.applyRetention(Date.now())
        this.#mostDeleted = Math.max(this.#leastDeleted, this.#log!.logStartOffset)
        return { acknowledged: this.#acknowledgeDeletion(this.#log!.logStartOffset) }
      case 'read':
        return { acknowledged: this.#consume() }
      case 'reopen':
        this.#log!.close()
        this.#log = new PartitionLog(this.#directory, () => settings, this.#durability)
        return { acknowledged: Promise.resolve() }
    }
  }

  async #append(bytes: Buffer, pending?: Pending): Promise<void> {
    const name = firstValueOf(bytes)
    const batch = Buffer.from(bytes)
    const { baseOffset } = this.#log!.append(batch)
    const placed = Buffer.from(bytes)
    placed.writeBigInt64BE(BigInt(baseOffset))
    const leaderEpoch = this.#log!.leaderEpochs.at(baseOffset)
    placed.writeInt32BE(leaderEpoch, 12)
    this.#appended.set(name, [...(this.#appended.get(name) ?? []), { offset: baseOffset, bytes: placed }])
    await this.#durability!.settled()
    // However often the end of the log was lost: where an epoch has what was answered, it never has anything else.
    const place = `${leaderEpoch}:${baseOffset}`
    expect(this.#places.get(place) ?? name, place).toBe(name)
    this.#places.set(place, name)
    this.#acknowledged.set(baseOffset, placed)
    if (pending !== undefined) this.#pending = this.#pending.filter((one) => one !== pending)
  }

  async #acknowledgeDeletion(offset: number): Promise<void> {
    await this.#durability!.settled()
    this.#leastDeleted = Math.max(this.#leastDeleted, offset)
  }

  /** What a consumer was given must stay too: it may have acted upon it. */
  async #consume(): Promise<void> {
    const batches = this.#read()
    await this.#durability!.settled()
    for (const { offset, bytes } of batches) this.#acknowledged.set(offset, bytes)
  }

  #read(): PlacedBatch[] {
    const log = this.#log!
    const batches: PlacedBatch[] = []
    for (let next = log.logStartOffset; next < log.logEndOffset; ) {
      const { records, nextOffset } = log.read(next, log.logEndOffset, 1 << 20, true)
      expect(nextOffset).toBeGreaterThan(next)
      for (let at = 0; at < records.length; ) {
        const header = readBatchHeader(records, at)
        expect(hasValidChecksum(records, header, at)).toBe(true)
        const bytes = Buffer.from(records.subarray(at, at + header.sizeBytes))
        batches.push({ offset: header.baseOffset, bytes })
        at += header.sizeBytes
      }
      next = nextOffset
    }
    return batches
  }
}

/** The value of the first record: no two batches have the same. */
const firstValueOf = (batch: Buffer): string => /batch-\d+\.0/.exec(batch.toString('latin1'))![0]
