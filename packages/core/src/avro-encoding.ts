import { ConfigurationError } from './errors.ts'
import type { InstantFormat } from './json-encoding.ts'

/**
 * What stands before the Avro bytes of a record value: `plain` nothing; `confluent` a 0x00 and the schema's id in four
 * bytes; `glue` 0x03, how the rest is compressed (0 or, for zlib, 5), and the schema version's UUID in 16 bytes.
 */
export type AvroFraming = 'plain' | 'confluent' | 'glue'

/** How a long without a logical type tells an instant. */
export type AvroInstantFormat = Exclude<InstantFormat, 'iso8601'>

/** Record values in the binary encoding of Avro. */
export interface AvroEncoding<Name extends string = string> {
  readonly encoding: 'avro'
  readonly framing: AvroFraming
  /**
   * JSON text of the schema that values are written with: all of them when plain, else those of our own producer.
   * Absent: the one that `avroSchemaOf` makes from the table.
   */
  readonly schema?: string
  /** What our own producer frames with: a Confluent schema id as digits, or a UUID of a Glue schema version. */
  readonly schemaId?: string
  /** Field names that differ from the column's, or from that of a field of a struct: `legs.price`. */
  readonly names: { readonly [Column in Name]?: string }
  /** Units of ints and longs without a logical type, for timestamp and epochNanos columns as in `json()`. */
  readonly timestamps: { readonly [Column in Name]?: AvroInstantFormat }
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const schemaIdOf = (framing: AvroFraming, given: number | string): string => {
  const text = String(given).toLowerCase()
  const suits = framing === 'confluent' ? /^\d{1,10}$/.test(text) && Number(text) < 2 ** 31 : uuid.test(text)
  if (suits && framing !== 'plain') return framing === 'confluent' ? String(Number(text)) : text
  throw new ConfigurationError({
    code: 'AVRO_SCHEMA_ID_INVALID',
    message:
      framing === 'plain'
        ? 'Plain Avro has no schema id; leave it out, or choose the framing "confluent" or "glue".'
        : `"${given}" is no schema id of the framing "${framing}": it takes ${framing === 'confluent' ? 'a whole number' : 'the UUID of a schema version'}.`,
  })
}

/**
 * Record values as Avro, from its binary encoding into the table's columns by Avro's rules of schema resolution, with the
 * table as the reader: fields go to columns by name or alias, int to long to float to double, string and bytes to each
 * other, enum to string, a union with null to a nullable column. Decimals and timestamps are exact, or the row is
 * rejected. Fields the table does not know are skipped.
 *
 * With the framing `confluent` or `glue` each record names its schema, which the sink asks its `schemaRegistry` for.
 *
 * @param options `framing`: default `plain`; `schema`: JSON text or the parsed JSON of the schema; `schemaId`: for our
 *   own producer
 *
 * Throws a `ConfigurationError` for a schema id of another framing.
 */
export const avro = <const Name extends string = never>(
  options: {
    readonly framing?: AvroFraming
    readonly schema?: string | object
    readonly schemaId?: number | string
    readonly names?: { readonly [Column in Name]?: string }
    readonly timestamps?: { readonly [Column in Name]?: AvroInstantFormat }
  } = {},
): AvroEncoding<Name> => {
  const { framing = 'plain', schema, schemaId } = options
  return Object.freeze({
    encoding: 'avro',
    framing,
    ...(schema === undefined ? {} : { schema: typeof schema === 'string' ? schema : JSON.stringify(schema) }),
    ...(schemaId === undefined ? {} : { schemaId: schemaIdOf(framing, schemaId) }),
    names: Object.freeze({ ...options.names }) as AvroEncoding<Name>['names'],
    timestamps: Object.freeze({ ...options.timestamps }) as AvroEncoding<Name>['timestamps'],
  })
}
