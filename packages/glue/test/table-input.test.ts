import { ConfigurationError, day, defineTable, hour, identity, month, t, year } from '@stockpipe/core'
import { describe, expect, test } from 'vitest'
import { glueColumnType, glueTableInput } from '../src/index.ts'
import { boundTrades } from './market-tables.ts'

describe('glueColumnType', () => {
  test.each([
    [t.boolean(), 'boolean'],
    [t.int8(), 'tinyint'],
    [t.int16(), 'smallint'],
    [t.int32(), 'int'],
    [t.int64(), 'bigint'],
    [t.epochNanos(), 'bigint'],
    [t.float(), 'float'],
    [t.double(), 'double'],
    [t.decimal(18, 4), 'decimal(18,4)'],
    [t.string(), 'string'],
    [t.json(), 'string'],
    [t.binary(), 'binary'],
    [t.date(), 'date'],
    [t.timestamp(), 'timestamp'],
    [t.list(t.string().nullable()), 'array<string>'],
    [t.map(t.int64(), t.decimal(9, 2)), 'map<bigint,decimal(9,2)>'],
    [
      t.list(t.struct({ price: t.double(), fills: t.map(t.date(), t.list(t.epochNanos())) })),
      'array<struct<price:double,fills:map<date,array<bigint>>>>',
    ],
  ])('%o is %s', (column, type) => {
    expect(glueColumnType(column.type)).toBe(type)
  })
})

describe('glueTableInput', () => {
  test('describes an external Parquet table with string partition keys', () => {
    expect(glueTableInput(boundTrades)).toEqual({
      Name: 'trades',
      TableType: 'EXTERNAL_TABLE',
      StorageDescriptor: {
        Columns: [
          { Name: 'symbol', Type: 'string' },
          { Name: 'price', Type: 'decimal(18,4)' },
          { Name: 'size', Type: 'bigint' },
          { Name: 'ts', Type: 'timestamp' },
          { Name: 'raw', Type: 'string' },
        ],
        Location: 's3://market-lake/trades/',
        InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
        OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
        SerdeInfo: {
          SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
          Parameters: { 'serialization.format': '1' },
        },
        Compressed: false,
        StoredAsSubDirectories: false,
      },
      PartitionKeys: [
        { Name: 'trade_date', Type: 'string' },
        { Name: 'ticker', Type: 'string' },
      ],
      Parameters: {
        EXTERNAL: 'TRUE',
        classification: 'parquet',
        'stockpipe.fingerprint': boundTrades.table.fingerprint,
      },
    })
  })

  test('projects a zoned day past the UTC day, and listed symbols', () => {
    const { Parameters } = glueTableInput(boundTrades, {
      partitioning: {
        kind: 'projected',
        keys: { trade_date: { from: '2024-01-01' }, ticker: { values: ['AAPL', 'BRK.B', 'AAPL'] } },
      },
    })
    expect(Parameters).toMatchObject({
      'projection.enabled': 'true',
      'projection.trade_date.type': 'date',
      'projection.trade_date.format': 'yyyy-MM-dd',
      'projection.trade_date.range': '2024-01-01,NOW+1DAYS',
      'projection.trade_date.interval': '1',
      'projection.trade_date.interval.unit': 'DAYS',
      'projection.ticker.type': 'enum',
      'projection.ticker.values': 'AAPL,BRK.B',
    })
    expect(Parameters).not.toHaveProperty('storage.location.template')
  })

  test('projects years, months and hours in their own formats, and injected values', () => {
    const bars = defineTable('bars', {
      columns: { symbol: t.string(), ts: t.timestamp() },
      partitions: { y: year('ts'), m: month('ts'), h: hour('ts'), ticker: identity('symbol') },
    }).at({ database: 'market', location: 's3://lake/bars' })
    const { Parameters } = glueTableInput(bars, {
      partitioning: {
        kind: 'projected',
        keys: {
          y: { from: '2000', to: '2013' },
          m: { from: 'NOW-3MONTHS', to: 'NOW' },
          h: { from: '2024-03-08-00' },
          ticker: { injected: true },
        },
      },
    })
    const property = (name: string) => Parameters?.[`projection.${name}`]
    expect([property('y.format'), property('y.range'), property('y.interval.unit')]).toEqual([
      'yyyy',
      '2000,2013',
      'YEARS',
    ])
    expect([property('m.format'), property('m.range'), property('m.interval.unit')]).toEqual([
      'yyyy-MM',
      'NOW-3MONTHS,NOW',
      'MONTHS',
    ])
    expect([property('h.format'), property('h.range'), property('h.interval.unit')]).toEqual([
      'yyyy-MM-dd-HH',
      '2024-03-08-00,NOW',
      'HOURS',
    ])
    expect(property('ticker.type')).toBe('injected')
  })

  test.each([
    [{ trade_date: { from: '2024' }, ticker: { injected: true } }, /cannot read "2024".*yyyy-MM-dd/],
    [{ trade_date: { from: '2024-02-30' }, ticker: { injected: true } }, /cannot read "2024-02-30"/],
    [{ trade_date: { from: 'NOW - 3 DAYS' }, ticker: { injected: true } }, /cannot read "NOW - 3 DAYS"/],
    [{ trade_date: { from: '2024-02-02', to: '2024-02-01' }, ticker: { injected: true } }, /empty range/],
    [{ trade_date: { from: '2024-01-01' }, ticker: { values: [] } }, /lists no values for 'ticker'/],
    [{ trade_date: { from: '2024-01-01' }, ticker: { values: ['A,B'] } }, /cannot project the value "A,B"/],
    [{ trade_date: { from: '2024-01-01' }, ticker: { values: [' A'] } }, /cannot project the value " A"/],
    [
      { trade_date: { from: '2024-01-01' } },
      /needs a projection rule for its partition 'ticker' \(identity of string\)/,
    ],
    [
      { trade_date: { injected: true }, ticker: { injected: true } },
      /rule for its partition 'trade_date' \(day\)/,
    ],
    [{ day: { from: '2024-01-01' } }, /has no partition 'day' to project; name trade_date, ticker/],
  ])('refuses the projection %o', (keys, message) => {
    const make = () =>
      glueTableInput(boundTrades, { partitioning: { kind: 'projected', keys: keys as never } })
    expect(make).toThrow(ConfigurationError)
    expect(make).toThrow(message)
  })

  test('refuses to project a table without partitions', () => {
    const plain = defineTable('plain', { columns: { a: t.string() } })
    const bound = plain.at({ database: 'market', location: 's3://lake/plain' })
    expect(() => glueTableInput(bound, { partitioning: { kind: 'projected', keys: {} } })).toThrow(
      /has no partitions to project/,
    )
  })

  test('the compiler refuses a list for a calendar partition', () => {
    const table = defineTable('one', {
      columns: { symbol: t.string(), ts: t.timestamp() },
      partitions: { d: day('ts'), ticker: identity('symbol') },
    }).at({ database: 'market', location: 's3://lake/one' })
    expect(() =>
      glueTableInput(table, {
        partitioning: {
          kind: 'projected',
          // @ts-expect-error d is a calendar partition: it has a range, no list
          keys: { d: { values: ['2024-01-01'] }, ticker: { values: ['A'] } },
        },
      }),
    ).toThrow(/rule for its partition 'd'/)
  })
})
