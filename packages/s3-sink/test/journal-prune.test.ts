import { describe, expect, it } from 'vitest'
import { createEngine } from '../src/engine.ts'
import { pruneJournal, verifySink } from '../src/index.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { ManualRuntime, settle } from './sink/manual-runtime.ts'
import { MemoryBucket, MemoryObjectStore, refusal, unknownOutcome } from './sink/memory-object-store.ts'
import { dieAt } from './sink/mortal-process.ts'
import { expectedLines, publishedLines, sinkUnderTest } from './sink/sink-fixture.ts'

const journal = 's3://lake/_stockpipe/journal/market'
const dayMillis = 24 * 3_600_000

const values = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    JSON.stringify({ symbol: index % 2 ? 'MSFT' : 'AAPL', price: '1' }),
  )

/** One group of 4 rows in 2 files a day, over `days` days, a hole of 2 offsets in the first. */
const dayByDay = async (
  days: number,
): Promise<{ bucket: MemoryBucket; time: ManualRuntime; log: FakeLog }> => {
  const time = new ManualRuntime(5)
  const log = new FakeLog()
  const test = sinkUnderTest({ time, createEngine, cleaner: false })
  await test.sink.assign([log.assigned], { generation: 1 })
  for (let day = 0; day < days; day += 1) {
    const from = log.logEnd
    log.append(...values(2)).skip(day === 0 ? 2 : 0)
    await test.sink.write(log.append(...values(2)).block(from))
    await test.sink.flush()
    time.pass(dayMillis)
  }
  await test.sink.close()
  return { bucket: test.bucket, time, log }
}

const entries = (bucket: MemoryBucket) =>
  bucket
    .keys('groups/')
    .filter((key) => key.endsWith('.json'))
    .map((key) => BigInt(key.slice(-24, -5)))
const verify = (bucket: MemoryBucket) => verifySink({ store: new MemoryObjectStore(bucket), journal })
const prune = (bucket: MemoryBucket, runtime: ManualRuntime, store = new MemoryObjectStore(bucket)) =>
  pruneJournal({ store, journal, runtime })

