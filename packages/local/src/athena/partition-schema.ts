import type { GluePartition, GlueTable } from '../glue/catalog-model.ts'
import { partitionPath } from '../glue/hive-path.ts'
import { QueryError } from '../sql/query-engine.ts'

const integers = ['tinyint', 'smallint', 'int', 'bigint']

/**
 * Refuses a partition whose own column types cannot be read as the table's.
 *
 * @throws QueryError HIVE_PARTITION_SCHEMA_MISMATCH in the engine's words
 */
export function checkPartitionColumns(table: GlueTable, partition: GluePartition): void {
  const own = partition.StorageDescriptor?.Columns
  const declared = table.StorageDescriptor?.Columns
  if (own === undefined || own === declared) return
  const ownTypes = new Map(own.map((column) => [column.Name.toLowerCase(), typeText(column.Type)]))
  for (const column of declared ?? []) {
    const to = typeText(column.Type)
    const from = ownTypes.get(column.Name.toLowerCase())
    if (from === undefined || isCoercible(from, to)) continue
    const keys = (table.PartitionKeys ?? []).map((key) => key.Name)
    throw new QueryError(
      'HIVE_PARTITION_SCHEMA_MISMATCH',
      'HIVE_PARTITION_SCHEMA_MISMATCH: There is a mismatch between the table and partition schemas. ' +
        'The types are incompatible and cannot be coerced. ' +
        `The column '${column.Name}' in table '${table.DatabaseName}.${table.Name}' is declared as type '${to}', ` +
        `but partition '${partitionPath(keys, partition.Values).slice(0, -1)}' declared column '${column.Name}' as type '${from}'.`,
    )
  }
}

/** The casts that hold for every value: wider numbers and texts, a struct with fields added at its end. */
function isCoercible(from: string, to: string): boolean {
  if (from === to) return true
  if (integers.includes(from) && integers.includes(to)) return integers.indexOf(from) < integers.indexOf(to)
  if (from.startsWith('struct<') && to.startsWith('struct<')) return to.startsWith(`${from.slice(0, -1)},`)
  if (from === 'float') return to === 'double'
  if (/^(var)?char\(/.test(from)) return to === 'string'
  const [narrow, wide] = [decimalDigits(from), decimalDigits(to)]
  if (narrow === undefined || wide === undefined) return false
  return narrow.scale <= wide.scale && narrow.integral <= wide.integral
}

function decimalDigits(type: string): { readonly integral: number; readonly scale: number } | undefined {
  const match = /^decimal\((\d+),(\d+)\)$/.exec(type)
  if (match === null) return undefined
  return { integral: Number(match[1]) - Number(match[2]), scale: Number(match[2]) }
}

function typeText(type: string | undefined): string {
  const text = (type ?? 'string').toLowerCase().replace(/\s+/g, '')
  return text === 'integer' ? 'int' : text
}
