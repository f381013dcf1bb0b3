import { describe, expect, it } from 'vitest'
import type { JournalEntry } from '../src/journal-entry.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { ManualRuntime, settle } from './sink/manual-runtime.ts'
import { type MemoryObjectStore, unknownOutcome } from './sink/memory-object-store.ts'
import { expectedLines, publishedLines, sinkUnderTest } from './sink/sink-fixture.ts'

const hour = 3_600_000
const isClaim = (call: { operation: string; key: string }) =>
  call.operation === 'putIfAbsent' && /groups\/.*\.json$/.test(call.key)

/** The entry another owner would have written at the same start: the same bytes with these members changed. */
const foreignEntry = (
  store: MemoryObjectStore,
  key: string,
  ours: Uint8Array,
  change: Partial<JournalEntry>,
) => {
  const entry = { ...JSON.parse(new TextDecoder().decode(ours)), ...change }
  store.bucket.objects.set(key, {
    bytes: new TextEncoder().encode(JSON.stringify(entry)),
    etag: '"foreign"',
    metadata: {},
    contentType: 'application/json',
  })
}

describe('a claim', () => {
  it('whose answer was lost is ours by its claim id', async () => {
    const test = sinkUnderTest()
    test.store.intercept = (call, apply) => {
      const answer = apply()
      if (isClaim(call) && answer === 'created') throw unknownOutcome()
      return answer
    }
    const log = new FakeLog().appendMany(4)
    await consume(test.sink, [log])
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
    expect(test.events.fenced).toEqual([])
    expect(test.store.calls.filter(isClaim).length).toBe(2)
  })

  it('with no answer is repeated with the same bytes until there is one', async () => {
    const test = sinkUnderTest()
    const bodies: string[] = []
    const put = test.store.putIfAbsent.bind(test.store)
    test.store.putIfAbsent = (key, body, options) => {
      if (/groups\/.*json$/.test(key)) bodies.push(new TextDecoder().decode(body))
      return put(key, body, options)
    }
    test.store.intercept = (call, apply) => {
      if (isClaim(call) && bodies.length <= 12) throw unknownOutcome()
      return apply()
    }
    const log = new FakeLog().appendMany(4)
    await consume(test.sink, [log])
    await test.sink.close()
    expect(bodies.length).toBe(13)
    expect(new Set(bodies).size).toBe(1)
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
    expect(Math.max(...test.runtime.waits)).toBeGreaterThan(5_000)
  })

  it('is not ours because the entry names our own writer: only the claim id counts', async () => {
    const test = sinkUnderTest({ writer: 'host-1' })
    const put = test.store.putIfAbsent.bind(test.store)
    test.store.putIfAbsent = (key, body, options) => {
      if (/groups\/.*json$/.test(key)) foreignEntry(test.store, key, body, { claimId: 'ab'.repeat(16) })
      return put(key, body, options)
    }
    await consume(test.sink, [new FakeLog().appendMany(4)])
    await expect(test.sink.flush()).rejects.toMatchObject({ name: 'FencedError' })
    expect(test.events.fenced.length).toBe(1)
    expect(test.events.committable).toEqual([])
    expect(publishedLines(test.bucket)).toEqual([])
  })

  it("that met another's entry gives the group up and aborts its uploads", async () => {
    const test = sinkUnderTest()
    const put = test.store.putIfAbsent.bind(test.store)
    test.store.putIfAbsent = (key, body, options) => {
      if (/groups\/.*json$/.test(key)) foreignEntry(test.store, key, body, { claimId: 'ab'.repeat(16) })
      return put(key, body, options)
    }
    const log = new FakeLog().appendMany(4)
    await consume(test.sink, [log])
    await expect(test.sink.flush()).rejects.toMatchObject({ name: 'FencedError' })
    expect(test.bucket.uploads.size).toBe(0)
    expect(test.engine.heldRows(log)).toBe(0)
    await expect(test.sink.write(log.block(4n))).rejects.toMatchObject({ name: 'FencedError' })
  })

  it('never comes to be made where another owner won meanwhile and our upload was aborted: fenced, not failed', async () => {
    const log = new FakeLog().appendMany(4)
    const test = sinkUnderTest({ cleaner: false })
    await consume(test.sink, [log])
    let first = true
    test.store.intercept = async (call, apply) => {
      if (call.operation === 'uploadPart' && first) {
        first = false
        const other = sinkUnderTest({ bucket: test.bucket, cleaner: false })
        await consume(other.sink, [log])
        await other.sink.close()
        test.bucket.uploads.clear()
      }
      return apply()
    }
    await expect(test.sink.flush()).rejects.toMatchObject({ code: 'FENCED' })
    expect([test.events.fenced.length, test.events.failed.length]).toEqual([1, 0])
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
  })

  it('never comes to be made where our upload was aborted and nobody won: failed, with the reason', async () => {
    const test = sinkUnderTest({ cleaner: false })
    await consume(test.sink, [new FakeLog().appendMany(4)])
    test.store.intercept = (call, apply) => {
      if (call.operation === 'uploadPart') test.bucket.uploads.clear()
      return apply()
    }
    await expect(test.sink.flush()).rejects.toMatchObject({ name: 'ObjectStoreError', status: 404 })
    expect([test.events.fenced.length, test.events.failed.length]).toEqual([0, 1])
  })

  it('that was refused while the entry is gone is fenced, and nothing of it is aborted', async () => {
    const test = sinkUnderTest()
    test.store.intercept = (call, apply) => (isClaim(call) ? 'exists' : apply())
    await consume(test.sink, [new FakeLog().appendMany(4)])
    await expect(test.sink.flush()).rejects.toMatchObject({ name: 'FencedError' })
    expect(test.bucket.uploads.size).toBe(2)
    expect(test.store.count('abortUpload')).toBe(0)
  })

  it('whose outcome is unknown keeps its uploads when the partition is taken away, and a successor publishes them', async () => {
    const test = sinkUnderTest()
    let takeEffect = () => {}
    test.store.intercept = (call, apply) => {
      if (!isClaim(call)) return apply()
      takeEffect = () => void apply()
      return new Promise(() => {})
    }
    const log = new FakeLog().appendMany(4)
    await consume(test.sink, [log])
    const flushed = test.sink.flush().catch((error: Error) => error)
    await settle()
    await test.sink.revoke([log], { drain: false })
    expect(await flushed).toMatchObject({ code: 'PARTITION_NOT_ASSIGNED' })
    expect(test.store.count('abortUpload')).toBe(0)
    expect(test.bucket.uploads.size).toBe(2)
    takeEffect()
    const successor = sinkUnderTest({ bucket: test.bucket })
    await consume(successor.sink, [log.appendMany(2)])
    await successor.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
  })

  it('that takes effect after a successor began makes the successor give way and settle it', async () => {
    const test = sinkUnderTest()
    let takeEffect = () => {}
    test.store.intercept = (call, apply) => {
      if (!isClaim(call)) return apply()
      takeEffect = () => void apply()
      return new Promise(() => {})
    }
    const log = new FakeLog().appendMany(4)
    await consume(test.sink, [log])
    void test.sink.flush().catch(() => {})
    await settle()
    const successor = sinkUnderTest({ bucket: test.bucket })
    await consume(successor.sink, [log.appendMany(3)])
    takeEffect()
    await expect(successor.sink.flush()).rejects.toMatchObject({ name: 'FencedError' })
    await consume(successor.sink, [log])
    await successor.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
  })

  it('is not made on a chain that was read more than 24 hours ago: it is read again first', async () => {
    const runtime = new ManualRuntime()
    const hung = sinkUnderTest({ time: runtime })
    const log = new FakeLog().appendMany(4)
    await consume(hung.sink, [log])
    const other = sinkUnderTest({ bucket: hung.bucket })
    await consume(other.sink, [log.appendMany(1)])
    await other.sink.close()
    // The other's entry was pruned meanwhile: only reading the chain shows that our start is taken.
    const [first] = hung.bucket.keys('groups').filter((key) => key.endsWith('.json'))
    const second = sinkUnderTest({ bucket: hung.bucket })
    await consume(second.sink, [log.appendMany(2)])
    await second.sink.close()
    hung.bucket.objects.delete(hung.bucket.keys('groups').find((key) => key.endsWith('0000.json'))!)
    expect(first).toBeDefined()
    runtime.pass(25 * hour)
    await expect(hung.sink.flush()).rejects.toMatchObject({ name: 'FencedError' })
    expect(hung.store.calls.filter(isClaim)).toEqual([])
    expect(publishedLines(hung.bucket)).toEqual(expectedLines(log))
  })

  it('goes on after 24 hours when the chain is as it was', async () => {
    const runtime = new ManualRuntime()
    const test = sinkUnderTest({ time: runtime })
    const log = new FakeLog().appendMany(4)
    await consume(test.sink, [log])
    runtime.pass(25 * hour)
    const reads = test.store.count('list')
    await test.sink.close()
    expect(test.store.count('list')).toBe(reads + 1)
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
  })

  it('tells the store until when it may be signed', async () => {
    const test = sinkUnderTest()
    const limits: (number | undefined)[] = []
    const put = test.store.putIfAbsent.bind(test.store)
    test.store.putIfAbsent = (key, body, options) => {
      if (/(genesis|groups)\/.*json$/.test(key)) limits.push(options?.signedBefore)
      return put(key, body, options)
    }
    const begun = test.runtime.now()
    await consume(test.sink, [new FakeLog().appendMany(4)])
    await test.sink.close()
    expect(limits).toEqual([begun + 24 * hour, begun + 24 * hour])
  })

  it('comes before any publication, and publication before the next claim', async () => {
    const test = sinkUnderTest({ rotation: { rows: 2 } })
    await consume(test.sink, [new FakeLog().appendMany(9)], 1)
    await test.sink.close()
    const steps = test.store.calls
      .filter((call) => isClaim(call) || call.operation === 'completeUpload')
      .map((call) => (isClaim(call) ? 'claim' : 'publish'))
    expect(steps[0]).toBe('claim')
    expect(steps.join(' ')).toMatch(/^(claim( publish)+ ?)+$/)
    expect(test.store.count('completeUpload')).toBe(test.bucket.uploadsMade)
  })

  it('leaves its uploads to others when it was refused for good', async () => {
    const test = sinkUnderTest()
    test.store.intercept = (call, apply) => {
      if (isClaim(call)) throw Object.assign(unknownOutcome(403), { outcome: 'refused', retryable: false })
      return apply()
    }
    await consume(test.sink, [new FakeLog().appendMany(4)])
    await expect(test.sink.flush()).rejects.toMatchObject({ name: 'ObjectStoreError' })
    expect(test.events.failed.length).toBe(1)
    expect(test.bucket.uploads.size).toBe(2)
  })
})
