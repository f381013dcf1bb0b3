import type { ColumnInfo } from '@aws-sdk/client-athena'
import { type ColumnType, SchemaMismatchError } from '@stockpipe/core'
import { isUnambiguous } from './nested-text.ts'
import { type StatedColumn, typeText } from './stated-column.ts'

/** Which types of Athena's answer decode to a column type without loss; decimals are compared digit by digit. */
const suitable: { readonly [Kind in ColumnType['kind']]: readonly string[] } = {
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
}

/** The type of an answer's column as Athena would write it: `decimal(38,4)`, `bigint`. */
export const columnInfoText = (info: ColumnInfo): string => {
  const type = (info.Type ?? 'unknown').toLowerCase()
  return type === 'decimal' ? `decimal(${info.Precision ?? 0},${info.Scale ?? 0})` : type
}

const suits = (type: ColumnType, info: ColumnInfo): boolean => {
  const answered = (info.Type ?? '').toLowerCase()
  if (!suitable[type.kind].includes(answered)) return false
  if (type.kind === 'list' || type.kind === 'map' || type.kind === 'struct') return isUnambiguous(type)
  if (type.kind !== 'decimal') return true
  const { Precision: precision = 0, Scale: scale = 0 } = info
  return scale <= type.scale && precision - scale <= type.precision - type.scale
}

const advice = (type: ColumnType, info: ColumnInfo): string => {
  const answered = (info.Type ?? '').toLowerCase()
  if (type.kind === 'timestamp' && answered === 'timestamp with time zone') {
    return ` (write CAST(${info.Name} AT TIME ZONE 'UTC' AS timestamp(3)))`
  }
  return ['array', 'map', 'row'].includes(answered)
    ? ` (strings in the text of ${answered} values are ambiguous: write json_format(CAST(${info.Name} AS json)) and state t.json())`
    : ''
}

/**
 * Where each stated column stands in the answer, by name (case apart, as Athena folds it).
 *
 * Throws a `SchemaMismatchError` that names every column that is missing, was not stated, or has another type.
 */
export const matchColumns = (
  stated: readonly StatedColumn[],
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
  const order = stated.map(({ name, type }) => {
    const index = positions.get(name.toLowerCase()) ?? -1
    const info = infos[index]
    if (info === undefined) problems.push(`column '${name}' is missing from the answer`)
    else if (!suits(type, info)) {
      problems.push(
        `column '${name}' is ${columnInfoText(info)} in the answer and ${typeText(type)} as stated${advice(type, info)}`,
      )
    }
    return index
  })
  for (const info of infos) {
    if (!names.has((info.Name ?? '').toLowerCase())) {
      problems.push(`column '${info.Name}' (${columnInfoText(info)}) was not stated`)
    }
  }
  if (problems.length === 0) return order
  throw new SchemaMismatchError({
    code: 'RESULT_COLUMNS',
    message: `The answer of query ${queryExecutionId} does not fit the stated columns: ${problems.join('; ')}. State what the query selects, or select and CAST what is stated.`,
    facts: { queryExecutionId },
  })
}
