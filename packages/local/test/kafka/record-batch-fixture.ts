import { createRequire } from 'node:module'

interface BatchOptions {
  readonly values: readonly string[]
  readonly timestamps?: readonly number[]
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly firstSequence?: number
  readonly transactional?: boolean
  readonly compression?: number
}

const require = createRequire(import.meta.url)
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (options: Record<string, unknown>) => Promise<{ buffer: Buffer }>
}
const Record = require('kafkajs/src/protocol/recordBatch/record/v0') as (
  options: Readonly<{ [name: string]: unknown }>,
) => unknown

/** A v2 record batch as kafkajs builds it, so that what reads it is not tested against itself. */
export const recordBatch = async (options: BatchOptions): Promise<Buffer> => {
  const timestamps = options.timestamps ?? options.values.map(() => 1_700_000_000_000)
  const firstTimestamp = timestamps[0]!
  const { buffer } = await RecordBatch({
    compression: options.compression ?? 0,
    firstTimestamp,
    maxTimestamp: Math.max(...timestamps),
    lastOffsetDelta: options.values.length - 1,
    transactional: options.transactional ?? false,
    producerId: options.producerId ?? -1,
    producerEpoch: options.producerEpoch ?? 0,
    firstSequence: options.firstSequence ?? 0,
    records: options.values.map((value, offsetDelta) =>
      Record({
        offsetDelta,
        timestampDelta: timestamps[offsetDelta]! - firstTimestamp,
        key: null,
        value,
        headers: {},
      }),
    ),
  })
  return Buffer.from(buffer)
}
