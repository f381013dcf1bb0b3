import type { PartitionToRegister } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { consume, FakeLog } from './sink/fake-log.ts'
import { settle } from './sink/manual-runtime.ts'
import { type MemoryBucket, refusal, unknownOutcome } from './sink/memory-object-store.ts'
import { dieAt } from './sink/mortal-process.ts'
import { expectedLines, publishedLines, sinkUnderTest } from './sink/sink-fixture.ts'

/** A bucket in which the newest group of a log is claimed and not published; its files are `a` and `b`. */
const claimed = async (log: FakeLog): Promise<MemoryBucket> => {
  const count = sinkUnderTest()
  await consume(count.sink, [log])
  await count.sink.flush()
  const firstPublication = count.store.calls.find((call) => call.operation === 'completeUpload')!.number
  const test = sinkUnderTest()
  const { died } = dieAt(test.store, firstPublication, 'before')
  await consume(test.sink, [log])
  void test.sink.flush()
  await died
  expect(test.bucket.uploads.size).toBe(2)
  return test.bucket
}

describe('settling', () => {
  it('publishes and registers what a predecessor claimed, before anything new is read', async () => {
    const log = new FakeLog().appendMany(4)
    const bucket = await claimed(log)
    const registered: PartitionToRegister[] = []
    const test = sinkUnderTest({
      bucket,
      registrar: { register: async (partitions) => void registered.push(...partitions) },
    })
    await test.sink.assign([log.assigned], { generation: 1 })
    expect(publishedLines(bucket)).toEqual(expectedLines(log))
    expect(registered).toEqual([
      { values: ['a'], location: 's3://lake/ticks/ticker=a/' },
      { values: ['b'], location: 's3://lake/ticks/ticker=b/' },
    ])
    expect(bucket.keys('.settled')).toEqual([])
    await test.sink.revoke([log], { drain: false })
    expect(bucket.keys('.settled').length).toBe(1)
  })

  it('is not done again once the marker is there', async () => {
    const log = new FakeLog().appendMany(4)
    const bucket = await claimed(log)
    await sinkUnderTestThatSettles(bucket, log)
    // Others may rewrite or delete the files of a group with a marker.
    for (const key of bucket.keys('ticks/ticker=')) bucket.objects.delete(key)
    const test = sinkUnderTest({ bucket })
    await test.sink.assign([log.assigned], { generation: 1 })
    expect(test.store.count('completeUpload') + test.store.count('head')).toBe(0)
  })

  it('registers again what was published but perhaps not registered', async () => {
    const log = new FakeLog().appendMany(4)
    const failing = sinkUnderTest({
      registrar: { register: () => Promise.reject(new Error('the catalog is away')) },
    })
    await consume(failing.sink, [log])
    await expect(failing.sink.flush()).rejects.toThrow('the catalog is away')
    expect(failing.events.committable).toEqual([])
    expect(failing.events.failed.length).toBe(1)
    await failing.sink.revoke([log], { drain: true })
    expect(failing.bucket.keys('.settled')).toEqual([])
    let registered = 0
    const test = sinkUnderTest({
      bucket: failing.bucket,
      registrar: { register: async (partitions) => void (registered += partitions.length) },
    })
    await test.sink.assign([log.assigned], { generation: 1 })
    expect(registered).toBe(2)
  })

  it('of a table in another bucket is refused', async () => {
    const log = new FakeLog().appendMany(4)
    const bucket = await claimed(log)
    const key = bucket.keys('groups')[0]!
    const text = bucket
      .text(key)!
      .replaceAll('s3://lake/', 's3://pond/')
      .replace('"bucket": "lake"', '"bucket": "pond"')
    bucket.objects.set(key, { ...bucket.objects.get(key)!, bytes: new TextEncoder().encode(text) })
    const test = sinkUnderTest({ bucket })
    await expect(test.sink.assign([log.assigned], { generation: 1 })).rejects.toMatchObject({
      code: 'SETTLE_OTHER_BUCKET',
    })
  })
})

