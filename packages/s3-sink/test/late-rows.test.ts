// biome-ignore-all lint/suspicious/noThenProperty: the option's name; its values are text.
import { defineTable, defineTopic, identity, t } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { durationMillis } from '../src/late-rows.ts'
import type { LateOptions } from '../src/sink-options.ts'
import { appendEvent, entriesOf, eventRows, eventSink } from './sink/event-sink.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { sinkUnderTest } from './sink/sink-fixture.ts'

const minute = 60_000
const noon = Date.UTC(2024, 0, 2, 17)
const separate: LateOptions = { allowed: '10 minutes', then: 'separate-prefix' }

/** Groups of three rows, by minutes after noon. */
const written = async (late: 'accept' | LateOptions, minutes: readonly number[], bucket?: never) => {
  const test = eventSink({ rotation: { rows: 3 }, late, ...(bucket ? { bucket } : {}) })
  const log = new FakeLog()
  for (const each of minutes) appendEvent(log, noon + each * minute)
  await consume(test.sink, [log], 3)
  return { ...test, log }
}

describe('rows that are late', () => {
  it("are measured against the watermark at their group's start, and go to files beside the table", async () => {
    // In the second group 20 raises nothing yet: -5 is not more than 10 minutes before 5.
    const test = await written(separate, [0, 5, 4, 20, -5, -6, 30, 10, 9])
    await test.sink.close()
    const entries = entriesOf(test.bucket)
    expect(entries.map(({ watermark }) => watermark && (watermark - noon) / minute)).toEqual([null, 5, 20])
    expect(entries[2]!.late).toEqual({ allowedMillis: 600_000, outcome: 'separate-prefix' })
    expect(entries.map(({ files }) => files.map(({ kind }) => kind))).toEqual([
      ['data'],
      ['data', 'late'],
      ['data', 'late'],
    ])
    const rows = await eventRows(test.bucket)
    expect(rows.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 6, 7])
    const late = await eventRows(test.bucket, '_stockpipe/late/market/')
    expect(late.map(({ offset }) => offset)).toEqual([5, 8])
    expect(late[0]!.key).toContain('_stockpipe/late/market/day=2024-01-02/ticker=A/')
    expect(test.commits.map(({ rows: count }) => count)).toEqual([3, 3, 3])
  })

  it('do not move the watermark, and it is carried over a restart by the entry', async () => {
    const first = await written(separate, [0, 60, 59, 0, 1, 2])
    await first.sink.close()
    appendEvent(first.log, noon + 49 * minute)
    appendEvent(first.log, noon + 50 * minute)
    const second = eventSink({ bucket: first.bucket, late: separate })
    await consume(second.sink, [first.log])
    await second.sink.close()
    expect(entriesOf(first.bucket).map(({ watermark }) => watermark && (watermark - noon) / minute)).toEqual([
      null,
      60,
      60,
    ])
    expect((await eventRows(first.bucket)).map(({ offset }) => offset)).toEqual([0, 1, 2, 7])
    expect((await eventRows(first.bucket, '_stockpipe/late/')).map(({ offset }) => offset)).toEqual([
      3, 4, 5, 6,
    ])
  })

  it('become dead letters that say so, and however many they are they do not stop the partition log', async () => {
    const test = await written({ allowed: 0, then: 'dead-letter' }, [
      60,
      60,
      60,
      ...Array.from({ length: 3_000 }, () => 59),
    ])
    await test.sink.close()
    expect(test.events.failed).toEqual([])
    const [key] = test.bucket.keys('_stockpipe/dead-letters/')
    expect(Buffer.from(test.bucket.objects.get(key!)!.bytes).toString('latin1')).toContain(
      'late: the event time',
    )
    expect((await eventRows(test.bucket)).map(({ offset }) => offset)).toEqual([0, 1, 2])
    expect(entriesOf(test.bucket).reduce((sum, { counts }) => sum + counts.deadLetters, 0)).toBe(3_000)
  })

  // Replays confluentinc/kafka-connect-storage-cloud#380: late rows made the connector flip between paths, a file each.
  it('that alternate with rows in time make one file a path and group, not one a change', async () => {
    const minutes = Array.from({ length: 60 }, (_, index) =>
      index % 2 === 0 ? 2_000 + index : index - 3_000,
    )
    for (const late of ['accept', separate] as const) {
      const test = eventSink({ rotation: { rows: 20 }, late })
      const log = new FakeLog()
      for (const each of minutes) appendEvent(log, noon + each * minute)
      await consume(test.sink, [log], 20)
      await test.sink.close()
      // Two days at most in each of the three groups.
      expect(test.commits.map(({ files }) => files.length)).toEqual([2, 2, 2])
      expect(test.commits.reduce((sum, { rows }) => sum + rows, 0)).toBe(60)
    }
  })
})

