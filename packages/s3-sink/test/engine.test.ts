import { day, defineTable, defineTopic, identity, json, t } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { createEngine } from '../src/engine.ts'
import type { EngineResponse } from '../src/engine-messages.ts'
import { filesOf, footerOf, keyValuesOf, rowsOf } from './engine/parquet-files.ts'
import { blockOf } from './engine/record-blocks.ts'

const trades = defineTable('trades', {
  columns: {
    symbol: t.string(),
    price: t.decimal(18, 4),
    size: t.int64(),
    ts: t.timestamp(),
    trade_id: t.int64().nullable(),
    kafka_offset: t.recordOffset(),
  },
  partitions: { trade_date: day('ts', { timeZone: 'America/New_York' }), ticker: identity('symbol') },
})
const topic = defineTopic('trades', {
  table: trades,
  key: 'symbol',
  partitions: 4,
  value: json({ names: { symbol: 's', price: 'p', size: 'q', ts: 't' }, timestamps: { ts: 'epoch-millis' } }),
})
const log = { topic: 'trades', partition: 0 }
const noon = Date.UTC(2024, 2, 8, 17)

const trade = (offset: bigint, symbol: string, price: string, ts: number, id: number | null = null) => ({
  offset,
  value: { s: symbol, p: price, q: 100, t: ts, trade_id: id },
})

const engineOf = (options = {}) => createEngine({ topic: topic.toJSON(), ...options })

const buffered = (responses: Iterable<EngineResponse>) => {
  const last = [...responses].at(-1)
  if (last?.kind !== 'buffered') throw new Error('no buffered response')
  return last
}

describe('the engine', () => {
  it('turns trades into one Parquet file a path, in the order of the partition values', async () => {
    const engine = engineOf({ footerMetadata: { 'market.feed': 'test' } })
    const block = blockOf('trades', [
      trade(7n, 'MSFT', '410.5000', noon, 1),
      trade(8n, 'AAPL', '0.0001', noon + 1),
      trade(10n, 'MSFT', '-99999999999999.9999', noon + 2, 2),
      trade(11n, 'AAPL', '170.25', noon + 86_400_000),
    ])
    expect([...engine.handle({ kind: 'block', block, from: 7n })]).toEqual([
      {
        kind: 'buffered',
        log,
        rows: 4,
        deadLetters: 0,
        skipped: 0,
        bufferedRows: 4,
        bufferedBytes: expect.any(Number),
        encodedBytes: expect.any(Number),
        largestFileBytes: expect.any(Number),
        openPaths: 3,
      },
    ])
    const files = filesOf(engine.handle({ kind: 'cut', log, start: 7n, next: 12n }))
    expect(files.map((file) => file.partitionValues)).toEqual([
      ['2024-03-08', 'AAPL'],
      ['2024-03-08', 'MSFT'],
      ['2024-03-09', 'AAPL'],
    ])
    const msft = files[1]!
    expect(msft.facts).toEqual({
      kind: 'file',
      log,
      file: 1,
      content: 'data',
      partitionValues: ['2024-03-08', 'MSFT'],
      rows: 2,
      bytes: msft.bytes.length,
      firstOffset: 7n,
      lastOffset: 10n,
      minEventTime: noon,
      maxEventTime: noon + 2,
    })
    expect(await rowsOf(trades, msft.bytes)).toEqual([
      { symbol: 'MSFT', price: 4105000n, size: 100n, ts: BigInt(noon), trade_id: 1n, kafka_offset: 7n },
      {
        symbol: 'MSFT',
        price: -999999999999999999n,
        size: 100n,
        ts: BigInt(noon + 2),
        trade_id: 2n,
        kafka_offset: 10n,
      },
    ])
    expect(footerOf(msft.bytes).created_by).toMatch(/^stockpipe version /)
    expect(keyValuesOf(msft.bytes)).toEqual({
      'market.feed': 'test',
      'stockpipe.fingerprint': trades.fingerprint,
      'stockpipe.topic': 'trades',
      'stockpipe.partition': '0',
      'stockpipe.start': '7',
      'stockpipe.next': '12',
    })
    expect([...engine.handle({ kind: 'cut', log, start: 12n, next: 13n })]).toEqual([])
  })

  it('drops records below the position, good and bad ones', () => {
    const engine = engineOf()
    const block = blockOf('trades', [
      trade(1n, 'AAPL', '1', noon),
      { offset: 2n, value: 'not an object' },
      trade(3n, 'AAPL', '2', noon),
      { offset: 4n, value: { s: 'AAPL' } },
    ])
    const responses = [...engine.handle({ kind: 'block', block, from: 3n })]
    expect(responses[0]).toMatchObject({ kind: 'rejected', log, records: [{ index: 3, offset: 4n }] })
    expect(responses[1]).toMatchObject({ kind: 'buffered', rows: 1, bufferedRows: 1, openPaths: 1 })
  })

  it('forgets the rows of one partition log at a discard, and only those', () => {
    const engine = engineOf()
    const rows = [trade(0n, 'AAPL', '1', noon)]
    buffered(engine.handle({ kind: 'block', block: blockOf('trades', rows), from: 0n }))
    buffered(engine.handle({ kind: 'block', block: blockOf('trades', rows, { partition: 1 }), from: 0n }))
    expect([...engine.handle({ kind: 'discard', log })]).toEqual([])
    expect(filesOf(engine.handle({ kind: 'cut', log, start: 0n, next: 1n }))).toEqual([])
    const other = { topic: 'trades', partition: 1 }
    expect(filesOf(engine.handle({ kind: 'cut', log: other, start: 0n, next: 1n }))).toHaveLength(1)
  })
})
