import { LostPositionError, type RecordBlock, type RecordReader } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { createEngine } from '../src/engine.ts'
import type { EngineOptions } from '../src/engine-messages.ts'
import { verifySink } from '../src/index.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { LineEngine } from './sink/line-engine.ts'
import { settle } from './sink/manual-runtime.ts'
import { type MemoryBucket, MemoryObjectStore, unknownOutcome } from './sink/memory-object-store.ts'
import { dieAt } from './sink/mortal-process.ts'
import { deadLetterLines, expectedLines, publishedLines, sinkUnderTest } from './sink/sink-fixture.ts'

/** Reads a fake log again in small blocks; refuses what retention has taken. */
const readerOf = (log: FakeLog, blockRecords = 3): RecordReader & { reads: string[] } => {
  const reads: string[] = []
  return {
    reads,
    async *read(_, from, to): AsyncGenerator<RecordBlock> {
      reads.push(`${from}-${to}`)
      if (from < log.logStart) {
        throw new LostPositionError({
          code: 'LOST_POSITION',
          message: 'gone',
          facts: { logStart: log.logStart },
        })
      }
      for (let at = from; at < to; ) {
        const block = log.block(at, Math.min(blockRecords, Number(to - at)))
        at = block.nextOffset
        yield block
      }
    },
  }
}

const engines = { createEngine: () => new LineEngine() }

/** A bucket in which the newest group is claimed, not published, and its uploads were aborted by somebody. */
const claimedAndLost = async (log: FakeLog, lose: 'all' | 'one' = 'all'): Promise<MemoryBucket> => {
  const count = sinkUnderTest()
  await consume(count.sink, [log])
  await count.sink.flush()
  const firstPublication = count.store.calls.find((call) => call.operation === 'completeUpload')!.number
  const test = sinkUnderTest()
  const { died } = dieAt(test.store, firstPublication, 'before')
  await consume(test.sink, [log])
  void test.sink.flush()
  await died
  for (const id of [...test.bucket.uploads.keys()].slice(lose === 'all' ? 0 : 1))
    test.bucket.uploads.delete(id)
  return test.bucket
}

const log = () => new FakeLog().appendMany(5).skip(2).appendMany(4, 'abc')

