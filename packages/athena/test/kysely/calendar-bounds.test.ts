import { calendarPartition, zoneOffset } from '@stockpipe/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { earliestPartition, latestPartition } from '../../src/kysely/calendar-bounds.ts'

const hour = 3_600_000
const transforms = ['year', 'month', 'day', 'hour'] as const
/** When clocks were set back, in Newfoundland and Labrador over midnight; and when offsets had seconds. */
const turns = [
  ['America/St_Johns', '2006-10-29T02:31:00Z'],
  ['America/Goose_Bay', '2008-11-02T03:01:00Z'],
  ['America/Sao_Paulo', '2018-02-18T02:00:00Z'],
  ['America/New_York', '2024-11-03T06:00:00Z'],
  ['Australia/Lord_Howe', '2024-04-06T15:00:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
  ['Africa/Monrovia', '1972-01-07T00:44:30Z'],
  ['Asia/Manila', '1899-09-06T15:56:00Z'],
] as const

test('no instant is in a partition beyond the bounds of a range that holds it', () => {
  const near = fc.integer({ min: -4 * hour, max: 4 * hour })
  const further = fc.oneof(near, fc.integer({ min: 0, max: 60 * hour }))
  fc.assert(
    fc.property(
      fc.constantFrom(...turns),
      fc.constantFrom(...transforms),
      near,
      further,
      (turn, transform, at, more) => {
        const [timeZone, text] = turn
        const instant = Date.parse(text) + at
        const offset = zoneOffset(timeZone)
        const later = calendarPartition(transform, instant + Math.abs(more), offset)
        expect(earliestPartition(transform, timeZone, instant)! <= later).toBe(true)
        const earlier = calendarPartition(transform, instant - Math.abs(more), offset)
        expect(latestPartition(transform, timeZone, instant)! >= earlier).toBe(true)
      },
    ),
    { numRuns: 5000 },
  )
})

test('midnight set back belongs to both days it has been in', () => {
  // 00:00:30 on the 29th, a moment before it is 23:01 on the 28th again.
  const before = Date.parse('2006-10-29T02:30:30Z')
  expect(calendarPartition('day', before, zoneOffset('America/St_Johns'))).toBe('2006-10-29')
  expect(earliestPartition('day', 'America/St_Johns', before)).toBe('2006-10-28')
  expect(latestPartition('day', 'America/St_Johns', before + hour)).toBe('2006-10-29')
})

test('a day is no wider than itself where clocks stay on their side of midnight', () => {
  expect(earliestPartition('day', 'America/New_York', Date.parse('2024-11-03T04:00:00Z'))).toBe('2024-11-03')
  expect(latestPartition('day', 'America/New_York', Date.parse('2024-11-04T05:00:00Z') - 1)).toBe(
    '2024-11-03',
  )
})
