import { getEventListeners } from 'node:events'
import { ConfigurationError, t } from '@stockpipe/core'
import { describe, expect, test } from 'vitest'
import {
  AthenaRequestError,
  createAthena,
  QueryNotStoppedError,
  QueryTimedOutError,
  type StatementOptions,
} from '../src/index.ts'
import { serviceException } from './fake-athena.ts'
import { type FakeServiceOptions, fakeService, orderedRuntime } from './fake-service.ts'

const columns = { n: t.int64() }

const running = (
  service: Omit<FakeServiceOptions, 'runtime'> = {},
  options: { maxConcurrentQueries?: number; onAbort?: 'stop' | 'leave' } = {},
) => {
  const runtime = orderedRuntime()
  const fake = fakeService({ runtime, ...service })
  const athena = createAthena({ client: fake.client, database: 'market', runtime, ...options })
  const select = (number: number, statement: Omit<StatementOptions, 'sql'> = {}) =>
    athena
      .query({ sql: `SELECT ${number} AS n`, columns, ...statement })
      .then(({ rows }) => Number(rows[0]?.n))
  return { runtime, fake, athena, select }
}

const numbers = (count: number) => Array.from({ length: count }, (_, number) => number)

/** From half a second to eight. */
const runMillis = (sql: string) => 500 + ((Number(/\d+/.exec(sql)![0]) * 7919) % 7500)

/** Calls of GetQueryExecution that a poll of its own would make for a query. */
const callsAlone = (endsAfter: number): number => {
  let [calls, at, delay] = [0, 0, 100]
  for (; at < endsAfter; delay = Math.min(2000, delay * 1.5)) {
    at += delay
    calls += 1
  }
  return calls
}

describe('many queries at once', () => {
  test('end right, 200 of them through 20 throttled calls, by a tenth of the status calls', async () => {
    let [calls, throttled] = [0, 0]
    const { fake, select } = running({
      runMillis,
      refuses: () => {
        calls += 1
        if (calls % 9 !== 0 || throttled === 20) return undefined
        throttled += 1
        return serviceException(throttled % 2 ? 'ThrottlingException' : 'TooManyRequestsException')
      },
    })
    expect(await Promise.all(numbers(200).map((number) => select(number)))).toEqual(numbers(200))
    expect(throttled).toBe(20)
    expect(fake.queries.size).toBe(200)
    const alone = numbers(200).reduce((sum, number) => sum + callsAlone(runMillis(`${number}`)), 0)
    const status = fake.calls('BatchGetQueryExecution') + fake.calls('GetQueryExecution')
    expect(status * 10).toBeLessThanOrEqual(alone)
  })

  test('wait where Athena takes no more, however long, and each is started once', async () => {
    const { fake, select } = running({ limit: 20, runMillis })
    expect(await Promise.all(numbers(200).map((number) => select(number)))).toEqual(numbers(200))
    expect(fake.queries.size).toBe(200)
    expect(fake.mostAtOnce()).toBe(20)
    // All but 20 are refused at first; then the limit is known, and tried again about once in twenty.
    expect(fake.calls('StartQueryExecution')).toBeLessThan(200 + 180 + 40)
  })

  test('are no more than they may be', async () => {
    const { fake, select } = running({}, { maxConcurrentQueries: 7 })
    await Promise.all(numbers(30).map((number) => select(number)))
    expect(fake.mostAtOnce()).toBe(7)
    expect(fake.calls('StartQueryExecution')).toBe(30)
    expect(() => running({}, { maxConcurrentQueries: 0 })).toThrow(ConfigurationError)
  })

  test('fail after eight refusals where it is others that run', async () => {
    const { fake, select } = running({ limit: 0 })
    await expect(select(1)).rejects.toMatchObject({
      name: 'AthenaRequestError',
      serviceError: 'TooManyRequestsException',
      retryable: true,
    })
    expect(fake.calls('StartQueryExecution')).toBe(8)
  })

  test('are asked for one by one where the caller may not ask for several', async () => {
    const { fake, select } = running({
      refuses: ({ operation }) =>
        operation === 'BatchGetQueryExecution' ? serviceException('AccessDeniedException') : undefined,
    })
    expect(await Promise.all(numbers(60).map((number) => select(number)))).toEqual(numbers(60))
    expect(fake.calls('BatchGetQueryExecution')).toBe(1)
  })

  test('do not fail with one for which Athena refuses to tell of any', async () => {
    const { fake, select } = running({
      refuses: ({ operation, input }) =>
        JSON.stringify(input).includes('"q-2"') && operation.includes('GetQueryExecution')
          ? serviceException('InvalidRequestException')
          : undefined,
    })
    const [first, second, third] = await Promise.allSettled([select(1), select(2), select(3)])
    expect([first, third]).toMatchObject([{ value: 1 }, { value: 3 }])
    expect(second).toMatchObject({ reason: { facts: { queryExecutionId: 'q-2' } } })
    expect(fake.queries.get('q-2')?.state).toBe('CANCELLED')
  })

  test('do not fail with one that Athena does not know', async () => {
    const { fake, select } = running()
    const others = [select(1), select(2)]
    const lost = select(3, { onStart: (id) => fake.queries.delete(id) })
    await expect(lost).rejects.toBeInstanceOf(AthenaRequestError)
    await expect(lost).rejects.toThrow(/GetQueryExecution for query q-3 .* was not found/)
    expect(await Promise.all(others)).toEqual([1, 2])
  })
})

