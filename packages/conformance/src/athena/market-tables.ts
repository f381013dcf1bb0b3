import { BatchCreatePartitionCommand, GetTableCommand, type Table } from '@aws-sdk/client-glue'
import type { CaseAthena } from './case-athena.ts'

/** Names a table and the database of it. */
export interface MarketTable {
  readonly database: string
  readonly table: string
}

export const days = ['2024-03-08', '2024-03-09', '2024-03-10'] as const

const daysOf = new WeakMap<CaseAthena, Promise<string>>()

/** A place with a folder a day, `dt=2024-03-08/` and on, each with the rows of a symbol and a size; made once, only read. */
export const placeOfDays = (athena: CaseAthena): Promise<string> => {
  const made = daysOf.get(athena) ?? makeDays(athena)
  daysOf.set(athena, made)
  return made
}

const makeDays = async (athena: CaseAthena): Promise<string> => {
  const place = athena.place()
  const database = await athena.database()
  const properties = `format = 'PARQUET', external_location = '${place}', partitioned_by = ARRAY['dt']`
  const rows = days.map((day, i) => `('AAPL', ${i + 1}, '${day}'), ('BRK.B', ${10 * (i + 1)}, '${day}')`)
  await athena.run(
    `CREATE TABLE days WITH (${properties}) AS SELECT * FROM (VALUES ${rows.join(', ')}) t(symbol, size, dt)`,
    { database },
  )
  await athena.run('DROP TABLE days', { database })
  return place
}

/** An external table of symbols and sizes of days in a database of its own, without partitions. */
export const tableOfDays = async (
  athena: CaseAthena,
  place: string,
  {
    keys = 'dt string',
    properties = {},
  }: { keys?: string; properties?: Readonly<Record<string, string>> } = {},
): Promise<MarketTable> => {
  const database = await athena.database()
  const pairs = Object.entries(properties).map(([name, value]) => `'${name}' = '${value}'`)
  await athena.run(
    `CREATE EXTERNAL TABLE ticks (symbol string, size int) PARTITIONED BY (${keys}) STORED AS PARQUET
     LOCATION '${place}'${pairs.length === 0 ? '' : ` TBLPROPERTIES (${pairs.join(', ')})`}`,
    { database },
  )
  return { database, table: 'ticks' }
}

/** Registers partitions, by their values, where Hive would have them or where it is said. */
export const addPartitions = async (
  athena: CaseAthena,
  { database, table }: MarketTable,
  partitions: readonly { readonly values: readonly string[]; readonly location: string }[],
): Promise<void> => {
  const { StorageDescriptor } = await catalogTable(athena, { database, table })
  await athena.glue.send(
    new BatchCreatePartitionCommand({
      DatabaseName: database,
      TableName: table,
      PartitionInputList: partitions.map(({ values, location }) => ({
        Values: [...values],
        StorageDescriptor: { ...StorageDescriptor, Location: location },
      })),
    }),
  )
}

/** A table as the catalog has it. */
export const catalogTable = async (athena: CaseAthena, { database, table }: MarketTable): Promise<Table> => {
  const { Table } = await athena.glue.send(new GetTableCommand({ DatabaseName: database, Name: table }))
  if (Table === undefined) throw new Error(`GetTable answered nothing of ${database}.${table}`)
  return Table
}
