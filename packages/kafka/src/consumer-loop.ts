import { ConfigurationError, type PartitionedSink, type Runtime, StockpipeError } from '@stockpipe/core'
import type { Batch, ConsumerStartBatchProcessEvent, EachBatchPayload } from 'kafkajs'
import type { ConsumerProgress } from './consumer-options.ts'
import { type BlockLimits, messageBlocks } from './message-blocks.ts'
import type { PartitionCursor } from './partition-cursor.ts'
import type { PartitionOwnership } from './partition-ownership.ts'
import { abortable, whileBeating } from './waiting.ts'

export interface ConsumerLoopOptions {
  readonly ownership: PartitionOwnership
  readonly sinks: ReadonlySet<PartitionedSink>
  readonly runtime: Runtime
  readonly blockLimits: BlockLimits
  readonly heartbeatIntervalMillis: number
  readonly onProgress: ((progress: ConsumerProgress) => void) | undefined
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
    const { ownership, onFailure } = this.#options
    const cursor = ownership.cursor(payload.batch)
    if (this.#ending || !cursor || cursor.position === undefined || cursor.busy || payload.isStale()) return
    const { signal } = cursor.lost
    cursor.busy = true
    try {
      const from = fetchedFrom(payload.batch)
      if (from === cursor.position || (await this.#accountFor(cursor, from, payload))) {
        await this.#handOver(cursor, payload)
      }
      if (!signal.aborted) await this.#beat(payload)
    } catch (error) {
      if (error instanceof HeartbeatFailure) throw error.cause
      if (!signal.aborted) {
        if (StockpipeError.isInstance(error) && error.name === 'FencedError') ownership.fenced(cursor)
        else onFailure(error)
      }
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
    if (cursor.skippedTo === undefined && from === cursor.position) this.#advance(cursor, next)
    else if (from >= (cursor.skippedTo ?? cursor.position)) cursor.skippedTo = next
    this.checkReached()
  }

  /** Compares positions that stood still with the log: kafkajs says nothing when an offset is out of range. */
  async checkPositions(before: ReadonlyMap<PartitionCursor, bigint>): Promise<void> {
    const { ownership } = this.#options
    for (const [cursor, position] of before) {
      if (!this.#stoodStill(cursor, position)) continue
      const { signal } = cursor.lost
      try {
        cursor.logEnd = (await ownership.verify(cursor, position, signal)).logEnd
      } catch (error) {
        // A passing failure is seen again by the next check.
        if (signal.aborted || (StockpipeError.isInstance(error) && error.retryable)) continue
        throw error
      }
      if (!this.#stoodStill(cursor, position)) continue
      if (cursor.skippedTo !== undefined) this.#advance(cursor, cursor.skippedTo)
      else if (position < cursor.logEnd && cursor.holds.size === 0) ownership.seek(cursor)
    }
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
    const { ownership, runtime, heartbeatIntervalMillis } = this.#options
    const position = cursor.position!
    await whileBeating(
      runtime,
      heartbeatIntervalMillis,
      () => this.#beat(payload),
      ownership.verify(cursor, position, cursor.lost.signal),
    )
    if (cursor.position !== position) return false
    if (cursor.skippedTo === from) {
      this.#advance(cursor, from)
      return true
    }
    // Left over from before a seek, or kafkajs jumped: the position is still in the log, so go back to it.
    ownership.seek(cursor)
    return false
  }

  async #handOver(cursor: PartitionCursor, payload: EachBatchPayload): Promise<void> {
    const { runtime, heartbeatIntervalMillis, blockLimits, onProgress } = this.#options
    const { batch } = payload
    const { signal } = cursor.lost
    const end = BigInt(batch.lastOffset()) + 1n
    const next = cursor.target !== undefined && cursor.target < end ? cursor.target : end
    for (const block of messageBlocks(batch, cursor.handedTo, next, blockLimits)) {
      const written = abortable(cursor.sink.write(block), signal)
      await whileBeating(runtime, heartbeatIntervalMillis, () => this.#beat(payload), written)
      if (signal.aborted) throw signal.reason
      this.records += block.count
      this.bytes += block.values.bytes.length + block.keys.bytes.length
      cursor.handedTo = block.nextOffset
      this.#advance(cursor, block.nextOffset)
    }
    cursor.logEnd = BigInt(batch.highWatermark)
    this.#advance(cursor, next)
    payload.resolveOffset((next - 1n).toString())
    onProgress?.(this.progress())
  }

  progress(): ConsumerProgress {
    let lag = 0n
    for (const cursor of this.#options.ownership.cursors.values()) lag += cursor.lag
    return { records: this.records, bytes: this.bytes, lag: Number(lag) }
  }

  #advance(cursor: PartitionCursor, position: bigint): void {
    cursor.position = position
    cursor.skippedTo = undefined
    if (cursor.reached) this.#options.ownership.hold(cursor, 'reached')
  }

  /** kafkajs itself leaves out heartbeats that come too soon. */
  async #beat(payload: EachBatchPayload): Promise<void> {
    try {
      await payload.heartbeat()
    } catch (cause) {
      const { type } = cause as { readonly type?: string }
      if (rebalanceErrors.has(type ?? '')) await this.#options.ownership.leave({ drain: true })
      else if (expelledErrors.has(type ?? '')) await this.#options.ownership.leave({ drain: false })
      throw new HeartbeatFailure(cause)
    }
  }
}

/** Tells a failed heartbeat, which is for kafkajs to deal with, from everything else. */
class HeartbeatFailure {
  readonly cause: unknown

  constructor(cause: unknown) {
    this.cause = cause
  }
}
