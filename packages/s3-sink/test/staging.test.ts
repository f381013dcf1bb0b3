import { getEventListeners } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { consume, FakeLog } from './sink/fake-log.ts'
import { settle } from './sink/manual-runtime.ts'
import { refusal, unknownOutcome } from './sink/memory-object-store.ts'
import { expectedLines, publishedLines, sinkUnderTest } from './sink/sink-fixture.ts'

describe('staging', () => {
  it('never sends a part number twice: a repeat takes the next one, and the entry names what was sent', async () => {
    const test = sinkUnderTest()
    let seen = 0
    test.store.intercept = (call, apply) => {
      if (call.operation !== 'uploadPart') return apply()
      seen += 1
      if (seen % 3 === 1) return apply()
      if (seen % 3 === 2) apply()
      throw unknownOutcome()
    }
    const log = new FakeLog().appendMany(16)
    await consume(test.sink, [log])
    await test.sink.close()
    expect(test.bucket.partsSentTwice).toEqual([])
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
    const entry = JSON.parse(
      test.bucket.text(test.bucket.keys('.json').find((key) => key.includes('groups'))!)!,
    )
    const numbers = entry.files[0].parts.map((part: { partNumber: number }) => part.partNumber)
    expect(numbers.at(-1)).toBeGreaterThan(numbers.length)
  })

  it("leaves nothing behind on its partition's signal, however many groups are cut", async () => {
    const derived = vi.spyOn(AbortSignal, 'any')
    const aborted = vi.spyOn(AbortSignal.prototype, 'addEventListener')
    const test = sinkUnderTest()
    const log = new FakeLog()
    await test.sink.assign([log.assigned], { generation: 1 })
    for (let group = 0; group < 12; group += 1) {
      const from = log.logEnd
      await test.sink.write(log.appendMany(2).block(from))
      await test.sink.flush()
    }
    expect(test.bucket.keys('.parquet')).toHaveLength(24)
    expect(derived).not.toHaveBeenCalled()
    const signals = new Set(aborted.mock.contexts as AbortSignal[])
    expect([...signals].flatMap((signal) => getEventListeners(signal, 'abort'))).toEqual([])
    vi.restoreAllMocks()
    await test.sink.close()
  })

  it('claims nothing when a store has freed a part and says then that it failed', async () => {
    const test = sinkUnderTest()
    const uploadPart = test.store.uploadPart.bind(test.store)
    let parts = 0
    test.store.uploadPart = async (key, uploadId, partNumber, body, options) => {
      const answer = await uploadPart(key, uploadId, partNumber, body, options)
      parts += 1
      if (parts > 1) return answer
      structuredClone(body.buffer, { transfer: [body.buffer as ArrayBuffer] })
      throw unknownOutcome()
    }
    await consume(test.sink, [new FakeLog().appendMany(9)])
    await expect(test.sink.flush()).rejects.toMatchObject({ code: 'STAGING_INCOMPLETE' })
    expect(test.bucket.keys('groups')).toEqual([])
    expect(test.bucket.keys('.parquet')).toEqual([])
  })

  it('is invisible until the claim', async () => {
    const test = sinkUnderTest()
    test.store.intercept = (call, apply) => {
      if (call.operation === 'uploadPart' || call.key.includes('groups')) {
        expect(test.bucket.keys('ticks/ticker=')).toEqual([])
      }
      return apply()
    }
    await consume(test.sink, [new FakeLog().appendMany(9)])
    await test.sink.close()
    expect(test.bucket.keys('ticks/ticker=').length).toBe(2)
  })

  it('that fails aborts its uploads, because no claim was sent', async () => {
    const test = sinkUnderTest()
    test.store.intercept = (call, apply) => {
      if (call.operation === 'uploadPart' && call.key.includes('ticker=b')) throw refusal(400)
      return apply()
    }
    const log = new FakeLog().appendMany(9)
    await consume(test.sink, [log])
    await expect(test.sink.flush()).rejects.toMatchObject({ name: 'ObjectStoreError', status: 400 })
    expect(test.bucket.uploads.size).toBe(0)
    expect(test.bucket.keys('groups')).toEqual([])
    expect(test.events.failed.length).toBe(1)
  })

  it('that is given up by a revocation aborts its uploads, because no claim was sent', async () => {
    const test = sinkUnderTest()
    test.store.intercept = (call, apply) =>
      call.operation === 'uploadPart' && call.key.includes('ticker=b') ? new Promise(() => {}) : apply()
    const log = new FakeLog().appendMany(9)
    await consume(test.sink, [log])
    const flushed = test.sink.flush().catch(() => {})
    await settle()
    await test.sink.revoke([log], { drain: false })
    await flushed
    expect(test.bucket.uploads.size).toBe(0)
    expect(test.events.failed).toEqual([])
  })

  it('names files by topic, partition, start, sink and claim id, and says so in their metadata', async () => {
    const test = sinkUnderTest({ writer: 'host-1' })
    await consume(test.sink, [new FakeLog(2).append('-nobody', 'a#1')])
    await test.sink.close()
    const [entryKey] = test.bucket.keys('groups/ticks/2/').filter((key) => key.endsWith('.json'))
    expect(entryKey).toBe(
      '_stockpipe/journal/market/groups/ticks/2/9223372036854775807-0000000000000000000.json',
    )
    const { claimId } = JSON.parse(test.bucket.text(entryKey!)!)
    const name = `ticks-2-0000000000000000000-e4d693d2${claimId.slice(0, 12)}.parquet`
    const keys = [`ticks/ticker=__HIVE_DEFAULT_PARTITION__/${name}`, `ticks/ticker=a/${name}`]
    expect(test.bucket.keys('.parquet').sort()).toEqual(keys)
    expect(test.bucket.objects.get(keys[1]!)).toMatchObject({
      metadata: { sink: 'market', writer: 'host-1', 'claim-id': claimId, start: '0' },
      contentType: 'application/vnd.apache.parquet',
    })
    expect(test.bucket.objects.get(entryKey!)!.contentType).toBe('application/json')
  })

  it('takes a new claim id for the same offsets', async () => {
    const log = new FakeLog().appendMany(4)
    const first = sinkUnderTest()
    first.store.intercept = (call, apply) =>
      call.operation === 'putIfAbsent' && call.key.includes('groups') ? new Promise(() => {}) : apply()
    await consume(first.sink, [log])
    void first.sink.flush()
    await settle()
    const second = sinkUnderTest({ bucket: first.bucket })
    await consume(second.sink, [log])
    await second.sink.close()
    const staged = [...first.bucket.uploads.values()].map(({ key }) => key)
    const published = first.bucket.keys('.parquet')
    expect(staged.length + published.length).toBe(4)
    expect(new Set([...staged, ...published]).size).toBe(4)
  })
})
