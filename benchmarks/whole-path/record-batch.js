// Record batches of Kafka's format version 2, as its documentation lays them out. The data of the benchmarks is made of
// them by hand: a client would take longer to send it than the contestants take to read it.

const crcTable = new Int32Array(256)
for (let byte = 0; byte < 256; byte += 1) {
  let value = byte
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  crcTable[byte] = value
}

const crc32c = (bytes) => {
  let crc = -1
  for (let at = 0; at < bytes.length; at += 1) crc = (crc >>> 8) ^ crcTable[(crc ^ bytes[at]) & 255]
  return ~crc >>> 0
}

const headerBytes = 61
const crcFrom = 21
const zstd = 4

/** Collects the records of one batch. */
export class RecordBatch {
  #records = Buffer.allocUnsafe(1 << 20)
  #end = 0
  #firstMillis = 0
  #lastMillis = 0
  count = 0

  #varint(value) {
    let bits = value >= 0 ? value * 2 : -value * 2 - 1
    while (bits > 127) {
      this.#records[this.#end] = (bits % 128) + 128
      this.#end += 1
      bits = Math.floor(bits / 128)
    }
    this.#records[this.#end] = bits
    this.#end += 1
  }

  #text(text) {
    this.#varint(text.length)
    this.#end += this.#records.latin1Write(text, this.#end)
  }

  /** Adds a record; key and value are ASCII. */
  add(key, value, millis) {
    if (this.#end + value.length + key.length + 64 > this.#records.length)
      throw new Error('the batch is full')
    if (this.count === 0) [this.#firstMillis, this.#lastMillis] = [millis, millis]
    this.#lastMillis = Math.max(this.#lastMillis, millis)
    const timestampDelta = millis - this.#firstMillis
    const length =
      1 + // attributes
      varintBytes(timestampDelta) +
      varintBytes(this.count) +
      varintBytes(key.length) +
      key.length +
      varintBytes(value.length) +
      value.length +
      1 // no headers
    this.#varint(length)
    this.#records[this.#end] = 0
    this.#end += 1
    this.#varint(timestampDelta)
    this.#varint(this.count)
    this.#text(key)
    this.#text(value)
    this.#varint(0)
    this.count += 1
  }

  /** The batch as it goes to the broker, compressed by `compress` (zstd) when there is one; then it is empty again. */
  finish(compress) {
    const plain = this.#records.subarray(0, this.#end)
    const records = compress ? compress(plain) : plain
    const batch = Buffer.alloc(headerBytes + records.length)
    batch.writeInt32BE(batch.length - 12, 8)
    batch.writeInt32BE(-1, 12)
    batch[16] = 2
    batch.writeInt16BE(compress ? zstd : 0, crcFrom)
    batch.writeInt32BE(this.count - 1, 23)
    batch.writeBigInt64BE(BigInt(this.#firstMillis), 27)
    batch.writeBigInt64BE(BigInt(this.#lastMillis), 35)
    batch.writeBigInt64BE(-1n, 43) // no producer id
    batch.writeInt16BE(-1, 51)
    batch.writeInt32BE(-1, 53)
    batch.writeInt32BE(this.count, 57)
    batch.set(records, headerBytes)
    batch.writeUInt32BE(crc32c(batch.subarray(crcFrom)), 17)
    this.count = 0
    this.#end = 0
    return batch
  }
}

const varintBytes = (value) => {
  let bits = value >= 0 ? value * 2 : -value * 2 - 1
  let bytes = 1
  while (bits > 127) {
    bits = Math.floor(bits / 128)
    bytes += 1
  }
  return bytes
}
