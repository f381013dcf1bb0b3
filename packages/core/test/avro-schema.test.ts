import { describe, expect, it } from 'vitest'
import { type AvroSchema, avroTypeName } from '../src/avro-schema.ts'
import { parseAvroSchema } from '../src/avro-schema-parser.ts'

const parse = (schema: unknown, references?: readonly string[]) =>
  parseAvroSchema(JSON.stringify(schema), references)
const record = (...fields: readonly unknown[]) => ({ type: 'record', name: 'market.Trade', fields })
const typeOf = (schema: AvroSchema, field: string) =>
  schema.type === 'record' ? avroTypeName(schema.fields.find(({ name }) => name === field)!.schema) : ''

describe('an Avro schema', () => {
  it('is read with its names, logical types, aliases and defaults', () => {
    const schema = parse(
      record(
        { name: 'symbol', type: 'string', aliases: ['ticker'] },
        { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 18, scale: 4 } },
        { name: 'size', type: { type: { type: 'long' } } },
        { name: 'ts', type: { type: 'long', logicalType: 'timestamp-micros' } },
        { name: 'local', type: { type: 'long', logicalType: 'local-timestamp-nanos' } },
        { name: 'day', type: { type: 'int', logicalType: 'date' } },
        { name: 'id', type: { type: 'fixed', name: 'Id', size: 16, logicalType: 'uuid' } },
        { name: 'venue', type: ['null', { type: 'enum', name: 'Venue', symbols: ['XNYS'] }], default: null },
        { name: 'other', type: 'Venue' },
        { name: 'legs', type: { type: 'array', items: { type: 'map', values: 'market.Id' } } },
      ),
    )
    const field = (name: string) => typeOf(schema, name)
    expect(avroTypeName(schema)).toBe('record market.Trade')
    expect(field('price')).toBe('bytes (decimal(18,4))')
    expect(field('size')).toBe('long')
    expect(field('ts')).toBe('long (timestamp-micros)')
    expect(field('local')).toBe('long (local-timestamp-nanos)')
    expect(field('day')).toBe('int (date)')
    expect(field('id')).toBe('fixed market.Id (uuid)')
    expect(field('venue')).toBe('union of null, enum market.Venue')
    expect(field('other')).toBe('enum market.Venue')
    expect(field('legs')).toBe('array of map of fixed market.Id (uuid)')
    if (schema.type !== 'record') throw new Error('a record')
    expect(schema.fields[0]!.aliases).toEqual(['ticker'])
    expect(schema.fields[7]!.default).toBeNull()
    expect('default' in schema.fields[0]!).toBe(false)
  })

  it('has names looked up in the namespace they stand in, then without one', () => {
    const inner = { type: 'fixed', name: 'a.b.Id', size: 2 }
    const schema = parse({
      type: 'record',
      name: 'Outer',
      namespace: 'a.b',
      fields: [
        { name: 'id', type: inner },
        { name: 'again', type: 'Id' },
        { name: 'bare', type: { type: 'enum', name: 'E', namespace: '', symbols: ['X'] } },
        { name: 'bare_again', type: 'E' },
      ],
    })
    expect(typeOf(schema, 'again')).toBe('fixed a.b.Id')
    expect(typeOf(schema, 'bare_again')).toBe('enum E')
  })

  it('has logical types that do not suit it ignored, as Avro asks', () => {
    const decimal = (more: object) => avroTypeName(parse({ logicalType: 'decimal', ...more }))
    expect(decimal({ type: 'bytes', precision: 4, scale: 5 })).toBe('bytes')
    expect(decimal({ type: 'bytes' })).toBe('bytes')
    expect(decimal({ type: 'bytes', precision: 0 })).toBe('bytes')
    expect(decimal({ type: 'string', precision: 4 })).toBe('string')
    expect(decimal({ type: 'fixed', name: 'f', size: 4, precision: 9 })).toBe('fixed f (decimal(9,0))')
    expect(decimal({ type: 'fixed', name: 'f', size: 4, precision: 10 })).toBe('fixed f')
    expect(avroTypeName(parse({ type: 'string', logicalType: 'timestamp-millis' }))).toBe('string')
    expect(avroTypeName(parse({ type: 'long', logicalType: 'duration' }))).toBe('long')
  })

  it('takes types from schemas it refers to, and may be recursive', () => {
    const reference = JSON.stringify({
      type: 'record',
      name: 'a.Quote',
      fields: [{ name: 'bid', type: 'int' }],
    })
    const schema = parse(
      {
        type: 'record',
        name: 'a.Trade',
        fields: [
          { name: 'q', type: 'Quote' },
          { name: 'next', type: ['null', 'Trade'] },
        ],
      },
      [reference],
    )
    expect(typeOf(schema, 'q')).toBe('record a.Quote')
    expect(typeOf(schema, 'next')).toBe('union of null, record a.Trade')
    expect(avroTypeName(parseAvroSchema('string'))).toBe('string')
  })

  it.each<[unknown, RegExp]>([
    ['market.Quote', /it is no JSON|not defined before it: "market.Quote"/],
    [record({ name: 'a', type: 'Quote' }), /: a names a type that is not defined before it: "Quote"\.$/],
    [
      record({ name: 'a', type: { type: 'array', items: { type: 'map', values: 7 } } }),
      /a\[\]\{\} is neither a name/,
    ],
    [record({ name: 'a', type: record({ name: 'b', type: 'int' }) }), /a defines market.Trade a second time/],
    [record({ name: 'a', type: 'int' }, { name: 'a', type: 'int' }), /a is the name of two fields/],
    [record({ type: 'int' }), /has a name that is no text: undefined/],
    [record(5), /has a field that is no object: 5/],
    [record({ name: 'a', type: 'int', aliases: 'b' }), /a has aliases that are no array of texts/],
    [{ type: 'record', name: 'a' }, /is a record without an array of fields: a/],
    [{ type: 'enum', name: 'a', symbols: [] }, /is an enum without symbols: a/],
    [{ type: 'enum', name: 'a', symbols: ['A', 'A'] }, /is an enum with a symbol twice: a/],
    [{ type: 'enum', name: 'int', symbols: ['A'] }, /defines int, which is a type of Avro/],
    [{ type: 'fixed', name: 'a', size: -1 }, /is a fixed whose size is no number of bytes: -1/],
    [['int', ['null']], /is a union in a union/],
    [['int', 'int'], /is a union with int twice/],
    [[], /is a union of nothing/],
    [{ type: 'array' }, /\[\] is neither a name, nor an object, nor an array: undefined/],
    [null, /is neither a name, nor an object, nor an array: null/],
  ])('is refused by its place: %j', (schema, message) => {
    expect(() => parse(schema)).toThrow(message)
  })

  it('is refused when it is nested too deep, or is no JSON', () => {
    expect(() => parseAvroSchema(`${'['.repeat(70)}"int"${']'.repeat(70)}`)).toThrow(
      /nested deeper than 64 levels/,
    )
    expect(() => parseAvroSchema('{"type":')).toThrow(/it is no JSON/)
  })
})
