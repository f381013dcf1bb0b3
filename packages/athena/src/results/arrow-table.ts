import { type ColumnType, ConfigurationError, type Decimal, parseDate } from '@stockpipe/core'
import type { Data, DataType, Field, RecordBatch, Schema, Table } from 'apache-arrow'
import { AnswerColumn } from '../answer-column.ts'
import type { Athena, QueryOptions } from '../athena.ts'
import { type QueryColumns, type StatedColumn, statedColumns, typeText } from '../stated-column.ts'
import { valueDecoder } from '../value-decoder.ts'
import { type AnswerPart, answerParts } from './answer-parts.ts'
import { type ColumnData, isValid } from './column-data.ts'
import { valuesOf } from './column-values.ts'
import { loadPeer } from './optional-peer.ts'

type Arrow = typeof import('apache-arrow')

const loadArrow = (): Promise<Arrow> =>
  loadPeer('apache-arrow', 'Reading an answer as Arrow', () => import('apache-arrow'))

/**
 * The answer of a query as an Arrow table, which holds all of it in memory: int64 as Int64, decimals as Decimal128 of the
 * stated precision, timestamps as Timestamp(ms), dates as Date32, strings and JSON as Utf8. By the path `unload` the
 * columns of its files are taken as they are. Throws as `query` does, and a `ConfigurationError` without apache-arrow.
 */
export const arrowTable = async <const Columns extends QueryColumns>(
  athena: Athena,
  options: QueryOptions<Columns>,
): Promise<Table> => {
  const arrow = await loadArrow()
  const batches: RecordBatch[] = []
  for await (const batch of arrowBatches(athena, options)) batches.push(batch)
  return new arrow.Table(schemaOf(arrow, tableColumns(options.columns)), batches)
}

/** As `arrowTable`, batch by batch: memory holds one. Its `return()` gives up what still runs, as that of `stream` does. */
export async function* arrowBatches<const Columns extends QueryColumns>(
  athena: Athena,
  options: QueryOptions<Columns>,
): AsyncGenerator<RecordBatch, void> {
  const arrow = await loadArrow()
  const stated = tableColumns(options.columns)
  const schema = schemaOf(arrow, stated)
  let rowNumber = 0
  for await (const part of partsOf(athena, options)) {
    const length = 'rows' in part ? part.rows.length : part.length
    if (length === 0) continue
    const children = stated.map((column, index) => {
      const { type } = schema.fields[index]!
      if ('rows' in part)
        return dataOf(
          arrow,
          column,
          type,
          part.rows.map((row) => row[column.name]),
        )
      return unloadedData(arrow, column, type, part.columns[index]!, part.queryExecutionId, rowNumber)
    })
    rowNumber += length
    const type = new arrow.Struct(schema.fields as Field[])
    yield new arrow.RecordBatch(schema, arrow.makeData({ type, length, nullCount: 0, children }))
  }
}

/** The stated columns, if all are of types that tables have. */
const tableColumns = (columns: QueryColumns): readonly StatedColumn[] => {
  const stated = statedColumns(columns)
  const other = Object.values(columns).find((column) => column instanceof AnswerColumn)
  if (other === undefined) return stated as readonly StatedColumn[]
  throw new ConfigurationError({
    code: 'ARROW_TYPE',
    message: `There is no Arrow type for ${typeText(other.type)}: CAST it in the query to a type of t.`,
  })
}

const partsOf = <Columns extends QueryColumns>(
  athena: Athena,
  options: QueryOptions<Columns>,
): AsyncIterable<AnswerPart> =>
  (athena as Athena & { [answerParts](options: QueryOptions<Columns>): AsyncIterable<AnswerPart> })[
    answerParts
  ](options)

const schemaOf = (arrow: Arrow, stated: readonly StatedColumn[]): Schema =>
  new arrow.Schema(
    stated.map(({ name, type, nullable }) => new arrow.Field(name, arrowType(arrow, type), nullable)),
  )

