import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createDecoder,
  createEncoder,
  createTransformingDecoder,
  Decimal,
  defineRowTransform,
  defineTable,
  defineTopic,
  json,
  RecordBlockBuilder,
  t,
} from '../src/index.ts'

const everything = defineTable('everything', {
  columns: {
    flag: t.boolean().nullable(),
    tiny: t.int8().nullable(),
    small: t.int16().nullable(),
    whole: t.int32().nullable(),
    big: t.int64().nullable(),
    near: t.int64({ mode: 'number' }).nullable(),
    half: t.float().nullable(),
    ratio: t.double().nullable(),
    price: t.decimal(18, 4).nullable(),
    wide: t.decimal(38, 10).nullable(),
    name: t.string().nullable(),
    bytes: t.binary().nullable(),
    day: t.date().nullable(),
    at: t.timestamp().nullable(),
    nanos: t.epochNanos().nullable(),
    extra: t.json().nullable(),
    offset: t.recordOffset(),
    key: t.recordKey(),
    trace: t.recordHeader('trace'),
  },
})
const topic = defineTopic('everything', {
  table: everything,
  value: json({ names: { price: 'p' }, timestamps: { at: 'epoch-micros' } }),
})

const blockOf = (values: readonly (string | null)[], first = 10n) => {
  const builder = new RecordBlockBuilder({ topic: 'everything', partition: 3, firstOffset: first })
  values.forEach((value, index) => {
    builder.add({
      offset: first + BigInt(index * 2),
      timestampMillis: index,
      key: Buffer.from(`k${index}`),
      value: value === null ? null : Buffer.from(value),
      headers: index % 2 ? { trace: `t${index}` } : undefined,
    })
  })
  return builder.finish()
}

describe('a row transform', () => {
  it('that answers its row changes nothing, for any row', () => {
    const nullable = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null })
    const unscaled = (digits: bigint) => fc.bigInt({ min: 1n - 10n ** digits, max: 10n ** digits - 1n })
    const instant = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    const rows = fc.record({
      flag: nullable(fc.boolean()),
      tiny: nullable(fc.integer({ min: -128, max: 127 })),
      small: nullable(fc.integer({ min: -32_768, max: 32_767 })),
      whole: nullable(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
      big: nullable(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      near: nullable(fc.maxSafeInteger()),
      half: nullable(fc.float()),
      ratio: nullable(fc.double()),
      price: nullable(unscaled(18n).map((u) => Decimal.of(u, 4))),
      wide: nullable(unscaled(38n).map((u) => Decimal.of(u, 10))),
      name: nullable(fc.string({ unit: 'grapheme' })),
      bytes: nullable(fc.uint8Array()),
      day: nullable(instant.map((d) => d.toISOString().slice(0, 10))),
      at: nullable(instant),
      nanos: nullable(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      extra: nullable(fc.json()),
    })
    const encoder = createEncoder(topic)
    const same = defineRowTransform(topic, (row) => row)
    fc.assert(
      fc.property(fc.array(nullable(rows), { maxLength: 12 }), (input) => {
        const block = blockOf(input.map((row) => row && String(encoder.encode(row).value)))
        const seen: unknown[] = []
        const decoded = createTransformingDecoder(topic, (row) => {
          seen.push(row)
          return same(row)
        }).decode(block)
        expect(decoded).toEqual({ ...createDecoder(topic).decode(block), skipped: [] })
        expect(seen).toMatchObject(input.filter((row) => row !== null))
      }),
      { numRuns: 200 },
    )
  })

  it('changes rows, leaves some out, and makes a dead letter of what it throws on or answers wrongly', () => {
    const decoder = createTransformingDecoder(
      topic,
      defineRowTransform(topic, ({ name, price }) => {
        if (name === 'test') return null
        if (name === 'boom') throw new Error('no such symbol')
        if (name === 'wrong') return { tiny: 1000 }
        return { name: `${name}!`, price: price?.add(Decimal.parse('1')) ?? null }
      }),
    )
    const names = ['a', 'test', 'boom', 'wrong', 'b']
    const block = blockOf([...names.map((name) => JSON.stringify({ name, p: '1.5' })), 'not JSON'])
    const { batch, rejected, skipped } = decoder.decode(block)
    expect([...batch.offsets]).toEqual([10n, 18n])
    expect(skipped).toEqual([12n])
    expect(rejected).toMatchObject([
      { index: 2, offset: 14n, reason: 'the row transform failed: no such symbol' },
      { index: 3, offset: 16n, reason: expect.stringMatching(/the row transform failed: .*'tiny'/) },
      { index: 5, offset: 20n },
    ])
    const seen: unknown[] = []
    createTransformingDecoder(topic, (row) => {
      seen.push(row)
      return row
    }).decode(block)
    expect(seen[4]).toMatchObject({ name: 'b', offset: 18n, key: 'k4', trace: null })
    expect(batch.columns[everything.columns.findIndex(({ name }) => name === 'price')]).toMatchObject({
      values: BigInt64Array.of(25_000n, 25_000n),
    })
  })

  it('cannot change the facts of the record', () => {
    const block = blockOf(['{}', '{}'])
    const decoder = createTransformingDecoder(topic, (row) => ({ ...row, offset: 1n, key: 'other' }))
    expect(decoder.decode(block).batch).toEqual(createDecoder(topic).decode(block).batch)
  })
})
