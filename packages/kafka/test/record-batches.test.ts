import { createRequire } from 'node:module'
import type { RecordBatchBlock, RecordBlock } from '@stockpipe/core'
import { crc32c, packedAt, recordOffset } from '@stockpipe/core'
import fc from 'fast-check'
import type { Batch, KafkaMessage } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchedBatchBlocks, fetchedBlocks } from '../src/fetched-batch.ts'
import { loadInflate } from '../src/inflate.ts'
import { defaultBlockLimits } from '../src/message-blocks.ts'
import { decodeRawFetch, type FetchAnswer, type FetchedPartition } from '../src/raw-fetch-response.ts'
import type { BlockRange } from '../src/record-batch-blocks.ts'
import { loadUnpackBatches } from '../src/record-batch-unpacking.ts'
import { registerZstd } from '../src/zstd-codec.ts'
import {
  type BatchToEncode,
  type CodecName,
  codecNames,
  encodeBatch,
  encodeFetchAnswer,
  encodeMarker,
  type PartitionToEncode,
} from './encoded-batch.ts'

const require = createRequire(import.meta.url)
const { decode } = require('kafkajs/src/protocol/requests/fetch/v11/response') as {
  decode(payload: Buffer): Promise<FetchAnswer<DecodedMessage>>
}
const KafkajsBatch = require('kafkajs/src/consumer/batch') as new (
  topic: string,
  fetchedOffset: string,
  partition: object,
) => Batch
const inflate = await loadInflate()
const unpack = await loadUnpackBatches()

const { CompressionCodecs } = require('kafkajs') as { CompressionCodecs: Record<number, unknown> }
const ownCodecs = { ...CompressionCodecs }

beforeAll(() => {
  registerZstd(CompressionCodecs)
  // kafkajs has no codec for these; what the encoder makes of bytes is not ours.
  for (const codec of [2, 3]) {
    CompressionCodecs[codec] = () => ({
      decompress: async (bytes: Buffer) => Buffer.from(inflate(codec, bytes)),
    })
  }
})
afterAll(() => void Object.assign(CompressionCodecs, ownCodecs))

interface Read {
  readonly blocks: readonly RecordBlock[]
  readonly lastOffset: string
}

/** What either way of reading makes of the partitions of a fetch. */
const readBothWays = async (
  partitions: readonly PartitionToEncode[],
  { fetchOffset = 0, limits = defaultBlockLimits } = {},
): Promise<{ readonly raw: readonly Read[]; readonly stock: readonly Read[] }> => {
  const payload = encodeFetchAnswer('topic', partitions)
  const fetchOffsets = [
    {
      topic: 'topic',
      partitions: partitions.map((_, partition) => ({ partition, fetchOffset: String(fetchOffset) })),
    },
  ]
  const read = (answer: FetchAnswer<unknown>): Read[] =>
    answer.responses[0]!.partitions.map((partition) => {
      const batch = new KafkajsBatch('topic', String(fetchOffset), partition)
      const from = BigInt(fetchOffset)
      const nextOffset = BigInt(batch.lastOffset()) + 1n
      const range = { position: from, from, nextOffset }
      const blocks = [...fetchedBlocks(batch, range, limits, inflate)]
      const later = fetchedBatchBlocks(batch, range, limits, 'file:///unpacking.js')
      if (later) expectSame([...later], blocks, range)
      return { blocks, lastOffset: batch.lastOffset() }
    })
  const raw = decodeRawFetch(payload, fetchOffsets)
  const stock = await decode(payload)
  const shown = stock.responses.map((response) => ({
    ...response,
    partitions: response.partitions.map((partition) => ({
      ...partition,
      abortedTransactions: [],
      messages: committed(partition),
    })),
  }))
  return { raw: read(raw!), stock: read({ ...stock, responses: shown }) }
}

