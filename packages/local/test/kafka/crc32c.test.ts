import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c } from '../../src/kafka/log/crc32c.ts'

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
})

test('taking eight bytes at a time agrees with taking one bit at a time', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(20), (bytes, start) => {
      expect(crc32c(bytes, Math.min(start, bytes.length))).toBe(bitByBit(bytes.subarray(start)))
    }),
    { verbose: 1 },
  )
})
