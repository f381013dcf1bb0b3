import { describe, expect, it } from 'vitest'
import { JournalKeys } from '../src/journal-keys.ts'
import { silentLogger } from '../src/logger.ts'
import type { SinkOptions } from '../src/sink-options.ts'
import { abortLostUploads } from '../src/upload-cleaner.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { LineEngine } from './sink/line-engine.ts'
import { ManualRuntime, settle } from './sink/manual-runtime.ts'
import { type MemoryBucket, MemoryObjectStore, refusal, unknownOutcome } from './sink/memory-object-store.ts'
import { type Death, dieAt } from './sink/mortal-process.ts'
import {
  deadLetterLines,
  expectedLines,
  publishedLines,
  type SinkUnderTest,
  sinkUnderTest,
} from './sink/sink-fixture.ts'

const never = { rows: 1e9, bytes: 1e9, ageMillis: 1e12 }

/** A sink whose engine answers parts to blocks. Two rows of a path are one part and more. */
const earlySink = (options: Partial<SinkOptions> & { bucket?: MemoryBucket } = {}): SinkUnderTest => {
  const engine = new LineEngine({ earlyParts: true, partBytes: 8 })
  return { ...sinkUnderTest({ rotation: never, createEngine: () => engine, ...options }), engine }
}

/** The entries of the chain, oldest first. */
const entriesOf = (bucket: MemoryBucket) =>
  bucket
    .keys('groups/')
    .filter((key) => key.endsWith('.json'))
    .map((key) => JSON.parse(bucket.text(key)!))
    .sort((left, right) => Number(left.start) - Number(right.start))

/** What the cleaner of a sink does. */
const clean = async (bucket: MemoryBucket, logs: readonly FakeLog[]): Promise<void> => {
  const store = new MemoryObjectStore(bucket)
  await abortLostUploads(
    {
      keys: new JournalKeys('s3://lake/_stockpipe/journal/', 'market'),
      journalStore: store,
      tableStore: store,
      prefixes: ['ticks/', '_stockpipe/dead-letters/'],
      runtime: new ManualRuntime(),
      logger: silentLogger,
      sink: 'market',
    },
    { logs },
  )
}

/** Never answers parts. */
const away = (test: SinkUnderTest): { back: () => void } => {
  const waiting: (() => void)[] = []
  let isAway = true
  test.store.intercept = (call, apply) => {
    if (!isAway || call.operation !== 'uploadPart') return apply()
    return new Promise((resolve) => waiting.push(() => resolve(apply())))
  }
  return {
    back: () => {
      isAway = false
      for (const resolve of waiting) resolve()
    },
  }
}

