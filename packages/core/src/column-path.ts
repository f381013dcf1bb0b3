import type { ColumnType, StructField } from './column-type.ts'
import { ConfigurationError } from './errors.ts'
import type { TableDefinition } from './table.ts'

/** The type of a value, or of what lies in the lists and maps it is made of. */
export const innermostType = (type: ColumnType): ColumnType =>
  type.kind === 'list'
    ? innermostType(type.element.type)
    : type.kind === 'map'
      ? innermostType(type.value.type)
      : type

const fieldsOf = (type: ColumnType): readonly StructField[] => {
  const inner = innermostType(type)
  return inner.kind === 'struct' ? inner.fields : []
}

/**
 * The type of a column, or of a field of structs in it: `legs.price`, whether `legs` is a struct, a list or map of them.
 * Throws a `ConfigurationError` when there is none.
 */
export const typeAtPath = (table: TableDefinition, path: string): ColumnType => {
  const [name = '', ...steps] = path.split('.')
  let { type } = table.column(name)
  for (const step of steps) {
    const field = fieldsOf(type).find((candidate) => candidate.name === step)
    if (!field) {
      throw new ConfigurationError({
        code: 'COLUMN_UNKNOWN',
        message: `Table ${table.name} has no '${path}': there is no struct with a field '${step}' there.`,
      })
    }
    type = field.type
  }
  return type
}

/** Calls `visit` for the fields of every struct in a value, with the path the struct has. */
export const visitStructs = (
  type: ColumnType,
  path: string,
  visit: (path: string, fields: readonly StructField[]) => void,
): void => {
  const fields = fieldsOf(type)
  if (fields.length > 0) visit(path, fields)
  for (const field of fields) visitStructs(field.type, `${path}.${field.name}`, visit)
}
