import { describe, expect, it } from 'vitest'
import { decodeHeaders, encodeHeaders, type RecordHeaders } from '../src/record-headers.ts'

/** Collects headers as kafkajs 2.2.4 does: a first value of a name that every object inherits follows what is inherited. */
const asKafkajsReads = (pairs: readonly (readonly [string, Uint8Array | string])[]): RecordHeaders => {
  let headers: Record<string, unknown> = {}
  for (const [key, value] of pairs) {
    const known = headers[key]
    const next = known === undefined ? value : Array.isArray(known) ? known.concat([value]) : [known, value]
    headers = { ...headers, [key]: next }
  }
  return headers as RecordHeaders
}

const read = (headers: RecordHeaders) =>
  decodeHeaders(encodeHeaders(headers)).map(([key, value]) => [key, value && Buffer.from(value).toString()])

describe('record headers', () => {
  it('come back in order, repeated names and headers without a value among them', () => {
    expect(read({ trace: ['a', Buffer.from('b')], empty: '', none: undefined })).toEqual([
      ['trace', 'a'],
      ['trace', 'b'],
      ['empty', ''],
      ['none', null],
    ])
  })

  it('may be as large as a record', () => {
    const large = new Uint8Array(1_000_000).map((_, index) => index % 251)
    const [[, value], [name]] = decodeHeaders(encodeHeaders({ large, ['n'.repeat(300_000)]: 'x' })) as [
      [string, Uint8Array],
      [string, Uint8Array],
    ]
    expect(Buffer.compare(value, large)).toBe(0)
    expect(name).toHaveLength(300_000)
  })

  it.each(['__proto__', 'constructor', 'toString', 'valueOf'])(
    'named %s, as every object inherits something by, have the values they were sent with',
    (name) => {
      const sent = asKafkajsReads([
        [name, Buffer.from('first')],
        [name, Buffer.from('second')],
      ])
      expect(read(sent)).toEqual([
        [name, 'first'],
        [name, 'second'],
      ])
    },
  )
})
