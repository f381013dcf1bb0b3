import type { ColumnMemory } from './column-memory.ts'

/** Memory beyond this is not kept for the next row group. */
const mostBytes = 32 * 1024 * 1024

let memory = new ArrayBuffer(0)
let taken = 0
let wanted = 0

/**
 * Memory for the columns of one row group, used again for the next one: fresh memory costs more than filling it.
 * What was taken holds until the next `begin`; it is not cleared.
 */
export const scratchMemory = {
  begin(): void {
    if (wanted > memory.byteLength && wanted <= mostBytes) memory = new ArrayBuffer(wanted)
    taken = 0
    wanted = 0
  },

  take(bytes: number): Int32Array<ArrayBuffer> {
    const length = (bytes + 7) & ~7
    wanted += length
    if (taken + length > memory.byteLength) return new Int32Array(length >> 2)
    taken += length
    return new Int32Array(memory, taken - length, length >> 2)
  },

  /** It is taken back by `begin`, all at once. */
  give() {},

  /** Memory kept. */
  get capacityBytes(): number {
    return memory.byteLength
  },
} satisfies ColumnMemory & { readonly capacityBytes: number; begin(): void }
