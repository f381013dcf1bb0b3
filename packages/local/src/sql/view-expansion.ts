import { qualifierOf, tableName } from './analysis-session.ts'
import { coerce } from './cast-rules.ts'
import type { NamedRelation, ParsedView } from './named-relation.ts'
import { parseStatement, parseType } from './parser.ts'
import { QueryError, type ResolvedView, type TableResolver } from './query-engine.ts'
import { failure } from './query-failure.ts'
import type { Relation, RelationContext } from './relation-analyzer.ts'
import type { TableReference } from './syntax-tree.ts'
import { typeText } from './trino-type.ts'

/** Finds all that a statement reads, what its views read among it, by `database.table`. */
export async function resolveRelations(
  tables: readonly TableReference[],
  database: string,
  resolver: TableResolver,
): Promise<ReadonlyMap<string, NamedRelation | undefined>> {
  const found = new Map<string, NamedRelation | undefined>()
  const resolve = async (
    references: readonly TableReference[],
    defaultDatabase: string,
    within: readonly string[],
  ): Promise<void> => {
    for (const reference of references) {
      const { database: owner, table } = tableName(reference, defaultDatabase)
      const key = `${owner}.${table}`
      if (within.includes(key)) throw failure('VIEW_IS_RECURSIVE', 'View is recursive', reference.position)
      if (found.has(key)) continue
      const relation = await resolver.resolveTable(owner, table)
      if (relation === undefined || !('viewSql' in relation)) {
        found.set(key, relation)
        continue
      }
      const parsed = parseView(relation)
      await resolve(parsed.tables, relation.viewDatabase, [...within, key])
      found.set(key, { view: relation, query: parsed.query })
    }
  }
  await resolve(tables, database, [])
  return found
}

function parseView(view: ResolvedView): ReturnType<typeof parseStatement> {
  try {
    return parseStatement(view.viewSql)
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    throw inView(view, error)
  }
}

/** A view as a relation: its query where it stands, with the names and types the view has. */
export function analyzeView(
  { view, query }: ParsedView,
  reference: TableReference,
  { session, analyzeAlone }: RelationContext,
): Relation {
  const output = session.within(view.viewDatabase, () => {
    try {
      return analyzeAlone(query)
    } catch (error) {
      if (!(error instanceof QueryError)) throw error
      throw inView(view, error)
    }
  })
  if (output.columns.length !== view.columns.length) {
    throw stale(
      view,
      reference,
      `stored view column count (${view.columns.length}) does not match column count derived from the view query analysis (${output.columns.length})`,
    )
  }
  const alias = session.alias('r')
  const qualifier = qualifierOf(reference)
  const fields = output.columns.map((column, i) => {
    const { name, type } = view.columns[i]!
    const projected = { type: column.type, sql: `"${alias}"."c${i}"` }
    const isSame = typeText(column.type) === type.toLowerCase().replace(/,\s+/g, ',')
    const value = isSame ? projected : coerce(session, projected, parseType(type))
    if (value === undefined) {
      throw stale(
        view,
        reference,
        `column [${column.name ?? `_col${i}`}] of type ${typeText(column.type)} projected from query view at position ${i} cannot be coerced to column [${name}] of type ${type} stored in view definition`,
      )
    }
    return { ...value, name, qualifier, partitionKey: isSame ? column.partitionKey : undefined }
  })
  return { sql: `(${output.sql}) AS "${alias}"`, fields }
}

function stale(view: ResolvedView, reference: TableReference, reason: string): QueryError {
  return failure(
    'VIEW_IS_STALE',
    `View 'awsdatacatalog.${view.database}.${view.name}' is stale or in invalid state: ${reason}`,
    reference.position,
  )
}

function inView(view: ResolvedView, cause: QueryError): QueryError {
  return new QueryError(
    cause.errorName,
    `${cause.errorName}: Failed analyzing stored view 'awsdatacatalog.${view.database}.${view.name}': ${cause.message.replace(`${cause.errorName}: `, '')}`,
    { cause },
  )
}
