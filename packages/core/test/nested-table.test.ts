import { describe, expect, it } from 'vitest'
import {
  type Column,
  defineTable,
  defineTopic,
  identity,
  json,
  type TableJSON,
  t,
  tableFromJSON,
} from '../src/index.ts'

const orders = defineTable('orders', {
  columns: {
    symbol: t.string(),
    tags: t.list(t.string()),
    fees: t.map(t.string(), t.decimal(18, 4).nullable()).nullable(),
    legs: t.list(
      t.struct({
        price: t.decimal(18, 4),
        at: t.timestamp().nullable(),
        fills: t.list(t.struct({ at: t.epochNanos(), size: t.int64() })).nullable(),
      }),
    ),
  },
})

/** A type within so many lists. */
const listsOf = (levels: number): Column =>
  Array.from({ length: levels }).reduce<Column>((inner) => t.list(inner as never), t.int32())

/** A definition as JSON, with another type for its only column. */
const withType = (type: unknown): unknown => ({
  ...defineTable('x', { columns: { legs: t.int32() } }).toJSON(),
  columns: [{ id: 1, name: 'legs', type, nullable: false }],
})

describe('a table with lists, maps and structs', () => {
  it('keeps its types as plain data, frozen through and through', () => {
    expect(orders.column('legs').type).toEqual({
      kind: 'list',
      element: {
        nullable: false,
        type: {
          kind: 'struct',
          fields: [
            { name: 'price', type: { kind: 'decimal', precision: 18, scale: 4 }, nullable: false },
            { name: 'at', type: { kind: 'timestamp' }, nullable: true },
            {
              name: 'fills',
              nullable: true,
              type: {
                kind: 'list',
                element: {
                  nullable: false,
                  type: {
                    kind: 'struct',
                    fields: [
                      { name: 'at', type: { kind: 'epochNanos' }, nullable: false },
                      { name: 'size', type: { kind: 'int64' }, nullable: false },
                    ],
                  },
                },
              },
            },
          ],
        },
      },
    })
    const { type } = orders.column('legs')
    expect(type.kind === 'list' && Object.isFrozen(type.element.type)).toBe(true)
    const column = t.struct({ price: t.double() })
    expect(column.type.kind === 'struct' && Object.isFrozen(column.type.fields[0])).toBe(true)
  })

  it('comes back whole from its JSON text, which is left as it was', () => {
    const text = JSON.parse(JSON.stringify(orders)) as TableJSON
    const back = tableFromJSON(text)
    expect(back.toJSON()).toEqual(orders.toJSON())
    expect(back.fingerprint).toBe(orders.fingerprint)
    expect(Object.isFrozen(text.columns[1]!.type)).toBe(false)
  })

  it('has another fingerprint for another field, key, element, order or nullability', () => {
    const of = (column: Column) => defineTable('x', { columns: { legs: column } }).fingerprint
    const different = [
      t.list(t.int32()),
      t.list(t.int32().nullable()),
      t.list(t.int64()),
      t.map(t.string(), t.int32()),
      t.map(t.int32(), t.int32()),
      t.struct({ a: t.int32(), b: t.int32() }),
      t.struct({ b: t.int32(), a: t.int32() }),
      t.struct({ a: t.int32(), b: t.int32().nullable() }),
      t.struct({ a: t.int32() }),
    ].map(of)
    expect(new Set(different).size).toBe(different.length)
  })

  it.each<[string, () => unknown, RegExp]>([
    ['a struct without fields', () => t.struct({}), /a struct without fields/],
    [
      'a field Glue would fold',
      () => t.struct({ Price: t.double() }),
      /'Price' must be named with lower-case/,
    ],
    [
      'a field deeper down that Glue would fold',
      () => t.struct({ leg: t.list(t.struct({ 'best-bid': t.double() })) }),
      /'best-bid' must be named/,
    ],
    ['a decimal as a key', () => t.map(t.decimal(9, 2) as never, t.int32()), /has decimal keys/],
    ['a list as a key', () => t.map(t.list(t.string()) as never, t.int32()), /has list keys/],
    ['a key that may be null', () => t.map(t.string().nullable() as never, t.int32()), /never null/],
    ['JSON text in a list', () => t.list(t.json() as never), /cannot be JSON text/],
    ['JSON text in a struct', () => t.struct({ extra: t.json() } as never), /'extra' cannot be JSON text/],
    ['a fact of the record', () => t.list(t.recordOffset() as never), /fact of the record/],
    ['a fact of the record as a field', () => t.struct({ o: t.recordKey() } as never), /fact of the record/],
    ['more than 16 levels', () => listsOf(17), /nested deeper than 16 levels/],
  ])('refuses %s with a sentence', (_what, define, sentence) => {
    expect(define).toThrow(sentence)
    expect(define).toThrow(expect.objectContaining({ code: 'COLUMN_TYPE_REFUSED' }))
  })

  it('takes 16 levels', () => {
    expect(() => defineTable('deep', { columns: { value: listsOf(16) } })).not.toThrow()
  })

  it.each<[unknown, RegExp]>([
    [{ kind: 'list' }, /'legs' has a type this package does not know: undefined/],
    [{ kind: 'uint64' }, /'legs' has a type this package does not know: uint64/],
    [{ kind: 'map', key: { kind: 'double' }, value: { type: { kind: 'int8' } } }, /'legs' has double keys/],
    [{ kind: 'struct', fields: [] }, /'legs' is a struct without fields/],
    [
      {
        kind: 'struct',
        fields: [
          { name: 'a', type: { kind: 'int8' }, nullable: false },
          { name: 'a', type: { kind: 'int8' }, nullable: false },
        ],
      },
      /'legs.a' is the name of two fields/,
    ],
  ])('refuses the serialised type %j', (type, sentence) => {
    expect(() => tableFromJSON(withType(type))).toThrow(sentence)
  })

  it('refuses a nested column as the source of a partition, at run time too', () => {
    expect(() =>
      defineTable('x', {
        columns: { legs: t.list(t.string()) },
        partitions: { leg: identity('legs') } as never,
      }),
    ).toThrow("cannot partition by 'legs': list columns do not support identity()")
    expect(() =>
      defineTable('x', {
        columns: { leg: t.struct({ symbol: t.string() }) },
        partitions: { s: identity('leg.symbol') } as never,
      }),
    ).toThrow("cannot partition by 'leg.symbol': the table has no such column")
  })
})

