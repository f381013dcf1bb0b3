import { stat } from 'node:fs/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { FileColumn, FileSchema } from './parquet-columns.ts'
import type { TableFile } from './query-engine.ts'
import { failure } from './query-failure.ts'
import { quoteString } from './typed-expression.ts'

const remembered = 20_000

/** The columns of Parquet files, read once for each state of a file. */
export class ParquetSchemas {
  readonly #schemas = new Map<string, FileSchema>()
  /** One object for equal schemas: thousands of files share a few. */
  readonly #distinct = new Map<string, FileSchema>()

  async read(
    connection: DuckDBConnection,
    files: readonly TableFile[],
  ): Promise<ReadonlyMap<string, FileSchema>> {
    const keys = new Map<string, string>()
    const states = await Promise.all(files.map(fileState))
    files.forEach((file, i) => {
      keys.set(file.filePath, states[i]!)
    })
    const missing = [...keys].flatMap(([path, key]) => (this.#schemas.has(key) ? [] : [path]))
    for (let start = 0; start < missing.length; start += 500) {
      const paths = missing.slice(start, start + 500)
      const read = await this.#readAll(connection, paths)
      for (const path of paths) {
        const schema = read.get(path)
        if (schema === undefined) throw failure('HIVE_BAD_DATA', `${path} has no Parquet schema`)
        this.#schemas.set(keys.get(path)!, schema)
      }
    }
    const result = new Map([...keys].map(([path, key]) => [path, this.#schemas.get(key)!]))
    for (const key of this.#schemas.keys()) {
      if (this.#schemas.size <= remembered) break
      this.#schemas.delete(key)
    }
    return result
  }

  async #readAll(connection: DuckDBConnection, paths: readonly string[]): Promise<Map<string, FileSchema>> {
    const escaped = paths.map((path) => path.replace(/[*?[]/g, (character) => `[${character}]`))
    const reader = await connection.runAndReadAll(
      `SELECT file_name, name, type, repetition_type, CAST(coalesce(num_children, 0) AS INTEGER), converted_type,
        logical_type, duckdb_type FROM parquet_schema([${escaped.map(quoteString).join(', ')}])`,
    )
    const files = new Map<string, unknown[][]>()
    for (const row of reader.getRows()) {
      const path = String(row[0])
      files.set(path, [...(files.get(path) ?? []), row as unknown[]])
    }
    const schemas = new Map<string, FileSchema>()
    for (const [path, rows] of files) {
      const columns = topLevelColumns(rows)
      const signature = JSON.stringify(columns)
      let schema = this.#distinct.get(signature)
      if (schema === undefined) {
        schema = byName(columns)
        this.#distinct.set(signature, schema)
      }
      schemas.set(path, schema)
    }
    return schemas
  }
}

async function fileState(file: TableFile): Promise<string> {
  try {
    const { size, mtimeMs } = await stat(file.filePath)
    return `${file.filePath}|${size}|${mtimeMs}`
  } catch (error) {
    throw failure(
      'HIVE_CANNOT_OPEN_SPLIT',
      `Error opening ${file.uri}: ${error instanceof Error ? error.message : error}`,
    )
  }
}

/** A row of parquet_schema with those below it. */
interface SchemaNode {
  readonly name: string
  readonly physicalType: unknown
  readonly repetition: string
  readonly converted: string
  readonly logical: string
  readonly duckDbType: string
  readonly children: readonly SchemaNode[]
}

/** The rows of parquet_schema list a tree in order, the root first. */
function topLevelColumns(rows: readonly unknown[][]): readonly FileColumn[] {
  let index = 1
  const read = (): SchemaNode => {
    const [, name, physicalType, repetition, children, converted, logical, duckDbType] = rows[index++]!
    const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value))
    return {
      name: String(name),
      physicalType,
      repetition: text(repetition),
      converted: text(converted),
      logical: text(logical),
      duckDbType: text(duckDbType),
      children: Array.from({ length: Number(children) }, read),
    }
  }
  const columns: FileColumn[] = []
  while (index < rows.length) columns.push(fileColumn(read()))
  return columns
}

function fileColumn(node: SchemaNode): FileColumn {
  const type = String(node.physicalType ?? 'group').toLowerCase()
  const declared = [node.repetition.toLowerCase(), type, node.converted, node.logical]
    .filter((part) => part !== '')
    .join(' ')
  const column = {
    name: node.name,
    duckDbType: node.children.length === 0 ? node.duckDbType : nestedType(node),
    declared: node.physicalType === 'INT96' ? `${declared} INT96` : declared,
  }
  if (/^STRUCT\(.*\)$/s.test(column.duckDbType)) return { ...column, fields: node.children.map(innerColumn) }
  const items = itemsOf(node)
  return items === undefined ? column : { ...column, items: items.map(innerColumn) }
}

const innerColumn = (node: SchemaNode): FileColumn =>
  node.repetition === 'REPEATED' ? { ...fileColumn(node), duckDbType: 'LIST' } : fileColumn(node)

/** The element of a list, or the key and the value of a map; undefined for others, and those not laid out in three levels. */
function itemsOf(node: SchemaNode): readonly SchemaNode[] | undefined {
  const [repeated] = node.children
  if (node.children.length !== 1 || repeated?.repetition !== 'REPEATED') return undefined
  const count = node.converted === 'LIST' ? 1 : node.converted.startsWith('MAP') ? 2 : undefined
  return repeated.children.length === count ? repeated.children : undefined
}

/** The type DuckDB reads a group as: `VARCHAR[]`; `LIST` or `MAP` for those not laid out in three levels. */
function nestedType(node: SchemaNode): string {
  const items = itemsOf(node)?.map(innerType)
  if (node.converted === 'LIST') return items === undefined ? 'LIST' : `${items[0]}[]`
  if (node.converted.startsWith('MAP')) return items === undefined ? 'MAP' : `MAP(${items.join(', ')})`
  const fields = node.children.map((child) => `"${child.name.replaceAll('"', '""')}" ${innerType(child)}`)
  return `STRUCT(${fields.join(', ')})`
}

/** Timestamps of other units would have to be rounded: they are told apart, so that no table's type is theirs. */
function innerType(node: SchemaNode): string {
  if (node.repetition === 'REPEATED') return 'LIST'
  if (node.children.length > 0) return nestedType(node)
  const isMillis = /TIMESTAMP_MILLIS|MILLIS=Milli/.test(`${node.converted} ${node.logical}`)
  return node.duckDbType.startsWith('TIMESTAMP') && !isMillis
    ? `${node.duckDbType} of other units`
    : node.duckDbType
}

function byName(columns: readonly FileColumn[]): FileSchema {
  const schema = new Map<string, FileColumn[]>()
  for (const column of columns) {
    const key = column.name.toLowerCase()
    schema.set(key, [...(schema.get(key) ?? []), column])
  }
  return schema
}
