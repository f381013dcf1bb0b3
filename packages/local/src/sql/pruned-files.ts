import type { DuckDBConnection } from '@duckdb/node-api'
import type { DuckDbSession } from './duckdb-session.ts'
import type { TableFile } from './query-engine.ts'
import type { TableScan } from './table-scan.ts'

/** Stands for a row that an outer join fills with NULLs. */
const nullRow = -1

/**
 * The files of the partitions that a scan's conditions keep, as DuckDB evaluates them; all of them where it fails to, and where
 * a condition holds for NULLs, so that rows which an outer join fills would be made.
 */
export async function prunedFiles(
  session: DuckDbSession,
  connection: DuckDBConnection,
  scan: TableScan,
  files: readonly TableFile[],
): Promise<readonly TableFile[]> {
  const table = `partitions_${scan.sqlName}`
  const sql = scan.keptPartitions(table)
  if (sql === undefined || files.length === 0) return files
  const places = new Map<string, number>()
  const placeOf = ({ partitionValues }: TableFile): number => {
    const key = JSON.stringify(partitionValues)
    const place = places.get(key) ?? places.size
    places.set(key, place)
    return place
  }
  const keys = scan.table.partitionKeys.map((_, i) => `, "k${i}" VARCHAR`).join('')
  await connection.run(`CREATE TEMP TABLE "${table}" ("place" INTEGER${keys})`)
  const appender = await connection.createAppender(table, 'main', 'temp')
  const append = (place: number, values: readonly (string | null)[]): void => {
    appender.appendInteger(place)
    for (const value of values) {
      if (value === null) appender.appendNull()
      else appender.appendVarchar(value)
    }
    appender.endRow()
  }
  append(
    nullRow,
    scan.table.partitionKeys.map(() => null),
  )
  for (const file of files) {
    const known = places.size
    const place = placeOf(file)
    if (place === known) append(place, file.partitionValues)
  }
  appender.closeSync()
  const { refusals } = session
  try {
    const reader = await connection.runAndReadAll(sql)
    const kept = new Set(reader.getRows().map(([place]) => Number(place)))
    // What a function has refused may be NULL within TRY().
    if (kept.has(nullRow) || session.refusals !== refusals) return files
    return files.filter((file) => kept.has(placeOf(file)))
  } catch {
    // The query itself will say what is wrong, or will not come to it.
    return files
  }
}