describe('the last resort', () => {
  it('puts files whole whose parts the engine answers while it reads', async () => {
    const all = log().appendMany(30)
    const bucket = await claimedAndLost(all)
    const createEngine = () => new LineEngine({ earlyParts: true })
    const test = sinkUnderTest({ bucket, readAgain: readerOf(all), createEngine })
    await consume(test.sink, [all.appendMany(3)])
    await test.sink.close()
    expect(publishedLines(bucket)).toEqual(expectedLines(all))
    expect(test.store.count('putIfAbsent', '.parquet')).toBe(3)
  })

  it.each(['all', 'one'] as const)(
    'reads the group again when %s of its uploads is gone, and goes on',
    async (lose) => {
      const all = log()
      const bucket = await claimedAndLost(all, lose)
      const entry = JSON.parse(bucket.text(bucket.keys('groups')[0]!)!)
      const readAgain = readerOf(all)
      const test = sinkUnderTest({ bucket, readAgain, ...engines })
      await consume(test.sink, [all.appendMany(3)])
      await test.sink.close()
      expect(publishedLines(bucket)).toEqual(expectedLines(all))
      expect(readAgain.reads).toEqual(['0-11'])
      for (const { key } of entry.files.slice(lose === 'all' ? 0 : 1)) {
        expect(bucket.objects.get(key)!.metadata).toMatchObject({
          'claim-id': entry.claimId,
          writer: entry.writer,
          start: '0',
        })
      }
      expect(test.store.count('putIfAbsent', '.parquet')).toBe(lose === 'all' ? 3 : 2)
      expect(test.warnings.join()).toContain('reading offsets 0 to 11 from Kafka again')
    },
  )

  it('puts lost dead letters again, and no other file in their place', async () => {
    const all = log().append('bad#1', 'a9', 'bad#2')
    const bucket = await claimedAndLost(all)
    const test = sinkUnderTest({ bucket, readAgain: readerOf(all), ...engines })
    await consume(test.sink, [all])
    await test.sink.close()
    expect(deadLetterLines(bucket)).toEqual(['0: 11 bad#1', '0: 13 bad#2'])
    expect(publishedLines(bucket)).toHaveLength(10)

    const changed = log().append('bad#1', 'a9')
    const other = await claimedAndLost(changed)
    changed.records.splice(-2, 1, { ...changed.records.at(-2)!, value: 'a8' })
    const next = sinkUnderTest({ bucket: other, readAgain: readerOf(changed), ...engines })
    await expect(next.sink.assign([changed.assigned], { generation: 1 })).rejects.toMatchObject({
      code: 'READ_AGAIN_DIFFERS',
    })
  })

  it('puts nothing over an object that somebody else has put meanwhile', async () => {
    const all = log()
    const bucket = await claimedAndLost(all)
    const first = sinkUnderTest({ bucket, readAgain: readerOf(all), ...engines })
    const second = sinkUnderTest({ bucket, readAgain: readerOf(all), ...engines })
    let others: Promise<unknown> | undefined
    second.store.intercept = async (call, apply) => {
      if (call.operation === 'putIfAbsent' && call.key.includes('.parquet')) {
        others ??= first.sink.assign([all.assigned], { generation: 1 })
        await others
      }
      return apply()
    }
    const etags = () => bucket.keys('ticks/ticker=').map((key) => bucket.objects.get(key))
    await second.sink.assign([all.assigned], { generation: 1 })
    const before = etags()
    await second.sink.close()
    expect(etags()).toEqual(before)
    expect(publishedLines(bucket)).toEqual(expectedLines(all))
    const writers = new Set(before.map((object) => object!.metadata['read-again-by']))
    expect(writers.size).toBe(1)
  })

  it('is content when somebody faster published the files and Kafka let go of the records since', async () => {
    const all = log()
    const bucket = await claimedAndLost(all)
    const first = sinkUnderTest({ bucket, readAgain: readerOf(all), ...engines })
    const slow = readerOf(all)
    const overtaken: RecordReader = {
      async *read(...range) {
        await first.sink.assign([all.assigned], { generation: 1 })
        all.logStart = 11n
        yield* slow.read(...range)
      },
    }
    const second = sinkUnderTest({ bucket, readAgain: overtaken, ...engines })
    await consume(second.sink, [all.appendMany(3)])
    await second.sink.close()
    expect(slow.reads).toEqual(['0-11'])
    expect(publishedLines(bucket)).toEqual(expectedLines(all))
  })

  it('goes on until a put is answered, whether it took effect or not', async () => {
    for (const takesEffect of [true, false]) {
      const all = log()
      const bucket = await claimedAndLost(all)
      const test = sinkUnderTest({ bucket, readAgain: readerOf(all), ...engines })
      let failures = 0
      test.store.intercept = (call, apply) => {
        if (call.operation !== 'putIfAbsent' || !call.key.includes('.parquet') || failures >= 5)
          return apply()
        failures += 1
        if (takesEffect) apply()
        throw unknownOutcome()
      }
      await test.sink.assign([all.assigned], { generation: 1 })
      expect(publishedLines(bucket)).toEqual(expectedLines(all))
    }
  })

  it('of an owner that hung puts nothing once the chain has moved on, though its files were compacted away', async () => {
    const all = log()
    const bucket = await claimedAndLost(all)
    const hung = sinkUnderTest({ bucket, readAgain: readerOf(all), ...engines })
    const put = hung.store.putIfAbsent.bind(hung.store)
    let woken = false
    hung.store.putIfAbsent = async (key, body, options) => {
      if (!key.includes('.parquet')) return put(key, body, options)
      if (!woken) {
        woken = true
        const other = sinkUnderTest({ bucket, readAgain: readerOf(all), ...engines })
        await other.sink.assign([all.assigned], { generation: 1 })
        await other.sink.close()
        for (const file of bucket.keys('ticks/ticker=')) bucket.objects.delete(file)
        hung.runtime.pass(25 * 3_600_000)
      }
      if (hung.runtime.now() >= options!.signedBefore!) {
        throw Object.assign(unknownOutcome(), {
          code: 'SIGNED_TOO_LATE',
          outcome: 'refused',
          retryable: false,
        })
      }
      return put(key, body, options)
    }
    await hung.sink.assign([all.assigned], { generation: 1 })
    expect(bucket.keys('ticks/ticker=')).toEqual([])
  })

  it('is a LostPositionError that names both offsets and the way out when Kafka no longer has the records', async () => {
    const all = log()
    const bucket = await claimedAndLost(all)
    const test = sinkUnderTest({ bucket, readAgain: readerOf(all.retain(3n)), ...engines })
    await expect(test.sink.assign([all.assigned], { generation: 1 })).rejects.toMatchObject({
      name: 'LostPositionError',
      code: 'LOST_POSITION',
      message: expect.stringMatching(/\[0, 11\).*begins at 3.*9 rows are lost: stockpipe journal reset/),
      facts: { start: 0n, next: 11n, logStart: 3n },
    })
    expect(publishedLines(bucket)).toEqual([])
  })

  it.each<[string, (log: FakeLog) => void, RegExp]>([
    ['fewer records', (all) => all.records.splice(2, 1), /Kafka has 8 records there, the entry says 9/],
    [
      'another last record',
      (all) => all.records.splice(-1, 1, { ...all.records.at(-1)!, value: 'c0' }),
      /the last record there is offset 10 with checksum/,
    ],
    [
      'a record of another path',
      (all) => all.records.splice(1, 1, { ...all.records[1]!, value: 'a1' }),
      /they give 6 rows from offset 0 to 10 for \["a"\], the entry says 5 rows from 0 to 10/,
    ],
    [
      'a path less',
      (all) => {
        for (const record of all.records)
          if (record.value.startsWith('b')) Object.assign(record, { value: 'z' })
      },
      /for \["z"\], which the entry does not name/,
    ],
  ])('publishes nothing in place of what was claimed when Kafka has %s', async (_, change, message) => {
    const all = log()
    const bucket = await claimedAndLost(all)
    change(all)
    const test = sinkUnderTest({ bucket, readAgain: readerOf(all), ...engines })
    await expect(test.sink.assign([all.assigned], { generation: 1 })).rejects.toMatchObject({
      name: 'LostPositionError',
      code: 'READ_AGAIN_DIFFERS',
      message: expect.stringMatching(message),
    })
  })

  it('may give a file of another size than was staged, which verify proves by its rows', async () => {
    const trades = new FakeLog(0, 'ticks').append(
      ...Array.from({ length: 40 }, (_, index) => JSON.stringify({ symbol: 'AAPL', price: `${index}.5` })),
    )
    const first = sinkUnderTest({ createEngine })
    first.store.intercept = (call, apply) =>
      call.operation === 'completeUpload' ? new Promise(() => {}) : apply()
    await consume(first.sink, [trades])
    void first.sink.flush().catch(() => {})
    await settle()
    const { bucket } = first
    bucket.uploads.clear()
    const test = sinkUnderTest({
      bucket,
      readAgain: readerOf(trades),
      createEngine,
      compression: 'none',
    })
    await test.sink.assign([trades.assigned], { generation: 1 })
    const verify = () =>
      verifySink({ store: new MemoryObjectStore(bucket), journal: 's3://lake/_stockpipe/journal/market' })
    const [entry] = bucket.keys('groups').map((key) => JSON.parse(bucket.text(key)!))
    const [key] = bucket.keys('.parquet')
    const object = bucket.objects.get(key!)!
    expect(object.bytes.length).not.toBe(entry.files[0].bytes)
    expect(await verify()).toMatchObject({ ok: true, problems: [] })
    bucket.objects.set(key!, { ...object, metadata: { 'claim-id': entry.claimId } })
    expect((await verify()).problems).toMatchObject([{ code: 'FILE_SIZE' }])
  })

  it('uses the schema and the encoding of the entry, whatever the table is now', async () => {
    const all = log()
    const bucket = await claimedAndLost(all)
    const key = bucket.keys('groups')[0]!
    const entry = JSON.parse(bucket.text(key)!)
    entry.table.encoding = { encoding: 'json', names: { price: 'p' }, timestamps: {} }
    entry.table.definition.columns.push({ id: 3, name: 'venue', type: { kind: 'string' }, nullable: true })
    bucket.objects.set(key, {
      ...bucket.objects.get(key)!,
      bytes: new TextEncoder().encode(JSON.stringify(entry)),
    })
    const made: EngineOptions[] = []
    const test = sinkUnderTest({
      bucket,
      readAgain: readerOf(all),
      createEngine: (options) => {
        made.push(options)
        return new LineEngine()
      },
    })
    await test.sink.assign([all.assigned], { generation: 1 })
    const ofEntry = made.at(-1)!
    expect(ofEntry.topic.table.columns.map(({ name }) => name).join()).toBe('symbol,price,venue')
    expect(ofEntry.topic.value).toEqual(entry.table.encoding)
    // The engine of the package takes what was made for it.
    createEngine(ofEntry).close()
    const report = await verifySink({
      store: new MemoryObjectStore(bucket),
      journal: 's3://lake/_stockpipe/journal/market',
    })
    expect(report.problems.map(({ code }) => code)).not.toContain('FILE_MISSING')
  })
})
