import { defineTable, defineTopic, identity, t } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { createEngine } from '../src/engine.ts'
import type { EngineOptions, EngineResponse } from '../src/engine-messages.ts'
import { cutParts } from '../src/part-cutter.ts'
import { filesOf, footerOf, rowsOf } from './engine/parquet-files.ts'
import { blockOf } from './engine/record-blocks.ts'

const table = defineTable('quotes', {
  columns: {
    ticker: t.string().nullable(),
    at: t.epochNanos().nullable(),
    born: t.date().nullable(),
    blob: t.binary().nullable(),
    offset: t.recordOffset(),
    log: t.recordPartition(),
  },
  partitions: { p: identity('ticker') },
})
const topic = defineTopic('quotes', { table })
const log = { topic: 'quotes', partition: 3 }
const engineOf = (options: Partial<EngineOptions> = {}) => createEngine({ topic: topic.toJSON(), ...options })
const blockAt = (first: number, values: readonly object[]) =>
  blockOf(
    'quotes',
    values.map((value, index) => ({ offset: BigInt(first + index), value })),
    { partition: 3 },
  )
const take = (engine: ReturnType<typeof engineOf>, first: number, values: readonly object[]) => {
  const response = [...engine.handle({ kind: 'block', block: blockAt(first, values), from: 0n })].at(-1)
  if (response?.kind !== 'buffered') throw new Error('not buffered')
  return response
}
const cut = (engine: ReturnType<typeof engineOf>, start: number, next: number) =>
  engine.handle({ kind: 'cut', log, start: BigInt(start), next: BigInt(next) })

/** Bytes that do not compress, the same every time. */
const noise = (length: number, seed: number): string => {
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index += 1) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0
    bytes[index] = seed >>> 24
  }
  return Buffer.from(bytes).toString('base64')
}

describe('a cut', () => {
  it('orders files by partition values, the default partition first, whatever came first', () => {
    const engine = engineOf()
    take(engine, 0, [{ ticker: 'b' }, { ticker: 'B' }, { ticker: null }, { ticker: 'a' }, { ticker: 'B' }])
    expect(filesOf(cut(engine, 0, 5)).map(({ partitionValues }) => partitionValues)).toEqual([
      [null],
      ['B'],
      ['a'],
      ['b'],
    ])
  })

  it('yields nothing for an unknown log and an empty group', () => {
    const engine = engineOf()
    expect([...cut(engine, 0, 5)]).toEqual([])
    take(engine, 0, [])
    expect([...cut(engine, 0, 5)]).toEqual([])
  })

  it('names the rejected records of decoding and routing together, in order', () => {
    const engine = engineOf({ maxPathBytes: 5 })
    const values = [{ ticker: 'long' }, { at: 'x' }, { ticker: 'ok' }, { ticker: 'long' }]
    const [rejected, buffered] = engine.handle({ kind: 'block', block: blockAt(10, values), from: 10n })
    expect(rejected).toMatchObject({
      records: [
        { index: 0, offset: 10n, column: 'ticker', reason: expect.stringContaining('more than 5 bytes') },
        { index: 1, offset: 11n, column: 'at' },
        { index: 3, offset: 13n },
      ],
    })
    expect(buffered).toMatchObject({ rows: 1, bufferedRows: 1, openPaths: 1 })
  })

  it('writes the facts of the record and no partition column', async () => {
    const engine = engineOf()
    take(engine, 41, [{ ticker: 'A' }])
    const [file] = filesOf(cut(engine, 41, 42))
    expect(await rowsOf(table, file!.bytes)).toEqual([
      { ticker: 'A', at: null, born: null, blob: null, offset: 41n, log: 3 },
    ])
  })

  it('keeps the rows when it is returned early, so that the log can grow and be cut again', async () => {
    const engine = engineOf()
    take(engine, 0, [{ ticker: 'A' }, { ticker: 'B' }])
    for (const _ of cut(engine, 0, 2)) break
    expect(take(engine, 2, [{ ticker: 'A' }])).toMatchObject({ rows: 1, bufferedRows: 3, openPaths: 2 })
    const files = filesOf(cut(engine, 0, 3))
    expect(files.map(({ facts }) => [facts.rows, facts.firstOffset, facts.lastOffset])).toEqual([
      [2, 0n, 2n],
      [1, 1n, 1n],
    ])
    expect([...cut(engine, 0, 3)]).toEqual([])
    expect(take(engine, 3, [{ ticker: 'A' }])).toMatchObject({ bufferedRows: 1, openPaths: 1 })
  })

  it('takes neither a block nor another cut while it is under way', () => {
    const engine = engineOf()
    take(engine, 0, [{ ticker: 'A' }, { ticker: 'B' }])
    const responses = cut(engine, 0, 2)[Symbol.iterator]()
    responses.next()
    expect(() => take(engine, 2, [{ ticker: 'A' }])).toThrow(/under way/)
    expect(() => [...cut(engine, 0, 2)]).toThrow(/under way/)
    const other = blockOf('quotes', [{ offset: 0n, value: {} }], { partition: 4 })
    expect([...engine.handle({ kind: 'block', block: other, from: 0n })]).toHaveLength(1)
  })

  it('ends with an error when its rows are discarded under it, and the log begins anew', () => {
    const engine = engineOf()
    take(engine, 0, [{ ticker: 'A' }, { ticker: 'B' }])
    const responses = cut(engine, 0, 2)[Symbol.iterator]()
    responses.next()
    engine.handle({ kind: 'discard', log })
    expect(take(engine, 0, [{ ticker: 'C' }])).toMatchObject({ bufferedRows: 1 })
    expect(() => responses.next()).toThrow(/discarded while they were cut/)
    expect(filesOf(cut(engine, 0, 1)).map(({ partitionValues }) => partitionValues)).toEqual([['C']])
  })

  it('refuses a range that does not hold the rows buffered', () => {
    const engine = engineOf()
    take(engine, 5, [{ ticker: 'A' }, { ticker: 'A' }])
    expect(() => [...cut(engine, 6, 7)]).toThrow(/offset 5 to 6 .* \[6, 7\)/)
    expect(() => [...cut(engine, 5, 6)]).toThrow(/\[5, 6\)/)
    expect(filesOf(cut(engine, 4, 9))).toHaveLength(1)
  })

  it('refuses rows after an error until they are discarded', () => {
    const engine = engineOf()
    take(engine, 5, [{ ticker: 'A' }])
    expect(() => take(engine, 5, [{ ticker: 'A' }])).toThrow(/once and in order/)
    expect(() => take(engine, 6, [{ ticker: 'A' }])).toThrow(/discard/)
    expect(() => [...cut(engine, 5, 6)]).toThrow(/discard/)
    engine.handle({ kind: 'discard', log })
    expect(take(engine, 5, [{ ticker: 'A' }])).toMatchObject({ bufferedRows: 1 })
  })
})

