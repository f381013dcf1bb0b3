import { expect, test } from 'vitest'
import { request } from '../src/glue-request.ts'
import { GlueRequestError } from '../src/index.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const coded = (code: string) => Object.assign(new Error(`connect ${code}`), { code })

/** What a call ends with that fails so many times, and how often it was made. */
const made = async (failure: Error, failures: number) => {
  let calls = 0
  const call = { client: { send: () => expect.fail() } as never, runtime: virtualRuntime() }
  const end = await request(call, 'GetTable', 'table t', async () => {
    if (calls++ < failures) throw failure
    return { Table: {} }
  }).catch((error: unknown) => error)
  return { calls, end }
}

test.each([
  coded('ECONNREFUSED'),
  coded('EAI_AGAIN'),
  coded('EHOSTUNREACH'),
  Object.assign(new TypeError('fetch failed'), { cause: coded('ECONNRESET') }),
  Object.assign(new SyntaxError('Unexpected token <'), { $response: { statusCode: 503 } }),
])('a call is made again after %o', async (failure) => {
  expect(await made(failure, 2)).toEqual({ calls: 3, end: { Table: {} } })
})

test('where nothing listens that is told after five attempts, and a host without an address at once', async () => {
  const refused = await made(coded('ECONNREFUSED'), 99)
  expect(refused.calls).toBe(5)
  expect(refused.end).toBeInstanceOf(GlueRequestError)
  expect(refused.end).toMatchObject({ retryable: true, serviceError: 'ECONNREFUSED' })
  const unknown = await made(coded('ENOTFOUND'), 99)
  expect(unknown.calls).toBe(1)
  expect(unknown.end).toMatchObject({ retryable: false, serviceError: 'ENOTFOUND' })
})
