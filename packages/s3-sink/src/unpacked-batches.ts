import { giveBlockMemory, type UnpackBatches } from '@stockpipe/core'
import type { Engine, EngineResponse } from './engine-messages.ts'
import { type BlockFacts, blockFacts } from './flush-group.ts'
import type { BatchesRequest } from './worker-messages.ts'

/** What an engine answered for the blocks of record batches, as for one block; and what they add to the open group. */
export interface TakenBatches<Responses = readonly EngineResponse[]> {
  readonly responses: Responses
  /** Null when nothing was left of the batches. */
  readonly facts: BlockFacts | null
}

/**
 * Unpacks record batches and has an engine take block after block. It must not stop within one. All of it is in when this
 * returns, but for the parts that are pulled.
 */
export const takeBatches = (
  engine: Engine,
  { block: batches, from, watermark }: BatchesRequest,
  unpack: UnpackBatches,
): TakenBatches<Iterable<EngineResponse>> => {
  const answered: Iterable<EngineResponse>[] = []
  let facts: BlockFacts | null = null
  for (const block of unpack(batches)) {
    if (block.nextOffset > from) {
      const added = blockFacts(block, facts?.next ?? from)
      facts = facts === null ? added : together(facts, added)
      answered.push(engine.handle({ kind: 'block', block, from, watermark }))
    }
    giveBlockMemory(block)
  }
  return { responses: asOne(answered), facts }
}

function* asOne(answered: readonly Iterable<EngineResponse>[]): Generator<EngineResponse, void, undefined> {
  let buffered: Buffered | undefined
  for (const responses of answered) {
    for (const response of responses) {
      if (response.kind !== 'buffered') yield response
      else buffered = buffered === undefined ? response : sumOf(buffered, response)
    }
  }
  if (buffered) yield buffered
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