describe('event times of a file', () => {
  const rows = [
    { at: '1500000', born: '2024-01-02' },
    { at: null, born: null },
    { at: '-1', born: '1969-12-31' },
  ]
  const range = (options: Partial<EngineOptions>, values: readonly object[]) => {
    const engine = engineOf(options)
    take(engine, 0, values)
    const [{ facts }] = filesOf(cut(engine, 0, values.length)) as [ReturnType<typeof filesOf>[number]]
    return [facts.minEventTime, facts.maxEventTime]
  }

  it('are those of the first time column, cut down to milliseconds, or of the one named', () => {
    expect(range({}, rows)).toEqual([-1, 1])
    expect(range({ eventTimeColumn: 'born' }, rows)).toEqual([-86_400_000, Date.UTC(2024, 0, 2)])
  })

  it('are null when no row has one', () => {
    expect(range({}, [{ at: null }])).toEqual([null, null])
  })
})

describe('parts', () => {
  it('are all of one size but the last, numbered from 1', () => {
    const sizes = (length: number) =>
      [...cutParts([new Uint8Array(3), new Uint8Array(length - 3)], 10)].map(
        ({ partNumber, bytes, last }) => [partNumber, bytes.length, last],
      )
    expect(sizes(9)).toEqual([[1, 9, true]])
    expect(sizes(10)).toEqual([[1, 10, true]])
    expect(sizes(20)).toEqual([
      [1, 10, false],
      [2, 10, true],
    ])
    expect(sizes(21).at(-1)).toEqual([3, 1, true])
  })

  it('of a large file make it whole again, and each can be transferred by itself', async () => {
    const engine = engineOf({ partBytes: 5 * 1024 * 1024, compression: 'none' })
    const blobs = Array.from({ length: 3 }, (_, index) => noise(2 * 1024 * 1024, index))
    take(
      engine,
      0,
      blobs.map((blob) => ({ ticker: 'A', blob })),
    )
    const [file] = filesOf(cut(engine, 0, 3))
    expect(file!.parts.map(({ bytes, last }) => [bytes.length === 5 * 1024 * 1024, last])).toEqual([
      [true, false],
      [false, true],
    ])
    for (const { bytes } of file!.parts) expect(bytes.buffer.byteLength).toBe(bytes.length)
    const rows = await rowsOf(table, file!.bytes)
    expect(
      rows.map(({ blob }) => Buffer.from(blob as Uint8Array).toString('base64') === blobs.shift()),
    ).toEqual([true, true, true])
  })

  it('of the next file are encoded only when they are pulled', () => {
    const engine = engineOf()
    take(engine, 0, [{ ticker: 'A' }, { ticker: 'B' }])
    const seen: string[] = []
    for (const response of cut(engine, 0, 2)) {
      seen.push(`${response.kind} ${(response as Extract<EngineResponse, { kind: 'part' }>).file}`)
      if (response.kind === 'file') break
    }
    expect(seen).toEqual(['part 0', 'file 0'])
  })
})

