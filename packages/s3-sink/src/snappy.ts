import type { ByteWriter } from './byte-writer.ts'

/** Copies never reach over a block, so that their offsets take two bytes. */
const blockBytes = 65_536
const tableBits = 14
/** Matches are not looked for in a block's last bytes. */
const margin = 15
/** Position in the block at which four bytes with that hash were met last. */
const table = new Uint16Array(1 << tableBits)

/** Appends the Snappy block format of `source[0, length)`. */
export const compressSnappy = (source: Uint8Array, length: number, target: ByteWriter): void => {
  target.varint(length)
  // What cannot be compressed grows by one byte in 65,536 and a few for each block.
  target.reserve(length + Math.ceil(length / 6) + 64)
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength)
  for (let start = 0; start < length; start += blockBytes) {
    const end = Math.min(length, start + blockBytes)
    target.length = compressBlock(source, view, start, end, target.bytes, target.length)
  }
}

const compressBlock = (
  source: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  target: Uint8Array,
  begin: number,
): number => {
  let at = begin
  let emitted = start
  if (end - start > margin) {
    // A small block needs, and pays for, a small table only.
    const bits = Math.min(tableBits, Math.max(8, 32 - Math.clz32(end - start - 1)))
    const shift = 32 - bits
    table.fill(0, 0, 1 << bits)
    const last = end - margin
    let from = start + 1
    let word = view.getInt32(from, true)
    search: for (;;) {
      // The longer nothing matches, the longer the steps.
      let steps = 32
      let candidate: number
      for (;;) {
        const hash = Math.imul(word, 0x1e35a7bd) >>> shift
        candidate = start + table[hash]!
        table[hash] = from - start
        if (view.getInt32(candidate, true) === word) break
        from += steps >> 5
        steps += 1
        if (from > last) break search
        word = view.getInt32(from, true)
      }
      at = writeLiteral(source, emitted, from, target, at)
      for (;;) {
        const base = from
        const distance = base - candidate
        from += 4
        while (from + 4 <= end && view.getInt32(from, true) === view.getInt32(from - distance, true))
          from += 4
        while (from < end && source[from] === source[from - distance]) from += 1
        at = writeCopy(distance, from - base, target, at)
        emitted = from
        if (from >= last) break search
        table[Math.imul(view.getInt32(from - 1, true), 0x1e35a7bd) >>> shift] = from - 1 - start
        word = view.getInt32(from, true)
        const hash = Math.imul(word, 0x1e35a7bd) >>> shift
        candidate = start + table[hash]!
        table[hash] = from - start
        if (view.getInt32(candidate, true) !== word) break
      }
      from += 1
      word = view.getInt32(from, true)
    }
  }
  return writeLiteral(source, emitted, end, target, at)
}

const writeLiteral = (
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  begin: number,
): number => {
  const length = end - start
  if (length === 0) return begin
  let at = begin
  const tag = length - 1
  if (tag < 60) target[at++] = tag << 2
  else if (tag < 256) {
    target[at++] = 60 << 2
    target[at++] = tag
  } else {
    target[at++] = 61 << 2
    target[at++] = tag
    target[at++] = tag >> 8
  }
  if (length > 64) target.set(source.subarray(start, end), at)
  else for (let from = start, to = at; from < end; from += 1) target[to++] = source[from]!
  return at + length
}

const writeCopy = (distance: number, length: number, target: Uint8Array, begin: number): number => {
  let at = begin
  let left = length
  // No copy may be left that is shorter than four bytes.
  while (left >= 68) {
    at = writeFarCopy(distance, 64, target, at)
    left -= 64
  }
  if (left > 64) {
    at = writeFarCopy(distance, 60, target, at)
    left -= 60
  }
  if (left >= 12 || distance >= 2048) return writeFarCopy(distance, left, target, at)
  target[at] = ((distance >> 8) << 5) | ((left - 4) << 2) | 1
  target[at + 1] = distance
  return at + 2
}

const writeFarCopy = (distance: number, length: number, target: Uint8Array, at: number): number => {
  target[at] = ((length - 1) << 2) | 2
  target[at + 1] = distance
  target[at + 2] = distance >> 8
  return at + 3
}
