import {
  type ColumnBatch,
  type ColumnDefinition,
  type ColumnType,
  type ColumnVector,
  ConfigurationError,
} from '@stockpipe/core'
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
    columns.map((column, index) => new Field(column.name, arrowType(column.type, index), column.nullable)),
  )

const arrowType = (type: ColumnType, index: number): DataType => {
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
      // A dictionary in every file, so that readers that see Arrow's types find the same one everywhere.
      return new Dictionary(new Utf8(), new Int32(), index)
    case 'binary':
      return new Binary()
    case 'list':
    case 'map':
    case 'struct':
      throw new ConfigurationError({
        code: 'COLUMN_TYPE_REFUSED',
        message: `The sink cannot write ${type.kind} columns yet; keep the value as t.json().`,
      })
  }
}

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
    case 'list':
    case 'map':
    case 'struct':
      throw new Error(`no Arrow data for a ${vector.kind}`)
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
