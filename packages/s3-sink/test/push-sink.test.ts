import type { RecordBlock } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { createPushSink, initJournal, type PushSinkOptions, verifySink } from '../src/index.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { LineEngine } from './sink/line-engine.ts'
import { ManualRuntime, settle } from './sink/manual-runtime.ts'
import { MemoryBucket, MemoryObjectStore, unknownOutcome } from './sink/memory-object-store.ts'
import { expectedLines, lake, publishedLines, sinkUnderTest, ticksTopic } from './sink/sink-fixture.ts'

let seeds = 100

/** An invocation: a push sink with a store handle of its own. */
const invocation = (bucket: MemoryBucket, options: Partial<PushSinkOptions> = {}) => {
  const store = new MemoryObjectStore(bucket)
  seeds += 1
  const sink = createPushSink({
    name: 'market',
    topic: ticksTopic,
    table: lake,
    store,
    runtime: new ManualRuntime(seeds),
    createEngine: () => new LineEngine(),
    genesis: 0n,
    ...options,
  })
  return { sink, store }
}

/** Records `[from, to)` as an event source hands them over: from the first record to the last. */
const batch = (log: FakeLog, from: number, to: number): RecordBlock => {
  const first = log.records.find(({ offset }) => offset >= BigInt(from))!.offset
  return log.block(first, log.records.filter(({ offset }) => offset >= first && offset < BigInt(to)).length)
}

const isClaim = (call: { operation: string; key: string }) =>
  call.operation === 'putIfAbsent' && /groups\/.*\.json$/.test(call.key)

describe('a push', () => {
  it('publishes the batch as one group, and a retry of it does nothing', async () => {
    const log = new FakeLog().appendMany(6)
    const bucket = new MemoryBucket()
    const { sink } = invocation(bucket)
    expect(await sink.push(batch(log, 0, 4))).toMatchObject({ next: 4n, group: { start: 0n, cutBy: 'push' } })
    const retry = invocation(bucket)
    expect(await retry.sink.push(batch(log, 0, 4))).toEqual({
      topic: 'ticks',
      partition: 0,
      next: 4n,
      group: null,
    })
    expect(retry.store.count('createUpload')).toBe(0)
    expect(await retry.sink.push(batch(log, 2, 6))).toMatchObject({ next: 6n, group: { start: 4n } })
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
    await sink.close()
    await expect(sink.push(batch(log, 0, 4))).rejects.toMatchObject({ code: 'SINK_CLOSED' })
  })

  it('settles what an invocation claimed before it died, before anything new', async () => {
    const log = new FakeLog().appendMany(6)
    const bucket = new MemoryBucket()
    const dead = invocation(bucket)
    dead.store.intercept = (call, apply) =>
      call.operation === 'completeUpload' ? new Promise(() => {}) : apply()
    void dead.sink.push(batch(log, 0, 4))
    await settle()
    expect(bucket.uploads.size).toBe(2)
    const { sink } = invocation(bucket)
    expect(await sink.push(batch(log, 0, 3))).toMatchObject({ next: 4n, group: null })
    expect(publishedLines(bucket).length).toBe(4)
  })

  it('whose claimed uploads are lost encodes the records handed over again, when they are all of the group', async () => {
    const log = new FakeLog().appendMany(6)
    const bucket = new MemoryBucket()
    const dead = invocation(bucket)
    dead.store.intercept = (call, apply) =>
      call.operation === 'completeUpload' ? new Promise(() => {}) : apply()
    void dead.sink.push(batch(log, 0, 4))
    await settle()
    bucket.uploads.clear()
    const { sink } = invocation(bucket)
    for (const part of [batch(log, 0, 3), batch(log, 2, 6), batch(log, 4, 6)]) {
      await expect(sink.push(part)).rejects.toMatchObject({
        name: 'LostUploadError',
        facts: { start: 0n, next: 4n },
      })
    }
    expect(publishedLines(bucket)).toEqual([])
    expect(await sink.push(batch(log, 0, 6))).toMatchObject({ next: 6n, group: { start: 4n } })
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
  })

  it('that meets the claim of another invocation begins anew behind it', async () => {
    const log = new FakeLog().appendMany(6)
    const bucket = new MemoryBucket()
    const slow = invocation(bucket)
    let other: Promise<unknown> | undefined
    slow.store.intercept = async (call, apply) => {
      if (isClaim(call)) await (other ??= invocation(bucket).sink.push(batch(log, 0, 3)))
      return apply()
    }
    expect(await slow.sink.push(batch(log, 0, 6))).toMatchObject({ next: 6n, group: { start: 3n } })
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
    expect(bucket.uploads.size).toBe(0)
  })

  it('takes the same partition log one batch after another, however they are called', async () => {
    const log = new FakeLog().appendMany(9)
    const bucket = new MemoryBucket()
    const { sink } = invocation(bucket)
    await Promise.all([sink.push(batch(log, 0, 3)), sink.push(batch(log, 3, 6)), sink.push(batch(log, 0, 9))])
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
    await sink.close()
  })

  it('goes on trying while there is no answer, and claims with an id of its own each time', async () => {
    const log = new FakeLog().appendMany(4)
    const bucket = new MemoryBucket()
    const { sink, store } = invocation(bucket)
    const chance = new ManualRuntime(7)
    store.intercept = (_, apply) => {
      if (chance.random() < 0.5) throw unknownOutcome()
      return apply()
    }
    await sink.push(batch(log, 0, 2))
    await sink.push(batch(log, 0, 4))
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
    const ids = bucket
      .keys('groups/')
      .filter((key) => key.endsWith('.json'))
      .map((key) => JSON.parse(bucket.text(key)!).claimId)
    expect(new Set(ids).size).toBe(2)
  })

  it('and a sink with a consumer share one chain', async () => {
    const log = new FakeLog().appendMany(6)
    const bucket = new MemoryBucket()
    await invocation(bucket).sink.push(batch(log, 0, 4))
    const consumer = sinkUnderTest({ bucket })
    await consume(consumer.sink, [log])
    await consumer.sink.close()
    log.appendMany(2)
    await invocation(bucket).sink.push(batch(log, 2, 8))
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
  })

  it('keeps rejected records as dead letters of the same claim', async () => {
    const log = new FakeLog().append('a0', 'bad1', 'b2')
    const bucket = new MemoryBucket()
    const { group } = await invocation(bucket).sink.push(log.block(0n))
    expect(group).toMatchObject({ counts: { records: 3, rows: 2, deadLetters: 1 } })
  })

  it('of another log than the journal was written from is a LogChangedError', async () => {
    const bucket = new MemoryBucket()
    await invocation(bucket).sink.push(batch(new FakeLog().appendMany(4), 0, 4))
    const other = new FakeLog().append('c', 'c', 'c', 'c', 'c', 'c')
    await expect(invocation(bucket).sink.push(other.block(2n))).rejects.toMatchObject({
      name: 'LogChangedError',
    })
  })
})

