import type { BrokerServices } from '../broker-services.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import {
  batchHeaderBytes,
  CompressionCodec,
  hasDependentLz4Blocks,
  hasValidChecksum,
  type RecordBatchHeader,
  readBatchHeader,
  setMaxTimestamp,
} from '../log/record-batch.ts'
import { compressedAs, largestTimestamp } from '../log/records.ts'
import type { Handlers } from '../network/dispatcher.ts'
import type { ResponseOf } from '../protocol/api-table.ts'
import { ErrorCode, errorCodeOf, RefusedRequestError } from '../protocol/error-code.ts'
import type { TopicConfig } from '../topics/topic-config.ts'

type ProducedPartition = ResponseOf<'produce'>['topics'][number]['partitions'][number]

/** Produce and InitProducerId. */
export const produceHandlers = (broker: BrokerServices): Pick<Handlers, 'produce' | 'initProducerId'> => ({
  produce(request) {
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partition, records }): ProducedPartition => {
        let log: PartitionLog | undefined
        try {
          if (![-1, 0, 1].includes(request.acks)) {
            throw new RefusedRequestError('INVALID_REQUIRED_ACKS', `acks is -1, 0 or 1, not ${request.acks}.`)
          }
          log = broker.topics.partition(name, partition)
          if (log === undefined) {
            throw new RefusedRequestError('UNKNOWN_TOPIC_OR_PARTITION', `There is no ${name}-${partition}.`)
          }
          const config = broker.topics.get(name)!.config
          const batch = records ?? Buffer.alloc(0)
          const header = validBatch(batch, config)
          if (header.isTransactional) {
            broker.transactions.checkWrite(header.producerId, header.producerEpoch, name, partition)
          }
          const kept = compressedAs(batch, header, config.compression)
          if (kept !== batch) checkSize(kept, config)
          const appended = log.append(kept)
          return {
            partition,
            errorCode: 0,
            ...appended,
            logStartOffset: log.logStartOffset,
            errorMessage: null,
          }
        } catch (error) {
          return {
            partition,
            errorCode: errorCodeOf(error),
            baseOffset: -1,
            logAppendTime: -1,
            logStartOffset: log?.logStartOffset ?? -1,
            errorMessage: (error as Error).message,
          }
        }
      }),
    }))
    return request.acks === 0 ? null : { topics }
  },

  initProducerId({ transactionalId, transactionTimeoutMillis }) {
    if (transactionalId === null) {
      return { errorCode: ErrorCode.NONE, producerId: broker.producerIds.next(), producerEpoch: 0 }
    }
    try {
      if (transactionalId === '') {
        throw new RefusedRequestError('INVALID_REQUEST', 'A transactional id is not empty.')
      }
      const producer = broker.transactions.initialize(transactionalId, transactionTimeoutMillis)
      return { errorCode: ErrorCode.NONE, ...producer }
    } catch (error) {
      return { errorCode: errorCodeOf(error), producerId: -1, producerEpoch: -1 }
    }
  },
})

/**
 * Checks one v2 record batch of a producer against its CRC and the topic's configuration.
 *
 * Compressed records are not opened: that would cost more than all the rest.
 */
const validBatch = (batch: Buffer, config: TopicConfig): RecordBatchHeader => {
  if (batch.length > 16 && batch.readInt8(16) < 2) {
    const message = 'Messages before format v2 are not taken; use Produce v3 or newer.'
    throw new RefusedRequestError('UNSUPPORTED_FOR_MESSAGE_FORMAT', message)
  }
  if (batch.length < batchHeaderBytes) {
    throw new RefusedRequestError('CORRUPT_MESSAGE', `${batch.length} bytes are no record batch.`)
  }
  const header = readBatchHeader(batch)
  if (header.sizeBytes > batch.length || header.sizeBytes < batchHeaderBytes) {
    throw new RefusedRequestError('CORRUPT_MESSAGE', 'The length of the record batch does not fit its bytes.')
  }
  if (header.sizeBytes < batch.length) {
    throw new RefusedRequestError(
      'INVALID_RECORD',
      'A partition takes exactly one record batch in a request.',
    )
  }
  checkSize(batch, config)
  if (header.magic !== 2 || !hasValidChecksum(batch, header)) {
    throw new RefusedRequestError('CORRUPT_MESSAGE', 'The record batch does not fit its CRC-32C.')
  }
  const isIdempotent = header.producerId >= 0
  const isConsistent =
    !header.isControl &&
    header.recordCount >= 1 &&
    header.lastOffset - header.baseOffset === header.recordCount - 1 &&
    header.codec <= CompressionCodec.zstd &&
    (isIdempotent ? header.producerEpoch >= 0 && header.baseSequence >= 0 : !header.isTransactional)
  if (!isConsistent) {
    throw new RefusedRequestError('INVALID_RECORD', 'The fields of the record batch contradict each other.')
  }
  const maxTimestamp = checkRecords(batch, header)
  if (!config.logSettings.usesLogAppendTime) checkTimestamps(maxTimestamp, config)
  if (hasDependentLz4Blocks(batch, header)) {
    throw new RefusedRequestError('UNKNOWN_SERVER_ERROR', 'Dependent blocks of LZ4 frames are not supported.')
  }
  return header
}

const checkSize = (batch: Buffer, { maxMessageBytes }: TopicConfig): void => {
  if (batch.length <= maxMessageBytes) return
  const message = `The record batch has ${batch.length} bytes; max.message.bytes is ${maxMessageBytes}.`
  throw new RefusedRequestError('MESSAGE_TOO_LARGE', message)
}

/** Walks the records, and answers their largest timestamp, which the header says from now on; producers may err. */
const checkRecords = (batch: Buffer, header: RecordBatchHeader): number => {
  if (header.codec !== CompressionCodec.none) return header.maxTimestamp
  const maxTimestamp = largestTimestamp(batch.subarray(batchHeaderBytes), header)
  if (maxTimestamp !== header.maxTimestamp) setMaxTimestamp(batch, maxTimestamp)
  return maxTimestamp
}

const checkTimestamps = (maxTimestamp: number, config: TopicConfig): void => {
  const now = Date.now()
  const earliest = now - config.timestampBeforeMaxMillis
  const latest = now + config.timestampAfterMaxMillis
  if (maxTimestamp > latest || (maxTimestamp >= 0 && maxTimestamp < earliest)) {
    throw new RefusedRequestError(
      'INVALID_TIMESTAMP',
      `Timestamp ${maxTimestamp} of the record batch is not between ${earliest} and ${latest}.`,
    )
  }
}
