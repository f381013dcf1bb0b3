import type { AvroEncoding } from './avro-encoding.ts'
import { checkAvroEncoding } from './avro-encoding-check.ts'
import type { CsvEncoding } from './csv-encoding.ts'
import { checkCsvEncoding } from './csv-encoding-check.ts'
import { ConfigurationError } from './errors.ts'
import type { JsonEncoding } from './json-encoding.ts'
import { checkJsonEncoding } from './json-encoding-check.ts'
import type { TableDefinition } from './table.ts'

/** How the values of a topic's records are written; `encoding` says which. */
export type ValueEncoding<Name extends string = string> =
  | JsonEncoding<Name>
  | CsvEncoding<Name>
  | AvroEncoding<Name>

/** The error for an encoding this package does not know, as a definition written by a later one may have. */
export const unknownEncoding = (topic: string, value: { readonly encoding: unknown }): ConfigurationError =>
  new ConfigurationError({
    code: 'ENCODING_UNKNOWN',
    message: `Topic ${topic}: record values in the encoding '${String(value.encoding)}' cannot be read here.`,
  })

/**
 * An encoding as a topic keeps it: frozen, and without members that mean nothing.
 * Throws a `ConfigurationError` when it does not suit the table.
 */
export const checkedEncoding = (
  topic: string,
  table: TableDefinition,
  value: ValueEncoding,
): ValueEncoding => {
  switch (value.encoding) {
    case 'json':
      return checkJsonEncoding(topic, table, value)
    case 'avro':
      return checkAvroEncoding(topic, table, value)
    case 'csv':
      return checkCsvEncoding(topic, table, value)
    default:
      throw unknownEncoding(topic, value)
  }
}
