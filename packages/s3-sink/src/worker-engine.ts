import {
  EngineLostError,
  type RecordBatchBlock,
  type RecordBlock,
  StockpipeError,
  type TopicPartition,
} from '@stockpipe/core'
import { blockBytes } from './block-bytes.ts'
import type {
  BlockAnswer,
  BlockRequest,
  CutRequest,
  EncoderMemory,
  EngineHost,
  PartTaker,
} from './engine-host.ts'
import { EngineLane, type EngineThread } from './engine-lane.ts'
import type { EngineResponse } from './engine-messages.ts'
import { transferableBatches, transferableBlock } from './transfer-list.ts'
import type { TakenBatches } from './unpacked-batches.ts'
import type { BatchesRequest, WorkerAnswer } from './worker-messages.ts'

/** Workers that may end one after another without a group cut in between. */
const mostCrashes = 5

export interface WorkerEngineOptions {
  readonly workers: number
  readonly start: () => EngineThread
  /** The rows held of a log are gone with their worker. */
  readonly onLost: (log: TopicPartition, error: Error) => void
  /** A block is on its way: `takingBytes` has grown. */
  readonly onTaking: () => void
  /** A worker that holds more outside the JavaScript heap is replaced. */
  readonly maxEncoderBytes: number
  /** Groups it has cut at least by then, so that a limit set too low costs little. */
  readonly leastGroups: number
}

/** Rows of one partition log in one worker. */
interface Pin {
  readonly log: TopicPartition
  readonly lane: EngineLane
  lost?: Error
}

/**
 * Engines in worker threads. A partition log stays with one worker. One that ends takes its rows along: each log that has
 * some there is lost until it is discarded, and the next block starts a new worker. One whose memory has grown too far is
 * replaced: new groups begin in a new worker, and it ends when its last group has left.
 */
export class WorkerEngine implements EngineHost {
  readonly #options: WorkerEngineOptions
  readonly #lanes: (EngineLane | undefined)[]
  readonly #pins = new Map<string, Pin>()
  /** Lanes that are given no new groups. */
  readonly #retiring = new Set<EngineLane>()
  #takingBytes = 0
  #crashes = 0
  #closed = false

  constructor(options: WorkerEngineOptions) {
    this.#options = options
    this.#lanes = new Array(options.workers).fill(undefined)
  }

  get encoders(): readonly EncoderMemory[] {
    return this.#all()
  }

  get takingBytes(): number {
    return this.#takingBytes
  }

