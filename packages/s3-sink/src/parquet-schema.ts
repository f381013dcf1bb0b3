import { type ColumnDefinition, type ColumnType, type NestedValue, StockpipeError } from '@stockpipe/core'
import { type ThriftWriter, thriftElements } from './thrift-writer.ts'
import type { ValueOrder } from './value-order.ts'

/** Parquet's physical types. */
export const physicalTypes = {
  boolean: 0,
  int32: 1,
  int64: 2,
  float: 4,
  double: 5,
  bytes: 6,
  int128: 7,
} as const satisfies Record<ValueOrder, number>

const repetitions = { required: 0, optional: 1, repeated: 2 } as const
/** Old annotations, beside the logical types, for readers that know no others. */
const convertedTypes = {
  utf8: 0,
  map: 1,
  list: 3,
  decimal: 5,
  date: 6,
  timestampMillis: 9,
  int8: 15,
  int16: 16,
} as const

/** The physical type values of a column type without parts are stored as; it tells how they are ordered too. */
export const valueOrder = (type: ColumnType): ValueOrder => {
  switch (type.kind) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'date':
      return 'int32'
    case 'int64':
    case 'timestamp':
    case 'epochNanos':
      return 'int64'
    case 'decimal':
      if (type.precision <= 9) return 'int32'
      return type.precision <= 18 ? 'int64' : 'int128'
    case 'string':
    case 'json':
    case 'binary':
      return 'bytes'
    case 'boolean':
    case 'float':
    case 'double':
      return type.kind
    default:
      throw new StockpipeError({
        code: 'COLUMN_KIND_MISMATCH',
        message: `A ${type.kind} has no values of its own, only those of its parts.`,
      })
  }
}

/** An element of the schema: a group with those below it, or a leaf. */
interface SchemaElement {
  readonly name: string
  readonly repetition: keyof typeof repetitions
  readonly type?: ColumnType
  readonly children: readonly SchemaElement[]
}

const elementOf = (name: string, { type, nullable }: NestedValue): SchemaElement => ({
  name,
  repetition: nullable ? 'optional' : 'required',
  type,
  children: childrenOf(type),
})

/** Lists and maps have a repeated group between themselves and what they hold. */
const childrenOf = (type: ColumnType): readonly SchemaElement[] => {
  switch (type.kind) {
    case 'list':
      return [{ name: 'list', repetition: 'repeated', children: [elementOf('element', type.element)] }]
    case 'map': {
      const children = [elementOf('key', { type: type.key, nullable: false }), elementOf('value', type.value)]
      return [{ name: 'key_value', repetition: 'repeated', children }]
    }
    case 'struct':
      return type.fields.map((field) => elementOf(field.name, field))
    default:
      return []
  }
}

/** Writes the list of a table's schema elements in a field: the root, then its columns, each before what it holds. */
export const writeSchema = (
  thrift: ThriftWriter,
  field: number,
  columns: readonly ColumnDefinition[],
): void => {
  const top = columns.map((column) => elementOf(column.name, column))
  const count = (elements: readonly SchemaElement[]): number =>
    elements.reduce((sum, { children }) => sum + 1 + count(children), 0)
  thrift.list(field, thriftElements.struct, 1 + count(top))
  thrift.begin()
  thrift.text(4, 'schema')
  thrift.int32(5, top.length)
  thrift.end()
  for (const element of top) writeElement(thrift, element)
}

const writeElement = (thrift: ThriftWriter, { name, repetition, type, children }: SchemaElement): void => {
  thrift.begin()
  if (children.length === 0) {
    const order = valueOrder(type!)
    thrift.int32(1, physicalTypes[order])
    if (order === 'int128') thrift.int32(2, 16)
  }
  thrift.int32(3, repetitions[repetition])
  thrift.text(4, name)
  if (children.length > 0) thrift.int32(5, children.length)
  if (type) writeAnnotations(thrift, type)
  thrift.end()
  for (const child of children) writeElement(thrift, child)
}

const writeAnnotations = (thrift: ThriftWriter, type: ColumnType): void => {
  switch (type.kind) {
    case 'list':
      thrift.int32(6, convertedTypes.list)
      thrift.struct(10)
      thrift.emptyStruct(3)
      thrift.end()
      break
    case 'map':
      thrift.int32(6, convertedTypes.map)
      thrift.struct(10)
      thrift.emptyStruct(2)
      thrift.end()
      break
    case 'int8':
    case 'int16':
      thrift.int32(6, convertedTypes[type.kind])
      thrift.struct(10)
      thrift.struct(10)
      thrift.int8(1, type.kind === 'int8' ? 8 : 16)
      thrift.boolean(2, true)
      thrift.end()
      thrift.end()
      break
    case 'decimal':
      thrift.int32(6, convertedTypes.decimal)
      thrift.int32(7, type.scale)
      thrift.int32(8, type.precision)
      thrift.struct(10)
      thrift.struct(5)
      thrift.int32(1, type.scale)
      thrift.int32(2, type.precision)
      thrift.end()
      thrift.end()
      break
    case 'string':
    case 'json':
      thrift.int32(6, convertedTypes.utf8)
      thrift.struct(10)
      thrift.emptyStruct(1)
      thrift.end()
      break
    case 'date':
      thrift.int32(6, convertedTypes.date)
      thrift.struct(10)
      thrift.emptyStruct(6)
      thrift.end()
      break
    case 'timestamp':
      // Milliseconds, as Athena's timestamp(3), without a time zone.
      thrift.int32(6, convertedTypes.timestampMillis)
      thrift.struct(10)
      thrift.struct(8)
      thrift.boolean(1, false)
      thrift.struct(2)
      thrift.emptyStruct(1)
      thrift.end()
      thrift.end()
      thrift.end()
      break
    default:
  }
}
