import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type CsvEncoding,
  createDecoder,
  createEncoder,
  createTransformingDecoder,
  csv,
  Decimal,
  defineRowTransform,
  defineTable,
  defineTopic,
  RecordBlockBuilder,
  type TableDefinition,
  type TopicDefinition,
  t,
  topicFromJSON,
} from '../src/index.ts'
import { rowReader } from '../src/row-reader.ts'
import { nestedTables } from './nested-tables.ts'

const utf8 = new TextEncoder()

const blockOf = (values: readonly (string | Uint8Array | null)[]) => {
  const builder = new RecordBlockBuilder({ topic: 'quotes', partition: 3, firstOffset: 100n })
  values.forEach((value, index) => {
    builder.add({
      offset: 100n + BigInt(index),
      timestampMillis: 1_700_000_000_000 + index,
      key: utf8.encode(`key-${index}`),
      value: typeof value === 'string' ? utf8.encode(value) : value,
    })
  })
  return builder.finish()
}

const decode = (topic: TopicDefinition, values: readonly (string | Uint8Array | null)[]) => {
  const { batch, rejected } = createDecoder(topic).decode(blockOf(values))
  const read = rowReader(topic.table.columns, batch)
  return { rejected, rows: Array.from({ length: batch.rows }, (_, row) => read(row)) }
}

const quotes = defineTable('quotes', {
  columns: {
    symbol: t.string(),
    price: t.decimal(18, 4).nullable(),
    size: t.int64().nullable(),
    ts: t.timestamp().nullable(),
    flag: t.boolean().nullable(),
    ratio: t.double().nullable(),
    raw: t.binary().nullable(),
    day: t.date().nullable(),
    extra: t.json().nullable(),
    legs: t.list(t.struct({ price: t.decimal(9, 2), at: t.timestamp().nullable() })).nullable(),
    kafka_offset: t.recordOffset(),
    kafka_key: t.recordKey(),
  },
})
const quotesTopic = (value: CsvEncoding = csv()) =>
  defineTopic('quotes', { table: quotes as TableDefinition, value })

/** A topic of a table of two columns. */
const pairs = (value: CsvEncoding = csv()) =>
  defineTopic('pairs', {
    table: defineTable('pairs', {
      columns: { name: t.string().nullable(), size: t.int64().nullable() },
    }) as TableDefinition,
    value,
  })

