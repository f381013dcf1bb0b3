import { type ColumnType, Decimal, parseDate, parseInstantNanos, SchemaMismatchError } from '@stockpipe/core'
import { nestedReader } from './nested-text.ts'
import { type StatedColumn, typeText } from './stated-column.ts'

/** Reads the text Athena gives for a value; undefined when it is no such text. */
export type ReadText = (text: string) => unknown

const integer = /^-?\d+$/
const floating = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const special: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

const readFloating = (text: string): number | undefined =>
  floating.test(text) ? Number(text) : special[text]

const readers: { readonly [Kind in ColumnType['kind']]: (type: ColumnType) => ReadText } = {
  boolean: () => (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  int8: () => readInteger,
  int16: () => readInteger,
  int32: () => readInteger,
  int64: (type) => (type.kind === 'int64' && type.mode === 'number' ? readSafeInteger : readBigint),
  epochNanos: () => readBigint,
  float: () => (text) => {
    const value = readFloating(text)
    return value === undefined ? undefined : Math.fround(value)
  },
  double: () => readFloating,
  decimal: (type) => {
    const scale = type.kind === 'decimal' ? type.scale : 0
    return (text) => {
      const value = Decimal.tryParse(text)
      return value === undefined || value.scale > scale ? undefined : value.rescale(scale)
    }
  },
  string: () => (text) => text,
  json: () => (text) => text,
  binary: () => readBinary,
  date: () => (text) => (parseDate(text) === undefined ? undefined : text),
  timestamp: () => readTimestamp,
  list: (type) => nestedReader(type as NestedType, readerOf),
  map: (type) => nestedReader(type as NestedType, readerOf),
  struct: (type) => nestedReader(type as NestedType, readerOf),
}

type NestedType = Parameters<typeof nestedReader>[0]

const readerOf = (type: ColumnType): ReadText => readers[type.kind](type)

const readInteger: ReadText = (text) => (integer.test(text) ? Number(text) : undefined)
const readBigint: ReadText = (text) => (integer.test(text) ? BigInt(text) : undefined)
const readSafeInteger: ReadText = (text) => {
  const value = readInteger(text)
  return Number.isSafeInteger(value) ? value : undefined
}

/** Pairs of hex digits with spaces between, as Athena writes varbinary. */
const readBinary: ReadText = (text) =>
  /^(?:[0-9a-fA-F]{2}(?: [0-9a-fA-F]{2})*)?$/.test(text)
    ? new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
    : undefined

/** A Date has milliseconds: a finer value is not cut but refused. */
const readTimestamp: ReadText = (text) => {
  const nanos = parseInstantNanos(text)
  return nanos === undefined || nanos % 1_000_000n !== 0n ? undefined : new Date(Number(nanos / 1_000_000n))
}

/** Decodes the values of one column; `rowNumber` counts from 1, for messages. */
export type DecodeValue = (text: string | null, rowNumber: number) => unknown

/** A decoder for a stated column. It throws a `SchemaMismatchError` for a value the stated type cannot hold. */
export const valueDecoder = (column: StatedColumn, queryExecutionId: string): DecodeValue => {
  const read = readerOf(column.type)
  const refuse = (rowNumber: number, what: string): never => {
    throw new SchemaMismatchError({
      code: 'RESULT_VALUE',
      message: `Row ${rowNumber} of query ${queryExecutionId}: column '${column.name}' ${what}.`,
      facts: { queryExecutionId, row: rowNumber, column: column.name },
    })
  }
  return (text, rowNumber) => {
    if (text === null) {
      if (column.nullable) return null
      return refuse(
        rowNumber,
        `is NULL and stated as ${typeText(column.type)}; add .nullable() or filter it out`,
      )
    }
    const value = read(text)
    if (value !== undefined) return value
    return refuse(
      rowNumber,
      `holds "${text.slice(0, 60)}", which ${typeText(column.type)} cannot hold exactly`,
    )
  }
}