describe('parts that are sent while a group is open', () => {
  it('are in the upload the entry names, before the rest, under one claim id, and cost no request more', async () => {
    const test = earlySink()
    const log = new FakeLog().appendMany(40)
    await consume(test.sink, [log], 4)
    await settle()
    const early = test.store.count('uploadPart')
    expect(early).toBeGreaterThan(10)
    expect(test.bucket.uploads.size).toBe(2)
    expect([test.bucket.keys('groups'), test.bucket.keys('ticks/ticker=')]).toEqual([[], []])
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
    const [entry, ...others] = entriesOf(test.bucket)
    expect(others).toEqual([])
    for (const { key, bytes, parts } of entry.files) {
      expect(key).toContain(entry.claimId.slice(0, 12))
      expect(parts).toHaveLength(Math.ceil(bytes / 8))
      expect(parts.map(({ partNumber }: { partNumber: number }) => partNumber)).toEqual(
        parts.map((_: unknown, index: number) => index + 1),
      )
    }
    expect(test.store.count('createUpload')).toBe(2)
    const sent = entry.files.reduce((sum: number, { parts }: { parts: [] }) => sum + parts.length, 0)
    expect(test.store.count('uploadPart')).toBe(sent)
    expect(sent).toBeGreaterThan(early)
  })

  it('are none for files that are smaller than a part, whose first request comes at the cut', async () => {
    const test = earlySink({ createEngine: () => new LineEngine({ earlyParts: true, partBytes: 1_000 }) })
    await consume(test.sink, [new FakeLog().appendMany(40)], 4)
    await settle()
    expect(test.store.count('createUpload')).toBe(0)
    await test.sink.close()
    expect([test.store.count('createUpload'), test.store.count('uploadPart')]).toEqual([2, 2])
  })

  it('are sent again under the next number when an answer is lost, in the order of the file', async () => {
    const test = earlySink()
    let seen = 0
    test.store.intercept = (call, apply) => {
      if (call.operation !== 'uploadPart') return apply()
      seen += 1
      if (seen % 3 === 1) return apply()
      if (seen % 3 === 2) apply()
      throw unknownOutcome()
    }
    const log = new FakeLog().append('bad#0').appendMany(30)
    await consume(test.sink, [log], 4)
    await test.sink.close()
    expect(test.bucket.partsSentTwice).toEqual([])
    expect([...publishedLines(test.bucket), ...deadLetterLines(test.bucket)].sort()).toEqual(
      expectedLines(log).sort(),
    )
  })

  it('belong to one group each: the next group has a claim id and uploads of its own', async () => {
    const test = earlySink({ rotation: { ...never, rows: 12 } })
    const log = new FakeLog().appendMany(48)
    await consume(test.sink, [log], 4)
    await test.sink.close()
    const entries = entriesOf(test.bucket)
    expect(entries.map(({ start }) => Number(start))).toEqual([0, 12, 24, 36])
    expect(new Set(entries.map(({ claimId }) => claimId)).size).toBe(4)
    expect(test.store.count('createUpload')).toBe(8)
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
    expect(test.bucket.uploads.size).toBe(0)
  })

  it('are waited for: a block is not answered before each of its parts has a slot', async () => {
    const test = earlySink({ uploadsAtOnce: 2 })
    const { back } = away(test)
    const log = new FakeLog().appendMany(40)
    await test.sink.assign([log.assigned], { generation: 1 })
    let taken = false
    const written = test.sink.write(log.block(0n)).then(() => {
      taken = true
    })
    await settle()
    // Parts of a file go one after another: the second has a slot and waits for the first, the third for a slot.
    expect([taken, test.store.count('uploadPart')]).toEqual([false, 1])
    back()
    await written
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
  })

  it('leave the memory charged to the open group, and are charged as uploads until they are sent', async () => {
    const test = earlySink({ memory: 100_000, uploadsAtOnce: 100 })
    const { back } = away(test)
    const log = new FakeLog().appendMany(40)
    await consume(test.sink, [log], 4)
    await settle()
    const held = test.sink.memory()
    const rows = log.records.reduce((sum, { value }) => sum + value.length + 8, 0)
    expect(held.uploadingBytes).toBeGreaterThan(100)
    expect(held.usedBytes).toBe(rows)
    back()
    await settle()
    const { uploadingBytes, bufferedBytes } = test.sink.memory()
    expect([uploadingBytes, bufferedBytes]).toEqual([0, rows - held.uploadingBytes])
    await test.sink.close()
    expect(test.sink.memory()).toMatchObject({ bufferedBytes: 0, uploadingBytes: 0 })
  })

  it('hold memory at its bound while the store is away, and go on by themselves', async () => {
    const test = earlySink({ memory: 2_000, uploadsAtOnce: 1_000 })
    const { back } = away(test)
    const logs = [0, 1, 2].map((partition) => new FakeLog(partition).appendMany(300, 'abcdef'))
    let done = false
    const consumed = consume(test.sink, logs, 5).then(() => {
      done = true
    })
    for (let round = 0; round < 5; round += 1) await settle()
    const held = test.sink.memory()
    for (let round = 0; round < 5; round += 1) await settle()
    expect(test.sink.memory()).toEqual(held)
    expect(held.uploadingBytes).toBeGreaterThan(0)
    expect(held.uploadingBytes).toBeLessThanOrEqual(600)
    expect(held.bufferedBytes).toBeLessThan(1_400 + 5 * 20)
    expect(done).toBe(false)
    back()
    await consumed
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(...logs))
    expect(test.events.failed).toEqual([])
  })
})

