import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { hasValidChecksum, readBatchHeader } from '../../local/src/kafka/log/record-batch.ts'
import { batchCompression } from '../src/compression.ts'
import { RecordBatchBuilder, sequenceAfter } from '../src/record-batch.ts'
import { loadZstd } from '../src/zstd.ts'
import { registerZstd } from '../src/zstd-codec.ts'
import { readRecords } from './read-records.ts'

beforeAll(() => loadZstd())

const producer = { id: 2n ** 40n + 7n, epoch: 3 }
const record = (key: string | null, value: string | Uint8Array) => ({
  key,
  keyBytes: key === null ? 0 : Buffer.byteLength(key),
  value,
  valueBytes: Buffer.byteLength(value),
})

describe('a record batch', () => {
  it.each(['none', 'gzip', 'zstd'] as const)('holds what was put in, with %s', async (name) => {
    const compression = await batchCompression(name)
    const texts = fc.tuple(
      fc.option(fc.string({ unit: 'binary', maxLength: 300 })),
      fc.string({ unit: 'binary', maxLength: 3000 }),
      fc.integer({ min: -5, max: 2 ** 33 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(texts, { minLength: 1, maxLength: 300 }), async (rows) => {
        const builder = new RecordBatchBuilder()
        const start = 1_700_000_000_000
        const timestamps = rows.map(([key, value, later], index) =>
          // As text and as bytes.
          builder.add(record(key, index % 2 ? Buffer.from(value) : value), start + (index === 0 ? 0 : later)),
        )
        const batch = await builder.seal(producer, 41, compression)
        const header = readBatchHeader(batch)
        expect(hasValidChecksum(batch, header)).toBe(true)
        expect(header).toMatchObject({
          sizeBytes: batch.length,
          magic: 2,
          // What does not shrink is sent as it is.
          codec: batch.length < builder.byteLength ? compression.codec : 0,
          producerId: Number(producer.id),
          producerEpoch: 3,
          baseSequence: 41,
          recordCount: rows.length,
          baseTimestamp: start,
          maxTimestamp: Math.max(...timestamps),
        })
        const asWritten = (text: string) => Buffer.from(text).toString()
        expect(readRecords(batch)).toEqual(
          rows.map(([key, value], index) => ({
            key: key === null ? null : asWritten(key),
            value: asWritten(value),
            timestamp: timestamps[index],
          })),
        )
        if (name === 'none') expect(batch.length).toBe(builder.byteLength)
      }),
      { numRuns: 60 },
    )
  })

  it('wraps sequence numbers as brokers do', () => {
    expect(sequenceAfter(2 ** 31 - 1, 1)).toBe(0)
    expect(sequenceAfter(2 ** 31 - 3, 10)).toBe(7)
  })

  it('names what compression is missing or unknown', async () => {
    await expect(batchCompression('lz4')).rejects.toMatchObject({ code: 'COMPRESSION_MISSING' })
    await expect(batchCompression('brotli' as 'gzip')).rejects.toMatchObject({ code: 'COMPRESSION_UNKNOWN' })
  })
})

describe('zstd', () => {
  it('reads frames that do not say how large they are inside', async () => {
    const { compress, decompress } = await loadZstd()
    const bytes = Buffer.alloc(40_000_000, 'stockpipe ')
    expect(Buffer.from(decompress(compress(bytes))).equals(bytes)).toBe(true)
    expect(Buffer.from(decompress(streamedZeros)).equals(Buffer.alloc(5_000_000))).toBe(true)
  })

  it('refuses what is no whole frame', async () => {
    const { compress, decompress } = await loadZstd()
    for (const bytes of [
      Buffer.from('no frame at all'),
      compress(Buffer.alloc(1000, 'ab')).subarray(0, 15),
    ]) {
      expect(() => decompress(bytes)).toThrow(expect.objectContaining({ code: 'ZSTD_CORRUPT' }))
    }
  })

  it('is registered with kafkajs where nothing was, and leaves what was alone', async () => {
    const mine = () => ({})
    const table: Record<number, () => unknown> = { 4: mine }
    registerZstd(table)
    expect(table[4]).toBe(mine)
    table[4] = () => {
      throw new Error('ZSTD compression not implemented')
    }
    registerZstd(table)
    const codec = table[4]!() as {
      compress: (encoder: { buffer: Buffer }) => Promise<Buffer>
      decompress: (bytes: Buffer) => Promise<Buffer>
    }
    const packed = await codec.compress({ buffer: Buffer.from('text') })
    expect(String(await codec.decompress(packed))).toBe('text')
  })
})

/** 5,000,000 zeros as run-length blocks, in a frame without its content size. */
const streamedZeros = (() => {
  const parts = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58])]
  const block = 100_000
  for (let left = 5_000_000; left > 0; left -= block) {
    const header = (block << 3) | (1 << 1) | (left === block ? 1 : 0)
    parts.push(Buffer.from([header & 255, (header >> 8) & 255, header >> 16, 0]))
  }
  return Buffer.concat(parts)
})()
