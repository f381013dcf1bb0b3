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
  choosePartition: (key: string | null, row: Row, index: number) => number,
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
    const { key, value } = encoded
    const keyBytes = key === null ? 0 : Buffer.byteLength(key)
    const record = { key, keyBytes, value, valueBytes: Buffer.byteLength(value) }
    const bytes = batchBytesOf(record)
    if (bytes <= limits.batchBytes) return { ...record, partition: choosePartition(key, row, index) }
    throw new StockpipeError({
      code: 'RECORD_TOO_LARGE',
      message:
        `Row ${index}: its record of ${bytes} bytes for topic ${topic.name} is above the limit of ${limits.batchBytes}; ` +
        'make it smaller, or raise max.message.bytes of the topic and batchBytes together.',
      facts: { topic: topic.name, row: index, bytes, batchBytes: limits.batchBytes },
    })
  }
}
