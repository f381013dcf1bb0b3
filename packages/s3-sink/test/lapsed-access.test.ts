import { channels } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { ObjectStoreError } from '../src/errors.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { heardOn } from './sink/heard.ts'
import { settle } from './sink/manual-runtime.ts'
import { refusal, type StoreCall } from './sink/memory-object-store.ts'
import { expectedLines, publishedLines, type SinkUnderTest, sinkUnderTest } from './sink/sink-fixture.ts'

const named = (name: string, status: number, retryable = false) =>
  new ObjectStoreError({
    code: 'OBJECT_STORE_REFUSED',
    message: `refused: ${status} ${name}`,
    outcome: 'refused',
    retryable,
    status,
    facts: { name, status },
  })

/** A sink that has published a group of its own. */
const proven = async (options: Parameters<typeof sinkUnderTest>[0] = {}) => {
  const test = sinkUnderTest({ rotation: { rows: 2 }, ...options })
  const log = new FakeLog().appendMany(2)
  await consume(test.sink, [log])
  await test.sink.flush()
  return { ...test, log }
}

/** Refuses calls until told otherwise; answers how many it refused. */
const refuse = (test: SinkUnderTest, error: Error, which: (call: StoreCall) => boolean = () => true) => {
  let refused = 0
  test.store.intercept = (call, apply) => {
    if (!which(call)) return apply()
    refused += 1
    throw error
  }
  return {
    get refused() {
      return refused
    },
    end: () => {
      test.store.intercept = (_, apply) => apply()
    },
  }
}

describe('access that worked and is refused', () => {
  it.each([
    ['403 without a name', refusal(403)],
    ['403 AccessDenied', named('AccessDenied', 403)],
    ['403 InvalidAccessKeyId', named('InvalidAccessKeyId', 403)],
    ['400 ExpiredToken', named('ExpiredToken', 400, true)],
    ['400 InvalidToken', named('InvalidToken', 400)],
    ['400 TokenRefreshRequired', named('TokenRefreshRequired', 400)],
  ])('is waited out, and nothing is lost or doubled: %s', async (_, error) => {
    const test = await proven()
    const outage = refuse(test, error)
    test.log.appendMany(2)
    await test.sink.write(test.log.block(2n))
    await settle()
    expect(outage.refused).toBeGreaterThan(3)
    expect(test.events.failed).toEqual([])
    outage.end()
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(test.log))
  })

  it.each(['createUpload', 'uploadPart', 'putIfAbsent', 'completeUpload'] as const)(
    'is waited out at %s',
    async (operation) => {
      const test = await proven()
      const outage = refuse(test, refusal(403), (call) => call.operation === operation)
      test.log.appendMany(2)
      await test.sink.write(test.log.block(2n))
      await settle()
      expect(outage.refused).toBeGreaterThan(3)
      outage.end()
      await test.sink.close()
      expect(test.events.failed).toEqual([])
      expect(publishedLines(test.bucket)).toEqual(expectedLines(test.log))
    },
  )

  it('is waited out by a partition log that is assigned meanwhile', async () => {
    const test = await proven()
    const outage = refuse(test, refusal(403), (call) => call.operation === 'list')
    const other = new FakeLog(1).appendMany(2)
    const assigned = consume(test.sink, [other])
    await settle()
    expect(outage.refused).toBeGreaterThan(3)
    outage.end()
    await assigned
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(test.log, other))
  })

  it('is warned of once a period, with what was refused and what to do, and once when it is over', async () => {
    const told: string[] = []
    const logger = {
      info: (text: string) => told.push(text),
      warn: (text: string) => told.push(text),
      error() {},
    }
    const test = await proven({ logger })
    const outage = refuse(test, named('AccessDenied', 403))
    const begun = test.runtime.monotonic()
    test.log.appendMany(2)
    await test.sink.write(test.log.block(2n))
    while (test.runtime.monotonic() - begun < 11 * 60_000) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    outage.end()
    await test.sink.close()
    const warnings = told.filter((text) => text.includes('refuse'))
    expect(warnings).toHaveLength(3)
    expect(warnings[0]).toMatch(/market.*CreateMultipartUpload.*403 AccessDenied.*[Rr]enew the credentials/)
    expect(warnings[2]).toMatch(/for 10 min/)
    expect(told.at(-1)).toMatch(/access works again after 1\d min/)
    expect(outage.refused).toBeGreaterThan(20)
  })

  it('shows in the telemetry of retries by its own code', async () => {
    const retries = heardOn(channels.s3Sink.retry)
    const test = await proven()
    const outage = refuse(test, refusal(403))
    test.log.appendMany(2)
    await test.sink.write(test.log.block(2n))
    await settle()
    outage.end()
    await test.sink.close()
    expect(new Set(retries.map(({ code }) => code))).toEqual(new Set(['ACCESS_LAPSED']))
  })

  it('keeps memory bounded: writes wait at the budget', async () => {
    const test = await proven({ memory: 300, rotation: { rows: 1_000_000 } })
    const outage = refuse(test, refusal(403))
    test.log.appendMany(200)
    let taken = 2n
    const writing = (async () => {
      for (; taken < 202n; taken += 2n) await test.sink.write(test.log.block(taken, 2))
    })()
    await settle()
    await settle()
    expect(taken).toBeLessThan(100n)
    const { usedBytes, limitBytes } = test.sink.memory()
    expect(usedBytes).toBeLessThanOrEqual(limitBytes)
    expect(test.events.full.length).toBeGreaterThan(0)
    outage.end()
    await writing
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(test.log))
  })

  it('does not keep a sink from giving its partition logs up', async () => {
    const test = await proven()
    refuse(test, refusal(403))
    test.log.appendMany(2)
    await test.sink.write(test.log.block(2n))
    await settle()
    await test.sink.revoke([test.log.assigned], { drain: false })
    expect(test.events.failed).toEqual([])
    await test.sink.close()
  })

  it('is waited out by the registrar too, once it has registered a partition', async () => {
    let denied = false
    let calls = 0
    const registrar = {
      register: async () => {
        calls += 1
        if (denied)
          throw Object.assign(new Error('denied'), {
            name: 'GlueRequestError',
            cause: { name: 'ExpiredTokenException' },
          })
      },
    }
    const test = await proven({ registrar })
    denied = true
    test.log.append('zebra').append('zoo')
    await test.sink.write(test.log.block(2n))
    await settle()
    expect(calls).toBeGreaterThan(4)
    denied = false
    await test.sink.close()
    expect(test.events.failed).toEqual([])
  })
})

