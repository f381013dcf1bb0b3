import { describe, expect, it } from 'vitest'
import { cleanUploads } from '../src/index.ts'
import { sinkHash } from '../src/journal-keys.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { settle } from './sink/manual-runtime.ts'
import { type MemoryBucket, MemoryObjectStore, refusal } from './sink/memory-object-store.ts'
import { expectedLines, publishedLines, sinkUnderTest } from './sink/sink-fixture.ts'

const journal = 's3://lake/_stockpipe/journal/market'
const clean = (bucket: MemoryBucket, store = new MemoryObjectStore(bucket)) =>
  cleanUploads({ store, journal })

/** An upload as a sink of that name would stage it. */
const stage = async (bucket: MemoryBucket, start: bigint, options: { sink?: string; log?: string } = {}) => {
  const { sink = 'market', log = 'ticks-0' } = options
  const name = `${log}-${start.toString().padStart(19, '0')}-${sinkHash(sink)}${'ab'.repeat(6)}.parquet`
  const key = `ticks/ticker=a/${name}`
  const store = new MemoryObjectStore(bucket)
  const { uploadId } = await store.createUpload(key)
  return uploadId
}

/** Groups [0, 3), [3, 6) and [6, 9), all published. */
const published = async (): Promise<MemoryBucket> => {
  const test = sinkUnderTest({ rotation: { rows: 3 } })
  await consume(test.sink, [new FakeLog().appendMany(9)], 3)
  await test.sink.close()
  expect(test.bucket.keys('groups/').filter((key) => key.endsWith('.json')).length).toBe(3)
  return test.bucket
}

describe('cleaning uploads', () => {
  it('aborts what the entry at its start does not name, and what has only later entries', async () => {
    const bucket = await published()
    const lost = [await stage(bucket, 3n), await stage(bucket, 6n)]
    const between = await stage(bucket, 4n)
    const { aborted, left } = await clean(bucket)
    expect(aborted.map(({ uploadId }) => uploadId).sort()).toEqual([...lost, between].sort())
    expect(aborted[0]).toMatchObject({
      topic: 'ticks',
      partition: 0,
      key: expect.stringContaining('ticks-0-'),
    })
    expect(left).toBe(0)
    expect(bucket.uploads.size).toBe(0)
  })

  it('never by age: what is staged at the end of the chain, or beyond it, is left alone however old it is', async () => {
    const bucket = await published()
    await stage(bucket, 9n)
    await stage(bucket, 12n)
    expect(await clean(bucket)).toMatchObject({ aborted: [], left: 2 })
    expect(bucket.uploads.size).toBe(2)
  })

  it('leaves alone what a claimed entry names, and its successor publishes it', async () => {
    const log = new FakeLog().appendMany(4)
    const test = sinkUnderTest()
    test.store.intercept = (call, apply) =>
      call.operation === 'completeUpload' ? new Promise(() => {}) : apply()
    await consume(test.sink, [log])
    void test.sink.flush().catch(() => {})
    await settle()
    const { bucket } = test
    await stage(bucket, 0n)
    expect(await clean(bucket)).toMatchObject({ aborted: [{ start: 0n }], left: 2 })
    const successor = sinkUnderTest({ bucket })
    await consume(successor.sink, [log])
    await successor.sink.close()
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
  })

  it('leaves alone the uploads of other sinks, other partition logs and other programs', async () => {
    const bucket = await published()
    await stage(bucket, 3n, { sink: 'archive' })
    await stage(bucket, 3n, { log: 'quotes-0' })
    await stage(bucket, 3n, { log: 'ticks-1' })
    await new MemoryObjectStore(bucket).createUpload('ticks/ticker=a/part-00000.parquet')
    expect(await clean(bucket)).toEqual({ aborted: [], left: 0 })
    expect(bucket.uploads.size).toBe(4)
  })

  it('reads the chain after it has listed: an upload claimed meanwhile is left alone', async () => {
    const log = new FakeLog().appendMany(9)
    const bucket = await published()
    const owner = sinkUnderTest({ bucket })
    owner.store.intercept = (call, apply) =>
      call.operation === 'completeUpload' ? new Promise(() => {}) : apply()
    const store = new MemoryObjectStore(bucket)
    let claimed = false
    store.intercept = async (call, apply) => {
      const answer = apply()
      if (call.operation === 'listUploads' && !claimed) {
        claimed = true
        // What was read of the chain before this moment says nothing of the upload that is listed here.
        await consume(owner.sink, [log.appendMany(2)])
        void owner.sink.flush().catch(() => {})
        await settle()
        return [...bucket.uploads].map(([uploadId, { key }]) => ({ key, uploadId, initiated: 0 }))
      }
      return answer
    }
    expect(await clean(bucket, store)).toMatchObject({ aborted: [], left: 2 })
    expect(bucket.uploads.size).toBe(2)
  })

  it('says what it would abort when it is only asked', async () => {
    const bucket = await published()
    await stage(bucket, 3n)
    const report = await cleanUploads({ store: new MemoryObjectStore(bucket), journal, dryRun: true })
    expect(report.aborted.length).toBe(1)
    expect(bucket.uploads.size).toBe(1)
  })

  it('knows the uploads of a topic whose name is hidden', async () => {
    const bucket = await published()
    for (const key of bucket.keys('/ticks/')) {
      const object = bucket.objects.get(key)!
      const text = new TextDecoder().decode(object.bytes).replace('"topic": "ticks"', '"topic": "_ticks"')
      bucket.objects.set(key.replace('/ticks/', '/_ticks/'), {
        ...object,
        bytes: new TextEncoder().encode(text),
      })
      bucket.objects.delete(key)
    }
    await stage(bucket, 3n, { log: 'topic_ticks-0' })
    expect(await clean(bucket)).toMatchObject({ aborted: [{ topic: '_ticks', start: 3n }] })
  })
})

