import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDecoder, csv, defineTable, defineTopic, json, RecordBlockBuilder, t } from '../src/index.ts'

const table = defineTable('ticks', {
  columns: {
    symbol: t.string(),
    price: t.decimal(18, 4).nullable(),
    wide: t.decimal(38, 2).nullable(),
    size: t.int32().nullable(),
    open: t.boolean().nullable(),
    raw: t.binary().nullable(),
    tags: t.list(t.string()).nullable(),
    at: t.recordOffset(),
    time: t.recordTimestamp(),
    key: t.recordKey(),
  },
})
const topic = defineTopic('ticks', { table, key: 'symbol' })
const utf8 = new TextEncoder()

const tick = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      symbol: fc.constantFrom('A', 'BRK.B', 'é'),
      price: fc.option(fc.constantFrom('1.25', '-0.0001', '99999999999999.9999')),
      wide: fc.option(fc.constantFrom('1', '-123456789012345678901234567890.25')),
      size: fc.option(fc.integer({ min: -2_147_483_648, max: 2_147_483_647 })),
      open: fc.option(fc.boolean()),
      raw: fc.option(fc.constantFrom('AA==', '')),
      tags: fc.option(fc.array(fc.string(), { maxLength: 3 })),
    }),
  },
  { weight: 1, arbitrary: fc.constant('no row') },
)

/** A tick as a line of CSV; what is no row is none there, too. */
const lineOf = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : Object.values(value as object)
        .map((cell) =>
          Array.isArray(cell) ? `"${JSON.stringify(cell).replaceAll('"', '""')}"` : (cell ?? ''),
        )
        .join(',')

describe('a decoder that uses its arrays again', () => {
  it.each([
    ['JSON', json(), JSON.stringify],
    ['CSV', csv(), lineOf],
  ])('answers for each block of %s what one answers that does not', (_, value, textOf) => {
    const topic = defineTopic('ticks', { table, key: 'symbol', value })
    fc.assert(
      fc.property(fc.array(fc.array(tick, { maxLength: 40 }), { minLength: 2, maxLength: 6 }), (blocks) => {
        const reusing = createDecoder(topic, { reuseBatches: true })
        const kept: unknown[] = []
        const plain = createDecoder(topic)
        for (const ticks of blocks) {
          const builder = new RecordBlockBuilder({ topic: 'ticks', partition: 0, firstOffset: 7n })
          ticks.forEach((value, index) => {
            builder.add({
              offset: 7n + BigInt(index) * 3n,
              timestampMillis: 1000 + index,
              key: index % 2 ? utf8.encode('key') : null,
              value: utf8.encode(textOf(value)),
            })
          })
          const block = builder.finish()
          const answer = plain.decode(block)
          expect(answer.batch.rows).toBe(ticks.filter((value) => value !== 'no row').length)
          expect(reusing.decode(block)).toEqual(answer)
          kept.push({ answer, copy: structuredClone(answer) })
        }
        // And what the other has answered stays as it was.
        for (const { answer, copy } of kept as { answer: unknown; copy: unknown }[])
          expect(answer).toEqual(copy)
      }),
    )
  })

  it('makes no new arrays for a block that is no larger', () => {
    const decoder = createDecoder(topic, { reuseBatches: true })
    const decode = (rows: number) => {
      const builder = new RecordBlockBuilder({ topic: 'ticks', partition: 0, firstOffset: 0n })
      for (let row = 0; row < rows; row++) {
        const value = utf8.encode('{"symbol":"A","size":1,"price":"1.5"}')
        builder.add({ offset: BigInt(row), timestampMillis: 0, key: null, value })
      }
      const { batch } = decoder.decode(builder.finish())
      const memoryOf = (column: number) => (batch.columns[column] as { values: Int32Array }).values.buffer
      return [batch.offsets.buffer, memoryOf(1), memoryOf(3)]
    }
    const first = decode(100)
    decode(3).forEach((memory, index) => void expect(memory).toBe(first[index]))
    decode(101).forEach((memory, index) => void expect(memory).not.toBe(first[index]))
  })
})
