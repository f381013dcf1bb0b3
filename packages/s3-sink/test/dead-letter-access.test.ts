import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type DeadLetterFile, openDeadLetters, type ReplayOutcome, verifySink } from '../src/index.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { ManualRuntime } from './sink/manual-runtime.ts'
import { type MemoryBucket, MemoryObjectStore } from './sink/memory-object-store.ts'
import { goodPrice, MemoryTopic, priceSink, pricesJournal, pricesLog } from './sink/price-fixture.ts'

/** Three groups of partition 0, the first and the last with dead letters, and one of partition 1. */
const written = async (): Promise<MemoryBucket> => {
  const store = new MemoryObjectStore()
  const sink = priceSink(store)
  const log = pricesLog('w', goodPrice(), 'x')
  const other = new FakeLog(1, 'prices').append('q')
  await consume(sink, [log, other])
  await sink.flush()
  for (const value of [goodPrice(), 'z']) {
    const at = log.logEnd
    await sink.write(log.append(value).block(at))
    await sink.flush()
  }
  await sink.close()
  return store.bucket
}
const deadLettersOf = (bucket: MemoryBucket) =>
  openDeadLetters({
    store: new MemoryObjectStore(bucket),
    journal: pricesJournal,
    runtime: new ManualRuntime(1),
  })
const filesOf = async (bucket: MemoryBucket, log?: { topic: string; partition: number }) => {
  const files: DeadLetterFile[] = []
  for await (const file of deadLettersOf(bucket).files(log)) files.push(file)
  return files
}

describe('the dead letters of a sink', () => {
  it('are listed by partition log and offset, and read from their files', async () => {
    const bucket = await written()
    const files = await filesOf(bucket)
    expect(files).toMatchObject([
      { topic: 'prices', partition: 0, start: 0n, next: 3n, records: 2, firstOffset: 0n, lastOffset: 2n },
      { partition: 0, start: 4n, next: 5n, records: 1 },
      { partition: 1, start: 0n, next: 1n, records: 1, bucket: 'lake' },
    ])
    expect(await filesOf(bucket, { topic: 'prices', partition: 1 })).toEqual(files.slice(2))
    const records = await deadLettersOf(bucket).read(files[0]!)
    expect(records).toMatchObject([
      { offset: 0n, value: Uint8Array.from(Buffer.from('w')), reason: expect.any(String) },
      { offset: 2n },
    ])
  })

  it('of a file that is gone or damaged are said to be so', async () => {
    const bucket = await written()
    const [first, second] = await filesOf(bucket)
    bucket.objects.delete(first!.key)
    expect(await deadLettersOf(bucket).read(first!)).toBeUndefined()
    const object = bucket.objects.get(second!.key)!
    bucket.objects.set(second!.key, { ...object, bytes: Uint8Array.of(1, 2, 3) })
    await expect(deadLettersOf(bucket).read(second!)).rejects.toMatchObject({ code: 'DEAD_LETTERS_DAMAGED' })
  })

  it('cannot be reached without a store', () => {
    expect(() => openDeadLetters({ journal: pricesJournal })).toThrow(
      expect.objectContaining({ code: 'JOURNAL_STORE_MISSING' }),
    )
  })
})

describe('a replay', () => {
  const replayer = (bucket: MemoryBucket) => {
    const topic = new MemoryTopic()
    const outcomes: ReplayOutcome[] = []
    const replay = (
      name: string,
      more: { again?: boolean; log?: { topic: string; partition: number } } = {},
    ) =>
      deadLettersOf(bucket).replay({
        topic: name,
        publisher: topic,
        onFile: (_, outcome) => outcomes.push(outcome),
        ...more,
      })
    return { topic, outcomes, replay }
  }

  it('sends every record once, and no file twice to the same topic unless it is told to', async () => {
    const bucket = await written()
    const { topic, outcomes, replay } = replayer(bucket)
    expect(await replay('fixed', { log: { topic: 'prices', partition: 1 } })).toBe(1)
    expect(await replay('fixed')).toBe(3)
    expect(await replay('fixed')).toBe(0)
    expect(topic.texts).toEqual(['0 q', '0 w', '2 x', '4 z'])
    expect(outcomes).toEqual(['sent', 'sent', 'sent', 'before', 'before', 'before', 'before'])
    expect(await replay('other')).toBe(4)
    expect(await replay('fixed', { again: true })).toBe(4)
    const marker = bucket.keys('replayed/fixed/prices/0/')[0]!
    expect(JSON.parse(bucket.text(marker)!)).toMatchObject({
      format: 'stockpipe-replay',
      formatVersion: 1,
      records: 2,
      topic: 'fixed',
    })
    const report = await verifySink({ store: new MemoryObjectStore(bucket), journal: pricesJournal })
    expect(report.problems).toEqual([])
  })

  it('sends every file of a group, and goes on with the next one where it was interrupted', async () => {
    const store = new MemoryObjectStore()
    const sink = priceSink(store, { rotation: { bytes: 20_000 }, deadLetters: { maxRejectedRatio: 1 } })
    const values = Array.from({ length: 100 }, () => `x${randomBytes(500).toString('hex')}`)
    await consume(sink, [pricesLog(...values)])
    await sink.close()
    const files = await filesOf(store.bucket)
    expect(files.length).toBeGreaterThan(2)
    expect(new Set(files.map(({ start }) => start)).size).toBeLessThan(files.length)
    const { topic, outcomes, replay } = replayer(store.bucket)
    topic.failures.push(undefined, new Error('no broker'))
    await expect(replay('fixed')).rejects.toThrow('no broker')
    topic.received.length = 0
    expect(await replay('fixed')).toBe(100 - files[0]!.records)
    expect(topic.received.map(({ offset }) => Number(offset))).toEqual(
      Array.from({ length: 100 - files[0]!.records }, (_, index) => index + files[0]!.records),
    )
    expect(outcomes.slice(1)).toEqual(['before', ...files.slice(1).map(() => 'sent')])
    expect(await replay('fixed')).toBe(0)
    // The marker of a group's first file is the one that earlier versions wrote for all of them.
    expect(store.bucket.keys('replayed/fixed/')).toContainEqual(
      expect.stringMatching(/\/prices\/0\/0000000000000000000\.json$/),
    )
  })

  it('that was interrupted goes on with the file it was at, which is sent whole', async () => {
    const bucket = await written()
    const { topic, replay } = replayer(bucket)
    topic.failures.push(undefined, new Error('no broker'))
    await expect(replay('fixed')).rejects.toThrow('no broker')
    expect(topic.texts).toEqual(['0 w', '2 x', '4 z'])
    expect(await replay('fixed')).toBe(2)
    expect(topic.texts).toEqual(['0 w', '2 x', '4 z', '4 z', '0 q'])
  })

  it('says which files are not there, and notes nothing of them', async () => {
    const bucket = await written()
    bucket.objects.delete((await filesOf(bucket))[0]!.key)
    const { outcomes, replay } = replayer(bucket)
    expect(await replay('fixed')).toBe(2)
    expect(outcomes).toEqual(['missing', 'sent', 'sent'])
    expect(bucket.keys('replayed/')).toHaveLength(2)
  })
})
