import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'

let connection: Promise<DuckDBConnection> | undefined

/** One for all questions of a process: it takes longer to start than to answer. */
const connected = (): Promise<DuckDBConnection> => {
  connection ??= DuckDBInstance.create(':memory:', { threads: '1' }).then((instance) => instance.connect())
  return connection
}

/** What DuckDB says of Parquet files: `$1`, `$2` and so on in the SQL stand for them. */
export const duckdb = async (sql: string, ...files: readonly Uint8Array[]): Promise<unknown[][]> => {
  const folder = mkdtempSync(join(tmpdir(), 'stockpipe-parquet-'))
  try {
    const paths = files.map((bytes, index) => {
      const path = join(folder, `${index}.parquet`)
      writeFileSync(path, bytes)
      return `'${path}'`
    })
    const asked = sql.replace(/\$(\d)/g, (_, digit) => paths[Number(digit) - 1]!)
    const reader = await (await connected()).runAndReadAll(asked)
    return reader.getRowsJS()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
