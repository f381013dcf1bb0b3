import { type ColumnDefinition, type ColumnVector, Decimal, formatDate } from '../src/index.ts'

/** The value of one cell of a vector, for comparisons: decimals as text, binary as bytes. */
export const cellAt = (column: ColumnDefinition, vector: ColumnVector, row: number): unknown => {
  if (vector.validity && !(vector.validity[row >> 3]! & (1 << (row & 7)))) return null
  const decimal = (unscaled: bigint) =>
    Decimal.of(unscaled, column.type.kind === 'decimal' ? column.type.scale : 0).toString()
  switch (vector.kind) {
    case 'boolean':
      return (vector.values[row >> 3]! & (1 << (row & 7))) !== 0
    case 'int64':
      if (column.type.kind === 'timestamp') return new Date(Number(vector.values[row]))
      return column.type.kind === 'decimal' ? decimal(vector.values[row]!) : vector.values[row]
    case 'int128':
      return decimal((vector.values[row * 2 + 1]! << 64n) | BigInt.asUintN(64, vector.values[row * 2]!))
    case 'int32':
      return column.type.kind === 'date' ? formatDate(vector.values[row]!) : vector.values[row]
    case 'dictionary': {
      const { offsets, bytes } = vector.dictionary
      const code = vector.codes[row]!
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
        bytes.subarray(offsets[code]!, offsets[code + 1]!),
      )
    }
    case 'binary':
      return vector.bytes.subarray(vector.offsets[row]!, vector.offsets[row + 1]!)
    case 'list':
    case 'map':
    case 'struct':
      throw new Error('rowReader reads nested values')
    default:
      return vector.values[row]
  }
}
