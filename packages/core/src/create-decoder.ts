import { createAvroDecoder } from './avro-decoder.ts'
import { createCsvDecoder } from './csv-decoder.ts'
import type { Decoder, DecoderOptions } from './decoder.ts'
import { createJsonDecoder } from './json-decoder.ts'
import type { TopicDefinition } from './topic.ts'
import { unknownEncoding } from './value-encoding.ts'

/** The decoder of a topic's records, in the topic's encoding. */
export const createDecoder = (topic: TopicDefinition, options: DecoderOptions = {}): Decoder => {
  const { table, value } = topic
  switch (value.encoding) {
    case 'json':
      return createJsonDecoder(table, value, options)
    case 'avro':
      return createAvroDecoder(table, value, options)
    case 'csv':
      return createCsvDecoder(table, value, options)
    default:
      throw unknownEncoding(topic.name, value)
  }
}
