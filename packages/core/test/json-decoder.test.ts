import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createDecoder,
  createEncoder,
  Decimal,
  defineTable,
  defineTopic,
  json,
  RecordBlockBuilder,
  t,
  topicFromJSON,
} from '../src/index.ts'
import { createJsonDecoder } from '../src/json-decoder.ts'
import { cellAt } from './column-cells.ts'

const everything = defineTable('everything', {
  columns: {
    flag: t.boolean().nullable(),
    tiny: t.int8().nullable(),
    small: t.int16().nullable(),
    whole: t.int32().nullable(),
    big: t.int64().nullable(),
    ratio: t.double().nullable(),
    price: t.decimal(18, 4).nullable(),
    wide: t.decimal(38, 10).nullable(),
    name: t.string().nullable(),
    bytes: t.binary().nullable(),
    day: t.date().nullable(),
    at: t.timestamp().nullable(),
    nanos: t.epochNanos().nullable(),
    extra: t.json().nullable(),
    kafka_offset: t.recordOffset(),
    kafka_partition: t.recordPartition(),
    kafka_time: t.recordTimestamp(),
    kafka_key: t.recordKey(),
    trace: t.recordHeader('trace'),
  },
})
const topic = defineTopic('everything', {
  table: everything,
  key: 'name',
  value: json({ names: { price: 'p' } }),
})
const utf8 = new TextEncoder()

const blockOf = (values: readonly (string | Uint8Array | null)[], headers?: Record<string, string>) => {
  const builder = new RecordBlockBuilder({ topic: 'everything', partition: 3, firstOffset: 100n })
  values.forEach((value, index) => {
    builder.add({
      offset: 100n + BigInt(index) * 2n,
      timestampMillis: 1_700_000_000_000 + index,
      key: index === 0 ? null : utf8.encode(`key-${index}`),
      value: typeof value === 'string' ? utf8.encode(value) : value,
      headers: index === 0 ? undefined : headers,
    })
  })
  return builder.finish()
}

const decodeRows = (values: readonly (string | Uint8Array | null)[]) => {
  const { batch, rejected } = createDecoder(topic).decode(blockOf(values))
  const rows = Array.from({ length: batch.rows }, (_, row) =>
    Object.fromEntries(
      everything.columns.map((column, index) => [column.name, cellAt(column, batch.columns[index]!, row)]),
    ),
  )
  return { rows, rejected, batch }
}

