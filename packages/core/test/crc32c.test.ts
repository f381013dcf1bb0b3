import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c, crc32cHex } from '../src/crc32c.ts'

const bitByBit = (bytes: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

test('CRC-32C gives the check values of RFC 3720', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
  expect(crc32cHex(Buffer.alloc(0))).toBe('00000000')
})

test('taking sixteen bytes at a time agrees with taking one bit at a time, wherever the bytes lie', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(20), fc.nat(9), (bytes, start, shift) => {
      const memory = new Uint8Array(bytes.length + shift)
      memory.set(bytes, shift)
      const view = memory.subarray(shift)
      expect(crc32c(view, Math.min(start, bytes.length))).toBe(bitByBit(bytes.subarray(start)))
    }),
    { verbose: 1 },
  )
})

test('going on from a previous part gives the CRC-32C of the whole', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
      const head = bytes.subarray(0, cut)
      const tail = bytes.subarray(cut)
      expect(crc32c(tail, 0, tail.length, crc32c(head))).toBe(bitByBit(bytes))
    }),
    { verbose: 1 },
  )
})
