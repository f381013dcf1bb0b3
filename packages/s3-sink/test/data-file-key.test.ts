import { describe, expect, it } from 'vitest'
import { DataFileKeys } from '../src/data-file-key.ts'

describe('the keys of one staging', () => {
  const taken = new Map<string, number>()
  const keysUnder = (prefix: string) =>
    new DataFileKeys({
      prefix,
      partitions: [],
      log: { topic: 'ticks', partition: 0 },
      start: 7n,
      sinkHash: '0123abcd',
      claimId: '0123456789abcdef0123456789abcdef',
      taken,
    })

  it('are distinct, also where files of two kinds come to lie under one prefix', () => {
    const [data, late, deadLetters] = [keysUnder('events/'), keysUnder('aside/'), keysUnder('aside/')]
    const keys = [data, late, deadLetters, late, data].map((kind) => kind.next([]))
    expect(new Set(keys).size).toBe(5)
    const name = 'ticks-0-0000000000000000007-0123abcd0123456789ab'
    expect(keys).toEqual([
      `events/${name}.parquet`,
      `aside/${name}.parquet`,
      `aside/${name}-1.parquet`,
      `aside/${name}-2.parquet`,
      `events/${name}-1.parquet`,
    ])
  })
})
