import { day, defineTable, hour, identity, month, type TableDefinition, t, year } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { batchOf, type Cell } from './engine/column-batches.ts'
import { groupBufferOf } from './engine/group-buffers.ts'

/** The partition values each value of column `v` is sent to, asked in one batch and one by one. */
const routed = (table: TableDefinition, values: readonly Cell[]): (readonly (string | null)[])[] => {
  const pathOf = (rows: readonly Cell[]) => {
    const group = groupBufferOf(table)
    const rejected = group.append(
      batchOf(
        table,
        rows.map((v) => ({ v })),
      ),
      0,
    )
    if (rejected.length > 0) throw new Error(rejected[0]!.reason)
    const paths: (readonly (string | null)[])[] = []
    for (const path of group.paths()) {
      for (const offset of path.batch().offsets) paths[Number(offset)] = path.partitionValues
    }
    return paths
  }
  const together = pathOf(values)
  expect(values.flatMap((value) => pathOf([value]))).toEqual(together)
  return together
}
const single = (table: TableDefinition, values: readonly Cell[]) =>
  routed(table, values).map(([value]) => value)

describe('routing by identity', () => {
  it('takes strings as they are; null, the empty string and the default name share the default partition', () => {
    const table = defineTable('x', {
      columns: { v: t.string().nullable() },
      partitions: { p: identity('v') },
    })
    const odd = [
      'BRK.B',
      'a b+c%',
      'x=y',
      'p:q',
      'é/ü',
      `q'"*?#[]^\\{}`,
      '\u0000\t',
      '🐂',
      '\ufeffBOM',
      ' ',
      'null',
      '..',
    ]
    expect(single(table, odd)).toEqual(odd)
    expect(single(table, [null, '', '__HIVE_DEFAULT_PARTITION__', 'A'])).toEqual([null, null, null, 'A'])
  })

  it('keeps the rows of shared default partition in one file', () => {
    const table = defineTable('x', {
      columns: { v: t.string().nullable() },
      partitions: { p: identity('v') },
    })
    const group = groupBufferOf(table)
    group.append(batchOf(table, [{ v: null }, { v: '' }, { v: 'A' }]), 0)
    expect(group.paths().map(({ partitionValues, openRows }) => [partitionValues, openRows])).toEqual([
      [[null], 2],
      [['A'], 1],
    ])
  })

  it('writes integers, dates and booleans as the catalog does', () => {
    const by = (column: object) =>
      defineTable('x', {
        columns: { v: column as ReturnType<typeof t.string> },
        partitions: { p: identity('v') },
      })
    expect(single(by(t.int8()), [-128, 127, 0])).toEqual(['-128', '127', '0'])
    expect(single(by(t.int16()), [-32_768])).toEqual(['-32768'])
    expect(single(by(t.int32()), [7, -1, 7])).toEqual(['7', '-1', '7'])
    expect(single(by(t.int64().nullable()), [2n ** 63n - 1n, null, -1n])).toEqual([
      '9223372036854775807',
      null,
      '-1',
    ])
    expect(single(by(t.boolean().nullable()), [true, false, null])).toEqual(['true', 'false', null])
    expect(single(by(t.date().nullable()), [0, -719_162, 2_932_896, null])).toEqual([
      '1970-01-01',
      '0001-01-01',
      '9999-12-31',
      null,
    ])
  })
})

