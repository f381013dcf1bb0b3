import type {
  ByteDictionary,
  ColumnBatch,
  ColumnDefinition,
  ColumnVector,
  TableDefinition,
} from '@stockpipe/core'

/** A stored value: booleans and numbers as they are, bigint for 64-bit and decimals, text for strings, bytes. */
export type Cell = boolean | number | bigint | string | Uint8Array | null

const packed = (values: readonly Uint8Array[]): ByteDictionary => {
  const offsets = new Int32Array(values.length + 1)
  values.forEach((value, index) => {
    offsets[index + 1] = offsets[index]! + value.length
  })
  return { offsets, bytes: new Uint8Array(Buffer.concat(values)) }
}

const bits = (values: readonly boolean[]): Uint8Array => {
  const bytes = new Uint8Array(Math.ceil(values.length / 8))
  values.forEach((value, index) => {
    if (value) bytes[index >> 3]! |= 1 << (index & 7)
  })
  return bytes
}

/** One column made by hand, independent of core's decoder. */
export const vectorOf = ({ type }: ColumnDefinition, cells: readonly Cell[]): ColumnVector => {
  const validity = cells.includes(null) ? bits(cells.map((cell) => cell !== null)) : null
  const numbers = () => cells.map((cell) => Number(cell ?? 0))
  const bigints = () => cells.map((cell) => BigInt((cell ?? 0) as bigint))
  switch (type.kind) {
    case 'boolean':
      return { kind: 'boolean', values: bits(cells.map((cell) => cell === true)), validity }
    case 'int8':
      return { kind: 'int8', values: Int8Array.from(numbers()), validity }
    case 'int16':
      return { kind: 'int16', values: Int16Array.from(numbers()), validity }
    case 'int32':
    case 'date':
      return { kind: 'int32', values: Int32Array.from(numbers()), validity }
    case 'float':
      return { kind: 'float', values: Float32Array.from(numbers()), validity }
    case 'double':
      return { kind: 'double', values: Float64Array.from(numbers()), validity }
    case 'int64':
    case 'timestamp':
    case 'epochNanos':
      return { kind: 'int64', values: BigInt64Array.from(bigints()), validity }
    case 'decimal': {
      if (type.precision <= 18) return { kind: 'int64', values: BigInt64Array.from(bigints()), validity }
      const words = bigints().flatMap((value) => [BigInt.asIntN(64, value), value >> 64n])
      return { kind: 'int128', values: BigInt64Array.from(words), validity }
    }
    case 'string':
    case 'json': {
      const texts = [...new Set(cells.filter((cell) => cell !== null))] as string[]
      const codeOf = new Map(texts.map((text, code) => [text, code]))
      const codes = Int32Array.from(cells, (cell) => (cell === null ? 0 : codeOf.get(cell as string)!))
      return {
        kind: 'dictionary',
        codes,
        dictionary: packed(texts.map((text) => Buffer.from(text))),
        validity,
      }
    }
    case 'binary':
      return {
        kind: 'binary',
        ...packed(cells.map((cell) => (cell ?? new Uint8Array()) as Uint8Array)),
        validity,
      }
    case 'list':
    case 'map':
    case 'struct':
      throw new Error('nested columns are made by core')
  }
}

/** Rows as a batch; offsets count up from `firstOffset`. */
export const batchOf = (
  table: TableDefinition,
  rows: readonly Readonly<Record<string, Cell>>[],
  firstOffset = 0n,
): ColumnBatch => ({
  rows: rows.length,
  columns: table.columns.map((column) =>
    vectorOf(
      column,
      rows.map((row) => row[column.name] ?? null),
    ),
  ),
  offsets: BigInt64Array.from(rows, (_, index) => firstOffset + BigInt(index)),
})
