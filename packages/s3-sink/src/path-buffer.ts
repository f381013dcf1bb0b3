import type { ColumnBatch, ColumnVector } from '@stockpipe/core'
import { createColumnBuffer } from './column-buffer.ts'
import type { RowSelection } from './row-selection.ts'
import type { SharedDictionary } from './shared-dictionary.ts'

/** The rows of one path of a flush group, as columns. */
export class PathBuffer {
  readonly partitionValues: readonly (string | null)[]
  readonly #columns: ReturnType<typeof createColumnBuffer>[]
  readonly #offsets = createColumnBuffer('int64', undefined)
  #rows = 0

  constructor(
    partitionValues: readonly (string | null)[],
    kinds: readonly ColumnVector['kind'][],
    dictionaries: readonly (SharedDictionary | undefined)[],
  ) {
    this.partitionValues = partitionValues
    this.#columns = kinds.map((kind, index) => createColumnBuffer(kind, dictionaries[index]))
  }

  get rows(): number {
    return this.#rows
  }

  /** Memory held, estimated. */
  get capacityBytes(): number {
    let bytes = this.#offsets.capacityBytes + (this.#columns.length + 1) * 300
    for (const column of this.#columns) bytes += column.capacityBytes
    return bytes
  }

  /** Bytes of the values, without room to grow and without dictionaries. */
  get payloadBytes(): number {
    let bytes = 0
    for (const column of this.#columns) bytes += column.payloadBytes(this.#rows)
    return bytes
  }

  /** The dictionaries of the batch must have been begun. */
  append(batch: ColumnBatch, selection: RowSelection): void {
    for (let index = 0; index < this.#columns.length; index += 1) {
      this.#columns[index]!.append(batch.columns[index]!, selection, this.#rows)
    }
    this.#offsets.append({ kind: 'int64', values: batch.offsets, validity: null }, selection, this.#rows)
    this.#rows += selection.end - selection.start
  }

  /** The rows held; it shares memory with the buffer and holds until the next `append`. */
  batch(): ColumnBatch {
    const offsets = this.#offsets.vector(this.#rows) as ColumnVector & { kind: 'int64' }
    return {
      rows: this.#rows,
      columns: this.#columns.map((column) => column.vector(this.#rows)),
      offsets: offsets.values,
    }
  }
}
