import {
  defineTable,
  defineTopic,
  type RecordBatchBlock,
  type RecordBlock,
  RecordBlockBuilder,
  t,
} from '@stockpipe/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEngine, createSmallPartsEngine } from '../src/engine.ts'
import type { EngineResponse } from '../src/engine-messages.ts'
import { blockFacts } from '../src/flush-group.ts'
import { takeBatches } from '../src/unpacked-batches.ts'

const table = defineTable('ticks', { columns: { id: t.int64(), at: t.recordOffset() } })
const topic = defineTopic('ticks', { table })
const log = { topic: 'ticks', partition: 0 }
const utf8 = new TextEncoder()

/** Records with these offsets; those of every third are no rows. */
const blockOf = (offsets: readonly bigint[], firstOffset: bigint, nextOffset: bigint): RecordBlock => {
  const builder = new RecordBlockBuilder({ ...log, firstOffset })
  for (const offset of offsets) {
    const value = utf8.encode(offset % 3n === 0n ? 'no row' : `{"id":${offset}}`)
    builder.add({ offset, timestampMillis: Number(offset), key: null, value })
  }
  return builder.finish(nextOffset)
}

/** Stands for batches of a log with these records, which are unpacked to blocks that end there. */
const batchesOf = (offsets: readonly bigint[], ends: readonly bigint[]) => {
  const block: RecordBatchBlock = {
    ...{ ...log, firstOffset: 0n, from: 0n, nextOffset: ends.at(-1) ?? 0n, lastTimestampMillis: 0 },
    ...{ batches: new Uint8Array(), unpackedBy: '', maxBlockRecords: 1, maxBlockBytes: 1 },
  }
  const unpack = () =>
    ends.map((end, index) => {
      const begin = ends[index - 1] ?? 0n
      return blockOf(
        offsets.filter((offset) => offset >= begin && offset < end),
        begin,
        end,
      )
    })
  return { block, unpack }
}

const summed = (responses: readonly EngineResponse[]) =>
  responses.filter((response) => response.kind === 'buffered').map(({ bufferedBytes: _, ...rest }) => rest)
const rejectedOf = (responses: readonly EngineResponse[]) =>
  responses
    .flatMap((response) => (response.kind === 'rejected' ? response.records : []))
    .map((one) => one.offset)

describe('record batches taken by an engine', () => {
  it('come to what they would as one block, wherever the blocks end and the sink stands', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.bigInt({ min: 0n, max: 60n }), { maxLength: 40 }),
        fc.uniqueArray(fc.bigInt({ min: 1n, max: 70n }), { minLength: 1, maxLength: 5 }),
        fc.bigInt({ min: 0n, max: 40n }),
        (someOffsets, someEnds, from) => {
          const ends = someEnds.toSorted((one, other) => Number(one - other))
          const end = ends.at(-1)!
          fc.pre(from < end)
          const offsets = someOffsets.filter((offset) => offset < end).toSorted((a, b) => Number(a - b))
          const { block, unpack } = batchesOf(offsets, ends)
          const engine = createEngine({ topic: topic.toJSON() })
          const { responses: answered, facts: added } = takeBatches(
            engine,
            { block, from, watermark: null },
            unpack,
          )
          const taken = [...answered]
          const whole = blockOf(offsets, 0n, end)
          const facts = blockFacts(whole, from)
          const other = createEngine({ topic: topic.toJSON() })
          const responses = [...other.handle({ kind: 'block', block: whole, from, watermark: null })]
          expect(summed(taken)).toEqual(summed(responses))
          expect(rejectedOf(taken)).toEqual(rejectedOf(responses))
          const { holes, ...counts } = added!
          const { holes: expected, ...expectedCounts } = facts
          expect(counts).toEqual(expectedCounts)
          // A hole that reaches over the end of a block is told in two.
          const missing = (some: typeof holes) =>
            some.flatMap((hole) =>
              Array.from({ length: Number(hole.to - hole.from) }, (_, i) => hole.from + BigInt(i)),
            )
          expect(missing(holes)).toEqual(missing(expected))
        },
      ),
    )
  })

  it('are all in before a part is pulled, and the parts of all their blocks come before the end', () => {
    const options = { topic: topic.toJSON(), partBytes: 100, rowGroupRows: 2 }
    const offsets = Array.from({ length: 40 }, (_, index) => BigInt(3 * index + 1))
    const { block, unpack } = batchesOf(offsets, [30n, 60n, 90n, 120n])
    const [engine, other] = [createSmallPartsEngine(options), createSmallPartsEngine(options)]
    const cut = { kind: 'cut', log, start: 0n, next: 120n } as const
    const bytesOf = (responses: Iterable<EngineResponse>) =>
      Buffer.concat([...responses].flatMap((response) => (response.kind === 'part' ? [response.bytes] : [])))
    const { responses } = takeBatches(engine, { block, from: 0n, watermark: null }, unpack)
    const taken = [...responses]
    expect(taken.map(({ kind }) => kind)).toEqual([...taken.slice(1).map(() => 'part'), 'buffered'])
    expect(taken.length).toBeGreaterThan(5)
    expect(taken.at(-1)).toMatchObject({ rows: 40, bufferedRows: 40 })
    for (const one of unpack()) other.handle({ kind: 'block', block: one, from: 0n })
    const whole = bytesOf(other.handle(cut))
    expect(Buffer.concat([bytesOf(taken), bytesOf(engine.handle(cut))]).equals(whole)).toBe(true)
  })

  it('of which nothing is left change nothing', () => {
    const engine = createEngine({ topic: topic.toJSON() })
    const { block } = batchesOf([], [])
    const { responses, facts } = takeBatches(engine, { block, from: 0n, watermark: null }, () => [])
    expect([[...responses], facts]).toEqual([[], null])
  })
})