describe('access that never worked', () => {
  const assign = (test: SinkUnderTest) =>
    test.sink.assign([new FakeLog().appendMany(2).assigned], { generation: 1 })

  it.each([
    ['the probe', (call: StoreCall) => call.operation === 'putIfAbsent', 1],
    ['the genesis', (call: StoreCall) => call.key.includes('genesis') && call.operation === 'putIfAbsent', 1],
    ['reading the journal', (call: StoreCall) => call.operation === 'list', 1],
  ])('is an error at once at %s', async (_, which, calls) => {
    const test = sinkUnderTest()
    const outage = refuse(test, refusal(403), which)
    await expect(assign(test)).rejects.toMatchObject({ name: 'ObjectStoreError', status: 403 })
    expect(outage.refused).toBe(calls)
    await test.sink.close()
  })

  it('ends the partition log at its first group', async () => {
    const test = sinkUnderTest()
    await consume(test.sink, [new FakeLog().appendMany(2)])
    refuse(test, refusal(403), (call) => call.operation === 'createUpload')
    await expect(test.sink.flush()).rejects.toMatchObject({ status: 403 })
    expect(test.events.failed).toHaveLength(1)
    await test.sink.close()
  })

  it('is told at once by housekeeping, which does without it', async () => {
    const test = await proven({ cleaner: { everyMillis: 1_000 } })
    const outage = refuse(test, refusal(403), (call) => call.operation === 'listUploads')
    await test.runtime.advance(1_000)
    expect(outage.refused).toBe(1)
    await test.sink.close()
  })
})
