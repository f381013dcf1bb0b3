import { createEncoder, defineTopic, json, RecordBlockBuilder } from '../../packages/core/dist/index.js'
import { createPartitionRegistrar } from '../../packages/glue/dist/index.js'
import { createPushSink } from '../../packages/s3-sink/dist/index.js'

/**
 * Writes rows as the sink does: encoded as records of a topic, routed, encoded as Parquet, claimed, published and, where the
 * table's partitions are registered, registered. Throws when a row is rejected.
 */
export const writeRows = async (
  { s3, glue },
  name,
  { table, partitioning },
  { rows, compression = 'snappy' },
) => {
  const topic = defineTopic(name, { table: table.table, value: json() })
  const encoder = createEncoder(topic)
  const builder = new RecordBlockBuilder({ topic: name, partition: 0, firstOffset: 0n })
  for (const [index, row] of rows.entries()) {
    const { value } = encoder.encode(row)
    builder.add({
      offset: BigInt(index),
      timestampMillis: 0,
      key: null,
      value: typeof value === 'string' ? new TextEncoder().encode(value) : value,
    })
  }
  const projected = partitioning?.kind === 'projected'
  const sink = createPushSink({
    name,
    topic,
    table,
    client: s3,
    compression,
    genesis: 0n,
    deadLetters: { onRejected: 'stop' },
    ...(projected ? {} : { registrar: createPartitionRegistrar({ client: glue, table }) }),
  })
  try {
    const { group } = await sink.push(builder.finish())
    return group.files.length
  } finally {
    await sink.close()
  }
}
