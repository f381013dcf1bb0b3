/**
 * Which rows have a value: Arrow's validity bitmap, least significant bit first, 1 = present.
 * `null` means that every row has one.
 */
export type Validity = Uint8Array | null

/** Values of one column for the rows of a batch; laid out so that Arrow can wrap them without a copy. */
export type ColumnVector =
  /** One bit a row, least significant bit first. */
  | { readonly kind: 'boolean'; readonly values: Uint8Array; readonly validity: Validity }
  | { readonly kind: 'int8'; readonly values: Int8Array; readonly validity: Validity }
  | { readonly kind: 'int16'; readonly values: Int16Array; readonly validity: Validity }
  /** Also dates: days since the epoch. */
  | { readonly kind: 'int32'; readonly values: Int32Array; readonly validity: Validity }
  /** Also timestamps (milliseconds since the epoch), epochNanos, and decimals of up to 18 digits (unscaled). */
  | { readonly kind: 'int64'; readonly values: BigInt64Array; readonly validity: Validity }
  | { readonly kind: 'float'; readonly values: Float32Array; readonly validity: Validity }
  | { readonly kind: 'double'; readonly values: Float64Array; readonly validity: Validity }
  /** Decimals of 19 to 38 digits: two 64-bit words a row, low word first, two's complement. */
  | { readonly kind: 'int128'; readonly values: BigInt64Array; readonly validity: Validity }
  /** Strings and JSON text of a column as codes into a dictionary of distinct UTF-8 values. */
  | {
      readonly kind: 'dictionary'
      readonly codes: Int32Array
      readonly dictionary: ByteDictionary
      readonly validity: Validity
    }
  /** Binary, and strings within lists, maps and structs as UTF-8: row `i` is `bytes[offsets[i], offsets[i + 1])`. */
  | {
      readonly kind: 'binary'
      readonly offsets: Int32Array
      readonly bytes: Uint8Array
      readonly validity: Validity
    }
  /** Row `i` has the elements `[offsets[i], offsets[i + 1])`; what stands under a null counts for nothing. */
  | {
      readonly kind: 'list'
      readonly offsets: Int32Array
      readonly element: ColumnVector
      readonly validity: Validity
    }
  /** Row `i` has the entries `[offsets[i], offsets[i + 1])`; keys are present and differ within a row. */
  | {
      readonly kind: 'map'
      readonly offsets: Int32Array
      readonly key: ColumnVector
      readonly value: ColumnVector
      readonly validity: Validity
    }
  /** One vector a field, with a row for each row of the struct; under a null they hold nothing of meaning. */
  | {
      readonly kind: 'struct'
      readonly fields: readonly ColumnVector[]
      readonly validity: Validity
    }

/** Whether a row has a value. */
export const isPresent = (validity: Validity, row: number): boolean =>
  validity === null || ((validity[row >> 3]! >> (row & 7)) & 1) === 1

/** Distinct byte strings: entry `i` is `bytes[offsets[i], offsets[i + 1])`. */
export interface ByteDictionary {
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}

/** Rows as columns, in the order of the table's columns. */
export interface ColumnBatch {
  readonly rows: number
  readonly columns: readonly ColumnVector[]
  /** The Kafka offset of each row, ascending. */
  readonly offsets: BigInt64Array
}