const sinkUnderTestThatSettles = async (bucket: MemoryBucket, log: FakeLog) => {
  const { sink } = sinkUnderTest({ bucket })
  await sink.assign([log.assigned], { generation: 1 })
  await sink.close()
}

describe('publishing', () => {
  it('is repeated when a completion has no certain answer, whether it took effect or not', async () => {
    for (const takesEffect of [true, false]) {
      const test = sinkUnderTest()
      let failures = 0
      test.store.intercept = (call, apply) => {
        if (call.operation !== 'completeUpload' || failures >= 3) return apply()
        failures += 1
        if (takesEffect) apply()
        throw unknownOutcome()
      }
      const log = new FakeLog().appendMany(4)
      await consume(test.sink, [log])
      await test.sink.close()
      expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
    }
  })

  it('takes any object at the key as proof', async () => {
    const log = new FakeLog().appendMany(4)
    const test = sinkUnderTest()
    test.store.intercept = (call, apply) => {
      if (call.operation !== 'completeUpload') return apply()
      apply()
      throw refusal(400)
    }
    await consume(test.sink, [log])
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
  })

  it.each(['a newer entry', 'a marker'])(
    'goes on without upload and object when the chain shows %s',
    async (proof) => {
      const log = new FakeLog().appendMany(4)
      const bucket = await claimed(log)
      const slow = sinkUnderTest({ bucket })
      let others: Promise<void> | undefined
      slow.store.intercept = async (call, apply) => {
        if (call.operation === 'completeUpload') {
          others ??= (async () => {
            const fast = sinkUnderTest({ bucket })
            if (proof === 'a newer entry') {
              await consume(fast.sink, [new FakeLog().appendMany(6)])
              await fast.sink.flush()
            } else {
              await fast.sink.assign([log.assigned], { generation: 1 })
              await fast.sink.close()
            }
            for (const key of bucket.keys(`ticks-0-${'0'.repeat(19)}-`)) bucket.objects.delete(key)
          })()
          await others
        }
        return apply()
      }
      const positions = await slow.sink.assign([log.assigned], { generation: 1 })
      expect(positions[0]!.offset).toBe(3n)
      expect(bucket.keys(`ticks-0-${'0'.repeat(19)}-`)).toEqual([])
    },
  )

  it('of an upload that is gone and was never published is a LostUploadError that names file and offsets', async () => {
    const log = new FakeLog().appendMany(4)
    const bucket = await claimed(log)
    bucket.uploads.clear()
    const test = sinkUnderTest({ bucket })
    const assigned = test.sink.assign([log.assigned], { generation: 1 })
    await expect(assigned).rejects.toMatchObject({
      name: 'LostUploadError',
      message: expect.stringMatching(/ticker=a\/.*between offsets 0 and 2/),
      facts: { start: 0n, next: 4n, firstOffset: 0n, lastOffset: 2n },
    })
    expect(bucket.keys('.settled')).toEqual([])
  })

  it('never takes a forbidden HEAD for an absent object', async () => {
    const log = new FakeLog().appendMany(4)
    const bucket = await claimed(log)
    bucket.uploads.clear()
    const test = sinkUnderTest({ bucket })
    test.store.intercept = (call, apply) => {
      if (call.operation === 'head') throw refusal(403)
      return apply()
    }
    await expect(test.sink.assign([log.assigned], { generation: 1 })).rejects.toMatchObject({
      name: 'ConfigurationError',
      code: 'HEAD_FORBIDDEN',
    })
  })

  it('that is forbidden says so and is no lost upload', async () => {
    const log = new FakeLog().appendMany(4)
    const bucket = await claimed(log)
    const test = sinkUnderTest({ bucket })
    test.store.intercept = (call, apply) => {
      if (call.operation === 'completeUpload') throw refusal(403)
      return apply()
    }
    await expect(test.sink.assign([log.assigned], { generation: 1 })).rejects.toMatchObject({
      name: 'ObjectStoreError',
      status: 403,
    })
    expect(bucket.uploads.size).toBe(2)
  })

  it('by a hung owner that wakes after others took over changes nothing', async () => {
    const log = new FakeLog().appendMany(4)
    const test = sinkUnderTest()
    const held: (() => void)[] = []
    test.store.intercept = (call, apply) => {
      if (call.operation !== 'completeUpload') return apply()
      return new Promise((resolve) => held.push(() => resolve(apply())))
    }
    await consume(test.sink, [log])
    const flushed = test.sink.flush()
    await settle()
    const other = sinkUnderTest({ bucket: test.bucket })
    await consume(other.sink, [log.appendMany(3)])
    await other.sink.close()
    for (const wake of held) wake()
    await flushed
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
  })
})