describe('the CSV decoder', () => {
  it('reads a line of cells in the order of the table, exactly', () => {
    const { rows, rejected } = decode(quotesTopic(csv({ timestamps: { 'legs.at': 'epoch-seconds' } })), [
      'BRK.B,612345.1235,9007199254740993,2024-03-08T09:30:00.123-05:00,true,NaN,/wA=,2024-02-29,1.50,"[{""price"":""1.5"",""at"":1700000000.5}]"',
      '"a ""b"", c\r\nd",,,,,,,,,',
    ])
    expect(rejected).toEqual([])
    expect(rows).toEqual([
      {
        symbol: 'BRK.B',
        price: Decimal.parse('612345.1235'),
        size: 9007199254740993n,
        ts: new Date('2024-03-08T14:30:00.123Z'),
        flag: true,
        ratio: Number.NaN,
        raw: Uint8Array.of(255, 0),
        day: '2024-02-29',
        extra: '1.50',
        legs: [{ price: Decimal.parse('1.50'), at: new Date(1_700_000_000_500) }],
        kafka_offset: 100n,
        kafka_key: 'key-0',
      },
      {
        symbol: 'a "b", c\r\nd',
        price: null,
        size: null,
        ts: null,
        flag: null,
        ratio: null,
        raw: null,
        day: null,
        extra: null,
        legs: null,
        kafka_offset: 101n,
        kafka_key: 'key-1',
      },
    ])
  })

  it('tells an empty text from null by its quotes, and by nullText', () => {
    expect(decode(pairs(), ['"",', ',"1"', '']).rows).toEqual([
      { name: '', size: null },
      { name: null, size: 1n },
    ])
    const named = pairs(csv({ nullText: '\\N' }))
    expect(decode(named, [',\\N', '\\N,"1"', '"\\N",0', '\\\\N,\\N']).rows).toEqual([
      { name: '', size: null },
      { name: null, size: 1n },
      { name: '\\N', size: 0n },
      { name: '\\\\N', size: null },
    ])
    expect(decode(named, ['a,']).rejected).toMatchObject([
      { column: 'size', reason: `'size' takes a whole number, not string ""` },
    ])
  })

  it.each(['\n', '\r\n'])('takes one line break at the end: %j', (end) => {
    expect(decode(pairs(), [`a,1${end}`, `a,"1"${end}`, `a,${end}`]).rows).toEqual([
      { name: 'a', size: 1n },
      { name: 'a', size: 1n },
      { name: 'a', size: null },
    ])
  })

  it('reads other separators, cells in a stated order, cells to skip and columns without a cell', () => {
    const topic = pairs(csv({ delimiter: '\t', quote: "'", columns: [null, 'name'] }))
    expect(decode(topic, ["1.5\ta,'b", "'x\t''\ty'\t'it''s'", '\t"']).rows).toEqual([
      { name: "it's", size: null },
      { name: '"', size: null },
    ])
    expect(decode(topic, ["1.5\ta,'b"]).rejected).toMatchObject([
      { column: 'name', reason: expect.stringContaining('cell 2 has a quote in it') },
    ])
    expect(decode(pairs(csv({ columns: ['size', 'name'] })), ['1,a']).rows).toEqual([{ name: 'a', size: 1n }])
  })

  it.each<[value: string | Uint8Array | null, column: string | undefined, reason: RegExp]>([
    ['a', 'size', /^the value has 1 cell, not 2: 'size' is missing$/],
    ['a,1,', undefined, /^the value has 3 cells, not 2$/],
    ['name,size', undefined, /^the value is a header line: the names of the columns$/],
    ['name,size\na,1', 'size', /^the value has a line break outside of quotes; a record is one line/],
    ['a,1\n\n', 'size', /line break outside of quotes/],
    ['a,1\r', 'size', /line break outside of quotes/],
    ['"a"\n,1', 'name', /line break outside of quotes/],
    ['"a,1', 'name', /^the value is not CSV: the quote of cell 1 is not closed$/],
    ['"a" ,1', 'name', /^the value is not CSV: cell 1 goes on after its closing quote$/],
    ['a"b,1', 'name', /^the value is not CSV: cell 1 has a quote in it and is not quoted itself$/],
    ['a, 1', 'size', /^'size' takes a whole number, not string " 1"$/],
    ['a,9223372036854775808', 'size', /^'size' does not fit 64 bits/],
    ['\ufeffa,1', undefined, /^the value begins with a byte order mark$/],
    [Uint8Array.of(97, 0xff, 44, 49), undefined, /^the value is not UTF-8$/],
    [null, undefined, /tombstone/],
  ])('rejects %j alone, with the reason', (value, column, reason) => {
    const { rows, rejected } = decode(pairs(), ['x,1', value, '"y",2'])
    expect(rows).toEqual([
      { name: 'x', size: 1n },
      { name: 'y', size: 2n },
    ])
    expect(rejected).toEqual([
      {
        index: 1,
        offset: 101n,
        ...(column === undefined ? {} : { column }),
        reason: expect.stringMatching(reason),
      },
    ])
  })

  it('reads doubles as the texts of JSON strings: up to 1,000 digits behind the point', () => {
    const { rows, rejected } = decode(quotesTopic(), [
      'a,,,,,-1.2345678901234566e-7,,,,',
      'a,,,,,1e-999,,,,',
      'a,,,,,1.5e-1000,,,,',
      'a,,,,,nan,,,,',
    ])
    expect(rows.map(({ ratio }) => ratio)).toEqual([-1.2345678901234566e-7, 0])
    expect(rejected).toMatchObject([
      { index: 2, column: 'ratio' },
      { index: 3, column: 'ratio' },
    ])
  })

  it('rejects a header line also where nullText is the name of a column', () => {
    expect(decode(pairs(csv({ nullText: 'size' })), ['name,size', 'x,size'])).toMatchObject({
      rejected: [{ index: 0, reason: 'the value is a header line: the names of the columns' }],
      rows: [{ name: 'x', size: null }],
    })
  })

  it('rejects a null where the column takes none, and JSON text that is none', () => {
    expect(decode(quotesTopic(), [',,,,,,,,,']).rejected).toMatchObject([
      { column: 'symbol', reason: `'symbol' is null and not nullable` },
    ])
    expect(decode(quotesTopic(), ['a,,,,,,,,{},']).rows).toMatchObject([{ extra: '{}' }])
    expect(decode(quotesTopic(), ['a,,,,,,,,{,']).rejected).toMatchObject([
      { column: 'extra', reason: `'extra' takes JSON text, not string "{"` },
    ])
    expect(decode(quotesTopic(), ['a,,,,,,,,,"[{""price"":""x""}]"']).rejected).toMatchObject([
      { column: 'legs', reason: `'legs[0].price' takes decimal digits, not string "x"` },
    ])
  })

  it('is what a row transform is given', () => {
    const topic = pairs(csv({ columns: [null, 'name'] }))
    const transform = defineRowTransform(topic, (row) => ({ ...row, size: 7n }))
    const { batch, rejected } = createTransformingDecoder(topic, transform).decode(blockOf(['x,a', 'b']))
    expect(rowReader(topic.table.columns, batch)(0)).toEqual({ name: 'a', size: 7n })
    expect(rejected).toMatchObject([{ index: 1, column: 'name' }])
  })
})

