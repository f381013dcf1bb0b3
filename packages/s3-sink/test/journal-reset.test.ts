import { describe, expect, it } from 'vitest'
import { createEngine } from '../src/engine.ts'
import { describeJournal, initJournal, resetPartitionLog, verifySink } from '../src/index.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { settle } from './sink/manual-runtime.ts'
import { MemoryBucket, MemoryObjectStore } from './sink/memory-object-store.ts'
import { lake, sinkUnderTest, ticksTopic } from './sink/sink-fixture.ts'

const journal = 's3://lake/_stockpipe/journal/market'
const log0 = { topic: 'ticks', partition: 0 }
const access = (bucket: MemoryBucket) => ({ store: new MemoryObjectStore(bucket), journal })
const json = (...symbols: string[]) => symbols.map((symbol) => JSON.stringify({ symbol, price: '1' }))
const verify = (bucket: MemoryBucket) => verifySink(access(bucket))

const published = async (): Promise<{ bucket: MemoryBucket; log: FakeLog }> => {
  const log = new FakeLog().append(...json('A', 'B', 'A', 'B'))
  const test = sinkUnderTest({ createEngine })
  await consume(test.sink, [log])
  await test.sink.close()
  return { bucket: test.bucket, log }
}

describe('a reset', () => {
  it('gives up what Kafka no longer has, and the sink goes on behind it', async () => {
    const { bucket, log } = await published()
    log.append(...json('A', 'B', 'A', 'B')).retain(6n)
    const lost = sinkUnderTest({ bucket, createEngine })
    await expect(lost.sink.assign([log.assigned], { generation: 1 })).rejects.toMatchObject({
      name: 'LostPositionError',
      facts: { next: 4n, logStart: 6n },
    })
    expect(await resetPartitionLog({ ...access(bucket), log: log0, to: 6n })).toEqual({
      ...log0,
      from: 4n,
      to: 6n,
      lostFiles: [],
      unregistered: [],
    })
    const test = sinkUnderTest({ bucket, createEngine })
    await consume(test.sink, [log])
    await test.sink.close()
    const report = await verify(bucket)
    expect(report).toMatchObject({ ok: true, totals: { groups: 3, rows: 6, holeOffsets: '2' } })
    expect(report.logs[0]).toMatchObject({
      next: '8',
      holes: [{ from: '4', to: '6' }],
      acceptedLosses: [{ from: '4', to: '6' }],
    })
  })

  it('backward is refused: rows would be doubled', async () => {
    const { bucket } = await published()
    await expect(resetPartitionLog({ ...access(bucket), log: log0, to: 3n })).rejects.toMatchObject({
      code: 'RESET_BACKWARD',
      message: expect.stringContaining('publish 1 offsets twice'),
    })
    expect(await verify(bucket)).toMatchObject({ ok: true, totals: { groups: 1 } })
  })

  it('to where the journal stands already changes nothing', async () => {
    const { bucket } = await published()
    const before = bucket.keys()
    await resetPartitionLog({ ...access(bucket), log: log0, to: 4n })
    expect(bucket.keys()).toEqual(before)
  })

  it('fences the owner that is at work', async () => {
    const { bucket, log } = await published()
    const owner = sinkUnderTest({ bucket, createEngine })
    await consume(owner.sink, [log.append(...json('A', 'B'))])
    await resetPartitionLog({ ...access(bucket), log: log0, to: 20n })
    await expect(owner.sink.flush()).rejects.toMatchObject({ name: 'FencedError' })
    expect(bucket.uploads.size).toBe(0)
    expect(await verify(bucket)).toMatchObject({ ok: true, totals: { rows: 4 } })
  })

  it('is fenced itself by an owner that claims first', async () => {
    const { bucket, log } = await published()
    const owner = sinkUnderTest({ bucket, createEngine })
    await consume(owner.sink, [log.append(...json('A', 'B'))])
    const store = new MemoryObjectStore(bucket)
    store.intercept = async (call, apply) => {
      if (call.operation === 'putIfAbsent') await owner.sink.flush()
      return apply()
    }
    await expect(resetPartitionLog({ store, journal, log: log0, to: 20n })).rejects.toMatchObject({
      name: 'FencedError',
    })
    expect(await verify(bucket)).toMatchObject({ ok: true, totals: { rows: 6 } })
  })

  it('leaves an unsettled group to the sink, and gives up its lost files only when told so', async () => {
    const log = new FakeLog().append(...json('A', 'B', 'A', 'B'))
    const test = sinkUnderTest({ createEngine })
    test.store.intercept = (call, apply) =>
      call.operation === 'completeUpload' ? new Promise(() => {}) : apply()
    await consume(test.sink, [log])
    void test.sink.flush().catch(() => {})
    await settle()
    const { bucket } = test
    const [lost] = [...bucket.uploads.keys()]
    bucket.uploads.delete(lost!)
    await expect(resetPartitionLog({ ...access(bucket), log: log0, to: 4n })).rejects.toMatchObject({
      code: 'RESET_UNSETTLED',
    })
    const report = await resetPartitionLog({ ...access(bucket), log: log0, to: 4n, acceptLostFiles: true })
    expect(report.lostFiles).toEqual([expect.stringContaining('ticker=A/')])
    expect(report.unregistered.map(({ values }) => values)).toEqual([['A'], ['B']])
    expect(bucket.keys('.parquet').length).toBe(1)
    const successor = sinkUnderTest({ bucket, createEngine })
    await consume(successor.sink, [log.append(...json('C'))])
    await successor.sink.close()
    const { problems, totals } = await verify(bucket)
    expect(problems.map(({ code }) => code)).toEqual(['FILE_MISSING'])
    expect(totals.rows).toBe(5)
  })

  it('of a partition log that nothing was ever published of needs its table', async () => {
    const bucket = new MemoryBucket()
    await expect(resetPartitionLog({ ...access(bucket), log: log0, to: 4n })).rejects.toMatchObject({
      code: 'GENESIS_MISSING',
    })
    await initJournal({ ...access(bucket), starts: [{ ...log0, start: 0n }] })
    await expect(resetPartitionLog({ ...access(bucket), log: log0, to: 4n })).rejects.toMatchObject({
      code: 'RESET_TABLE_MISSING',
    })
    await resetPartitionLog({ ...access(bucket), log: log0, to: 4n, table: lake, topic: ticksTopic })
    expect((await verify(bucket)).logs).toMatchObject([
      { next: '4', acceptedLosses: [{ from: '0', to: '4' }] },
    ])
  })
})

