import { defineTable, defineTopic, identity, RecordBlockBuilder, t } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { deadLetterTable } from '../src/dead-letter-table.ts'
import { createEngine } from '../src/engine.ts'
import type { EngineOptions, EngineResponse } from '../src/engine-messages.ts'
import { filesOf, keyValuesOf, rowsOf } from './engine/parquet-files.ts'

const table = defineTable('prices', {
  columns: { ticker: t.string(), price: t.decimal(18, 4) },
  partitions: { ticker_path: identity('ticker') },
})
const topic = defineTopic('prices', { table })
const log = { topic: 'prices', partition: 5 }
const engineOf = (options: Partial<EngineOptions> = {}) => createEngine({ topic: topic.toJSON(), ...options })

type Added = Omit<Parameters<RecordBlockBuilder['add']>[0], 'offset' | 'timestampMillis' | 'key'> & {
  readonly key?: Uint8Array | null
}

const blockOf = (first: bigint, records: readonly Added[]) => {
  const builder = new RecordBlockBuilder({ ...log, firstOffset: first })
  for (const [index, record] of records.entries()) {
    builder.add({
      key: null,
      ...record,
      offset: first + BigInt(index),
      timestampMillis: 1_700_000_000_000 + index,
    })
  }
  return builder.finish()
}
const json = (value: object): Added => ({ value: Buffer.from(JSON.stringify(value)) })
const take = (engine: ReturnType<typeof engineOf>, first: bigint, records: readonly Added[]) => {
  const responses = [...engine.handle({ kind: 'block', block: blockOf(first, records), from: first })]
  return responses.at(-1) as Extract<EngineResponse, { kind: 'buffered' }>
}
const cut = (engine: ReturnType<typeof engineOf>, start: bigint, next: bigint) =>
  filesOf(engine.handle({ kind: 'cut', log, start, next }))

describe('records that are no rows', () => {
  it('are one file after the data files, each in full: key, value, headers, timestamp, column and reason', async () => {
    const engine = engineOf()
    const headers = { trace: ['one', Uint8Array.of(0, 255)], none: undefined, '': 'é' }
    expect(
      take(engine, 7n, [
        { value: Uint8Array.of(0xff, 0x00), key: Uint8Array.of(0xfe), headers },
        json({ ticker: 'A', price: '1.5' }),
        { value: null, key: new Uint8Array() },
        json({ ticker: 'A', price: 'cheap' }),
      ]),
    ).toMatchObject({ rows: 1, deadLetters: 3, bufferedRows: 1, openPaths: 1 })
    const files = cut(engine, 7n, 11n)
    expect(files.map(({ facts }) => [facts.content, facts.partitionValues, facts.rows])).toEqual([
      ['data', ['A'], 1],
      ['dead-letters', [], 3],
    ])
    const { facts, bytes, parts } = files[1]!
    expect(facts).toMatchObject({ firstOffset: 7n, lastOffset: 10n, minEventTime: null, maxEventTime: null })
    expect(parts[0]).toMatchObject({ content: 'dead-letters', file: 1 })
    expect(keyValuesOf(bytes)).toMatchObject({
      'stockpipe.content': 'dead-letters',
      'stockpipe.topic': 'prices',
      'stockpipe.start': '7',
      'stockpipe.next': '11',
    })
    const common = { topic: 'prices', partition: 5, fingerprint: table.fingerprint }
    const base64 = (text: string | Uint8Array) => Buffer.from(text as string).toString('base64')
    expect(await rowsOf(deadLetterTable, bytes)).toEqual([
      {
        ...common,
        offset: 7n,
        timestamp: 1_700_000_000_000n,
        timestamp_millis: 1_700_000_000_000n,
        key: Uint8Array.of(0xfe),
        value: Uint8Array.of(0xff, 0x00),
        headers: JSON.stringify([
          { key: 'trace', value: base64('one') },
          { key: 'trace', value: base64(Uint8Array.of(0, 255)) },
          { key: 'none', value: null },
          { key: '', value: base64('é') },
        ]),
        column: null,
        reason: 'the value is not UTF-8',
      },
      {
        ...common,
        offset: 9n,
        timestamp: 1_700_000_000_002n,
        timestamp_millis: 1_700_000_000_002n,
        key: new Uint8Array(),
        value: null,
        headers: null,
        column: null,
        reason: 'the record has no value (a tombstone)',
      },
      {
        ...common,
        offset: 10n,
        timestamp: 1_700_000_000_003n,
        timestamp_millis: 1_700_000_000_003n,
        key: null,
        value: new Uint8Array(Buffer.from('{"ticker":"A","price":"cheap"}')),
        headers: null,
        column: 'price',
        reason: expect.stringContaining('price'),
      },
    ])
  })

  it('can be a whole group, and rows without a path are among them', async () => {
    const engine = engineOf({ maxPathBytes: 20 })
    take(engine, 0n, [json({ ticker: 'x'.repeat(30), price: '1' })])
    take(engine, 1n, [json({})])
    const files = cut(engine, 0n, 2n)
    expect(files.map(({ facts }) => [facts.content, facts.file, facts.rows])).toEqual([
      ['dead-letters', 0, 2],
    ])
    const rows = await rowsOf(deadLetterTable, files[0]!.bytes)
    expect(rows).toMatchObject([
      { offset: 0n, column: 'ticker', reason: expect.stringContaining('more than 20 bytes') },
      { offset: 1n, column: 'ticker', reason: expect.stringContaining('missing') },
    ])
    expect(cut(engine, 2n, 3n)).toEqual([])
  })

  it('are counted in the memory and the size of the files, and gone after a cut or a discard', () => {
    const engine = engineOf()
    const bad = { value: new Uint8Array(100_000).fill(0xff) }
    const empty = take(engine, 0n, [])
    const one = take(engine, 0n, [bad])
    const two = take(engine, 1n, [bad])
    expect(one.bufferedBytes - empty.bufferedBytes).toBeGreaterThan(100_000)
    expect(two.bufferedBytes - empty.bufferedBytes).toBeGreaterThan(200_000)
    expect(two.encodedBytes).toBeGreaterThan(one.encodedBytes)
    cut(engine, 0n, 2n)
    expect(take(engine, 2n, []).bufferedBytes).toBe(empty.bufferedBytes)
    take(engine, 2n, [bad])
    engine.handle({ kind: 'discard', log })
    expect(cut(engine, 2n, 3n)).toEqual([])
  })

  it('stay when a cut is returned early, and are refused outside the group they are cut as', () => {
    const engine = engineOf()
    take(engine, 5n, [json({}), json({ ticker: 'A', price: '1' }), json({})])
    for (const response of engine.handle({ kind: 'cut', log, start: 5n, next: 8n })) {
      if (response.kind === 'part' && response.content === 'dead-letters') break
    }
    expect(() => cut(engine, 6n, 8n)).toThrow(expect.objectContaining({ code: 'CUT_OUT_OF_RANGE' }))
    expect(() => cut(engine, 5n, 7n)).toThrow(expect.objectContaining({ code: 'CUT_OUT_OF_RANGE' }))
    expect(cut(engine, 5n, 8n).map(({ facts }) => facts.rows)).toEqual([1, 2])
  })
})
