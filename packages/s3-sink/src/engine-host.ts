import { giveBlockMemory, type RecordBlock, type TopicPartition } from '@stockpipe/core'
import type { Engine, EngineRequest, EngineResponse } from './engine-messages.ts'
import type { TakenBatches } from './unpacked-batches.ts'
import type { BatchesRequest } from './worker-messages.ts'

export type BlockRequest = Extract<EngineRequest, { kind: 'block' }>
export type PartResponse = Extract<EngineResponse, { kind: 'part' }>
export type CutRequest = Extract<EngineRequest, { kind: 'cut' }>

/** Takes a part over; resolves when the next one may come. */
export type PartTaker = (part: PartResponse) => Promise<void>

/** What became of a block. */
export interface BlockAnswer {
  /** Without the parts. */
  readonly responses: readonly EngineResponse[]
  /** The block as it is after it was taken; only to be used where the engine stopped within it, or took nothing of it. */
  readonly block: RecordBlock
}

/** What the engines of a thread hold together outside the JavaScript heap, as one of them has last answered. */
export interface EncoderMemory {
  /** Tells threads apart. */
  readonly thread: object
  readonly encoderBytes: number
}

/**
 * An engine as a sink reaches it: on its own thread or in a worker. Requests of one partition log are done in the
 * order they are made; the buffers of a block are the engine's once it is handed over.
 */
export interface EngineHost {
  readonly encoders: readonly EncoderMemory[]
  /** Bytes of the blocks that were handed over and are not taken yet. */
  readonly takingBytes: number
  /**
   * Takes a block; resolves when `onPart` has taken every part that was whole by then, one after another. Rejects with
   * what the engine threw, or `onPart`.
   */
  take(request: BlockRequest, signal: AbortSignal, onPart: PartTaker): Promise<BlockAnswer>
  /** As `take`, for record batches that it unpacks; absent where blocks are unpacked before. */
  takeBatches?(request: BatchesRequest, signal: AbortSignal, onPart: PartTaker): Promise<TakenBatches>
  /** Encodes a flush group, as far as it is pulled. */
  cut(request: CutRequest): Iterable<EngineResponse> | AsyncIterable<EngineResponse>
  /** Forgets what is held of a partition log. */
  discard(log: TopicPartition): void
  close(): Promise<void>
}

/** Whether the engine is done with a block that it was handed. */
export const isTaken = (responses: readonly EngineResponse[]): boolean =>
  !responses.some(
    (response) =>
      response.kind === 'schemas-missing' ||
      (response.kind === 'buffered' && response.stoppedAt !== undefined),
  )

const callersThread = {}

/** An engine on the thread of its caller. @param keepsBlocks it may look into blocks later */
export const inlineEngine = (engine: Engine, keepsBlocks = false): EngineHost => ({
  encoders: [
    {
      thread: callersThread,
      get encoderBytes() {
        return engine.encoderBytes ?? 0
      },
    },
  ],
  // A block is taken at once.
  takingBytes: 0,
  async take(request, _, onPart) {
    const { block } = request
    const responses: EngineResponse[] = []
    for (const response of engine.handle(request)) {
      if (response.kind === 'part') await onPart(response)
      else responses.push(response)
    }
    if (!keepsBlocks && isTaken(responses)) giveBlockMemory(block)
    return { responses, block }
  },
  cut: (request) => engine.handle(request),
  discard: (log) => void engine.handle({ kind: 'discard', log }),
  close: async () => engine.close(),
})
