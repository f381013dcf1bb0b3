import type { GlueTable, TableDefinition } from '../glue/catalog-model.ts'
import { type DescribedColumn, QueryError, type ResolvedView } from '../sql/query-engine.ts'
import { failure } from '../sql/query-failure.ts'

/** What Presto keeps of a view, as JSON in base64 within a comment. */
interface PrestoView {
  readonly originalSql: string
  readonly catalog: string
  readonly schema: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
}

const comment = /^\/\* Presto View: ([A-Za-z0-9+/=]+) \*\/$/

export const isView = (table: GlueTable): boolean => table.TableType === 'VIRTUAL_VIEW'

/** A view as Athena keeps it in Glue. Throws for columns without a name, a name of their own, or a Hive type. */
export function viewDefinition(
  name: string,
  sql: string,
  database: string,
  columns: readonly DescribedColumn[],
): TableDefinition {
  const names = new Set<string>()
  const position = { line: 1, column: 1 }
  const named = columns.map((column, i) => {
    const text = column.name?.toLowerCase()
    if (text === undefined) {
      throw failure('MISSING_COLUMN_NAME', `Column name not specified at position ${i + 1}`, position)
    }
    if (names.has(text)) {
      throw failure('DUPLICATE_COLUMN_NAME', `Column name '${text}' specified more than once`, position)
    }
    names.add(text)
    if (column.type === 'unknown') {
      throw failure('COLUMN_TYPE_UNKNOWN', `Column type is unknown at position ${i + 1}`, position)
    }
    const hiveType = /^timestamp\(\d+\)$/.test(column.type) ? 'timestamp' : column.hiveType
    if (hiveType === undefined) {
      throw failure(
        'NOT_SUPPORTED',
        `Invalid column type for column ${text}: Unsupported Hive type: ${column.type}`,
      )
    }
    return { name: text, type: column.type, hiveType }
  })
  const view: PrestoView = {
    originalSql: sql,
    catalog: 'awsdatacatalog',
    schema: database,
    columns: named.map(({ name: column, type }) => ({ name: column, type })),
  }
  return {
    Name: name,
    TableType: 'VIRTUAL_VIEW',
    Parameters: { comment: 'Presto View', presto_view: 'true' },
    PartitionKeys: [],
    StorageDescriptor: {
      Columns: named.map(({ name: Name, hiveType: Type }) => ({ Name, Type })),
      Location: '',
      SerdeInfo: {},
    },
    ViewOriginalText: `/* Presto View: ${Buffer.from(JSON.stringify(view)).toString('base64')} */`,
    ViewExpandedText: '/* Presto View */',
  }
}

/** Reads a view of Athena's from Glue, whoever made it. Throws HIVE_INVALID_VIEW_DATA, or NOT_SUPPORTED for views of Hive. */
export function resolvedView(table: GlueTable): ResolvedView {
  const name = `${table.DatabaseName}.${table.Name}`
  const encoded = comment.exec(table.ViewOriginalText?.trim() ?? '')?.[1]
  if (encoded === undefined) {
    throw new QueryError(
      'NOT_SUPPORTED',
      `NOT_SUPPORTED: ${name} is a view of Hive; the local stack has views of Athena only.`,
    )
  }
  const view = prestoViewOf(encoded)
  if (view === undefined) {
    throw failure('HIVE_INVALID_VIEW_DATA', `Error decoding view JSON of ${name}`)
  }
  return {
    database: table.DatabaseName,
    name: table.Name,
    viewSql: view.originalSql,
    viewDatabase: (view.schema ?? table.DatabaseName).toLowerCase(),
    columns: view.columns.map(({ name: column, type }) => ({
      name: column,
      // Before version 3 of the engine a timestamp had no precision of its own.
      type: type === 'timestamp' ? 'timestamp(3)' : type,
    })),
  }
}

function prestoViewOf(encoded: string): PrestoView | undefined {
  try {
    const view = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as Partial<PrestoView>
    const isWhole =
      typeof view.originalSql === 'string' &&
      Array.isArray(view.columns) &&
      view.columns.every(({ name, type }) => typeof name === 'string' && typeof type === 'string')
    return isWhole ? (view as PrestoView) : undefined
  } catch {
    return undefined
  }
}
