/** Where the arrays of columns come from. */
export interface ColumnMemory {
  /** At least `bytes` bytes, in whole 8-byte words; they are not cleared. */
  take(bytes: number): Int32Array<ArrayBuffer>
  /** Takes back what `take` has answered; nobody may look into it any more. */
  give(words: Int32Array<ArrayBuffer>): void
}

/** Memory of its own for each array. */
export const freshMemory: ColumnMemory = {
  take: (bytes) => new Int32Array(((bytes + 7) >> 3) * 2),
  give() {},
}
