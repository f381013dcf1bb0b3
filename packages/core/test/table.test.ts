import { describe, expect, it } from 'vitest'
import {
  bucket,
  day,
  defineTable,
  defineTopic,
  hour,
  identity,
  json,
  StockpipeError,
  t,
  tableFromJSON,
  topicFromJSON,
  year,
} from '../src/index.ts'

const trades = defineTable('trades', {
  columns: {
    symbol: t.string(),
    price: t.decimal(18, 4),
    size: t.int64(),
    ts: t.timestamp(),
    trade_id: t.int64().nullable(),
    kafka_offset: t.recordOffset(),
  },
  partitions: { trade_date: day('ts', { timeZone: 'America/New_York' }), ticker: identity('symbol') },
})

describe('a table definition', () => {
  it('is frozen through and through', () => {
    expect(Object.isFrozen(trades)).toBe(true)
    expect(Object.isFrozen(trades.columns)).toBe(true)
    expect(Object.isFrozen(trades.columns[0]!.type)).toBe(true)
    expect(Object.isFrozen(trades.partitions[0])).toBe(true)
  })

  it('comes back whole from its JSON text', () => {
    const back = tableFromJSON(JSON.parse(JSON.stringify(trades)))
    expect(back.toJSON()).toEqual(trades.toJSON())
    expect(back.fingerprint).toBe(trades.fingerprint)
  })

  it('has a fingerprint over columns, partitions and format, and not over the name', () => {
    const columns = { symbol: t.string(), day_of: t.date() }
    const one = defineTable('one', { columns, partitions: { y: year('day_of') } })
    const renamed = defineTable('two', { columns, partitions: { y: year('day_of') } })
    const nullable = defineTable('one', {
      columns: { ...columns, symbol: t.string().nullable() },
      partitions: { y: year('day_of') },
    })
    const otherZone = defineTable('one', { columns, partitions: { y: year('day_of', { timeZone: 'UTC' }) } })
    expect(renamed.fingerprint).toBe(one.fingerprint)
    expect(new Set([one, nullable, otherZone].map(({ fingerprint }) => fingerprint)).size).toBe(3)
    expect(one.fingerprint).toMatch(/^[0-9a-f]{16}$/)
  })

  it('keeps the fingerprints that tables of flat columns always had', () => {
    expect(trades.fingerprint).toBe('a7f848cf96f26143')
    const everything = defineTable('everything', {
      columns: {
        flag: t.boolean(),
        tiny: t.int8(),
        small: t.int16(),
        whole: t.int32(),
        big: t.int64(),
        count: t.int64({ mode: 'number' }),
        ratio: t.float(),
        wide: t.double(),
        price: t.decimal(18, 4),
        name: t.string().nullable(),
        bytes: t.binary(),
        day_of: t.date(),
        ts: t.timestamp(),
        cut: t.timestamp().floor('millis'),
        nanos: t.epochNanos(),
        extra: t.json().nullable(),
        kafka_offset: t.recordOffset(),
        trace: t.recordHeader('trace'),
      },
      partitions: {
        trade_date: day('ts', { timeZone: 'America/New_York' }),
        ticker: identity('name'),
        y: year('day_of'),
      },
    })
    expect(everything.fingerprint).toBe('ca7480fd0728c765')
  })

  it('is a Standard Schema that names the field at fault', async () => {
    const validate = trades['~standard'].validate
    const good = { symbol: 'BRK.B', price: '1.5', size: 10, ts: new Date(0) }
    expect(await validate(good)).toEqual({ value: good })
    expect(await validate({ ...good, price: 1.5, size: undefined })).toMatchObject({
      issues: [
        { path: ['price'], message: "'price' takes a string or a Decimal, not number 1.5" },
        { path: ['size'], message: expect.stringContaining('missing') },
      ],
    })
    expect(await validate({ ...good, kafka_offset: 1n })).toMatchObject({
      issues: [{ path: ['kafka_offset'] }],
    })
    expect(await validate(null)).toMatchObject({
      issues: [{ message: 'a row of trades is an object with its columns, not null' }],
    })
  })

  it('refuses at run time what the compiler refuses', () => {
    const columns = { symbol: t.string(), price: t.decimal(9, 2) }
    const define = (partitions: object) => () =>
      defineTable('x', { columns, partitions: partitions as never })
    expect(define({ d: day('price') })).toThrow(
      "cannot partition by 'price': decimal columns do not support day()",
    )
    expect(define({ d: identity('symbl') })).toThrow(
      "cannot partition by 'symbl': the table has no such column",
    )
    expect(define({ symbol: identity('symbol') })).toThrow(/a partition cannot be named "symbol"/)
    expect(() => hour('ts', { timeZone: 'New York' })).toThrow(/not an IANA time zone/)
    expect(() => defineTable('Trades', { columns })).toThrow(/lower-case/)
    expect(() => defineTable('x', { columns: {} })).toThrow(/no columns/)
    expect(() => t.decimal(39, 2)).toThrow(/1 to 38/)
  })

  it.each([
    [() => t.uint32(), /negative numbers/],
    [() => t.uint64(), /decimal\(20, 0\)/],
    [() => bucket('symbol', 8), /not supported yet/],
  ])('refuses %s with a sentence', (refused, sentence) => {
    expect(refused).toThrow(sentence)
  })

  it('refuses a serialised form of a later version', () => {
    expect(() => tableFromJSON({ formatVersion: 2 })).toThrow(/format version 2/)
    expect(() => tableFromJSON(null)).toThrow(StockpipeError)
  })

  it('is bound to a database and a location that ends in a slash', () => {
    const bound = trades.at({ database: 'market', location: 's3://market-lake/trades' })
    expect(bound).toMatchObject({
      bucket: 'market-lake',
      prefix: 'trades/',
      location: 's3://market-lake/trades/',
    })
    expect(() => trades.at({ database: 'market', location: '/tmp/x' })).toThrow(/s3:\/\/bucket\/prefix\//)
    expect(() => trades.at({ database: 'Market', location: 's3://market-lake/' })).toThrow(/lower-case/)
  })
})

describe('a topic definition', () => {
  it('comes back whole from its JSON text', () => {
    const topic = defineTopic('trades', {
      table: trades,
      key: 'symbol',
      partitions: 4,
      value: json({ names: { symbol: 's' }, timestamps: { ts: 'epoch-millis' } }),
    })
    expect(topicFromJSON(JSON.parse(JSON.stringify(topic))).toJSON()).toEqual(topic.toJSON())
  })

  it('refuses names, keys and members that cannot be', () => {
    expect(() => defineTopic('a/b', { table: trades })).toThrow(/cannot be a Kafka topic/)
    expect(() => defineTopic('a', { table: trades, key: 'kafka_offset' as never })).toThrow(
      /fact of the record/,
    )
    expect(() => defineTopic('a', { table: trades, partitions: 0 })).toThrow(/whole number from 1/)
    expect(() => defineTopic('a', { table: trades, value: json({ names: { symbol: 'size' } }) })).toThrow(
      /both the JSON member "size"/,
    )
    expect(() =>
      defineTopic('a', { table: trades, value: json({ timestamps: { size: 'epoch-millis' } }) }),
    ).toThrow(/takes no timestamp format/)
  })

  it('refuses an encoding that this package does not know', () => {
    const definition = { ...defineTopic('trades', { table: trades }).toJSON(), value: { encoding: 'morse' } }
    expect(() => topicFromJSON(definition)).toThrow(/Topic trades: .* encoding 'morse' cannot be read/)
  })
})
