type Crc32c = (bytes: Uint8Array, start?: number, end?: number, previous?: number) => number

const createCrc32c = (): Crc32c => {
  // A constant of the function that uses them: twice as fast as a variable of the module, which bundlers make of it.
  const tables = new Int32Array(16 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
    tables[byte] = value
  }
  // Sixteen tables of 256 entries, one after the other, so that sixteen bytes are taken in one step.
  for (let index = 256; index < tables.length; index++) {
    const previous = tables[index - 256]!
    tables[index] = (previous >>> 8) ^ tables[previous & 255]!
  }
  return (bytes: Uint8Array, start = 0, end = bytes.length, previous = 0): number => {
    let crc = ~previous
    let position = start
    // Words are read as they lie in memory: little-endian, as on every platform of Node.js.
    const aligned = Math.min(end, start + (-(bytes.byteOffset + start) & 3))
    while (position < aligned) crc = (crc >>> 8) ^ tables[(crc ^ bytes[position++]!) & 255]!
    const steps = (end - position) >> 4
    if (steps > 0) {
      const words = new Int32Array(bytes.buffer, bytes.byteOffset + position, steps * 4)
      for (let index = 0; index < words.length; index += 4) {
        const first = crc ^ words[index]!
        const second = words[index + 1]!
        const third = words[index + 2]!
        const fourth = words[index + 3]!
        crc =
          tables[3840 + (first & 255)]! ^
          tables[3584 + ((first >>> 8) & 255)]! ^
          tables[3328 + ((first >>> 16) & 255)]! ^
          tables[3072 + (first >>> 24)]! ^
          tables[2816 + (second & 255)]! ^
          tables[2560 + ((second >>> 8) & 255)]! ^
          tables[2304 + ((second >>> 16) & 255)]! ^
          tables[2048 + (second >>> 24)]! ^
          tables[1792 + (third & 255)]! ^
          tables[1536 + ((third >>> 8) & 255)]! ^
          tables[1280 + ((third >>> 16) & 255)]! ^
          tables[1024 + (third >>> 24)]! ^
          tables[768 + (fourth & 255)]! ^
          tables[512 + ((fourth >>> 8) & 255)]! ^
          tables[256 + ((fourth >>> 16) & 255)]! ^
          tables[fourth >>> 24]!
      }
      position += steps * 16
    }
    while (position < end) crc = (crc >>> 8) ^ tables[(crc ^ bytes[position++]!) & 255]!
    return ~crc >>> 0
  }
}

/**
 * The CRC-32C (Castagnoli) of `bytes` from `start` to `end`, as an unsigned 32-bit number.
 * @param previous the CRC-32C of what comes before these bytes; 0 when nothing does
 */
export const crc32c: Crc32c = createCrc32c()

/** The CRC-32C of bytes as 8 hex digits. */
export const crc32cHex = (bytes: Uint8Array): string => crc32c(bytes).toString(16).padStart(8, '0')
