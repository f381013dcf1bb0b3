/** The least and greatest of some values as Parquet's statistics hold them: plain encoded, long ones cut. */
export interface ValueBounds {
  readonly min: Uint8Array
  readonly max: Uint8Array
}

/** How values of a physical type are ordered. */
export type ValueOrder = 'boolean' | 'int32' | 'int64' | 'int128' | 'float' | 'double' | 'bytes'

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)

/** Compares values as statistics hold them. */
export const compareBounds = (order: ValueOrder, left: Uint8Array, right: Uint8Array): number => {
  switch (order) {
    case 'boolean':
      return left[0]! - right[0]!
    case 'int32':
      return viewOf(left).getInt32(0, true) - viewOf(right).getInt32(0, true)
    case 'int64': {
      const [a, b] = [viewOf(left).getBigInt64(0, true), viewOf(right).getBigInt64(0, true)]
      return a < b ? -1 : a > b ? 1 : 0
    }
    case 'float':
      return viewOf(left).getFloat32(0, true) - viewOf(right).getFloat32(0, true)
    case 'double':
      return Math.sign(viewOf(left).getFloat64(0, true) - viewOf(right).getFloat64(0, true))
    case 'int128': {
      // Two's complement, big-endian: with the sign turned it is the order of bytes.
      const sign = (left[0]! ^ 0x80) - (right[0]! ^ 0x80)
      return sign === 0 ? Buffer.compare(left, right) : sign
    }
    case 'bytes':
      return Buffer.compare(left, right)
  }
}

/** The bounds of all of them; undefined when there is none. */
export const mergeBounds = (
  order: ValueOrder,
  bounds: readonly (ValueBounds | undefined)[],
): ValueBounds | undefined => {
  let merged: ValueBounds | undefined
  for (const one of bounds) {
    if (one === undefined) continue
    if (merged === undefined) merged = one
    else {
      merged = {
        min: compareBounds(order, one.min, merged.min) < 0 ? one.min : merged.min,
        max: compareBounds(order, one.max, merged.max) > 0 ? one.max : merged.max,
      }
    }
  }
  return merged
}

/** Statistics hold no more of a text or of bytes: enough to tell them apart, and no footer grows by them. */
const longestBound = 64

/** A value at most as great as `bytes` and at most 64 bytes long; of text only whole characters are kept. */
export const shortenedMin = (bytes: Uint8Array, isText: boolean): Uint8Array =>
  bytes.length <= longestBound
    ? bytes.slice()
    : bytes.slice(0, isText ? wholeCharacters(bytes) : longestBound)

/** A value at least as great as `bytes` and about 64 bytes long; undefined when there is none. */
export const shortenedMax = (bytes: Uint8Array, isText: boolean): Uint8Array | undefined => {
  if (bytes.length <= longestBound) return bytes.slice()
  return isText
    ? nextText(bytes.subarray(0, wholeCharacters(bytes)))
    : nextBytes(bytes.subarray(0, longestBound))
}

/** Up to where characters end within 64 bytes. */
const wholeCharacters = (bytes: Uint8Array): number => {
  let end = longestBound
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end -= 1
  return end
}

const nextBytes = (prefix: Uint8Array): Uint8Array | undefined => {
  for (let at = prefix.length - 1; at >= 0; at -= 1) {
    if (prefix[at] === 255) continue
    const next = prefix.slice(0, at + 1)
    next[at]! += 1
    return next
  }
  return undefined
}

/** UTF-8 is in the order of its code points. */
const nextText = (prefix: Uint8Array): Uint8Array | undefined => {
  const points = Array.from(
    new TextDecoder('utf-8', { ignoreBOM: true }).decode(prefix),
    (one) => one.codePointAt(0)!,
  )
  while (points.length > 0) {
    const last = points.pop()!
    if (last === 0x10ffff) continue
    // Surrogates are no characters.
    points.push(last === 0xd7ff ? 0xe000 : last + 1)
    return new TextEncoder().encode(String.fromCodePoint(...points))
  }
  return undefined
}
