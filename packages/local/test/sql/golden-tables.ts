import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ResolvedTable, TableFile, TableResolver } from '../../src/sql/query-engine.ts'

export const goldenDirectory = fileURLToPath(new URL('../golden/', import.meta.url))

function file(path: string, partitionValues: readonly string[]): TableFile {
  const filePath = `${goldenDirectory}data/${path}`
  return { filePath, uri: `s3://golden/${path}`, size: statSync(filePath).size, partitionValues }
}

function column([name, type]: readonly [string, string]): { name: string; type: string } {
  return { name, type }
}

function table(
  name: string,
  columns: readonly (readonly [string, string])[],
  keys: readonly (readonly [string, string])[],
  files: readonly TableFile[],
): ResolvedTable {
  return {
    database: 'golden',
    name,
    columns: columns.map(column),
    partitionKeys: keys.map(column),
    listFiles: async (keep) => files.filter(({ partitionValues }) => keep(partitionValues)),
  }
}

const days = ['2024-03-08', '2024-03-09', '2024-03-10']

export const goldenTables: Readonly<Record<string, ResolvedTable>> = {
  trades: table(
    'trades',
    [
      ['id', 'bigint'],
      ['ts', 'timestamp'],
      ['symbol', 'string'],
      ['price', 'double'],
      ['px', 'decimal(18,4)'],
      ['size', 'bigint'],
      ['side', 'string'],
      ['meta', 'string'],
      ['tags', 'array<string>'],
      ['attrs', 'map<string,double>'],
    ],
    [['dt', 'string']],
    days.map((day) => file(`trades/dt=${day}/part-0.parquet`, [day])),
  ),
  quotes: table(
    'quotes',
    [
      ['ts', 'timestamp'],
      ['symbol', 'string'],
      ['bid', 'double'],
      ['ask', 'double'],
    ],
    [],
    [file('quotes/q.parquet', [])],
  ),
}

export const goldenResolver: TableResolver = {
  resolveTable: async (database, name) => (database === 'golden' ? goldenTables[name] : undefined),
}
