import { CreateTableCommand, GetTableCommand, UpdateTableCommand } from '@aws-sdk/client-glue'
import {
  type BoundTable,
  boundTable,
  type ColumnRecord,
  type PartitionRecord,
  type Runtime,
  systemRuntime,
} from '@stockpipe/core'
import { TableConflictError, type TableDifference } from './errors.ts'
import { backOff, type GlueSender, maximumAttempts, request, wasRefused } from './glue-request.ts'
import type { TablePartitioning } from './partition-projection.ts'
import { compareTable, updatedTableInput } from './table-difference.ts'
import { glueTableInput } from './table-input.ts'

export interface EnsureTableOptions<Columns extends ColumnRecord, Partitions extends PartitionRecord> {
  readonly client: GlueSender
  readonly table: BoundTable<Columns, Partitions>
  /** Default registered. */
  readonly partitioning?: TablePartitioning<Partitions>
  readonly runtime?: Runtime
  readonly signal?: AbortSignal
}

export interface EnsuredTable {
  /** `updated`: columns were added at the end, or only the kept fingerprint was renewed. */
  readonly outcome: 'created' | 'updated' | 'unchanged'
  readonly addedColumns: readonly string[]
}

/**
 * Makes the table in the catalog, or compares it with what is there: the same is left alone, columns added at the
 * end are added, anything else is a `TableConflictError` that names the differences and changes nothing.
 *
 * Throws a `GlueRequestError` when Glue refuses, such as for a database that does not exist.
 */
export const ensureTable = async <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  options: EnsureTableOptions<Columns, Partitions>,
): Promise<EnsuredTable> => {
  const { client, table, partitioning } = options
  boundTable(table)
  const call = { client, runtime: options.runtime ?? systemRuntime, signal: options.signal }
  const wanted = glueTableInput(table, partitioning === undefined ? {} : { partitioning })
  const address = { DatabaseName: table.database, Name: table.table.name }
  const what = `table ${address.DatabaseName}.${address.Name}`

  // Another program may create or change the table between our reading and our writing: then we read again.
  for (let attempt = 1; ; attempt++) {
    const found = await request(
      call,
      'GetTable',
      what,
      (sendOptions) => client.send(new GetTableCommand(address), sendOptions),
      ['EntityNotFoundException'],
    )
    if (wasRefused(found)) {
      const created = await request(
        call,
        'CreateTable',
        what,
        (sendOptions) =>
          client.send(
            new CreateTableCommand({ DatabaseName: table.database, TableInput: wanted }),
            sendOptions,
          ),
        attempt < maximumAttempts ? ['AlreadyExistsException'] : [],
      )
      if (!wasRefused(created)) return { outcome: 'created', addedColumns: [] }
    } else {
      const existing = found.Table ?? { Name: address.Name }
      const { addedColumns, differences, fingerprintDiffers } = compareTable(existing, wanted)
      if (differences.length > 0) throw conflict(what, differences)
      if (addedColumns.length === 0 && !fingerprintDiffers) return { outcome: 'unchanged', addedColumns: [] }
      const version = existing.VersionId
      const updated = await request(
        call,
        'UpdateTable',
        what,
        (sendOptions) =>
          client.send(
            new UpdateTableCommand({
              DatabaseName: table.database,
              TableInput: updatedTableInput(existing, wanted),
              ...(version === undefined ? {} : { VersionId: version }),
            }),
            sendOptions,
          ),
        attempt < maximumAttempts ? ['ConcurrentModificationException', 'VersionMismatchException'] : [],
      )
      if (!wasRefused(updated)) {
        return { outcome: 'updated', addedColumns: addedColumns.map((column) => column.Name ?? '') }
      }
    }
    await backOff(call, attempt)
  }
}

const conflict = (what: string, differences: readonly TableDifference[]) => {
  const list = differences.map(
    ({ what: member, inCatalog, inDefinition }) =>
      `${member} is ${inCatalog ?? 'absent'} in the catalog and ${inDefinition ?? 'absent'} in the definition`,
  )
  return new TableConflictError({
    code: 'TABLE_DIFFERS',
    message: `Glue has another ${what}: ${list.join('; ')}. Only columns added at the end are changed in place: change the definition, or give it another name or location.`,
    facts: { table: what.slice('table '.length) },
    differences,
  })
}
