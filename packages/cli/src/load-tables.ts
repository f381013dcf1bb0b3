import type { BoundTable } from '@stockpipe/core'
import type { CatalogTable } from '@stockpipe/glue'
import { UsageError } from './command.ts'
import { calledConfig, importConfigModule } from './config-module.ts'

/**
 * Imports FILE and answers all tables it exports: bound tables and those of `catalogTable`, alone or in lists, under any
 * name; a default export may be a function that makes them.
 *
 * Throws a `UsageError` for a file that is missing, cannot be imported, or exports no bound table.
 */
export const loadTables = async (file: string): Promise<readonly CatalogTable[]> => {
  const { default: main, ...named } = await importConfigModule(file)
  const made = typeof main === 'function' ? await calledConfig(file, main as () => unknown) : main
  const exported = [made, ...Object.values(named)].flat()
  const stated = exported.filter(isCatalogTable)
  const alone = exported.filter(isBoundTable)
  const tables = [
    ...new Set(stated),
    // A table that is exported beside what is said about it is one table.
    ...[...new Set(alone)]
      .filter((table) => stated.every((one) => one.table !== table))
      .map((table) => ({ table })),
  ]
  if (tables.length > 0) return tables
  const unbound = exported.some(
    (one) => isObject(one) && Array.isArray(one['columns']) && typeof one['at'] === 'function',
  )
  throw new UsageError(
    unbound
      ? `${file} exports table definitions that are bound to no place: export trades.at({ database, location })`
      : `${file} exports no table: export const trades = defineTable(...).at({ database, location })`,
  )
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

/** By its form: the file may have a copy of the packages of its own. */
const isBoundTable = (value: unknown): value is BoundTable =>
  isObject(value) &&
  typeof value['database'] === 'string' &&
  typeof value['location'] === 'string' &&
  isObject(value['table']) &&
  Array.isArray(value['table']['columns'])

const isCatalogTable = (value: unknown): value is CatalogTable =>
  isObject(value) && isBoundTable(value['table'])
