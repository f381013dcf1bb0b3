import { gunzipSync } from 'node:zlib'
import { decompress } from '@bokuweb/zstd-wasm'

export interface ReadRecord {
  readonly key: string | null
  readonly value: string
  readonly timestamp: number
}

/** The records of one batch as anyone reads them by the format's description; zstd must be loaded. */
export const readRecords = (batch: Buffer): ReadRecord[] => {
  const codec = batch.readInt16BE(21) & 7
  const packed = batch.subarray(61)
  const bytes =
    codec === 0 ? packed : codec === 1 ? gunzipSync(packed) : Buffer.from(decompress(Buffer.from(packed)))
  const baseTimestamp = Number(batch.readBigInt64BE(27))
  let position = 0
  const varint = (): number => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[position++]!
      value |= BigInt(byte & 127) << shift
      if (byte < 128) break
    }
    return Number((value >> 1n) ^ -(value & 1n))
  }
  const text = (): string | null => {
    const length = varint()
    if (length < 0) return null
    position += length
    return bytes.toString('utf8', position - length, position)
  }
  const records: ReadRecord[] = []
  for (let index = 0; index < batch.readInt32BE(57); index++) {
    const end = varint() + position
    position += 1
    const timestamp = baseTimestamp + varint()
    if (varint() !== index) throw new Error('an offset delta is wrong')
    const [key, value] = [text(), text()!]
    if (varint() !== 0 || position !== end) throw new Error('a record does not end where it says')
    records.push({ key, value, timestamp })
  }
  if (position !== bytes.length) throw new Error('the batch has bytes left')
  return records
}
