import {
  type BoundTable,
  ConfigurationError,
  calendarPartition,
  day,
  defineTable,
  hour,
  identity,
  month,
  partitionPath,
  t,
  year,
  zoneOffset,
} from '@stockpipe/core'
import { describe, expect, test } from 'vitest'
import { glueTableInput, type ProjectedPartitioning, unprojectedReason } from '../src/index.ts'

const binding = { database: 'market', location: 's3://lake/ticks/' }
const ticks = defineTable('ticks', {
  columns: {
    symbol: t.string(),
    shard: t.int32(),
    listed: t.date(),
    open: t.boolean(),
    note: t.string().nullable(),
    ts: t.timestamp(),
  },
})
const partitioned = (partition: object): BoundTable =>
  defineTable('ticks', {
    columns: {
      symbol: t.string(),
      shard: t.int32(),
      listed: t.date(),
      open: t.boolean(),
      note: t.string().nullable(),
      ts: t.timestamp(),
    },
    partitions: partition as Record<never, never>,
  }).at(binding) as BoundTable
const by = {
  symbol: partitioned({ p: identity('symbol') }),
  shard: partitioned({ p: identity('shard') }),
  listed: partitioned({ p: identity('listed') }),
  open: partitioned({ p: identity('open') }),
  note: partitioned({ p: identity('note') }),
  year: partitioned({ p: year('ts') }),
  month: partitioned({ p: month('ts') }),
  day: partitioned({ p: day('ts') }),
  hour: partitioned({ p: hour('ts', { timeZone: 'Asia/Tokyo' }) }),
}
type Key = keyof typeof by

const projected = (rule: object, more: Partial<ProjectedPartitioning> = {}): ProjectedPartitioning => ({
  kind: 'projected',
  keys: { p: rule } as never,
  ...more,
})
const properties = (key: Key, rule: object, more?: Partial<ProjectedPartitioning>) => {
  const { Parameters = {} } = glueTableInput(by[key], { partitioning: projected(rule, more) })
  return Object.fromEntries(
    Object.entries(Parameters)
      .filter(([name]) => name.startsWith('projection.p.') || name === 'storage.location.template')
      .map(([name, value]) => [name.replace('projection.p.', ''), value]),
  )
}

describe('the properties of a projection', () => {
  test.each<[Key, object, Record<string, string>]>([
    ['symbol', { values: ['A', 'BRK.B', 'a b+c%'] }, { type: 'enum', values: 'A,BRK.B,a b+c%' }],
    ['open', { values: ['true', 'false'] }, { type: 'enum', values: 'true,false' }],
    ['shard', { values: ['0', '-7'] }, { type: 'enum', values: '0,-7' }],
    ['symbol', { injected: true }, { type: 'injected' }],
    ['shard', { min: -5, max: 15 }, { type: 'integer', range: '-5,15' }],
    [
      'shard',
      { min: 0n, max: 2n ** 63n - 1n, interval: 4 },
      { type: 'integer', range: '0,9223372036854775807', interval: '4' },
    ],
    ['symbol', { min: 1, max: 20, digits: 4 }, { type: 'integer', range: '1,20', digits: '4' }],
    ['year', { min: 2000, max: 2030 }, { type: 'integer', range: '2000,2030', digits: '4' }],
    [
      'listed',
      { from: '2024-01-01', to: 'NOW' },
      { type: 'date', format: 'yyyy-MM-dd', range: '2024-01-01,NOW', interval: '1', 'interval.unit': 'DAYS' },
    ],
    [
      'day',
      { from: '2024-01-05', to: '2024-12-31', interval: { every: 1, unit: 'WEEKS' } },
      {
        type: 'date',
        format: 'yyyy-MM-dd',
        range: '2024-01-05,2024-12-31',
        interval: '1',
        'interval.unit': 'WEEKS',
      },
    ],
    [
      'hour',
      { from: '2024-01-05-00' },
      {
        type: 'date',
        format: 'yyyy-MM-dd-HH',
        range: '2024-01-05-00,NOW+14HOURS',
        interval: '1',
        'interval.unit': 'HOURS',
      },
    ],
  ])('of %s by %o', (key, rule, expected) => {
    expect(properties(key, rule)).toEqual(expected)
  })

  test.each(['YEARS', 'MONTHS', 'WEEKS', 'DAYS', 'HOURS', 'MINUTES', 'SECONDS'])(
    'take ranges from NOW in %s',
    (unit) => {
      expect(properties('day', { from: `NOW-3${unit}`, to: `NOW+2${unit}` })['range']).toBe(
        `NOW-3${unit},NOW+2${unit}`,
      )
    },
  )

  test('take steps of every unit, down to milliseconds', () => {
    const rule = {
      from: '2024-01-05-00-00-00-000',
      to: '2024-01-05-00-00-01-000',
      format: 'yyyy-MM-dd-HH-mm-ss-SSS',
      interval: { every: 250, unit: 'MILLISECONDS' },
    }
    const partitioning = { ...projected(rule), writtenBy: 'others' } as const
    expect(properties('day', rule, { writtenBy: 'others' })).toMatchObject({
      range: '2024-01-05-00-00-00-000,2024-01-05-00-00-01-000',
      interval: '250',
      'interval.unit': 'MILLISECONDS',
    })
    const found = (millis: string) => {
      const values = [`2024-01-05-00-00-00-${millis}`]
      const location = `${binding.location}${partitionPath(by.day.table.partitions, values)}`
      return unprojectedReason(by.day, partitioning, { values, location }, { nowMillis: 0 }) === undefined
    }
    expect(['000', '250', '251', '750'].map(found)).toEqual([true, true, false, true])
  })

  test('take a template and a format of others', () => {
    const locationTemplate = `s3://lake/raw/\${p}/`
    const rule = { from: '2024/01/05', format: 'yyyy/MM/dd' }
    expect(properties('day', rule, { locationTemplate, writtenBy: 'others' })).toEqual({
      type: 'date',
      format: 'yyyy/MM/dd',
      range: '2024/01/05,NOW',
      interval: '1',
      'interval.unit': 'DAYS',
      'storage.location.template': locationTemplate,
    })
    const own = `s3://lake/ticks/p=\${p}/`
    expect(properties('symbol', { values: ['A', 'BRK.B', 'a b'] }, { locationTemplate: own })).toMatchObject({
      'storage.location.template': own,
    })
  })
})

