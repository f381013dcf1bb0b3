import {
  type ColumnRecord,
  createEncoder,
  type InputOf,
  type PartitionRecord,
  SchemaMismatchError,
  StockpipeError,
  type TopicDefinition,
} from '@stockpipe/core'
import { type BatchLimits, batchBytesOf, type OutgoingRecord } from './outgoing-records.ts'

/**
 * Makes the record of row `index`, for the partition that is chosen for its key.
 * Throws a `SchemaMismatchError` `ROW_INVALID` or a `StockpipeError` `RECORD_TOO_LARGE` that names the row.
 */
export type RowToRecord<Row> = (
  row: Row,
  index: number,
  choosePartition: (key: Buffer | null) => number,
) => OutgoingRecord

export const rowToRecord = <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  topic: TopicDefinition<Columns, Partitions>,
  limits: BatchLimits,
): RowToRecord<InputOf<Columns>> => {
  const encoder = createEncoder(topic)
  return (row, index, choosePartition) => {
    let encoded: ReturnType<typeof encoder.encode>
    try {
      encoded = encoder.encode(row)
    } catch (error) {
      if (!StockpipeError.isInstance(error)) throw error
      throw new SchemaMismatchError({
        code: error.code,
        message: `Row ${index}: ${error.message}`,
        cause: error,
        facts: { ...error.facts, row: index },
      })
    }
    const key = encoded.key === null ? null : Buffer.from(encoded.key)
    const record = { key, value: Buffer.from(encoded.value), partition: choosePartition(key) }
    const bytes = batchBytesOf(record)
    if (bytes <= limits.maxBatchBytes) return record
    throw new StockpipeError({
      code: 'RECORD_TOO_LARGE',
      message:
        `Row ${index}: its record of ${bytes} bytes for topic ${topic.name} is above the limit of ${limits.maxBatchBytes}; ` +
        'make it smaller, or raise max.message.bytes of the topic and maxBatchBytes together.',
      facts: { topic: topic.name, row: index, bytes, maxBatchBytes: limits.maxBatchBytes },
    })
  }
}
