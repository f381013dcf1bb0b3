import { largestInflatedBytes, MalformedBytesError } from './malformed-bytes.ts'

/** What Java's clients put before blocks of snappy: a magic, a version and the version it is compatible with. */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const xerialHeaderBytes = 16

/** Inflates snappy, as one block or as the framed blocks of xerial's library. Throws a `MalformedBytesError`. */
export const inflateSnappy = (bytes: Buffer): Uint8Array => {
  if (bytes.length < xerialHeaderBytes || xerialMagic.compare(bytes, 0, xerialMagic.length) !== 0) {
    return inflateBlock(bytes)
  }
  const blocks: Uint8Array[] = []
  for (let at = xerialHeaderBytes; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw new MalformedBytesError('snappy: a block length is cut off')
    const length = bytes.readInt32BE(at)
    at += 4
    if (length < 0 || at + length > bytes.length) throw new MalformedBytesError('snappy: a block is cut off')
    blocks.push(inflateBlock(bytes.subarray(at, at + length)))
    at += length
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks)
}

const inflateBlock = (source: Uint8Array): Uint8Array => {
  let at = 0
  let size = 0
  for (let shift = 0; ; shift += 7) {
    const byte = source[at++]
    if (byte === undefined || shift > 28) throw new MalformedBytesError('snappy: no length')
    size += (byte & 127) * 2 ** shift
    if (byte < 128) break
  }
  if (size > largestInflatedBytes) throw new MalformedBytesError(`snappy: ${size} bytes inside`)
  // No element stands for more than 64 bytes and none takes less than two, but for literals.
  if (size > source.length * 64) throw new MalformedBytesError('snappy: the length is wrong')
  const target = new Uint8Array(size)
  let end = 0
  while (at < source.length) {
    const tag = source[at++]!
    let length = (tag >>> 2) + 1
    let distance: number
    switch (tag & 3) {
      case 0: {
        if (length > 60) {
          const extra = length - 60
          length = littleEndian(source, at, extra) + 1
          at += extra
        }
        if (at + length > source.length || end + length > size) {
          throw new MalformedBytesError('snappy: a literal is cut off')
        }
        if (length > 32) target.set(source.subarray(at, at + length), end)
        else for (let index = 0; index < length; index++) target[end + index] = source[at + index]!
        at += length
        end += length
        continue
      }
      case 1:
        length = ((tag >>> 2) & 7) + 4
        distance = ((tag >>> 5) << 8) | littleEndian(source, at, 1)
        at += 1
        break
      case 2:
        distance = littleEndian(source, at, 2)
        at += 2
        break
      default:
        distance = littleEndian(source, at, 4)
        at += 4
    }
    if (distance === 0 || distance > end || end + length > size) {
      throw new MalformedBytesError('snappy: a copy reaches beyond the bytes')
    }
    for (const stop = end + length; end < stop; end++) target[end] = target[end - distance]!
  }
  if (end !== size) throw new MalformedBytesError(`snappy: ${end} bytes instead of ${size}`)
  return target
}

const littleEndian = (source: Uint8Array, at: number, bytes: number): number => {
  if (at + bytes > source.length) throw new MalformedBytesError('snappy: the bytes are cut off')
  let value = 0
  for (let index = bytes - 1; index >= 0; index--) value = value * 256 + source[at + index]!
  return value
}
