import type { Validity } from '@stockpipe/core'
import { grownCapacity, type RowSelection } from './row-selection.ts'

/** Whether a row has no value. */
export const isNull = (validity: Validity, row: number): boolean =>
  validity !== null && ((validity[row >> 3]! >> (row & 7)) & 1) === 0

/** Validity bitmap that exists only once a null was met; bits of rows not yet held are set. */
export class ValidityBuffer {
  #bits: Uint8Array | null = null

  get capacityBytes(): number {
    return this.#bits === null ? 0 : this.#bits.byteLength
  }

  append(validity: Validity, { order, start, end }: RowSelection, rows: number): void {
    const needed = (rows + end - start + 7) >> 3
    if (this.#bits !== null) this.#reserve(needed)
    if (validity === null) return
    for (let index = start; index < end; index += 1) {
      const row = order[index]!
      if (!isNull(validity, row)) continue
      if (this.#bits === null) this.#reserve(needed)
      const at = rows + index - start
      this.#bits![at >> 3]! &= ~(1 << (at & 7))
    }
  }

  /** Appends rows `[start, end)` of another buffer. */
  appendFrom({ validity }: { readonly validity: Validity }, start: number, end: number, rows: number): void {
    const needed = (rows + end - start + 7) >> 3
    if (this.#bits !== null) this.#reserve(needed)
    if (validity === null) return
    for (let row = start; row < end; row += 1) {
      if (!isNull(validity, row)) continue
      if (this.#bits === null) this.#reserve(needed)
      const at = rows + row - start
      this.#bits![at >> 3]! &= ~(1 << (at & 7))
    }
  }

  /** The bits held, and more. */
  get validity(): Validity {
    return this.#bits
  }

  bitmap(rows: number): Validity {
    return this.#bits === null ? null : this.#bits.subarray(0, (rows + 7) >> 3)
  }

  #reserve(needed: number): void {
    const held = this.#bits?.length ?? 0
    if (held >= needed) return
    const grown = new Uint8Array(grownCapacity(held, needed)).fill(0xff)
    if (this.#bits !== null) grown.set(this.#bits)
    this.#bits = grown
  }
}
