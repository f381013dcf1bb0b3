import type { ByteDictionary, ColumnBatch, ColumnVector } from './column-batch.ts'
import type { ColumnDefinition } from './column-type.ts'
import { Decimal } from './decimal.ts'
import { formatDate } from './instant.ts'

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** Reads a cell that is not null. */
type CellReader = (row: number) => unknown

const texts = ({ offsets, bytes }: ByteDictionary): ((code: number) => string) => {
  const known: string[] = []
  return (code) => (known[code] ??= utf8.decode(bytes.subarray(offsets[code]!, offsets[code + 1]!)))
}

const cellReader = ({ type }: ColumnDefinition, vector: ColumnVector): CellReader => {
  switch (vector.kind) {
    case 'boolean':
      return (row) => ((vector.values[row >> 3]! >> (row & 7)) & 1) === 1
    case 'dictionary': {
      const textOf = texts(vector.dictionary)
      return (row) => textOf(vector.codes[row]!)
    }
    case 'binary':
      return (row) => vector.bytes.slice(vector.offsets[row]!, vector.offsets[row + 1]!)
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
  const readers = columns.map((column, index) => cellReader(column, batch.columns[index]!))
  return (row) =>
    Object.fromEntries(
      columns.map(({ name }, index) => {
        const { validity } = batch.columns[index]!
        const present = validity === null || ((validity[row >> 3]! >> (row & 7)) & 1) === 1
        return [name, present ? readers[index]!(row) : null]
      }),
    )
}
