import { expect, test } from 'vitest'
import { hasValidChecksum, readBatchHeader } from '../../src/kafka/log/record-batch.ts'
import {
  compressedAs,
  firstRecordAtOrAfter,
  largestTimestamp,
  visitRecords,
} from '../../src/kafka/log/records.ts'
import { recordBatch } from './record-batch-fixture.ts'

const headerBytes = 61
const timestamps = [1_700_000_000_000, 1_700_000_000_500, 1_700_000_000_200]
const batchOf = async (compression = 0) => {
  const batch = await recordBatch({ values: ['a', 'b'.repeat(300), 'c'], timestamps, compression })
  return { batch, header: readBatchHeader(batch), records: batch.subarray(headerBytes) }
}

test('the largest timestamp is that of the records, not of the header', async () => {
  const { records, header } = await batchOf()
  expect(largestTimestamp(records, { ...header, maxTimestamp: 5 })).toBe(1_700_000_000_500)
})

test('a visit ends where it is told to', async () => {
  const { records, header } = await batchOf()
  const seen: number[] = []
  visitRecords(records, header, (_, offset) => {
    seen.push(offset)
    return offset === 1
  })
  expect(seen).toEqual([0, 1])
})

test.each([
  ['fewer than they say', (records: Buffer) => records, { recordCount: 2 }],
  ['more than they say', (records: Buffer) => records, { recordCount: 2 ** 31 - 1 }],
  ['cut off', (records: Buffer) => records.subarray(0, -1), {}],
  ['of a length below zero', (records: Buffer) => Buffer.concat([Buffer.from([3]), records.subarray(1)]), {}],
  ['of no length', (records: Buffer) => Buffer.concat([Buffer.from([0]), records.subarray(1)]), {}],
  [
    'longer than their batch',
    (records: Buffer) => Buffer.concat([Buffer.from([126]), records.subarray(1)]),
    {},
  ],
])('records that are %s are INVALID_RECORD', async (_, change, fields) => {
  const { records, header } = await batchOf()
  const visit = () => visitRecords(change(records), { ...header, ...fields }, () => false)
  expect(visit).toThrow(expect.objectContaining({ code: 'INVALID_RECORD' }))
})

test('a batch is compressed and opened again without a change to its records', async () => {
  const plain = await batchOf()
  const gzip = compressedAs(plain.batch, plain.header, { codec: 1, gzipLevel: 9 })
  const header = readBatchHeader(gzip)
  expect(header).toMatchObject({ codec: 1, sizeBytes: gzip.length, recordCount: 3 })
  expect(hasValidChecksum(gzip, header)).toBe(true)
  expect(firstRecordAtOrAfter(gzip, header, 1_700_000_000_300)).toEqual({
    offset: 1,
    timestampMillis: 1_700_000_000_500,
  })
  expect(compressedAs(gzip, header, { codec: 0, gzipLevel: -1 })).toEqual(plain.batch)
})

test('what cannot be opened or made stays as it came', async () => {
  const { batch, header } = await batchOf()
  for (const codec of [undefined, 0, 2, 3, 4]) {
    expect(compressedAs(batch, header, { codec, gzipLevel: -1 })).toBe(batch)
  }
  expect(compressedAs(batch, { ...header, codec: 4 }, { codec: 1, gzipLevel: -1 })).toBe(batch)
})

test('gzip that is none is CORRUPT_MESSAGE', async () => {
  const { batch, header } = await batchOf()
  const open = () => compressedAs(batch, { ...header, codec: 1 }, { codec: 0, gzipLevel: -1 })
  expect(open).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
})
