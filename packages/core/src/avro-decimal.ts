import type { AvroCursor } from './avro-cursor.ts'
import type { AvroWordsReader } from './avro-instant.ts'
import { decimalProblem } from './column-value.ts'
import { Decimal } from './decimal.ts'
import { powersOfTen, writeWhole } from './decimal-digits.ts'

/** Digits after the point that a schema may have. */
export const greatestScale = 255

const wide = new BigInt64Array(2)
const wideWords = new Int32Array(wide.buffer)

/** The number that big-endian bytes are in two's complement; there is at least one. */
export const bigIntOf = (bytes: Uint8Array): bigint => {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`))
}

/** Leaves out leading bytes of the bytes read last that only repeat the sign. */
const trim = (cursor: AvroCursor): void => {
  const { source, stop } = cursor
  let { start } = cursor
  const sign = source[start]! >= 128 ? 255 : 0
  while (start < stop - 1 && source[start] === sign && (source[start + 1]! & 128) === (sign & 128)) start += 1
  cursor.start = start
}

/**
 * Reads decimals of `scale` digits after the point as unscaled numbers of the column's scale, exactly or not at all.
 *
 * @param readBytes reads the bytes of a number
 * @param words 32-bit words of a number in the column: 2 or 4
 */
export const decimalReader = (
  type: { readonly precision: number; readonly scale: number },
  scale: number,
  readBytes: (cursor: AvroCursor) => boolean,
  words: 2 | 4,
): AvroWordsReader => {
  const shift = type.scale - scale
  const factor = shift === 0 ? 1 : (powersOfTen[Math.abs(shift)] ?? Number.POSITIVE_INFINITY)
  // Close to the limit doubles do not tell: the exact way does.
  const safeLimit = Number(`1e${type.precision}`) * (1 - 1e-12)
  /** Bytes of 38 digits and those that rescaling drops. */
  const mostBytes = 17 + Math.ceil((Math.max(0, -shift) * Math.log2(10)) / 8)

  const exactly: AvroWordsReader = (cursor, target, index) => {
    if (cursor.stop - cursor.start > mostBytes) {
      return cursor.fail(
        `does not fit decimal(${type.precision},${type.scale}): a number of ${cursor.stop - cursor.start} bytes`,
      )
    }
    const decimal = Decimal.of(bigIntOf(cursor.source.subarray(cursor.start, cursor.stop)), scale)
    const problem = decimalProblem(type, decimal)
    if (problem !== undefined) return cursor.fail(problem)
    const { unscaled } = decimal.rescale(type.scale)
    wide[0] = BigInt.asIntN(64, unscaled)
    wide[1] = unscaled >> 64n
    for (let word = 0; word < words; word++) target[index + word] = wideWords[word]!
    return true
  }

  return (cursor, target, index) => {
    if (!readBytes(cursor)) return false
    if (cursor.stop === cursor.start) return cursor.fail('is a decimal of no bytes')
    if (cursor.stop - cursor.start > 8) trim(cursor)
    const { source, start, stop } = cursor
    if (stop - start > 8) return exactly(cursor, target, index)
    let low = source[start]! >= 128 ? -1 : 0
    let high = low
    for (let at = start; at < stop; at++) {
      high = (high << 8) | (low >>> 24)
      low = (low << 8) | source[at]!
    }
    const value = high * 4_294_967_296 + (low >>> 0)
    if (shift === 0) {
      if (value <= -safeLimit || value >= safeLimit) return exactly(cursor, target, index)
      target[index] = low
      target[index + 1] = high
    } else {
      const rescaled = shift > 0 ? value * factor : value / factor
      const isExact =
        Math.abs(value) <= Number.MAX_SAFE_INTEGER &&
        Math.abs(rescaled) <= Number.MAX_SAFE_INTEGER &&
        (shift > 0 || value % factor === 0)
      if (!isExact || Math.abs(rescaled) >= safeLimit) return exactly(cursor, target, index)
      writeWhole(target, index, rescaled)
      high = target[index + 1]!
    }
    if (words === 4) target[index + 2] = target[index + 3] = high >> 31
    return true
  }
}