describe('pruning', () => {
  it('deletes old entries with their markers, and a checkpoint says what they held', async () => {
    const { bucket, time } = await dayByDay(8)
    const before = await verify(bucket)
    expect(before).toMatchObject({ ok: true, totals: { groups: 8, rows: 32, holeOffsets: '2' } })
    const ages = entries(bucket).length
    time.pass(27 * dayMillis)
    const [log] = await prune(bucket, time)
    expect(log).toMatchObject({ topic: 'ticks', partition: 0 })
    expect(log!.entries).toBeGreaterThan(2)
    expect(entries(bucket).length).toBe(ages - log!.entries)
    const after = await verify(bucket)
    expect(after.problems).toEqual([])
    const [verified] = after.logs
    expect(verified!.pruned).toMatchObject({
      next: log!.next!.toString(),
      groups: log!.entries,
      rows: log!.entries * 4,
      files: log!.entries * 2,
      holeOffsets: '2',
    })
    expect(verified!.rows + verified!.pruned!.rows).toBe(32)
    expect(verified!.next).toBe(before.logs[0]!.next)
    expect(bucket.keys('.settled').length).toBe(1)
  })

  it('never deletes one of the newest two entries, or genesis, however old they are', async () => {
    const { bucket, time } = await dayByDay(5)
    time.pass(4000 * dayMillis)
    await prune(bucket, time)
    expect(entries(bucket).length).toBe(2)
    expect(bucket.keys('genesis/').length).toBe(1)
    expect(await verify(bucket)).toMatchObject({ ok: true })
    await prune(bucket, time)
    expect(entries(bucket).length).toBe(2)
  })

  it('leaves a chain that sinks go on with', async () => {
    const { bucket, time, log } = await dayByDay(5)
    time.pass(60 * dayMillis)
    await prune(bucket, time)
    const test = sinkUnderTest({ bucket, time, createEngine })
    log.append(...values(3))
    await consume(test.sink, [log])
    await test.sink.close()
    const report = await verify(bucket)
    expect(report.problems).toEqual([])
    expect(report.logs[0]!.rows + report.logs[0]!.pruned!.rows).toBe(23)
    time.pass(60 * dayMillis)
    await prune(bucket, time)
    expect((await verify(bucket)).logs[0]).toMatchObject({ groups: 2, pruned: { groups: 4 } })
  })

  it('that dies at any call leaves what verify proves, and the next one finishes it', async () => {
    const count = await dayByDay(5)
    count.time.pass(60 * dayMillis)
    const counted = new MemoryObjectStore(count.bucket)
    await prune(count.bucket, count.time, counted)
    expect(counted.calls.length).toBeGreaterThan(10)
    for (const death of ['before', 'after'] as const) {
      for (let at = 1; at <= counted.calls.length; at += 1) {
        const { bucket, time } = await dayByDay(5)
        time.pass(60 * dayMillis)
        const store = new MemoryObjectStore(bucket)
        const { died } = dieAt(store, at, death)
        await Promise.race([died, prune(bucket, time, store)])
        expect((await verify(bucket)).problems, `${death} call ${at}`).toEqual([])
        await prune(bucket, time)
        expect(entries(bucket).length).toBe(2)
        expect((await verify(bucket)).problems, `${death} call ${at}`).toEqual([])
      }
    }
  }, 60_000)

  it('by several at once, at different retentions, is as by one', async () => {
    const { bucket, time } = await dayByDay(9)
    time.pass(30 * dayMillis)
    const run = (retainDays: number) =>
      pruneJournal({
        store: new MemoryObjectStore(bucket),
        journal,
        runtime: time,
        retainEntriesMillis: retainDays * dayMillis,
      })
    await Promise.all([run(30), run(32), run(34), run(30)])
    expect((await verify(bucket)).problems).toEqual([])
    expect(entries(bucket).length).toBe(2)
    expect((await verify(bucket)).logs[0]!.pruned).toMatchObject({ groups: 7, rows: 28, files: 14 })
  })

  it('keeps the newest two checkpoints', async () => {
    const { bucket, time } = await dayByDay(9)
    time.pass(24 * dayMillis)
    for (let round = 0; round < 4; round += 1) {
      await prune(bucket, time)
      time.pass(dayMillis)
    }
    expect(bucket.keys('checkpoints/').length).toBe(2)
    expect((await verify(bucket)).problems).toEqual([])
  })

  it('hides no gap: a chain with one is not pruned', async () => {
    const { bucket, time } = await dayByDay(6)
    bucket.objects.delete(
      bucket
        .keys('groups/')
        .filter((key) => key.endsWith('.json'))
        .at(-2)!,
    )
    time.pass(60 * dayMillis)
    await expect(prune(bucket, time)).rejects.toMatchObject({ code: 'CHAIN_GAP' })
    expect(bucket.keys('checkpoints/')).toEqual([])
    expect((await verify(bucket)).problems.map(({ code }) => code)).toContain('CHAIN_GAP')
  })

  it('spares an entry whose bytes waited for days before they were claimed: an owner may still stand before it', async () => {
    const bucket = new MemoryBucket()
    const log = new FakeLog().appendMany(4)
    const slow = sinkUnderTest({ bucket, cleaner: false })
    await consume(slow.sink, [log])
    await slow.sink.flush()
    log.appendMany(4)
    let wake = () => {}
    const woken = new Promise<void>((resolve) => {
      wake = resolve
    })
    let hung = false
    slow.store.intercept = async (call, apply) => {
      if (hung || call.operation !== 'putIfAbsent' || !/groups.*json$/.test(call.key)) return apply()
      hung = true
      await woken
      throw unknownOutcome()
    }
    await slow.sink.write(log.block(4n))
    const flushed = slow.sink.flush()
    await settle()
    // 50 hours later another owner reads the chain, where 4 is free, and hangs.
    const time = new ManualRuntime(77)
    time.pass(50 * 3_600_000)
    const late = sinkUnderTest({ bucket, cleaner: false, time })
    await consume(late.sink, [log])
    // The first one wakes, claims what it made 51 hours before, and two groups more.
    slow.runtime.pass(51 * 3_600_000)
    wake()
    await flushed
    for (let group = 0; group < 2; group += 1) {
      const at = log.logEnd
      await slow.sink.write(log.appendMany(4).block(at))
      await slow.sink.flush()
    }
    await pruneJournal({
      store: new MemoryObjectStore(bucket),
      journal,
      runtime: slow.runtime,
      retainEntriesMillis: 2 * dayMillis,
    })
    // The other one's read of the chain is two hours old: good enough to claim on.
    time.pass(2 * 3_600_000)
    await expect(late.sink.flush()).rejects.toMatchObject({ code: 'FENCED' })
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
  })

  it('by a clock that S3 does not share deletes nothing', async () => {
    const { bucket, time } = await dayByDay(5)
    const store = new MemoryObjectStore(bucket)
    const asked: (number | undefined)[] = []
    store.intercept = (call, apply) => {
      if (call.operation !== 'putIfAbsent') return apply()
      asked.push(call.signedBefore)
      throw refusal(403, true)
    }
    time.pass(60 * dayMillis)
    await expect(prune(bucket, time, store)).rejects.toMatchObject({ status: 403 })
    // Any limit makes the store hold the clock that signs against ours.
    expect(asked[0]).toBe(Number.POSITIVE_INFINITY)
    expect(entries(bucket).length).toBe(5)
  })

  it('begins anew when the clock was set back meanwhile', async () => {
    const { bucket, time } = await dayByDay(5)
    const ahead = new ManualRuntime(6)
    ahead.pass(65 * dayMillis)
    const store = new MemoryObjectStore(bucket)
    store.intercept = (call, apply) => {
      if (call.key.includes('checkpoints/')) ahead.pass(time.now() - ahead.now())
      return apply()
    }
    expect(await prune(bucket, ahead, store)).toMatchObject([{ entries: 0, next: null }])
    expect(entries(bucket).length).toBe(5)
  })

  it('is refused for less than two days', async () => {
    const { bucket, time } = await dayByDay(3)
    const run = pruneJournal({
      store: new MemoryObjectStore(bucket),
      journal,
      runtime: time,
      retainEntriesMillis: dayMillis,
    })
    await expect(run).rejects.toMatchObject({ code: 'RETENTION_TOO_SHORT' })
    expect(() => sinkUnderTest({ retainEntriesMillis: dayMillis })).toThrow(/2 days at least/)
  })
})

