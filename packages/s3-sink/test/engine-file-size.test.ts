import { defineTable, defineTopic, identity, t } from '@stockpipe/core'
import fc from 'fast-check'
import { readOffsetIndex } from 'hyparquet/src/indexes.js'
import { describe, expect, it } from 'vitest'
import { createEngine } from '../src/engine.ts'
import { type CutFile, filesOf, footerOf, rowsOf } from './engine/parquet-files.ts'
import { blockOf } from './engine/record-blocks.ts'

const table = defineTable('ticks', {
  columns: { symbol: t.string(), price: t.double(), note: t.string(), size: t.int64() },
  partitions: { ticker: identity('symbol') },
})
const topic = defineTopic('ticks', { table })
const log = { topic: 'ticks', partition: 0 }
const target = 256 * 1024

interface Row {
  readonly symbol: string
  readonly price: number
  readonly note: string
  readonly size: number
}

/** Numbers that do not compress, the same every time. */
const noise = (index: number): number => {
  let bits = Math.imul(index + 1, 0x9e3779b1)
  bits = Math.imul(bits ^ (bits >>> 15), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
const text = (index: number, length: number): string => {
  let out = ''
  for (let at = 0; out.length < length; at += 1) out += noise(index * 977 + at).toString(36)
  return out.slice(0, length)
}

/** A row by its number, and how many rows a block has. */
const shapes: Record<string, { readonly row: (index: number) => Row; readonly blockRows: number }> = {
  'one path that does not compress': {
    row: (index) => ({ symbol: 'A', price: noise(index) / 7, note: text(index, 8), size: noise(-index) }),
    blockRows: 500,
  },
  'one path that compresses well': {
    row: (index) => ({
      symbol: 'A',
      price: index >> 2,
      note: `n${noise(index) % 3}`,
      size: noise(index) % 9,
    }),
    blockRows: 5_000,
  },
  'long texts, none twice': {
    row: (index) => ({ symbol: 'A', price: 1, note: text(index, 400), size: 1 }),
    blockRows: 60,
  },
  'a path that stops compressing': {
    row: (index) => ({
      symbol: 'A',
      price: index < 20_000 ? 1 : noise(index) / 7,
      note: index < 20_000 ? 'same' : text(index, 20),
      size: 1,
    }),
    blockRows: 700,
  },
  'one large path beside twenty small ones': {
    row: (index) => ({
      symbol: index % 4 === 0 ? `S${(index >> 2) % 20}` : 'A',
      price: noise(index) / 7,
      note: text(index, 6),
      size: index,
    }),
    blockRows: 500,
  },
  'ten paths alike': {
    row: (index) => ({ symbol: `S${index % 10}`, price: noise(index) / 7, note: 'x', size: noise(-index) }),
    blockRows: 2_000,
  },
  'blocks of several files each': {
    row: (index) => ({ symbol: 'A', price: noise(index) / 7, note: text(index, 8), size: index }),
    blockRows: 24_000,
  },
}

/** Feeds blocks until the largest file reaches the target, as a partition log does, and cuts. */
const groups = (shape: (typeof shapes)[string], count: number, mostBlocks = 4_000) => {
  const engine = createEngine({ topic: topic.toJSON(), fileBytes: target })
  const cuts: CutFile[][] = []
  let offset = 0
  let start = 0
  for (let block = 0; cuts.length < count && block < mostBlocks; block += 1) {
    const records = Array.from({ length: shape.blockRows }, () => ({
      offset: BigInt(offset),
      value: shape.row(offset++),
    }))
    const answer = [...engine.handle({ kind: 'block', block: blockOf('ticks', records), from: 0n })].at(-1)
    if (answer?.kind !== 'buffered' || answer.largestFileBytes < target) continue
    cuts.push(filesOf(engine.handle({ kind: 'cut', log, start: BigInt(start), next: BigInt(offset) })))
    start = offset
  }
  return cuts
}

describe('files, 256 KiB aimed at', () => {
  it.each(Object.keys(shapes))(
    'are within 15 percent of it: %s',
    (name) => {
      const shape = shapes[name]!
      const cuts = groups(shape, 2)
      expect(cuts).toHaveLength(2)
      for (const files of cuts) {
        for (const path of new Set(files.map(({ partitionValues }) => partitionValues[0]))) {
          const ofPath = files.filter(({ partitionValues }) => partitionValues[0] === path)
          for (const { bytes } of ofPath.slice(0, -1)) {
            expect(bytes.length / target).toBeGreaterThan(0.85)
            expect(bytes.length / target).toBeLessThan(1.15)
          }
          expect(ofPath.at(-1)!.bytes.length / target).toBeLessThan(1.15)
          for (const [index, { facts }] of ofPath.slice(1).entries())
            expect(facts.firstOffset).toBeGreaterThan(ofPath[index]!.facts.lastOffset)
        }
        // The file that made the cut due, also at the first cut, when nothing was measured before.
        expect(Math.max(...files.map(({ bytes }) => bytes.length)) / target).toBeGreaterThan(0.85)
      }
    },
    60_000,
  )

  it('have page indexes that point at their pages, and the rows in order over their row groups', async () => {
    const [files] = groups(shapes['one path that does not compress']!, 1)
    const { bytes, facts } = files![0]!
    const footer = footerOf(bytes)
    expect(footer.row_groups.length).toBeGreaterThan(3)
    expect(footer.row_groups.map(({ ordinal }) => ordinal)).toEqual(
      footer.row_groups.map((_, index) => index),
    )
    for (const { columns } of footer.row_groups) {
      for (const { offset_index_offset: at, offset_index_length: length, meta_data: column } of columns) {
        const view = new DataView(bytes.slice(Number(at), Number(at) + length!).buffer)
        const { page_locations: pages } = readOffsetIndex({ view, offset: 0 })
        expect(pages[0]!.offset).toBe(column!.data_page_offset)
      }
    }
    const rows = await rowsOf(table, bytes)
    expect(rows).toHaveLength(facts.rows)
    const { row } = shapes['one path that does not compress']!
    expect(rows).toEqual(rows.map((_, index) => ({ ...row(index), size: BigInt(row(index).size) })))
  })

  it('hold the same rows whatever the target and the blocks', async () => {
    const values = Array.from({ length: 600 }, (_, index) => ({
      symbol: `S${noise(index) % 3}`,
      price: noise(index) / 7,
      note: text(index, 30),
      size: index,
    }))
    const read = async (fileBytes: number, blockRows: number) => {
      const engine = createEngine({ topic: topic.toJSON(), fileBytes })
      for (let from = 0; from < values.length; from += blockRows) {
        const records = values
          .slice(from, from + blockRows)
          .map((value, index) => ({ offset: BigInt(from + index), value }))
        engine.handle({ kind: 'block', block: blockOf('ticks', records), from: 0n })
      }
      const files = filesOf(engine.handle({ kind: 'cut', log, start: 0n, next: 600n }))
      const rows = []
      for (const file of files) rows.push(...(await rowsOf(table, file.bytes)))
      return rows
    }
    const whole = await read(2 ** 30, 600)
    expect(whole).toHaveLength(600)
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60_000 }),
        fc.integer({ min: 1, max: 600 }),
        async (fileBytes, blockRows) => {
          expect(await read(fileBytes, blockRows)).toEqual(whole)
        },
      ),
      { numRuns: 12 },
    )
  }, 60_000)
})

it('files begin where a group that is read again says, whatever their size and the blocks', () => {
  const { row } = shapes['one large path beside twenty small ones']!
  const records = Array.from({ length: 9_000 }, (_, index) => ({ offset: BigInt(index), value: row(index) }))
  const cutOf = (options: object, blockRows: number) => {
    const engine = createEngine({ topic: topic.toJSON(), ...options })
    for (let from = 0; from < records.length; from += blockRows)
      engine.handle({
        kind: 'block',
        block: blockOf('ticks', records.slice(from, from + blockRows)),
        from: 0n,
      })
    const files = filesOf(engine.handle({ kind: 'cut', log, start: 0n, next: 9_000n }))
    return files.map(({ facts: { bytes, file, ...facts } }) => facts)
  }
  const first = cutOf({ fileBytes: 50_000 }, 700)
  expect(first.length).toBeGreaterThan(22)
  for (const blockRows of [9_000, 333]) expect(cutOf({ fileStarts: first }, blockRows)).toEqual(first)
})
