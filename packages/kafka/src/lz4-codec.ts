import { largestInflatedBytes, MalformedBytesError } from './malformed-bytes.ts'

const frameMagic = 0x184d2204
const contentChecksumBit = 0x04
const contentSizeBit = 0x08
const blockChecksumBit = 0x10
const dictionaryBit = 0x01
const uncompressedBit = 0x80000000

/**
 * Inflates frames of LZ4, also of blocks that refer to those before. Their checksums are not looked at: those of Kafka
 * cover the same bytes. Throws a `MalformedBytesError`.
 */
export const inflateLz4 = (bytes: Buffer): Uint8Array => {
  const frames: Uint8Array[] = []
  let at = 0
  while (at < bytes.length) {
    const frame = inflateFrame(bytes, at)
    frames.push(frame.content)
    at = frame.end
  }
  return frames.length === 1 ? frames[0]! : Buffer.concat(frames)
}

interface Block {
  readonly start: number
  readonly end: number
  readonly isCompressed: boolean
}

const inflateFrame = (
  bytes: Buffer,
  start: number,
): { readonly content: Uint8Array; readonly end: number } => {
  const need = (end: number): void => {
    if (end > bytes.length) throw new MalformedBytesError('lz4: the frame is cut off')
  }
  need(start + 7)
  if (bytes.readUInt32LE(start) !== frameMagic) throw new MalformedBytesError('lz4: no frame')
  const flags = bytes[start + 4]!
  if (flags >>> 6 !== 1 || (flags & dictionaryBit) !== 0) {
    throw new MalformedBytesError(`lz4: frames with flags 0x${flags.toString(16)} are not known`)
  }
  const sizeCode = (bytes[start + 5]! >>> 4) & 7
  if (sizeCode < 4) throw new MalformedBytesError('lz4: no block size')
  const largestBlock = 4 ** (sizeCode + 4)
  let at = start + 7 + ((flags & contentSizeBit) !== 0 ? 8 : 0)
  const blocks: Block[] = []
  let room = 0
  for (;;) {
    need(at + 4)
    const word = bytes.readUInt32LE(at)
    at += 4
    if (word === 0) break
    const isCompressed = word < uncompressedBit
    const length = isCompressed ? word : word - uncompressedBit
    need(at + length)
    if (length > largestBlock) throw new MalformedBytesError('lz4: a block is larger than the frame allows')
    blocks.push({ start: at, end: at + length, isCompressed })
    // A byte stands for 255 at most.
    room += isCompressed ? Math.min(largestBlock, length * 255) : length
    at += length + ((flags & blockChecksumBit) !== 0 ? 4 : 0)
  }
  at += (flags & contentChecksumBit) !== 0 ? 4 : 0
  need(at)
  if (room > largestInflatedBytes) throw new MalformedBytesError(`lz4: up to ${room} bytes inside`)
  const target = new Uint8Array(room)
  let end = 0
  for (const block of blocks) {
    if (block.isCompressed) end = inflateBlock(bytes, block, target, end, Math.min(room, end + largestBlock))
    else {
      target.set(bytes.subarray(block.start, block.end), end)
      end += block.end - block.start
    }
  }
  return { content: target.subarray(0, end), end: at }
}

/** Appends what a block holds to `target`, up to `limit`; answers where that ends. */
const inflateBlock = (
  source: Buffer,
  block: Block,
  target: Uint8Array,
  start: number,
  limit: number,
): number => {
  let at = block.start
  let end = start
  const extended = (length: number): number => {
    let total = length
    for (;;) {
      if (at >= block.end) throw new MalformedBytesError('lz4: a length is cut off')
      const byte = source[at++]!
      total += byte
      if (byte !== 255) return total
    }
  }
  while (at < block.end) {
    const token = source[at++]!
    let literals = token >>> 4
    if (literals === 15) literals = extended(literals)
    if (at + literals > block.end || end + literals > limit) {
      throw new MalformedBytesError('lz4: literals reach beyond the block')
    }
    if (literals > 32) target.set(source.subarray(at, at + literals), end)
    else for (let index = 0; index < literals; index++) target[end + index] = source[at + index]!
    at += literals
    end += literals
    // The last sequence of a block is literals alone.
    if (at === block.end) return end
    if (at + 2 > block.end) throw new MalformedBytesError('lz4: a match is cut off')
    const distance = source[at]! | (source[at + 1]! << 8)
    at += 2
    let length = token & 15
    if (length === 15) length = extended(length)
    length += 4
    if (distance === 0 || distance > end || end + length > limit) {
      throw new MalformedBytesError('lz4: a match reaches beyond the bytes')
    }
    for (const stop = end + length; end < stop; end++) target[end] = target[end - distance]!
  }
  throw new MalformedBytesError('lz4: a block ends without literals')
}