describe('verify after pruning', () => {
  it('knows the files of pruned groups by their names, and finds what merely looks like one when there are too many', async () => {
    const { bucket, time } = await dayByDay(5)
    const [file] = bucket.keys('ticks-0-0000000000000000000-')
    time.pass(60 * dayMillis)
    await prune(bucket, time)
    expect(await verify(bucket)).toMatchObject({ ok: true, unknownFiles: [] })
    bucket.objects.set(`${file!.slice(0, -8)}-7.parquet`, bucket.objects.get(file!)!)
    expect((await verify(bucket)).problems).toMatchObject([{ code: 'PRUNED_FILES_MORE' }])
    bucket.objects.delete(`${file!.slice(0, -8)}-7.parquet`)
    // A file of no group of this sink is unknown as before, and so is one beyond the checkpoint.
    bucket.objects.set('ticks/ticker=AAPL/part-0.parquet', bucket.objects.get(file!)!)
    const beyond = file!.replace('0000000000000000000', '0000000000000000019')
    bucket.objects.set(beyond, bucket.objects.get(file!)!)
    expect((await verify(bucket)).problems.map(({ code }) => code)).toEqual(['FILE_UNKNOWN', 'FILE_UNKNOWN'])
  })
})

describe('verify and the next pruning', () => {
  it('tell of a group that was claimed once more where the entry was pruned', async () => {
    const { bucket, time } = await dayByDay(5)
    const [first] = bucket.keys('groups/').filter((key) => key.endsWith('0000000000000000000.json'))
    const claimed = JSON.parse(bucket.text(first!)!)
    time.pass(60 * dayMillis)
    await prune(bucket, time)
    const again = { ...claimed, claimId: '0'.repeat(32), createdAt: new Date(time.now()).toISOString() }
    await new MemoryObjectStore(bucket).putIfAbsent(first!, new TextEncoder().encode(JSON.stringify(again)))
    expect((await verify(bucket)).problems).toMatchObject([
      { code: 'CLAIMED_AFTER_PRUNING', key: `s3://lake/${first}` },
    ])
    await expect(prune(bucket, time)).rejects.toMatchObject({ code: 'CLAIMED_AFTER_PRUNING' })
    expect(bucket.objects.has(first!)).toBe(true)
  })
})

describe('the housekeeping of a sink', () => {
  it('prunes what it owns', async () => {
    const { bucket, time, log } = await dayByDay(5)
    time.pass(60 * dayMillis)
    const test = sinkUnderTest({ bucket, time, createEngine })
    await test.sink.assign([log.assigned], { generation: 1 })
    await time.advance(3_600_000)
    expect(entries(bucket).length).toBe(2)
    await test.sink.close()
    expect(await verify(bucket)).toMatchObject({ ok: true })
  })
})
