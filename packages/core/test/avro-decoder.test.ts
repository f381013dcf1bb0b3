import { deflateSync } from 'node:zlib'
import { Type } from 'avsc'
import { describe, expect, it } from 'vitest'
import {
  avro,
  avroSchemaOf,
  type ColumnRecord,
  createDecoder,
  createTransformingDecoder,
  Decimal,
  defineTable,
  defineTopic,
  RecordBlockBuilder,
  type TableDefinition,
  type TopicDefinition,
  t,
  topicFromJSON,
} from '../src/index.ts'
import { rowReader } from '../src/row-reader.ts'

const trade = {
  type: 'record',
  name: 'market.Trade',
  fields: [
    { name: 'symbol', type: 'string' },
    { name: 'conditions', type: { type: 'array', items: 'string' } },
    {
      name: 'px',
      aliases: ['price'],
      type: { type: 'bytes', logicalType: 'decimal', precision: 18, scale: 4 },
    },
    { name: 'lastSize', type: 'int' },
    { name: 'ts', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'venue', type: ['null', { type: 'enum', name: 'Venue', symbols: ['XNYS', 'XNAS'] }] },
  ],
}
const trades = defineTable('trades', {
  columns: {
    symbol: t.string(),
    price: t.decimal(18, 4),
    size: t.int64(),
    ts: t.timestamp(),
    venue: t.string().nullable(),
    note: t.string().nullable(),
  },
})
const topic = defineTopic('trades', {
  table: trades,
  value: avro({ schema: trade, names: { size: 'lastSize' } }),
})
const written = (schema: object) => {
  const type = Type.forSchema(schema as never, { wrapUnions: true })
  return (value: unknown) => type.toBuffer(value)
}
const tradeOf = (more: object = {}) =>
  written(trade)({
    symbol: 'AAPL',
    conditions: ['@', 'F'],
    px: Buffer.from('01e240', 'hex'),
    lastSize: 100,
    ts: 1_700_000_000_123_000,
    venue: { 'market.Venue': 'XNAS' },
    ...more,
  })

const blockOf = (of: TopicDefinition, values: readonly (Uint8Array | null)[]) => {
  const builder = new RecordBlockBuilder({ topic: of.name, partition: 0, firstOffset: 0n })
  values.forEach((value, index) => {
    builder.add({ offset: BigInt(index), timestampMillis: 0, key: null, value })
  })
  return builder.finish()
}
const decode = (of: TopicDefinition, values: readonly (Uint8Array | null)[], decoder = createDecoder(of)) => {
  const { batch, rejected } = decoder.decode(blockOf(of, values))
  const read = rowReader(of.table.columns, batch)
  return {
    rows: Array.from({ length: batch.rows }, (_, row) => read(row)),
    reasons: rejected.map(({ reason }) => reason),
    rejected,
  }
}
const columnsOf = (columns: ColumnRecord): TableDefinition =>
  defineTable('probe', { columns }) as TableDefinition
const topicOf = (column: unknown, type: unknown, more: object = {}): TopicDefinition =>
  defineTopic('probe', {
    table: columnsOf({ a: column } as ColumnRecord),
    value: avro<string>({
      schema: { type: 'record', name: 'Probe', fields: [{ name: 'a', type }] },
      ...more,
    }),
  })