describe('the JSON decoder', () => {
  it('gives back every value an encoder wrote, for any row', () => {
    const nullable = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null })
    const unscaled = (digits: bigint) => fc.bigInt({ min: 1n - 10n ** digits, max: 10n ** digits - 1n })
    const rows = fc.record({
      flag: nullable(fc.boolean()),
      tiny: nullable(fc.integer({ min: -128, max: 127 })),
      small: nullable(fc.integer({ min: -32_768, max: 32_767 })),
      whole: nullable(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
      big: nullable(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      ratio: nullable(fc.double()),
      price: nullable(unscaled(18n).map((u) => Decimal.of(u, 4))),
      wide: nullable(unscaled(38n).map((u) => Decimal.of(u, 10))),
      name: nullable(fc.string({ unit: 'grapheme' })),
      bytes: nullable(fc.uint8Array()),
      day: nullable(
        fc
          .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
          .map((d) => d.toISOString().slice(0, 10)),
      ),
      at: nullable(
        fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
      ),
      nanos: nullable(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      extra: nullable(fc.json()),
    })
    const encoder = createEncoder(topic)
    fc.assert(
      fc.property(fc.array(rows, { minLength: 1, maxLength: 20 }), (input) => {
        const { rows: output, rejected } = decodeRows(input.map((row) => encoder.encode(row).value))
        expect(rejected).toEqual([])
        for (const [index, row] of input.entries()) {
          for (const [name, value] of Object.entries(row)) {
            const shown = value instanceof Decimal ? value.toString() : value
            expect(output[index]![name], name).toEqual(shown)
          }
        }
      }),
      { numRuns: 300 },
    )
  }, 120_000)

  it('holds the facts of the record beside its value', () => {
    const builder = blockOf(['{}', '{}'], { trace: 'abc' })
    const { batch } = createDecoder(topic).decode(builder)
    const cells = (row: number) =>
      everything.columns.slice(-5).map((column, index) => cellAt(column, batch.columns[14 + index]!, row))
    expect(cells(0)).toEqual([100n, 3, new Date(1_700_000_000_000), null, null])
    expect(cells(1)).toEqual([102n, 3, new Date(1_700_000_000_001), 'key-1', 'abc'])
    expect([...batch.offsets]).toEqual([100n, 102n])
  })

  it.each(['constructor', 'toString', '__proto__', 'nan'])('takes no double from the text %s', (text) => {
    const { rejected } = decodeRows([JSON.stringify({ ratio: text })])
    expect(rejected).toHaveLength(1)
  })

  it('reads int64 and decimals from their text, without passing through a double', () => {
    const { rows } = decodeRows([
      '{"big":9007199254740993,"p":0.1,"wide":1234567890123456789012345678.0123456789}',
    ])
    expect(rows[0]).toMatchObject({
      big: 9007199254740993n,
      price: '0.1000',
      wide: '1234567890123456789012345678.0123456789',
    })
  })

  it.each([
    ['{"tiny":128}', "'tiny' does not fit 8 bits"],
    ['{"big":9223372036854775808}', "'big' does not fit 64 bits"],
    ['{"big":1.5}', "'big' takes a whole number"],
    ['{"p":0.00001}', "'price' has more than 4 digits after the point"],
    ['{"p":1e15}', "'price' does not fit decimal(18,4)"],
    ['{"p":true}', "'price' takes decimal digits"],
    ['{"day":"2023-02-29"}', "'day' takes a date"],
    ['{"at":"2024-01-01T00:00:00.0001Z"}', "'at' is finer than a millisecond"],
    ['{"at":"yesterday"}', "'at' takes an ISO 8601"],
    ['{"name":"\\ud800"}', "'name' holds a lone surrogate"],
    ['{"name":5}', "'name' takes a string"],
    ['[]', 'JSON but not an object'],
    ['', 'not JSON'],
  ])('rejects %s with a reason and keeps the rows around it', (value, reason) => {
    const { rows, rejected } = decodeRows(['{}', value, '{}'])
    expect(rows).toHaveLength(2)
    expect(rejected).toHaveLength(1)
    expect(rejected[0]).toMatchObject({ index: 1, offset: 102n })
    expect(rejected[0]!.reason).toContain(reason)
  })

  it('rejects a tombstone and bytes that are not UTF-8', () => {
    const { rejected } = decodeRows([null, Uint8Array.from([0x7b, 0xff, 0x7d])])
    expect(rejected.map(({ reason }) => reason)).toEqual([
      'the record has no value (a tombstone)',
      'the value is not UTF-8',
    ])
  })

  it('rejects a record whose timestamp lies outside of the years that readers take', () => {
    const builder = new RecordBlockBuilder({ topic: 'everything', partition: 3, firstOffset: 0n })
    const times = [0, 1.7e18, 253_402_300_799_999, 253_402_300_800_000, -62_135_596_800_001]
    times.forEach((timestampMillis, index) => {
      builder.add({ offset: BigInt(index), timestampMillis, key: null, value: utf8.encode('{}') })
    })
    const { batch, rejected } = createDecoder(topic).decode(builder.finish())
    expect([...batch.offsets]).toEqual([0n, 2n])
    expect(rejected).toMatchObject([
      {
        index: 1,
        column: 'kafka_time',
        reason:
          "'kafka_time' lies outside the years 0001 to 9999: the record's timestamp is 1700000000000000000 ms",
      },
      { index: 3, column: 'kafka_time' },
      { index: 4, column: 'kafka_time' },
    ])
  })

  it('rejects a record whose headers cannot be read, where a column needs them', () => {
    const block = blockOf(['{}', '{}'], { trace: 'abc' })
    const headers = { ...block.headers!, lengths: block.headers!.lengths.map((length) => length - 1) }
    const { batch, rejected } = createDecoder(topic).decode({ ...block, headers })
    expect(batch.rows).toBe(1)
    expect(rejected).toMatchObject([{ index: 1, column: 'trace', reason: expect.stringMatching(/headers/) }])
  })

  it('does not need a byte after the last value, and never reads into the next one', () => {
    const block = blockOf(['{"big":12', '3}', '{"big":45}'])
    const { bytes, starts, lengths } = block.values
    // Packed without anything between them: the first two would be one document together.
    const tight = Buffer.concat(
      Array.from(starts, (start, index) => bytes.subarray(start, start + lengths[index]!)),
    )
    const values = { bytes: new Uint8Array(tight), starts: Uint32Array.of(0, 9, 11), lengths }
    const { batch, rejected } = createDecoder(topic).decode({ ...block, values })
    expect(rejected.map(({ index }) => index)).toEqual([0, 1])
    expect(batch.columns[4]).toMatchObject({ values: BigInt64Array.of(45n) })
  })

  it('reads epoch times in every unit to the same instant', () => {
    const table = defineTable('ticks', { columns: { at: t.timestamp(), cut: t.timestamp().floor('millis') } })
    const formats = {
      'epoch-seconds': '1700000000.123',
      'epoch-millis': '1700000000123',
      'epoch-micros': '1700000000123000',
      'epoch-nanos': '1700000000123000000',
    } as const
    for (const [format, text] of Object.entries(formats) as [keyof typeof formats, string][]) {
      const ticks = defineTopic('ticks', {
        table,
        value: json({ timestamps: { at: format, cut: 'epoch-nanos' } }),
      })
      const builder = new RecordBlockBuilder({ topic: 'ticks', partition: 0, firstOffset: 0n })
      builder.add({
        offset: 0n,
        timestampMillis: 0,
        key: null,
        value: utf8.encode(`{"at":${text},"cut":-1}`),
      })
      const { batch, rejected } = createDecoder(ticks).decode(builder.finish())
      expect(rejected).toEqual([])
      expect(batch.columns.map((column) => (column.kind === 'int64' ? column.values[0] : undefined))).toEqual(
        [1_700_000_000_123n, -1n],
      )
    }
  })

  it.each([
    ['with generated code', true],
    ['without eval', false],
  ])('takes no other name for one that JSON escapes, %s', (_way, generateCode) => {
    const table = defineTable('quotes', { columns: { a: t.string().nullable(), b: t.string().nullable() } })
    const decoder = createJsonDecoder(table, json({ names: { a: 'x\\b', b: '\ud800' } }), { generateCode })
    const documents = [
      '{"x\\b":"backspace","\ufffd":"replacement"}',
      '{"x\\\\b":"the name","\ufffd":"replacement"}',
      '{"x\\b":"backspace"}',
    ]
    const { batch, rejected } = decoder.decode(blockOf([...documents, ...documents]))
    expect(rejected).toEqual([])
    const cells = (column: number) =>
      Array.from({ length: 6 }, (_, row) => cellAt(table.columns[column]!, batch.columns[column]!, row))
    expect(cells(0)).toEqual([null, 'the name', null, null, 'the name', null])
    expect(cells(1)).toEqual([null, null, null, null, null, null])
  })
})

describe('the JSON encoder', () => {
  it('names the column of a row that does not fit', () => {
    const table = defineTable('quotes', { columns: { symbol: t.string(), price: t.decimal(9, 2) } })
    const encoder = createEncoder(defineTopic('quotes', { table, key: 'symbol' }))
    expect(encoder.encode({ symbol: 'BRK.B', price: '1.50' })).toEqual({
      key: 'BRK.B',
      value: '{"symbol":"BRK.B","price":"1.50"}',
    })
    expect(() => encoder.encode({ symbol: 'A', price: '1.505' })).toThrow(/'price' has more than 2 digits/)
    expect(() => encoder.encode({ symbol: 'A' } as never)).toThrow(/'price' is missing/)
    expect(() => encoder.encode({ symbol: '\ud800', price: '1' })).toThrow(/'symbol' holds a lone surrogate/)
    expect(() => encoder.encode({ symbol: 'A', price: '1', size: 1 } as never)).toThrow(/no column 'size'/)
  })

  it('takes a column named as what every object inherits', () => {
    const table = defineTable('quotes', { columns: { constructor: t.timestamp() } })
    const quotes = defineTopic('quotes', { table })
    const { value } = createEncoder(quotes).encode({ constructor: new Date(0) })
    expect(value).toBe('{"constructor":"1970-01-01T00:00:00Z"}')
    const { batch, rejected } = createDecoder(topicFromJSON(JSON.parse(JSON.stringify(quotes)))).decode(
      blockOf([value]),
    )
    expect(rejected).toEqual([])
    expect(cellAt(quotes.table.columns[0]!, batch.columns[0]!, 0)).toEqual(new Date(0))
  })

  it('writes one key for every way to pass the same value', () => {
    const keysOf = <const Type extends ReturnType<typeof t.decimal> | ReturnType<typeof t.timestamp>>(
      type: Type,
      values: readonly unknown[],
    ) => {
      const table = defineTable('quotes', { columns: { at: type } })
      const encoder = createEncoder(defineTopic('quotes', { table, key: 'at' as never }))
      return new Set(values.map((at) => encoder.encode({ at } as never).key))
    }
    const at = new Date('2026-01-02T15:04:05.678Z')
    expect(keysOf(t.timestamp(), [at, BigInt(at.getTime())])).toEqual(new Set(['2026-01-02T15:04:05.678Z']))
    const equal = ['1.5', '+1.50', '1.500', '15e-1', '01.5', Decimal.parse('1.5'), Decimal.parse('1.5000')]
    expect(keysOf(t.decimal(10, 2), equal)).toEqual(new Set(['1.50']))
    expect(keysOf(t.decimal(10, 2), ['-0', '0', '-.00', Decimal.of(0n, 0)])).toEqual(new Set(['0.00']))
  })
})
