import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { murmur2, partitionOfKey } from '../src/index.ts'

/**
 * Lines of key (hexadecimal), hash, and partition of 3, 12 and 1000, printed by Kafka's own client 4.3.1:
 * `java -cp "$HOME/.cache/stockpipe/lanes/kafka-4.3.1/*" lanes/kafka/PartitionsOfKeys.java`, keys on its input.
 */
const golden = readFileSync(new URL('fixtures/partitions-of-keys.txt', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => {
    const [hex, ...numbers] = line.split(' ')
    return { key: Buffer.from(hex!, 'hex'), numbers: numbers.map(Number) }
  })

describe('murmur2', () => {
  it("hashes and places keys of every length as Kafka's Java client does", () => {
    expect(golden).toHaveLength(174)
    for (const { key, numbers } of golden) {
      const [hash, ...partitions] = numbers
      expect(murmur2(key)).toBe(hash)
      expect([3, 12, 1000].map((count) => partitionOfKey(key, count))).toEqual(partitions)
    }
    expect(golden.filter(({ numbers }) => numbers[0]! < 0).length).toBeGreaterThan(50)
  })

  it('spreads keys over all partitions', () => {
    const counts = [0, 0, 0, 0]
    for (let index = 0; index < 4000; index++) counts[partitionOfKey(Buffer.from(`key-${index}`), 4)]! += 1
    expect(Math.min(...counts)).toBeGreaterThan(900)
  })
})
