import {
  ConfigurationError,
  type PartitionedSink,
  type RecordBatchBlock,
  type RecordBlock,
  type Runtime,
  StockpipeError,
} from '@stockpipe/core'
import type { Batch, ConsumerStartBatchProcessEvent, EachBatchPayload } from 'kafkajs'
import { type ConsumerLag, totalLag } from './consumer-lag.ts'
import type { ConsumerProgress } from './consumer-options.ts'
import { fetchedBatchBlocks, fetchedBlocks } from './fetched-batch.ts'
import type { Inflate } from './inflate.ts'
import { noLog } from './log-lookup.ts'
import type { BlockLimits } from './message-blocks.ts'
import type { PartitionCursor } from './partition-cursor.ts'
import type { PartitionOwnership } from './partition-ownership.ts'
import { positionProblem } from './position-check.ts'
import { abortable, whileBeating } from './waiting.ts'

export interface ConsumerLoopOptions {
  readonly ownership: PartitionOwnership
  readonly sinks: ReadonlySet<PartitionedSink>
  readonly runtime: Runtime
  readonly blockLimits: BlockLimits
  readonly inflate: Inflate
  /** URL of the module by which a sink may unpack record batches; undefined where there is none. */
  readonly unpackedBy: string | undefined
  readonly heartbeatIntervalMillis: number
  readonly onProgress: ((progress: ConsumerProgress) => void) | undefined
  readonly onLag: (lag: ConsumerLag) => void
  /** Everything up to the targets is handed over and published. */
  readonly onReached: () => void
  readonly onFailure: (error: unknown) => void
}

const rebalanceErrors = new Set(['REBALANCE_IN_PROGRESS', 'NOT_COORDINATOR_FOR_GROUP'])
const expelledErrors = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'])

/** Where the fetch of a batch began. kafkajs keeps it on the batch without saying so in its types. */
const fetchedFrom = (batch: Batch): bigint => {
  const { fetchedOffset } = batch as Batch & { readonly fetchedOffset?: string | number }
  if (fetchedOffset !== undefined) return BigInt(fetchedOffset)
  throw new ConfigurationError({
    code: 'KAFKAJS_UNKNOWN',
    message: 'The batches of this Kafka client do not tell where they were fetched from: use kafkajs 2.2.',
  })
}

/** Hands what kafkajs fetches to the sinks, in order and without a gap, and notices when the end is reached. */
export class ConsumerLoop {
  readonly #options: ConsumerLoopOptions
  records = 0
  bytes = 0
  #ending = false
  #flushing = false

  constructor(options: ConsumerLoopOptions) {
    this.#options = options
  }

  /** Hands nothing over from now on. */
  end(): void {
    this.#ending = true
  }