/** Batches that are unpacked on another thread are the same records, without a gap. */
const expectSame = (
  later: readonly RecordBatchBlock[],
  blocks: readonly RecordBlock[],
  range: BlockRange,
) => {
  let at = range.position
  const unpacked: RecordBlock[] = []
  for (const block of structuredClone(later)) {
    expect(block.firstOffset).toBe(at)
    at = block.nextOffset
    let position = block.firstOffset
    for (const one of unpack(block)) {
      expect(one.firstOffset).toBe(position)
      position = one.nextOffset
      unpacked.push(one)
    }
    // Where nothing is left of batches the sink stays where it was.
    if (position > block.firstOffset) expect(position).toBe(block.nextOffset)
  }
  if (later.length > 0) expect(at).toBe(range.nextOffset)
  expect(recordsOf(unpacked)).toEqual(recordsOf(blocks))
}

type DecodedMessage = KafkaMessage & {
  readonly isControlRecord: boolean
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean }
}

/**
 * Messages with those aborted made control records. kafkajs does not leave all of them out: it takes one transaction off
 * its list for a message.
 */
const committed = ({ messages, abortedTransactions }: FetchedPartition<DecodedMessage>): DecodedMessage[] => {
  const abortMarkers = messages.filter(({ isControlRecord, key }) => isControlRecord && key![3] === 0)
  return messages.map((message) => {
    const { producerId, inTransaction } = message.batchContext
    const isAborted = abortedTransactions.some((aborted) => {
      if (aborted.producerId !== producerId || Number(aborted.firstOffset) > Number(message.offset))
        return false
      const end = abortMarkers.find(
        ({ batchContext, offset }) =>
          batchContext.producerId === producerId && Number(offset) > Number(aborted.firstOffset),
      )
      return end === undefined || Number(end.offset) > Number(message.offset)
    })
    return inTransaction && isAborted ? { ...message, isControlRecord: true } : message
  })
}

const rawOf = async (records: Buffer, fetchOffset = 0, aborted: PartitionToEncode['aborted'] = []) =>
  (await readBothWays([{ records, aborted }], { fetchOffset })).raw[0]!

const recordsOf = (blocks: readonly RecordBlock[]) =>
  blocks.flatMap((block) =>
    Array.from({ length: block.count }, (_, index) => {
      const text = (bytes: Uint8Array | null) =>
        bytes === null ? null : Buffer.from(bytes).toString('latin1')
      const headers = block.headers && text(packedAt(block.headers, index))
      return [
        recordOffset(block, index),
        block.timestamps[index],
        text(packedAt(block.keys, index)),
        text(packedAt(block.values, index)),
        headers ?? null,
      ] as const
    }),
  )
const offsetsOf = (blocks: readonly RecordBlock[]) => recordsOf(blocks).map(([offset]) => Number(offset))

const numbered = (from: number, count: number, over: Partial<BatchToEncode> = {}): Buffer =>
  encodeBatch({
    baseOffset: from,
    records: Array.from({ length: count }, (_, index) => ({
      offsetDelta: index,
      value: Buffer.from(`value ${from + index}`),
    })),
    ...over,
  })

const bytes = fc.option(
  fc.oneof(
    { weight: 5, arbitrary: fc.uint8Array({ maxLength: 40 }) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 100, maxLength: 300 }) },
  ),
  { nil: null },
)
const headerName = fc.constantFrom('source', 'trace', 'a', 'b', 'kind')

const record = fc.record({
  gap: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(300) }),
  timestampDelta: fc.oneof(
    fc.integer({ min: -70, max: 70 }),
    fc.integer({ min: -(10 ** 12), max: 10 ** 12 }),
  ),
  key: bytes,
  value: bytes,
  // kafkajs keeps headers as an object: names once each, and none that every object inherits.
  headers: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.uniqueArray(fc.tuple(headerName, bytes), { selector: ([name]) => name, maxLength: 4 }),
    },
  ),
})

