import { calendarPartition, zoneOffset } from '@stockpipe/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { periodEnd } from '../src/event-boundary.ts'
import { appendEvent, entriesOf, eventRows, eventSink, newYork } from './sink/event-sink.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { settle } from './sink/manual-runtime.ts'

const minute = 60_000
const hour = 60 * minute
/** 00:00 in New York on the day that has 25 hours, 2024-11-03. */
const longDay = Date.UTC(2024, 10, 3, 4)

describe('a period of event time', () => {
  it('is 25 and 23 hours where the clocks change, and an hour that occurs twice is one', () => {
    const day = { interval: 'day', timeZone: newYork } as const
    expect(periodEnd(longDay, day) - longDay).toBe(25 * hour)
    expect(periodEnd(longDay + 24 * hour + 59 * minute, day)).toBe(longDay + 25 * hour)
    const shortDay = Date.UTC(2024, 2, 10, 5)
    expect(periodEnd(shortDay, day) - shortDay).toBe(23 * hour)
    const hours = { interval: 'hour', timeZone: newYork } as const
    expect(periodEnd(longDay + hour, hours) - longDay).toBe(3 * hour)
    expect(periodEnd(longDay, { interval: 'day' })).toBe(Date.UTC(2024, 10, 4))
    expect(periodEnd(-1, { interval: 'hour' })).toBe(0)
  })
})

describe('rotation by event time', () => {
  // Replays confluentinc/kafka-connect-storage-cloud#375: on the day of 25 hours rows went to the wrong partition.
  it('ends each group with its day, that of 25 hours too, and every row is under its own day', async () => {
    const test = eventSink({ rotation: { eventTime: { interval: 'day', timeZone: newYork } } })
    const log = new FakeLog()
    for (let at = longDay - 2 * hour; at < longDay + 27 * hour; at += 30 * minute) appendEvent(log, at)
    await consume(test.sink, [log], 17)
    await test.sink.close()
    expect(test.commits.map(({ cutBy, rows }) => [cutBy, rows])).toEqual([
      ['event-time', 4],
      ['event-time', 50],
      ['close', 4],
    ])
    const rows = await eventRows(test.bucket)
    expect(rows.map(({ offset }) => offset)).toEqual(log.records.map((_, index) => index))
    for (const { key, at } of rows)
      expect(key).toContain(`day=${calendarPartition('day', at!, zoneOffset(newYork))}/`)
  })

  it('cuts inside a block, before the first row beyond, and leaves what comes late to the next group', async () => {
    const test = eventSink({ rotation: { eventTime: 'hour' } })
    const log = new FakeLog()
    const start = Date.UTC(2024, 0, 2, 10)
    for (const minutes of [5, 50, null, 61, 59, 62, 58, 119, 121]) {
      appendEvent(log, minutes === null ? null : start + minutes * minute)
    }
    log.append('no row').skip(2)
    appendEvent(log, start + 122 * minute)
    await consume(test.sink, [log])
    await test.sink.close()
    expect(
      test.commits.map(({ start: from, next, cutBy, deadLetters }) => [from, next, cutBy, deadLetters]),
    ).toEqual([
      [0n, 3n, 'event-time', 0],
      [3n, 8n, 'event-time', 0],
      [8n, 13n, 'close', 1],
    ])
    expect(entriesOf(test.bucket).map(({ watermark }) => watermark)).toEqual([
      null,
      start + 50 * minute,
      start + 119 * minute,
    ])
  })
})

describe('rotation by time', () => {
  // Replays confluentinc/kafka-connect-storage-cloud#144: the last rows of a topic that falls silent stayed invisible.
  it('publishes the last rows of an idle topic without any further record, by age or by idleness', async () => {
    for (const [rotation, millis, reason] of [
      [{}, 300_000, 'age'],
      [{ idleMillis: 20_000 }, 20_000, 'idle'],
    ] as const) {
      const test = eventSink({ rotation })
      const log = new FakeLog()
      appendEvent(log, longDay)
      await consume(test.sink, [log])
      await test.runtime.advance(millis - 1)
      expect(test.commits).toEqual([])
      await test.runtime.advance(1)
      await settle()
      expect(test.commits.map(({ cutBy }) => cutBy)).toEqual([reason])
    }
  })

  it('counts idleness from the last record', async () => {
    const test = eventSink({ rotation: { idleMillis: 1_000 } })
    const log = new FakeLog()
    for (let index = 0; index < 3; index += 1) {
      appendEvent(log, longDay)
      if (index === 0) await consume(test.sink, [log])
      else await test.sink.write(log.block(BigInt(index)))
      await test.runtime.advance(900)
    }
    expect(test.commits).toEqual([])
    await test.runtime.advance(100)
    expect(test.commits.map(({ cutBy, rows }) => [cutBy, rows])).toEqual([['idle', 3]])
  })
})

it('any mix of reasons keeps every row once, groups within their limits, and the watermark of the rows before', async () => {
  const step = fc.oneof(
    fc.record({ write: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ wait: fc.integer({ min: 0, max: 400 }) }),
    fc.constant({ flush: true }),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.record(
        {
          rows: fc.integer({ min: 1, max: 20 }),
          bytes: fc.integer({ min: 1_000, max: 8_000 }),
          groupBytes: fc.integer({ min: 1_000, max: 20_000 }),
          ageMillis: fc.integer({ min: 1, max: 1_000 }),
          idleMillis: fc.integer({ min: 1, max: 300 }),
          eventTime: fc.constantFrom(
            'hour' as const,
            'day' as const,
            { interval: 'hour', timeZone: newYork } as const,
          ),
        },
        { requiredKeys: [] },
      ),
      fc.option(fc.integer({ min: 20_000, max: 60_000 }), { nil: undefined }),
      fc.array(fc.tuple(fc.integer({ min: -90, max: 200 }), fc.constantFrom('A', 'B', 'C')), {
        minLength: 1,
        maxLength: 80,
      }),
      fc.array(step, { maxLength: 25 }),
      async (rotation, memory, rows, steps) => {
        const test = eventSink({ rotation, ...(memory === undefined ? {} : { memory }) })
        const log = new FakeLog()
        let clock = longDay
        for (const [minutes, symbol] of rows) {
          clock += minutes * minute
          appendEvent(log, clock, symbol)
        }
        let [position] = await test.sink.assign([log.assigned], { generation: 1 })
        const write = async (most: number) => {
          const block = log.block(position!.offset, most)
          position = { ...position!, offset: block.nextOffset }
          await test.sink.write(block)
        }
        for (const each of steps) {
          if ('write' in each) await write(each.write)
          else if ('wait' in each) await test.runtime.advance(each.wait)
          else await test.sink.flush()
        }
        while (position!.offset < log.logEnd) await write(12)
        await test.sink.close()
        expect(test.events.failed).toEqual([])
        const published = await eventRows(test.bucket)
        expect(published.map(({ offset }) => offset)).toEqual(rows.map((_, index) => index))
        let watermark: number | null = null
        for (const entry of entriesOf(test.bucket)) {
          expect(entry.watermark).toBe(watermark)
          expect(entry.counts.rows).toBeLessThan((rotation.rows ?? 1_000) + 12)
          const times = entry.files.map(({ maxEventTime }) => maxEventTime)
          watermark = Math.max(watermark ?? times[0]!, ...times)
        }
      },
    ),
    { numRuns: 40 },
  )
}, 120_000)
