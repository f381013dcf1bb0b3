import { freeMemory, MemoryPool } from '@stockpipe/core'
import type { ColumnMemory } from './column-memory.ts'

const pool = new MemoryPool(16 * 1024 * 1024, (memory) => freeMemory(new Uint8Array(memory)))

/** Memory of rows that are buffered, used again for others once they are let go. */
export const rowMemory = {
  take: (bytes) => new Int32Array(pool.take(bytes)),
  give: ({ buffer }) => pool.give(buffer),

  /** Bytes kept for the rows to come. */
  get capacityBytes(): number {
    return pool.freeBytes
  },
} satisfies ColumnMemory & { readonly capacityBytes: number }