describe('a query that is given up', () => {
  test('has ended on Athena when its caller is told, also one of fifty', async () => {
    const { runtime, fake, select } = running({ runMillis: () => 600_000, stopMillis: 4_000 })
    const abort = new AbortController()
    const reason = new Error('enough')
    const told = numbers(50).map((number) =>
      select(number, { signal: abort.signal }).then(
        () => 'answered',
        (error: unknown) => ({ error, states: [...fake.queries.values()].map(({ state }) => state) }),
      ),
    )
    runtime.setTimer(() => abort.abort(reason), 3_000)
    const ends = await Promise.all(told)
    expect(ends.map((end) => (end as { error: unknown }).error)).toEqual(Array(50).fill(reason))
    // Each is told once its own has ended, so the first may be told while others have not.
    expect((ends[49] as { states: string[] }).states).toEqual(Array(50).fill('CANCELLED'))
    expect(fake.running()).toBe(0)
    expect(fake.calls('StopQueryExecution')).toBe(50)
    expect(getEventListeners(abort.signal, 'abort')).toEqual([])
  })

  test('runs on where it is to be left, and its id is known', async () => {
    const { runtime, fake, select } = running({ runMillis: () => 600_000 }, { onAbort: 'leave' })
    const abort = new AbortController()
    const ids: string[] = []
    runtime.setTimer(() => abort.abort(new Error('enough')), 3_000)
    await expect(select(1, { signal: abort.signal, onStart: (id) => ids.push(id) })).rejects.toThrow('enough')
    expect(ids).toEqual(['q-1'])
    expect(fake.running()).toBe(1)
  })

  test('by its time-out is stopped, and one that waits for others is never started', async () => {
    const { fake, select } = running({ runMillis: () => 600_000 }, { maxConcurrentQueries: 1 })
    const first = select(1, { timeoutMillis: 20_000 })
    const second = select(2, { timeoutMillis: 10_000 })
    await expect(second).rejects.toThrow(
      'A query that waited to be started took longer than timeoutMillis, 10000 ms.',
    )
    await expect(first).rejects.toBeInstanceOf(QueryTimedOutError)
    await expect(first).rejects.toMatchObject({ facts: { queryExecutionId: 'q-1' } })
    expect([...fake.queries.values()].map(({ state }) => state)).toEqual(['CANCELLED'])
  })

  test('and does not end is named, with the reason as the cause', async () => {
    const { runtime, select } = running({
      runMillis: () => 600_000,
      refuses: ({ operation }) =>
        operation === 'StopQueryExecution' ? serviceException('AccessDeniedException') : undefined,
    })
    const abort = new AbortController()
    const reason = new Error('enough')
    runtime.setTimer(() => abort.abort(reason), 3_000)
    const error = await select(1, { signal: abort.signal }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(QueryNotStoppedError)
    expect(error).toMatchObject({ cause: reason, facts: { queryExecutionId: 'q-1' } })
    expect((error as Error).message).toContain(
      'may still run: Athena StopQueryExecution for query q-1 failed with',
    )
  })

  test('by the return of its rows is stopped, also while the first is waited for', async () => {
    const { fake, athena } = running({ runMillis: () => 600_000 })
    let tellStarted = () => {}
    const started = new Promise<void>((resolve) => {
      tellStarted = resolve
    })
    const rows = athena.stream({ sql: 'SELECT 1 AS n', columns, onStart: () => tellStarted() })
    const first = rows.next()
    await started
    expect(fake.running()).toBe(1)
    expect(await rows.return()).toEqual({ done: true, value: undefined })
    expect(await first).toEqual({ done: true, value: undefined })
    expect(fake.running()).toBe(0)
    expect(await rows.next()).toEqual({ done: true, value: undefined })
  })

  test('because onStart throws is stopped, and the caller gets what was thrown', async () => {
    const { fake, select } = running({ runMillis: () => 600_000 })
    const problem = new Error('no')
    const onStart = () => {
      throw problem
    }
    await expect(select(1, { onStart })).rejects.toBe(problem)
    expect([...fake.queries.values()].map(({ state }) => state)).toEqual(['CANCELLED'])
    await expect(select(2, { onStart, onAbort: 'leave' })).rejects.toBe(problem)
    expect(fake.running()).toBe(1)
  })

  test('because its state cannot be asked for is told to stop, and named', async () => {
    const { fake, select } = running({
      runMillis: () => 600_000,
      refuses: ({ operation }) =>
        operation.includes('GetQueryExecution') ? serviceException('InvalidRequestException') : undefined,
    })
    const ends = await Promise.allSettled([select(1), select(2)])
    for (const [index, end] of ends.entries()) {
      const { reason } = end as PromiseRejectedResult
      expect(reason).toBeInstanceOf(AthenaRequestError)
      expect(reason.message).toContain(`Query q-${index + 1} was told to stop.`)
      expect(reason.facts).toMatchObject({ queryExecutionId: `q-${index + 1}` })
    }
    expect([...fake.queries.values()].map(({ state }) => state)).toEqual(['CANCELLED', 'CANCELLED'])
  })

  test('while an answer to its start is lost is found by its token and stopped', async () => {
    const abort = new AbortController()
    const reason = new Error('enough')
    let lost = 0
    const { fake, select } = running({
      runMillis: () => 600_000,
      losesAnswer: ({ operation }) => {
        if (operation !== 'StartQueryExecution' || lost++ > 0) return undefined
        abort.abort(reason)
        return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
      },
    })
    await expect(select(1, { signal: abort.signal })).rejects.toBe(reason)
    expect([...fake.queries.values()].map(({ state }) => state)).toEqual(['CANCELLED'])
    const tokens = fake.sent.flatMap(({ operation, input }) =>
      operation === 'StartQueryExecution' ? [input.ClientRequestToken] : [],
    )
    expect(tokens).toEqual(Array(2).fill(tokens[0]))
  })

  test('while its start is not answered at all is found by its token and stopped', async () => {
    let starts = 0
    const { runtime, fake, select } = running({
      runMillis: () => 600_000,
      hangs: ({ operation }) => operation === 'StartQueryExecution' && starts++ === 0,
    })
    const abort = new AbortController()
    const reason = new Error('enough')
    runtime.setTimer(() => abort.abort(reason), 1_000)
    await expect(select(1, { signal: abort.signal })).rejects.toBe(reason)
    expect([...fake.queries.values()].map(({ state }) => state)).toEqual(['CANCELLED'])
    expect(fake.calls('StartQueryExecution')).toBe(2)
  })

  test('while Athena has too many, after a start whose answer was lost, is found and stopped', async () => {
    const abort = new AbortController()
    const reason = new Error('enough')
    let starts = 0
    const { fake, select } = running({
      runMillis: () => 600_000,
      refuses: ({ operation }) => {
        if (operation !== 'StartQueryExecution' || ++starts !== 2) return undefined
        abort.abort(reason)
        return Object.assign(serviceException('TooManyRequestsException'), {
          Reason: 'CONCURRENT_QUERY_LIMIT_EXCEEDED',
        })
      },
      losesAnswer: ({ operation }) =>
        operation === 'StartQueryExecution' && starts === 1
          ? Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
          : undefined,
    })
    await expect(select(1, { signal: abort.signal })).rejects.toBe(reason)
    expect([...fake.queries.values()].map(({ state }) => state)).toEqual(['CANCELLED'])
  })

  test.each(['queued', 'throttled'])('while it is %s is never started', async (why) => {
    const { runtime, fake, select } = running(
      {
        runMillis: () => 20_000,
        refuses: ({ operation, input }) =>
          operation === 'StartQueryExecution' && why === 'throttled' && input.QueryString.includes('2')
            ? serviceException('ThrottlingException')
            : undefined,
      },
      why === 'queued' ? { maxConcurrentQueries: 1 } : {},
    )
    const abort = new AbortController()
    const reason = new Error('enough')
    const first = select(1)
    const second = select(2, { signal: abort.signal })
    runtime.setTimer(() => abort.abort(reason), 300)
    await expect(second).rejects.toBe(reason)
    expect(runtime.monotonic()).toBeLessThan(1_000)
    expect(await first).toBe(1)
    expect(await select(3)).toBe(3) // its place is free
    expect([...fake.queries.values()].map(({ sql }) => sql)).toEqual(['SELECT 1 AS n', 'SELECT 3 AS n'])
    expect(getEventListeners(abort.signal, 'abort')).toEqual([])
  })

  test('while it was being started, and cannot be found again, is named by its token', async () => {
    const abort = new AbortController()
    let starts = 0
    const { fake, select } = running({
      runMillis: () => 600_000,
      losesAnswer: ({ operation }) => {
        if (operation !== 'StartQueryExecution') return undefined
        if (starts++ === 0) abort.abort(new Error('enough'))
        return Object.assign(new Error('write'), { code: 'EPIPE' })
      },
    })
    const error = await select(1, { signal: abort.signal }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(QueryNotStoppedError)
    const { input } = fake.sent[0]!
    expect((error as Error).message).toContain(`under the client request token ${input.ClientRequestToken}`)
    expect(error).toMatchObject({
      cause: new Error('enough'),
      facts: { clientRequestToken: input.ClientRequestToken },
    })
  })

  test('leaves nothing at a signal that lives longer, nor does one that ends', async () => {
    const { athena, select } = running()
    const { signal } = new AbortController()
    await select(1, { signal })
    for await (const { n } of athena.stream({ sql: 'SELECT 2 AS n', columns, signal })) expect(n).toBe(2n)
    for await (const _ of athena.stream({ sql: 'SELECT 3 AS n', columns, signal })) break
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})

describe('a connection that fails', () => {
  const failures = [
    Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' }),
    Object.assign(new Error('read ECONNRESET'), { name: 'TimeoutError', code: 'ECONNRESET' }),
    Object.assign(new SyntaxError('Unexpected token <'), { $response: { statusCode: 503 } }),
    Object.assign(new TypeError('fetch failed'), {
      cause: Object.assign(new Error('x'), { code: 'EAI_AGAIN' }),
    }),
    Object.assign(new Error('socket hang up'), { code: 'EPIPE' }),
  ]

  test.each(failures)('%o is tried again, and a start keeps its token', async (failure) => {
    let calls = 0
    const { fake, select } = running({ refuses: () => (++calls % 2 ? failure : undefined) })
    expect(await select(1)).toBe(1)
    const starts = fake.sent.filter(({ operation }) => operation === 'StartQueryExecution')
    expect(starts).toHaveLength(2)
    expect(starts[0]!.input.ClientRequestToken).toBe(starts[1]!.input.ClientRequestToken)
  })

  test.each([
    Object.assign(new Error('no credentials'), { name: 'CredentialsProviderError' }),
    Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
    serviceException('AccessDeniedException'),
  ])('before anything was sent is told without one: %o', async (failure) => {
    const { select } = running({ refuses: () => failure })
    const error = (await select(1).catch((thrown: unknown) => thrown)) as AthenaRequestError
    expect(error).toBeInstanceOf(AthenaRequestError)
    expect(error.message).not.toContain('token')
    expect(error.facts).not.toHaveProperty('clientRequestToken')
  })

  test.each(['BatchGetQueryExecution', 'GetQueryExecution', 'GetQueryResults'])(
    'without a word during %s is given up, and the call made again',
    async (silent) => {
      let calls = 0
      const { runtime, fake, select } = running({
        hangs: ({ operation }) => operation === silent && calls++ === 0,
      })
      const many = silent === 'BatchGetQueryExecution' ? [1, 2] : [1]
      expect(await Promise.all(many.map((number) => select(number)))).toEqual(many)
      expect(fake.calls(silent)).toBeGreaterThan(1)
      expect(runtime.monotonic()).toBeGreaterThan(30_000)
    },
  )

  test('for good is told with the token under which the query may run all the same', async () => {
    const { fake, select } = running({
      losesAnswer: () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }),
    })
    const error = await select(1).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(AthenaRequestError)
    const { input } = fake.sent[0]!
    expect(error).toMatchObject({
      retryable: true,
      serviceError: 'ECONNRESET',
      facts: { clientRequestToken: input.ClientRequestToken },
    })
    expect((error as Error).message).toContain('It may have started the query all the same')
    expect(fake.queries.size).toBe(1)
  })
})
