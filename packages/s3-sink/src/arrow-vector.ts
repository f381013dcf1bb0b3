import { type ColumnDefinition, type ColumnType, type ColumnVector, StockpipeError } from '@stockpipe/core'
import type { Data } from 'apache-arrow'
import { vectorKind, vectorMismatch } from './vector-kind.ts'

/** A column of Arrow as the engine has it; shares memory where it can. Throws a `StockpipeError` for another type. */
export const arrowVector = (column: ColumnDefinition, data: Data): ColumnVector => {
  const vector =
    vectorKind(column.type) === 'dictionary' ? textVector(data) : innerVector(column.type, data, column.name)
  const mismatch = vectorMismatch(column.type, vector, column.name)
  if (mismatch !== undefined) throw unsuited(`it has ${mismatch}`)
  return vector
}

/** A string a row; who buffers them keeps each once. */
const textVector = (data: Data): ColumnVector => ({
  kind: 'dictionary',
  codes: Int32Array.from({ length: data.length }, (_, row) => row),
  dictionary: packed(data),
  validity: validityOf(data),
})

const packed = (data: Data): { offsets: Int32Array; bytes: Uint8Array } => ({
  offsets: data.valueOffsets as Int32Array,
  bytes: data.values as Uint8Array,
})

const validityOf = (data: Data): Uint8Array | null => {
  if (data.offset !== 0) throw unsuited('its rows begin within others')
  return data.nullCount === 0 ? null : (data.nullBitmap as Uint8Array)
}

const innerVector = (type: ColumnType, data: Data, path: string): ColumnVector => {
  const validity = validityOf(data)
  const offsets = data.valueOffsets as Int32Array
  switch (type.kind) {
    case 'boolean':
      return { kind: 'boolean', values: expected(data.values, Uint8Array, path), validity }
    case 'int8':
      return { kind: 'int8', values: expected(data.values, Int8Array, path), validity }
    case 'int16':
      return { kind: 'int16', values: expected(data.values, Int16Array, path), validity }
    case 'int32':
    case 'date':
      return { kind: 'int32', values: expected(data.values, Int32Array, path), validity }
    case 'int64':
    case 'timestamp':
    case 'epochNanos':
      return { kind: 'int64', values: expected(data.values, BigInt64Array, path), validity }
    case 'float':
      return { kind: 'float', values: expected(data.values, Float32Array, path), validity }
    case 'double':
      return { kind: 'double', values: expected(data.values, Float64Array, path), validity }
    case 'decimal':
      return decimalVector(type.precision, data, path, validity)
    case 'string':
    case 'json':
    case 'binary':
      expected(data.values, Uint8Array, path)
      return { kind: 'binary', ...packed(data), validity }
    case 'list':
      return {
        kind: 'list',
        offsets,
        element: innerVector(type.element.type, child(data, 0, path), path),
        validity,
      }
    case 'map': {
      const entries = child(data, 0, path)
      return {
        kind: 'map',
        offsets,
        key: innerVector(type.key, child(entries, 0, path), path),
        value: innerVector(type.value.type, child(entries, 1, path), path),
        validity,
      }
    }
    case 'struct':
      return {
        kind: 'struct',
        fields: type.fields.map((field, index) =>
          innerVector(field.type, child(data, index, path), `${path}.${field.name}`),
        ),
        validity,
      }
  }
}

/** Arrow has 128 bits a decimal, low word first. */
const decimalVector = (
  precision: number,
  data: Data,
  path: string,
  validity: Uint8Array | null,
): ColumnVector => {
  const words = expected(data.values, Uint32Array, path)
  if (words.length !== data.length * 4) throw unsuited(`'${path}' has no decimals of 128 bits`)
  const halves = new BigInt64Array(words.slice().buffer)
  if (precision > 18) return { kind: 'int128', values: halves, validity }
  return { kind: 'int64', values: halves.filter((_, index) => index % 2 === 0), validity }
}

const child = (data: Data, index: number, path: string): Data => {
  const found = data.children[index]
  if (found === undefined) throw unsuited(`'${path}' has too few parts`)
  return found
}

const expected = <Values>(
  values: unknown,
  kind: new (...parameters: never[]) => Values,
  path: string,
): Values => {
  if (values instanceof kind) return values
  throw unsuited(`'${path}' is not of the type the table says`)
}

const unsuited = (why: string): StockpipeError =>
  new StockpipeError({
    code: 'PARQUET_UNREADABLE',
    message: `It cannot be read as Parquet of this table: ${why}.`,
  })