describe('the cleaner of a sink', () => {
  it('runs at times for the partition logs it owns, and ends with the sink', async () => {
    const bucket = await published()
    const test = sinkUnderTest({ bucket, cleaner: { everyMillis: 60_000 } })
    await test.sink.assign([new FakeLog().appendMany(9).assigned], { generation: 1 })
    const mine = await stage(bucket, 3n)
    const others = await stage(bucket, 3n, { log: 'ticks-1' })
    // Dead letters of a claim that lost lie elsewhere.
    const key = [...bucket.uploads.values()][0]!.key.replace(
      'ticks/ticker=a/',
      '_stockpipe/dead-letters/market/',
    )
    await new MemoryObjectStore(bucket).createUpload(key)
    await test.runtime.advance(29_000)
    expect(bucket.uploads.has(mine)).toBe(true)
    await test.runtime.advance(31_000)
    expect([...bucket.uploads.keys()]).toEqual([others])
    await stage(bucket, 6n)
    await test.runtime.advance(60_000)
    expect([...bucket.uploads.keys()]).toEqual([others])
    await test.sink.close()
    const calls = test.store.count('listUploads')
    expect(calls).toBe(4)
    await test.runtime.advance(600_000)
    expect(test.store.count('listUploads')).toBe(calls)
  })

  it('can be switched off', async () => {
    const bucket = await published()
    const test = sinkUnderTest({ bucket, cleaner: false })
    await test.sink.assign([new FakeLog().appendMany(9).assigned], { generation: 1 })
    await test.runtime.advance(7_200_000)
    expect(test.store.count('listUploads')).toBe(0)
  })

  it('that may not list uploads says so and hinders nothing', async () => {
    const log = new FakeLog().appendMany(4)
    const test = sinkUnderTest({ cleaner: { everyMillis: 60_000 } })
    test.store.intercept = (call, apply) => {
      if (call.operation === 'listUploads') throw refusal(403)
      return apply()
    }
    await consume(test.sink, [log])
    await test.runtime.advance(60_000)
    expect(test.warnings.join()).toMatch(/Housekeeping, aborting lost uploads: .*403/)
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
  })
})
