import {
  blockMemory,
  ConfigurationError,
  type RecordBatchBlock,
  type RecordBlock,
  type TopicPartition,
} from '@stockpipe/core'
import type { Batch } from 'kafkajs'
import { type AbortedTransaction, committedBatches } from './committed-batches.ts'
import type { Inflate } from './inflate.ts'
import { type BlockLimits, messageBlocks } from './message-blocks.ts'
import { type BlockRange, corruptBatch, recordBatchBlocks } from './record-batch-blocks.ts'
import { type EncodedRecordBatch, lastOffsetOf, readRecordSet } from './record-batch-header.ts'

/**
 * A whole record batch in the place of a message of kafkajs, which goes by offsets and by what is a control record, and
 * hands the rest on as it is.
 */
export class FetchedBatch {
  readonly offset: string
  /** Nothing of it is shown: kafkajs steps over it. */
  readonly isControlRecord: boolean
  readonly key = null
  readonly batchContext = {}
  /** The batch; undefined for what is stepped over. */
  readonly batch: EncodedRecordBatch | undefined
  /** Undefined where nothing can be read. */
  readonly leaderEpoch: number | undefined
  /** What is wrong from this offset on. */
  readonly failure: unknown
  /** Lets the response go that the partition's batches are in. */
  lease: (() => void) | undefined

  private constructor(
    offset: bigint,
    leaderEpoch: number | undefined,
    batch: EncodedRecordBatch | undefined,
    failure: unknown,
  ) {
    this.offset = offset.toString()
    this.leaderEpoch = leaderEpoch
    this.batch = batch
    this.failure = failure
    this.isControlRecord = batch === undefined && failure === undefined
  }

  static shown(batch: EncodedRecordBatch): FetchedBatch {
    return new FetchedBatch(lastOffsetOf(batch), batch.leaderEpoch, batch, undefined)
  }

  static steppedOver(offset: bigint, leaderEpoch: number): FetchedBatch {
    return new FetchedBatch(offset, leaderEpoch, undefined, undefined)
  }

  static unreadable(offset: bigint, failure: unknown): FetchedBatch {
    return new FetchedBatch(offset, undefined, undefined, failure)
  }
}

/**
 * The batches of a record set that was fetched from an offset; undefined when there are message sets as before
 * Kafka 0.11. What cannot be read comes last, as a batch that fails when it is handed over.
 */
export const fetchedBatches = (
  log: TopicPartition,
  records: Buffer,
  fetchOffset: bigint,
  aborted: readonly AbortedTransaction[],
): FetchedBatch[] | undefined => {
  const set = readRecordSet(records, fetchOffset)
  if (set === undefined) return undefined
  const fetched: FetchedBatch[] = []
  let next = fetchOffset
  try {
    for (const { batch, isShown } of committedBatches(log, set.batches, aborted)) {
      const last = lastOffsetOf(batch)
      if (last < fetchOffset) continue
      if (isShown) fetched.push(FetchedBatch.shown(batch))
      else {
        // kafkajs tells where it stepped from by the first offset that it sees.
        const first = batch.baseOffset > fetchOffset ? batch.baseOffset : fetchOffset
        if (first < last) fetched.push(FetchedBatch.steppedOver(first, batch.leaderEpoch))
        fetched.push(FetchedBatch.steppedOver(last, batch.leaderEpoch))
      }
      next = last + 1n
    }
    if (set.problem) throw corruptBatch(log, set.problem.offset, set.problem.reason)
  } catch (failure) {
    fetched.push(FetchedBatch.unreadable(next, failure))
  }
  return fetched
}

/**
 * Packs what kafkajs has fetched of a partition into blocks, be it record batches or messages. Throws what
 * `recordBatchBlocks` throws.
 */
