import type { Column, Table, TableInput } from '@aws-sdk/client-glue'
import type { TableDifference } from './errors.ts'
import { fingerprintParameter } from './table-input.ts'

/** How the catalog's table stands to the defined one. */
export interface TableComparison {
  /** Columns the definition has after all those of the catalog, in order. */
  readonly addedColumns: readonly Column[]
  /** Everything else that is not the same. */
  readonly differences: readonly TableDifference[]
  /** The catalog keeps another fingerprint, or none. */
  readonly fingerprintDiffers: boolean
}

const foldType = (type: string | undefined) => (type ?? '').toLowerCase().replace(/\s+/g, '')
const foldName = (name: string | undefined) => (name ?? '').toLowerCase()
const withSlash = (location: string | undefined) => `${(location ?? '').replace(/\/+$/, '')}/`
const shown = (column: Column | undefined) => column && `${foldName(column.Name)} ${foldType(column.Type)}`

/** Compares what the catalog has with what the definition asks for. */
export const compareTable = (table: Table, wanted: TableInput): TableComparison => {
  const differences: TableDifference[] = []
  const compare = (what: string, inCatalog: string | undefined, inDefinition: string | undefined) => {
    if (inCatalog !== inDefinition) differences.push({ what, inCatalog, inDefinition })
  }
  const has = table.StorageDescriptor ?? {}
  const wants = wanted.StorageDescriptor!
  compare('location', withSlash(has.Location), withSlash(wants.Location))
  compare('input format', has.InputFormat, wants.InputFormat)
  compare('SerDe', has.SerdeInfo?.SerializationLibrary, wants.SerdeInfo?.SerializationLibrary)

  const columns = has.Columns ?? []
  const wantedColumns = wants.Columns ?? []
  columns.forEach((column, index) => {
    compare(`column ${index + 1}`, shown(column), shown(wantedColumns[index]))
  })
  const keys = table.PartitionKeys ?? []
  const wantedKeys = wanted.PartitionKeys ?? []
  for (let index = 0; index < Math.max(keys.length, wantedKeys.length); index++) {
    compare(`partition key ${index + 1}`, shown(keys[index]), shown(wantedKeys[index]))
  }
  const parameters = table.Parameters ?? {}
  const wantedParameters = wanted.Parameters ?? {}
  const projected = (name: string) => name.startsWith('projection.') || name === 'storage.location.template'
  for (const name of new Set(
    [...Object.keys(parameters), ...Object.keys(wantedParameters)].filter(projected),
  )) {
    const switchedOff = name === 'projection.enabled' && parameters[name]?.toLowerCase() === 'false'
    compare(`parameter ${name}`, switchedOff ? undefined : parameters[name], wantedParameters[name])
  }
  return {
    addedColumns: wantedColumns.slice(columns.length),
    differences,
    fingerprintDiffers: parameters[fingerprintParameter] !== wantedParameters[fingerprintParameter],
  }
}

/** The table as the catalog has it, with the columns and the fingerprint of the definition; all else is kept. */
export const updatedTableInput = (table: Table, wanted: TableInput): TableInput => {
  const input: TableInput = {
    Name: wanted.Name,
    TableType: table.TableType ?? wanted.TableType,
    PartitionKeys: table.PartitionKeys ?? wanted.PartitionKeys,
    StorageDescriptor: { ...table.StorageDescriptor, Columns: keptColumns(table, wanted) },
    Parameters: { ...table.Parameters, ...wanted.Parameters },
  }
  for (const member of ['Description', 'Owner', 'Retention', 'LastAccessTime', 'LastAnalyzedTime'] as const) {
    if (table[member] !== undefined) Object.assign(input, { [member]: table[member] })
  }
  return input
}

/** The catalog's columns keep their comments and parameters. */
const keptColumns = (table: Table, wanted: TableInput): Column[] => {
  const columns = table.StorageDescriptor?.Columns ?? []
  return [...columns, ...(wanted.StorageDescriptor?.Columns ?? []).slice(columns.length)]
}
