import {
  type BoundTable,
  boundTable,
  type Column,
  type ColumnOutput,
  type ColumnRecord,
  type ColumnType,
  ConfigurationError,
  type InferSelect,
  TableDefinition,
} from '@stockpipe/core'
import type { AnswerColumn, AnswerOutput, AnswerType } from './answer-column.ts'

/** A column of an answer: of `t`, or of `answer` where a table has no such type. */
export type QueryColumn = ColumnRecord[string] | AnswerColumn

/** The columns a query answers: by name with `t` or `answer`, or a table for all of its columns and partitions. */
export type QueryColumns = Readonly<Record<string, QueryColumn>> | BoundTable

/** The row a query answers, by its stated columns. */
export type QueryRow<Columns extends QueryColumns> = Columns extends BoundTable
  ? InferSelect<Columns>
  : {
      -readonly [Name in keyof Columns]: Columns[Name] extends AnswerColumn
        ? AnswerOutput<Columns[Name]>
        : Columns[Name] extends Column
          ? ColumnOutput<Columns[Name]>
          : never
    } & {}

/** A column as the caller states it, of a type that tables have. */
export interface StatedColumn {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
}

/** A column as the caller states it. */
export interface StatedAnswerColumn {
  readonly name: string
  readonly type: ColumnType | AnswerType
  readonly nullable: boolean
}

const isTable = (columns: QueryColumns): columns is BoundTable => typeof columns.location === 'string'

/** The stated columns in order. */
export function statedColumns(columns: ColumnRecord | BoundTable): readonly StatedColumn[]
export function statedColumns(columns: QueryColumns): readonly StatedAnswerColumn[]
export function statedColumns(columns: QueryColumns): readonly StatedAnswerColumn[] {
  if (!isTable(columns)) {
    if (columns instanceof TableDefinition) boundTable(columns)
    return Object.entries(columns).map(([name, column]) => {
      if (column?.type?.kind === undefined) {
        throw new ConfigurationError({
          code: 'COLUMN_INVALID',
          message: `Column '${name}' of the answer is stated as ${JSON.stringify(column)}: state it with t or answer, such as t.string().`,
        })
      }
      return { name, type: column.type, nullable: column.isNullable }
    })
  }
  const { table } = columns
  return [
    ...table.columns.map(({ name, type, nullable }) => ({ name, type, nullable })),
    ...table.partitions.map(({ name, source }) => ({
      name,
      type: { kind: 'string' } as const,
      nullable: table.column(source).nullable,
    })),
  ]
}

const answerNames: Readonly<Partial<Record<string, string>>> = {
  timestampNanos: 'timestampNanos',
  timestampWithTimeZone: 'timestampWithTimeZone',
  time: 'time',
  intervalDayToSecond: 'intervalDayToSecond',
  intervalYearToMonth: 'intervalYearToMonth',
  uuid: 'uuid',
  parsedJson: 'json',
  text: 'text',
} satisfies Record<AnswerType['kind'], string>

/** A column type as it is written: `t.decimal(18, 4)`, `answer.time()`. */
export const typeText = (type: ColumnType | AnswerType): string => {
  switch (type.kind) {
    case 'decimal':
      return `t.decimal(${type.precision}, ${type.scale})`
    case 'list':
      return `t.list(${valueText(type.element)})`
    case 'map':
      return `t.map(${typeText(type.key)}, ${valueText(type.value)})`
    case 'struct':
      return `t.struct({ ${type.fields.map((field) => `${field.name}: ${valueText(field)}`).join(', ')} })`
    default: {
      const name = answerNames[type.kind]
      return name === undefined ? `t.${type.kind}()` : `answer.${name}()`
    }
  }
}

const valueText = ({ type, nullable }: Pick<StatedColumn, 'type' | 'nullable'>): string =>
  nullable ? `${typeText(type)}.nullable()` : typeText(type)
