import { crc32 } from 'node:zlib'
import { crc32c } from '@stockpipe/core'

const nvmePolynomial = 0x9a6c9329ac4bc9b5n
const nvmeHigh = new Uint32Array(256)
const nvmeLow = new Uint32Array(256)
for (let byte = 0; byte < 256; byte++) {
  let value = BigInt(byte)
  for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ nvmePolynomial : value >> 1n
  nvmeHigh[byte] = Number(value >> 32n)
  nvmeLow[byte] = Number(value & 0xffffffffn)
}

/** A running CRC-64/NVME, kept as two 32-bit halves because BigInt is slow a byte at a time. */
export class Crc64Nvme {
  #high = 0xffffffff
  #low = 0xffffffff

  update(data: Uint8Array): void {
    let high = this.#high
    let low = this.#low
    for (let index = 0; index < data.length; index++) {
      const entry = (low ^ data[index]!) & 0xff
      low = ((low >>> 8) | (high << 24)) ^ nvmeLow[entry]!
      high = (high >>> 8) ^ nvmeHigh[entry]!
    }
    this.#high = high
    this.#low = low
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(8)
    bytes.writeUInt32BE(~this.#high >>> 0, 0)
    bytes.writeUInt32BE(~this.#low >>> 0, 4)
    return bytes
  }
}

/** A running 32-bit CRC with the digest in network order, as S3 carries it. */
export class Crc32Digest {
  readonly #step: (data: Uint8Array, previous: number) => number
  #value = 0

  constructor(kind: 'CRC32' | 'CRC32C') {
    this.#step = kind === 'CRC32' ? crc32 : (data, previous) => crc32c(data, 0, data.length, previous)
  }

  update(data: Uint8Array): void {
    this.#value = this.#step(data, this.#value)
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(this.#value >>> 0, 0)
    return bytes
  }
}
