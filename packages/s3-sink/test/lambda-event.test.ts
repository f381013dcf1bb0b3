import { decodeHeaders, packedAt, type RecordBlock, recordOffset } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { type KafkaLambdaEvent, recordBlocksOfLambdaEvent } from '../src/index.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const record = (offset: number, value: string | null = `v${offset}`, more: object = {}) => ({
  topic: 'ticks',
  partition: 0,
  offset,
  timestamp: 1_700_000_000_000 + offset,
  timestampType: 'CREATE_TIME',
  ...(value === null ? {} : { value: base64(value) }),
  ...more,
})
const event = (records: unknown): KafkaLambdaEvent => ({ eventSource: 'aws:kafka', records }) as never
const text = (block: RecordBlock, index: number) => {
  const bytes = packedAt(block.values, index)
  return bytes && Buffer.from(bytes).toString()
}

describe('the blocks of a Lambda event', () => {
  it('hold every record of each partition log, from the first to the last', () => {
    const blocks = recordBlocksOfLambdaEvent(
      event({
        'ticks-0': [record(7, 'a', { key: base64('k') }), record(8), record(11, '')],
        'ticks-1': [record(3, 'z', { partition: 1 })],
      }),
    )
    expect(blocks).toMatchObject([
      { topic: 'ticks', partition: 0, firstOffset: 7n, nextOffset: 12n, count: 3 },
      { topic: 'ticks', partition: 1, firstOffset: 3n, nextOffset: 4n, count: 1 },
    ])
    const [first] = blocks
    expect([0, 1, 2].map((index) => [recordOffset(first!, index), text(first!, index)])).toEqual([
      [7n, 'a'],
      [8n, 'v8'],
      [11n, ''],
    ])
    expect(first!.timestamps[2]).toBe(1_700_000_000_011)
    expect(Buffer.from(packedAt(first!.keys, 0)!).toString()).toBe('k')
    expect(packedAt(first!.keys, 1)).toBeNull()
  })

  it('keep a value that is null apart from an empty one', () => {
    const [block] = recordBlocksOfLambdaEvent(
      event({ 'ticks-0': [record(0, null), record(1, ''), { ...record(2), value: null }] }),
    )
    expect([0, 1, 2].map((index) => text(block!, index))).toEqual([null, '', null])
  })

  it('keep headers, repeated ones and null ones too, their bytes signed or not', () => {
    const headers = [{ trace: [104, 105] }, { trace: [-1, 255] }, { none: null }, { __proto__x: [] }]
    const [block] = recordBlocksOfLambdaEvent(event({ 'ticks-0': [record(0, 'a', { headers })] }))
    expect(
      decodeHeaders(packedAt(block!.headers!, 0)!).map(([name, value]) => [name, value && [...value]]),
    ).toEqual([
      ['trace', [104, 105]],
      ['trace', [255, 255]],
      ['none', null],
      ['__proto__x', []],
    ])
  })

  it('are told by the records, not by the name of their list, and in the order of offsets', () => {
    const blocks = recordBlocksOfLambdaEvent(
      event({ 'ticks-9': [record(5), record(4)], other: [record(6)], empty: [] }),
    )
    expect(blocks).toMatchObject([
      { topic: 'ticks', partition: 0, firstOffset: 4n, nextOffset: 7n, count: 3 },
    ])
  })

  it('keep a timestamp below 0: -1 is how Kafka says that there is none', () => {
    const [block] = recordBlocksOfLambdaEvent(event({ t: [record(0, 'a', { timestamp: -1 })] }))
    expect([...block!.timestamps]).toEqual([-1])
  })

  it('of an event without records are none', () => {
    expect(recordBlocksOfLambdaEvent(event({}))).toEqual([])
  })

  it.each<[unknown, RegExp]>([
    [null, /the event is null, not an object/],
    [{}, /records is missing/],
    [{ records: [] }, /records is \[\], not an object/],
    [{ records: { 'ticks-0': {} } }, /records\["ticks-0"\] is \{\}, not a list/],
    [{ records: { t: [1] } }, /records\["t"\]\[0\] is 1, not an object/],
    [{ records: { t: [record(0, 'a', { topic: undefined })] } }, /\[0\]\.topic is missing/],
    [{ records: { t: [record(0, 'a', { offset: '3' })] } }, /offset is "3", not a whole number/],
    [{ records: { t: [record(0, 'a', { offset: 2 ** 53 })] } }, /offset is 9007199254740992/],
    [{ records: { t: [record(0, 'a', { partition: -1 })] } }, /partition is -1/],
    [{ records: { t: [record(0, 'a', { timestamp: 1.5 })] } }, /timestamp is 1.5, not a whole number/],
    [{ records: { t: [record(0, 'a', { value: 'no base64!' })] } }, /value is "no base64!", not base64/],
    [{ records: { t: [record(0, 'a', { key: 3 })] } }, /key is 3, not base64/],
    [{ records: { t: [record(0, 'a', { headers: [{ h: [256] }] })] } }, /\.h has 256, not a byte/],
    [{ records: { t: [record(0, 'a', { headers: {} })] } }, /headers is \{\}, not a list/],
    [{ records: { t: [record(3), record(3)] } }, /offset 3 of ticks-0 is there twice/],
  ])('%j is refused, naming what is wrong', (wrong, message) => {
    const run = () => recordBlocksOfLambdaEvent(wrong as KafkaLambdaEvent)
    expect(run).toThrow(message)
    expect(run).toThrow(expect.objectContaining({ code: 'LAMBDA_EVENT_INVALID' }))
  })
})