describe('what Athena would misread is refused', () => {
  test.each<[Key, object, RegExp]>([
    ['open', { values: ['TRUE'] }, /cannot project the value "TRUE" of 'p': no boolean is written so/],
    ['shard', { values: ['007'] }, /no int32 is written so in a key/],
    ['listed', { values: ['2024-02-30'] }, /no date is written so in a key/],
    ['symbol', { values: ['x'.repeat(600_000)] }, /a parameter has at most 512000/],
    ['shard', { min: 2, max: 1 }, /empty range for 'p': 2 is after 1/],
    ['shard', { min: 0.5, max: 1 }, /not of 64-bit integers/],
    ['shard', { min: 0, max: 2n ** 63n }, /not of 64-bit integers/],
    ['shard', { min: 0, max: 9, interval: 0 }, /an interval of 0/],
    [
      'shard',
      { min: 0, max: 9, digits: 4 },
      /pads 'p' to 4 digits, and the sink writes a int32 without zeros/,
    ],
    ['symbol', { min: -1, max: 9, digits: 2 }, /pads negative numbers/],
    ['symbol', { min: 0, max: 9, digits: 20 }, /has 20 digits/],
    ['year', { min: 2000, max: 2030, digits: 5 }, /years for 'p' that the sink does not write/],
    ['listed', { min: 1, max: 2 }, /rule for its partition 'p' \(identity of date\)/],
    ['open', { from: '2024-01-01' }, /rule for its partition 'p' \(identity of boolean\)/],
    ['day', { min: 2000, max: 2030 }, /rule for its partition 'p' \(day\)/],
    ['note', { injected: true }, /rows without 'note' are in a partition that projection does not have/],
    [
      'day',
      { from: '2024/01/05', format: 'yyyy/MM/dd' },
      /the format yyyy\/MM\/dd for 'p', and the sink writes yyyy-MM-dd/,
    ],
    [
      'day',
      { from: '2024-01-01', interval: { every: 1, unit: 'HOURS' } },
      /an interval of 1 HOURS for 'p', whose values are DAYS/,
    ],
    [
      'day',
      { from: 'NOW-30DAYS', interval: { every: 7, unit: 'DAYS' } },
      /in steps of 7 DAYS from NOW-30DAYS/,
    ],
    ['day', { from: 'NOW+2DAYS', to: 'NOW+1DAYS' }, /empty range/],
    ['day', { from: 'NOW-1MILLISECONDS' }, /cannot read "NOW-1MILLISECONDS"/],
    ['month', { from: '2024-13' }, /cannot read "2024-13"/],
    ['hour', { from: '2024-01-01-24' }, /cannot read "2024-01-01-24"/],
  ])('%s by %o', (key, rule, message) => {
    expect(() => properties(key, rule)).toThrow(ConfigurationError)
    expect(() => properties(key, rule)).toThrow(message)
  })

  test.each<[Key, object, string, 'sink' | 'others', RegExp]>([
    ['symbol', { values: ['A'] }, `s3://lake/\${p}`, 'others', /does not end with a slash/],
    ['symbol', { values: ['A'] }, `lake/\${p}/`, 'others', /is no location/],
    ['symbol', { values: ['A'] }, 's3://lake/x/', 'others', /does not hold \$\{p\}/],
    [
      'symbol',
      { values: ['A'] },
      `s3://lake/\${p}/\${q}/`,
      'others',
      /names \$\{q\}, which is no partition; name p/,
    ],
    ['symbol', { values: ['A', 'x=y'] }, `s3://lake/\${p}/`, 'others', /cannot carry the value "x=y" of 'p'/],
    [
      'symbol',
      { values: ['A'] },
      `s3://lake/\${p}/`,
      'sink',
      /is not where the sink writes, s3:\/\/lake\/ticks\/p=\$\{p\}\//,
    ],
    ['symbol', { injected: true }, `s3://lake/ticks/p=\${p}/`, 'sink', /cannot carry every value of 'p'/],
  ])('%s by %o and the template %s of the %s', (key, rule, locationTemplate, writtenBy, message) => {
    expect(() => properties(key, rule, { locationTemplate, writtenBy })).toThrow(message)
  })

  test.each(['yyyy-dd', 'dd/MM', 'yyyy-M-d', 'YYYY', 'yyyyMMddT', "yyyy''", ''])(
    'the format %s of others',
    (format) => {
      expect(() => properties('day', { from: 'NOW', format }, { writtenBy: 'others' })).toThrow(
        /does not write each date in one way|sink/,
      )
    },
  )
})

