import type { ColumnDefinition } from './column-type.ts'
import { columnValueProblem } from './column-value.ts'
import type { TableDefinition } from './table.ts'

/** A fault of one field of a row, as Standard Schema words it. */
export interface RowIssue {
  readonly message: string
  readonly path?: readonly string[]
}

/** What is wrong with a row a producer passes; empty when nothing is. */
export const validateRow = (
  table: Pick<TableDefinition, 'columns' | 'name'>,
  row: unknown,
): readonly RowIssue[] => {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    return [{ message: `a row of ${table.name} is an object with its columns, not ${describe(row)}` }]
  }
  const issues: RowIssue[] = []
  const given = row as Readonly<Record<string, unknown>>
  const known = new Set<string>()
  for (const column of table.columns) {
    if (column.metadata) continue
    known.add(column.name)
    const problem = fieldProblem(column, given[column.name])
    if (problem) issues.push({ message: problem, path: [column.name] })
  }
  for (const name of Object.keys(given)) {
    if (!known.has(name)) issues.push({ message: `${table.name} has no column '${name}'`, path: [name] })
  }
  return issues
}

const fieldProblem = (column: ColumnDefinition, value: unknown): string | undefined => {
  if (value === undefined || value === null) {
    return column.nullable ? undefined : `'${column.name}' is missing and the column is not nullable`
  }
  const problem = columnValueProblem(column.type, value)
  return problem?.of(column.name)
}

const describe = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
