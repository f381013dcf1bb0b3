import { getEventListeners } from 'node:events'
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

  it('of many files is no reason for Node to warn of listeners, and leaves none behind', async () => {
    const log = new FakeLog().appendMany(26, 'abcdefghijklmnopqrstuvwxyz')
    const bucket = new MemoryBucket()
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    const { signal } = new AbortController()
    try {
      const { sink } = invocation(bucket)
      await sink.push(batch(log, 0, 26), { signal })
      await settle()
    } finally {
      process.off('warning', onWarning)
    }
    expect(bucket.keys('.parquet')).toHaveLength(26)
    expect(warnings).toEqual([])
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('that is given up by its signal rejects with the reason', async () => {
    const bucket = new MemoryBucket()
    const abort = new AbortController()
    const { sink, store } = invocation(bucket)
    store.intercept = (call, apply) => {
      if (call.operation === 'createUpload') abort.abort(new Error('enough'))
      return apply()
    }
    const pushed = sink.push(batch(new FakeLog().appendMany(4), 0, 4), { signal: abort.signal })
    await expect(pushed).rejects.toThrow('enough')
    expect(bucket.uploads.size).toBe(0)
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

  it('stops as others do when most of the last 1,000 records are rejected, however few a batch has', async () => {
    const log = new FakeLog()
    for (let index = 0; index < 1_200; index += 1) log.append(`bad${index}`)
    const { sink } = invocation(new MemoryBucket())
    const pushed = async () => {
      for (let from = 0; from < 1_200; from += 100) await sink.push(batch(log, from, from + 100))
    }
    await expect(pushed()).rejects.toMatchObject({ code: 'TOO_MANY_REJECTED' })
    // Good records count as well, and a batch without any rejected is taken whatever came before it.
    const mixed = new FakeLog()
    for (let index = 0; index < 3_000; index += 1)
      mixed.append(index % 200 < 60 ? `bad${index}` : `a${index}`)
    const other = invocation(new MemoryBucket()).sink
    for (let from = 0; from < 3_000; from += 100) await other.push(batch(mixed, from, from + 100))
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

describe('a push of what the journal has passed', () => {
  it('is an error where it was stepped over as a hole, never done', async () => {
    const log = new FakeLog().appendMany(8)
    const bucket = new MemoryBucket()
    const accept = { onHole: 'accept' } as const
    await invocation(bucket).sink.push(batch(log, 3, 6), accept)
    for (const [from, to] of [
      [0, 3],
      [2, 4],
      [0, 8],
    ] as const) {
      await expect(invocation(bucket).sink.push(batch(log, from, to), accept)).rejects.toMatchObject({
        name: 'LostPositionError',
        code: 'PUSH_INTO_HOLE',
        facts: { firstOffset: BigInt(from), from: 0n, to: 3n, next: 6n },
      })
    }
    // A later group does not hide it, and what is published stays done.
    await invocation(bucket).sink.push(batch(log, 6, 8))
    await expect(invocation(bucket).sink.push(batch(log, 2, 3))).rejects.toMatchObject({
      code: 'PUSH_INTO_HOLE',
    })
    expect(await invocation(bucket).sink.push(batch(log, 3, 6))).toMatchObject({ group: null })
    expect(await invocation(bucket).sink.push(batch(log, 4, 8))).toMatchObject({ group: null })
  })

  it('is done again where the hole is one of Kafka itself', async () => {
    const log = new FakeLog().appendMany(2).skip(3).appendMany(2)
    const bucket = new MemoryBucket()
    await invocation(bucket).sink.push(batch(log, 0, 2))
    await invocation(bucket).sink.push(batch(log, 5, 7), { onHole: 'accept' })
    expect(await invocation(bucket).sink.push(batch(log, 0, 7))).toMatchObject({ next: 7n, group: null })
  })

  it('is a LogChangedError where the topic was made anew, by any group whose last record it has', async () => {
    const log = new FakeLog().appendMany(6)
    const bucket = new MemoryBucket()
    for (const to of [2, 4, 6]) await invocation(bucket).sink.push(batch(log, to - 2, to))
    const anew = new FakeLog().append('c', 'c', 'c', 'c')
    for (const block of [anew.block(0n, 2), anew.block(1n, 1), anew.block(0n)]) {
      await expect(invocation(bucket).sink.push(block)).rejects.toMatchObject({ code: 'LOG_CHANGED' })
    }
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
  })

  it('reads only the groups it reaches into', async () => {
    const log = new FakeLog().appendMany(40)
    const bucket = new MemoryBucket()
    for (let to = 2; to <= 40; to += 2) await invocation(bucket).sink.push(batch(log, to - 2, to))
    const { sink, store } = invocation(bucket)
    await sink.push(batch(log, 6, 10))
    // The newest entry, and those at 8 and 6.
    expect(store.count('get', 'groups/')).toBe(3)
  })
})

describe('holes in what is pushed', () => {
  it('are refused where no block spans them, with the offsets of the journal unharmed', async () => {
    const log = new FakeLog().skip(5_000_000_000).append('a0', 'b1')
    const bucket = new MemoryBucket()
    const push = (genesis: bigint) =>
      invocation(bucket, { genesis }).sink.push(log.block(5_000_000_000n), { onHole: 'accept' })
    await expect(push(0n)).rejects.toMatchObject({ name: 'LostPositionError', code: 'PUSH_HOLE' })
    expect(bucket.keys('groups/')).toEqual([])
  })

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
