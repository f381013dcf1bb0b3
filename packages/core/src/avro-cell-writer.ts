import type { AvroBytes } from './avro-bytes.ts'
import type { AvroEncoding } from './avro-encoding.ts'
import { type AvroResolution, enterRecord, nullabilityOf, refuseSchema, slotsOf } from './avro-resolution.ts'
import { type AvroFixed, type AvroPrimitive, type AvroSchema, avroTypeName } from './avro-schema.ts'
import type { ColumnType, NestedValue, StructField } from './column-type.ts'
import { mapEntries } from './column-value.ts'
import { Decimal } from './decimal.ts'
import { SchemaMismatchError } from './errors.ts'
import { parseDate } from './instant.ts'

/** Writes a value that fits its column; throws a `SchemaMismatchError` when its schema cannot hold it. */
export type AvroCellWriter = (bytes: AvroBytes, value: unknown) => void

const reject = (path: string, reason: string): never => {
  throw new SchemaMismatchError({
    code: 'ROW_INVALID',
    message: `A row does not fit the topic's Avro schema: '${path}' ${reason}.`,
    facts: { column: path },
  })
}

const nullableWriter = (
  { type, nullable }: NestedValue,
  schema: AvroSchema,
  path: string,
  resolution: AvroResolution,
): AvroCellWriter => {
  const { present, branches, nullBranch } = nullabilityOf(schema, path, resolution)
  if (!present) return refuseSchema(resolution, path, 'is always null in it')
  if (nullable && nullBranch < 0)
    refuseSchema(resolution, path, `is nullable, and ${avroTypeName(schema)} is not`)
  const write = presentWriter(type, present, path, resolution)
  if (branches === 0) return write
  const presentBranch = nullBranch === 0 ? 1 : 0
  return (bytes, value) => {
    if (value === null || value === undefined) return bytes.int(nullBranch)
    bytes.int(presentBranch)
    write(bytes, value)
  }
}

const presentWriter = (
  type: ColumnType,
  schema: AvroSchema,
  path: string,
  resolution: AvroResolution,
): AvroCellWriter => {
  const refuse = (): never =>
    refuseSchema(resolution, path, `is ${type.kind}, which ${avroTypeName(schema)} does not hold`)
  switch (type.kind) {
    case 'boolean':
      return schema.type === 'boolean' ? (bytes, value) => bytes.byte(value ? 1 : 0) : refuse()
    case 'int8':
    case 'int16':
    case 'int32':
      return schema.type === 'int' || schema.type === 'long'
        ? (bytes, value) => bytes.int(value as number)
        : refuse()
    case 'int64':
      return schema.type === 'long'
        ? (bytes, value) => bytes.long(BigInt(value as bigint | number))
        : refuse()
    case 'float':
      if (schema.type === 'float') return (bytes, value) => bytes.float(value as number)
      return schema.type === 'double' ? (bytes, value) => bytes.double(value as number) : refuse()
    case 'double':
      return schema.type === 'double' ? (bytes, value) => bytes.double(value as number) : refuse()
    case 'decimal':
      return decimalWriter(type, schema) ?? refuse()
    case 'string':
      if (schema.type === 'enum') {
        const { symbols, name } = schema
        return (bytes, value) => {
          const symbol = symbols.indexOf(value as string)
          if (symbol < 0) reject(path, `is no symbol of ${name}: ${JSON.stringify(value)}`)
          bytes.int(symbol)
        }
      }
      return schema.type === 'string' || schema.type === 'bytes'
        ? (bytes, value) => bytes.string(value as string)
        : refuse()
    case 'json':
      return schema.type === 'string' ? (bytes, value) => bytes.string(value as string) : refuse()
    case 'binary':
      if (schema.type === 'fixed') {
        return (bytes, value) => {
          const { length } = value as Uint8Array
          if (length !== schema.bytes)
            reject(path, `has ${length} bytes, and ${schema.name} has ${schema.bytes}`)
          bytes.fixed(value as Uint8Array)
        }
      }
      return schema.type === 'bytes' ? (bytes, value) => bytes.bytes(value as Uint8Array) : refuse()
    case 'date':
      return schema.type === 'int' && schema.logical?.kind === 'date'
        ? (bytes, value) => bytes.int(parseDate(value as string)!)
        : refuse()
    case 'timestamp':
    case 'epochNanos': {
      const unit = unitNanos(schema, resolution.encoding.timestamps[path])
      return unit === undefined
        ? refuse()
        : instantWriter(type.kind === 'timestamp' ? 1_000_000n : 1n, unit, path)
    }
    case 'list': {
      if (schema.type !== 'array') return refuse()
      const write = nullableWriter(type.element, schema.items, path, resolution)
      return (bytes, value) => {
        const elements = value as readonly unknown[]
        if (elements.length > 0) bytes.int(elements.length)
        for (const element of elements) write(bytes, element)
        bytes.int(0)
      }
    }
    case 'map': {
      if (schema.type !== 'map') return refuse()
      const write = nullableWriter(type.value, schema.values, path, resolution)
      const { key } = type
      return (bytes, value) => {
        const entries = [...mapEntries(key, value)!]
        if (entries.length > 0) bytes.int(entries.length)
        for (const [name, member] of entries) {
          bytes.string(String(name))
          write(bytes, member)
        }
        bytes.int(0)
      }
    }
    case 'struct':
      return avroRecordWriter(schema, type.fields, `${path}.`, resolution)
  }
}

