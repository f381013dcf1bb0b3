import { type ColumnType, Decimal, formatDate } from '@stockpipe/core'
import { tableFromIPC } from 'apache-arrow'
import { readParquet } from 'parquet-wasm/node'

/** The rows of a Parquet file, read by parquet-rs, with the values their columns decode to. */
export const arrowRowsOf = (
  columns: readonly { readonly name: string; readonly type: ColumnType }[],
  file: Uint8Array,
): Record<string, unknown>[] => {
  const table = tableFromIPC(readParquet(file).intoIPCStream())
  return Array.from({ length: table.numRows }, (_, row) =>
    Object.fromEntries(
      columns.map(({ name, type }) => [name, decoded(type, table.getChild(name)!.get(row))]),
    ),
  )
}

/** Lists and values of Arrow's own, by what of them is used. */
interface ArrowVector {
  readonly length: number
  get(index: number): unknown
}

const decoded = (type: ColumnType, value: unknown): unknown => {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'decimal': {
      const words = value as Uint32Array
      const unscaled = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n)
      return Decimal.of(BigInt.asIntN(words.length * 32, unscaled), type.scale)
    }
    case 'timestamp':
      return new Date(Number(value))
    case 'date':
      return formatDate(Math.floor(Number(value) / 86_400_000))
    case 'binary':
      return new Uint8Array(value as Uint8Array)
    case 'list': {
      const elements = value as ArrowVector
      return Array.from({ length: elements.length }, (_, index) =>
        decoded(type.element.type, elements.get(index)),
      )
    }
    case 'map':
      return new Map(
        Array.from(value as Iterable<[unknown, unknown]>, ([key, member]) => [
          decoded(type.key, key),
          decoded(type.value.type, member),
        ]),
      )
    case 'struct': {
      const fields = value as Readonly<Record<string, unknown>>
      return Object.fromEntries(
        type.fields.map((field) => [field.name, decoded(field.type, fields[field.name])]),
      )
    }
    default:
      return value
  }
}
