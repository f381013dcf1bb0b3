import {
  type ColumnBatch,
  ColumnBuilder,
  decodeHeaders,
  defineTable,
  packedAt,
  type RecordBlock,
  type RejectedRecord,
  type StoredValue,
  t,
} from '@stockpipe/core'

/**
 * The columns of dead-letter files, whatever table the records were meant for: bind it to the location of the dead
 * letters to make them a table of the catalog.
 *
 * `headers` is JSON, `[{"key": "trace", "value": "<base64>"}]` in the record's order, and null for a record without
 * any; `timestamp` is null where the producer's number lies outside the years 1 to 9999, which readers cannot take, and
 * `timestamp_millis` is the number itself; `fingerprint` is that of the table definition that the record does not fit.
 */
export const deadLetterTable = defineTable('dead_letters', {
  columns: {
    topic: t.string(),
    partition: t.int32(),
    offset: t.int64(),
    timestamp: t.timestamp().nullable(),
    timestamp_millis: t.int64(),
    key: t.binary().nullable(),
    value: t.binary().nullable(),
    headers: t.json().nullable(),
    column: t.string().nullable(),
    reason: t.string(),
    fingerprint: t.string(),
  },
})

const firstInstant = BigInt(Date.parse('0001-01-01T00:00:00.000Z'))
const lastInstant = BigInt(Date.parse('9999-12-31T23:59:59.999Z'))

/** Rejected records of a block, in full, as rows of `deadLetterTable`. */
export const deadLetterBatch = (
  block: RecordBlock,
  rejected: readonly RejectedRecord[],
  fingerprint: string,
): ColumnBatch => {
  const builders = deadLetterTable.columns.map(({ type }) => new ColumnBuilder(type))
  for (const { index, offset, column, reason } of rejected) {
    const timestamp = BigInt(block.timestamps[index]!)
    const headers = block.headers ? packedAt(block.headers, index) : null
    const row: readonly (StoredValue | null)[] = [
      block.topic,
      block.partition,
      offset,
      firstInstant <= timestamp && timestamp <= lastInstant ? timestamp : null,
      timestamp,
      packedAt(block.keys, index),
      packedAt(block.values, index),
      headers === null ? null : headersText(headers),
      column ?? null,
      reason,
      fingerprint,
    ]
    row.forEach((value, slot) => void builders[slot]!.append(value))
  }
  return {
    rows: rejected.length,
    columns: builders.map((builder) => builder.finish()),
    offsets: BigInt64Array.from(rejected, ({ offset }) => offset),
  }
}

const headersText = (bytes: Uint8Array): string | null => {
  const headers = decodeHeaders(bytes)
  if (headers.length === 0) return null
  const base64 = (value: Uint8Array | null) => value && Buffer.from(value).toString('base64')
  return JSON.stringify(headers.map(([key, value]) => ({ key, value: base64(value) })))
}
