import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteWriter } from '../src/byte-writer.ts'
import { type ParquetCompression, pageCompressor } from '../src/parquet-compression.ts'
import { compressSnappy } from '../src/snappy.ts'

const compressed = (compression: ParquetCompression, bytes: Uint8Array): Uint8Array => {
  const target = new ByteWriter(1)
  pageCompressor(compression).compress(bytes, bytes.length, target)
  return target.toBytes()
}

/** Snappy's block format, read as its description says. */
const uncompressSnappy = (bytes: Uint8Array): Uint8Array => {
  let at = 0
  const varint = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      value += (byte & 127) * 2 ** shift
      if (byte < 128) return value
    }
  }
  const out = new Uint8Array(varint())
  let to = 0
  const copy = (distance: number, length: number) => {
    if (distance < 1 || distance > to) throw new RangeError(`a copy from ${distance} before ${to}`)
    for (let index = 0; index < length; index += 1, to += 1) out[to] = out[to - distance]!
  }
  while (at < bytes.length) {
    const tag = bytes[at++]!
    if ((tag & 3) === 0) {
      let length = (tag >> 2) + 1
      if (length > 60) {
        const wide = length - 60
        length = 1
        for (let index = 0; index < wide; index += 1) length += bytes[at++]! * 2 ** (8 * index)
      }
      out.set(bytes.subarray(at, at + length), to)
      at += length
      to += length
    } else if ((tag & 3) === 1) {
      copy(((tag >> 5) << 8) | bytes[at++]!, ((tag >> 2) & 7) + 4)
    } else if ((tag & 3) === 2) {
      copy(bytes[at]! | (bytes[at + 1]! << 8), (tag >> 2) + 1)
      at += 2
    } else throw new RangeError('a copy from too far')
  }
  if (to !== out.length) throw new RangeError(`${to} bytes instead of ${out.length}`)
  return out
}

/** Bytes with runs, repeats near and far, and noise. */
const mixed = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(fc.nat(255), fc.nat(3000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.nat(400))
        .map(([piece, times]) =>
          new Uint8Array(piece.length * times).map((_, index) => piece[index % piece.length]!),
        ),
    ),
    { maxLength: 60 },
  )
  .map((pieces) => new Uint8Array(Buffer.concat(pieces)))

describe('Snappy', () => {
  it('gives back every byte, over blocks and whatever repeats', () => {
    fc.assert(
      fc.property(mixed, (bytes) => {
        expect(Buffer.compare(uncompressSnappy(compressed('snappy', bytes)), bytes)).toBe(0)
      }),
      { numRuns: 300 },
    )
  })

  it('takes no more bytes of what does not compress than a few in 65,536, and a twentieth of what repeats', () => {
    let seed = 1
    const noise = new Uint8Array(300_000).map(
      () => (seed = Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 24,
    )
    expect(compressed('snappy', noise).length).toBeLessThan(noise.length + 40)
    const repeats = new Uint8Array(300_000).map((_, index) => index % 100)
    expect(compressed('snappy', repeats).length).toBeLessThan(repeats.length / 20)
  })

  it('reads no further than it is told', () => {
    const target = new ByteWriter()
    compressSnappy(new Uint8Array(1000).fill(7), 10, target)
    expect(uncompressSnappy(target.toBytes())).toEqual(new Uint8Array(10).fill(7))
  })
})

it('gzip and none give back every byte', () => {
  const bytes = new Uint8Array(5000).map((_, index) => index * index)
  expect(new Uint8Array(gunzipSync(compressed('gzip', bytes)))).toEqual(bytes)
  expect(compressed('none', bytes)).toEqual(bytes)
})

it('a higher level of zstd takes fewer bytes', () => {
  const words = Array.from({ length: 20_000 }, (_, index) => Math.imul(index, 0x9e3779b1) >>> 22)
  const bytes = new TextEncoder().encode(words.join(' '))
  expect(compressed({ codec: 'zstd', level: 19 }, bytes).length).toBeLessThan(
    compressed({ codec: 'zstd', level: 1 }, bytes).length,
  )
  expect(compressed('zstd', bytes)).toEqual(compressed({ codec: 'zstd', level: 3 }, bytes))
})

describe('a compression that is not to be had is refused', () => {
  const refusal = (compression: unknown) => {
    try {
      pageCompressor(compression as ParquetCompression)
    } catch (error) {
      return error as { readonly code: string; readonly message: string }
    }
    throw new Error('it was taken')
  }

  it('LZ4 with the reason', () => {
    for (const codec of ['lz4', 'lz4_raw', 'LZ4_RAW', { codec: 'lz4', level: 1 }]) {
      const { code, message } = refusal(codec)
      expect(code).toBe('COMPRESSION_REFUSED')
      expect(message).toMatch(/Athena's engine cannot read LZ4 .*LZ4_RAW.*use 'snappy'/)
    }
  })

  it('an unknown one by its name', () => {
    for (const codec of ['brotli', 'uncompressed', { codec: 'gzip', level: 3 }, null, 7]) {
      const { code, message } = refusal(codec)
      expect(code).toBe('COMPRESSION_UNKNOWN')
      expect(message).toContain(JSON.stringify(codec))
    }
  })

  it('a level that zstd has not', () => {
    for (const level of [0, 20, 1.5, '3', undefined]) {
      expect(refusal({ codec: 'zstd', level }).code).toBe('COMPRESSION_LEVEL_INVALID')
    }
  })
})
