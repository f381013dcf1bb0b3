import type { GlueTable, PartitionDefinition } from '../glue/catalog-model.ts'
import { partitionPath, withoutSlashes } from '../glue/hive-path.ts'
import { QueryError } from '../sql/query-engine.ts'
import { done, executionError, lines } from './hive-ddl-answer.ts'
import type { DdlContext, PartitionSpec } from './hive-ddl-statement.ts'
import { findUnregisteredPartitions } from './partition-repair.ts'
import type { StatementResult } from './query-runner.ts'

/** MSCK REPAIR TABLE. */
export async function repair(table: GlueTable, context: DdlContext): Promise<StatementResult> {
  const found = await findUnregisteredPartitions(table, context)
  addPartitions(
    table,
    found.map(({ values, location }) => partitionDefinition(table, values, location)),
    true,
    context,
  )
  const folders = found.map(({ values }) => `${table.Name}:${folderOf(table, values)}`)
  if (folders.length === 0) return done
  return lines('result', [
    `Partitions not in metastore:\t${folders.join('\t')}`,
    ...folders.map((folder) => `Repair: Added partition to metastore ${folder}`),
  ])
}

/** Adds partitions, all or none; those that are there are left out where they may be. */
export function addPartitions(
  table: GlueTable,
  definitions: readonly PartitionDefinition[],
  ifNotExists: boolean,
  { catalog }: DdlContext,
): void {
  const present = definitions.find(
    ({ Values }) => catalog.getPartition(table.DatabaseName, table.Name, Values) !== undefined,
  )
  if (!ifNotExists && present !== undefined) {
    throw executionError(
      `AlreadyExistsException(message:Partition already exists: ${folderOf(table, present.Values)})`,
    )
  }
  catalog.addPartitions(table.DatabaseName, table.Name, definitions)
}

/** ALTER TABLE ... DROP PARTITION. */
export function dropPartitions(
  table: GlueTable,
  statement: { readonly ifExists: boolean; readonly specs: readonly PartitionSpec[] },
  { catalog }: DdlContext,
): StatementResult {
  const keys = keyNames(table)
  const dropped = statement.specs.flatMap((spec) => {
    for (const key of spec.keys()) if (!keys.includes(key)) missingKey(table, spec)
    const matching = catalog.listPartitions(table.DatabaseName, table.Name, (values) =>
      keys.every((key, at) => !spec.has(key) || spec.get(key) === values[at]),
    )
    if (matching.length === 0 && !statement.ifExists) {
      throw new QueryError(
        'FAILED',
        `FAILED: SemanticException [Error 10006]: Partition not found (${specText(spec)})`,
      )
    }
    return matching.map((partition) => partition.Values)
  })
  catalog.deletePartitions(table.DatabaseName, table.Name, dropped)
  return done
}

/** A partition with the table's columns, at a place of its own or where Hive puts it. */
export function partitionDefinition(
  table: GlueTable,
  values: readonly string[],
  location?: string,
): PartitionDefinition {
  const base = withoutSlashes(table.StorageDescriptor?.Location ?? '')
  const Location = location ?? `${base}/${partitionPath(keyNames(table), values)}`
  return { Values: values, StorageDescriptor: { ...table.StorageDescriptor, Location } }
}

export const keyNames = (table: GlueTable): readonly string[] =>
  (table.PartitionKeys ?? []).map((key) => key.Name.toLowerCase())

/** `year=2024/ticker=A`, without a slash at its end. */
export const folderOf = (table: GlueTable, values: readonly string[]): string =>
  partitionPath(keyNames(table), values).slice(0, -1)

const specText = (spec: PartitionSpec): string =>
  [...spec].map(([key, value]) => `${key}='${value}'`).join(', ')

export function missingKey(table: GlueTable, spec: PartitionSpec): never {
  throw new QueryError(
    'FAILED',
    `FAILED: ValidationFailureSemanticException partition spec {${specText(spec)}} doesn't match the partition keys (${keyNames(table).join(', ')}) of ${table.Name}`,
  )
}
