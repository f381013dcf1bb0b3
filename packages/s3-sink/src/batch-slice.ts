import type { ByteDictionary, ColumnBatch, ColumnVector, Validity } from '@stockpipe/core'
import { isNull } from './validity-buffer.ts'

/** Rows `[from, to)` of a batch; it shares memory where it can. A dictionary holds what those rows use. */
export const batchSlice = (batch: ColumnBatch, from: number, to: number): ColumnBatch => ({
  rows: to - from,
  columns: batch.columns.map((vector) => vectorSlice(vector, from, to)),
  offsets: batch.offsets.subarray(from, to),
})

const vectorSlice = (vector: ColumnVector, from: number, to: number): ColumnVector => {
  const validity = validitySlice(vector.validity, from, to)
  switch (vector.kind) {
    case 'boolean':
      return { ...vector, values: bitSlice(vector.values, from, to), validity }
    case 'dictionary':
      return { kind: 'dictionary', ...dictionarySlice(vector, from, to), validity }
    case 'binary': {
      const { offsets, bytes } = vector
      return {
        kind: 'binary',
        offsets: offsetsSlice(offsets, from, to),
        bytes: bytes.subarray(offsets[from]!, offsets[to]!),
        validity,
      }
    }
    case 'int128':
      return { ...vector, values: vector.values.subarray(from * 2, to * 2), validity }
    case 'list': {
      const { offsets, element } = vector
      const slice = vectorSlice(element, offsets[from]!, offsets[to]!)
      return { kind: 'list', offsets: offsetsSlice(offsets, from, to), element: slice, validity }
    }
    case 'map': {
      const { offsets, key, value } = vector
      const entries = (inner: ColumnVector) => vectorSlice(inner, offsets[from]!, offsets[to]!)
      return {
        kind: 'map',
        offsets: offsetsSlice(offsets, from, to),
        key: entries(key),
        value: entries(value),
        validity,
      }
    }
    case 'struct':
      return { kind: 'struct', fields: vector.fields.map((field) => vectorSlice(field, from, to)), validity }
    default:
      return { ...vector, values: vector.values.subarray(from, to), validity } as ColumnVector
  }
}

const offsetsSlice = (offsets: Int32Array, from: number, to: number): Int32Array =>
  offsets.subarray(from, to + 1).map((offset) => offset - offsets[from]!)

const dictionarySlice = (
  { codes, dictionary, validity }: ColumnVector & { kind: 'dictionary' },
  from: number,
  to: number,
): { readonly codes: Int32Array; readonly dictionary: ByteDictionary } => {
  const renumbered = new Map<number, number>()
  const slice = new Int32Array(to - from)
  let length = 0
  for (let row = from; row < to; row += 1) {
    if (isNull(validity, row)) continue
    const code = codes[row]!
    let own = renumbered.get(code)
    if (own === undefined) {
      own = renumbered.size
      renumbered.set(code, own)
      length += dictionary.offsets[code + 1]! - dictionary.offsets[code]!
    }
    slice[row - from] = own
  }
  const offsets = new Int32Array(renumbered.size + 1)
  const bytes = new Uint8Array(length)
  for (const [code, own] of renumbered) {
    const string = dictionary.bytes.subarray(dictionary.offsets[code]!, dictionary.offsets[code + 1]!)
    bytes.set(string, offsets[own]!)
    offsets[own + 1] = offsets[own]! + string.length
  }
  return { codes: slice, dictionary: { offsets, bytes } }
}

const validitySlice = (validity: Validity, from: number, to: number): Validity =>
  validity === null ? null : bitSlice(validity, from, to)

const bitSlice = (bits: Uint8Array, from: number, to: number): Uint8Array => {
  const slice = new Uint8Array((to - from + 7) >> 3)
  for (let index = from; index < to; index += 1) {
    if ((bits[index >> 3]! >> (index & 7)) & 1) slice[(index - from) >> 3]! |= 1 << ((index - from) & 7)
  }
  return slice
}