const separators = fc.constantFrom<readonly [delimiter: string, quote: string, nullText: string]>(
  [',', '"', ''],
  [',', '"', '\\N'],
  ['\t', '"', 'null'],
  [';', "'", 'NaN'],
  ['|', '"', '0'],
  ['\u0001', '\u0002', ''],
)

describe('the CSV encoder', () => {
  it('writes what the decoder reads back, for any table, rows and separators', () => {
    fc.assert(
      fc.property(nestedTables, separators, ({ table, rows }, [delimiter, quote, nullText]) => {
        const topic = defineTopic('nested', { table, value: csv({ delimiter, quote, nullText }) })
        const encoder = createEncoder(topic)
        const values = rows.map((row) => String(encoder.encode(row as never).value))
        const { rows: decoded, rejected } = decode(topic, values)
        expect(rejected).toEqual([])
        expect(decoded).toEqual(rows)
      }),
      { numRuns: 500 },
    )
  })

  it('writes what the decoder reads back, for texts that look like separators, nulls, headers and marks', () => {
    const texts = fc.oneof(
      fc.constantFrom('name', 'size', '', '\\N', '\ufeff', 'a,b', '"', '\n', '\r\n', "'", ' '),
      fc.string({ unit: fc.constantFrom(',', '"', '\r', '\n', '\t', 'a', '\u0000', 'é') }),
      fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
    )
    const table = defineTable('texts', {
      columns: { name: t.string().nullable(), size: t.string().nullable() },
    })
    const rows = fc.record({ name: fc.option(texts), size: fc.option(texts) })
    fc.assert(
      fc.property(rows, separators, fc.boolean(), (row, [delimiter, quote, nullText], skips) => {
        const columns = skips ? ([null, 'size', 'name'] as const) : (['name', 'size'] as const)
        const topic = defineTopic('texts', { table, value: csv({ delimiter, quote, nullText, columns }) })
        const { value } = createEncoder(topic).encode(row)
        // A producer may end its lines.
        const { rows: decoded, rejected } = decode(topic, [String(value), `${value}\r\n`])
        expect(rejected).toEqual([])
        expect(decoded).toEqual([row, row])
      }),
      { numRuns: 3000 },
    )
  })

  it('writes decimals, times and numbers as they are, quotes only where they are needed', () => {
    const topic = defineTopic('quotes', {
      table: quotes,
      key: 'symbol',
      value: csv({ timestamps: { ts: 'epoch-micros' } }),
    })
    const encoder = createEncoder(topic)
    expect(
      encoder.encode({
        symbol: 'A,B',
        price: '1.50',
        size: 9007199254740993n,
        ts: new Date(1_700_000_000_123),
        flag: false,
        ratio: -0,
        raw: Uint8Array.of(255, 0),
        day: '2024-02-29',
        extra: '{"a":1}',
        legs: [{ price: '1' }],
      }),
    ).toEqual({
      key: 'A,B',
      value:
        '"A,B",1.50,9007199254740993,1700000000123000,false,-0,/wA=,2024-02-29,"{""a"":1}","[{""price"":""1""}]"',
    })
    expect(() => encoder.encode({ symbol: 'A', price: '1.55555' })).toThrow(/'price' has more than 4 digits/)
    expect(() => encoder.encode({} as never)).toThrow(/'symbol' is missing/)
    expect(() => encoder.encode({ symbol: 'A', venue: 1 } as never)).toThrow(/no column 'venue'/)
  })

  it('refuses a value of a column that has no cell', () => {
    const encoder = createEncoder(pairs(csv({ columns: ['name'] })))
    expect(encoder.encode({ name: 'a', size: null } as never).value).toBe('a')
    expect(() => encoder.encode({ name: 'a', size: 1n } as never)).toThrow(
      /has a value for 'size', which is no cell of the topic's CSV/,
    )
  })
})

