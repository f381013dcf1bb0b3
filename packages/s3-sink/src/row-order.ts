import {
  type ColumnBatch,
  type ColumnDefinition,
  type ColumnVector,
  ConfigurationError,
} from '@stockpipe/core'
import { selectedRows } from './selected-rows.ts'
import { isNull } from './validity-buffer.ts'

/** A column by which the rows of a row group are sorted. */
export interface SortColumn {
  readonly column: string
  /** Default false. */
  readonly descending?: boolean
  /** Default false: nulls come last, whatever the direction. */
  readonly nullsFirst?: boolean
}

/** Compares two rows of a vector that have values. */
type Comparison = (left: number, right: number) => number

/** Sorts the rows of row groups. */
export class RowOrder {
  readonly columns: readonly Required<SortColumn>[]
  readonly #indexes: readonly number[]

  /** Throws a `ConfigurationError` for a column the table does not have, has twice here, or that has no order. */
  constructor(columns: readonly ColumnDefinition[], sortBy: readonly (string | SortColumn)[]) {
    this.columns = sortBy.map((one) => ({
      descending: false,
      nullsFirst: false,
      ...(typeof one === 'string' ? { column: one } : one),
    }))
    this.#indexes = this.columns.map(({ column }, place) => {
      const index = columns.findIndex(({ name }) => name === column)
      const kind = columns[index]?.type.kind
      if (kind === undefined) refuse(`the table has no column '${column}'`)
      if (kind === 'list' || kind === 'map' || kind === 'struct')
        refuse(`'${column}' is a ${kind} and has no order`)
      if (this.columns.findIndex((other) => other.column === column) !== place)
        refuse(`'${column}' is named twice`)
      return index
    })
  }

  /** The rows in order; those that are equal stay in the order of their offsets. */
  sorted(batch: ColumnBatch): ColumnBatch {
    const comparisons = this.columns.map(({ descending, nullsFirst }, place) =>
      withNulls(batch.columns[this.#indexes[place]!]!, descending, nullsFirst),
    )
    const compare: Comparison = (left, right) => {
      for (const comparison of comparisons) {
        const difference = comparison(left, right)
        if (difference !== 0) return difference
      }
      return left - right
    }
    let sorted = 1
    while (sorted < batch.rows && compare(sorted - 1, sorted) < 0) sorted += 1
    if (sorted >= batch.rows) return batch
    const order = Uint32Array.from({ length: batch.rows }, (_, row) => row).sort(compare)
    const offsets = selectedRows({ kind: 'int64', values: batch.offsets, validity: null }, order)
    return {
      rows: batch.rows,
      columns: batch.columns.map((vector) => selectedRows(vector, order)),
      offsets: (offsets as ColumnVector & { kind: 'int64' }).values,
    }
  }
}

const refuse = (why: string): never => {
  throw new ConfigurationError({ code: 'SORT_COLUMN_UNSUITED', message: `Rows cannot be sorted so: ${why}.` })
}

const withNulls = (vector: ColumnVector, descending: boolean, nullsFirst: boolean): Comparison => {
  const compare = comparisonOf(vector)
  const directed: Comparison = descending ? (left, right) => compare(right, left) : compare
  const { validity } = vector
  if (validity === null) return directed
  const nulls = nullsFirst ? -1 : 1
  return (left, right) => {
    const [leftIsNull, rightIsNull] = [isNull(validity, left), isNull(validity, right)]
    if (leftIsNull || rightIsNull) return leftIsNull === rightIsNull ? 0 : leftIsNull ? nulls : -nulls
    return directed(left, right)
  }
}

/** By value, text and bytes by their bytes; NaN after every number, as engines sort it. */
const comparisonOf = (vector: ColumnVector): Comparison => {
  switch (vector.kind) {
    case 'boolean': {
      const at = (row: number) => (vector.values[row >> 3]! >> (row & 7)) & 1
      return (left, right) => at(left) - at(right)
    }
    case 'int8':
    case 'int16':
    case 'int32':
      return (left, right) => vector.values[left]! - vector.values[right]!
    case 'float':
    case 'double':
      return (left, right) => compareNumbers(vector.values[left]!, vector.values[right]!)
    case 'int64':
      return wordComparison(vector.values, 2)
    case 'int128':
      return wordComparison(vector.values, 4)
    case 'dictionary': {
      const { codes, dictionary } = vector
      const compare = bytesComparison(dictionary.offsets, dictionary.bytes)
      const entries = Uint32Array.from({ length: dictionary.offsets.length - 1 }, (_, entry) => entry).sort(
        compare,
      )
      const ranks = new Int32Array(entries.length)
      for (const [rank, entry] of entries.entries()) ranks[entry] = rank
      return (left, right) => ranks[codes[left]!]! - ranks[codes[right]!]!
    }
    case 'binary':
      return bytesComparison(vector.offsets, vector.bytes)
    default:
      return refuse(`a ${vector.kind} has no order`)
  }
}

const compareNumbers = (left: number, right: number): number => {
  if (left < right) return -1
  if (left > right) return 1
  return left === right ? 0 : Number(Number.isNaN(left)) - Number(Number.isNaN(right))
}

/** As 32-bit words, the high one signed, so that no bigint is made. */
const wordComparison = (values: BigInt64Array, count: number): Comparison => {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2)
  return (left, right) => {
    const high = words[left * count + count - 1]! - words[right * count + count - 1]!
    if (high !== 0) return high
    for (let word = count - 2; word >= 0; word -= 1) {
      const low = (words[left * count + word]! >>> 0) - (words[right * count + word]! >>> 0)
      if (low !== 0) return low
    }
    return 0
  }
}

const bytesComparison = (offsets: Int32Array, bytes: Uint8Array): Comparison => {
  return (left, right) =>
    Buffer.compare(
      bytes.subarray(offsets[left]!, offsets[left + 1]!),
      bytes.subarray(offsets[right]!, offsets[right + 1]!),
    )
}
