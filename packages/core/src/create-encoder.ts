import { createAvroEncoder } from './avro-encoder.ts'
import { createCsvEncoder } from './csv-encoder.ts'
import type { ColumnRecord, InputOf, PartitionRecord } from './infer.ts'
import { createJsonEncoder } from './json-encoder.ts'
import type { RecordEncoder } from './record-encoder.ts'
import type { TopicDefinition } from './topic.ts'
import { unknownEncoding } from './value-encoding.ts'

/** An encoder of rows as records of a topic, in the topic's encoding. */
export const createEncoder = <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  topic: TopicDefinition<Columns, Partitions>,
): RecordEncoder<InputOf<Columns>> => {
  const { value } = topic
  switch (value.encoding) {
    case 'json':
      return createJsonEncoder(topic, value)
    case 'avro':
      return createAvroEncoder(topic, value)
    case 'csv':
      return createCsvEncoder(topic, value)
    default:
      throw unknownEncoding(topic.name, value)
  }
}
