import { describe, expect, it } from 'vitest'
import { murmur2, partitionOfKey } from '../src/index.ts'

describe('murmur2', () => {
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])("hashes %s as Kafka's Java client does", (text, expected) => {
    expect(murmur2(Buffer.from(text))).toBe(expected)
  })

  it('chooses a partition in range for every key, also where the hash is negative', () => {
    const counts = [0, 0, 0, 0]
    for (let index = 0; index < 4000; index++) counts[partitionOfKey(Buffer.from(`key-${index}`), 4)]! += 1
    expect(Math.min(...counts)).toBeGreaterThan(900)
    expect(partitionOfKey(Buffer.from('21'), 7)).toBe((-973932308 & 0x7fffffff) % 7)
  })
})
