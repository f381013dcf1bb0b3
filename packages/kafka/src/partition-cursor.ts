import type { PartitionedSink, PartitionPosition, RecordBatchBlock, RecordBlock } from '@stockpipe/core'
import type { PartitionLag } from './consumer-lag.ts'

/** Why a partition is not fetched from. */
export type Hold = 'unpositioned' | 'sinkFull' | 'reached' | 'ending'

export const partitionKey = (topic: string, partition: number): string => `${topic}/${partition}`

/** One assignment of a partition to its sink, kept for as long as the sink has it: over generations of the group. */
export class PartitionCursor {
  readonly topic: string
  readonly partition: number
  readonly sink: PartitionedSink
  /** The offset where `until` ends. */
  readonly target: bigint | undefined
  readonly holds = new Set<Hold>(['unpositioned'])
  /** Aborted when handing over has to stop: the group goes on to another generation, or the position is given up. */
  interrupted = new AbortController()
  /** Where the sink stands: behind `standing` after markers and aborted records, which it is never shown. */
  handedTo = 0n
  /** Where kafkajs stands after batches in which it found nothing to hand over, beyond a hole not yet vouched for. */
  skippedTo: bigint | undefined
  /** The log's end as last heard of. */
  logEnd = 0n
  /** Whether a batch is being handed over. */
  busy = false
  /** Times it was fenced since something was last published. */
  fencings = 0
  /** What the sink has said to be published since it has the partition. */
  committable: bigint | undefined
  /** The block the sink has not made room after yet; never rejects. */
  writing: Promise<void> | undefined
  #published = 0n
  #standing: bigint | undefined
  #suspended = false
  #lastTimestampMillis: number | undefined

  constructor(topic: string, partition: number, sink: PartitionedSink, target: bigint | undefined) {
    this.topic = topic
    this.partition = partition
    this.sink = sink
    this.target = target
  }

  /** The offset of the next record to hand over; undefined while nothing may be handed over. */
  get position(): bigint | undefined {
    return this.#suspended ? undefined : this.#standing
  }

  /** As `position`, also between two generations; undefined before the sink has answered and once it is given up. */
  get standing(): bigint | undefined {
    return this.#standing
  }

  /** Everything before is published, as far as this member knows. */
  get published(): bigint {
    return this.#published
  }

  get reached(): boolean {
    return this.target !== undefined && this.position !== undefined && this.position >= this.target
  }

  /** How far it is behind at `nowMillis`; undefined while the sink does not have it. */
  lag(nowMillis: number): PartitionLag | undefined {
    const { topic, partition } = this
    const position = this.#standing
    if (position === undefined) return undefined
    const end = this.target ?? this.logEnd
    if (position >= end) return { topic, partition, position, end, records: 0, seconds: 0 }
    const last = this.#lastTimestampMillis
    const seconds = last === undefined ? {} : { seconds: Math.max(0, nowMillis - last) / 1000 }
    return { topic, partition, position, end, records: Number(end - position), ...seconds }
  }

  /** The sink has answered. */
  place(position: PartitionPosition, at: { readonly logEnd: bigint; readonly committed: bigint }): void {
    this.#standing = position.offset
    this.handedTo = position.offset
    this.logEnd = at.logEnd
    this.#raisePublished(position.offset)
    this.#raisePublished(at.committed)
  }

  /** The sink says that everything before `offset` is published. */
  publishedUpTo(offset: bigint): void {
    this.fencings = 0
    this.committable = offset
    this.#raisePublished(offset)
  }

  #raisePublished(offset: bigint): void {
    if (offset > this.#published) this.#published = offset
  }

  /**
   * Hands a block to the sink; resolves with how many records were in it. It counts as handed over once the sink has
   * taken it, whether or not anybody waits.
   */
  write(block: RecordBlock | RecordBatchBlock): Promise<number> {
    const isUnpacked = 'timestamps' in block
    // The sink may transfer the block's buffers to another thread.
    const lastTimestampMillis = isUnpacked ? block.timestamps[block.count - 1] : block.lastTimestampMillis
    const taken = isUnpacked ? this.sink.write(block).then(() => block.count) : this.sink.writeBatches!(block)
    const written = taken.then((records) => {
      if (this.#standing === undefined || records === undefined) return records ?? 0
      this.handedTo = block.nextOffset
      if (this.#standing < block.nextOffset) this.#standing = block.nextOffset
      this.#lastTimestampMillis = lastTimestampMillis ?? this.#lastTimestampMillis
      return records
    })
    const settled = (): void => {
      if (this.writing === writing) this.writing = undefined
    }
    const writing = written.then(settled, settled)
    this.writing = writing
    return written
  }

  /** The position after markers and aborted records, which the sink is not shown. */
  stepTo(position: bigint): void {
    if (this.#standing !== undefined) this.#standing = position
    this.skippedTo = undefined
  }

  /** Hands nothing over for the time being; the sink keeps what it has. */
  suspend(): void {
    this.#suspended = true
    this.skippedTo = undefined
    this.interrupted.abort()
  }

  /** Goes on where the sink stands. */
  resume(): void {
    this.#suspended = false
    this.interrupted = new AbortController()
  }

  /** Gives the position up for good: what is being handed over is not waited for any more. */
  displace(): void {
    this.#standing = undefined
    this.interrupted.abort()
  }
}
