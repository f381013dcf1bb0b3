import type { BoundTable, ColumnRecord, ColumnType, InferSelect, RowOf } from '@stockpipe/core'

/** The columns a query answers: by name with `t`, or a table for all of its columns and partitions. */
export type QueryColumns = ColumnRecord | BoundTable

/** The row a query answers, by its stated columns. */
export type QueryRow<Columns extends QueryColumns> = Columns extends BoundTable
  ? InferSelect<Columns>
  : Columns extends ColumnRecord
    ? RowOf<Columns>
    : never

/** A column as the caller states it. */
export interface StatedColumn {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
}

const isTable = (columns: QueryColumns): columns is BoundTable => typeof columns.location === 'string'

/** The stated columns in order. */
export const statedColumns = (columns: QueryColumns): readonly StatedColumn[] => {
  if (!isTable(columns)) {
    return Object.entries(columns).map(([name, { type, isNullable }]) => ({
      name,
      type,
      nullable: isNullable,
    }))
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

/** A column type as it is written: `t.decimal(18, 4)`. */
export const typeText = (type: ColumnType): string => {
  switch (type.kind) {
    case 'decimal':
      return `t.decimal(${type.precision}, ${type.scale})`
    case 'list':
      return `t.list(${valueText(type.element)})`
    case 'map':
      return `t.map(${typeText(type.key)}, ${valueText(type.value)})`
    case 'struct':
      return `t.struct({ ${type.fields.map((field) => `${field.name}: ${valueText(field)}`).join(', ')} })`
    default:
      return `t.${type.kind}()`
  }
}

const valueText = ({ type, nullable }: Pick<StatedColumn, 'type' | 'nullable'>): string =>
  nullable ? `${typeText(type)}.nullable()` : typeText(type)
