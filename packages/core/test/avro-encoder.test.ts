import { Type } from 'avsc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  avro,
  avroSchemaOf,
  type ColumnRecord,
  createDecoder,
  createEncoder,
  Decimal,
  defineTable,
  defineTopic,
  RecordBlockBuilder,
  type TableDefinition,
  type TopicDefinition,
  t,
} from '../src/index.ts'
import { rowReader } from '../src/row-reader.ts'
import { avscTypeOf, recordOf, type SchemaJson } from './decoder-fuzz/avro-reference.ts'
import { nestedTables } from './nested-tables.ts'

const uuid = '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9'
const encoded = (topic: TopicDefinition, row: unknown): Uint8Array => {
  const { value } = createEncoder(topic).encode(row as never)
  if (typeof value === 'string') throw new Error('bytes')
  return value
}
const decoded = (topic: TopicDefinition, values: readonly Uint8Array[], schema?: string) => {
  const builder = new RecordBlockBuilder({ topic: topic.name, partition: 0, firstOffset: 0n })
  values.forEach((value, index) => {
    builder.add({ offset: BigInt(index), timestampMillis: 0, key: null, value })
  })
  const decoder = createDecoder(topic)
  const block = builder.finish()
  for (const id of decoder.schemas?.missing(block) ?? []) decoder.schemas!.give(id, { schema: schema! })
  const { batch, rejected } = decoder.decode(block)
  const read = rowReader(topic.table.columns, batch)
  return { rows: Array.from({ length: batch.rows }, (_, row) => read(row)), rejected }
}
const topicOf = (columns: ColumnRecord, fields?: readonly object[], more: object = {}): TopicDefinition =>
  defineTopic('probe', {
    table: defineTable('probe', { columns }) as TableDefinition,
    value: avro<string>({
      ...(fields ? { schema: { type: 'record', name: 'Probe', fields } } : {}),
      ...more,
    }),
  })

