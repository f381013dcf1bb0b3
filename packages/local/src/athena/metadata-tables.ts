import type { Catalog } from '../glue/catalog.ts'
import type { GlueColumn, GlueTable } from '../glue/catalog-model.ts'
import { defaultPartition } from '../glue/hive-path.ts'
import { QueryError, type ResolvedView, type ResultColumn } from '../sql/query-engine.ts'
import { notSupported } from '../sql/query-failure.ts'
import { typeText } from '../sql/trino-type.ts'
import { hiveType } from '../sql/type-name.ts'
import { isProjected } from './partition-projection.ts'
import { isView, resolvedView } from './view-definition.ts'

/** The database of each catalog that tells of the others. */
export const informationSchema = 'information_schema'

const catalogName = 'awsdatacatalog'
const partitionsSuffix = '$partitions'

type Row = readonly (string | number | null)[]

interface MetadataTable {
  readonly columns: readonly ResultColumn[]
  readonly rows: (catalog: Catalog) => readonly Row[]
}

const varchar = (...names: readonly string[]): readonly ResultColumn[] =>
  names.map((name) => ({ name, type: 'varchar' }))

const tableNames = varchar('table_catalog', 'table_schema', 'table_name')

/** What information_schema has here, as Athena's documentation shows it. */
const metadataTables: Readonly<Record<string, MetadataTable>> = {
  schemata: {
    columns: varchar('catalog_name', 'schema_name'),
    rows: (catalog) => databaseNames(catalog).map((name) => [catalogName, name]),
  },
  tables: {
    columns: [...tableNames, ...varchar('table_type')],
    rows: (catalog) => [
      ...Object.keys(metadataTables).map((name) => [catalogName, informationSchema, name, 'BASE TABLE']),
      ...allTables(catalog).map((table) => [...namesOf(table), isView(table) ? 'VIEW' : 'BASE TABLE']),
    ],
  },
  columns: {
    columns: [
      ...tableNames,
      ...varchar('column_name'),
      { name: 'ordinal_position', type: 'bigint' },
      ...varchar('column_default', 'is_nullable', 'data_type', 'comment', 'extra_info'),
    ],
    rows: (catalog) => [
      ...Object.entries(metadataTables).flatMap(([name, { columns }]) =>
        columnRows([catalogName, informationSchema, name], columns),
      ),
      ...allTables(catalog).flatMap((table) => columnRows(namesOf(table), columnsOf(table))),
    ],
  },
  views: {
    columns: [...tableNames, ...varchar('view_definition')],
    rows: (catalog) =>
      allTables(catalog)
        .filter(isView)
        .map((table) => [...namesOf(table), readableView(table)?.viewSql ?? null]),
  },
}

/** A table that tells of others, as a view over what the catalog has now; undefined where the name means none. */
export function metadataTable(catalog: Catalog, database: string, name: string): ResolvedView | undefined {
  if (database === informationSchema) {
    const found = Object.hasOwn(metadataTables, name) ? metadataTables[name] : undefined
    return found && viewOf(database, name, found.columns, found.rows(catalog))
  }
  if (!name.endsWith(partitionsSuffix)) return undefined
  const table = catalog.getTable(database, name.slice(0, -partitionsSuffix.length))
  const keys = table?.PartitionKeys ?? []
  if (table === undefined || isView(table) || keys.length === 0) return undefined
  if (isProjected(table)) throw notSupported(`"${name}" of a table with partition projection`)
  const columns = keys.map((key) => ({ name: key.Name.toLowerCase(), type: typeOf(key) }))
  const rows = catalog
    .listPartitions(table.DatabaseName, table.Name)
    .map(({ Values }) => Values.map((value) => (value === defaultPartition ? null : value)))
  return viewOf(database, name, columns, rows)
}

function viewOf(
  database: string,
  name: string,
  columns: readonly ResultColumn[],
  rows: readonly Row[],
): ResolvedView {
  // Texts of partition values become values of the key's type as they do in a scan.
  const types = columns.map(({ type }) => (type === 'bigint' ? 'bigint' : 'varchar'))
  const fields = columns.map((column, i) => `"${quoted(column.name)}" ${types[i]}`)
  const values = columns.map(
    ({ name: column, type }) => `CAST("${quoted(column)}" AS ${type}) AS "${quoted(column)}"`,
  )
  const array = `CAST(json_parse('${JSON.stringify(rows).replaceAll("'", "''")}') AS array(row(${fields.join(', ')})))`
  const names = columns.map((column) => `"${quoted(column.name)}"`)
  return {
    database,
    name,
    viewSql: `SELECT ${values.join(', ')} FROM UNNEST(${array}) AS t (${names.join(', ')})`,
    viewDatabase: database,
    columns,
  }
}

const quoted = (name: string): string => name.replaceAll('"', '""')

const databaseNames = (catalog: Catalog): readonly string[] => [
  ...catalog.listDatabases().map(({ Name }) => Name),
  informationSchema,
]

const allTables = (catalog: Catalog): readonly GlueTable[] =>
  catalog.listDatabases().flatMap(({ Name }) => catalog.listTables(Name))

const namesOf = (table: GlueTable): Row => [catalogName, table.DatabaseName, table.Name]

function columnRows(
  names: Row,
  columns: readonly (ResultColumn & { readonly comment?: string; readonly isKey?: boolean })[],
): readonly Row[] {
  return columns.map(({ name, type, comment, isKey }, i) => [
    ...names,
    name,
    i + 1,
    null,
    'YES',
    type,
    comment ?? null,
    isKey === true ? 'partition key' : null,
  ])
}

function columnsOf(table: GlueTable): Parameters<typeof columnRows>[1] {
  if (isView(table)) return readableView(table)?.columns ?? []
  const column = ({ Name, Comment, ...rest }: GlueColumn, isKey: boolean) => ({
    name: Name.toLowerCase(),
    type: typeOf({ Name, ...rest }),
    ...(Comment !== undefined && { comment: Comment }),
    isKey,
  })
  const columns = table.StorageDescriptor?.Columns ?? []
  return [
    ...columns.map((each) => column(each, false)),
    ...(table.PartitionKeys ?? []).map((each) => column(each, true)),
  ]
}

const typeOf = ({ Type = 'string' }: GlueColumn): string => typeText(hiveType(Type))

/** A view of Athena's; undefined for others, and for one that is damaged. */
function readableView(table: GlueTable): ResolvedView | undefined {
  try {
    return resolvedView(table)
  } catch (error) {
    if (error instanceof QueryError) return undefined
    throw error
  }
}
