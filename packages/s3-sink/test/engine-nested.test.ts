import { createEncoder, defineTable, defineTopic, identity, type TableDefinition, t } from '@stockpipe/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nestedTables } from '../../core/test/nested-tables.ts'
import { createColumnBuffer } from '../src/column-buffer.ts'
import { createEngine } from '../src/engine.ts'
import { arrowRowsOf } from './engine/arrow-values.ts'
import { groupBufferOf } from './engine/group-buffers.ts'
import { filesOf, footerOf } from './engine/parquet-files.ts'
import { blockOf } from './engine/record-blocks.ts'

type Row = Readonly<Record<string, unknown>>
const utf8 = new TextEncoder()

/** The files of rows that are handed over in blocks of the sizes given and cut once. */
const cut = (
  table: TableDefinition,
  rows: readonly Row[],
  options: {
    readonly sizes?: readonly number[]
    readonly rowGroupRows?: number
    readonly fileBytes?: number
  } = {},
) => {
  const { sizes = [rows.length], rowGroupRows = 65_536, fileBytes } = options
  const topic = defineTopic('nested', { table })
  const encoder = createEncoder(topic)
  const engine = createEngine({
    topic: topic.toJSON(),
    rowGroupRows,
    maxPathBytes: 900,
    ...(fileBytes === undefined ? {} : { fileBytes }),
  })
  const buffered: number[] = []
  for (let start = 0, index = 0; start < rows.length; index += 1) {
    const size = sizes[index % sizes.length]!
    const records = rows.slice(start, start + size).map((row, at) => ({
      offset: BigInt(start + at),
      value: utf8.encode(String(encoder.encode(row as never).value)),
    }))
    for (const response of engine.handle({ kind: 'block', block: blockOf('nested', records), from: 0n })) {
      if (response.kind === 'rejected') throw new Error(response.records[0]!.reason)
      if (response.kind === 'buffered') buffered.push(response.bufferedBytes)
    }
    start += size
  }
  const log = { topic: 'nested', partition: 0 }
  return {
    files: filesOf(engine.handle({ kind: 'cut', log, start: 0n, next: BigInt(rows.length) })),
    buffered,
  }
}

const orders = defineTable('orders', {
  columns: {
    symbol: t.string(),
    tags: t.list(t.string().nullable()),
    fees: t.map(t.string(), t.decimal(9, 2).nullable()).nullable(),
    legs: t.list(t.struct({ price: t.decimal(18, 4), at: t.timestamp().nullable() })).nullable(),
    venue: t.struct({ name: t.string(), levels: t.list(t.int32()) }).nullable(),
  },
  partitions: { ticker: identity('symbol') },
})