describe('a topic of a table with lists, maps and structs', () => {
  const define = (value: object) => () =>
    defineTopic('orders', { table: orders, value: json(value) as never })

  it('names members and time formats within them by path', () => {
    const topic = define({
      names: { legs: 'l', 'legs.price': 'p', 'legs.fills.at': 't' },
      timestamps: { 'legs.at': 'epoch-millis', 'legs.fills.at': 'iso8601' },
    })
    expect(topic().value.names).toEqual({ legs: 'l', 'legs.price': 'p', 'legs.fills.at': 't' })
  })

  it('refuses paths, formats and members that cannot be', () => {
    expect(define({ names: { 'legs.prize': 'p' } })).toThrow(
      /no 'legs.prize': there is no struct with a field/,
    )
    expect(define({ names: { 'symbol.price': 'p' } })).toThrow(/no struct with a field 'price'/)
    expect(define({ names: { 'legs.price': 'at' } })).toThrow(
      /fields 'legs.price' and 'legs.at' are both the JSON member "at"/,
    )
    expect(define({ timestamps: { 'legs.price': 'epoch-millis' } })).toThrow(/'legs.price' is a decimal/)
  })

  it('refuses a list, map, struct or bytes as the key of its records', () => {
    expect(() => defineTopic('orders', { table: orders, key: 'tags' as never })).toThrow(
      /the key cannot be 'tags': a list has no text of its own/,
    )
    const digests = defineTable('digests', { columns: { digest: t.binary() } })
    expect(() => defineTopic('digests', { table: digests, key: 'digest' as never })).toThrow(
      /the key cannot be 'digest': a binary has no text of its own/,
    )
  })
})
