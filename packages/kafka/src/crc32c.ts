/** Eight tables of 256 entries, one after the other, so that eight bytes are taken in one step. */
const tables = new Int32Array(8 * 256)
for (let byte = 0; byte < 256; byte++) {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  tables[byte] = value
}
for (let index = 256; index < tables.length; index++) {
  const previous = tables[index - 256] as number
  tables[index] = (previous >>> 8) ^ (tables[previous & 255] as number)
}

/** The CRC-32C (Castagnoli) of `bytes` from `start` to `end`, as an unsigned 32-bit number. */
export const crc32c = (bytes: Uint8Array, start = 0, end = bytes.length): number => {
  let crc = -1
  let position = start
  for (const last = end - 7; position < last; position += 8) {
    crc ^=
      bytes[position]! |
      (bytes[position + 1]! << 8) |
      (bytes[position + 2]! << 16) |
      (bytes[position + 3]! << 24)
    crc =
      tables[1792 + (crc & 255)]! ^
      tables[1536 + ((crc >>> 8) & 255)]! ^
      tables[1280 + ((crc >>> 16) & 255)]! ^
      tables[1024 + (crc >>> 24)]! ^
      tables[768 + bytes[position + 4]!]! ^
      tables[512 + bytes[position + 5]!]! ^
      tables[256 + bytes[position + 6]!]! ^
      tables[bytes[position + 7]!]!
  }
  for (; position < end; position++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[position]!) & 255]!
  return ~crc >>> 0
}
