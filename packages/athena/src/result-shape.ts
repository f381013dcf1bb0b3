import type { ColumnInfo } from '@aws-sdk/client-athena'
import { type ColumnType, SchemaMismatchError } from '@stockpipe/core'
import type { AnswerType } from './answer-column.ts'
import { holds, isNested, isReadable } from './nested-text.ts'
import { type StatedAnswerColumn, typeText } from './stated-column.ts'
import { isJsonText } from './value-decoder.ts'

/** Which types of Athena's answer decode to a column type without loss; decimals are compared digit by digit. */
const suitable: { readonly [Kind in (ColumnType | AnswerType)['kind']]: readonly string[] } = {
  boolean: ['boolean'],
  int8: ['tinyint'],
  int16: ['tinyint', 'smallint'],
  int32: ['tinyint', 'smallint', 'integer', 'int'],
  int64: ['tinyint', 'smallint', 'integer', 'int', 'bigint'],
  epochNanos: ['bigint'],
  float: ['float', 'real'],
  double: ['double'],
  decimal: ['decimal'],
  string: ['varchar', 'char', 'string'],
  json: ['json', 'varchar', 'string'],
  binary: ['varbinary', 'binary'],
  date: ['date'],
  timestamp: ['timestamp'],
  list: ['array'],
  map: ['map'],
  struct: ['row', 'struct'],
  timestampNanos: ['timestamp'],
  timestampWithTimeZone: ['timestamp with time zone'],
  time: ['time', 'time with time zone'],
  intervalDayToSecond: ['interval day to second'],
  intervalYearToMonth: ['interval year to month'],
  uuid: ['uuid', 'varchar', 'char'],
  parsedJson: ['json', 'varchar', 'string'],
  text: [],
}

/** The type of an answer's column as Athena would write it: `decimal(38,4)`, `bigint`. */
export const columnInfoText = (info: ColumnInfo): string => {
  const type = (info.Type ?? 'unknown').toLowerCase()
  return type === 'decimal' ? `decimal(${info.Precision ?? 0},${info.Scale ?? 0})` : type
}

const suits = ({ type, nullable }: StatedAnswerColumn, info: ColumnInfo): boolean => {
  const answered = (info.Type ?? '').toLowerCase()
  if (type.kind === 'text') return true
  // The type of NULL without a type: no row has a value.
  if (answered === 'unknown') return nullable
  if (isNested(type) && isJsonText(answered)) return !holds(type, 'binary')
  if (!suitable[type.kind].includes(answered)) return false
  if (isNested(type)) return isReadable(type)
  if (type.kind !== 'decimal') return true
  const { Precision: precision = 0, Scale: scale = 0 } = info
  return scale <= type.scale && precision - scale <= type.precision - type.scale
}

const advice = ({ type }: StatedAnswerColumn, info: ColumnInfo): string => {
  const answered = (info.Type ?? '').toLowerCase()
  const { Name: name } = info
  switch (answered) {
    case 'timestamp with time zone':
      return ` (write CAST(${name} AT TIME ZONE 'UTC' AS timestamp(3)), or state answer.timestampWithTimeZone())`
    case 'time':
    case 'time with time zone':
      return ' (state answer.time())'
    case 'interval day to second':
      return ' (state answer.intervalDayToSecond())'
    case 'interval year to month':
      return ' (state answer.intervalYearToMonth())'
    case 'uuid':
      return ' (state answer.uuid())'
    case 'unknown':
      return ' (every value is NULL: add .nullable())'
    case 'array':
    case 'map':
    case 'row':
      return isNested(type) && !holds(type, 'binary')
        ? ` (strings in the text of ${answered} values are ambiguous: write CAST(${name} AS JSON) and keep the stated type)`
        : ` (write CAST(${name} AS JSON), and state its list, map or struct, or t.json(); it takes no binary)`
    default:
      return ''
  }
}

/**
 * Where each stated column stands in the answer, by name (case apart, as Athena folds it).
 *
 * Throws a `SchemaMismatchError` that names every column that is missing, was not stated, or has another type.
 */
export const matchColumns = (
  stated: readonly StatedAnswerColumn[],
  infos: readonly ColumnInfo[],
  queryExecutionId: string,
): readonly number[] => {
  const problems: string[] = []
  const positions = new Map<string, number>()
  infos.forEach((info, index) => {
    const name = (info.Name ?? '').toLowerCase()
    if (positions.has(name)) problems.push(`the answer has two columns '${info.Name}': name each with AS`)
    positions.set(name, index)
  })
  const names = new Set(stated.map(({ name }) => name.toLowerCase()))
  if (names.size < stated.length) problems.push('two stated columns differ only in upper and lower case')
  const order = stated.map((column) => {
    const { name, type } = column
    const index = positions.get(name.toLowerCase()) ?? -1
    const info = infos[index]
    if (info === undefined) problems.push(`column '${name}' is missing from the answer`)
    else if (!suits(column, info)) {
      problems.push(
        `column '${name}' is ${columnInfoText(info)} in the answer and ${typeText(type)} as stated${advice(column, info)}`,
      )
    }
    return index
  })
  for (const info of infos) {
    if (!names.has((info.Name ?? '').toLowerCase())) {
      const unnamed = /^_col\d+$/.test(info.Name ?? '') ? ', an expression without AS' : ''
      problems.push(`column '${info.Name}' (${columnInfoText(info)}${unnamed}) was not stated`)
    }
  }
  if (problems.length === 0) return order
  throw new SchemaMismatchError({
    code: 'RESULT_COLUMNS',
    message: `The answer of query ${queryExecutionId} does not fit the stated columns: ${problems.join('; ')}. State what the query selects, or select and CAST what is stated.`,
    facts: { queryExecutionId },
  })
}
