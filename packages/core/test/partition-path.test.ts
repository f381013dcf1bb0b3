import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  calendarPartition,
  escapePartitionValue,
  partitionPath,
  unescapePartitionValue,
  zoneOffset,
} from '../src/index.ts'

describe('partition paths', () => {
  it.each([
    ['BRK.B', 'BRK.B'],
    ['a b+c%', 'a b+c%25'],
    ['x=y', 'x%3Dy'],
    ['p:q', 'p%3Aq'],
    ['é', 'é'],
    ['../..', '..%2F..'],
    ['a\tb', 'a%09b'],
    ['', '__HIVE_DEFAULT_PARTITION__'],
    [null, '__HIVE_DEFAULT_PARTITION__'],
  ])('escape %j as Hive does: %s', (value, escaped) => {
    expect(escapePartitionValue(value)).toBe(escaped)
  })

  it('give every value but the empty one back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (value) => {
        expect(unescapePartitionValue(escapePartitionValue(value))).toBe(value)
      }),
    )
  })

  it('stand in the order of the partitions', () => {
    expect(partitionPath([{ name: 'trade_date' }, { name: 'ticker' }], ['2024-03-08', 'A/B'])).toBe(
      'trade_date=2024-03-08/ticker=A%2FB/',
    )
    expect(partitionPath([], [])).toBe('')
  })
})

describe('calendar partitions', () => {
  const newYork = zoneOffset('America/New_York')
  const text = (transform: 'year' | 'month' | 'day' | 'hour', instant: string) =>
    calendarPartition(transform, Date.parse(instant), newYork)

  it('read the calendar of the named zone', () => {
    expect(text('day', '2024-03-09T04:59:59.999Z')).toBe('2024-03-08')
    expect(text('day', '2024-03-09T05:00:00.000Z')).toBe('2024-03-09')
    expect(text('year', '2025-01-01T04:59:59Z')).toBe('2024')
    expect(text('month', '2025-01-01T04:59:59Z')).toBe('2024-12')
  })

  it('put both passes of the repeated hour of a 25-hour day into one partition', () => {
    expect(text('hour', '2024-11-03T05:30:00Z')).toBe('2024-11-03-01')
    expect(text('hour', '2024-11-03T06:30:00Z')).toBe('2024-11-03-01')
    expect(text('hour', '2024-11-03T07:30:00Z')).toBe('2024-11-03-02')
    expect(text('day', '2024-11-04T04:30:00Z')).toBe('2024-11-03')
  })

  it('skip the hour that a 23-hour day lacks', () => {
    expect(text('hour', '2024-03-10T06:59:59Z')).toBe('2024-03-10-01')
    expect(text('hour', '2024-03-10T07:00:00Z')).toBe('2024-03-10-03')
  })

  it('agree with Intl at any instant', () => {
    const format = new Intl.DateTimeFormat('en-CA', {
      timeZone: 'America/New_York',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    })
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
        (date) => {
          expect(calendarPartition('day', date.getTime(), newYork)).toBe(format.format(date))
        },
      ),
    )
  })
})
