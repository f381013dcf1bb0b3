import type { ColumnBatch, ColumnDefinition } from '@stockpipe/core'
import { type ColumnBuffer, createColumnBuffer } from './column-buffer.ts'
import { rowRange } from './row-selection.ts'
import { SharedDictionary } from './shared-dictionary.ts'
import { vectorKind } from './vector-kind.ts'

interface CollectedColumn {
  readonly buffer: ColumnBuffer
  readonly dictionary: SharedDictionary | undefined
}

/** Puts batches together to one. */
export class RowCollector {
  readonly #columns: readonly CollectedColumn[]
  rows = 0

  constructor(columns: readonly ColumnDefinition[]) {
    this.#columns = columns.map(({ type }) => {
      const kind = vectorKind(type)
      const dictionary = kind === 'dictionary' ? new SharedDictionary() : undefined
      return { dictionary, buffer: createColumnBuffer(kind, dictionary) }
    })
  }

  /** Memory held. */
  get capacityBytes(): number {
    return this.#columns.reduce(
      (sum, { buffer, dictionary }) => sum + buffer.capacityBytes + (dictionary?.capacityBytes ?? 0),
      0,
    )
  }

  /** Bytes of the values of rows `[start, end)`; a string counts as often as it stands in a row. */
  payloadBytes(start: number, end: number): number {
    return this.#columns.reduce((sum, { buffer }) => sum + buffer.payloadBytes(start, end), 0)
  }

  /** Takes rows `[from, to)` of a batch, or all. */
  add(batch: ColumnBatch, from = 0, to = batch.rows): void {
    const selection = rowRange(from, to)
    for (const [index, { buffer, dictionary }] of this.#columns.entries()) {
      const vector = batch.columns[index]!
      if (vector.kind === 'dictionary') dictionary!.begin(vector.dictionary)
      buffer.append(vector, selection, this.rows)
      dictionary?.end()
    }
    this.rows += to - from
  }

  /** All rows; the collector is over. */
  batch(): ColumnBatch {
    return {
      rows: this.rows,
      columns: this.#columns.map(({ buffer }) => buffer.vector(this.rows)),
      offsets: BigInt64Array.from({ length: this.rows }, (_, row) => BigInt(row)),
    }
  }
}
