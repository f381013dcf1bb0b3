import { describe, expect, it } from 'vitest'
import { blockBetween, blockUntil, packedAt, RecordBlockBuilder, recordOffset } from '../src/index.ts'

const block = () => {
  const builder = new RecordBlockBuilder({ topic: 'ticks', partition: 0, firstOffset: 10n })
  for (const offset of [10n, 12n, 15n]) {
    builder.add({
      offset,
      timestampMillis: Number(offset),
      key: null,
      value: Buffer.from(`${offset}`),
      headers: { h: `${offset}` },
    })
  }
  return builder.finish(18n)
}

describe('blockUntil', () => {
  it.each([
    [18n, ['10', '12', '15'], 18n],
    [20n, ['10', '12', '15'], 18n],
    [16n, ['10', '12', '15'], 16n],
    [15n, ['10', '12'], 15n],
    [11n, ['10'], 11n],
    [10n, [], 10n],
  ])('at %s keeps the records below and ends there', (until, values, nextOffset) => {
    const cut = blockUntil(block(), until)
    expect(cut).toMatchObject({ firstOffset: 10n, nextOffset, count: values.length })
    const read = Array.from({ length: cut.count }, (_, index) => ({
      value: Buffer.from(packedAt(cut.values, index)!).toString(),
      offset: recordOffset(cut, index),
      timestamp: cut.timestamps[index],
    }))
    expect(read).toEqual(values.map((value) => ({ value, offset: BigInt(value), timestamp: Number(value) })))
    expect(cut.headers?.lengths.length).toBe(values.length)
  })
})

describe('blockBetween', () => {
  it.each([
    [10n, 18n, ['10', '12', '15']],
    [11n, 15n, ['12']],
    [3n, 30n, ['10', '12', '15']],
    [13n, 14n, []],
    [18n, 20n, []],
  ])('from %s to %s has exactly these positions and the records there', (from, to, values) => {
    const cut = blockBetween(block(), from, to)
    expect(cut).toMatchObject({ firstOffset: from, nextOffset: to, count: values.length })
    for (const [index, value] of values.entries()) {
      expect(recordOffset(cut, index).toString()).toBe(value)
      expect(Buffer.from(packedAt(cut.values, index)!).toString()).toBe(value)
    }
  })
})

it('a block does not span more offsets than its deltas hold', () => {
  expect(() => blockBetween(block(), 10n - 2n ** 32n, 18n)).toThrow(
    expect.objectContaining({ code: 'OFFSET_ORDER' }),
  )
  // 15, the last record, as far behind as it may.
  const widest = blockBetween(block(), 16n - 2n ** 32n, 18n)
  expect(recordOffset(widest, 2)).toBe(15n)
})

it('a builder is over once its block is finished', () => {
  const builder = new RecordBlockBuilder({ topic: 'ticks', partition: 0, firstOffset: 0n })
  builder.finish()
  const refused = expect.objectContaining({ code: 'BLOCK_FINISHED' })
  expect(() => builder.finish()).toThrow(refused)
  expect(() => builder.add({ offset: 0n, timestampMillis: 0, key: null, value: null })).toThrow(refused)
})
