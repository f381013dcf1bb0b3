import type { ByteDictionary } from '@stockpipe/core'
import { ByteInterner } from './byte-interner.ts'
import { type ColumnMemory, freshMemory } from './column-memory.ts'
import { isNull } from './validity-buffer.ts'

/**
 * The distinct strings of one column over all paths of a flush group: a string is hashed once a batch,
 * and a file's own dictionary is picked out of it at the cut.
 */
export class SharedDictionary {
  #interner = new ByteInterner()
  #moved: SharedDictionary | undefined
  #batch: ByteDictionary = { offsets: new Int32Array(1), bytes: new Uint8Array(0) }
  /** Code in the batch -> code here; -1 until it is met, so that strings no row uses are not kept. */
  #codes = new Int32Array(0)
  /** Code here -> code in the file being made; -1 outside `compact`. */
  #fileCodes = new Int32Array(0)

  /** Strings held, also of rows that have left. */
  get count(): number {
    return this.#interner.count
  }

  get capacityBytes(): number {
    return this.#interner.capacityBytes + this.#codes.byteLength + this.#fileCodes.byteLength
  }

  /** From here on codes given to `codeOf` are of that batch's dictionary. */
  begin(batch: ByteDictionary): void {
    this.#batch = batch
    this.#codes = new Int32Array(batch.offsets.length - 1).fill(-1)
  }

  /** Forgets every string: no path holds codes any more. */
  clear(): void {
    this.#interner.release()
    this.#interner = new ByteInterner()
    this.#fileCodes = new Int32Array(0)
    this.#codes.fill(-1)
  }

  /** Bytes of a string, by its code here. */
  lengthOf(code: number): number {
    return this.#interner.lengthOf(code)
  }

  /** The batch's dictionary, or the one moved from, is let go. */
  end(): void {
    this.#moved?.clear()
    this.#moved = undefined
    this.begin({ offsets: new Int32Array(1), bytes: new Uint8Array(0) })
  }

  /** From here on codes given to `movedCode` are of that dictionary, until `end`. */
  beginMove(from: SharedDictionary): void {
    this.#moved = from
    this.#codes = new Int32Array(from.count).fill(-1)
  }

  /** The code here of a string of the dictionary that is moved from. */
  movedCode(code: number): number {
    const known = this.#codes[code]!
    if (known >= 0) return known
    const moved = this.#interner.internFrom(this.#moved!.#interner, code)
    this.#codes[code] = moved
    return moved
  }

  codeOf(batchCode: number): number {
    const known = this.#codes[batchCode]!
    if (known >= 0) return known
    const { offsets, bytes } = this.#batch
    const code = this.#interner.intern(bytes, offsets[batchCode]!, offsets[batchCode + 1]!)
    this.#codes[batchCode] = code
    return code
  }

  /**
   * The codes renumbered by first appearance, with the dictionary they then stand for, in that memory; nulls become 0.
   */
  compact(
    codes: Int32Array,
    validity: Uint8Array | null,
    memory: ColumnMemory = freshMemory,
  ): { readonly codes: Int32Array; readonly dictionary: ByteDictionary } {
    if (this.#fileCodes.length < this.#interner.count) {
      this.#fileCodes = new Int32Array(this.#interner.count).fill(-1)
    }
    const fileCodes = this.#fileCodes
    const compacted = memory
      .take(codes.length * 4)
      .subarray(0, codes.length)
      .fill(0)
    const used = memory.take(Math.min(codes.length, this.#interner.count) * 4)
    let count = 0
    for (let row = 0; row < codes.length; row += 1) {
      if (isNull(validity, row)) continue
      const code = codes[row]!
      let fileCode = fileCodes[code]!
      if (fileCode < 0) {
        fileCode = count
        fileCodes[code] = fileCode
        used[count] = code
        count += 1
      }
      compacted[row] = fileCode
    }
    const entries = used.subarray(0, count)
    for (const code of entries) fileCodes[code] = -1
    return { codes: compacted, dictionary: this.#interner.select(entries, memory) }
  }
}
