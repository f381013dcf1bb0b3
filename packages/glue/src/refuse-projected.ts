import { GetTableCommand } from '@aws-sdk/client-glue'
import { type BoundTable, ConfigurationError } from '@stockpipe/core'
import { isProjected } from './catalog-table.ts'
import { type GlueCall, request } from './glue-request.ts'
import { tableName } from './partition-values.ts'

/** Throws a `ConfigurationError` for a table whose partitions are projected: none has a location of its own. */
export const refuseProjected = async (call: GlueCall, table: BoundTable): Promise<void> => {
  const answer = await request(call, 'GetTable', `table ${tableName(table)}`, (sendOptions) =>
    call.client.send(
      new GetTableCommand({ DatabaseName: table.database, Name: table.table.name }),
      sendOptions,
    ),
  )
  if (!isProjected(answer.Table?.Parameters)) return
  throw new ConfigurationError({
    code: 'PARTITIONS_PROJECTED',
    message: `Table ${tableName(table)} projects its partitions: the catalog has no location of each that could be changed. Make it with registered partitions.`,
  })
}