/** Two's complement, big-endian, in as few bytes as there can be or in `length`. */
const unscaledBytes = (unscaled: bigint, length?: number): Uint8Array => {
  let size = length ?? 1
  if (length === undefined) while (BigInt.asIntN(size * 8, unscaled) !== unscaled) size += 1
  const hex = BigInt.asUintN(size * 8, unscaled)
    .toString(16)
    .padStart(size * 2, '0')
  return Buffer.from(hex, 'hex')
}

const decimalWriter = (
  type: { readonly precision: number; readonly scale: number },
  schema: AvroSchema,
): AvroCellWriter | undefined => {
  if (schema.type !== 'bytes' && schema.type !== 'fixed') return undefined
  const { logical } = schema as AvroPrimitive | AvroFixed
  if (logical?.kind !== 'decimal') return undefined
  const { precision, scale } = logical
  if (scale < type.scale || precision - scale < type.precision - type.scale) return undefined
  const unscaledOf = (value: unknown): bigint => {
    const decimal = Decimal.isDecimal(value) ? value : Decimal.parse(value as string)
    // More digits than the column has are zeros.
    return decimal.rescale(type.scale, 'down').rescale(scale).unscaled
  }
  return schema.type === 'fixed'
    ? (bytes, value) => bytes.fixed(unscaledBytes(unscaledOf(value), schema.bytes))
    : (bytes, value) => bytes.bytes(unscaledBytes(unscaledOf(value)))
}

const units = {
  millis: 1_000_000n,
  micros: 1_000n,
  nanos: 1n,
  'epoch-seconds': 1_000_000_000n,
  'epoch-millis': 1_000_000n,
  'epoch-micros': 1_000n,
  'epoch-nanos': 1n,
} as const

/** Nanoseconds of a unit of the schema; undefined where it holds no instants. */
const unitNanos = (schema: AvroSchema, format: AvroEncoding['timestamps'][string]): bigint | undefined => {
  if (schema.type !== 'long') return undefined
  if (schema.logical?.kind === 'timestamp') return units[schema.logical.unit]
  return schema.logical === undefined && format ? units[format] : undefined
}

const instantWriter =
  (nanosPerValue: bigint, unit: bigint, path: string): AvroCellWriter =>
  (bytes, value) => {
    const nanos =
      value instanceof Date ? BigInt(value.getTime()) * 1_000_000n : (value as bigint) * nanosPerValue
    const count = nanos / unit
    if (count * unit !== nanos) reject(path, `is finer than its schema: ${nanos} ns`)
    if (BigInt.asIntN(64, count) !== count) reject(path, `is more than a long holds in its unit: ${nanos} ns`)
    bytes.long(count)
  }

/** Writes a row or struct as a record: each column has a field, and a field without a column is null. */
export const avroRecordWriter = (
  schema: AvroSchema,
  fields: readonly StructField[],
  prefix: string,
  resolution: AvroResolution,
): AvroCellWriter => {
  const path = prefix.slice(0, -1)
  if (schema.type !== 'record') {
    return refuseSchema(resolution, path, `is a record, which ${avroTypeName(schema)} does not hold`)
  }
  const inner = enterRecord(schema, path, resolution)
  const slots = slotsOf(schema, fields, prefix, resolution)
  const lacking = fields.find((_, slot) => !slots.includes(slot))
  if (lacking) refuseSchema(resolution, prefix + lacking.name, `has no field in ${schema.name}`)
  const steps = schema.fields.map((field, index) => {
    const target = fields[slots[index]!]
    if (target) {
      const write = nullableWriter(target, field.schema, prefix + target.name, inner)
      return (bytes: AvroBytes, row: Readonly<Record<string, unknown>>) => write(bytes, row[target.name])
    }
    const branches = field.schema.type === 'union' ? field.schema.branches : []
    const nullBranch = branches.findIndex(({ type }) => type === 'null')
    if (nullBranch < 0 && field.schema.type !== 'null') {
      refuseSchema(resolution, prefix + field.name, `is a field that has no column and is not nullable`)
    }
    return (bytes: AvroBytes) => {
      if (nullBranch >= 0) bytes.int(nullBranch)
    }
  })
  return (bytes, value) => {
    for (const step of steps) step(bytes, value as Readonly<Record<string, unknown>>)
  }
}
