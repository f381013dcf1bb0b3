import { defineTable, identity, t } from '@stockpipe/core'
import { expect, it } from 'vitest'
import { encoderMemoryBytes, ParquetEncoder } from '../src/parquet-encoder.ts'
import { batchOf } from './engine/column-batches.ts'
import { groupBufferOf } from './engine/group-buffers.ts'

const table = defineTable('trades', {
  columns: { symbol: t.string(), price: t.decimal(18, 4), size: t.int64(), at: t.timestamp() },
  partitions: { ticker: identity('symbol') },
})
const encoder = new ParquetEncoder(table.columns, { compression: 'snappy' })
const rows = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    symbol: `S${index % 4}`,
    price: BigInt(index * 31),
    size: BigInt(index),
    at: BigInt(index),
  }))

const cutOf = (batch: ReturnType<typeof batchOf>): number => {
  const group = groupBufferOf(table)
  group.append(batch, 0)
  return group.paths().reduce((bytes, path) => bytes + encoder.encode(path.batch()).bytes.length, 0)
}

it('memory outside the heap stays flat over 200 cuts of 20,000 rows and 1,000 small ones', () => {
  const large = batchOf(table, rows(20_000))
  const small = batchOf(table, rows(40))
  const bytes = cutOf(large)
  for (let cut = 0; cut < 5; cut += 1) cutOf(large)
  const settled = encoderMemoryBytes()
  for (let cut = 0; cut < 200; cut += 1) expect(cutOf(large)).toBe(bytes)
  for (let cut = 0; cut < 1000; cut += 1) cutOf(small)
  expect(encoderMemoryBytes() - settled).toBeLessThanOrEqual(65_536)
}, 60_000)

it('memory outside the heap stays flat when encoding fails again and again', () => {
  const batch = batchOf(table, rows(20_000))
  const [symbol, ...others] = batch.columns
  if (symbol?.kind !== 'dictionary') throw new Error('symbol is a dictionary')
  const broken = {
    ...batch,
    columns: [
      { ...symbol, dictionary: { offsets: symbol.dictionary.offsets, bytes: null } } as never,
      ...others,
    ],
  }
  const fail = () => expect(() => encoder.encode(broken)).toThrow(/could not be encoded as Parquet/)
  for (let cut = 0; cut < 5; cut += 1) fail()
  const settled = encoderMemoryBytes()
  for (let cut = 0; cut < 200; cut += 1) fail()
  expect(encoderMemoryBytes() - settled).toBeLessThanOrEqual(65_536)
  expect(cutOf(batch)).toBeGreaterThan(0)
})