describe('the Avro decoder', () => {
  it('reads fields into columns by name, names and alias, and skips what the table does not know', () => {
    const { rows, reasons } = decode(topic, [
      tradeOf(),
      tradeOf({ symbol: '\u00e9', venue: null, conditions: [] }),
    ])
    expect(reasons).toEqual([])
    expect(rows).toEqual([
      {
        symbol: 'AAPL',
        price: Decimal.parse('12.3456'),
        size: 100n,
        ts: new Date(1_700_000_000_123),
        venue: 'XNAS',
        note: null,
      },
      expect.objectContaining({ symbol: '\u00e9', venue: null }),
    ])
  })

  it('survives as the JSON of its topic', () => {
    const { rows } = decode(topicFromJSON(JSON.parse(JSON.stringify(topic))), [tradeOf()])
    expect(rows).toHaveLength(1)
  })

  it('reads what the table itself would write when no schema is stated', () => {
    const own = defineTopic('trades', { table: trades, value: avro() })
    const write = written(JSON.parse(avroSchemaOf(trades)) as object)
    const row = { symbol: 'A', price: Buffer.of(255), size: 7, ts: 5, venue: { string: 'X' }, note: null }
    expect(decode(own, [write(row)]).rows).toEqual([
      { symbol: 'A', price: Decimal.parse('-0.0001'), size: 7n, ts: new Date(5), venue: 'X', note: null },
    ])
  })

  it('rejects records one by one, each with its reason', () => {
    const good = tradeOf()
    const { rows, rejected } = decode(topic, [
      good,
      null,
      good.subarray(0, 3),
      good.subarray(0, good.length - 1),
      Buffer.concat([good, Buffer.of(0)]),
      new Uint8Array(0),
      tradeOf({ px: Buffer.alloc(0) }),
      tradeOf({ px: Buffer.alloc(9, 127) }),
      tradeOf({ ts: 1_700_000_000_123_001 }),
      Buffer.concat([Buffer.of(4, 0xff, 0xfe), good.subarray(5)]),
      Buffer.concat([Buffer.of(0xfe, 0xff, 0xff, 0xff, 0x0f), good.subarray(1)]),
      Buffer.concat([Buffer.of(3), good.subarray(1)]),
      Buffer.concat([Buffer.alloc(10, 255), good]),
      good,
    ])
    expect(rows).toHaveLength(2)
    expect(rejected.map(({ offset, column, reason }) => [offset, column, reason])).toEqual([
      [1n, undefined, 'the record has no value (a tombstone)'],
      [2n, 'symbol', "'symbol' claims 4 bytes where 2 are left"],
      [3n, 'venue', "'venue' is cut off: the record ends before it does"],
      [4n, undefined, '1 bytes are left after the record: it was written with another schema'],
      [5n, 'symbol', "'symbol' is cut off: the record ends before it does"],
      [6n, 'price', "'price' is a decimal of no bytes"],
      [7n, 'price', "'price' does not fit decimal(18,4): 235192369931154879.2703"],
      [8n, 'ts', "'ts' is finer than a millisecond: 1700000000123001 us; say floor('millis') to cut it"],
      [9n, 'symbol', "'symbol' is not UTF-8"],
      [10n, 'symbol', `'symbol' claims 2147483647 bytes where ${good.length - 1} are left`],
      [11n, 'symbol', "'symbol' claims -2 bytes"],
      [12n, 'symbol', "'symbol' is a number of more than 64 bits"],
    ])
  })

  it('tells the place of a bad value within lists, maps and structs', () => {
    const leg = { type: 'record', name: 'Leg', fields: [{ name: 'ok', type: 'boolean' }] }
    const type = { type: 'array', items: { type: 'map', values: leg } }
    const of = topicOf(t.list(t.map(t.string(), t.struct({ ok: t.boolean() }))), type)
    const value = (...entries: number[]) => Buffer.of(2, ...entries, 0, 0)
    expect(decode(of, [value(2, 2, 65, 1)]).rows).toEqual([{ a: [new Map([['A', { ok: true }]])] }])
    expect(decode(of, [value(2, 2, 65, 9), value(4, 2, 65, 1, 2, 65, 1), value(2, 40)]).reasons).toEqual([
      `'a[0]["A"].ok' is neither true nor false: a byte 9`,
      `'a[0]["A"]' is a key that the map has already: A`,
      "'a[0][key 0]' claims 20 bytes where 2 are left",
    ])
  })

  it('is not led by counts: not to memory, not into the next record, not round and round', () => {
    const list = topicOf(t.list(t.int32()), { type: 'array', items: 'int' })
    const huge = Buffer.concat([Buffer.alloc(8, 254), Buffer.of(0x7f, 2, 4)])
    const negative = Buffer.of(3, 0, 2, 4, 0)
    const badSize = Buffer.of(3, 1, 2, 4, 0)
    const { rows, reasons } = decode(list, [huge, negative, badSize, Buffer.of(4, 2)])
    expect(rows).toEqual([{ a: [1, 2] }])
    expect(reasons).toEqual([
      "'a[2]' is cut off: the record ends before it does",
      "'a' has a block of -1 bytes",
      "'a[1]' is cut off: the record ends before it does",
    ])
    // Elements without bytes are skipped at once, and taken by no column.
    const nulls = {
      type: 'record',
      name: 'R',
      fields: [
        { name: 'n', type: { type: 'array', items: 'null' } },
        { name: 'a', type: 'int' },
      ],
    }
    const skipping = defineTopic('probe', {
      table: columnsOf({ a: t.int32() }),
      value: avro({ schema: nulls }),
    })
    expect(decode(skipping, [Buffer.concat([Buffer.alloc(8, 254), Buffer.of(0x7f, 0, 6)])]).rows).toEqual([
      { a: 3 },
    ])
    expect(() => topicOf(t.list(t.int32().nullable()), { type: 'array', items: 'null' })).toThrow(
      /take no bytes/,
    )
  })

  it('skips values of recursive types, as deep as bytes are believed', () => {
    const node = { type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] }
    const schema = {
      type: 'record',
      name: 'R',
      fields: [
        { name: 'n', type: node },
        { name: 'a', type: 'int' },
      ],
    }
    const of = defineTopic('probe', { table: columnsOf({ a: t.int32() }), value: avro({ schema }) })
    const deep = (levels: number) => Buffer.concat([Buffer.alloc(levels, 2), Buffer.of(0, 6)])
    const { rows, reasons } = decode(of, [deep(200), deep(100_000)])
    expect(rows).toEqual([{ a: 3 }])
    expect(reasons).toEqual(["the field 'n' is nested deeper than 256 levels"])
    const struct = t.struct({
      next: t.struct({ next: t.struct({ x: t.int32().nullable() }).nullable() }).nullable(),
    })
    expect(() => topicOf(struct, node)).toThrow(/'a.next' is of the recursive type Node/)
  })

  it('rescales decimals that lose nothing and rejects the others', () => {
    const decimal = { type: 'bytes', logicalType: 'decimal', precision: 30, scale: 6 }
    const of = topicOf(t.decimal(9, 4), decimal)
    const bytes = (value: number) =>
      Buffer.from([8, ...new Uint8Array(new Int32Array([value]).buffer).reverse()])
    const { rows, reasons } = decode(of, [bytes(-1_234_500), bytes(1_234_501)])
    expect(rows).toEqual([{ a: Decimal.parse('-1.2345') }])
    expect(reasons).toEqual(["'a' has more than 4 digits after the point: 1.234501"])
  })

  it('reads ints and longs without a logical type by the unit that is stated', () => {
    const of = topicOf(t.timestamp(), 'int', { timestamps: { a: 'epoch-seconds' } })
    expect(decode(of, [Buffer.of(2)]).rows).toEqual([{ a: new Date(1000) }])
    expect(() => topicOf(t.timestamp(), 'string', { timestamps: { a: 'epoch-millis' } })).toThrow(
      /takes long of a/,
    )
    expect(() => topicOf(t.timestamp(), 'long', { timestamps: { a: 'iso8601' } })).toThrow(/not 'iso8601'/)
  })

  it.each<[string, unknown, unknown, RegExp]>([
    [
      'a long for int32',
      t.int32(),
      'long',
      /'a' takes int \(declare it t.int64\(\) for a long\), not long\.$/,
    ],
    ['a double for float', t.float(), 'double', /'a' takes int, long or float, not double/],
    [
      'a double for a decimal',
      t.decimal(9, 2),
      'double',
      /takes bytes or fixed of logical type decimal, not double/,
    ],
    ['a plain long for a timestamp', t.timestamp(), 'long', /takes long of a logical type timestamp/],
    ['a plain int for a date', t.date(), 'int', /takes int of logical type date, not int/],
    [
      'a union of two',
      t.string(),
      ['null', 'int', 'string'],
      /is a union of null, int, string; a column has one type/,
    ],
    [
      'a map for a list',
      t.list(t.int32()),
      { type: 'map', values: 'int' },
      /'a' takes array, not map of int/,
    ],
    [
      'a record of other fields',
      t.struct({ price: t.int32() }),
      { type: 'record', name: 'L', fields: [{ name: 'prices', type: 'int' }] },
      /'a.price' is not nullable, and L has no field "price"; is it "prices"/,
    ],
    [
      'an int within a list',
      t.list(t.string()),
      { type: 'array', items: 'int' },
      /'a' takes string, bytes, enum or uuid, not int/,
    ],
  ])('refuses at the schema: %s', (_, column, type, message) => {
    expect(() => topicOf(column, type)).toThrow(message)
  })

  it('refuses schemas that are no record, lack a column, or have it twice', () => {
    const table = columnsOf({ a: t.int32() })
    const of = (schema: object | string) => defineTopic('probe', { table, value: avro({ schema }) })
    const field = (name: string, aliases: string[] = []) => ({ name, aliases, type: 'int' })
    expect(() => of('"int"')).toThrow(/it is a schema of int, and only a record has columns/)
    expect(() => of('{"type":"record"')).toThrow(/This is no Avro schema: it is no JSON/)
    expect(() => of({ type: 'record', name: 'R', fields: [field('b')] })).toThrow(
      /'a' is not nullable, and R has no/,
    )
    const two = columnsOf({ a: t.int32(), b: t.int32() })
    const schema = { type: 'record', name: 'R', fields: [field('a', ['b'])] }
    expect(() => defineTopic('probe', { table: two, value: avro({ schema }) })).toThrow(
      /'b' is the field "a", as 'a' is/,
    )
  })

  it('reads null into nullable columns only, whether the schema has it or not', () => {
    const union = topicOf(t.int32(), ['null', 'int'])
    expect(decode(union, [Buffer.of(2, 4), Buffer.of(0)])).toMatchObject({
      rows: [{ a: 2 }],
      reasons: ["'a' is null and not nullable"],
    })
    expect(decode(topicOf(t.int32().nullable(), 'null'), [Buffer.of()]).rows).toEqual([{ a: null }])
    expect(decode(union, [Buffer.of(4, 4)]).reasons).toEqual(["'a' has union branch 2, and the schema has 2"])
  })

  it('keeps to the limits of small integers and of ints', () => {
    const int = (value: number) => written({ type: 'int' })(value)
    const values = (limit: number) => [-limit, limit - 1, limit, -limit - 1].map(int)
    for (const [column, bits] of [
      [t.int8(), 8],
      [t.int16(), 16],
    ] as const) {
      const limit = 2 ** (bits - 1)
      expect(decode(topicOf(column, 'int'), values(limit))).toMatchObject({
        rows: [{ a: -limit }, { a: limit - 1 }],
        reasons: [`'a' does not fit ${bits} bits: ${limit}`, `'a' does not fit ${bits} bits: ${-limit - 1}`],
      })
    }
    // 2^31, which takes five bytes as 2^31 - 1 does.
    const beyond = Buffer.of(0x80, 0x80, 0x80, 0x80, 0x10)
    expect(decode(topicOf(t.int32(), 'int'), [int(2 ** 31 - 1), int(-(2 ** 31)), beyond])).toMatchObject({
      rows: [{ a: 2 ** 31 - 1 }, { a: -(2 ** 31) }],
      reasons: ["'a' is an int of more than 32 bits: 2147483648"],
    })
  })

  it('lets a row transform see and change rows', () => {
    const decoder = createTransformingDecoder(topic, (row) => ({ ...row, note: `${row['symbol']}!` }))
    expect(decode(topic, [tradeOf()], decoder).rows).toMatchObject([
      { symbol: 'AAPL', note: 'AAPL!', size: 100n },
    ])
  })
})

