/** Rows of a batch to be taken over: `order[start, end)` are row numbers. */
export interface RowSelection {
  readonly order: Uint32Array
  readonly start: number
  readonly end: number
}

/** The least capacity of a buffer. */
const smallest = 32

/** What a buffer grows to so that it holds `needed`: at least twice what it had. */
export const grownCapacity = (capacity: number, needed: number): number =>
  Math.max(smallest, needed, needed > capacity ? capacity * 2 : capacity)

let rowNumbers = new Uint32Array(0)

/** The rows `[start, end)` in their order. */
export const rowRange = (start: number, end: number): RowSelection => {
  if (rowNumbers.length < end) {
    rowNumbers = Uint32Array.from({ length: grownCapacity(rowNumbers.length, end) }, (_, row) => row)
  }
  return { order: rowNumbers, start, end }
}