  /** kafkajs's `eachBatch`. What fails here ends the consumer; only errors of heartbeats go back to kafkajs. */
  async eachBatch(payload: EachBatchPayload): Promise<void> {
    const { ownership } = this.#options
    const cursor = ownership.cursor(payload.batch)
    if (this.#ending || !cursor || cursor.position === undefined || cursor.busy || payload.isStale()) return
    const { signal } = cursor.interrupted
    cursor.busy = true
    try {
      // The sink still has a block that a failed heartbeat has stopped the last batch from waiting for.
      if (cursor.writing) await this.#beating(payload, abortable(cursor.writing, signal))
      const from = fetchedFrom(payload.batch)
      if (from === cursor.position || (await this.#accountFor(cursor, from, payload))) {
        await this.#handOver(cursor, from, payload)
      }
      if (!signal.aborted) await this.#beat(payload)
    } catch (error) {
      if (error instanceof HeartbeatFailure) {
        // Only now: what is called off before would hide the failure, and kafkajs has to hear of it to join again.
        await this.#heardOf(error)
        throw error.cause
      }
      if (!signal.aborted) this.#fail(cursor, error)
    } finally {
      cursor.busy = false
      this.checkReached()
    }
    // kafkajs joins again as soon as its handlers are done: let it wait until the sink has drained.
    if (signal.aborted && !this.#ending) await ownership.left
  }

  /**
   * kafkajs steps over batches in which it finds nothing to hand over (transaction markers, aborted transactions,
   * compacted records) and only tells by an event.
   */
  batchStarted({
    topic,
    partition,
    batchSize,
    firstOffset,
    lastOffset,
  }: ConsumerStartBatchProcessEvent['payload']): void {
    const cursor = this.#options.ownership.cursor({ topic, partition })
    if (batchSize > 0 || cursor?.position === undefined) return
    const from = BigInt(firstOffset ?? lastOffset)
    const next = BigInt(lastOffset) + 1n
    if (cursor.skippedTo === undefined && from === cursor.position) this.#stepTo(cursor, next)
    else if (from >= (cursor.skippedTo ?? cursor.position)) cursor.skippedTo = next
    this.checkReached()
  }

  /**
   * Looks whether the topics are those that were read, and compares positions that stood still with the log, asked once
   * a topic: kafkajs says nothing when an offset is out of range. Tells the lag afterwards.
   */
  async checkPositions(before: ReadonlyMap<PartitionCursor, bigint>): Promise<void> {
    const { ownership, onLag } = this.#options
    const still = [...before].filter(([cursor, position]) => cursor.position === position && !cursor.reached)
    const { generation } = ownership
    try {
      for (const topic of new Set([...before.keys()].map((cursor) => cursor.topic))) {
        await ownership.leaders?.identify(topic, generation, 1)
      }
      for (const topic of new Set(still.map(([{ topic }]) => topic))) {
        const ranges = await ownership.lookup.ranges(topic, generation, 1)
        for (const [cursor, position] of still) {
          if (cursor.topic !== topic || cursor.position !== position) continue
          const range = ranges.get(cursor.partition) ?? noLog
          cursor.logEnd = range.logEnd
          if (!this.#stoodStill(cursor, position)) continue
          const at = { topic, partition: cursor.partition, offset: position }
          if (positionProblem(at, range)) await ownership.lookup.verify(at, generation)
          if (!this.#stoodStill(cursor, position)) continue
          if (cursor.skippedTo !== undefined) this.#stepTo(cursor, cursor.skippedTo)
          else if (position < cursor.logEnd && cursor.holds.size === 0) ownership.fetching.seek(cursor)
        }
      }
    } catch (error) {
      // A passing failure is seen again by the next check.
      if (!generation.aborted && !(StockpipeError.isInstance(error) && error.retryable)) throw error
    }
    if (!this.#ending) onLag(this.lag())
    this.checkReached()
  }

  #stoodStill(cursor: PartitionCursor, position: bigint): boolean {
    return (
      !this.#ending &&
      this.#options.ownership.cursor(cursor) === cursor &&
      cursor.position === position &&
      !cursor.busy &&
      !cursor.reached
    )
  }

  /** Flushes the sinks once every partition has reached its target; if they still have then, that was all. */
  checkReached(): void {
    const { ownership, sinks, onReached, onFailure } = this.#options
    const reached = (): boolean =>
      ownership.settled && [...ownership.cursors.values()].every((cursor) => cursor.reached && !cursor.busy)
    if (this.#ending || this.#flushing || !reached()) return
    const { epoch } = ownership
    const unchanged = (): boolean => epoch === ownership.epoch && reached()
    this.#flushing = true
    void Promise.all([...sinks].map((sink) => sink.flush())).then(
      () => {
        this.#flushing = false
        if (unchanged()) onReached()
        else this.checkReached()
      },
      (error) => {
        this.#flushing = false
        // After a rebalance or a fencing the rows are read again, from where the other owner left off.
        if (unchanged()) onFailure(error)
        else this.checkReached()
      },
    )
  }

  /** Whether a batch that begins elsewhere than expected follows on from the position all the same. */
  async #accountFor(cursor: PartitionCursor, from: bigint, payload: EachBatchPayload): Promise<boolean> {
    const { ownership } = this.#options
    const { position } = cursor
    if (position === undefined) return false
    const at = { topic: cursor.topic, partition: cursor.partition, offset: position }
    await this.#beating(payload, ownership.lookup.verify(at, cursor.interrupted.signal))
    if (cursor.position !== position) return false
    if (cursor.skippedTo === from) {
      this.#stepTo(cursor, from)
      return true
    }
    // Left over from before a seek, or kafkajs jumped: the position is still in the log, so go back to it.
    ownership.fetching.seek(cursor)
    return false
  }

  async #handOver(cursor: PartitionCursor, from: bigint, payload: EachBatchPayload): Promise<void> {
    const { blockLimits, inflate, unpackedBy, onProgress } = this.#options
    const { batch } = payload
    const { signal } = cursor.interrupted
    const end = BigInt(batch.lastOffset()) + 1n
    const next = cursor.target !== undefined && cursor.target < end ? cursor.target : end
    const range = { position: cursor.handedTo, from, nextOffset: next }
    const batchBlocks =
      unpackedBy && cursor.sink.writeBatches && fetchedBatchBlocks(batch, range, blockLimits, unpackedBy)
    for (const block of batchBlocks || fetchedBlocks(batch, range, blockLimits, inflate)) {
      await this.#write(cursor, block, payload, signal)
      // Many small blocks take as long as a large one.
      await this.#beat(payload)
      if (signal.aborted) throw signal.reason
      this.#stepTo(cursor, block.nextOffset)
    }
    cursor.logEnd = BigInt(batch.highWatermark)
    this.#stepTo(cursor, next)
    payload.resolveOffset((next - 1n).toString())
    onProgress?.(this.progress())
  }

  async #write(
    cursor: PartitionCursor,
    block: RecordBlock | RecordBatchBlock,
    payload: EachBatchPayload,
    signal: AbortSignal,
  ): Promise<void> {
    // The sink may transfer the block's buffers to another thread.
    const bytes = bytesOf(block)
    const written = cursor.write(block).then((records) => {
      this.records += records
      this.bytes += bytes
    })
    try {
      await this.#beating(payload, abortable(written, signal))
    } catch (failure) {
      // What it fails with when nobody waits any more.
      written.catch((error) => {
        if (error !== failure) this.#fail(cursor, error)
      })
      throw failure
    }
  }

  #fail(cursor: PartitionCursor, error: unknown): void {
    const { ownership, onFailure } = this.#options
    if (this.#ending || ownership.cursor(cursor) !== cursor || cursor.standing === undefined) return
    if (isGivenUp(error)) ownership.fenced(cursor)
    else onFailure(error)
  }

  progress(): ConsumerProgress {
    return { records: this.records, bytes: this.bytes, lag: this.lag().records }
  }

  /** How far the partitions this member owns are behind, as far as is known. */
  lag(): ConsumerLag {
    const { ownership, runtime } = this.#options
    const now = runtime.now()
    return totalLag([...ownership.cursors.values()].flatMap((cursor) => cursor.lag(now) ?? []))
  }

  #stepTo(cursor: PartitionCursor, position: bigint): void {
    cursor.stepTo(position)
    if (cursor.reached) this.#options.ownership.fetching.hold(cursor, 'reached')
  }

  #beating<T>(payload: EachBatchPayload, promise: Promise<T>): Promise<T> {
    const { runtime, heartbeatIntervalMillis } = this.#options
    // kafkajs leaves out a heartbeat that comes a moment too soon: asked only once an interval, it would be late by one.
    return whileBeating(runtime, heartbeatIntervalMillis / 3, () => this.#beat(payload), promise)
  }

  async #beat(payload: EachBatchPayload): Promise<void> {
    try {
      await payload.heartbeat()
    } catch (cause) {
      throw new HeartbeatFailure(cause)
    }
  }

  async #heardOf({ cause }: HeartbeatFailure): Promise<void> {
    const { type = '' } = (cause ?? {}) as { readonly type?: string }
    const expelled = expelledErrors.has(type)
    if (expelled || rebalanceErrors.has(type)) await this.#options.ownership.interrupt({ expelled })
  }
}

/** The sink holds nothing of the partition any more, and it may be assigned anew: its records are read again. */
export const isGivenUp = (error: unknown): boolean =>
  StockpipeError.isInstance(error) && (error.name === 'FencedError' || error.name === 'EngineLostError')

/** Bytes of keys and values; of batches as they came over the wire. */
export const bytesOf = (block: RecordBlock | RecordBatchBlock): number =>
  'batches' in block ? block.batches.length : block.values.bytes.length + block.keys.bytes.length

/** Tells a failed heartbeat, which is for kafkajs to deal with, from everything else. */
class HeartbeatFailure {
  readonly cause: unknown

  constructor(cause: unknown) {
    this.cause = cause
  }
}