describe('registering', () => {
  it('comes after publishing and before the commit, each partition once', async () => {
    const steps: string[] = []
    const test = sinkUnderTest({
      rotation: { rows: 4 },
      registrar: {
        register: async (partitions) => {
          steps.push(`register ${partitions.map(({ values }) => values.join())}`)
          expect(test.bucket.uploads.size).toBe(0)
        },
      },
    })
    test.sink.on('committable', ({ offset }) => steps.push(`commit ${offset}`))
    await consume(test.sink, [new FakeLog().appendMany(8).appendMany(4, 'bc')], 4)
    await test.sink.close()
    expect(steps).toEqual(['register a,b', 'commit 4', 'commit 8', 'register c', 'commit 12'])
  })

  it('is done again after a while, and partitions that are read elsewhere are told of', async () => {
    let calls = 0
    const test = sinkUnderTest({
      rotation: { rows: 2 },
      registrar: {
        register: async (partitions, { onSwitched } = {}) => {
          calls += 1
          onSwitched?.(partitions[0]!)
        },
      },
    })
    const log = new FakeLog().appendMany(4)
    await consume(test.sink, [log], 2)
    await test.sink.flush()
    expect(calls).toBe(1)
    test.runtime.pass(600_000)
    const at = log.logEnd
    log.appendMany(2)
    await test.sink.write(log.block(at))
    await test.sink.close()
    expect(calls).toBe(2)
    expect(test.warnings).toEqual([
      expect.stringMatching(/^Rows came to s3:\/\/lake\/ticks\/ticker=a\/ after its partition was compacted/),
      expect.stringContaining('stockpipe compact'),
    ])
  })

  it('is repeated when the registrar says that it may be', async () => {
    let calls = 0
    const test = sinkUnderTest({
      registrar: {
        register: async () => {
          calls += 1
          if (calls < 4) throw unknownOutcome()
        },
      },
    })
    await consume(test.sink, [new FakeLog().appendMany(4)])
    await test.sink.close()
    expect(calls).toBe(4)
  })
})

describe('the settled marker', () => {
  it('is put once the partition goes idle, is revoked, or the sink stops; once', async () => {
    const log = new FakeLog().appendMany(4)
    const test = sinkUnderTest({ rotation: { ageMillis: 60_000 } })
    await consume(test.sink, [log])
    await test.runtime.advance(60_000)
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
    expect(test.bucket.keys('.settled')).toEqual([])
    await test.runtime.advance(60_000)
    expect(test.bucket.keys('.settled').length).toBe(1)
    await test.sink.close()
    expect(test.store.count('putIfAbsent', '.settled')).toBe(1)
  })

  it('is not put for a group that is claimed and not published', async () => {
    const log = new FakeLog().appendMany(4)
    const test = sinkUnderTest()
    test.store.intercept = (call, apply) =>
      call.operation === 'completeUpload' ? new Promise(() => {}) : apply()
    await consume(test.sink, [log])
    const flushed = test.sink.flush().catch(() => {})
    await settle()
    await test.sink.revoke([log], { drain: false })
    await flushed
    expect(test.bucket.keys('groups').length).toBe(1)
    expect(test.bucket.keys('.settled')).toEqual([])
  })
})
