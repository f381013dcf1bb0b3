import { FunctionFailure } from './decimal-arithmetic.ts'
import { KeyConditions } from './key-conditions.ts'
import { castFromText } from './native-casts.ts'
import { columnInFile, type FileSchema } from './parquet-columns.ts'
import type { CatalogColumn, ResolvedTable, TableFile } from './query-engine.ts'
import { failure } from './query-failure.ts'
import type { Field } from './scope.ts'
import { duckDbType, type TrinoType, typeText, varcharType } from './trino-type.ts'
import { hiveType } from './type-name.ts'
import { quoteString } from './typed-expression.ts'

/** A column of a table as scanned: of the files, or a partition key. */
interface ScanColumn {
  readonly sqlName: string
  readonly type: TrinoType
  readonly column: CatalogColumn
  /** The place among the partition keys; undefined for a column of the files. */
  readonly keyIndex: number | undefined
}

/** One reference to a table in a statement: which columns it needs and which partitions it may skip. */
export class TableScan {
  readonly table: ResolvedTable
  /** The name of the scan's common table expression. */
  readonly sqlName: string
  readonly #columns: readonly ScanColumn[]
  readonly #used = new Set<string>()
  readonly #conditions = new KeyConditions()
  #alias = ''

  constructor(table: ResolvedTable, sqlName: string) {
    this.table = table
    this.sqlName = sqlName
    this.#columns = [...table.columns, ...table.partitionKeys].map((column, i) => ({
      sqlName: `c${i}`,
      type: hiveType(column.type),
      column,
      keyIndex: i < table.columns.length ? undefined : i - table.columns.length,
    }))
  }

  /** The table's columns, then `"$path"`, which `*` leaves out. */
  fields(alias: string, qualifier: readonly string[]): readonly Field[] {
    const field = (name: string, sqlName: string, type: TrinoType): Field => ({
      name: name.toLowerCase(),
      qualifier,
      type,
      sql: `"${alias}"."${sqlName}"`,
      use: () => this.#used.add(sqlName),
    })
    this.#alias = alias
    const columns = this.#columns.map(({ column, sqlName, type, keyIndex }): Field => {
      const plain = field(column.name, sqlName, type)
      if (keyIndex === undefined) return plain
      const conditions = this.#conditions
      return { ...plain, partitionKey: { type, sql: plain.sql, index: keyIndex, conditions } }
    })
    return [...columns, { ...field('$path', 'path', varcharType), hidden: true }]
  }

  /** Lists the files of the partitions that the statement's conditions leave. */
  async listFiles(): Promise<readonly TableFile[]> {
    const keepValue = (keyIndex: number, value: string | null): boolean =>
      this.#conditions.keepValue(keyIndex, value)
    const keep = (values: readonly (string | null)[]): boolean =>
      values.every((value, keyIndex) => keepValue(keyIndex, value))
    const files = await this.table.listFiles(keep, keepValue)
    // A resolver may list more than it was asked for.
    return files.filter((file) => keep(file.partitionValues))
  }

  /**
   * SQL that gives the `place`s of the partitions that the conditions keep, of a table with these and the values of the keys;
   * undefined where there is no such condition.
   */
  keptPartitions(partitionTable: string): string | undefined {
    const condition = this.#conditions.sql()
    if (condition === undefined) return undefined
    const keys = this.#columns.flatMap(({ keyIndex, type, sqlName }) =>
      keyIndex === undefined ? [] : [`CAST("k${keyIndex}" AS ${duckDbType(type)}) AS "${sqlName}"`],
    )
    const partitions = `SELECT "place", ${keys.join(', ')} FROM "${partitionTable}"`
    return `SELECT "place" FROM (${partitions}) AS "${this.#alias}" WHERE ${condition}`
  }

  get #usedColumns(): readonly ScanColumn[] {
    return this.#columns.filter((column) => this.#used.has(column.sqlName))
  }

  /** The names of the columns the statement needs. */
  get usedNames(): readonly string[] {
    return this.#usedColumns.map(({ column }) => column.name)
  }

  /** True where rows need to know the file they come from. */
  get needsFileTable(): boolean {
    return this.#used.has('path') || this.#usedColumns.some((column) => column.keyIndex !== undefined)
  }

  /** What the file table holds of a file beside its path: its URI and partition values, checked against their types. */
  fileFacts(file: TableFile): readonly (string | null)[] {
    const values = this.table.partitionKeys.map((key, i) =>
      partitionValue(this.table, key, file.partitionValues[i] ?? null),
    )
    return [file.uri, ...values]
  }

  #readColumn({ column, type }: ScanColumn, file: TableFile, schema: FileSchema): string {
    if (file.textColumns?.has(column.name.toLowerCase()) !== true) {
      return columnInFile(column.name, type, schema, file.uri)
    }
    // Trino coerces text to an integer as Java parses one; what is none becomes NULL.
    const text = columnInFile(column.name, varcharType, schema, file.uri)
    return `TRY_CAST(CASE WHEN regexp_full_match(${text}, '[+-]?[0-9]+') THEN ${text} END AS ${duckDbType(type)})`
  }

  /** SQL that reads the files; those with the same columns in one call. */
  sql(
    files: readonly { readonly file: TableFile; readonly schema: FileSchema }[],
    fileTable: string,
  ): string {
    const columns = this.#usedColumns
    const groups = new Map<string, { selects: string[]; paths: string[] }>()
    for (const { file, schema } of files) {
      const selects = columns.flatMap((column) => {
        if (column.keyIndex !== undefined) return []
        return [`${this.#readColumn(column, file, schema)} AS "${column.sqlName}"`]
      })
      const signature = JSON.stringify(selects)
      const group = groups.get(signature) ?? { selects, paths: [] }
      group.paths.push(globEscaped(file.filePath))
      groups.set(signature, group)
    }
    if (groups.size === 0) {
      const nulls = columns.map(({ sqlName, type }) => `CAST(NULL AS ${duckDbType(type)}) AS "${sqlName}"`)
      const path = `CAST(NULL AS VARCHAR) AS "path"`
      return `SELECT ${[...nulls, path].join(', ')} WHERE FALSE`
    }
    const facts = columns.flatMap(({ keyIndex, type, sqlName }) =>
      keyIndex === undefined ? [] : [`CAST(p."k${keyIndex}" AS ${duckDbType(type)}) AS "${sqlName}"`],
    )
    if (this.#used.has('path')) facts.push('p."uri" AS "path"')
    return [...groups.values()]
      .map(({ selects, paths }) => {
        const list = `[${paths.map(quoteString).join(', ')}]`
        const options = `hive_partitioning = false${this.needsFileTable ? ', filename = true' : ''}`
        const join = this.needsFileTable ? ` JOIN "${fileTable}" AS p ON f."filename" = p."file"` : ''
        // The order of columns is the same in every branch: files first, then facts.
        const items = [...selects, ...facts]
        return `SELECT ${items.length === 0 ? 'TRUE AS "row"' : items.join(', ')} FROM read_parquet(${list}, ${options}) AS f${join}`
      })
      .join(' UNION ALL ')
  }
}

/** read_parquet takes its paths for patterns. */
function globEscaped(path: string): string {
  return path.replace(/[*?[]/g, (character) => `[${character}]`)
}

function partitionValue(table: ResolvedTable, key: CatalogColumn, value: string | null): string | null {
  const type = hiveType(key.type)
  if (value === null || type.kind === 'varchar') return value
  const cast = castFromText(type)
  const evaluate = cast?.evaluate as ((text: string) => unknown) | undefined
  try {
    evaluate?.(value)
  } catch (error) {
    if (!(error instanceof FunctionFailure)) throw error
    throw failure(
      'HIVE_INVALID_PARTITION_VALUE',
      `Invalid partition value '${value}' for ${typeText(type)} partition key: ${table.name}.${key.name}`,
    )
  }
  return value
}
