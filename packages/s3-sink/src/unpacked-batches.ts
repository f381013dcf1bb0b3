import { giveBlockMemory, type UnpackBatches } from '@stockpipe/core'
import type { Engine, EngineResponse } from './engine-messages.ts'
import { type BlockFacts, blockFacts } from './flush-group.ts'
import type { BatchesRequest } from './worker-messages.ts'

/** What an engine answered for the blocks of record batches, as for one block; and what they add to the open group. */
export interface TakenBatches {
  readonly responses: readonly EngineResponse[]
  /** Null when nothing was left of the batches. */
  readonly facts: BlockFacts | null
}

/** Unpacks record batches and has an engine take block after block. It must not stop within one. */
export const takeBatches = (
  engine: Engine,
  { block: batches, from, watermark }: BatchesRequest,
  unpack: UnpackBatches,
): TakenBatches => {
  const responses: EngineResponse[] = []
  let buffered: (EngineResponse & { kind: 'buffered' }) | undefined
  let facts: BlockFacts | null = null
  for (const block of unpack(batches)) {
    if (block.nextOffset > from) {
      const added = blockFacts(block, facts?.next ?? from)
      facts = facts === null ? added : together(facts, added)
      for (const response of engine.handle({ kind: 'block', block, from, watermark })) {
        if (response.kind !== 'buffered') responses.push(response)
        else buffered = buffered === undefined ? response : sumOf(buffered, response)
      }
    }
    giveBlockMemory(block)
  }
  if (buffered) responses.push(buffered)
  return { responses, facts }
}

const together = (before: BlockFacts, added: BlockFacts): BlockFacts => ({
  next: added.next,
  records: before.records + added.records,
  holes: [...before.holes, ...added.holes],
  lastRecord: added.lastRecord ?? before.lastRecord,
})

type Buffered = EngineResponse & { kind: 'buffered' }

const sumOf = (before: Buffered, added: Buffered): Buffered => ({
  ...added,
  rows: before.rows + added.rows,
  deadLetters: before.deadLetters + added.deadLetters,
  skipped: before.skipped + added.skipped,
})
