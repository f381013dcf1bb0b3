import type { ColumnBatch, ColumnDefinition, ColumnType, ColumnVector, NestedValue } from '@stockpipe/core'
import {
  Binary,
  Bool,
  type Data,
  type DataType,
  DateDay,
  Decimal,
  Dictionary,
  Field,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  Map_,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMillisecond,
  tableToIPC,
  Utf8,
  Vector,
} from 'apache-arrow'

/** The Arrow schema of a table's columns; partition columns are in the path and not in the file. */
export const arrowSchema = (columns: readonly ColumnDefinition[]): Schema =>
  new Schema(
    columns.map((column, index) => new Field(column.name, columnType(column.type, index), column.nullable)),
  )

const columnType = (type: ColumnType, index: number): DataType =>
  // A dictionary in every file, so that readers that see Arrow's types find the same one everywhere.
  type.kind === 'string' || type.kind === 'json'
    ? new Dictionary(new Utf8(), new Int32(), index)
    : arrowType(type)

const arrowType = (type: ColumnType): DataType => {
  switch (type.kind) {
    case 'boolean':
      return new Bool()
    case 'int8':
      return new Int8()
    case 'int16':
      return new Int16()
    case 'int32':
      return new Int32()
    case 'int64':
    case 'epochNanos':
      return new Int64()
    case 'float':
      return new Float32()
    case 'double':
      return new Float64()
    case 'decimal':
      // Scale comes first.
      return new Decimal(type.scale, type.precision, type.precision <= 18 ? 64 : 128)
    case 'date':
      return new DateDay()
    case 'timestamp':
      return new TimestampMillisecond()
    case 'string':
    case 'json':
      return new Utf8()
    case 'binary':
      return new Binary()
    case 'list':
      // Named as Parquet names what a list is made of.
      return new List(field('element', type.element))
    case 'map':
      return new Map_(
        new Field(
          'entries',
          new Struct<{ key: DataType; value: DataType }>([
            field('key', { type: type.key, nullable: false }),
            field('value', type.value),
          ]),
          false,
        ),
      )
    case 'struct':
      return new Struct(type.fields.map((inner) => field(inner.name, inner)))
  }
}

const field = (name: string, { type, nullable }: NestedValue): Field =>
  new Field(name, arrowType(type), nullable)

/** A batch as an Arrow IPC stream of one record batch; the vectors are wrapped, and copied once into the stream. */
export const arrowStream = (schema: Schema, batch: ColumnBatch): Uint8Array => {
  const children = batch.columns.map((vector, index) =>
    arrowData(schema.fields[index]!.type, vector, batch.rows),
  )
  const rows = makeData({
    type: new Struct(schema.fields),
    length: batch.rows,
    nullCount: 0,
    children,
  })
  return tableToIPC(new Table(schema, [new RecordBatch(schema, rows)]), 'stream')
}

const arrowData = (type: DataType, vector: ColumnVector, length: number): Data => {
  const { validity: nullBitmap } = vector
  // Without a bitmap the count is known; with one Arrow counts.
  const rows = { length, ...(nullBitmap === null ? { nullCount: 0 } : { nullBitmap }) }
  switch (vector.kind) {
    case 'dictionary': {
      const { codes, dictionary } = vector
      const strings = makeData({
        type: new Utf8(),
        length: dictionary.offsets.length - 1,
        nullCount: 0,
        valueOffsets: dictionary.offsets,
        data: dictionary.bytes,
      })
      return makeData({ ...rows, type: type as Dictionary, data: codes, dictionary: new Vector([strings]) })
    }
    case 'binary':
      return makeData({ ...rows, type: type as Binary, valueOffsets: vector.offsets, data: vector.bytes })
    case 'list': {
      const { offsets, element } = vector
      const child = arrowData(type.children[0]!.type, element, offsets[length]!)
      return makeData({ ...rows, type: type as List, valueOffsets: offsets, child })
    }
    case 'map': {
      const { offsets, key, value } = vector
      const entries = type.children[0]!.type as Struct
      const count = offsets[length]!
      const children = [key, value].map((inner, index) =>
        arrowData(entries.children[index]!.type, inner, count),
      )
      const child = makeData({ type: entries, length: count, nullCount: 0, children })
      return makeData({ ...rows, type: type as Map_, valueOffsets: offsets, child })
    }
    case 'struct': {
      const children = vector.fields.map((inner, index) =>
        arrowData(type.children[index]!.type, inner, length),
      )
      return makeData({ ...rows, type: type as Struct, children })
    }
    default: {
      const { values } = vector
      // Arrow keeps decimals of any width as 32-bit words.
      const data =
        type instanceof Decimal
          ? new Uint32Array(values.buffer, values.byteOffset, values.byteLength >> 2)
          : values
      return makeData({ ...rows, type: type as Int64, data: data as BigInt64Array })
    }
  }
}
