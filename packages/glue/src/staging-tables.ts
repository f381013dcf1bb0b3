import { DeleteTableCommand, GetTablesCommand } from '@aws-sdk/client-glue'
import type { BarsDefinition } from './bars-definition.ts'
import { runMillis } from './bars-run.ts'
import { type GlueCall, request } from './glue-request.ts'
import { withSlash } from './partition-values.ts'

/** Glue's limit on a table's name, less what a run adds to it. */
const longestName = 255 - '__run_20240102t030405678z_0123456789ab'.length

const namePrefix = ({ table }: BarsDefinition): string => `${table.table.name.slice(0, longestName)}__run_`

/**
 * The table that has the files of a run while they are written.
 *
 * @param folder `s3://bucket/prefix/run=20240102T030405678Z-0123456789ab/`
 */
export const stagingTable = (bars: BarsDefinition, folder: string): string => {
  const run = folder.slice(bars.table.location.length + 'run='.length, -1)
  return `${namePrefix(bars)}${run.replaceAll('-', '_').toLowerCase()}`
}

/** Takes tables of runs out of the catalog that began longer ago than `ageMillis`; files stay. */
export const dropStagingTables = async (
  call: GlueCall,
  bars: BarsDefinition,
  ageMillis: number,
): Promise<void> => {
  const { database, location } = bars.table
  const prefix = namePrefix(bars)
  const old: string[] = []
  let token: string | undefined
  do {
    const answer = await request(call, 'GetTables', `database ${database}`, (sendOptions) =>
      call.client.send(
        new GetTablesCommand({
          DatabaseName: database,
          Expression: `${prefix}*`,
          ...(token === undefined ? {} : { NextToken: token }),
        }),
        sendOptions,
      ),
    )
    for (const { Name = '', StorageDescriptor } of answer.TableList ?? []) {
      const folder = withSlash(StorageDescriptor?.Location)
      const isOurs = folder.startsWith(`${location}run=`) && stagingTable(bars, folder) === Name
      const run = folder.slice(`${location}run=`.length)
      if (isOurs && call.runtime.now() - runMillis(run) > ageMillis) old.push(Name)
    }
    token = answer.NextToken || undefined
  } while (token !== undefined)
  for (const table of old) {
    await request(
      call,
      'DeleteTable',
      `table ${database}.${table}`,
      (sendOptions) =>
        call.client.send(new DeleteTableCommand({ DatabaseName: database, Name: table }), sendOptions),
      ['EntityNotFoundException'],
    )
  }
}