  async take(request: BlockRequest, signal: AbortSignal, onPart: PartTaker): Promise<BlockAnswer> {
    return this.#taking(request.block, signal, async (pin, release) => {
      const { block, buffers } = transferableBlock(request.block)
      const asked = pin.lane.ask({ ...request, block }, buffers)
      const { responses, last } = await this.#pulled(pin, asked, release, onPart)
      return { responses, block: last.block ?? block }
    })
  }

  async takeBatches(request: BatchesRequest, signal: AbortSignal, onPart: PartTaker): Promise<TakenBatches> {
    return this.#taking(request.block, signal, async (pin, release) => {
      const { batches, buffers } = transferableBatches(request.block)
      const asked = pin.lane.askBatches({ ...request, block: { ...request.block, batches } }, buffers)
      const { responses, last } = await this.#pulled(pin, asked, release, onPart)
      return { responses, facts: last.facts ?? null }
    })
  }

  async *cut(request: CutRequest): AsyncGenerator<EngineResponse, void, undefined> {
    const pin = this.#pins.get(nameOf(request.log))
    if (!pin) return
    refuseIfLost(pin)
    const { lane } = pin
    const id = lane.begin(request)
    let whole = false
    try {
      for (;;) {
        const { done, responses } = await this.#asked(pin, lane.pull(id))
        yield* responses
        if (done) break
      }
      whole = true
      this.#crashes = 0
      lane.groups += 1
      this.#unpin(pin)
      const { maxEncoderBytes, leastGroups } = this.#options
      if (lane.encoderBytes > maxEncoderBytes && lane.groups >= leastGroups) lane.retire()
    } finally {
      if (!whole) lane.giveUp(id)
    }
  }

  discard(log: TopicPartition): void {
    const pin = this.#pins.get(nameOf(log))
    if (!pin) return
    // What it fails with is told to whoever asks next.
    if (!pin.lost) pin.lane.ask({ kind: 'discard', log: pin.log }).catch(() => {})
    this.#unpin(pin)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#pins.clear()
    await Promise.all(this.#all().map((lane) => lane.close()))
  }

  /**
   * Has something of a partition log taken by its worker, once that has room for it.
   *
   * @param take calls `release` as soon as the worker has room again
   */
  async #taking<Answer>(
    block: RecordBlock | RecordBatchBlock,
    signal: AbortSignal,
    take: (pin: Pin, release: () => void) => Promise<Answer>,
  ): Promise<Answer> {
    const bytes = blockBytes(block)
    this.#takingBytes += bytes
    this.#options.onTaking()
    try {
      const pin = this.#pinned(block)
      const release = await pin.lane.credits.acquire(signal)
      try {
        refuseIfLost(pin)
        if (this.#pins.get(nameOf(pin.log)) !== pin) throw discarded(pin.log)
        return await take(pin, release)
      } finally {
        release()
      }
    } finally {
      this.#takingBytes -= bytes
    }
  }

  /** Pulls what is answered, part by part. Answers the other responses, and the last answer. */
  async #pulled(pin: Pin, asked: Promise<WorkerAnswer>, release: () => void, onPart: PartTaker) {
    const responses: EngineResponse[] = []
    let last = await this.#asked(pin, asked)
    // What was asked is in: its parts wait for S3, not for the worker.
    release()
    try {
      for (;;) {
        for (const response of last.responses) {
          if (response.kind === 'part') await onPart(response)
          else responses.push(response)
        }
        if (last.done) return { responses, last }
        last = await this.#asked(pin, pin.lane.pull(last.id))
      }
    } catch (error) {
      if (!last.done) pin.lane.giveUp(last.id)
      throw error
    }
  }

  #all(): EngineLane[] {
    return [...this.#lanes.filter((lane) => lane !== undefined), ...this.#retiring]
  }

  #pinned({ topic, partition }: TopicPartition): Pin {
    const name = nameOf({ topic, partition })
    const known = this.#pins.get(name)
    if (known) {
      refuseIfLost(known)
      return known
    }
    const pin: Pin = { log: { topic, partition }, lane: this.#lane(partition % this.#lanes.length) }
    this.#pins.set(name, pin)
    return pin
  }

  #unpin(pin: Pin): void {
    if (this.#pins.get(nameOf(pin.log)) !== pin) return
    this.#pins.delete(nameOf(pin.log))
    if (this.#retiring.has(pin.lane)) this.#endUnlessPinned(pin.lane)
  }

  #lane(index: number): EngineLane {
    const present = this.#lanes[index]
    if (present) return present
    if (this.#closed) throw new StockpipeError({ code: 'ENGINE_CLOSED', message: 'The engine is closed.' })
    const lane: EngineLane = new EngineLane(
      this.#options.start(),
      (reason) => this.#ended(lane, reason),
      () => this.#retired(lane),
    )
    this.#lanes[index] = lane
    return lane
  }

  #retired(lane: EngineLane): void {
    this.#remove(lane)
    this.#retiring.add(lane)
    this.#endUnlessPinned(lane)
  }

  #endUnlessPinned(lane: EngineLane): void {
    if ([...this.#pins.values()].some((pin) => pin.lane === lane)) return
    this.#retiring.delete(lane)
    lane.drain()
  }

  #remove(lane: EngineLane): void {
    const index = this.#lanes.indexOf(lane)
    if (index >= 0) this.#lanes[index] = undefined
    this.#retiring.delete(lane)
  }

  #ended(lane: EngineLane, reason: Error): void {
    this.#crashes += 1
    this.#remove(lane)
    for (const pin of this.#pins.values()) {
      if (pin.lane !== lane) continue
      pin.lost = this.#lost(pin.log, reason)
      this.#options.onLost(pin.log, pin.lost)
    }
  }

  /** What ended the worker while it was asked is told in the terms of the log. */
  async #asked<Answer>(pin: Pin, asked: Promise<Answer>): Promise<Answer> {
    try {
      return await asked
    } catch (error) {
      const { ended } = pin.lane
      throw pin.lost ?? (ended ? this.#lost(pin.log, ended) : error)
    }
  }

  #lost({ topic, partition }: TopicPartition, cause: Error): Error {
    const what = `The worker thread that held the open group of ${topic}-${partition} ended: ${cause.message}.`
    const facts = { topic, partition }
    return this.#crashes < mostCrashes
      ? new EngineLostError({
          code: 'ENGINE_WORKER_LOST',
          message: `${what} Nothing of it was published; assign the partition anew, and its records are read again.`,
          retryable: true,
          cause,
          facts,
        })
      : new StockpipeError({
          code: 'ENGINE_WORKERS_FAIL',
          message: `${what} That makes ${this.#crashes} in a row without a group published: look at the cause, and at the memory the process may use.`,
          cause,
          facts,
        })
  }
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`

const refuseIfLost = ({ lost }: Pin): void => {
  if (lost) throw lost
}

const discarded = ({ topic, partition }: TopicPartition): StockpipeError =>
  new StockpipeError({
    code: 'BLOCK_DISCARDED',
    message: `${topic}-${partition} was discarded before a block of it was taken.`,
    facts: { topic, partition },
  })
