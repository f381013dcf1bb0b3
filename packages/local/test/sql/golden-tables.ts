import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { createQueryEngine } from '../../src/sql/duckdb-query-engine.ts'
import type {
  CatalogColumn,
  QueryEngine,
  ResolvedTable,
  TableFile,
  TableResolver,
} from '../../src/sql/query-engine.ts'
import tables from '../golden/tables.json' with { type: 'json' }

export const goldenDirectory = fileURLToPath(new URL('../golden/', import.meta.url))

function file(path: string, partitionValues: readonly string[]): TableFile {
  const filePath = `${goldenDirectory}data/${path}`
  return { filePath, uri: `s3://golden/${path}`, size: statSync(filePath).size, partitionValues }
}

/** A table of `golden/tables.json`, in Hive's types. */
function table(name: keyof typeof tables, files: readonly TableFile[]): ResolvedTable {
  const columnsOf = (list: readonly (readonly string[])[]): CatalogColumn[] =>
    list.map(([column, type]) => ({ name: column!, type: type! }))
  return {
    database: 'golden',
    name,
    columns: columnsOf(tables[name].columns),
    partitionKeys: columnsOf(tables[name].partitionKeys),
    listFiles: async (keep) => files.filter(({ partitionValues }) => keep(partitionValues)),
  }
}

const days = ['2024-03-08', '2024-03-09', '2024-03-10']

export const goldenTables: Readonly<Record<string, ResolvedTable>> = {
  trades: table(
    'trades',
    days.map((day) => file(`trades/dt=${day}/part-0.parquet`, [day])),
  ),
  quotes: table('quotes', [file('quotes/q.parquet', [])]),
}

export const goldenResolver: TableResolver = {
  resolveTable: async (database, name) => (database === 'golden' ? goldenTables[name] : undefined),
}

/** An engine that reads the golden files, for the tests of the file that calls this while it is loaded. */
export function goldenEngine(): QueryEngine {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'golden-'))
  const engine = createQueryEngine({ dataDirectory, allowedDirectories: [join(goldenDirectory, 'data')] })
  afterAll(async () => {
    await engine.close()
    rmSync(dataDirectory, { recursive: true })
  })
  return engine
}