const arrowType = (arrow: Arrow, type: ColumnType): DataType => {
  switch (type.kind) {
    case 'boolean':
      return new arrow.Bool()
    case 'int8':
      return new arrow.Int8()
    case 'int16':
      return new arrow.Int16()
    case 'int32':
      return new arrow.Int32()
    case 'int64':
    case 'epochNanos':
      return new arrow.Int64()
    case 'float':
      return new arrow.Float32()
    case 'double':
      return new arrow.Float64()
    case 'decimal':
      // Scale comes first.
      return new arrow.Decimal(type.scale, type.precision, 128)
    case 'string':
    case 'json':
      return new arrow.Utf8()
    case 'binary':
      return new arrow.Binary()
    case 'date':
      return new arrow.DateDay()
    case 'timestamp':
      return new arrow.TimestampMillisecond()
    case 'list':
      return new arrow.List(field(arrow, 'element', type.element))
    case 'map': {
      const entries = new arrow.Struct([
        new arrow.Field('key', arrowType(arrow, type.key), false),
        field(arrow, 'value', type.value),
      ])
      return new arrow.Map_(new arrow.Field('entries', entries, false) as never)
    }
    case 'struct':
      return new arrow.Struct(type.fields.map((one) => field(arrow, one.name, one)))
  }
}

const field = (
  arrow: Arrow,
  name: string,
  { type, nullable }: { readonly type: ColumnType; readonly nullable: boolean },
): Field => new arrow.Field(name, arrowType(arrow, type), nullable)

/** Values of rows as Arrow's builders take them. */
const dataOf = (
  arrow: Arrow,
  { type }: StatedColumn,
  arrowed: DataType,
  values: readonly unknown[],
): Data => {
  const built = arrow.vectorFromArray(values.map((value) => builderValue(type, value)) as never[], arrowed)
  return built.data[0] as Data
}

const millisPerDay = 86_400_000

const builderValue = (type: ColumnType, value: unknown): unknown => {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'int64':
    case 'epochNanos':
      return BigInt(value as bigint | number)
    case 'decimal':
      return decimalWords((value as Decimal).rescale(type.scale).unscaled)
    case 'date':
      return parseDate(value as string)! * millisPerDay
    case 'timestamp':
      return (value as Date).getTime()
    case 'list':
      return (value as readonly unknown[]).map((one) => builderValue(type.element.type, one))
    case 'map':
      return new Map(
        Array.from(value as Map<unknown, unknown>, ([key, one]) => [
          builderValue(type.key, key),
          builderValue(type.value.type, one),
        ]),
      )
    case 'struct':
      return Object.fromEntries(
        type.fields.map(({ name, type: inner }) => [
          name,
          builderValue(inner, (value as Record<string, unknown>)[name]),
        ]),
      )
    default:
      return value
  }
}

/** 128 bits in two's complement, the lowest 32 first. */
const decimalWords = (unscaled: bigint): Uint32Array =>
  Uint32Array.from({ length: 4 }, (_, index) => Number(BigInt.asUintN(32, unscaled >> BigInt(index * 32))))

/** A column of an UNLOAD's file: as it is where its type is the stated one, else value by value. */
const unloadedData = (
  arrow: Arrow,
  column: StatedColumn,
  arrowed: DataType,
  given: ColumnData,
  queryExecutionId: string,
  rowsBefore: number,
): Data => {
  const { length, nullCount } = given
  const nulls = valueDecoder(column, queryExecutionId)
  if (nullCount > 0 && !column.nullable) {
    for (let index = 0; index < length; index++) {
      if (!isValid(given, index)) nulls(null, rowsBefore + index + 1)
    }
  }
  if (given instanceof arrow.Data && isSameType(arrow, given.type, arrowed)) return given
  if (column.type.kind === 'timestamp' && given.values instanceof BigInt64Array) {
    return arrow.makeData({
      type: arrowed as InstanceType<Arrow['TimestampMillisecond']>,
      length,
      nullCount,
      nullBitmap: given.nullBitmap ?? null,
      data: given.values,
    })
  }
  const read = valuesOf(column.type, given)
  const values = Array.from({ length }, (_, index) => (isValid(given, index) ? read?.(index) : null))
  return dataOf(arrow, column, arrowed, values)
}

const plainTypes = /^(?:Bool|U?Int\d+|Float\d+|Utf8|Binary|Date32<DAY>)$/

const isSameType = ({ DataType }: Arrow, given: DataType, wanted: DataType): boolean => {
  if (DataType.isDecimal(given) && DataType.isDecimal(wanted)) {
    return (
      given.precision === wanted.precision &&
      given.scale === wanted.scale &&
      given.bitWidth === wanted.bitWidth
    )
  }
  return String(given) === String(wanted) && plainTypes.test(String(wanted))
}
