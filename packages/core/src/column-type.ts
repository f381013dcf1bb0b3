/** Which fact of the Kafka record a metadata column holds. */
export type RecordMetadata =
  | { readonly field: 'offset' | 'partition' | 'timestamp' | 'key' }
  | { readonly field: 'header'; readonly header: string }

/**
 * The type of a column, as it is kept in journals and compared with Glue.
 *
 * `timestamp` is milliseconds (Athena's timestamp(3)); `epochNanos` is an int64 of nanoseconds since the epoch;
 * `date` is days since the epoch; `json` is JSON text. Lists, maps and structs hold values of any type but `json`,
 * each other included.
 */
export type ColumnType =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'int8' }
  | { readonly kind: 'int16' }
  | { readonly kind: 'int32' }
  | { readonly kind: 'int64'; readonly mode?: 'number' }
  | { readonly kind: 'float' }
  | { readonly kind: 'double' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'string' }
  | { readonly kind: 'binary' }
  | { readonly kind: 'date' }
  | { readonly kind: 'timestamp'; readonly floor?: 'millis' }
  | { readonly kind: 'epochNanos' }
  | { readonly kind: 'json' }
  | { readonly kind: 'list'; readonly element: NestedValue }
  | { readonly kind: 'map'; readonly key: MapKeyType; readonly value: NestedValue }
  | { readonly kind: 'struct'; readonly fields: readonly StructField[] }

/** The name of a column type. */
export type ColumnKind = ColumnType['kind']

/** The column types that hold values of other types. */
export type NestedKind = 'list' | 'map' | 'struct'

/** The column types a key of a map can have: those whose equal values have one text, as a JSON member name has to. */
export type MapKeyKind = 'string' | 'int8' | 'int16' | 'int32' | 'int64' | 'date'

/** The type of a map's keys; a key is never null. */
export type MapKeyType = Extract<ColumnType, { readonly kind: MapKeyKind }>

/** What stands in a list or as a value in a map. */
export interface NestedValue {
  readonly type: ColumnType
  readonly nullable: boolean
}

/** A named field of a struct. */
export interface StructField extends NestedValue {
  readonly name: string
}

/** A named, typed column of a table. */
export interface ColumnDefinition {
  /** Stable within the table; position from 1 at first definition. */
  readonly id: number
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
  /** Set when the value is a fact of the Kafka record rather than of its value. */
  readonly metadata?: RecordMetadata
}

/** How a partition value is made from a column. */
export type TransformKind = 'identity' | 'year' | 'month' | 'day' | 'hour'

/** A named partition of a table; its values are strings in the catalog and in the key. */
export interface PartitionDefinition {
  readonly name: string
  readonly transform: TransformKind
  /** The column the value is made from. */
  readonly source: string
  /** IANA time zone in which calendar fields are read; only for timestamps. Default UTC. */
  readonly timeZone?: string
}
