import { Column, type ColumnRecord, type ColumnType, SchemaMismatchError } from '@stockpipe/core'
import type { TextResult } from '../athena.ts'
import type { StatedColumn } from '../stated-column.ts'
import { type DecodeValue, valueDecoder } from '../value-decoder.ts'
import type { ValueType } from './query-source.ts'
import { isNested, type OutputColumn } from './select-outputs.ts'

/** A row by column names. */
export type AnswerRow = Record<string, unknown>

/** The columns to state to `athena.query` when the type of each is known; else undefined. */
export const statedOutputs = (outputs: readonly OutputColumn[] | undefined): ColumnRecord | undefined => {
  if (!outputs?.every(({ type }) => type !== undefined)) return undefined
  return Object.fromEntries(
    outputs.map(({ name, type, nullable }) => [
      name,
      new Column<ColumnType['kind']>(isNested(type) ? { kind: 'json' } : type!, nullable),
    ]),
  ) as ColumnRecord
}

/** Turns rows of stated columns into what the builder's types promise; undefined when they are that already. */
export const promisedRow = (
  outputs: readonly OutputColumn[],
): ((row: AnswerRow, rowNumber: number, queryExecutionId: string) => AnswerRow) | undefined => {
  const changed = outputs.filter(({ type, promised }) => promised !== undefined || isNested(type))
  if (changed.length === 0) return undefined
  const readers = new Map<OutputColumn, DecodeValue>()
  return (row, rowNumber, queryExecutionId) => {
    for (const output of changed) {
      const { name, type } = output
      const value = row[name]
      if (value === null) continue
      if (isNested(type)) {
        let read = readers.get(output)
        if (!read)
          readers.set(output, (read = jsonDecoder({ name, type: type!, nullable: false }, queryExecutionId)))
        row[name] = read(value as string, rowNumber)
      } else {
        row[name] = asPromised(output, value, rowNumber, queryExecutionId)
      }
    }
    return row
  }
}

/** Nested values come as the JSON that a built query makes of them. */
const jsonDecoder = (column: StatedColumn, queryExecutionId: string): DecodeValue =>
  valueDecoder(column, queryExecutionId, 'json')

/** The rows of an answer whose types Athena had to tell. Throws a `SchemaMismatchError` for one that has a name twice. */
export const toldRows = (result: TextResult, outputs: readonly OutputColumn[] | undefined): AnswerRow[] => {
  const { queryExecutionId } = result
  const names = new Set<string>()
  for (const { name } of result.columns) {
    if (names.has(name)) {
      throw new SchemaMismatchError({
        code: 'RESULT_COLUMNS',
        message: `Query ${queryExecutionId} answers '${name}' twice, and a row can hold it once; give one another name with as.`,
      })
    }
    names.add(name)
  }
  const columns = result.columns.map(({ name, type: told }, index) => {
    const output: ValueType & { readonly name: string } = outputs?.[index] ?? {
      name,
      type: undefined,
      nullable: true,
    }
    const type = output.type ?? toldType(output.name, told)
    return {
      output,
      decode: jsonDecoder({ name: output.name, type, nullable: output.nullable }, queryExecutionId),
    }
  })
  return result.rows.map((cells, index) => {
    const row: AnswerRow = {}
    columns.forEach(({ output, decode }, position) => {
      const value = decode(cells[position] ?? null, index + 1)
      row[output.name] =
        value === null || isNested(output.type)
          ? value
          : asPromised(output, value, index + 1, queryExecutionId)
    })
    return row
  })
}

const asPromised = (
  { name, promised }: ValueType & { readonly name: string },
  value: unknown,
  rowNumber: number,
  queryExecutionId: string,
): unknown => {
  if (promised === undefined) return value
  if (promised === 'text') return String(value)
  if (typeof value === promised) return value
  if (promised === 'bigint' && typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (promised === 'number' && typeof value === 'bigint' && Number.isSafeInteger(Number(value))) {
    return Number(value)
  }
  throw new SchemaMismatchError({
    code: 'RESULT_VALUE',
    message: `Row ${rowNumber} of query ${queryExecutionId}: column '${name}' holds ${String(value)}, which the ${promised} that its expression has as a type cannot hold exactly; say its type with stated().`,
    facts: { queryExecutionId, row: rowNumber, column: name },
  })
}

const plain: Readonly<Record<string, ColumnType>> = {
  boolean: { kind: 'boolean' },
  tinyint: { kind: 'int8' },
  smallint: { kind: 'int16' },
  int: { kind: 'int32' },
  integer: { kind: 'int32' },
  bigint: { kind: 'int64' },
  float: { kind: 'float' },
  real: { kind: 'float' },
  double: { kind: 'double' },
  date: { kind: 'date' },
  timestamp: { kind: 'timestamp' },
  varbinary: { kind: 'binary' },
  binary: { kind: 'binary' },
}

/** The type that decodes without loss what Athena tells; its own text for types without a counterpart. */
const toldType = (name: string, told: string): ColumnType => {
  const decimal = /^decimal\((\d+),(\d+)\)$/.exec(told)
  if (decimal) return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
  if (told === 'array' || told === 'map' || told === 'row') {
    throw new SchemaMismatchError({
      code: 'RESULT_COLUMNS',
      message: `Column '${name}' of the answer is of type ${told}, whose text cannot be read back: say what it holds with stated(), such as stated(sql\`...\`, t.list(t.string())).`,
    })
  }
  return plain[told] ?? { kind: 'string' }
}
