import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type ColumnBatch,
  createDecoder,
  createEncoder,
  Decimal,
  defineTable,
  defineTopic,
  json,
  RecordBlockBuilder,
  type TopicDefinition,
  t,
} from '../src/index.ts'
import { rowReader } from '../src/row-reader.ts'
import { nestedTables } from './nested-tables.ts'

const orders = defineTable('orders', {
  columns: {
    tags: t.list(t.string()).nullable(),
    levels: t.map(t.int32(), t.double().nullable()).nullable(),
    quotes: t.map(t.string(), t.struct({ bid: t.decimal(18, 4) })).nullable(),
    sizes: t.map(t.int64(), t.int32()).nullable(),
    legs: t
      .list(
        t.struct({
          price: t.decimal(18, 4),
          at: t.timestamp().nullable(),
          fills: t.list(t.struct({ size: t.int64() })).nullable(),
        }),
      )
      .nullable(),
    times: t.list(t.timestamp().nullable()).nullable(),
  },
})
const topic = defineTopic('orders', {
  table: orders,
  value: json({
    names: { 'legs.price': 'strikePrice', 'legs.fills.size': 'q' },
    timestamps: { 'legs.at': 'epoch-millis', times: 'epoch-seconds' },
  }),
})

const decode = (of: TopicDefinition, values: readonly string[]) => {
  const builder = new RecordBlockBuilder({ topic: of.name, partition: 0, firstOffset: 0n })
  values.forEach((value, index) => {
    builder.add({
      offset: BigInt(index),
      timestampMillis: 0,
      key: null,
      value: new TextEncoder().encode(value),
    })
  })
  const { batch, rejected } = createDecoder(of).decode(builder.finish())
  const read = rowReader(of.table.columns, batch)
  return { batch, rejected, rows: Array.from({ length: batch.rows }, (_, row) => read(row)) }
}

