import { channels } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { observedStore } from '../src/observed-store.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { heardOn } from './sink/heard.ts'
import { ManualRuntime, settle } from './sink/manual-runtime.ts'
import { MemoryObjectStore, refusal, unknownOutcome } from './sink/memory-object-store.ts'
import { sinkUnderTest } from './sink/sink-fixture.ts'

describe('what a sink tells', () => {
  it('tells of each published group: why it was cut, its counts, files and steps', async () => {
    const groups = heardOn(channels.s3Sink.group)
    const { sink, store, runtime } = sinkUnderTest({ rotation: { rows: 4 } })
    store.intercept = ({ operation }, apply) => {
      const millis = { createUpload: 5, putIfAbsent: 20, completeUpload: 300 }[operation as string]
      runtime.pass(millis ?? 0)
      return apply()
    }
    await consume(sink, [new FakeLog().appendMany(4, 'abc')], 4)
    await sink.flush()
    const now = runtime.now()
    expect(groups).toHaveLength(1)
    expect(groups[0]).toMatchObject({
      sink: 'market',
      topic: 'ticks',
      partition: 0,
      start: 0n,
      next: 4n,
      cutBy: 'rows',
      records: 4,
      rows: 4,
      deadLetters: 0,
      holes: 0n,
      publishedAt: now,
    })
    const { files, millis } = groups[0]!
    expect(files.length).toBeGreaterThan(0)
    expect(files.reduce((sum, file) => sum + file.rows, 0)).toBe(4)
    expect(
      files.every(({ key, kind, bytes }) => key.startsWith('ticks/') && kind === 'data' && bytes > 0),
    ).toBe(true)
    expect(millis).toEqual({ stage: 5 * files.length, claim: 20, publish: 300 * files.length, register: 0 })
    await sink.close()
  })

  it('tells what it settles for a predecessor that died after its claim', async () => {
    const settled = heardOn(channels.s3Sink.settled)
    const first = sinkUnderTest({ writer: 'first' })
    first.store.intercept = ({ operation }, apply) =>
      operation === 'completeUpload' ? new Promise(() => {}) : apply()
    await consume(first.sink, [new FakeLog().appendMany(3)])
    void first.sink.flush().catch(() => {})
    await settle()
    const second = sinkUnderTest({ bucket: first.bucket })
    await consume(second.sink, [new FakeLog().appendMany(3)])
    expect(settled).toEqual([
      {
        sink: 'market',
        topic: 'ticks',
        partition: 0,
        start: 0n,
        next: 3n,
        writer: 'first',
        files: expect.any(Number),
        millis: expect.any(Number),
      },
    ])
    await second.sink.close()
  })

  it('tells who was fenced and what failed', async () => {
    const [fenced, failed] = [heardOn(channels.s3Sink.fenced), heardOn(channels.s3Sink.failed)]
    const first = sinkUnderTest()
    const second = sinkUnderTest({ bucket: first.bucket })
    const log = new FakeLog().appendMany(2)
    await consume(first.sink, [log])
    await consume(second.sink, [log])
    await second.sink.flush()
    await first.sink.flush().catch(() => {})
    expect(fenced).toEqual([
      { sink: 'market', topic: 'ticks', partition: 0, error: expect.objectContaining({ code: 'FENCED' }) },
    ])
    expect(failed).toEqual([])
    const third = sinkUnderTest()
    await consume(third.sink, [log])
    third.store.intercept = () => {
      throw refusal(403)
    }
    await third.sink.flush().catch(() => {})
    expect(failed).toEqual([
      { sink: 'market', topic: 'ticks', partition: 0, error: expect.objectContaining({ status: 403 }) },
    ])
  })

  it('tells that a partition log cannot be opened, but not that its opening was called off', async () => {
    const failed = heardOn(channels.s3Sink.failed)
    const first = sinkUnderTest()
    await consume(first.sink, [new FakeLog().appendMany(3)])
    await first.sink.close()
    const lost = { topic: 'ticks', partition: 0, logStart: 100n, logEnd: 200n }
    const { sink } = sinkUnderTest({ bucket: first.bucket })
    await expect(sink.assign([lost], { generation: 1 })).rejects.toMatchObject({ code: 'LOST_POSITION' })
    const error = expect.objectContaining({ code: 'LOST_POSITION' })
    expect(failed).toEqual([{ sink: 'market', topic: 'ticks', partition: 0, error }])
    const abort = new AbortController()
    const opening = sink.assign([{ ...lost, logStart: 0n }], { generation: 2, signal: abort.signal })
    abort.abort(new Error('the group went on'))
    await expect(opening).rejects.toThrow('the group went on')
    expect(failed.length).toBe(1)
  })

  it('tells of every repeat, with the sink behind it', async () => {
    const retries = heardOn(channels.s3Sink.retry)
    const { sink, store } = sinkUnderTest({ name: 'market' })
    let failures = 2
    store.intercept = ({ operation, key }, apply) => {
      if (operation !== 'putIfAbsent' || !key.includes('groups') || failures === 0) return apply()
      failures -= 1
      throw unknownOutcome()
    }
    await consume(sink, [new FakeLog().appendMany(1)])
    await sink.flush()
    const claims = retries.filter(({ what }) => what === 'claiming ticks-0 at 0')
    expect(claims).toEqual(
      [1, 2].map((attempt) => ({
        sink: 'market',
        what: 'claiming ticks-0 at 0',
        attempt,
        code: 'OBJECT_STORE_UNKNOWN',
        delayMillis: expect.any(Number),
      })),
    )
    await sink.close()
  })

  it('tells what is buffered, and that a log has gone', async () => {
    const [buffered, memory] = [heardOn(channels.s3Sink.buffered), heardOn(channels.s3Sink.memory)]
    const { sink } = sinkUnderTest({ memory: 1_000_000 })
    await consume(sink, [new FakeLog().appendMany(6)], 3)
    await sink.flush()
    await sink.close()
    expect(buffered.map(({ rows, open }) => [rows, open])).toEqual([
      [3, true],
      [6, true],
      [0, true],
      [0, false],
    ])
    expect(memory.some(({ usedBytes }) => usedBytes > 0)).toBe(true)
    expect(memory.at(-1)).toEqual({ sink: 'market', usedBytes: 0, limitBytes: 1_000_000, full: false })
  })

  it('says the same of a request as the store has seen', async () => {
    const requests = heardOn(channels.s3Sink.request)
    const { sink, store } = sinkUnderTest({ rotation: { rows: 4 } })
    await consume(sink, [new FakeLog().appendMany(12, 'abc')], 4)
    await sink.close()
    expect(requests.length).toBe(store.calls.length)
    const count = (operation: string) => requests.filter((each) => each.operation === operation).length
    expect(count('CreateMultipartUpload')).toBe(store.count('createUpload'))
    expect(count('CompleteMultipartUpload')).toBe(store.count('completeUpload'))
    expect(count('PutObject')).toBe(store.count('putIfAbsent'))
    const sent = requests.filter(({ operation }) => operation === 'UploadPart')
    expect(
      sent.every(
        ({ bytes, outcome, sink, store }) =>
          bytes > 0 && outcome === 'ok' && sink === 'market' && store === 'table',
      ),
    ).toBe(true)
    const journal = requests.filter(({ store }) => store === 'journal')
    expect(journal.every(({ key }) => key.startsWith('_stockpipe/journal/market/'))).toBe(true)
    expect(journal.length).toBeGreaterThan(3)
  })
})

