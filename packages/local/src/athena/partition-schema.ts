import type { GluePartition, GlueTable } from '../glue/catalog-model.ts'
import { partitionPath } from '../glue/hive-path.ts'
import { QueryError } from '../sql/query-engine.ts'
import { sameType, type TrinoType } from '../sql/trino-type.ts'
import { hiveType } from '../sql/type-name.ts'

const integers: readonly string[] = ['tinyint', 'smallint', 'integer', 'bigint']

/**
 * Refuses a partition whose own column types cannot be read as the table's, and tells which of its columns are text that the
 * table has as an integer, by their lower-cased names: those alone are read otherwise than by the type in the file.
 *
 * @throws QueryError HIVE_PARTITION_SCHEMA_MISMATCH in the engine's words
 */
export function checkPartitionColumns(table: GlueTable, partition: GluePartition): ReadonlySet<string> {
  const own = partition.StorageDescriptor?.Columns
  const declared = table.StorageDescriptor?.Columns
  const textColumns = new Set<string>()
  if (own === undefined || own === declared) return textColumns
  const ownTypes = new Map(own.map((column) => [column.Name.toLowerCase(), typeText(column.Type)]))
  for (const column of declared ?? []) {
    const to = typeText(column.Type)
    const from = ownTypes.get(column.Name.toLowerCase())
    if (from === undefined || from === to || isCoercible(hiveType(from), hiveType(to))) continue
    if (from === 'string' && integers.includes(hiveType(to).kind)) {
      textColumns.add(column.Name.toLowerCase())
      continue
    }
    const keys = (table.PartitionKeys ?? []).map((key) => key.Name)
    throw new QueryError(
      'HIVE_PARTITION_SCHEMA_MISMATCH',
      'HIVE_PARTITION_SCHEMA_MISMATCH: There is a mismatch between the table and partition schemas. ' +
        'The types are incompatible and cannot be coerced. ' +
        `The column '${column.Name}' in table '${table.DatabaseName}.${table.Name}' is declared as type '${to}', ` +
        `but partition '${partitionPath(keys, partition.Values).slice(0, -1)}' declared column '${column.Name}' as type '${from}'.`,
    )
  }
  return textColumns
}

/** The types Athena coerces: wider integers and decimals, float to double, longer texts; in a row, fields added at its end. */
function isCoercible(from: TrinoType, to: TrinoType): boolean {
  if (sameType(from, to)) return true
  switch (from.kind) {
    case 'tinyint':
    case 'smallint':
    case 'integer':
      return integers.indexOf(from.kind) < integers.indexOf(to.kind)
    case 'real':
      return to.kind === 'double'
    case 'varchar':
      return to.kind === 'varchar' && to.length === undefined
    case 'decimal':
      return (
        to.kind === 'decimal' &&
        from.scale <= to.scale &&
        from.precision - from.scale <= to.precision - to.scale
      )
    case 'array':
      return to.kind === 'array' && isCoercible(from.element, to.element)
    case 'map':
      return to.kind === 'map' && isCoercible(from.key, to.key) && isCoercible(from.value, to.value)
    case 'row':
      return (
        to.kind === 'row' &&
        from.fields.every(({ name, type }, at) => {
          const field = to.fields[at]
          return field !== undefined && field.name === name && isCoercible(type, field.type)
        })
      )
    default:
      return false
  }
}

function typeText(type: string | undefined): string {
  const text = (type ?? 'string').toLowerCase().replace(/\s+/g, '')
  return text === 'integer' ? 'int' : text
}
