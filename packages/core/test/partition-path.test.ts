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

  it('change within a quarter hour where clocks do', () => {
    // St. John's turned them back at 00:01, over midnight.
    const stJohns = zoneOffset('America/St_Johns')
    const day = (instant: string) => calendarPartition('day', Date.parse(instant), stJohns)
    expect(day('2010-11-07T02:29:59.999Z')).toBe('2010-11-06')
    expect(day('2010-11-07T02:30:59.999Z')).toBe('2010-11-07')
    expect(day('2010-11-07T02:31:00.000Z')).toBe('2010-11-06')
    expect(day('2010-11-07T03:30:00.000Z')).toBe('2010-11-07')
  })

  it.each([
    ['America/St_Johns', '2011-03-13T03:31:00Z'],
    ['Antarctica/Casey', '2022-10-01T16:01:00Z'],
    ['Pacific/Kiritimati', '1979-10-01T10:40:00Z'],
    ['Africa/Monrovia', '1972-01-07T00:44:30Z'],
    ['Europe/Amsterdam', '1937-07-01T00:00:00Z'],
  ])('of %s agree with Intl around %s', (timeZone, change) => {
    const offset = zoneOffset(timeZone)
    const format = new Intl.DateTimeFormat('en-CA', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
    })
    fc.assert(
      fc.property(fc.integer({ min: -8_000_000, max: 8_000_000 }), (distance) => {
        const instant = Date.parse(change) + distance
        const text = format.format(instant).replace(', ', '-')
        expect(calendarPartition('hour', instant, offset)).toBe(text)
      }),
    )
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
