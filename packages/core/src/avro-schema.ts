/** A logical type that decoding looks at; others count as the type beneath, as Avro asks for. */
export type AvroLogicalType =
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'date' | 'uuid' }
  /** An instant, or a local date and time, in units since the epoch. */
  | { readonly kind: 'timestamp'; readonly unit: AvroTimestampUnit; readonly local: boolean }

export type AvroTimestampUnit = 'millis' | 'micros' | 'nanos'

export type AvroPrimitiveName = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string'

export interface AvroPrimitive {
  readonly type: AvroPrimitiveName
  readonly logical?: AvroLogicalType
}

export interface AvroFixed {
  readonly type: 'fixed'
  /** With its namespace. */
  readonly name: string
  readonly bytes: number
  readonly logical?: AvroLogicalType
}

export interface AvroEnum {
  readonly type: 'enum'
  readonly name: string
  readonly symbols: readonly string[]
}

export interface AvroArray {
  readonly type: 'array'
  readonly items: AvroSchema
}

export interface AvroMap {
  readonly type: 'map'
  readonly values: AvroSchema
}

export interface AvroUnion {
  readonly type: 'union'
  readonly branches: readonly AvroSchema[]
}

export interface AvroField {
  readonly name: string
  readonly aliases: readonly string[]
  readonly schema: AvroSchema
  /** As the schema has it; absent when there is none. */
  readonly default?: unknown
}

export interface AvroRecord {
  readonly type: 'record'
  readonly name: string
  readonly fields: readonly AvroField[]
}

/** A schema that was read. One that is recursive holds itself. */
export type AvroSchema = AvroPrimitive | AvroFixed | AvroEnum | AvroArray | AvroMap | AvroUnion | AvroRecord

/** What a schema is called in a sentence: its name, or its type with the logical type. */
export const avroTypeName = (schema: AvroSchema): string => {
  switch (schema.type) {
    case 'record':
    case 'enum':
      return `${schema.type} ${schema.name}`
    case 'fixed':
      return `fixed ${schema.name}${logicalName(schema.logical)}`
    case 'array':
      return `array of ${avroTypeName(schema.items)}`
    case 'map':
      return `map of ${avroTypeName(schema.values)}`
    case 'union':
      return `union of ${schema.branches.map(avroTypeName).join(', ')}`
    default:
      return `${schema.type}${logicalName(schema.logical)}`
  }
}

const logicalName = (logical: AvroLogicalType | undefined): string => {
  if (logical === undefined) return ''
  if (logical.kind === 'decimal') return ` (decimal(${logical.precision},${logical.scale}))`
  if (logical.kind === 'timestamp') return ` (${logical.local ? 'local-' : ''}timestamp-${logical.unit})`
  return ` (${logical.kind})`
}

/** False for values of which none takes a byte, so that an array of any number of them takes none. */
export const takesBytes = (schema: AvroSchema, within: ReadonlySet<AvroSchema> = new Set()): boolean => {
  switch (schema.type) {
    case 'null':
      return false
    case 'fixed':
      return schema.bytes > 0
    case 'record': {
      if (within.has(schema)) return false
      const inner = new Set(within).add(schema)
      return schema.fields.some((field) => takesBytes(field.schema, inner))
    }
    default:
      return true
  }
}