describe('routing by the calendar', () => {
  const newYork = { timeZone: 'America/New_York' }
  const utc = (text: string) => BigInt(Date.parse(text))

  it('puts the 25 hours of the day the clocks go back into one day and 24 hours', () => {
    const table = defineTable('x', {
      columns: { v: t.timestamp() },
      partitions: { d: day('v', newYork), h: hour('v', newYork) },
    })
    const start = utc('2024-11-03T04:00:00Z')
    const halfHours = Array.from({ length: 50 }, (_, index) => start + BigInt(index) * 1_800_000n)
    const paths = routed(table, [start - 1n, ...halfHours, start + 90_000_000n])
    expect(paths[0]).toEqual(['2024-11-02', '2024-11-02-23'])
    expect(paths.at(-1)).toEqual(['2024-11-04', '2024-11-04-00'])
    const within = paths.slice(1, -1)
    expect(new Set(within.map(([d]) => d))).toEqual(new Set(['2024-11-03']))
    expect(within.filter(([, h]) => h === '2024-11-03-01')).toHaveLength(4)
    expect(new Set(within.map(([, h]) => h)).size).toBe(24)
  })

  it('reads days of 23 hours and zones off the whole hour', () => {
    const by = (timeZone: string) =>
      defineTable('x', { columns: { v: t.timestamp() }, partitions: { h: hour('v', { timeZone }) } })
    expect(
      single(by('America/New_York'), [utc('2024-03-10T06:59:59.999Z'), utc('2024-03-10T07:00:00Z')]),
    ).toEqual(['2024-03-10-01', '2024-03-10-03'])
    expect(
      single(by('Asia/Kathmandu'), [utc('2024-01-01T18:14:59.999Z'), utc('2024-01-01T18:15:00Z')]),
    ).toEqual(['2024-01-01-23', '2024-01-02-00'])
  })

  it('reads instants one by one where clocks change within a step', () => {
    const stJohns = { timeZone: 'America/St_Johns' }
    const changes = ['02:30:59.999', '02:31:00', '03:29:59.999', '03:30:00'].map((time) =>
      utc(`2010-11-07T${time}Z`),
    )
    const days = ['2010-11-07', '2010-11-06', '2010-11-06', '2010-11-07']
    const millis = defineTable('x', { columns: { v: t.timestamp() }, partitions: { d: day('v', stJohns) } })
    expect(single(millis, changes)).toEqual(days)
    const nanos = defineTable('x', { columns: { v: t.epochNanos() }, partitions: { d: day('v', stJohns) } })
    expect(
      single(
        nanos,
        changes.map((one) => one * 1_000_000n),
      ),
    ).toEqual(days)
  })

  it('reads instants before 1972 one by one, where offsets had seconds', () => {
    const table = defineTable('x', { columns: { v: t.timestamp() }, partitions: { d: day('v', newYork) } })
    expect(single(table, [utc('1880-01-02T04:56:01.999Z'), utc('1880-01-02T04:56:02Z')])).toEqual([
      '1880-01-01',
      '1880-01-02',
    ])
    expect(single(table, [-1n, 0n, utc('0001-01-02T12:00:00Z'), utc('9999-12-31T12:00:00Z')])).toEqual([
      '1969-12-31',
      '1969-12-31',
      '0001-01-02',
      '9999-12-31',
    ])
  })

  it('reads nanoseconds exactly at the edges of a step', () => {
    const table = defineTable('x', {
      columns: { v: t.epochNanos().nullable() },
      partitions: { h: hour('v'), m: month('v'), y: year('v') },
    })
    const midnight = utc('2024-01-01T00:00:00Z') * 1_000_000n
    expect(routed(table, [midnight - 1n, midnight, null, -1n, 0n, -(2n ** 63n), 2n ** 63n - 1n])).toEqual([
      ['2023-12-31-23', '2023-12', '2023'],
      ['2024-01-01-00', '2024-01', '2024'],
      [null, null, null],
      ['1969-12-31-23', '1969-12', '1969'],
      ['1970-01-01-00', '1970-01', '1970'],
      ['1677-09-21-00', '1677-09', '1677'],
      ['2262-04-11-23', '2262-04', '2262'],
    ])
    const steps = Array.from({ length: 200 }, (_, index) => midnight + BigInt(index) * 900_000_000_000n)
    for (const step of steps) {
      expect(single(table, [step - 1n, step])).toEqual(
        [step - 1n, step].map((nanos) =>
          new Date(Number(nanos / 1_000_000n)).toISOString().slice(0, 13).replace('T', '-'),
        ),
      )
    }
  })

  it('reads dates without a zone', () => {
    const table = defineTable('x', {
      columns: { v: t.date() },
      partitions: { y: year('v'), m: month('v', newYork), d: day('v', newYork) },
    })
    expect(routed(table, [19_723, -1])).toEqual([
      ['2024', '2024-01', '2024-01-01'],
      ['1969', '1969-12', '1969-12-31'],
    ])
  })
})

describe('rows that no path can take', () => {
  it('are those whose year, in the zone of the partition, is none of 1 to 9999', () => {
    const by = (timeZone: string) =>
      defineTable('x', { columns: { v: t.timestamp() }, partitions: { d: day('v', { timeZone }) } })
    const utc = (text: string) => BigInt(Date.parse(text))
    expect(single(by('Asia/Tokyo'), [utc('9999-12-31T14:59:59.999Z')])).toEqual(['9999-12-31'])
    expect(single(by('America/New_York'), [utc('0001-01-01T05:00:00Z')])).toEqual(['0001-01-01'])
    const reason = /'v' lies outside the years 1 to 9999, so that partition 'd' has no value/
    expect(() => single(by('Asia/Tokyo'), [utc('9999-12-31T15:00:00Z')])).toThrow(reason)
    expect(() => single(by('America/New_York'), [utc('0001-01-01T00:00:00Z')])).toThrow(reason)
    expect(() => single(by('Asia/Tokyo'), [2n ** 63n - 1n])).toThrow(reason)
  })

  it('are rejected with their column and the rest goes on', () => {
    const table = defineTable('x', {
      columns: { v: t.timestamp(), w: t.timestamp() },
      partitions: { a: day('v'), b: day('w') },
    })
    const group = groupBufferOf(table)
    const rows = [
      { v: 0n, w: 0n },
      { v: 253_402_300_800_000n, w: 2n ** 63n - 1n },
      { v: 0n, w: -62_135_596_800_001n },
      { v: 1n, w: 1n },
    ]
    expect(group.append(batchOf(table, rows), 0).map(({ row, column }) => [row, column])).toEqual([
      [1, 'v'],
      [2, 'w'],
    ])
    expect(group.rows).toBe(2)
  })

  it('are rejected when the path would not fit an S3 key', () => {
    const table = defineTable('x', { columns: { v: t.string() }, partitions: { p: identity('v') } })
    const group = groupBufferOf(table, 20)
    const rows = [{ v: 'a'.repeat(17) }, { v: 'é'.repeat(9) }, { v: '='.repeat(6) }, { v: 'a'.repeat(18) }]
    expect(group.append(batchOf(table, rows), 0).map(({ row }) => row)).toEqual([1, 2, 3])
    expect(group.append(batchOf(table, rows, 4n), 1).map(({ row }) => row)).toEqual([1, 2, 3])
    expect(group.rows).toBe(1)
  })
})

describe('tables without partitions', () => {
  it('have one path', () => {
    const table = defineTable('x', { columns: { v: t.int32() } })
    expect(routed(table, [1, 2])).toEqual([[], []])
  })
})