describe('unprojectedReason', () => {
  const nowMillis = Date.UTC(2024, 2, 8, 15)
  const reason = (key: Key, rule: object, value: string | null, location?: string) => {
    const path = partitionPath(by[key].table.partitions, [value])
    return unprojectedReason(
      by[key],
      projected(rule),
      { values: [value], location: location ?? `${binding.location}${path}` },
      { nowMillis },
    )
  }

  test.each<[Key, object, string, boolean]>([
    ['symbol', { values: ['A', 'x=y'] }, 'x=y', true],
    ['symbol', { values: ['A'] }, 'B', false],
    ['symbol', { injected: true }, 'a b+c%', true],
    ['symbol', { min: 1, max: 20, digits: 4 }, '0007', true],
    ['symbol', { min: 1, max: 20, digits: 4 }, '7', false],
    ['shard', { min: 1, max: 20, interval: 4 }, '9', true],
    ['shard', { min: 1, max: 20, interval: 4 }, '10', false],
    ['shard', { min: 1, max: 20 }, '21', false],
    ['day', { from: '2024-01-01', to: '2024-03-08' }, '2024-03-08', true],
    ['day', { from: '2024-01-01', to: '2024-03-08' }, '2024-03-09', false],
    ['day', { from: 'NOW-2DAYS' }, '2024-03-06', true],
    ['day', { from: 'NOW-2DAYS' }, '2024-03-05', false],
    ['day', { from: 'NOW-2DAYS' }, '2024-03-09', false],
    ['day', { from: '2024-01-05', interval: { every: 1, unit: 'WEEKS' } }, '2024-03-01', true],
    ['day', { from: '2024-01-05', interval: { every: 1, unit: 'WEEKS' } }, '2024-03-02', false],
    ['day', { from: '2024-01-31', interval: { every: 1, unit: 'MONTHS' } }, '2024-02-29', true],
    ['month', { from: '2020-01' }, '2024-03', true],
    ['year', { min: 2000, max: 2024 }, '2024', true],
    ['hour', { from: '2024-01-01-00' }, '2024-03-09-00', true],
  ])('%s by %o finds %s: %s', (key, rule, value, found) => {
    expect(reason(key, rule, value)).toBe(found ? undefined : `'${value}' of 'p' is not projected`)
  })

  test('tells of nulls and of other locations', () => {
    expect(reason('symbol', { injected: true }, null)).toBe(
      "'p' is null, and projection has no partition for it",
    )
    expect(reason('symbol', { injected: true }, 'A', 's3://lake/elsewhere/')).toBe(
      'it is at s3://lake/elsewhere/, and queries look at s3://lake/ticks/p=A/',
    )
  })

  test('finds every hour and day the sink makes of a year, in zones on both sides of UTC', () => {
    for (const timeZone of ['America/New_York', 'Asia/Tokyo', 'Pacific/Kiritimati']) {
      for (const transform of ['day', 'hour'] as const) {
        const table = partitioned({
          p: transform === 'day' ? day('ts', { timeZone }) : hour('ts', { timeZone }),
        })
        const from = transform === 'day' ? '2023-01-01' : '2023-01-01-00'
        for (let hours = 48; hours < 365 * 24; hours += 7) {
          const millis = Date.UTC(2023, 0, 1) + hours * 3_600_000
          const value = calendarPartition(transform, millis, zoneOffset(timeZone))
          const partition = { values: [value], location: `${binding.location}p=${value}/` }
          // What is written now is found by a query of now.
          const told = unprojectedReason(table, projected({ from }), partition, { nowMillis: millis })
          expect([timeZone, value, told]).toEqual([timeZone, value, undefined])
        }
      }
    }
  })
})

test('a table is projected by all its partitions', () => {
  expect(ticks.partitions).toEqual([])
  expect(() => glueTableInput(ticks.at(binding), { partitioning: projected({ injected: true }) })).toThrow(
    /has no partitions to project/,
  )
})
