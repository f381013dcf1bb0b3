import { expect, test } from 'vitest'
import { serviceErrorName } from '../src/index.ts'

const coded = (name: string, code: string) => Object.assign(new Error('x'), { name, code })

test.each([
  [Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  [coded('TimeoutError', 'ECONNRESET'), 'ECONNRESET'],
  [coded('ThrottlingException', 'OTHER'), 'ThrottlingException'],
  [coded('Error', 'ENOTFOUND'), 'ENOTFOUND'],
  [Object.assign(new TypeError('fetch failed'), { cause: coded('Error', 'EAI_AGAIN') }), 'EAI_AGAIN'],
  [new TypeError('x is not a function'), 'UnknownError'],
  [{ name: 'AccessDeniedException' }, 'AccessDeniedException'],
  [Object.assign(new SyntaxError('<html>'), { $response: { statusCode: 503 } }), 'ServiceUnavailable'],
  [{ name: '502', $fault: 'client', $metadata: { httpStatusCode: 502 } }, 'ServiceUnavailable'],
  [{ name: 'InternalServerException', $metadata: { httpStatusCode: 500 } }, 'InternalServerException'],
  [new SyntaxError('of a program'), 'SyntaxError'],
  ['thrown text', 'UnknownError'],
  [null, 'UnknownError'],
  [undefined, 'UnknownError'],
])('the failure %o is named %s', (error, name) => {
  expect(serviceErrorName(error)).toBe(name)
})
