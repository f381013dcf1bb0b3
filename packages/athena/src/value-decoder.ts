import { type ColumnType, Decimal, parseDate, SchemaMismatchError } from '@stockpipe/core'
import type { AnswerType } from './answer-column.ts'
import { answerReaders, type ReadText, readNanos, UnreadableValue } from './answer-text.ts'
import { nestedJsonReader } from './nested-json.ts'
import { isNested, type NestedType, nestedReader } from './nested-text.ts'
import { type StatedAnswerColumn, typeText } from './stated-column.ts'

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

const readerOf = (type: ColumnType): ReadText => readers[type.kind](type)

const isAnswerType = (type: ColumnType | AnswerType): type is AnswerType => type.kind in answerReaders

/** Arrays, maps and rows come as text of their own kind, or as JSON where the query casts them. */
const columnReader = (type: ColumnType | AnswerType, answeredType: string | undefined): ReadText => {
  if (isAnswerType(type)) return answerReaders[type.kind]
  return isNested(type) && answeredType !== undefined && isJsonText(answeredType)
    ? nestedJsonReader(type, readerOf)
    : readerOf(type)
}

/** Whether values of that type may be JSON: `CAST(x AS JSON)`, or what `json_format` makes of it. */
export const isJsonText = (answeredType: string): boolean =>
  ['json', 'varchar', 'string'].includes(answeredType.toLowerCase())

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
  const nanos = readNanos(text)
  return nanos === undefined || nanos % 1_000_000n !== 0n ? undefined : new Date(Number(nanos / 1_000_000n))
}

const advice = ({ kind }: ColumnType | AnswerType): string => {
  if (kind === 'timestamp') return ' (answer.timestampNanos() holds nine digits, answer.text() all)'
  return kind === 'timestampNanos' ? ' (answer.text() holds every digit)' : ''
}

/** Decodes the values of one column; `rowNumber` counts from 1, for messages. */
export type DecodeValue = (text: string | null, rowNumber: number) => unknown

/**
 * A decoder for a stated column. It throws a `SchemaMismatchError` for a value the stated type cannot hold.
 *
 * @param answeredType the type of the answer's column, which tells JSON from other text
 */
export const valueDecoder = (
  column: StatedAnswerColumn,
  queryExecutionId: string,
  answeredType?: string,
): DecodeValue => {
  const read = columnReader(column.type, answeredType)
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
    if (value !== undefined && !(value instanceof UnreadableValue)) return value
    const why = value?.reason ?? `which ${typeText(column.type)} cannot hold exactly${advice(column.type)}`
    return refuse(rowNumber, `holds "${text.slice(0, 60)}", ${why}`)
  }
}
