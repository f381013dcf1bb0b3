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

/** Compares a row of one batch with a row of another, or of the same. */
export type Comparison = (left: number, right: number) => number

/** Sorts rows, and compares those of sorted batches. */
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
    const byColumns = this.between(batch, batch)
    const compare: Comparison = (left, right) => byColumns(left, right) || left - right
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

  /** How a row of the one is ordered to a row of the other. */
  between(left: ColumnBatch, right: ColumnBatch): Comparison {
    const comparisons = this.columns.map(({ descending, nullsFirst }, place) => {
      const index = this.#indexes[place]!
      return withNulls(left.columns[index]!, right.columns[index]!, descending, nullsFirst)
    })
    return (leftRow, rightRow) => {
      for (const comparison of comparisons) {
        const difference = comparison(leftRow, rightRow)
        if (difference !== 0) return difference
      }
      return 0
    }
  }
}

const refuse = (why: string): never => {
  throw new ConfigurationError({ code: 'SORT_COLUMN_UNSUITED', message: `Rows cannot be sorted so: ${why}.` })
}

const withNulls = (
  left: ColumnVector,
  right: ColumnVector,
  descending: boolean,
  nullsFirst: boolean,
): Comparison => {
  const compare = comparisonOf(left, right)
  const directed: Comparison = descending ? (one, other) => -compare(one, other) : compare
  if (left.validity === null && right.validity === null) return directed
  const nulls = nullsFirst ? -1 : 1
  return (one, other) => {
    const [oneIsNull, otherIsNull] = [isNull(left.validity, one), isNull(right.validity, other)]
    if (oneIsNull || otherIsNull) return oneIsNull === otherIsNull ? 0 : oneIsNull ? nulls : -nulls
    return directed(one, other)
  }
}

/** By value, text and bytes by their bytes; NaN after every number, as engines sort it. */
const comparisonOf = (vector: ColumnVector, right: ColumnVector): Comparison => {
  switch (vector.kind) {
    case 'boolean': {
      const bit = (values: Uint8Array, row: number) => (values[row >> 3]! >> (row & 7)) & 1
      const { values } = right as typeof vector
      return (one, other) => bit(vector.values, one) - bit(values, other)
    }
    case 'int8':
    case 'int16':
    case 'int32': {
      const { values } = right as typeof vector
      return (one, other) => vector.values[one]! - values[other]!
    }
    case 'float':
    case 'double': {
      const { values } = right as typeof vector
      return (one, other) => compareNumbers(vector.values[one]!, values[other]!)
    }
    case 'int64':
      return wordComparison(vector.values, (right as typeof vector).values, 2)
    case 'int128':
      return wordComparison(vector.values, (right as typeof vector).values, 4)
    case 'dictionary':
      return dictionaryComparison(vector, right as typeof vector)
    case 'binary':
      return bytesComparison(vector, right as typeof vector)
    default:
      return refuse(`a ${vector.kind} has no order`)
  }
}

type DictionaryVector = ColumnVector & { readonly kind: 'dictionary' }

const dictionaryComparison = (left: DictionaryVector, right: DictionaryVector): Comparison => {
  const compare = bytesComparison(left.dictionary, right.dictionary)
  if (left !== right) return (one, other) => compare(left.codes[one]!, right.codes[other]!)
  // Each string is compared once, not for each row.
  const { codes, dictionary } = left
  const entries = Uint32Array.from({ length: dictionary.offsets.length - 1 }, (_, entry) => entry).sort(
    compare,
  )
  const ranks = new Int32Array(entries.length)
  for (const [rank, entry] of entries.entries()) ranks[entry] = rank
  return (one, other) => ranks[codes[one]!]! - ranks[codes[other]!]!
}

const compareNumbers = (left: number, right: number): number => {
  if (left < right) return -1
  if (left > right) return 1
  return left === right ? 0 : Number(Number.isNaN(left)) - Number(Number.isNaN(right))
}

/** As 32-bit words, the high one signed, so that no bigint is made. */
const wordComparison = (left: BigInt64Array, right: BigInt64Array, count: number): Comparison => {
  const [leftWords, rightWords] = [wordsOf(left), wordsOf(right)]
  return (one, other) => {
    const high = leftWords[one * count + count - 1]! - rightWords[other * count + count - 1]!
    if (high !== 0) return high
    for (let word = count - 2; word >= 0; word -= 1) {
      const low = (leftWords[one * count + word]! >>> 0) - (rightWords[other * count + word]! >>> 0)
      if (low !== 0) return low
    }
    return 0
  }
}

const wordsOf = ({ buffer, byteOffset, length }: BigInt64Array): Int32Array =>
  new Int32Array(buffer, byteOffset, length * 2)

interface ByteStrings {
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}

const bytesComparison =
  (left: ByteStrings, right: ByteStrings): Comparison =>
  (one, other) =>
    Buffer.compare(
      left.bytes.subarray(left.offsets[one]!, left.offsets[one + 1]!),
      right.bytes.subarray(right.offsets[other]!, right.offsets[other + 1]!),
    )