describe('lists, maps and structs in the engine', () => {
  it('are in the file as they went in, for any table and rows, however they come in blocks and row groups', () => {
    fc.assert(
      fc.property(
        nestedTables,
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 7 }),
        ({ table, rows }, sizes, rowGroupRows) => {
          const { files } = cut(table, rows, { sizes, rowGroupRows })
          expect(files).toHaveLength(1)
          expect(arrowRowsOf(table.columns, files[0]!.bytes)).toEqual(rows)
        },
      ),
      { numRuns: 150 },
    )
  })

  it('go with their rows to the file of their path', () => {
    const rows = Array.from({ length: 60 }, (_, index) => ({
      symbol: `S${index % 3}`,
      tags: Array.from({ length: index % 4 }, (_, tag) => (tag === 1 ? null : `tag ${index} ${tag}`)),
      fees: index % 5 === 0 ? null : new Map([['fee', null]]),
      legs: null,
      venue: index % 2 === 0 ? null : { name: `v${index}`, levels: [index, -index] },
    }))
    const { files } = cut(orders, rows, { sizes: [7, 1, 20] })
    expect(files.map(({ partitionValues }) => partitionValues)).toEqual([['S0'], ['S1'], ['S2']])
    for (const { partitionValues, bytes } of files) {
      expect(arrowRowsOf(orders.columns, bytes)).toEqual(
        rows.filter(({ symbol }) => symbol === partitionValues[0]),
      )
    }
  })

  it('are laid out as Parquet names lists and maps', () => {
    const row = { symbol: 'A', tags: [], fees: null, legs: [], venue: null }
    const { schema } = footerOf(cut(orders, [row]).files[0]!.bytes)
    const shown = schema
      .slice(1)
      .map(({ name, repetition_type, type, converted_type }) =>
        [name, repetition_type, type ?? 'group', converted_type].filter(Boolean).join(' '),
      )
    expect(shown).toEqual([
      'symbol REQUIRED BYTE_ARRAY UTF8',
      'tags REQUIRED group LIST',
      'list REPEATED group',
      'element OPTIONAL BYTE_ARRAY UTF8',
      'fees OPTIONAL group MAP',
      expect.stringMatching(/^(entries|key_value) REPEATED group$/),
      'key REQUIRED BYTE_ARRAY UTF8',
      'value OPTIONAL INT32 DECIMAL',
      'legs OPTIONAL group LIST',
      'list REPEATED group',
      'element REQUIRED group',
      'price REQUIRED INT64 DECIMAL',
      'at OPTIONAL INT64 TIMESTAMP_MILLIS',
      'venue OPTIONAL group',
      'name REQUIRED BYTE_ARRAY UTF8',
      'levels REQUIRED group LIST',
      'list REPEATED group',
      'element REQUIRED INT32',
    ])
  })

  it('count towards the memory held and the size of a file', () => {
    const row = (tags: readonly string[]) => ({ symbol: 'A', tags, fees: null, legs: null, venue: null })
    const held = (tags: readonly string[]) =>
      cut(
        orders,
        Array.from({ length: 100 }, () => row(tags)),
      ).buffered.at(-1)!
    const large = Array.from({ length: 50 }, (_, index) => `${index}`.repeat(40))
    const payload = 100 * large.reduce((sum, tag) => sum + tag.length + 4, 0)
    expect(held(large) - held([])).toBeGreaterThanOrEqual(payload)
    expect(held(large) - held([])).toBeLessThanOrEqual(payload * 2.1)
  })

  it('end a file at its target, in row groups of at most a quarter of it', () => {
    const rows = Array.from({ length: 4000 }, (_, index) => ({
      symbol: 'A',
      tags: [`${index * 7919} ${(index * 104_729) % 99_991}`],
      fees: new Map([[`${index}`, null]]),
      legs: [],
      venue: { name: `${index * 31}`, levels: [index] },
    }))
    const { files } = cut(orders, rows, { fileBytes: 64 * 1024, sizes: [500] })
    expect(files.length).toBeGreaterThan(1)
    expect(files.flatMap(({ bytes }) => arrowRowsOf(orders.columns, bytes))).toHaveLength(4000)
    expect(files.flatMap(({ bytes }) => arrowRowsOf(orders.columns, bytes).map(({ tags }) => tags))).toEqual(
      rows.map(({ tags }) => tags),
    )
    expect(footerOf(files[0]!.bytes).row_groups.length).toBeGreaterThan(1)
  })

  it('leave behind what lies under a null', () => {
    const buffer = createColumnBuffer('list', undefined)
    const element = { kind: 'int32' as const, values: Int32Array.of(1, 2, 3), validity: null }
    const vector = {
      kind: 'list' as const,
      offsets: Int32Array.of(0, 2, 3),
      element,
      validity: Uint8Array.of(0b10),
    }
    buffer.append(vector, { order: Uint32Array.of(1, 0, 1), start: 0, end: 3 }, 0)
    expect(buffer.vector(3)).toEqual({
      kind: 'list',
      offsets: Int32Array.of(0, 1, 1, 2),
      element: { kind: 'int32', values: Int32Array.of(3, 3), validity: null },
      validity: Uint8Array.of(0b11111101),
    })
  })

  it('refuse a batch in which a decoder laid a field out otherwise, before anything is taken', () => {
    const group = groupBufferOf(orders)
    const text = {
      kind: 'binary' as const,
      offsets: Int32Array.of(0, 1),
      bytes: Uint8Array.of(65),
      validity: null,
    }
    const symbols = { kind: 'dictionary' as const, codes: Int32Array.of(0), dictionary: text, validity: null }
    const columns = [
      symbols,
      { kind: 'list' as const, offsets: Int32Array.of(0, 1), element: symbols, validity: null },
    ]
    const others = orders.columns.slice(2).map(() => symbols)
    expect(() =>
      group.append({ rows: 1, columns: [...columns, ...others], offsets: BigInt64Array.of(0n) }, 0),
    ).toThrow("has 'tags' as dictionary instead of binary")
    expect(group.rows).toBe(0)
  })
})