/** A step of a log: records of a producer, or the end of its transaction. */
const step = fc.record({
  producerId: fc.constantFrom(-1, 1, 2, 3),
  ends: fc.constantFrom(undefined, undefined, 'commit' as const, 'abort' as const),
  codec: fc.constantFrom(...codecNames),
  isLogAppendTime: fc.boolean(),
  baseTimestamp: fc.integer({ min: 10 ** 12, max: 2 * 10 ** 12 }),
  records: fc.array(record, { minLength: 1, maxLength: 12 }),
  gapBefore: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(1000) }),
})

/** The log that steps make, and the transactions in it that were aborted. */
const logOf = (steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[]) => {
  const batches: Buffer[] = []
  const open = new Map<number, number>()
  const aborted: { producerId: number; firstOffset: number }[] = []
  let next = 0
  for (const { producerId, ends, codec, isLogAppendTime, baseTimestamp, records, gapBefore } of steps) {
    next += gapBefore
    if (ends && open.has(producerId)) {
      batches.push(encodeMarker(next, producerId, ends))
      if (ends === 'abort') aborted.push({ producerId, firstOffset: open.get(producerId)! })
      open.delete(producerId)
      next += 1
      continue
    }
    const isTransactional = producerId >= 0
    if (isTransactional && !open.has(producerId)) open.set(producerId, next)
    let delta = -1
    const placed = records.map(({ gap, key, value, headers, timestampDelta }) => {
      delta += 1 + gap
      return {
        offsetDelta: delta,
        timestampDelta,
        key: key && Buffer.from(key),
        value: value && Buffer.from(value),
        headers: (headers as readonly (readonly [string, Uint8Array | null])[]).map(
          ([name, content]) => [name, content && Buffer.from(content)] as const,
        ),
      }
    })
    batches.push(
      encodeBatch({
        baseOffset: next,
        records: placed,
        codec,
        isLogAppendTime,
        baseTimestamp,
        isTransactional,
        ...(isTransactional ? { producerId } : {}),
      }),
    )
    next += delta + 1
  }
  // What is still open is beyond what a reader of committed records is sent; here it is as if it was committed.
  aborted.sort((one, other) => one.firstOffset - other.firstOffset)
  return { records: Buffer.concat(batches), aborted, next }
}

