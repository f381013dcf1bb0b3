import type { TableInput } from '@aws-sdk/client-glue'
import {
  type BoundTable,
  boundTable,
  type ColumnRecord,
  ConfigurationError,
  type PartitionRecord,
} from '@stockpipe/core'
import type { TablePartitioning } from './partition-projection.ts'
import { fingerprintParameter, glueTableInput } from './table-input.ts'

/** A table as the catalog is to have it. What is left out stays as the catalog has it. */
export interface CatalogTable<
  Columns extends ColumnRecord = ColumnRecord,
  Partitions extends PartitionRecord = PartitionRecord,
> {
  readonly table: BoundTable<Columns, Partitions>
  /** Default registered. */
  readonly partitioning?: TablePartitioning<Partitions>
  /** Table parameters of your own; null removes one. Those not named here are kept. */
  readonly parameters?: Readonly<Record<string, string | null>>
  /** Glue's description of the table, at most 2,048 characters. */
  readonly description?: string
}

/**
 * The same, checked, for a list of tables of several types: `planTables({ client, tables: [catalogTable({ ... })] })`.
 *
 * Throws a `ConfigurationError` for a projection that does not suit the table, and for parameters that stockpipe keeps.
 */
export const catalogTable = <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  definition: CatalogTable<Columns, Partitions>,
): CatalogTable => {
  const table = { ...definition } as CatalogTable
  wantedTable(table)
  return Object.freeze(table)
}

/** What a table of the catalog is compared with, as data. */
export interface WantedTable {
  readonly input: TableInput
  readonly removedParameters: readonly string[]
}

/** The parameters that follow from the definition. */
export const isProjectionParameter = (name: string): boolean =>
  name.startsWith('projection.') || name === 'storage.location.template'

/** Whether Athena works the partitions out by itself; registered ones are ignored then. */
export const isProjected = (parameters: Readonly<Record<string, string>> | undefined): boolean =>
  parameters?.['projection.enabled']?.toLowerCase() === 'true'

export const wantedTable = (definition: CatalogTable): WantedTable => {
  const { partitioning, parameters = {}, description } = definition
  const table = boundTable(definition.table)
  const input = glueTableInput(table, partitioning === undefined ? {} : { partitioning })
  const own: Record<string, string> = {}
  const removedParameters: string[] = []
  for (const [name, value] of Object.entries(parameters)) {
    if (isProjectionParameter(name) || name === fingerprintParameter || name in (input.Parameters ?? {})) {
      throw new ConfigurationError({
        code: 'PARAMETER_RESERVED',
        message: `Table ${table.database}.${table.table.name}: the parameter '${name}' follows from the definition; ${isProjectionParameter(name) ? 'say it by `partitioning`' : 'leave it out'}.`,
      })
    }
    if (value === null) removedParameters.push(name)
    else own[name] = value
  }
  return {
    input: {
      ...input,
      ...(description === undefined ? {} : { Description: description }),
      Parameters: { ...input.Parameters, ...own },
    },
    removedParameters,
  }
}
