import { getEventListeners } from 'node:events'
import { Readable } from 'node:stream'
import { S3Client } from '@aws-sdk/client-s3'
import { describe, expect, it, vi } from 'vitest'
import { createS3ObjectStore } from '../src/object-store.ts'
import { ManualRuntime } from './sink/manual-runtime.ts'

interface Answer {
  readonly status?: number
  readonly body?: string
  readonly headers?: Record<string, string>
}

/** The store over a client whose every request gets the answers in turn, the last one for ever. */
const storeAnswering = (...answers: readonly (Answer | Error)[]) => {
  const requests: { method: string; headers: Record<string, string> }[] = []
  const client = new S3Client({
    region: 'us-east-1',
    endpoint: 'http://s3.test',
    forcePathStyle: true,
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    requestHandler: {
      handle: async (request: { method: string; headers: Record<string, string> }) => {
        const answer = answers[Math.min(requests.length, answers.length - 1)]!
        requests.push(request)
        if (answer instanceof Error) throw answer
        const { status = 200, body = '', headers = {} } = answer
        return { response: { statusCode: status, headers, body: Readable.from([Buffer.from(body)]) } }
      },
    } as never,
  })
  return { requests, store: createS3ObjectStore({ client, bucket: 'lake' }) }
}

const failure = (status: number, code: string): Answer => ({
  status,
  body: `<Error><Code>${code}</Code></Error>`,
})
const parts = [{ partNumber: 1, etag: '"a"' }]

