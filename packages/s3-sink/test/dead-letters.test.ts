import { defineTable, defineTopic, identity, t } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { deadLetterTable } from '../src/dead-letter-table.ts'
import {
  createSink,
  type EngineRequest,
  type EngineResponse,
  type SinkOptions,
  verifySink,
} from '../src/index.ts'
import { rowsOf } from './engine/parquet-files.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { LineEngine } from './sink/line-engine.ts'
import { ManualRuntime } from './sink/manual-runtime.ts'
import { type MemoryBucket, MemoryObjectStore } from './sink/memory-object-store.ts'
import {
  deadLetterLines,
  expectedLines,
  lake,
  publishedLines,
  sinkUnderTest,
  ticks,
  ticksTopic,
} from './sink/sink-fixture.ts'

const entries = (bucket: MemoryBucket) =>
  bucket
    .keys('/groups/')
    .filter((key) => key.endsWith('.json'))
    .map((key) => JSON.parse(bucket.text(key)!))
    .sort((left, right) => Number(left.start) - Number(right.start))

const bads = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `bad#${from + index}`)

describe('records that are no rows', () => {
  it('are published in a file of their own under the same claim, and counted', async () => {
    const commits: Parameters<NonNullable<SinkOptions['onCommit']>>[0][] = []
    const test = sinkUnderTest({ onCommit: (commit) => commits.push(commit) })
    const log = new FakeLog().appendMany(2).append('bad#1').appendMany(1).append('bad#2')
    await consume(test.sink, [log])
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(['0: 0 a0', '0: 1 b1', '0: 3 a3'])
    expect(deadLetterLines(test.bucket)).toEqual(['0: 2 bad#1', '0: 4 bad#2'])
    expect(test.bucket.keys('.parquet')).toEqual([
      expect.stringMatching(/^_stockpipe\/dead-letters\/market\/ticks-0-0{19}-[0-9a-f]{20}\.parquet$/),
      expect.stringMatching(/^ticks\/ticker=a\//),
      expect.stringMatching(/^ticks\/ticker=b\//),
    ])
    expect(entries(test.bucket)).toMatchObject([
      {
        counts: { records: 5, rows: 3, deadLetters: 2, skipped: 0 },
        files: [
          { kind: 'data' },
          { kind: 'data' },
          { kind: 'dead-letters', partitionValues: [], rows: 2, firstOffset: '2', lastOffset: '4' },
        ],
      },
    ])
    expect(commits).toMatchObject([
      { records: 5, rows: 3, deadLetters: 2, files: [{ kind: 'data' }, {}, { kind: 'dead-letters' }] },
    ])
  })

  it('can be all of a group, and go where the options say', async () => {
    const test = sinkUnderTest({ deadLetters: { location: 's3://lake/bad' } })
    await consume(test.sink, [new FakeLog().append('bad#1', 'bad#2')])
    await test.sink.close()
    expect(test.bucket.keys('.parquet')).toEqual([expect.stringMatching(/^bad\/market\/ticks-0-/)])
    expect(entries(test.bucket)).toMatchObject([{ counts: { records: 2, rows: 0, deadLetters: 2 } }])
  })

  it('are not registered as a partition', async () => {
    const registered: string[] = []
    const test = sinkUnderTest({
      registrar: {
        register: async (partitions) => void registered.push(...partitions.map((p) => p.location)),
      },
    })
    await consume(test.sink, [new FakeLog().append('a1', 'bad#1')])
    await test.sink.close()
    expect(registered).toEqual(['s3://lake/ticks/ticker=a/'])
  })

  it('are published by whoever comes next when their owner dies after the claim', async () => {
    const first = sinkUnderTest()
    first.store.intercept = (call, apply) =>
      call.operation === 'completeUpload' ? new Promise(() => {}) : apply()
    const log = new FakeLog().append('a1', 'bad#1')
    await consume(first.sink, [log])
    void first.sink.flush().catch(() => {})
    await expect.poll(() => first.store.count('completeUpload')).toBe(2)
    expect(deadLetterLines(first.bucket)).toEqual([])
    const second = sinkUnderTest({ bucket: first.bucket, deadLetters: { onRejected: 'stop' } })
    await consume(second.sink, [log])
    await second.sink.close()
    expect(deadLetterLines(first.bucket)).toEqual(['0: 1 bad#1'])
    expect(publishedLines(first.bucket)).toEqual(['0: 0 a1'])
  })
})

describe('an engine that loses rows or dead letters', () => {
  it.each([
    ['data', ['a1', 'a2']],
    ['dead-letters', ['a1', 'bad#1']],
  ] as const)('stops before the claim when it leaves out a %s file', async (content, values) => {
    class ForgetfulEngine extends LineEngine {
      override *handle(request: EngineRequest): Generator<EngineResponse> {
        for (const response of super.handle(request)) {
          if ('content' in response && response.content === content) continue
          yield response
        }
      }
    }
    const test = sinkUnderTest({ createEngine: () => new ForgetfulEngine() })
    await consume(test.sink, [new FakeLog().append(...values)])
    await expect(test.sink.flush()).rejects.toMatchObject({ code: 'ROWS_MISCOUNTED' })
    expect(test.bucket.keys('groups')).toEqual([])
    expect(test.bucket.uploads.size).toBe(0)
  })
})

describe('too many rejected records', () => {
  it('stop their partition log in the first group, before anything is claimed, and name the first ones', async () => {
    const test = sinkUnderTest()
    const [wrong, good] = [new FakeLog(0).append(...bads(1_500)), new FakeLog(1).appendMany(8)]
    await test.sink.assign([wrong.assigned, good.assigned], { generation: 1 })
    await test.sink.write(good.block(0n))
    for (let at = 0n; at < 900n; at += 100n) await test.sink.write(wrong.block(at, 100))
    const failure = {
      name: 'SchemaMismatchError',
      code: 'TOO_MANY_REJECTED',
      message: expect.stringMatching(
        /1000 of the last 1000 records .*offset 0, column price: bad#0 is no price; offset 1,.*; offset 2, /,
      ),
      facts: { topic: 'ticks', partition: 0, records: 1000, rejected: 1000, offset: 0n },
    }
    await expect(test.sink.write(wrong.block(900n, 100))).rejects.toMatchObject(failure)
    expect(test.events.failed).toEqual([
      [{ topic: 'ticks', partition: 0 }, expect.objectContaining({ code: 'TOO_MANY_REJECTED' })],
    ])
    expect(test.engine.heldRows(wrong)).toBe(0)
    await test.sink.close()
    expect(test.bucket.keys('groups/ticks/0')).toEqual([])
    expect(deadLetterLines(test.bucket)).toEqual([])
    expect(publishedLines(test.bucket)).toEqual(expectedLines(good))
    expect(test.bucket.uploads.size).toBe(0)
  })

  it('are too many over small groups together, and a few groups are claimed by then', async () => {
    const test = sinkUnderTest()
    const log = new FakeLog().append(...bads(1_200))
    await test.sink.assign([log.assigned], { generation: 1 })
    let failure: unknown
    for (let at = 0n; at < log.logEnd && !failure; at += 150n) {
      await test.sink.write(log.block(at, 150)).catch((error: unknown) => (failure = error))
      if (!failure) await test.sink.flush()
    }
    expect(failure).toMatchObject({ code: 'TOO_MANY_REJECTED', facts: { records: 1050 } })
    expect(entries(test.bucket).at(-1)).toMatchObject({ next: '900', counts: { deadLetters: 150 } })
  })

  it('are not those of a small topic, nor few among many, nor a burst that the good ones outweigh', async () => {
    const test = sinkUnderTest()
    const small = new FakeLog(0).append(...bads(999))
    const few = new FakeLog(1)
    for (let round = 0; round < 20; round += 1) few.appendMany(60).append(...bads(50))
    await consume(test.sink, [small, few], 100)
    await test.sink.close()
    expect(deadLetterLines(test.bucket).length).toBe(999 + 20 * 50)
    expect(test.events.failed).toEqual([])
  })

  it('come after good ones too: the measure is the newest records, not all of them', async () => {
    const test = sinkUnderTest()
    const log = new FakeLog().appendMany(5_000).append(...bads(3_000))
    await expect(consume(test.sink, [log], 250)).rejects.toMatchObject({
      code: 'TOO_MANY_REJECTED',
      facts: { offset: 5_000n },
    })
    await test.sink.close().catch(() => {})
    expect(test.bucket.keys('groups')).toEqual([])
  })

  it('are never too many at a ratio of 1', async () => {
    const test = sinkUnderTest({ deadLetters: { maxRejectedRatio: 1 } })
    await consume(test.sink, [new FakeLog().append(...bads(3_000))], 500)
    await test.sink.close()
    expect(deadLetterLines(test.bucket).length).toBe(3_000)
  })
})

describe('options for dead letters', () => {
  it.each([
    [{ location: 's3://lake/ticks/bad/' }, 'DEAD_LETTERS_INSIDE_TABLE'],
    [{ location: 's3://lake/_stockpipe/journal/' }, 'DEAD_LETTERS_INSIDE_JOURNAL'],
    [{ location: 's3://other/bad/' }, 'DEAD_LETTERS_OTHER_BUCKET'],
    [{ location: 'lake/bad' }, 'DEAD_LETTERS_LOCATION_INVALID'],
    [{ location: 's3://lake/' }, 'DEAD_LETTERS_LOCATION_INVALID'],
    [{ location: `s3://lake/${'deep/'.repeat(200)}` }, 'LOCATION_TOO_LONG'],
    [{ maxRejectedRatio: 1.5 }, 'SINK_OPTION_INVALID'],
    [{ maxRejectedRatio: Number.NaN }, 'SINK_OPTION_INVALID'],
  ] as const)('are refused when they cannot be met: %j', (deadLetters, code) => {
    const options = { name: 'market', topic: ticksTopic, table: lake, store: new MemoryObjectStore() }
    expect(() => createSink({ ...options, deadLetters })).toThrow(expect.objectContaining({ code }))
  })

  it('leave a table that is a whole bucket no place for dead letters', () => {
    const table = ticks.at({ database: 'market', location: 's3://lake' })
    const options = { name: 'm', topic: ticksTopic, table, store: new MemoryObjectStore() }
    const apart = { ...options, journal: 's3://other/journal', journalStore: new MemoryObjectStore() }
    expect(() => createSink(apart)).toThrow(expect.objectContaining({ code: 'DEAD_LETTERS_INSIDE_TABLE' }))
    createSink({ ...apart, deadLetters: { onRejected: 'stop' } })
  })
})

describe('verify', () => {
  const prices = defineTable('prices', {
    columns: { ticker: t.string(), price: t.decimal(18, 4) },
    partitions: { ticker_path: identity('ticker') },
  })
  const topic = defineTopic('prices', { table: prices })
  const table = prices.at({ database: 'market', location: 's3://lake/prices/' })
  const journal = 's3://lake/_stockpipe/journal/prices'

  /** Ten good records and two bad ones, by the real engine. */
  const written = async () => {
    const store = new MemoryObjectStore()
    const sink = createSink({ name: 'prices', topic, table, store, runtime: new ManualRuntime(5) })
    const good = Array.from({ length: 10 }, (_, index) =>
      JSON.stringify({ ticker: 'A', price: `${index}.5` }),
    )
    await consume(sink, [
      new FakeLog(0, 'prices').append(...good, 'not JSON', JSON.stringify({ ticker: 'A' })),
    ])
    await sink.close()
    const [key] = store.bucket.keys('dead-letters/')
    return { bucket: store.bucket, key: key! }
  }
  const verify = (bucket: MemoryBucket) => verifySink({ store: new MemoryObjectStore(bucket), journal })

  it('counts dead letters and reads the footers of their files', async () => {
    const { bucket, key } = await written()
    const report = await verify(bucket)
    expect(report).toMatchObject({ ok: true, totals: { records: 12, rows: 10, deadLetters: 2, files: 2 } })
    expect(report.files).toMatchObject([
      { kind: 'data', rows: 10 },
      { kind: 'dead-letters', rows: 2 },
    ])
    expect(await rowsOf(deadLetterTable, bucket.objects.get(key)!.bytes)).toMatchObject([
      { offset: 10n, column: null },
      { offset: 11n, column: 'price' },
    ])
  })

  it('names a dead-letter file that is gone, is another, or that no group names', async () => {
    const gone = await written()
    gone.bucket.objects.delete(gone.key)
    expect((await verify(gone.bucket)).problems).toMatchObject([
      { code: 'FILE_MISSING', key: `s3://lake/${gone.key}` },
    ])
    const other = await written()
    const object = other.bucket.objects.get(other.key)!
    other.bucket.objects.set(other.key, { ...object, bytes: object.bytes.slice().fill(0) })
    expect((await verify(other.bucket)).problems).toMatchObject([{ code: 'FILE_DAMAGED' }])
    const doubled = await written()
    const copy = doubled.key.replace('.parquet', '-copy.parquet')
    doubled.bucket.objects.set(copy, doubled.bucket.objects.get(doubled.key)!)
    expect((await verify(doubled.bucket)).problems).toMatchObject([
      { code: 'FILE_UNKNOWN', key: `s3://lake/${copy}` },
    ])
  })
})