describe('options for late rows', () => {
  it.each([
    [{ late: { allowed: 'soon', then: 'dead-letter' } }, 'DURATION_INVALID'],
    [{ late: { allowed: 1, then: 'drop' as 'dead-letter' } }, 'SINK_OPTION_INVALID'],
    [{ late: { ...separate, location: 's3://other/late/' } }, 'LATE_LOCATION_INVALID'],
    [{ late: { ...separate, location: 's3://lake/events/late/' } }, 'LATE_LOCATION_INSIDE'],
    [
      { late: { allowed: 1, then: 'dead-letter' }, deadLetters: { onRejected: 'stop' } },
      'SINK_OPTION_INVALID',
    ],
    [{ rotation: { eventTime: 'week' as 'day' } }, 'SINK_OPTION_INVALID'],
    [{ rotation: { eventTime: { interval: 'day', timeZone: 'Mars/Olympus' } } }, 'TIME_ZONE_UNKNOWN'],
    [{ eventTimeColumn: 'symbol', late: separate }, 'EVENT_TIME_UNSUITED'],
  ] as const)('are refused when they cannot be met: %#', (options, code) => {
    expect(() => eventSink(options)).toThrow(expect.objectContaining({ code }))
  })

  it.each(['s3://lake/aside/', 's3://lake/aside/market/', 's3://lake/aside'])(
    'are refused when late rows and dead letters lie inside each other: %s',
    (location) => {
      const options = { late: { ...separate, location }, deadLetters: { location: 's3://lake/aside/' } }
      expect(() => eventSink(options)).toThrow(expect.objectContaining({ code: 'LATE_LOCATION_INSIDE' }))
      eventSink({ ...options, deadLetters: { location: 's3://lake/beside/' } })
      eventSink({ late: options.late, deadLetters: { onRejected: 'stop' } })
    },
  )

  it('are refused for a table without event times', () => {
    expect(() => sinkUnderTest({ late: separate })).toThrow(
      expect.objectContaining({ code: 'EVENT_TIME_MISSING' }),
    )
  })

  it('take durations as people write them', () => {
    expect(
      [5, '5', '5 ms', '1 second', '10 minutes', '1.5 hours', '2days'].map((text) =>
        durationMillis(text, 'x'),
      ),
    ).toEqual([5, 5, 5, 1_000, 600_000, 5_400_000, 172_800_000])
    for (const text of ['', '-1', 'minutes', '1 week'])
      expect(() => durationMillis(text, 'late.allowed')).toThrow(/late.allowed/)
  })
})

// Replays confluentinc/kafka-connect-storage-cloud#525: two interleaved schemas made a file of every change.
it('two table definitions that take turns make at most twice the files of one, and every row is published', async () => {
  const partitions = { ticker: identity('symbol') }
  const wide = defineTable('ticks', {
    columns: { symbol: t.string(), price: t.double().nullable(), note: t.string().nullable() },
    partitions,
  })
  const slim = defineTable('ticks', {
    columns: { symbol: t.string(), price: t.double().nullable() },
    partitions,
  })
  const filesOf = async (definitions: readonly (typeof wide | typeof slim)[]) => {
    const log = new FakeLog()
    const { createEngine } = await import('../src/engine.ts')
    let bucket: ReturnType<typeof eventSink>['bucket'] | undefined
    let rows = 0
    let files = 0
    for (let run = 0; run < 6; run += 1) {
      for (let index = 0; index < 20; index += 1) {
        // Records of both kinds, one after another: they are read by the definition of the run.
        log.append(
          JSON.stringify({ symbol: 'AB'[index % 2], price: index, ...(index % 4 < 2 ? { note: 'n' } : {}) }),
        )
      }
      const table = definitions[run % definitions.length]!
      const test = sinkUnderTest({
        topic: defineTopic('ticks', { table, partitions: 4 }),
        table: table.at({ database: 'market', location: 's3://lake/ticks/' }),
        createEngine,
        ...(bucket ? { bucket } : {}),
        onCommit: (commit) => {
          rows += commit.rows
          files += commit.files.length
        },
      })
      bucket = test.bucket
      await consume(test.sink, [log], 3)
      await test.sink.close()
    }
    return { rows, files }
  }
  const one = await filesOf([wide])
  const both = await filesOf([wide, slim])
  expect([one.rows, both.rows]).toEqual([120, 120])
  expect(both.files).toBeLessThanOrEqual(2 * one.files)
})