describe('record batches', () => {
  it('make the blocks that messages of kafkajs make, whatever is in them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 1, maxLength: 10 }), { minLength: 1, maxLength: 3 }),
        fc.nat(1000),
        fc.record({
          maxBlockRecords: fc.integer({ min: 1, max: 40 }),
          maxBlockBytes: fc.integer({ min: 1, max: 4000 }),
        }),
        async (logs, within, limits) => {
          const partitions = logs.map(logOf)
          const fetchOffset = within % Math.min(...partitions.map(({ next }) => next))
          const { raw, stock } = await readBothWays(partitions, { fetchOffset, limits })
          expect(raw).toEqual(stock)
        },
      ),
      { numRuns: 150, verbose: 1 },
    )
  })

  it('of every codec are read as they were written', async () => {
    const records = Array.from({ length: 2000 }, (_, index) => ({
      offsetDelta: index,
      timestampDelta: index,
      key: Buffer.from(`S${index % 7}`),
      value: Buffer.from(
        `{"symbol":"S${index % 7}","price":"${index}.25","filler":"${'x'.repeat(index % 80)}"}`,
      ),
    }))
    for (const codec of codecNames) {
      const { blocks } = await rawOf(encodeBatch({ baseOffset: 10, records, codec, baseTimestamp: 1000 }), 10)
      expect(recordsOf(blocks)).toEqual(
        records.map(({ key, value }, index) => [
          BigInt(10 + index),
          1000 + index,
          key.toString('latin1'),
          value.toString('latin1'),
          null,
        ]),
      )
    }
  })

  it('are packed one after another, a 0x00 after each, in memory of the block alone', async () => {
    const { blocks } = await rawOf(numbered(0, 3))
    expect(Buffer.from(blocks[0]!.values.bytes).toString()).toBe('value 0\0value 1\0value 2\0')
    expect([...blocks[0]!.values.starts]).toEqual([0, 8, 16])
    const buffers = [blocks[0]!.values, blocks[0]!.keys].flatMap(({ bytes: packed, starts, lengths }) => [
      packed.buffer,
      starts.buffer,
      lengths.buffer,
    ])
    buffers.push(blocks[0]!.timestamps.buffer, blocks[0]!.offsetDeltas.buffer)
    expect(new Set(buffers).size).toBe(buffers.length)
    expect(structuredClone(blocks[0], { transfer: buffers as ArrayBuffer[] })).toMatchObject({ count: 3 })
  })

  it('that begin before the fetch are read from the fetch on, and one cut off at the end is left for the next', async () => {
    const log = Buffer.concat([numbered(0, 10), numbered(10, 10), numbered(20, 10)])
    const { blocks, lastOffset } = await rawOf(log.subarray(0, -1), 7)
    expect(offsetsOf(blocks)).toEqual([7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
    expect(lastOffset).toBe('19')
  })

  it('that compaction has emptied or shortened move the position over them', async () => {
    const log = Buffer.concat([
      numbered(0, 2, { lastOffsetDelta: 9 }),
      encodeBatch({ baseOffset: 10, records: [], lastOffsetDelta: 9, producerId: 4 }),
    ])
    const { blocks, lastOffset } = await rawOf(log)
    expect(offsetsOf(blocks)).toEqual([0, 1])
    expect(lastOffset).toBe('19')
    const empty = await rawOf(
      encodeBatch({ baseOffset: 10, records: [], lastOffsetDelta: 9, producerId: 4 }),
      10,
    )
    expect(empty).toEqual({ blocks: [], lastOffset: '19' })
  })

  it('of several transactions aborted within the offsets of one batch are all left out', async () => {
    // kafkajs takes one aborted transaction off its list for a message, and shows the second producer's records.
    const inTransaction = (from: number, producerId: number) =>
      numbered(from, 1, { producerId, isTransactional: true })
    const log = Buffer.concat([
      inTransaction(0, 1),
      inTransaction(1, 2),
      numbered(2, 3),
      inTransaction(5, 2),
      encodeMarker(6, 1, 'abort'),
      encodeMarker(7, 2, 'abort'),
      inTransaction(8, 1),
      encodeMarker(9, 1, 'commit'),
    ])
    const aborted = [
      { producerId: 1, firstOffset: 0 },
      { producerId: 2, firstOffset: 1 },
    ]
    expect(offsetsOf((await rawOf(log, 0, aborted)).blocks)).toEqual([2, 3, 4, 8])
    // A fetch from within both: they begin before its first batch.
    const tail = Buffer.concat([inTransaction(5, 2), encodeMarker(6, 1, 'abort'), numbered(7, 1)])
    expect(offsetsOf((await rawOf(tail, 5, aborted)).blocks)).toEqual([7])
  })

  it('with holes beyond what a block can tell begin another', async () => {
    const far = 5_000_000_000
    const log = Buffer.concat([numbered(3, 2), numbered(far, 2)])
    const { raw, stock } = await readBothWays([{ records: log, highWatermark: far + 2 }])
    expect(raw).toEqual(stock)
    expect(offsetsOf(raw[0]!.blocks)).toEqual([3, 4, far, far + 1])
    expect(raw[0]!.blocks.map(({ firstOffset, nextOffset }) => [firstOffset, nextOffset])).toEqual([
      [0n, BigInt(far)],
      [BigInt(far), BigInt(far + 2)],
    ])
  })

  it('of the time before Kafka 0.11 are left to kafkajs', () => {
    const old = numbered(0, 1)
    old[16] = 1
    expect(
      decodeRawFetch(encodeFetchAnswer('topic', [{ records: numbered(0, 1) }, { records: old }]), []),
    ).toBeUndefined()
  })
})

