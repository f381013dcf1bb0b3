import type { ByteWriter } from './byte-writer.ts'

/** From this length on a run of one value is a run; shorter ones are packed with their neighbours. */
const shortestRun = 16

/** Bits that values up to `greatest` take. */
export const bitWidth = (greatest: number): number => 32 - Math.clz32(greatest)

/** Appends `values[from, to)` in Parquet's hybrid of run lengths and bit packing, `width` bits (at most 24) a value. */
export const writeRle = (
  values: Int32Array | Uint8Array,
  from: number,
  to: number,
  width: number,
  target: ByteWriter,
): void => {
  target.reserve(((to - from) * width) / 8 + ((to - from) >> 3) + 64)
  let packed = from
  for (let at = from; at < to; ) {
    const value = values[at]!
    let end = at + 1
    while (end < to && values[end] === value) end += 1
    if (end - at >= shortestRun || (end === to && packed === at)) {
      // What is packed before a run comes in eights: it takes from the run what it lacks.
      const begin = at + ((8 - ((at - packed) & 7)) & 7)
      writePacked(values, packed, begin, width, target)
      writeRun(value, end - begin, width, target)
      packed = end
    }
    at = end
  }
  if (packed < to) writePacked(values, packed, to, width, target)
}

/** One value, `count` times. */
export const writeRun = (value: number, count: number, width: number, target: ByteWriter): void => {
  target.varint(count * 2)
  for (let bits = 0; bits < width; bits += 8) target.byte(value >>> bits)
}

const writePacked = (
  values: Int32Array | Uint8Array,
  from: number,
  to: number,
  width: number,
  target: ByteWriter,
): void => {
  if (from === to) return
  const groups = (to - from + 7) >> 3
  target.varint(groups * 2 + 1)
  target.reserve(groups * width)
  const { bytes } = target
  let at = target.length
  const end = at + groups * width
  let bits = 0
  let held = 0
  for (let index = from; index < to; index += 1) {
    bits |= values[index]! << held
    held += width
    while (held >= 8) {
      bytes[at++] = bits
      bits >>>= 8
      held -= 8
    }
  }
  if (held > 0) bytes[at++] = bits
  bytes.fill(0, at, end)
  target.length = end
}