describe('a group that is given up', () => {
  const open = async (options: Partial<SinkOptions> = {}) => {
    const test = earlySink({ cleaner: false, ...options })
    const log = new FakeLog().appendMany(20)
    await consume(test.sink, [log], 4)
    await settle()
    expect(test.bucket.uploads.size).toBe(2)
    return { test, log }
  }

  it('by a revocation without drain has its uploads aborted when the revocation ends', async () => {
    const { test, log } = await open()
    await test.sink.revoke([log], { drain: false })
    expect(test.bucket.uploads.size).toBe(0)
    expect(test.sink.memory()).toMatchObject({ bufferedBytes: 0, uploadingBytes: 0 })
    expect(test.events.failed).toEqual([])
  })

  it('by a revocation while a part is on its way has them aborted, and the block is refused', async () => {
    const { test, log } = await open({ uploadsAtOnce: 2 })
    away(test)
    log.appendMany(20)
    const written = test.sink.write(log.block(20n)).catch((error: unknown) => error)
    await settle()
    await test.sink.revoke([log], { drain: false })
    expect(await written).toMatchObject({ code: 'PARTITION_NOT_ASSIGNED' })
    expect(test.bucket.uploads.size).toBe(0)
    await consume(test.sink, [new FakeLog(1)])
    expect(test.sink.memory()).toMatchObject({ bufferedBytes: 0, uploadingBytes: 0 })
  })

  it('by a drain that takes too long is the next owner’s to read again', async () => {
    const { test, log } = await open()
    test.store.intercept = (call, apply) =>
      call.operation === 'uploadPart' ? new Promise(() => {}) : apply()
    const revoked = test.sink.revoke([log], { drain: true, deadline: test.runtime.monotonic() + 100 })
    await settle()
    await test.runtime.advance(200)
    await revoked
    expect([test.bucket.uploads.size, test.bucket.keys('groups')]).toEqual([0, []])
    const next = earlySink({ bucket: test.bucket })
    await consume(next.sink, [log], 4)
    await next.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
  })

  it('by the engine, or for records that are refused, has its uploads aborted', async () => {
    const { test, log } = await open({ deadLetters: { onRejected: 'stop' } })
    log.append('bad#1')
    await expect(test.sink.write(log.block(20n))).rejects.toMatchObject({ code: 'RECORD_REJECTED' })
    await test.sink.close()
    expect([test.bucket.uploads.size, test.bucket.keys('groups')]).toEqual([0, []])
  })

  it('because a part was refused fails at the next block, and the other uploads are aborted', async () => {
    const { test, log } = await open()
    test.store.intercept = (call, apply) => {
      if (call.operation === 'uploadPart' && call.key.includes('ticker=b')) throw refusal(400)
      return apply()
    }
    // The last block makes no part.
    log.appendMany(4).append('c')
    await test.sink.write(log.block(20n, 4)).catch(() => {})
    await settle()
    await expect(test.sink.write(log.block(24n))).rejects.toMatchObject({ status: 400 })
    expect(test.events.failed.length).toBe(1)
    await test.sink.close()
    expect([test.bucket.uploads.size, test.bucket.keys('groups')]).toEqual([0, []])
  })

  it('because another owner claimed its start is fenced at the next part, not failed', async () => {
    const { test, log } = await open()
    const other = earlySink({ bucket: test.bucket })
    await consume(other.sink, [log])
    await other.sink.close()
    await clean(test.bucket, [log])
    expect(test.bucket.uploads.size).toBe(0)
    log.appendMany(8)
    await test.sink.write(log.block(20n, 4)).catch(() => {})
    await settle()
    await expect(test.sink.write(log.block(24n, 4))).rejects.toMatchObject({ code: 'FENCED' })
    expect([test.events.fenced.length, test.events.failed.length]).toEqual([1, 0])
    await consume(test.sink, [log], 4)
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
  })

  it('because the group before it was fenced has its uploads aborted, and those of nobody else', async () => {
    const test = earlySink({ cleaner: false, rotation: { ...never, rows: 8 } })
    const log = new FakeLog().appendMany(20)
    let claim = () => {}
    test.store.intercept = (call, apply) => {
      if (call.operation !== 'putIfAbsent' || !call.key.includes('groups')) return apply()
      return new Promise((resolve) => {
        claim = () => resolve(apply())
      })
    }
    await test.sink.assign([log.assigned], { generation: 1 })
    await test.sink.write(log.block(0n, 8))
    await settle()
    await test.sink.write(log.block(8n, 6))
    await settle()
    expect([...test.bucket.uploads.values()].map(({ metadata }) => metadata['start'])).toEqual([
      '0',
      '0',
      '8',
      '8',
    ])
    const other = earlySink({ bucket: test.bucket, cleaner: false })
    await consume(other.sink, [log])
    await settle()
    const theirs = test.bucket.uploadsMade - 4
    await other.sink.flush()
    claim()
    await settle()
    expect(test.events.fenced.length).toBe(1)
    expect([theirs, test.bucket.uploads.size]).toEqual([2, 0])
    await Promise.all([test.sink.close(), other.sink.close()])
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
  })
})

describe('a process that dies with parts on their way', () => {
  const rotation = { ...never, rows: 9 }
  const logs = () => [
    new FakeLog(0).appendMany(14).skip(2).append('bad#0').appendMany(9, 'abc'),
    new FakeLog(1).append('bad#1').appendMany(12).skip(1).append('bad#2', 'bad#3'),
  ]
  const runToEnd = async (bucket: MemoryBucket, all: readonly FakeLog[]): Promise<void> => {
    const { sink } = earlySink({ bucket, rotation })
    await consume(sink, all, 3)
    await sink.close()
  }

  it.each<Death>(['before', 'after', 'late'])(
    'at any call (%s it takes effect) leaves every record in one published file, and no upload once it is cleaned',
    async (death) => {
      const undisturbed = earlySink({ rotation })
      await consume(undisturbed.sink, logs(), 3)
      await undisturbed.sink.close()
      const calls = undisturbed.store.calls.length
      expect(calls).toBeGreaterThan(70)
      for (let at = 1; at <= calls; at += 1) {
        const all = logs()
        const { sink, store, bucket } = earlySink({ rotation })
        const { died, late } = dieAt(store, at, death)
        await Promise.race([died, consume(sink, all, 3).then(() => sink.close())])
        await runToEnd(bucket, all)
        late()
        for (const log of all) log.appendMany(1)
        await runToEnd(bucket, all)
        const split = (bad: boolean) =>
          all.map(({ partition, records }) => ({
            partition,
            records: records.filter(({ value }) => value.startsWith('bad') === bad),
          }))
        const when = `died at call ${at}`
        expect(publishedLines(bucket), when).toEqual(expectedLines(...split(false)))
        expect(deadLetterLines(bucket), when).toEqual(expectedLines(...split(true)))
        expect(bucket.partsSentTwice, when).toEqual([])
        await clean(bucket, all)
        expect([...bucket.uploads.values()], when).toEqual([])
      }
    },
    60_000,
  )
})