export function* fetchedBlocks(
  batch: Pick<Batch, 'topic' | 'partition' | 'messages'>,
  range: BlockRange,
  limits: BlockLimits,
  inflate: Inflate,
): Generator<RecordBlock> {
  const fetched = batchesOf(batch, range)
  if (fetched === undefined) {
    yield* messageBlocks(batch, range.position, range.nextOffset, limits)
    return
  }
  try {
    yield* recordBatchBlocks(
      batch,
      fetched.batches,
      { ...range, nextOffset: fetched.nextOffset },
      limits,
      inflate,
    )
  } finally {
    fetched.letGo()
  }
  fetched.throwFailure()
}

/**
 * As `fetchedBlocks`, for a sink that unpacks batches itself; undefined when kafkajs has fetched messages. The sink is the
 * one that throws what `recordBatchBlocks` throws.
 *
 * @param unpackedBy see `RecordBatchBlock`
 */
export const fetchedBatchBlocks = (
  batch: Pick<Batch, 'topic' | 'partition' | 'messages'>,
  range: BlockRange,
  limits: BlockLimits,
  unpackedBy: string,
): Iterable<RecordBatchBlock> | undefined => {
  const fetched = batchesOf(batch, range)
  return fetched && batchBlocks(batch, fetched, range, { ...limits, unpackedBy })
}

function* batchBlocks(
  { topic, partition }: TopicPartition,
  fetched: FetchedBatches,
  { position, from }: BlockRange,
  settings: BlockLimits & { readonly unpackedBy: string },
): Generator<RecordBatchBlock> {
  const { nextOffset } = fetched
  const wanted = fetched.batches.filter((one) => lastOffsetOf(one) >= from && one.baseOffset < nextOffset)
  try {
    let firstOffset = position
    for (let index = 0; index < wanted.length; ) {
      const begin = index
      let bytes = 0
      while (
        index < wanted.length &&
        (bytes === 0 || bytes + wanted[index]!.bytes.length <= settings.maxBlockBytes)
      )
        bytes += wanted[index++]!.bytes.length
      const end = index === wanted.length ? nextOffset : lastOffsetOf(wanted[index - 1]!) + 1n
      const batches = new Uint8Array(blockMemory.take(bytes), 0, bytes)
      let at = 0
      for (const one of wanted.slice(begin, index)) {
        batches.set(one.bytes, at)
        at += one.bytes.length
      }
      yield {
        ...{ topic, partition, firstOffset, nextOffset: end, batches, ...settings },
        from: from > firstOffset ? from : firstOffset,
        lastTimestampMillis: Number(wanted[index - 1]!.maxTimestamp),
      }
      firstOffset = end
    }
  } finally {
    fetched.letGo()
  }
  fetched.throwFailure()
}

/** Record batches that kafkajs has fetched of a partition. */
interface FetchedBatches {
  readonly batches: readonly EncodedRecordBatch[]
  /** Where those that can be read end. */
  readonly nextOffset: bigint
  /** Nobody looks into them any more. */
  letGo(): void
  /** Throws what is wrong with those that cannot be read. */
  throwFailure(): void
}

const batchesOf = (batch: Pick<Batch, 'messages'>, range: BlockRange): FetchedBatches | undefined => {
  const messages: readonly unknown[] = batch.messages
  if (!messages.some((message) => message instanceof FetchedBatch)) return undefined
  const batches: EncodedRecordBatch[] = []
  let failed: FetchedBatch | undefined
  for (const message of messages) {
    if (!(message instanceof FetchedBatch)) {
      throw new ConfigurationError({
        code: 'KAFKAJS_UNKNOWN',
        message:
          "This Kafka client mixes messages with record batches: use kafkajs 2.2, or recordBatches: 'messages'.",
      })
    }
    if (message.batch) batches.push(message.batch)
    else failed ??= message
  }
  const sound = failed === undefined ? range.nextOffset : BigInt(failed.offset)
  return {
    batches,
    nextOffset: sound < range.nextOffset ? sound : range.nextOffset,
    letGo() {
      for (const message of messages) if (message instanceof FetchedBatch) message.lease?.()
    },
    throwFailure() {
      if (failed && sound < range.nextOffset) throw failed.failure
    },
  }
}
