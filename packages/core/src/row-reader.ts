import { type ByteDictionary, type ColumnBatch, type ColumnVector, isPresent } from './column-batch.ts'
import type { ColumnDefinition, ColumnType } from './column-type.ts'
import { Decimal } from './decimal.ts'
import { formatDate } from './instant.ts'

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** Reads a cell. */
type CellReader = (row: number) => unknown

type ListType = Extract<ColumnType, { kind: 'list' }>
type MapType = Extract<ColumnType, { kind: 'map' }>
type StructType = Extract<ColumnType, { kind: 'struct' }>

/** The rows of the children that belong to a row. */
const range = (offsets: Int32Array, row: number): number[] => {
  const start = offsets[row]!
  return Array.from({ length: offsets[row + 1]! - start }, (_, index) => start + index)
}

const texts = ({ offsets, bytes }: ByteDictionary): ((code: number) => string) => {
  const known: string[] = []
  return (code) => (known[code] ??= utf8.decode(bytes.subarray(offsets[code]!, offsets[code + 1]!)))
}

const cellReader = (type: ColumnType, vector: ColumnVector): CellReader => {
  const read = valueReader(type, vector)
  return (row) => (isPresent(vector.validity, row) ? read(row) : null)
}

/** Reads a cell that is not null. */
const valueReader = (type: ColumnType, vector: ColumnVector): CellReader => {
  switch (vector.kind) {
    case 'list': {
      const { offsets } = vector
      const read = cellReader((type as ListType).element.type, vector.element)
      return (row) => range(offsets, row).map(read)
    }
    case 'map': {
      const { offsets } = vector
      const { key, value } = type as MapType
      const readKey = cellReader(key, vector.key)
      const readValue = cellReader(value.type, vector.value)
      return (row) => new Map(range(offsets, row).map((entry) => [readKey(entry), readValue(entry)]))
    }
    case 'struct': {
      const fields = (type as StructType).fields.map(
        (field, index) => [field.name, cellReader(field.type, vector.fields[index]!)] as const,
      )
      return (row) => Object.fromEntries(fields.map(([name, read]) => [name, read(row)]))
    }
    case 'boolean':
      return (row) => ((vector.values[row >> 3]! >> (row & 7)) & 1) === 1
    case 'dictionary': {
      const textOf = texts(vector.dictionary)
      return (row) => textOf(vector.codes[row]!)
    }
    case 'binary': {
      const { offsets, bytes } = vector
      return type.kind === 'string'
        ? (row) => utf8.decode(bytes.subarray(offsets[row]!, offsets[row + 1]!))
        : (row) => bytes.slice(offsets[row]!, offsets[row + 1]!)
    }
    case 'int128': {
      const scale = type.kind === 'decimal' ? type.scale : 0
      return (row) =>
        Decimal.of((vector.values[row * 2 + 1]! << 64n) | BigInt.asUintN(64, vector.values[row * 2]!), scale)
    }
    default:
      switch (type.kind) {
        case 'decimal':
          return (row) => Decimal.of(vector.values[row] as bigint, type.scale)
        case 'timestamp':
          return (row) => new Date(Number(vector.values[row]))
        case 'date':
          return (row) => formatDate(vector.values[row] as number)
        case 'int64':
          return type.mode === 'number' ? (row) => Number(vector.values[row]) : (row) => vector.values[row]
        default:
          return (row) => vector.values[row]
      }
  }
}

/** Reads rows of a batch as objects, with the values their columns decode to. */
export const rowReader = (
  columns: readonly ColumnDefinition[],
  batch: ColumnBatch,
): ((row: number) => Record<string, unknown>) => {
  const readers = columns.map(
    ({ name, type }, index) => [name, cellReader(type, batch.columns[index]!)] as const,
  )
  return (row) => Object.fromEntries(readers.map(([name, read]) => [name, read(row)]))
}
