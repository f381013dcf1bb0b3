import { gunzipSync } from 'node:zlib'

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value
})

/** CRC-32C, written apart from the one the broker uses. */
export const crc32c = (bytes) => {
  let crc = 0xffffffff
  for (let index = 0; index < bytes.length; index++) crc = table[(crc ^ bytes[index]) & 0xff] ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

const varint = (cursor) => {
  let value = 0
  let factor = 1
  for (;;) {
    const byte = cursor.bytes[cursor.position++]
    if (byte === undefined) throw new Error('a record is cut off')
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    factor *= 128
  }
}

const sizedBytes = (cursor) => {
  const length = varint(cursor)
  if (length < 0) return null
  const end = cursor.position + length
  if (end > cursor.bytes.length) throw new Error('a record is cut off')
  const bytes = cursor.bytes.subarray(cursor.position, end)
  cursor.position = end
  return bytes
}

const decodeRecords = (payload, baseOffset, count) => {
  const cursor = { bytes: payload, position: 0 }
  const records = []
  for (let index = 0; index < count; index++) {
    const length = varint(cursor)
    const end = cursor.position + length
    cursor.position++
    varint(cursor)
    const offset = baseOffset + varint(cursor)
    const key = sizedBytes(cursor)
    const value = sizedBytes(cursor)
    records.push({ offset, key, value })
    cursor.position = end
  }
  if (cursor.position !== payload.length) throw new Error('bytes are left over after the last record')
  return records
}

/**
 * Decodes record batches that follow each other. Throws for one that is cut off, has a wrong CRC or does not decode.
 */
export const decodeBatches = (bytes) => {
  const batches = []
  for (let start = 0; start < bytes.length; ) {
    if (bytes.length - start < 61) throw new Error(`a batch header is cut off at byte ${start}`)
    const baseOffset = Number(bytes.readBigInt64BE(start))
    const end = start + 12 + bytes.readInt32BE(start + 8)
    const where = `the batch at offset ${baseOffset}`
    if (bytes[start + 16] !== 2) throw new Error(`${where} is not of format 2`)
    if (end > bytes.length) throw new Error(`${where} is cut off`)
    if (crc32c(bytes.subarray(start + 21, end)) !== bytes.readUInt32BE(start + 17)) {
      throw new Error(`${where} has a wrong CRC`)
    }
    const attributes = bytes.readInt16BE(start + 21)
    const compression = attributes & 7
    if (compression > 1) throw new Error(`${where} is compressed by ${compression}, which was never sent`)
    const payload = bytes.subarray(start + 61, end)
    const records = decodeRecords(
      compression === 1 ? gunzipSync(payload) : payload,
      baseOffset,
      bytes.readInt32BE(start + 57),
    )
    batches.push({
      baseOffset,
      lastOffset: baseOffset + bytes.readInt32BE(start + 23),
      producerId: Number(bytes.readBigInt64BE(start + 43)),
      isTransactional: (attributes & 16) !== 0,
      isControl: (attributes & 32) !== 0,
      records,
    })
    start = end
  }
  return batches
}