describe('lists, maps and structs as JSON', () => {
  it('come back as an encoder wrote them, for any table and rows', () => {
    fc.assert(
      fc.property(nestedTables, ({ table, rows }) => {
        const nested = defineTopic('nested', { table })
        const encoder = createEncoder(nested)
        const { rows: decoded, rejected } = decode(
          nested,
          rows.map((row) => String(encoder.encode(row as never).value)),
        )
        expect(rejected).toEqual([])
        expect(decoded).toEqual(rows)
      }),
      { numRuns: 300 },
    )
  })

  it('are arrays and objects, with the names and times of the encoding', () => {
    const row = {
      tags: ['a', 'b'],
      levels: new Map([
        [-1, 0.5],
        [2, null],
      ]),
      quotes: { XNYS: { bid: '10.5' } },
      legs: [{ price: '1.25', at: new Date(1_700_000_000_123), fills: [{ size: 9007199254740993n }] }],
      times: [new Date(1_700_000_000_500), null],
    }
    const { value } = createEncoder(topic).encode(row)
    expect(value).toBe(
      '{"tags":["a","b"],"levels":{"-1":0.5,"2":null},"quotes":{"XNYS":{"bid":"10.5"}},' +
        '"legs":[{"strikePrice":"1.25","at":1700000000123,"fills":[{"q":9007199254740993}]}],"times":[1700000000.5,null]}',
    )
    expect(decode(topic, [String(value)]).rows[0]).toEqual({
      ...row,
      quotes: new Map([['XNYS', { bid: Decimal.parse('10.5000') }]]),
      sizes: null,
      legs: [{ ...row.legs[0], price: Decimal.parse('1.2500') }],
    })
  })

  it('are read from their text: unknown members skipped, the last of members with one name kept', () => {
    const { rows } = decode(topic, [
      '{"legs":[ {"x":[1,{"y":2}],"strikePrice":1,"strikePrice":0.1 , "at":null } ],"sizes":{"1":1,"1":2},"tags":[]}',
      '{"quotes":{"constructor":{"bid":1},"__proto__":{"bid":2}}}',
    ])
    expect(rows[0]).toMatchObject({
      legs: [{ price: Decimal.parse('0.1000'), at: null, fills: null }],
      sizes: new Map([[1n, 2]]),
      tags: [],
    })
    expect([...(rows[1]!['quotes'] as Map<string, unknown>).keys()]).toEqual(['constructor', '__proto__'])
  })

  it.each([
    [
      '{"legs":[{"strikePrice":1},{"strikePrice":1},{"strikePrice":true}]}',
      "'legs[2].price' takes decimal digits, not true true",
    ],
    ['{"legs":[{"strikePrice":0.00001}]}', "'legs[0].price' has more than 4 digits after the point: 0.00001"],
    ['{"legs":[{}]}', "'legs[0].price' is missing and not nullable"],
    ['{"legs":[{"strikePrice":null}]}', "'legs[0].price' is null and not nullable"],
    ['{"legs":[null]}', "'legs[0]' is null and not nullable"],
    ['{"legs":[[1]]}', "'legs[0]' takes an object, not array [1]"],
    ['{"legs":{}}', "'legs' takes an array, not object {}"],
    [
      '{"legs":[{"strikePrice":1,"fills":[{"q":1},{"q":1.5}]}]}',
      "'legs[0].fills[1].size' takes a whole number, not number 1.5",
    ],
    ['{"quotes":{"X":{"bid":"a"}}}', `'quotes["X"].bid' takes decimal digits, not string "a"`],
    ['{"levels":{"a":1}}', `'levels["a"]' has a key that takes a whole number, not string "a"`],
    ['{"sizes":{"1":1,"01":2}}', `'sizes["01"]' is a key that the map has already: 1`],
    ['{"sizes":{"1":null}}', `'sizes["1"]' is null and not nullable`],
    ['{"tags":["a",5]}', "'tags[1]' takes a string, not number 5"],
    ['{"tags":["\\ud800"]}', "'tags[0]' holds a lone surrogate, which UTF-8 cannot keep"],
  ])('reject %s with a reason that names the place', (value, reason) => {
    const { rows, rejected } = decode(topic, ['{}', value, '{}'])
    expect(rows).toHaveLength(2)
    expect(rejected).toMatchObject([{ index: 1, reason, column: /'(\w+)/.exec(reason)![1] }])
  })

  it.each<[object, string]>([
    [
      { legs: [{ price: '1' }, { price: 1.5 }] },
      "'legs[1].price' takes a string or a Decimal, not number 1.5",
    ],
    [{ legs: [{}] }, "'legs[0].price' is missing and not nullable"],
    [{ legs: [{ price: '1', prize: 2 }] }, "'legs[0]' has no field 'prize'"],
    [{ legs: [new Date(0)] }, "'legs[0]' takes an object, not a Date"],
    [{ legs: 'x' }, `'legs' takes an array, not "x"`],
    [{ tags: ['a', undefined] }, "'tags[1]' is missing and not nullable"],
    [{ levels: { 1: 2 } }, "'levels' takes a Map, not object"],
    [{ levels: new Map([[1.5, 2]]) }, `'levels["1.5"]' has a key that takes a whole number, not number 1.5`],
    [
      {
        sizes: new Map<bigint | number, number>([
          [1, 1],
          [1n, 2],
        ]),
      },
      `'sizes["1"]' is a key that the map has already`,
    ],
    [{ quotes: [] }, "'quotes' takes a Map or an object, not an array"],
  ])('refuse a row with %o at the producer, and name the place', (row, sentence) => {
    expect(() => createEncoder(topic).encode(row as never)).toThrow(sentence)
  })
})

describe('the vectors of lists, maps and structs', () => {
  const vectorOf = (batch: ColumnBatch, name: string) =>
    batch.columns[orders.columns.findIndex((column) => column.name === name)]!

  it('are laid out as Arrow has them', () => {
    const { batch } = decode(topic, ['{"tags":["a","bc"]}', '{}', '{"tags":[]}', '{"tags":["bc"]}'])
    expect(vectorOf(batch, 'tags')).toEqual({
      kind: 'list',
      offsets: Int32Array.of(0, 2, 2, 2, 3),
      element: {
        kind: 'binary',
        offsets: Int32Array.of(0, 1, 3, 5),
        bytes: new TextEncoder().encode('abcbc'),
        validity: null,
      },
      validity: Uint8Array.of(0b1101),
    })
  })

  it('have a row a field under a null, and none below a list', () => {
    const { batch } = decode(topic, [
      '{"quotes":{"X":{"bid":1},"Y":{"bid":2}}}',
      '{}',
      '{"legs":[{"strikePrice":3}]}',
    ])
    expect(vectorOf(batch, 'quotes')).toMatchObject({
      kind: 'map',
      offsets: Int32Array.of(0, 2, 2, 2),
      value: {
        kind: 'struct',
        fields: [{ kind: 'int64', values: BigInt64Array.of(10_000n, 20_000n), validity: null }],
        validity: null,
      },
    })
    expect(vectorOf(batch, 'legs')).toMatchObject({
      kind: 'list',
      offsets: Int32Array.of(0, 0, 0, 1),
      element: {
        fields: [
          { values: BigInt64Array.of(30_000n), validity: null },
          { validity: Uint8Array.of(0) },
          { kind: 'list', offsets: Int32Array.of(0, 0), validity: Uint8Array.of(0) },
        ],
      },
    })
  })
})
