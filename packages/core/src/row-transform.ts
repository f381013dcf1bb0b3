import { createDecoder } from './create-decoder.ts'
import { createEncoder } from './create-encoder.ts'
import type { DecodedBlock, Decoder, RejectedRecord } from './decoder.ts'
import type { ColumnRecord, InputOf, PartitionRecord, RowOf } from './infer.ts'
import { type PackedBytes, type RecordBlock, recordOffset } from './record-block.ts'
import { rowReader } from './row-reader.ts'
import { TopicDefinition } from './topic.ts'

/**
 * Changes a decoded row before it is routed: answers the row to keep, or null to leave it out. What it throws makes the
 * record a dead letter. It must be pure (no clock, no chance, nothing it remembers): the same record may be read again.
 */
export type RowTransform = (
  row: Readonly<Record<string, unknown>>,
) => Readonly<Record<string, unknown>> | null

/**
 * A row transform typed by its topic. The row has the decoded values of all columns; the answer may have what a
 * producer may pass. Facts of the record (offset, partition, timestamp, key, headers) stay what they are, whatever the
 * answer says of them.
 */
export const defineRowTransform = <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  _topic: TopicDefinition<Columns, Partitions>,
  transform: (row: RowOf<Columns>) => InputOf<Columns> | null,
): RowTransform => transform as RowTransform

const utf8 = new TextEncoder()

/**
 * A decoder of a topic that changes every row. Slow: a row becomes an object, is changed, checked and encoded as
 * JSON, and decoded again.
 */
export const createTransformingDecoder = (topic: TopicDefinition, transform: RowTransform): Decoder => {
  const decoder = createDecoder(topic)
  const written = new TopicDefinition(topic.name, { table: topic.table })
  const encoder = createEncoder(written)
  const rewritten = createDecoder(written)
  const facts = topic.table.columns.filter(({ metadata }) => metadata).map(({ name }) => name)
  const changed = (row: Readonly<Record<string, unknown>>): Uint8Array | null => {
    const answer = transform(row)
    if (answer === null) return null
    const values: Record<string, unknown> = { ...answer }
    for (const name of facts) delete values[name]
    const { value } = encoder.encode(values)
    return typeof value === 'string' ? utf8.encode(value) : value
  }
  return {
    ...(decoder.schemas ? { schemas: decoder.schemas } : {}),
    decode(block): DecodedBlock {
      const { batch, rejected } = decoder.decode(block)
      const faults: RejectedRecord[] = [...rejected]
      const skipped: bigint[] = []
      const kept: number[] = []
      const values: Uint8Array[] = []
      const rowOf = rowReader(topic.table.columns, batch)
      const unread = new Set(rejected.map(({ index }) => index))
      for (let index = 0, row = 0; index < block.count; index += 1) {
        if (unread.has(index)) continue
        try {
          const value = changed(rowOf(row))
          if (value) {
            kept.push(index)
            values.push(value)
          } else skipped.push(recordOffset(block, index))
        } catch (error) {
          const reason = `the row transform failed: ${error instanceof Error ? error.message : String(error)}`
          faults.push({ index, offset: recordOffset(block, index), reason })
        }
        row += 1
      }
      const again = rewritten.decode(selected(block, kept, values))
      for (const fault of again.rejected) faults.push({ ...fault, index: kept[fault.index]! })
      faults.sort((left, right) => left.index - right.index)
      return { batch: again.batch, rejected: faults, skipped }
    },
  }
}

/** The records at these positions, with other values. */
const selected = (
  block: RecordBlock,
  kept: readonly number[],
  values: readonly Uint8Array[],
): RecordBlock => {
  const select = ({ bytes, starts, lengths }: PackedBytes): PackedBytes => ({
    bytes,
    starts: Uint32Array.from(kept, (index) => starts[index]!),
    lengths: Int32Array.from(kept, (index) => lengths[index]!),
  })
  return {
    ...block,
    count: kept.length,
    values: packed(values),
    keys: select(block.keys),
    timestamps: Float64Array.from(kept, (index) => block.timestamps[index]!),
    offsetDeltas: Uint32Array.from(kept, (index) => block.offsetDeltas[index]!),
    ...(block.headers ? { headers: select(block.headers) } : {}),
  }
}

const packed = (values: readonly Uint8Array[]): PackedBytes => {
  const starts = new Uint32Array(values.length)
  let length = 0
  values.forEach((value, index) => {
    starts[index] = length
    length += value.length + 1
  })
  const bytes = new Uint8Array(length)
  values.forEach((value, index) => void bytes.set(value, starts[index]))
  return { bytes, starts, lengths: Int32Array.from(values, (value) => value.length) }
}