describe('the genesis of pushes', () => {
  it('has to be configured or made, and is not taken from what comes first', async () => {
    const log = new FakeLog().appendMany(6)
    const bucket = new MemoryBucket()
    const { genesis: _, ...without } = { genesis: undefined }
    const unknown = createPushSink({
      name: 'market',
      topic: ticksTopic,
      table: lake,
      store: new MemoryObjectStore(bucket),
      runtime: new ManualRuntime(9),
      createEngine: () => new LineEngine(),
      ...without,
    })
    await expect(unknown.push(batch(log, 2, 6))).rejects.toMatchObject({ code: 'GENESIS_MISSING' })
    const journal = 's3://lake/_stockpipe/journal/market'
    await initJournal({
      store: new MemoryObjectStore(bucket),
      journal,
      starts: [{ topic: 'ticks', partition: 0, start: 2n }],
    })
    expect(await unknown.push(batch(log, 2, 6))).toMatchObject({ group: { start: 2n, next: 6n } })
  })

  it('of two first invocations at once is the same, and records below it are an error, never done', async () => {
    const log = new FakeLog().appendMany(6)
    const bucket = new MemoryBucket()
    const run = (from: number, to: number) =>
      invocation(bucket, { genesis: 2n }).sink.push(batch(log, from, to))
    const outcomes = await Promise.allSettled([run(4, 6), run(2, 4), run(0, 4)])
    expect(outcomes[2]).toMatchObject({
      status: 'rejected',
      reason: { name: 'ConfigurationError', code: 'RECORDS_BELOW_GENESIS', facts: { genesisStart: 2n } },
    })
    await run(2, 6)
    await expect(run(0, 2)).rejects.toMatchObject({ code: 'RECORDS_BELOW_GENESIS' })
    expect(publishedLines(bucket)).toEqual(expectedLines({ partition: 0, records: log.records.slice(2) }))
  })
})

describe('holes in what is pushed', () => {
  it('before the batch are refused unless they are accepted, and then recorded', async () => {
    const log = new FakeLog().appendMany(2).skip(3).appendMany(2)
    const bucket = new MemoryBucket()
    const { sink } = invocation(bucket)
    await sink.push(batch(log, 0, 2))
    await expect(sink.push(batch(log, 5, 7))).rejects.toMatchObject({
      name: 'LostPositionError',
      code: 'PUSH_HOLE',
      facts: { next: 2n, firstOffset: 5n },
    })
    const { group } = await sink.push(batch(log, 5, 7), { onHole: 'accept' })
    expect(group).toMatchObject({
      start: 2n,
      next: 7n,
      holes: { offsets: 3n, ranges: [{ from: 2n, to: 5n }] },
    })
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
    expect(
      (
        await verifySink({
          store: new MemoryObjectStore(bucket),
          journal: 's3://lake/_stockpipe/journal/market',
        })
      ).logs,
    ).toMatchObject([{ next: '7', holeOffsets: '3', rows: 4 }])
  })

  it('inside the batch are accepted and recorded', async () => {
    const log = new FakeLog().appendMany(2).skip(3).appendMany(2)
    const bucket = new MemoryBucket()
    const { group } = await invocation(bucket).sink.push(batch(log, 0, 7))
    expect(group).toMatchObject({ holes: { ranges: [{ from: 2n, to: 5n }] } })
  })
})
