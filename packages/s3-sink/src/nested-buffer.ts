import { type ColumnVector, StockpipeError, type Validity } from '@stockpipe/core'
import type { ColumnBuffer } from './column-buffer.ts'
import { grownCapacity, type RowSelection, rowRange } from './row-selection.ts'
import { isNull, ValidityBuffer } from './validity-buffer.ts'

type NestedVector = Extract<ColumnVector, { readonly kind: 'list' | 'map' | 'struct' }>

/** Makes the buffer of a vector within another one. */
type BufferOf = (kind: ColumnVector['kind']) => ColumnBuffer

/** Objects, estimated. */
const childBytes = 300
/** Arrow's offsets are signed 32-bit integers. */
const maximumElements = 2 ** 31 - 1

/** An empty buffer for lists, maps or structs; those within it are made when the first rows tell their kinds. */
export const createNestedBuffer = (kind: NestedVector['kind'], bufferOf: BufferOf): ColumnBuffer =>
  kind === 'struct' ? new StructBuffer(bufferOf) : new RepeatedBuffer(kind, bufferOf)

/** The vectors within a vector. */
const childrenOf = (vector: NestedVector): readonly ColumnVector[] => {
  switch (vector.kind) {
    case 'list':
      return [vector.element]
    case 'map':
      return [vector.key, vector.value]
    case 'struct':
      return vector.fields
  }
}

/** The buffers of what lies within a column, all with the same rows. */
class ChildBuffers {
  readonly #bufferOf: BufferOf
  #buffers: readonly ColumnBuffer[] = []

  constructor(bufferOf: BufferOf) {
    this.#bufferOf = bufferOf
  }

  get capacityBytes(): number {
    return this.#buffers.reduce((sum, buffer) => sum + buffer.capacityBytes + childBytes, 0)
  }

  payloadBytes(start: number, end: number): number {
    return this.#buffers.reduce((sum, buffer) => sum + buffer.payloadBytes(start, end), 0)
  }

  append(vectors: readonly ColumnVector[], selection: RowSelection, rows: number): void {
    if (this.#buffers.length === 0) this.#buffers = vectors.map(({ kind }) => this.#bufferOf(kind))
    for (let index = 0; index < vectors.length; index += 1) {
      this.#buffers[index]!.append(vectors[index]!, selection, rows)
    }
  }

  vectors(rows: number): readonly ColumnVector[] {
    return this.#buffers.map((buffer) => buffer.vector(rows))
  }
}

class StructBuffer implements ColumnBuffer {
  readonly #validity = new ValidityBuffer()
  readonly #fields: ChildBuffers

  constructor(bufferOf: BufferOf) {
    this.#fields = new ChildBuffers(bufferOf)
  }

  get capacityBytes(): number {
    return this.#fields.capacityBytes + this.#validity.capacityBytes
  }

  payloadBytes(start: number, end: number): number {
    return this.#fields.payloadBytes(start, end)
  }

  appendFrom(source: ColumnBuffer, start: number, end: number, rows: number): void {
    this.append(source.vector(end), rowRange(start, end), rows)
  }

  append(vector: ColumnVector, selection: RowSelection, rows: number): void {
    if (vector.kind !== 'struct') throw mismatch('struct', vector.kind)
    this.#validity.append(vector.validity, selection, rows)
    this.#fields.append(vector.fields, selection, rows)
  }

  vector(rows: number): ColumnVector {
    return { kind: 'struct', fields: this.#fields.vectors(rows), validity: this.#validity.bitmap(rows) }
  }
}

/** Lists and maps: offsets, and the elements or the keys and values they point into. */
class RepeatedBuffer implements ColumnBuffer {
  readonly #kind: 'list' | 'map'
  readonly #validity = new ValidityBuffer()
  readonly #children: ChildBuffers
  #offsets = new Int32Array(1)
  /** Elements or entries held. */
  #length = 0

  constructor(kind: 'list' | 'map', bufferOf: BufferOf) {
    this.#kind = kind
    this.#children = new ChildBuffers(bufferOf)
  }

  get capacityBytes(): number {
    return this.#offsets.byteLength + this.#children.capacityBytes + this.#validity.capacityBytes
  }

  payloadBytes(start: number, end: number): number {
    return (end - start) * 4 + this.#children.payloadBytes(this.#offsets[start]!, this.#offsets[end]!)
  }

  appendFrom(source: ColumnBuffer, start: number, end: number, rows: number): void {
    this.append(source.vector(end), rowRange(start, end), rows)
  }

  append(vector: ColumnVector, selection: RowSelection, rows: number): void {
    if (vector.kind !== this.#kind) throw mismatch(this.#kind, vector.kind)
    const { validity, offsets } = vector as NestedVector & { kind: 'list' | 'map' }
    const elements = elementsOf(offsets, validity, selection)
    if (this.#length + elements.length > maximumElements) {
      throw new StockpipeError({
        code: 'COLUMN_TOO_LARGE',
        message: `The lists of a column of one flush group would have more than ${maximumElements} elements; cut flush groups earlier.`,
      })
    }
    this.#validity.append(validity, selection, rows)
    this.#reserve(rows + selection.end - selection.start + 1)
    let end = this.#length
    for (let index = selection.start; index < selection.end; index += 1) {
      const row = selection.order[index]!
      if (!isNull(validity, row)) end += offsets[row + 1]! - offsets[row]!
      this.#offsets[rows + index - selection.start + 1] = end
    }
    const children = childrenOf(vector as NestedVector)
    this.#children.append(children, { order: elements, start: 0, end: elements.length }, this.#length)
    this.#length = end
  }

  vector(rows: number): ColumnVector {
    const offsets = this.#offsets.subarray(0, rows + 1)
    const validity = this.#validity.bitmap(rows)
    const [first, second] = this.#children.vectors(this.#length)
    return this.#kind === 'list'
      ? { kind: 'list', offsets, element: first!, validity }
      : { kind: 'map', offsets, key: first!, value: second!, validity }
  }

  #reserve(needed: number): void {
    if (needed <= this.#offsets.length) return
    const grown = new Int32Array(grownCapacity(this.#offsets.length, needed))
    grown.set(this.#offsets)
    this.#offsets = grown
  }
}

/** The elements of the selected rows, in order; what stands under a null is left behind. */
const elementsOf = (
  offsets: Int32Array,
  validity: Validity,
  { order, start, end }: RowSelection,
): Uint32Array => {
  let count = 0
  for (let index = start; index < end; index += 1) {
    const row = order[index]!
    if (!isNull(validity, row)) count += offsets[row + 1]! - offsets[row]!
  }
  const elements = new Uint32Array(count)
  let at = 0
  for (let index = start; index < end; index += 1) {
    const row = order[index]!
    if (isNull(validity, row)) continue
    for (let element = offsets[row]!; element < offsets[row + 1]!; element += 1) elements[at++] = element
  }
  return elements
}

const mismatch = (expected: string, found: string): StockpipeError =>
  new StockpipeError({
    code: 'COLUMN_KIND_MISMATCH',
    message: `A decoded column is of kind ${found} where the table's column is ${expected}; decoder and table differ.`,
  })
