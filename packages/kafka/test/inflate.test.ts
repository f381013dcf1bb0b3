import fc from 'fast-check'
import { compress as lz4 } from 'lz4js'
import { compress as snappy } from 'snappyjs'
import { describe, expect, it } from 'vitest'
import { loadInflate } from '../src/inflate.ts'
import { inflateLz4 } from '../src/lz4-codec.ts'
import { MalformedBytesError } from '../src/malformed-bytes.ts'
import { inflateSnappy } from '../src/snappy-codec.ts'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
/** Bytes in which codecs find something to do. */
const content = fc
  .array(fc.tuple(fc.constantFrom('symbol', 'price', '{"a":', 'zz'), fc.nat(300)), { maxLength: 400 })
  .map((words) => Buffer.from(words.map(([word, number]) => `${word}${number}`).join('')))

describe('snappy', () => {
  it('gives back what was compressed', () => {
    fc.assert(
      fc.property(content, (bytes) => {
        expect(text(inflateSnappy(Buffer.from(snappy(bytes))))).toBe(text(bytes))
      }),
      { numRuns: 200, verbose: 1 },
    )
  })

  it('reads literals and copies of every kind, also such that overlap themselves', () => {
    const bytes = (...values: number[]) => inflateSnappy(Buffer.from(values))
    // Copies of 4 bytes, 1 back, with one, two and four bytes of distance.
    expect(text(bytes(5, 0x00, 0x61, 0x01, 0x01))).toBe('aaaaa')
    expect(text(bytes(5, 0x00, 0x61, 0x0e, 0x01, 0x00))).toBe('aaaaa')
    expect(text(bytes(5, 0x00, 0x61, 0x0f, 0x01, 0x00, 0x00, 0x00))).toBe('aaaaa')
    const literal = Buffer.alloc(300, 'x')
    const long = Buffer.concat([Buffer.from([0xac, 0x02, 0xf4, 0x2b, 0x01]), literal])
    expect(text(inflateSnappy(long))).toBe('x'.repeat(300))
  })
})

describe('lz4', () => {
  it('gives back what was compressed, also of several frames', () => {
    fc.assert(
      fc.property(content, content, (one, other) => {
        const frames = Buffer.concat([lz4(one), lz4(other)])
        expect(text(inflateLz4(frames))).toBe(text(one) + text(other))
      }),
      { numRuns: 200, verbose: 1 },
    )
  })

  it('reads blocks that refer to those before, stored blocks, sizes and checksums', () => {
    const frame = Buffer.from([
      // Linked blocks, a block checksum, the content size and checksum; blocks of 64 KiB.
      ...[0x04, 0x22, 0x4d, 0x18, 0b0101_1100, 0x40, 13, 0, 0, 0, 0, 0, 0, 0, 0x00],
      // Stored: 'abcdefgh'.
      ...[8, 0, 0, 0x80, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 1, 2, 3, 4],
      // No literals, 4 bytes from 8 back; then the literal '!'.
      ...[5, 0, 0, 0, 0x00, 8, 0, 0x10, 0x21, 1, 2, 3, 4],
      ...[0, 0, 0, 0, 9, 9, 9, 9],
    ])
    expect(text(inflateLz4(frame))).toBe('abcdefghabcd!')
  })
})

describe('every codec', () => {
  it('refuses what it cannot read, by one error, and ends', async () => {
    const inflate = await loadInflate()
    const noise = fc.uint8Array({ maxLength: 200 })
    const framed = noise.map((bytes) => {
      const frame = Buffer.concat([Buffer.from('04224d1864400000', 'hex'), bytes])
      return frame
    })
    const zstd = noise.map((bytes) => Buffer.concat([Buffer.from('28b52ffd', 'hex'), bytes]))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.oneof(noise, framed, zstd), (codec, bytes) => {
        try {
          inflate(codec, Buffer.from(bytes))
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytesError)
        }
      }),
      { numRuns: 3000, verbose: 1 },
    )
  })

  it('refuses a frame that says to hold more than there is room for', async () => {
    const inflate = await loadInflate()
    // Eight bytes of content size: 4 GiB and 5 bytes.
    const frame = Buffer.from('28b52ffd' + 'e0' + '0500000001000000' + '290000' + '68656c6c6f', 'hex')
    expect(() => inflate(4, frame)).toThrow(MalformedBytesError)
    expect(() => inflate(2, Buffer.from('ffffffff0f00', 'hex'))).toThrow(MalformedBytesError)
  })
})