describe('the object store over the S3 client', () => {
  it('makes every call once, whatever the client retries', async () => {
    const { store, requests } = storeAnswering(failure(503, 'SlowDown'))
    await expect(store.get('a')).rejects.toMatchObject({ outcome: 'unknown', retryable: true, status: 503 })
    await expect(store.uploadPart('a', 'u', 1, new Uint8Array(3))).rejects.toMatchObject({
      outcome: 'unknown',
    })
    expect(requests.length).toBe(2)
  })

  it('finds the error in the body of a completion that was answered 200', async () => {
    const { store, requests } = storeAnswering({
      body: '<?xml version="1.0"?><Error><Code>InternalError</Code></Error>',
    })
    await expect(store.completeUpload('a', 'u', parts)).rejects.toMatchObject({
      outcome: 'unknown',
      retryable: true,
    })
    expect(requests.length).toBe(1)
  })

  it('takes a completion without an ETag for no answer', async () => {
    const { store } = storeAnswering({ body: '' })
    await expect(store.completeUpload('a', 'u', parts)).rejects.toMatchObject({ outcome: 'unknown' })
  })

  it.each([
    [403, 'AccessDenied', 'refused', false],
    [400, 'InvalidPart', 'refused', false],
    [404, 'NoSuchBucket', 'refused', false],
    [409, 'ConditionalRequestConflict', 'refused', true],
    [400, 'ExpiredToken', 'refused', true],
    [400, 'TokenRefreshRequired', 'refused', true],
    [403, 'RequestExpired', 'refused', true],
    [400, 'InvalidToken', 'refused', false],
    [400, 'RequestTimeout', 'refused', true],
    [507, 'InsufficientStorage', 'unknown', true],
    [301, 'PermanentRedirect', 'refused', false],
    [400, 'AuthorizationHeaderMalformed', 'refused', false],
    [307, 'TemporaryRedirect', 'unknown', true],
    [500, 'InternalError', 'unknown', true],
  ])('takes %i %s for %s (retryable: %s)', async (status, code, outcome, retryable) => {
    const { store } = storeAnswering(failure(status, code))
    await expect(store.completeUpload('a', 'u', parts)).rejects.toMatchObject({ outcome, retryable, status })
  })

  it('takes a lost connection for an unknown outcome', async () => {
    const { store } = storeAnswering(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }))
    await expect(store.putIfAbsent('a', new Uint8Array(1))).rejects.toMatchObject({ outcome: 'unknown' })
  })

  it('says what the SDK says: of S3, of the system, of what was never sent', async () => {
    const told = async (answer: Answer | Error) =>
      (await storeAnswering(answer)
        .store.list('a')
        [Symbol.asyncIterator]()
        .next()
        .catch((error: Error) => error)) as Error
    const refused = {
      status: 400,
      body: '<Error><Code>InvalidRequest</Code><Message>No such thing.</Message></Error>',
    }
    expect((await told(refused)).message).toContain('was refused: 400 InvalidRequest: No such thing.')
    const system = (code: string, text: string) => Object.assign(new Error(text), { code })
    const away = await told(system('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:9'))
    expect(away).toMatchObject({ outcome: 'unknown', retryable: true })
    expect(away.message).toMatch(/was not sent: ECONNREFUSED: connect ECONNREFUSED 127\.0\.0\.1:9\.$/)
    const lost = await told(system('ECONNRESET', 'socket hang up'))
    expect(lost.message).toContain('no certain answer (ECONNRESET: socket hang up); it may have taken effect')
    const client = new S3Client({
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
      region: async () => {
        throw new Error('Region is missing')
      },
    })
    const nowhere = await createS3ObjectStore({ client, bucket: 'lake' })
      .get('a')
      .catch((error: Error) => error)
    expect((nowhere as Error).message).toContain('Region is missing')
    expect((await told(failure(301, 'PermanentRedirect'))).message).toContain('another region')
  })

  it("leaves nothing behind on a caller's signal, however many calls are made", async () => {
    const derived = vi.spyOn(AbortSignal, 'any')
    const { store } = storeAnswering({ status: 404 })
    const { signal } = new AbortController()
    for (let call = 0; call < 20; call += 1) await store.get('a', { signal })
    expect(derived).not.toHaveBeenCalled()
    // A derived signal with a listener is never collected before it aborts.
    expect(getEventListeners(signal, 'abort')).toEqual([])
    derived.mockRestore()
  })

  it("passes the abort of a caller's signal on to the call under way", async () => {
    const client = new S3Client({
      region: 'us-east-1',
      endpoint: 'http://s3.test',
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
      requestHandler: {
        handle: (_: unknown, { abortSignal }: { abortSignal: AbortSignal }) =>
          new Promise((_resolve, reject) => {
            abortSignal.onabort = () => reject(new Error('aborted'))
          }),
      } as never,
    })
    const store = createS3ObjectStore({ client, bucket: 'lake' })
    const caller = new AbortController()
    const calls = [1, 2].map(() => store.get('a', { signal: caller.signal }).catch((error: unknown) => error))
    await new Promise((resolve) => setTimeout(resolve, 20))
    const reason = new Error('enough')
    caller.abort(reason)
    expect(await Promise.all(calls)).toEqual([reason, reason])
  })

  it('answers what S3 says by status: taken, gone, absent', async () => {
    expect(
      await storeAnswering(failure(412, 'PreconditionFailed')).store.putIfAbsent('a', new Uint8Array(1)),
    ).toBe('exists')
    expect(await storeAnswering(failure(404, 'NoSuchUpload')).store.completeUpload('a', 'u', parts)).toBe(
      'gone',
    )
    expect(await storeAnswering({ status: 404 }).store.head('a')).toBeUndefined()
    await storeAnswering(failure(404, 'NoSuchUpload')).store.abortUpload('a', 'u')
  })

  it("puts with If-None-Match and rejects with the caller's reason when its signal aborts", async () => {
    const { store, requests } = storeAnswering({})
    await store.putIfAbsent('a', new Uint8Array(1))
    expect(requests[0]!.headers['if-none-match']).toBe('*')
    const reason = new Error('enough')
    await expect(store.get('a', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('never sends a claim signed for another time than the clock says', async () => {
    const requests: unknown[] = []
    const client = new S3Client({
      region: 'us-east-1',
      endpoint: 'http://s3.test',
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
      // As the SDK sets it when it has seen a clock that is off.
      systemClockOffset: 2 * 3_600_000,
      requestHandler: {
        handle: async (request: unknown) => {
          requests.push(request)
          throw new Error('sent')
        },
      } as never,
    })
    const clock = Object.assign(new ManualRuntime(), { now: () => Date.now() })
    const store = createS3ObjectStore({ client, bucket: 'lake', runtime: clock })
    const signedBefore = Date.now() + 24 * 3_600_000
    await expect(store.putIfAbsent('a', new Uint8Array(1), { signedBefore })).rejects.toMatchObject({
      code: 'CLOCK_OFF',
    })
    await expect(
      store.putIfAbsent('a', new Uint8Array(1), { signedBefore: Date.now() + 3_600_000 }),
    ).rejects.toMatchObject({ code: 'SIGNED_TOO_LATE' })
    expect(requests).toEqual([])
  })

  it('refuses a directory bucket', () => {
    const client = new S3Client({ region: 'us-east-1' })
    expect(() => createS3ObjectStore({ client, bucket: 'lake--use1-az4--x-s3' })).toThrow(
      expect.objectContaining({ code: 'DIRECTORY_BUCKET' }),
    )
  })
})
