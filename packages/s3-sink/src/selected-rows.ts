import type { ColumnVector } from '@stockpipe/core'
import { createColumnBuffer } from './column-buffer.ts'
import { isNull, ValidityBuffer } from './validity-buffer.ts'

/** The rows named, in that order, as a vector of their own; a dictionary stays the same. */
export const selectedRows = (vector: ColumnVector, order: Uint32Array): ColumnVector => {
  const selection = { order, start: 0, end: order.length }
  if (vector.kind !== 'dictionary') {
    const buffer = createColumnBuffer(vector.kind, undefined)
    buffer.append(vector, selection, 0)
    return buffer.vector(order.length)
  }
  const validity = new ValidityBuffer()
  validity.append(vector.validity, selection, 0)
  const codes = new Int32Array(order.length)
  for (let index = 0; index < order.length; index += 1) {
    // What stands under a null is not a code.
    if (!isNull(vector.validity, order[index]!)) codes[index] = vector.codes[order[index]!]!
  }
  return { ...vector, codes, validity: validity.bitmap(order.length) }
}
