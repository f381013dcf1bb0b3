import { describe, expect, it } from 'vitest'
import { consume, FakeLog } from './sink/fake-log.ts'
import { settle } from './sink/manual-runtime.ts'
import { MemoryBucket, type MemoryObjectStore, type StoreCall } from './sink/memory-object-store.ts'
import { expectedLines, publishedLines, sinkUnderTest } from './sink/sink-fixture.ts'

// Losses and doublings that users of other sinks have met, replayed: each name says where it was told.

const isClaim = ({ operation, key }: StoreCall) =>
  operation === 'putIfAbsent' && /groups\/.*\.json$/.test(key)
const never = new Promise<never>(() => {})

/** The process dies at the first call that `at` holds for; `takesEffect`: that call still reaches the store. */
const dieWhen = (store: MemoryObjectStore, at: (call: StoreCall) => boolean, takesEffect: boolean) =>
  new Promise<void>((died) => {
    let dead = false
    store.intercept = (call, apply) => {
      if (dead) return never
      if (!at(call)) return apply()
      dead = true
      if (takesEffect) apply()
      died()
      return never
    }
  })

/** Another process reads everything that the log has and ends. */
const takeOver = async (
  bucket: MemoryBucket,
  log: FakeLog,
  options: Parameters<typeof sinkUnderTest>[0] = {},
) => {
  const test = sinkUnderTest({ bucket, ...options })
  await consume(test.sink, [log])
  await test.sink.close()
  return test
}

describe('what happened to others does not happen here', () => {
  it('confluentinc/kafka-connect-storage-cloud #253: two tasks write the same offsets during a rebalance, and neither overwrites the other', async () => {
    const bucket = new MemoryBucket()
    const log = new FakeLog().appendMany(6)
    const tasks = [sinkUnderTest({ bucket }), sinkUnderTest({ bucket })]
    for (const { sink } of tasks) await consume(sink, [log])
    await Promise.allSettled(tasks.map(({ sink }) => sink.flush()))
    for (const { sink } of tasks) await sink.close()
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
    const staged = tasks.flatMap(({ store }) =>
      store.calls.flatMap(({ operation, key }) => (operation === 'createUpload' ? [key] : [])),
    )
    expect(new Set(staged).size).toBe(staged.length)
  })

  it('confluentinc/kafka-connect-storage-cloud #800: a task that hung wakes after its successor and cannot replace the longer file by its shorter one', async () => {
    const bucket = new MemoryBucket()
    const log = new FakeLog().appendMany(4)
    const hung = sinkUnderTest({ bucket })
    const held: (() => void)[] = []
    hung.store.intercept = (call, apply) =>
      call.operation === 'uploadPart' ? new Promise((resolve) => held.push(() => resolve(apply()))) : apply()
    await consume(hung.sink, [log])
    const late = hung.sink.flush()
    await settle()
    log.appendMany(4)
    await takeOver(bucket, log)
    const before = new Map([...bucket.objects].map(([key, { etag }]) => [key, etag]))
    hung.runtime.pass(3_600_000)
    for (const wake of held) wake()
    await expect(late).rejects.toMatchObject({ code: 'FENCED' })
    await hung.sink.close()
    for (const [key, etag] of before) expect(bucket.objects.get(key)?.etag).toBe(etag)
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
  })

  it('pinterest/secor #600: a crash between the files of one upload, and a successor that cuts earlier, double nothing', async () => {
    const bucket = new MemoryBucket()
    const log = new FakeLog().appendMany(9, 'abc')
    const { sink, store } = sinkUnderTest({ bucket })
    let published = 0
    const died = dieWhen(
      store,
      ({ operation }) => operation === 'completeUpload' && (published += 1) > 1,
      false,
    )
    await consume(sink, [log])
    void sink.flush().catch(() => {})
    await died
    expect(bucket.keys('ticks/ticker=').length).toBe(1)
    log.appendMany(4)
    await takeOver(bucket, log, { rotation: { rows: 2 } })
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
  })

  it('redpanda-data/connect #4009: what a revoked partition had buffered is not committed, and is read again by the next owner', async () => {
    const bucket = new MemoryBucket()
    const log = new FakeLog().appendMany(4)
    const { sink, events } = sinkUnderTest({ bucket, rotation: { rows: 4 } })
    await consume(sink, [log])
    await sink.flush()
    log.appendMany(3)
    await sink.write(log.block(4n))
    await sink.revoke([log], { drain: false })
    const committable = events.committable.map(([{ offset }]) => offset)
    expect(committable.at(-1)).toBe(4n)
    log.committed = 4n
    await sink.close()
    await takeOver(bucket, log)
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
  })

  it('apache/iceberg #17551: a zombie commits an old offset that has passed out of the log, and nothing is skipped', async () => {
    const bucket = new MemoryBucket()
    const log = new FakeLog().appendMany(6)
    await takeOver(bucket, log, { start: 'latest' })
    // The sink began at the end: what comes from here on is what it has to keep.
    const from = log.logEnd
    log.appendMany(5)
    await takeOver(bucket, log, { start: 'latest' })
    log.appendMany(3)
    log.retain(from + 4n)
    log.committed = 1n
    await takeOver(bucket, log, { start: 'latest' })
    const lines = publishedLines(bucket).map((line) => BigInt(line.split(' ')[1]!))
    expect(lines).toEqual(Array.from({ length: 8 }, (_, index) => from + BigInt(index)))
  })

  it('the Iceberg sink of Kafka Connect: killed before its first commit with "latest", it begins where it began, not at the new end', async () => {
    const bucket = new MemoryBucket()
    const log = new FakeLog().appendMany(2)
    const { sink, store } = sinkUnderTest({ bucket, start: 'latest' })
    await consume(sink, [log])
    log.appendMany(5)
    const died = dieWhen(store, isClaim, false)
    await sink.write(log.block(2n))
    void sink.flush().catch(() => {})
    await died
    log.appendMany(2)
    await takeOver(bucket, log, { start: 'latest' })
    expect(publishedLines(bucket).length).toBe(7)
  })

  it('Spark Structured Streaming: files of an attempt that died are seen by no reader of the folder', async () => {
    const bucket = new MemoryBucket()
    const log = new FakeLog().appendMany(8)
    const { sink, store } = sinkUnderTest({ bucket })
    const died = dieWhen(store, isClaim, false)
    await consume(sink, [log])
    void sink.flush().catch(() => {})
    await died
    expect(bucket.keys('ticks/ticker=')).toEqual([])
    await takeOver(bucket, log)
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
  })

  it('a plain kafkajs program: killed between the upload and the commit of its offset, it writes no flush twice', async () => {
    const bucket = new MemoryBucket()
    const log = new FakeLog().appendMany(8)
    const { sink, store, events } = sinkUnderTest({ bucket })
    const died = dieWhen(store, ({ key }) => key.endsWith('.settled'), false)
    await consume(sink, [log])
    await sink.flush()
    // Published, and the group never hears of it.
    expect(events.committable.length).toBe(1)
    void sink.close().catch(() => {})
    await died
    log.appendMany(2)
    await takeOver(bucket, log)
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
  })
})