describe('a record batch that is not as it was written', () => {
  const failure = (records: Buffer, aborted: PartitionToEncode['aborted'] = []) => {
    const answer = decodeRawFetch(encodeFetchAnswer('topic', [{ records, aborted }]), [])
    // Left to kafkajs.
    if (answer === undefined) return { error: undefined, offsets: [] }
    const [partition] = answer.responses[0]!.partitions
    const batch = new KafkajsBatch('topic', '0', partition!)
    const range = { position: 0n, from: 0n, nextOffset: BigInt(batch.lastOffset()) + 1n }
    const read: RecordBlock[] = []
    try {
      for (const block of fetchedBlocks(batch, range, defaultBlockLimits, inflate)) read.push(block)
    } catch (error) {
      return { error, offsets: offsetsOf(read) }
    }
    return { error: undefined, offsets: offsetsOf(read) }
  }
  /** The same where another thread unpacks. */
  const laterFailure = (records: Buffer) => {
    const answer = decodeRawFetch(encodeFetchAnswer('topic', [{ records }]), [])!
    const batch = new KafkajsBatch('topic', '0', answer.responses[0]!.partitions[0]!)
    const range = { position: 0n, from: 0n, nextOffset: BigInt(batch.lastOffset()) + 1n }
    const read: RecordBlock[] = []
    try {
      for (const block of fetchedBatchBlocks(batch, range, defaultBlockLimits, 'file:///unpacking.js')!)
        for (const one of unpack(structuredClone(block))) read.push(one)
    } catch (error) {
      return { error, offsets: offsetsOf(read) }
    }
    return { error: undefined, offsets: offsetsOf(read) }
  }
  const flipped = (batch: Buffer, at: number): Buffer => {
    const damaged = Buffer.from(batch)
    damaged[at]! ^= 0x10
    return damaged
  }

  it('is refused by its CRC-32C, naming topic, partition and offset', () => {
    const { error } = failure(Buffer.concat([flipped(numbered(0, 10), 70), numbered(10, 5)]))
    expect(error).toMatchObject({
      code: 'RECORD_BATCH_CORRUPT',
      retryable: true,
      facts: { topic: 'topic', partition: 0, offset: 0n },
    })
    expect(String(error)).toMatch(/CRC-32C/)
  })

  it('is refused in the same words on another thread, after what is sound before it', () => {
    for (const log of [
      [flipped(numbered(0, 10), 70), numbered(10, 5)],
      [numbered(0, 10), flipped(numbered(10, 5), 75), numbered(15, 1)],
      [numbered(0, 10), Buffer.alloc(80)],
    ]) {
      const here = failure(Buffer.concat(log))
      expect(here.error).toMatchObject({ code: 'RECORD_BATCH_CORRUPT' })
      expect(laterFailure(Buffer.concat(log))).toEqual(here)
    }
  })

  it('is refused also where it would have been left out', () => {
    const plain = numbered(0, 3)
    const hidden = { producerId: 1, isTransactional: true }
    const marker = encodeMarker(3, 1, 'abort')
    const aborted = [{ producerId: 1, firstOffset: 0 }]
    for (const log of [
      // The bit that makes a control batch of records.
      [flipped(Buffer.concat([plain.subarray(0, 22), Buffer.from([0x30]), plain.subarray(23)]), 22)],
      [flipped(numbered(0, 3, hidden), 64), marker],
      [numbered(0, 3, hidden), flipped(marker, 70)],
    ]) {
      expect(failure(Buffer.concat(log), aborted)).toMatchObject({
        error: { code: 'RECORD_BATCH_CORRUPT' },
        offsets: [],
      })
    }
  })

  it('is refused when lengths, counts and offsets do not fit together, though its CRC-32C is right', () => {
    const damaged = (records: (bytes: Buffer) => Buffer, codec: CodecName = 'none') =>
      failure(numbered(0, 3, { codec, damage: { records } })).error
    const at = (index: number, value: number) => (records: Buffer) => {
      records[index] = value
      return records
    }
    for (const codec of codecNames) {
      for (const harm of [
        (records: Buffer) => records.subarray(0, -1),
        (records: Buffer) => Buffer.concat([records, Buffer.from([0])]),
        at(0, 0x7e),
        at(0, 1),
        at(3, 10),
        at(4, 0x7e),
        at(4, 3),
        at(5, 0x7e),
        at(13, 2),
      ]) {
        expect(damaged(harm, codec)).toMatchObject({ code: 'RECORD_BATCH_CORRUPT' })
      }
      expect(failure(numbered(0, 3, { codec, lastOffsetDelta: 1 })).error).toMatchObject({
        code: 'RECORD_BATCH_CORRUPT',
      })
    }
    expect(failure(numbered(0, 3).subarray(0, 60)).error).toMatchObject({ code: 'RECORD_BATCH_CORRUPT' })
    expect(failure(Buffer.concat([numbered(5, 3), numbered(7, 3)])).error).toMatchObject({
      facts: { offset: 8n },
    })
  })

  it('is refused after what is sound before it, which is not handed over with it', () => {
    const length = numbered(10, 3)
    length.writeInt32BE(20, 8)
    const { error } = failure(Buffer.concat([numbered(0, 10), length]))
    expect(error).toMatchObject({ code: 'RECORD_BATCH_CORRUPT', facts: { offset: 10n } })
    const { offsets } = failure(Buffer.concat([numbered(0, 10), length]))
    expect(offsets).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('never hangs and never gives other rows, whatever bytes are changed', () => {
    const damage = fc.record({
      codec: fc.constantFrom(...codecNames),
      batch: fc.nat(2),
      at: fc.nat(),
      bit: fc.nat(7),
    })
    const batchesOf = (codec: CodecName) =>
      [0, 10, 20].map((from) => numbered(from, 10, { codec, ...hiddenIf(from === 10) }))
    const hiddenIf = (isHidden: boolean) => (isHidden ? { producerId: 1, isTransactional: true } : {})
    const aborted = [{ producerId: 1, firstOffset: 10 }]
    const sound = [...Array(10).keys(), ...Array.from({ length: 10 }, (_, index) => 20 + index)]
    fc.assert(
      fc.property(damage, fc.boolean(), ({ codec, batch, at, bit }, isWrittenSo) => {
        const log = batchesOf(codec)
        const damaged = log[batch]!
        damaged[21 + (at % (damaged.length - 21))]! ^= 1 << bit
        if (isWrittenSo) damaged.writeUInt32BE(crc32c(damaged, 21), 17)
        const { error, offsets } = failure(Buffer.concat(log), aborted)
        if (error !== undefined) expect(error).toMatchObject({ code: 'RECORD_BATCH_CORRUPT' })
        if (isWrittenSo) return
        expect(error).toBeDefined()
        expect(offsets).toEqual(sound.filter((offset) => offset < batch * 10))
      }),
      { numRuns: 3000, verbose: 1 },
    )
  })

  it('never hangs where the CRC-32C does not reach, nor on bytes that are no batch', () => {
    const noise = fc.uint8Array({ maxLength: 400 })
    const harmed = fc.tuple(fc.nat(20), fc.nat(255)).map(([at, value]) => {
      const log = Buffer.concat([numbered(0, 10), numbered(10, 10)])
      log[at] = value
      return log
    })
    fc.assert(
      fc.property(fc.oneof(noise, harmed), (records) => {
        const { error } = failure(Buffer.from(records))
        if (error !== undefined) expect(error).toMatchObject({ code: 'RECORD_BATCH_CORRUPT' })
      }),
      { numRuns: 3000, verbose: 1 },
    )
  })
})
