import { describe, expect, it } from 'vitest'
import { consume, FakeLog } from './sink/fake-log.ts'
import { type MemoryBucket, unknownOutcome } from './sink/memory-object-store.ts'
import { expectedLines, publishedLines, sinkUnderTest } from './sink/sink-fixture.ts'

const assign = (test: ReturnType<typeof sinkUnderTest>, log: FakeLog) =>
  test.sink.assign([log.assigned], { generation: 1 })

/** A bucket in which a sink has published everything of a log and stopped. */
const published = async (log: FakeLog, rotation = {}): Promise<MemoryBucket> => {
  const test = sinkUnderTest({ rotation })
  await consume(test.sink, [log], 3)
  await test.sink.close()
  return test.bucket
}

describe('the genesis', () => {
  it.each([
    ['earliest', 3n],
    ['latest', 10n],
    ['committed', 6n],
    [{ timestamp: 1_700_000_000_008 }, 8n],
  ] as const)('begins at the policy %j', async (start, offset) => {
    const test = sinkUnderTest({ start, offsetForTimestamp: async (_, millis) => BigInt(millis % 1000) })
    const log = new FakeLog().appendMany(10).retain(3n)
    log.committed = 6n
    expect(await assign(test, log)).toEqual([{ topic: 'ticks', partition: 0, offset }])
    expect(JSON.parse(test.bucket.text('_stockpipe/journal/market/genesis/ticks/0.json')!)).toMatchObject({
      formatVersion: 1,
      sink: 'market',
      start: offset.toString(),
    })
  })

  it('is conditional: the start of the first owner holds for the second', async () => {
    const log = new FakeLog().appendMany(10)
    const test = sinkUnderTest({ start: 'earliest' })
    const other = sinkUnderTest({ bucket: test.bucket, start: 'latest' })
    test.store.intercept = async (call, apply) => {
      if (call.operation === 'putIfAbsent' && call.key.includes('genesis')) await assign(other, log)
      return apply()
    }
    expect((await assign(test, log))[0]!.offset).toBe(10n)
  })

  it('whose answer was lost is read back', async () => {
    const test = sinkUnderTest({ start: 'latest' })
    test.store.intercept = (call, apply) => {
      const answer = apply()
      if (call.key.includes('genesis') && answer === 'created') throw unknownOutcome()
      return answer
    }
    expect((await assign(test, new FakeLog().appendMany(4)))[0]!.offset).toBe(4n)
  })

  it('may be missing: with entries the position comes from them, never from the policy', async () => {
    const log = new FakeLog().appendMany(6)
    const bucket = await published(log)
    bucket.objects.delete('_stockpipe/journal/market/genesis/ticks/0.json')
    const test = sinkUnderTest({ bucket, start: 'latest' })
    await consume(test.sink, [log.appendMany(3)])
    await test.sink.close()
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
    expect(bucket.keys('genesis')).toEqual([])
  })

  it('by a timestamp is refused when nobody can ask for the offset, and by a missing commit', async () => {
    const log = new FakeLog().appendMany(4)
    await expect(assign(sinkUnderTest({ start: { timestamp: 5 } }), log)).rejects.toMatchObject({
      code: 'START_TIMESTAMP_UNAVAILABLE',
    })
    await expect(assign(sinkUnderTest({ start: 'committed' }), log)).rejects.toMatchObject({
      code: 'START_COMMITTED_MISSING',
    })
  })

  it('by a policy that is none is refused, and no genesis is written', async () => {
    const log = new FakeLog().appendMany(4)
    for (const start of ['erliest' as 'earliest', { timestamp: Number.NaN }]) {
      const test = sinkUnderTest({ start, offsetForTimestamp: async () => 2n })
      await expect(assign(test, log)).rejects.toMatchObject({ code: 'SINK_OPTION_INVALID' })
      expect(test.bucket.keys('genesis/')).toEqual([])
    }
  })
})