describe('what a log is said to hold', () => {
  const values = (from: number, rows: number) =>
    Array.from({ length: rows }, (_, index) => ({
      ticker: `T${index % 3}`,
      at: String(from + index * 977),
      blob: noise(12, from + index),
    }))

  it('covers the memory of its columns, grows with them, and is nothing after the cut', () => {
    const engine = engineOf()
    const first = take(engine, 0, values(0, 3000))
    // ticker 4 + at 8 + born 4 + blob 12 + 4 + offset 8 + log 4 + offset of the record 8
    const perRow = 52
    expect(first.bufferedBytes).toBeGreaterThan(3000 * perRow)
    expect(first.bufferedBytes).toBeLessThan(3000 * perRow * 2.5)
    const second = take(engine, 3000, values(3000, 6000))
    expect(second.bufferedBytes).toBeGreaterThan(9000 * perRow)
    expect(second.bufferedBytes).toBeLessThan(9000 * perRow * 2.5)
    for (const _ of cut(engine, 0, 9000));
    expect(take(engine, 9000, values(0, 1)).bufferedBytes).toBeLessThan(20_000)
  })

  it('foretells the size of the files, closely once a cut has been measured', () => {
    const engine = engineOf()
    const round = (index: number) => {
      const { encodedBytes } = take(engine, index * 3000, values(index * 3000, 3000))
      const files = filesOf(cut(engine, index * 3000, index * 3000 + 3000))
      return encodedBytes / files.reduce((bytes, file) => bytes + file.bytes.length, 0)
    }
    expect(Math.abs(Math.log2(round(0)))).toBeLessThan(1)
    for (const index of [1, 2, 3]) expect(Math.abs(round(index) - 1)).toBeLessThan(0.05)
  })

  it('is forgotten when the engine closes', () => {
    const engine = engineOf()
    take(engine, 0, values(0, 10))
    engine.close()
    expect([...cut(engine, 0, 10)]).toEqual([])
  })
})

describe('engine options', () => {
  it('that cannot be met are refused with the reason', () => {
    expect(() => engineOf({ partBytes: 1024 })).toThrow(/partBytes is a whole number from 5242880/)
    expect(() => engineOf({ rowGroupRows: 0.5 })).toThrow(/rowGroupRows/)
    expect(() => engineOf({ compression: 'lz4_raw' as 'zstd' })).toThrow(/cannot read LZ4/)
    expect(() => engineOf({ eventTimeColumn: 'ticker' })).toThrow(/'ticker', a string column/)
    expect(() => engineOf({ eventTimeColumn: 'nothing' })).toThrow(/no column 'nothing'/)
    expect(() => engineOf({ footerMetadata: { 'stockpipe.start': '1' } })).toThrow(/choose another/)
    const other = blockOf('other', [{ offset: 0n, value: {} }])
    expect(() => engineOf().handle({ kind: 'block', block: other, from: 0n })).toThrow(
      /given a block of other/,
    )
  })

  it('set compression and row groups', () => {
    const engine = engineOf({ compression: 'zstd', rowGroupRows: 2 })
    take(engine, 0, [{ ticker: 'A' }, { ticker: 'A' }, { ticker: 'A' }])
    const [file] = filesOf(cut(engine, 0, 3))
    const { row_groups: groups } = footerOf(file!.bytes)
    expect(groups.map((group) => [group.num_rows, group.columns[0]!.meta_data!.codec])).toEqual([
      [2n, 'ZSTD'],
      [1n, 'ZSTD'],
    ])
  })
})
