import { defineTable, identity, t } from '@stockpipe/core'
import { expect, it } from 'vitest'
import { batchOf } from './engine/column-batches.ts'
import { groupBufferOf } from './engine/group-buffers.ts'

const table = defineTable('ticks', {
  columns: { symbol: t.string(), price: t.int64(), note: t.string().nullable(), offset: t.recordOffset() },
  partitions: { ticker: identity('symbol') },
})

/** Batches in which one row in 500 goes to small paths, the others to a path that is encoded again and again. */
const batch = (index: number, rows: number) =>
  batchOf(
    table,
    Array.from({ length: rows }, (_, row) => {
      const serial = index * rows + row
      return {
        symbol: serial % 500 === 0 ? `S${serial % 7}` : 'HOT',
        price: BigInt(serial),
        note: serial % 11 === 0 ? null : `n${serial % 300}`,
        offset: BigInt(serial),
      }
    }),
    BigInt(index * rows),
  )

it('rows of small paths do not keep the memory of a large one, and stay what they were', () => {
  const group = groupBufferOf(table)
  const rows = 8_000
  let most = 0
  for (let index = 0; index < 60; index += 1) {
    group.append(batch(index, rows), 0)
    const encoded = group.paths().reduce((bytes, path) => bytes + path.encodedBytes, 0)
    most = Math.max(most, group.capacityBytes - encoded)
  }
  const open = group.paths().reduce((sum, path) => sum + path.openRows, 0)
  expect(open).toBeLessThan(65_536 + 1_000)
  // 32 bytes a row with its offset: what is open, as much that is released, and room to grow.
  expect(most).toBeLessThan(32 * 4 * 65_536)
  for (const path of group.paths()) {
    if (path.partitionValues[0] === 'HOT') continue
    const { columns, offsets } = path.batch()
    const [, price, note] = columns as [
      unknown,
      { values: BigInt64Array },
      {
        codes: Int32Array
        validity: Uint8Array | null
        dictionary: { offsets: Int32Array; bytes: Uint8Array }
      },
    ]
    expect(offsets.length).toBeGreaterThan(100)
    offsets.forEach((offset, row) => {
      expect(`S${Number(offset) % 7}`).toBe(path.partitionValues[0])
      expect(price.values[row]).toBe(offset)
      const isNull = note.validity !== null && ((note.validity[row >> 3]! >> (row & 7)) & 1) === 0
      expect(isNull).toBe(Number(offset) % 11 === 0)
      if (isNull) return
      const code = note.codes[row]!
      const text = note.dictionary.bytes.subarray(
        note.dictionary.offsets[code]!,
        note.dictionary.offsets[code + 1]!,
      )
      expect(Buffer.from(text).toString()).toBe(`n${Number(offset) % 300}`)
    })
  }
}, 60_000)

it('a group whose rows have all become row groups holds no columns', () => {
  const group = groupBufferOf(table)
  const hot = (index: number) =>
    batchOf(
      table,
      Array.from({ length: 65_536 }, (_, row) => ({
        symbol: 'HOT',
        price: 1n,
        note: `${row}`,
        offset: BigInt(row),
      })),
      BigInt(index * 65_536),
    )
  for (let index = 0; index < 3; index += 1) group.append(hot(index), 0)
  const [path] = group.paths()
  expect(path!.openRows).toBe(0)
  expect(group.capacityBytes - path!.encodedBytes).toBeLessThan(20_000)
}, 60_000)

it('strings that no row has twice are let go with their rows, and those of open rows stay what they were', () => {
  const group = groupBufferOf(table)
  const rows = 8_000
  let most = 0
  for (let index = 0; index < 60; index += 1) {
    const batch = batchOf(
      table,
      Array.from({ length: rows }, (_, row) => {
        const serial = index * rows + row
        return {
          symbol: serial % 500 === 0 ? `S${serial % 7}` : 'HOT',
          price: BigInt(serial),
          note: serial % 11 === 0 ? null : `order ${serial} of the group`,
          offset: BigInt(serial),
        }
      }),
      BigInt(index * rows),
    )
    group.append(batch, 0)
    const encoded = group.paths().reduce((bytes, path) => bytes + path.encodedBytes, 0)
    most = Math.max(most, group.capacityBytes - encoded)
  }
  // 480,000 strings in all; three times a row group of them, with their places in the dictionary, and the rows.
  expect(most).toBeLessThan(3 * 65_536 * 110)
  let met = 0
  for (const path of group.paths()) {
    const { columns, offsets } = path.batch()
    const note = columns[2]!
    if (note.kind !== 'dictionary') throw new Error('note is a dictionary')
    offsets.forEach((offset, row) => {
      const isNull = note.validity !== null && ((note.validity[row >> 3]! >> (row & 7)) & 1) === 0
      const [start, end] = note.dictionary.offsets.subarray(note.codes[row]!, note.codes[row]! + 2)
      const text = Buffer.from(note.dictionary.bytes.subarray(start, end)).toString()
      if (isNull !== (offset % 11n === 0n) || (!isNull && text !== `order ${offset} of the group`))
        throw new Error(`offset ${offset} has ${isNull ? 'null' : text}`)
      met += 1
    })
  }
  expect(met).toBe(group.paths().reduce((sum, path) => sum + path.openRows, 0))
  expect(met).toBeGreaterThan(10_000)
}, 60_000)
