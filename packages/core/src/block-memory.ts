import { freeMemory } from './free-memory.ts'
import { MemoryPool } from './memory-pool.ts'
import type { RecordBlock } from './record-block.ts'

/**
 * Memory of record blocks. Whoever makes blocks may take it from here; whoever has a block and is done with it may give
 * it back, and then nobody may look into the block any more. Both need not.
 */
export const blockMemory = new MemoryPool(32 * 1024 * 1024, (memory) => freeMemory(new Uint8Array(memory)))

/** The buffers of a block, each once. */
export const blockBuffers = (block: RecordBlock): ReadonlySet<ArrayBufferLike> => {
  const packed = [block.values, block.keys, ...(block.headers ? [block.headers] : [])]
  return new Set([
    ...packed.flatMap(({ bytes, starts, lengths }) => [bytes.buffer, starts.buffer, lengths.buffer]),
    block.timestamps.buffer,
    block.offsetDeltas.buffer,
  ])
}

/** Gives back what a block has of `blockMemory`. */
export const giveBlockMemory = (block: RecordBlock): void => {
  for (const buffer of blockBuffers(block)) blockMemory.give(buffer)
}