describe('the position', () => {
  it("is never the group's committed offset once there is a journal; one ahead of it is warned of", async () => {
    const log = new FakeLog().appendMany(6)
    const bucket = await published(log)
    log.appendMany(4).committed = 9n
    const test = sinkUnderTest({ bucket })
    await consume(test.sink, [log])
    await test.sink.close()
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
    expect(test.warnings).toEqual([expect.stringContaining('committed offset 9 is ahead of the journal')])
  })

  it('is told to the group again when its commit was lost', async () => {
    const log = new FakeLog().appendMany(6)
    const bucket = await published(log)
    const test = sinkUnderTest({ bucket })
    await assign(test, log)
    expect(test.events.committable).toEqual([[{ topic: 'ticks', partition: 0, offset: 6n }]])
    log.committed = 6n
    const third = sinkUnderTest({ bucket })
    await assign(third, log)
    expect(third.events.committable).toEqual([])
  })

  it("is the newest entry's last record while the broker has it, and next when it does not", async () => {
    const log = new FakeLog().appendMany(6).skip(2)
    const bucket = await published(log)
    expect((await assign(sinkUnderTest({ bucket }), log))[0]!.offset).toBe(5n)
    log.appendMany(1).retain(6n)
    expect((await assign(sinkUnderTest({ bucket }), log))[0]!.offset).toBe(8n)
  })

  it('is lost when the log begins beyond it', async () => {
    const log = new FakeLog().appendMany(6)
    const bucket = await published(log)
    log.appendMany(6).retain(9n)
    await expect(assign(sinkUnderTest({ bucket }), log)).rejects.toMatchObject({
      name: 'LostPositionError',
      facts: { next: 6n, logStart: 9n },
    })
  })

  it('beyond the log is a log made anew', async () => {
    const bucket = await published(new FakeLog().appendMany(6))
    await expect(assign(sinkUnderTest({ bucket }), new FakeLog().appendMany(4))).rejects.toMatchObject({
      name: 'LogChangedError',
    })
  })

  it('is checked against the last record: another value, another time or none is a log made anew', async () => {
    const log = new FakeLog().appendMany(6)
    const bucket = await published(log)
    const replaced = new FakeLog().appendMany(5).append('x-other').appendMany(5)
    const later = new FakeLog().appendMany(11)
    later.records = later.records.map((one) => ({ ...one, timestampMillis: one.timestampMillis + 1 }))
    const missing = new FakeLog().appendMany(5).skip(1).appendMany(5)
    for (const changed of [replaced, later, missing]) {
      const test = sinkUnderTest({ bucket })
      await expect(consume(test.sink, [changed])).rejects.toMatchObject({ name: 'LogChangedError' })
      expect(test.events.failed.length).toBe(1)
    }
    const compacted = sinkUnderTest({ bucket, compacted: true })
    await consume(compacted.sink, [missing])
    await compacted.sink.close()
    expect(publishedLines(bucket).length).toBe(11)
  })

  it('tells the leader epoch of the last record, with which a consumer loop finds out whether the log was cut', async () => {
    const log = new FakeLog().appendMany(6).skip(2)
    log.leaderEpoch = 4
    const bucket = await published(log)
    const lastRecord = { offset: 5n, leaderEpoch: 4 }
    const at = { topic: 'ticks', partition: 0 }
    expect(await assign(sinkUnderTest({ bucket }), log)).toEqual([{ ...at, offset: 5n, lastRecord }])
    log.appendMany(1).retain(6n)
    expect(await assign(sinkUnderTest({ bucket }), log)).toEqual([{ ...at, offset: 8n, lastRecord }])
  })

  it('is checked against the leader epoch of the last record, where both are known', async () => {
    const log = new FakeLog().appendMany(6)
    log.leaderEpoch = 4
    const bucket = await published(log)
    // The same records again, as from a producer that sends them once more after the log was cut.
    const again = new FakeLog().appendMany(9)
    again.leaderEpoch = 5
    await expect(consume(sinkUnderTest({ bucket }).sink, [again])).rejects.toMatchObject({
      name: 'LogChangedError',
      message: expect.stringMatching(/written in leader epoch 5, the journal says 4/),
    })
    again.leaderEpoch = undefined
    const unknown = sinkUnderTest({ bucket })
    await consume(unknown.sink, [again])
    await unknown.sink.close()
    expect(publishedLines(bucket).length).toBe(9)
  })

  it('is found although foreign keys lie before the newest entry', async () => {
    const log = new FakeLog().appendMany(6)
    const bucket = await published(log)
    const foreign = { bytes: new Uint8Array(), etag: '', metadata: {}, contentType: undefined }
    for (const name of ['0-x.txt', '00-y.txt', '000-z.txt']) {
      bucket.objects.set(`_stockpipe/journal/market/groups/ticks/0/${name}`, foreign)
    }
    const test = sinkUnderTest({ bucket })
    expect((await assign(test, log))[0]!.offset).toBe(5n)
    expect(test.store.count('completeUpload')).toBe(0)
  })

  it('is refused from an entry that is damaged or of a newer format', async () => {
    const log = new FakeLog().appendMany(6)
    const bucket = await published(log)
    const key = bucket.keys('groups').find((one) => one.endsWith('.json'))!
    const text = bucket.text(key)!
    const put = (changed: string) =>
      bucket.objects.set(key, { ...bucket.objects.get(key)!, bytes: new TextEncoder().encode(changed) })
    put(text.replace('"formatVersion": 1', '"formatVersion": 2'))
    await expect(assign(sinkUnderTest({ bucket }), log)).rejects.toMatchObject({
      code: 'JOURNAL_FORMAT_NEWER',
    })
    put(text.slice(0, 90))
    await expect(assign(sinkUnderTest({ bucket }), log)).rejects.toMatchObject({
      code: 'JOURNAL_OBJECT_DAMAGED',
    })
    put(text.replace('"next": "6"', '"next": "7"'))
    await expect(assign(sinkUnderTest({ bucket }), log)).rejects.toMatchObject({
      code: 'JOURNAL_OBJECT_INVALID',
      message: expect.stringContaining('records and holes make up [start, next)'),
    })
  })
})
