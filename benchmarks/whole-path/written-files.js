import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { firstTradeId } from './trades.js'

const filesBelow = (folder) =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.parquet'))
    .map((entry) => join(entry.parentPath, entry.name))

/** What DuckDB finds below a table's folder: objects, bytes, and which trades are not there or more than once. */
export const readTable = async (folder, rows) => {
  const files = filesBelow(folder)
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0)
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  const answer = await connection.runAndReadAll(
    `SELECT count(*), count(DISTINCT trade_id), min(trade_id), max(trade_id), count(DISTINCT filename)
     FROM read_parquet('${folder}/**/*.parquet', hive_partitioning = false, filename = true)`,
  )
  connection.closeSync()
  const [read, distinct, first, last, filesRead] = answer.getRows()[0].map(Number)
  if (filesRead !== files.length)
    throw new Error(`${files.length} files lie below ${folder}, DuckDB read ${filesRead}`)
  if (first < firstTradeId || last >= firstTradeId + rows) {
    throw new Error(`${folder} holds ids from ${first} to ${last}, which nobody has sent`)
  }
  return { objects: files.length, bytes, rows: read, lost: rows - distinct, doubled: read - distinct }
}

/** Requests of a bucket by operation in an access log of versitygw. */
export const countRequests = (accessLog, bucket) => {
  const counts = {}
  for (const line of readFileSync(accessLog, 'utf8').split('\n')) {
    const [, name, operation] = /^\S+ (\S+) \[[^\]]*\] \S+ \S+ \S+ (\S+)/.exec(line) ?? []
    if (name === bucket) counts[operation] = (counts[operation] ?? 0) + 1
  }
  return counts
}