describe('an observed store', () => {
  const observed = () => {
    const memory = new MemoryObjectStore()
    const runtime = new ManualRuntime()
    const store = observedStore(memory, { sink: 'market', store: 'journal', runtime })
    return { memory, runtime, store }
  }

  it('tells refused, unknown and aborted calls apart, and throws what the store threw', async () => {
    const requests = heardOn(channels.s3Sink.request)
    const { memory, store } = observed()
    for (const error of [refusal(403), unknownOutcome()]) {
      memory.intercept = () => {
        throw error
      }
      await expect(store.get('a')).rejects.toBe(error)
    }
    const reason = new Error('no more')
    await expect(store.get('a', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(requests.map(({ outcome }) => outcome)).toEqual(['refused', 'unknown', 'aborted'])
  })

  it.each([
    [0, undefined, 1],
    [3, undefined, 1],
    [1000, undefined, 1],
    [1001, undefined, 2],
    [2500, 2, 1],
  ])('counts the pages of a listing of %i keys taken up to %s', async (keys, taken, pages) => {
    const requests = heardOn(channels.s3Sink.request)
    const { memory, store } = observed()
    for (let index = 0; index < keys; index += 1) await memory.putIfAbsent(`k${index}`, new Uint8Array())
    let count = 0
    for await (const _ of store.list('k')) {
      count += 1
      if (count === taken) break
    }
    expect(count).toBe(taken ?? keys)
    expect(requests.map(({ operation }) => operation)).toEqual(Array(pages).fill('ListObjectsV2'))
  })
})
