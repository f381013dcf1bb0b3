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

/** The rows of parquet_schema list a tree in order, the root first. */
function topLevelColumns(rows: readonly unknown[][]): readonly FileColumn[] {
  const columns: FileColumn[] = []
  let index = 1
  const skip = (): void => {
    const children = Number(rows[index]?.[4] ?? 0)
    index += 1
    for (let i = 0; i < children; i++) skip()
  }
  while (index < rows.length) {
    const [, name, type, repetition, , converted, logical, duckDbType] = rows[index]!
    const annotation = [converted, logical].filter((text) => text !== null && text !== undefined).join(' ')
    const declared = [String(repetition).toLowerCase(), String(type ?? 'group').toLowerCase(), annotation]
      .join(' ')
      .trim()
    columns.push({
      name: String(name),
      duckDbType: converted === 'LIST' ? listType(rows, index) : String(duckDbType),
      declared: type === 'INT96' ? `${declared} INT96` : declared,
    })
    skip()
  }
  return columns
}

/** `VARCHAR[]` for a list of three levels whose elements are plain; `LIST` for any other. */
function listType(rows: readonly unknown[][], index: number): string {
  const [list, element] = rows.slice(index + 1, index + 3)
  const plain = Number(rows[index]?.[4]) === 1 && Number(list?.[4]) === 1 && Number(element?.[4]) === 0
  return plain && list?.[3] === 'REPEATED' ? `${element?.[7]}[]` : 'LIST'
}

function byName(columns: readonly FileColumn[]): FileSchema {
  const schema = new Map<string, FileColumn[]>()
  for (const column of columns) {
    const key = column.name.toLowerCase()
    schema.set(key, [...(schema.get(key) ?? []), column])
  }
  return schema
}