describe('init', () => {
  it('writes the genesis once, and a sink begins there', async () => {
    const bucket = new MemoryBucket()
    const starts = [
      { ...log0, start: 2n },
      { topic: 'ticks', partition: 1, start: 0n },
    ]
    expect(await initJournal({ ...access(bucket), starts })).toMatchObject([
      { start: 2n, created: true },
      { partition: 1, start: 0n, created: true },
    ])
    expect(await initJournal({ ...access(bucket), starts: [{ ...log0, start: 3n }] })).toMatchObject([
      { start: 2n, created: false },
    ])
    const log = new FakeLog().append(...json('A', 'B', 'A', 'B'))
    const test = sinkUnderTest({ bucket, createEngine, start: 'earliest' })
    expect(await test.sink.assign([log.assigned], { generation: 1 })).toMatchObject([{ offset: 2n }])
  })

  it('that meets a sink which has written the genesis and claimed leaves it as it is', async () => {
    const bucket = new MemoryBucket()
    const store = new MemoryObjectStore(bucket)
    let other: Promise<unknown> | undefined
    store.intercept = async (call, apply) => {
      // Between the read of the genesis, which is not there, and the look for entries.
      if (call.operation === 'list') await (other ??= publish(bucket))
      return apply()
    }
    const publish = async (into: MemoryBucket) => {
      const log = new FakeLog().append(...json('A', 'B'))
      const test = sinkUnderTest({ bucket: into, createEngine })
      await consume(test.sink, [log])
      await test.sink.close()
    }
    expect(await initJournal({ ...access(bucket), store, starts: [{ ...log0, start: 7n }] })).toMatchObject([
      { start: 0n, created: false },
    ])
  })

  it('is refused for a partition log whose genesis is gone', async () => {
    const { bucket } = await published()
    bucket.objects.delete(bucket.keys('genesis/')[0]!)
    await expect(initJournal({ ...access(bucket), starts: [{ ...log0, start: 0n }] })).rejects.toMatchObject({
      code: 'GENESIS_MISSING',
    })
  })
})

describe('a description', () => {
  it('says what the journal of each partition log holds', async () => {
    const { bucket } = await published()
    await initJournal({ ...access(bucket), starts: [{ topic: 'ticks', partition: 1, start: 7n }] })
    expect(await describeJournal(access(bucket))).toMatchObject([
      { partition: 0, next: 4n, entryCount: 1, settled: true, checkpoint: null, entries: [{ start: 0n }] },
      { partition: 1, next: 7n, entryCount: 0, settled: true, genesis: { start: 7n, policy: 'offset' } },
    ])
    expect(await describeJournal({ ...access(bucket), partition: 1 })).toHaveLength(1)
    // The position is the newest entry's, also where no entry is asked for.
    const [whole] = await describeJournal(access(bucket))
    expect(await describeJournal({ ...access(bucket), entries: 0 })).toMatchObject([
      { next: whole!.next, entries: [] },
      {},
    ])
  })
})