describe('the Avro encoder', () => {
  it('writes what its decoder and avsc read as the same rows, for any table and rows', () => {
    const framings = fc.constantFrom(
      {},
      { framing: 'confluent', schemaId: 70_000 } as const,
      { framing: 'glue', schemaId: uuid } as const,
    )
    fc.assert(
      fc.property(nestedTables, framings, ({ table, rows }, framing) => {
        const topic = defineTopic('nested', { table, value: avro(framing) })
        const schema = avroSchemaOf(table)
        const values = rows.map((row) => encoded(topic, row))
        expect(decoded(topic, values, schema)).toEqual({ rows, rejected: [] })
        const type = avscTypeOf(JSON.parse(schema) as SchemaJson)
        const header = framing.framing === 'confluent' ? 5 : framing.framing === 'glue' ? 18 : 0
        values.forEach((value, index) => {
          const raw = type.fromBuffer(Buffer.from(value.subarray(header)))
          expect(recordOf(table.columns, JSON.parse(schema) as SchemaJson, raw, () => undefined)).toEqual(
            rows[index],
          )
        })
      }),
      { numRuns: 300 },
    )
  })

  it('writes the bytes that avsc writes', () => {
    const columns = {
      flag: t.boolean(),
      small: t.int16(),
      big: t.int64(),
      half: t.float(),
      ratio: t.double(),
      name: t.string(),
      raw: t.binary(),
      note: t.string().nullable(),
      tags: t.list(t.string()),
      legs: t.map(t.string(), t.struct({ size: t.int32() })),
    }
    const topic = topicOf(columns)
    const type = Type.forSchema(JSON.parse(avroSchemaOf(topic.table)) as never)
    const row = fc.record({
      flag: fc.boolean(),
      small: fc.integer({ min: -32_768, max: 32_767 }),
      // Beyond it avsc's doubles no longer hold twice the number.
      big: fc.integer({ min: -(2 ** 51), max: 2 ** 51 }),
      half: fc.float({ noNaN: true }),
      ratio: fc.double({ noNaN: true }),
      name: fc.string({ unit: 'grapheme' }),
      raw: fc.uint8Array(),
      note: fc.option(fc.string({ unit: 'grapheme' })),
      tags: fc.array(fc.string({ unit: 'grapheme' })),
      legs: fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), fc.record({ size: fc.integer() })),
    })
    fc.assert(
      fc.property(row, (given) => {
        const expected = type.toBuffer({ ...given, raw: Buffer.from(given.raw) })
        expect(Buffer.from(encoded(topic, given))).toEqual(expected)
      }),
    )
  })

  it('puts the frame of its schema before each value', () => {
    const frame = (more: object) =>
      Buffer.from(encoded(topicOf({ a: t.int32() }, undefined, more), { a: 1 })).toString('hex')
    expect(frame({})).toBe('02')
    expect(frame({ framing: 'confluent', schemaId: 258 })).toBe('000000010202')
    expect(frame({ framing: 'glue', schemaId: uuid })).toBe(`0300${uuid.replaceAll('-', '')}02`)
    expect(() => createEncoder(topicOf({ a: t.int32() }, undefined, { framing: 'confluent' }))).toThrow(
      /register the schema .* and state its id/,
    )
  })

  it('writes with a schema of others what it holds, and leaves null where no column is', () => {
    const venue = { type: 'enum', name: 'Venue', symbols: ['XNYS', 'XNAS'] }
    const decimal = { type: 'fixed', name: 'D', size: 9, logicalType: 'decimal', precision: 20, scale: 6 }
    const topic = topicOf(
      {
        price: t.decimal(9, 4),
        at: t.timestamp(),
        nanos: t.epochNanos(),
        venue: t.string(),
        id: t.binary(),
        size: t.int64(),
      },
      [
        { name: 'extra', type: ['null', 'string'] },
        { name: 'venue', type: venue },
        { name: 'px', aliases: ['price'], type: decimal },
        { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
        { name: 'nanos', type: { type: 'long', logicalType: 'timestamp-micros' } },
        { name: 'id', type: { type: 'fixed', name: 'Id', size: 2 } },
        { name: 'size', type: ['null', 'long'] },
        { name: 'nothing', type: 'null' },
      ],
    )
    const row = {
      price: '-12.5',
      at: new Date(-1),
      nanos: 5_000n,
      venue: 'XNAS',
      id: Uint8Array.of(1, 2),
      size: 7,
    }
    expect(decoded(topic, [encoded(topic, row)]).rows).toEqual([
      { ...row, price: Decimal.parse('-12.5000'), size: 7n },
    ])
    const reject = (more: object) => () => encoded(topic, { ...row, ...more })
    expect(reject({ venue: 'ARCX' })).toThrow(/'venue' is no symbol of Venue: "ARCX"/)
    expect(reject({ id: Uint8Array.of(1) })).toThrow(/'id' has 1 bytes, and Id has 2/)
    expect(reject({ nanos: 5_001n })).toThrow(/'nanos' is finer than its schema: 5001 ns/)
    expect(reject({ price: '1.23456' })).toThrow(/digits after the point/)
    expect(reject({ other: 1 })).toThrow(/other/)
  })

  it.each<[string, ColumnRecord, readonly object[], RegExp]>([
    [
      'a nullable column',
      { a: t.string().nullable() },
      [{ name: 'a', type: 'string' }],
      /'a' is nullable, and string is not/,
    ],
    [
      'a column without a field',
      { a: t.string(), b: t.string().nullable() },
      [{ name: 'a', type: 'string' }],
      /'b' has no field in Probe/,
    ],
    [
      'a field without a column',
      { a: t.string() },
      [
        { name: 'a', type: 'string' },
        { name: 'b', type: 'int' },
      ],
      /'b' is a field that has no column and is not nullable/,
    ],
    [
      'too few digits',
      { a: t.decimal(9, 2) },
      [{ name: 'a', type: { type: 'bytes', logicalType: 'decimal', precision: 8, scale: 2 } }],
      /'a' is decimal, which bytes \(decimal\(8,2\)\) does not hold/,
    ],
    [
      'an int64 in an int',
      { a: t.int64() },
      [{ name: 'a', type: 'int' }],
      /'a' is int64, which int does not hold/,
    ],
  ])('refuses a schema that does not hold every row: %s', (_, columns, fields, message) => {
    expect(() => createEncoder(topicOf(columns, fields))).toThrow(message)
  })

  it('rejects a row that does not fit the table, by its column', () => {
    const topic = topicOf({ a: t.int32(), b: t.string().nullable() })
    expect(() => encoded(topic, { a: 1.5 })).toThrow(/'a'/)
    expect(() => encoded(topic, {})).toThrow(/'a'/)
    expect(() => encoded(topic, 5)).toThrow(/is an object with its columns, not number/)
    expect(Buffer.from(encoded(topic, { a: 1, b: undefined })).toString('hex')).toBe('0200')
  })

  it('has keys as ever', () => {
    const table = defineTable('probe', { columns: { a: t.int64() } })
    const topic = defineTopic('probe', { table, key: 'a', value: avro() })
    expect(createEncoder(topic).encode({ a: 7 }).key).toBe('7')
  })
})

describe('the schema of a table', () => {
  it('names records by their place, and refuses names that Avro does not have', () => {
    const table = defineTable('orders', {
      columns: {
        legs: t.list(t.struct({ px: t.double(), fills: t.struct({ n: t.int8() }).nullable() })),
        off: t.recordOffset(),
      },
    })
    expect(JSON.parse(avroSchemaOf(table, { names: { 'legs.px': 'price' } }))).toEqual({
      type: 'record',
      name: 'orders',
      fields: [
        {
          name: 'legs',
          type: {
            type: 'array',
            items: {
              type: 'record',
              name: 'orders.legs',
              fields: [
                { name: 'price', type: 'double' },
                {
                  name: 'fills',
                  type: [
                    'null',
                    { type: 'record', name: 'orders.legs.fills', fields: [{ name: 'n', type: 'int' }] },
                  ],
                  default: null,
                },
              ],
            },
          },
        },
      ],
    })
    expect(() => avroSchemaOf(table, { names: { legs: 'the legs' } })).toThrow(
      /'legs' cannot be the Avro field "the legs"/,
    )
  })
})
