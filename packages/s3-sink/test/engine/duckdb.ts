import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

/** What DuckDB says of Parquet files: `$1`, `$2` and so on in the SQL stand for them. */
export const duckdb = async (sql: string, ...files: readonly Uint8Array[]): Promise<unknown[][]> => {
  const folder = mkdtempSync(join(tmpdir(), 'stockpipe-parquet-'))
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const paths = files.map((bytes, index) => {
      const path = join(folder, `${index}.parquet`)
      writeFileSync(path, bytes)
      return `'${path}'`
    })
    const reader = await connection.runAndReadAll(
      sql.replace(/\$(\d)/g, (_, digit) => paths[Number(digit) - 1]!),
    )
    return reader.getRowsJS()
  } finally {
    connection.closeSync()
    instance.closeSync()
    rmSync(folder, { recursive: true, force: true })
  }
}