describe('a topic of CSV', () => {
  it('comes back whole from its JSON text', () => {
    const topic = pairs(
      csv({ delimiter: ';', quote: "'", nullText: 'null', columns: ['size', null, 'name'] }),
    )
    expect(topicFromJSON(JSON.parse(JSON.stringify(topic))).toJSON()).toEqual(topic.toJSON())
    expect(pairs().toJSON().value).toEqual({
      encoding: 'csv',
      delimiter: ',',
      quote: '"',
      nullText: '',
      names: {},
      timestamps: {},
    })
  })

  it.each<[options: Parameters<typeof csv<string, string>>[0], message: RegExp]>([
    [{ delimiter: '' }, /the delimiter of CSV cannot be ""/],
    [{ delimiter: ',,' }, /cannot be ",,"/],
    [{ delimiter: '.' }, /one ASCII character that no number, time or base64 text holds/],
    [{ delimiter: ' ' }, /cannot be " "/],
    [{ delimiter: '\n' }, /cannot be "\\n"/],
    [{ delimiter: '\u00a7' }, /one ASCII character/],
    [{ quote: '0' }, /the quote of CSV cannot be "0"/],
    [{ delimiter: '"' }, /cannot be the same/],
    [{ nullText: 'a,b' }, /nullText of CSV cannot be "a,b"/],
    [{ nullText: '"' }, /stands in a cell without quotes/],
    [{ columns: [] }, /needs a cell that is a column/],
    [{ columns: [null] }, /needs a cell that is a column/],
    [{ columns: ['symbol', 'symbol'] }, /'symbol' is the column of two cells/],
    [{ columns: ['symbol', 'venue'] }, /no column 'venue'/],
    [{ columns: ['symbol', 'kafka_offset'] }, /'kafka_offset' is a fact of the record/],
    [{ columns: ['price'] }, /no cell of CSV is 'symbol', which is not nullable/],
    [{ names: { price: 'p' } }, /'price' is a column, and a cell of CSV has no name/],
    [{ names: { 'legs.price': 'at' } }, /both the JSON member "at"/],
    [{ timestamps: { price: 'iso8601' } }, /takes no timestamp format/],
  ])('is refused with %j', (options, message) => {
    expect(() => quotesTopic(csv<string, string>(options))).toThrow(message)
  })
})
