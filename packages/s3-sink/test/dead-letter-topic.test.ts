import { RecordBlockBuilder, StockpipeError } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { consume } from './sink/fake-log.ts'
import { MemoryObjectStore } from './sink/memory-object-store.ts'
import { dieAt } from './sink/mortal-process.ts'
import { goodPrice, MemoryTopic, priceSink, prices, pricesLog } from './sink/price-fixture.ts'

const passing = new StockpipeError({ code: 'KAFKA_UNREACHABLE', message: 'no broker', retryable: true })

describe('a topic for dead letters', () => {
  it('gets each of them in full, after the files are published and before the group counts as committed', async () => {
    const store = new MemoryObjectStore()
    const order: string[] = []
    const topic = new MemoryTopic()
    const sink = priceSink(store, {
      deadLetters: {
        publisher: {
          publish: async (deadLetters) => {
            order.push(`sent with ${store.bucket.keys('.parquet').length} files`)
            await topic.publish(deadLetters)
          },
        },
      },
      onCommit: () => order.push('committed'),
    })
    const builder = new RecordBlockBuilder({ topic: 'prices', partition: 0, firstOffset: 0n })
    const bytes = Uint8Array.of(0, 255, 254)
    builder.add({ offset: 0n, timestampMillis: 1, key: null, value: Buffer.from(goodPrice()) })
    builder.add({
      offset: 1n,
      timestampMillis: 1_700_000_000_001,
      key: bytes,
      value: bytes,
      headers: { trace: ['one', bytes], none: undefined },
    })
    // A producer that meant nanoseconds.
    builder.add({
      offset: 2n,
      timestampMillis: 1_700_000_000_000_000_000,
      key: null,
      value: Buffer.from('{"ticker":"A"}'),
    })
    const assigned = { topic: 'prices', partition: 0, logStart: 0n, logEnd: 3n }
    await sink.assign([assigned], { generation: 1 })
    await sink.write(builder.finish())
    await sink.close()
    expect(order).toEqual(['sent with 2 files', 'committed'])
    const common = { topic: 'prices', partition: 0, fingerprint: prices.fingerprint }
    expect(topic.received).toEqual([
      {
        ...common,
        offset: 1n,
        timestampMillis: 1_700_000_000_001,
        key: bytes,
        value: bytes,
        headers: [
          ['trace', Buffer.from('one')],
          ['trace', Buffer.from(bytes)],
          ['none', null],
        ],
        column: null,
        reason: 'the value is not UTF-8',
      },
      {
        ...common,
        offset: 2n,
        timestampMillis: 1_700_000_000_000_000_000,
        key: null,
        value: new Uint8Array(Buffer.from('{"ticker":"A"}')),
        headers: [],
        column: 'price',
        reason: expect.stringContaining('missing'),
      },
    ])
  })

  it('gets them all again after a passing failure', async () => {
    const store = new MemoryObjectStore()
    const topic = new MemoryTopic()
    topic.failures.push(passing, passing)
    const sink = priceSink(store, { deadLetters: { publisher: topic }, rotation: { rows: 1 } })
    await consume(sink, [pricesLog('x', 'y', goodPrice(), goodPrice('2'))], 3)
    await sink.close()
    expect(topic.texts).toEqual(['0 x', '0 x', '0 x', '1 y'])
    expect(store.bucket.keys('.settled').length).toBe(1)
  })

  it('that cannot be written to stops the partition log, and its group is not settled', async () => {
    const store = new MemoryObjectStore()
    const topic = new MemoryTopic()
    topic.failures.push(new Error('the record is too large'))
    const sink = priceSink(store, { deadLetters: { publisher: topic } })
    await consume(sink, [pricesLog('x')])
    await expect(sink.close()).rejects.toThrow('the record is too large')
    expect(store.bucket.keys('.settled')).toEqual([])
    const next = priceSink(new MemoryObjectStore(store.bucket), { deadLetters: { publisher: topic } })
    await consume(next, [pricesLog('x')])
    await next.close()
    expect(topic.texts).toEqual(['0 x', '0 x'])
  })

  it('gets each at least once whenever its owner dies', async () => {
    const log = () => pricesLog(goodPrice(), 'x', 'y', goodPrice('2'), 'z')
    const run = async (store: MemoryObjectStore, topic: MemoryTopic) => {
      const sink = priceSink(store, { deadLetters: { publisher: topic }, rotation: { rows: 1 } })
      await consume(sink, [log()], 2)
      await sink.close()
    }
    const whole = new MemoryObjectStore()
    await run(whole, new MemoryTopic())
    for (let at = 1; at <= whole.calls.length; at += 1) {
      const store = new MemoryObjectStore()
      const topic = new MemoryTopic()
      const { died } = dieAt(store, at, 'after')
      await Promise.race([died, run(store, topic)])
      await run(new MemoryObjectStore(store.bucket), topic)
      expect([...new Set(topic.texts)].sort(), `died after call ${at}`).toEqual(['1 x', '2 y', '4 z'])
    }
  })
})