describe('a framed Avro value', () => {
  const schema = JSON.stringify(trade)
  const names = { size: 'lastSize' } as const
  const framedTopic = (framing: 'confluent' | 'glue') =>
    defineTopic('trades', { table: trades, value: avro({ framing, names }) })
  const confluent = (id: number, value: Uint8Array) => {
    const header = Buffer.alloc(5)
    header.writeInt32BE(id, 1)
    return Buffer.concat([header, value])
  }
  const uuid = '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9'
  const glue = (compression: number, value: Uint8Array, id = uuid) =>
    Buffer.concat([Buffer.of(3, compression), Buffer.from(id.replaceAll('-', ''), 'hex'), value])

  it('of Confluent is read with the schema its id names, which is asked for first', () => {
    const of = framedTopic('confluent')
    const decoder = createDecoder(of)
    const values = [confluent(7, tradeOf()), confluent(8, tradeOf()), confluent(7, tradeOf({ symbol: 'B' }))]
    expect(decoder.schemas!.missing(blockOf(of, values))).toEqual(['7', '8'])
    expect(() => decode(of, values, decoder)).toThrow(/schema 7 are decoded before its text was given/)
    decoder.schemas!.give('7', { schema })
    decoder.schemas!.give('8', null)
    expect(decoder.schemas!.missing(blockOf(of, values))).toEqual([])
    const { rows, reasons } = decode(of, values, decoder)
    expect(rows).toMatchObject([{ symbol: 'AAPL' }, { symbol: 'B' }])
    expect(reasons).toEqual(['the registry has no schema 8'])
    // The registry may know it by now.
    expect(decoder.schemas!.missing(blockOf(of, values))).toEqual(['8'])
  })

  it('may have schemas that differ from record to record', () => {
    const of = framedTopic('confluent')
    const decoder = createDecoder(of)
    const evolved = { ...trade, fields: [...trade.fields, { name: 'note', type: 'string' }].reverse() }
    const inner = { type: 'record', name: 'market.Only', fields: [{ name: 'symbol', type: 'market.Name' }] }
    decoder.schemas!.give('7', { schema })
    decoder.schemas!.give('8', { schema: JSON.stringify(evolved) })
    decoder.schemas!.give('9', {
      schema: JSON.stringify(inner),
      references: [JSON.stringify({ type: 'enum', name: 'market.Name', symbols: ['A'] })],
    })
    decoder.schemas!.give('10', { schema: 'syntax = "proto3";' })
    const note = written(evolved)({
      symbol: 'AAPL',
      conditions: [],
      px: Buffer.of(1),
      lastSize: 1,
      ts: 0,
      venue: null,
      note: 'late',
    })
    const { rows, reasons } = decode(
      of,
      [confluent(7, tradeOf()), confluent(8, note), confluent(9, Buffer.of(0)), confluent(10, Buffer.of(0))],
      decoder,
    )
    expect(rows).toMatchObject([{ note: null }, { note: 'late' }])
    expect(reasons).toEqual([
      `schema 9 cannot be read as table trades: 'price' is not nullable, and market.Only has no field "price"`,
      'schema 10 cannot be read as table trades: This is no Avro schema: it is no JSON: "syntax = \\"proto3\\";"',
    ])
  })

  it('without its header is rejected', () => {
    const of = framedTopic('confluent')
    const values = [tradeOf(), Buffer.of(0, 0, 0, 0), Buffer.of(0, 255, 0, 0, 1, 0), null]
    expect(createDecoder(of).schemas!.missing(blockOf(of, values))).toEqual([])
    const { reasons } = decode(of, values)
    expect(reasons.slice(0, 3)).toEqual(
      Array(3).fill(
        'the value does not begin as the Confluent framing does, with 0x00 and a schema id of four bytes',
      ),
    )
    expect(reasons[3]).toBe('the record has no value (a tombstone)')
  })

  it('of Glue is read bare or inflated', () => {
    const of = framedTopic('glue')
    const decoder = createDecoder(of)
    const bomb = deflateSync(Buffer.alloc(70 * 1024 * 1024))
    const values = [
      glue(0, tradeOf()),
      glue(5, deflateSync(tradeOf({ symbol: 'B' }))),
      glue(0, tradeOf({ symbol: 'C' })),
      glue(5, tradeOf()),
      glue(5, bomb),
      glue(4, tradeOf()),
      Buffer.of(3, 0, 1),
    ]
    expect(decoder.schemas!.missing(blockOf(of, values))).toEqual([uuid])
    decoder.schemas!.give(uuid, { schema })
    const { rows, reasons } = decode(of, values, decoder)
    expect(rows).toMatchObject([{ symbol: 'AAPL' }, { symbol: 'B' }, { symbol: 'C' }])
    expect(reasons).toEqual([
      'the value says that it is compressed, and what it has is no whole zlib stream',
      'the value is more than 67108864 bytes when it is inflated',
      expect.stringContaining('does not begin as the framing of the Glue schema registry does'),
      expect.stringContaining('does not begin as the framing of the Glue schema registry does'),
    ])
  })

  it('has a schema id of its framing', () => {
    expect(avro({ framing: 'confluent', schemaId: 7 }).schemaId).toBe('7')
    expect(avro({ framing: 'glue', schemaId: uuid.toUpperCase() }).schemaId).toBe(uuid)
    expect(() => avro({ schemaId: 7 })).toThrow(/Plain Avro has no schema id/)
    expect(() => avro({ framing: 'confluent', schemaId: uuid })).toThrow(/takes a whole number/)
    expect(() => avro({ framing: 'confluent', schemaId: 2 ** 31 })).toThrow(/takes a whole number/)
    expect(() => avro({ framing: 'glue', schemaId: 7 })).toThrow(/the UUID of a schema version/)
  })
})
