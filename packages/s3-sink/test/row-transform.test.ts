import { defineRowTransform } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { type GroupCommit, verifySink } from '../src/index.ts'
import { rowsOf } from './engine/parquet-files.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { MemoryObjectStore } from './sink/memory-object-store.ts'
import { dieAt } from './sink/mortal-process.ts'
import { MemoryTopic, priceSink, prices, pricesJournal, pricesTopic } from './sink/price-fixture.ts'

const transform = defineRowTransform(pricesTopic, ({ ticker, price }) => {
  if (ticker === 'TEST') return null
  if (ticker === 'BOOM') throw new Error('it is delisted')
  return { ticker: ticker.toUpperCase(), price }
})
const log = () =>
  new FakeLog(0, 'prices').append(
    ...['a', 'TEST', 'b', 'BOOM', 'a', 'TEST', 'TEST', 'TEST'].map((ticker, index) =>
      JSON.stringify({ ticker, price: `${index}.5` }),
    ),
  )

describe('a row transform', () => {
  it('comes before routing; what it leaves out is counted, what it throws on is a dead letter', async () => {
    const store = new MemoryObjectStore()
    const commits: GroupCommit[] = []
    const topic = new MemoryTopic()
    const sink = priceSink(store, {
      transform,
      deadLetters: { publisher: topic },
      onCommit: (commit) => commits.push(commit),
    })
    const all = log()
    await sink.assign([all.assigned], { generation: 1 })
    await sink.write(all.block(0n, 5))
    await sink.flush()
    await sink.write(all.block(5n))
    await sink.close()
    expect(commits).toMatchObject([
      { records: 5, rows: 3, deadLetters: 1, skipped: 1 },
      { records: 3, rows: 0, deadLetters: 0, skipped: 3, files: [] },
    ])
    const files = store.bucket.keys('ticker_path=')
    expect(files.map((key) => /ticker_path=[^/]+/.exec(key)![0])).toEqual(['ticker_path=A', 'ticker_path=B'])
    expect(await rowsOf(prices, store.bucket.objects.get(files[0]!)!.bytes)).toEqual([
      { ticker: 'A', price: 5000n },
      { ticker: 'A', price: 45000n },
    ])
    expect(topic.received).toMatchObject([{ offset: 3n, reason: 'the row transform failed: it is delisted' }])
    const report = await verifySink({ store: new MemoryObjectStore(store.bucket), journal: pricesJournal })
    expect(report).toMatchObject({ ok: true, totals: { records: 8, rows: 3, deadLetters: 1, skipped: 4 } })
  })

  it('is made again when a lost group is read again', async () => {
    const store = new MemoryObjectStore()
    const all = log()
    const { died } = dieAt(store, await firstCompletion(all), 'before')
    const sink = priceSink(store, { transform })
    await consume(sink, [all])
    void sink.flush().catch(() => {})
    await died
    store.bucket.uploads.clear()
    const read = async function* (_: unknown, from: bigint) {
      yield all.block(from)
    }
    const next = priceSink(new MemoryObjectStore(store.bucket), { transform, readAgain: { read } })
    await consume(next, [all])
    await next.close()
    const report = await verifySink({ store: new MemoryObjectStore(store.bucket), journal: pricesJournal })
    expect(report).toMatchObject({ ok: true, totals: { records: 8, rows: 3, deadLetters: 1, skipped: 4 } })
  })
})

/** Number of the call that publishes the first file. */
const firstCompletion = async (all: FakeLog): Promise<number> => {
  const store = new MemoryObjectStore()
  const sink = priceSink(store, { transform })
  await consume(sink, [all])
  await sink.flush()
  return store.calls.find((call) => call.operation === 'completeUpload')!.number
}
