import { isView, type NamedRelation, type ParsedView } from './named-relation.ts'
import { type NativeFunction, registeredName } from './native-function.ts'
import type { ResolvedTable } from './query-engine.ts'
import { failure } from './query-failure.ts'
import type { QueryOutput } from './scope.ts'
import type { TableReference } from './syntax-tree.ts'
import type { TableScan } from './table-scan.ts'

/**
 * A last argument that DuckDB takes for one that may fail, and so for a call that may: one that may not is computed for all
 * values of a dictionary, those of other rows among them, of which TRY would know nothing.
 */
const fallible = "CAST('t' AS BOOLEAN)"

/** What one statement gathers while it is analysed. */
export class AnalysisSession {
  /** The functions in JavaScript its SQL calls, by the names DuckDB knows them by. */
  readonly functions = new Map<string, NativeFunction>()
  readonly scans: TableScan[] = []
  /** The statement's start: what now() answers everywhere in it. */
  readonly startMillis: number
  readonly #tables: ReadonlyMap<string, NamedRelation | undefined>
  #database: string
  #aliases = 0

  constructor(options: {
    tables: ReadonlyMap<string, NamedRelation | undefined>
    database: string
    startMillis: number
  }) {
    this.#tables = options.tables
    this.#database = options.database
    this.startMillis = options.startMillis
  }

  /** The scans that a query reads: what is analysed twice, or read by nobody, has left others. */
  scansOf({ sql }: QueryOutput): readonly TableScan[] {
    return this.scans.filter(({ sqlName }) => sql.includes(`"${sqlName}"`))
  }

  /** A name no other relation of the statement has. */
  alias(prefix: string): string {
    this.#aliases += 1
    return `${prefix}${this.#aliases}`
  }

  /** SQL that calls a function in JavaScript; the CAST keeps its type when DuckDB folds a NULL argument. */
  native(native: NativeFunction, argumentSql: readonly string[]): string {
    const name = registeredName(native)
    this.functions.set(name, native)
    return `CAST("${name}"(${[...argumentSql, fallible].join(', ')}) AS ${native.returns})`
  }

  /** Analyses what belongs to another database, such as the query of a view. */
  within<Result>(database: string, analyze: () => Result): Result {
    const outer = this.#database
    this.#database = database
    try {
      return analyze()
    } finally {
      this.#database = outer
    }
  }

  /** The view a name means; undefined where it means a table. Throws TABLE_NOT_FOUND. */
  view(reference: TableReference): ParsedView | undefined {
    const found = this.#relation(reference)
    return isView(found) ? found : undefined
  }

  /** The table a name means. Throws TABLE_NOT_FOUND. */
  table(reference: TableReference): ResolvedTable {
    const found = this.#relation(reference)
    if (isView(found)) throw new Error(`${found.view.name} is a view`)
    return found
  }

  #relation(reference: TableReference): NamedRelation {
    const { database, table } = tableName(reference, this.#database)
    const found = this.#tables.get(`${database}.${table}`)
    if (found === undefined) {
      throw failure(
        'TABLE_NOT_FOUND',
        `Table 'awsdatacatalog.${database}.${table}' does not exist`,
        reference.position,
      )
    }
    return found
  }
}

/** What columns may be qualified with: the name of their table, as far as the statement has it. */
export function qualifierOf({ parts }: TableReference): readonly string[] {
  return parts.map((part) => part.value.toLowerCase())
}

/** The database and table a reference names, lower-cased. */
export function tableName(
  reference: TableReference,
  defaultDatabase: string,
): { database: string; table: string } {
  const parts = reference.parts.map((part) => part.value.toLowerCase())
  const table = parts.at(-1)!
  if (table.includes('$') && !table.endsWith('$partitions'))
    throw failure(
      'NOT_SUPPORTED',
      `The embedded Athena does not support the table "${table}"`,
      reference.position,
    )
  const catalog = parts.at(-3)
  if (parts.length > 3 || (catalog !== undefined && catalog !== 'awsdatacatalog')) {
    throw failure(
      'CATALOG_NOT_FOUND',
      `Catalog '${parts.slice(0, -2).join('.')}' not found`,
      reference.position,
    )
  }
  return { database: parts.at(-2) ?? defaultDatabase.toLowerCase(), table }
}
