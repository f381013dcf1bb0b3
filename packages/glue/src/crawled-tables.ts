import { GetPartitionsCommand, GetTablesCommand, type Table } from '@aws-sdk/client-glue'
import { type GlueCall, request } from './glue-request.ts'

/** A table a crawler's target holds, as the catalog has it after the run. */
export interface CrawledTable {
  readonly name: string
  readonly location: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly partitionKeys: readonly string[]
  /** How many partitions the catalog has of it. */
  readonly partitions: number
  /** What became of it since the run began, by the catalog's own times. */
  readonly outcome: 'created' | 'updated' | 'unchanged'
}

const withSlash = (location: string): string => `${location.replace(/\/+$/, '')}/`

/** The tables of a database that lie at or below the paths, with their partitions counted. */
export const listCrawledTables = async (
  call: GlueCall,
  database: string,
  paths: readonly string[],
  since: Date | undefined,
): Promise<readonly CrawledTable[]> => {
  const tables: CrawledTable[] = []
  let token: string | undefined
  do {
    const answer = await request(call, 'GetTables', `database ${database}`, (sendOptions) =>
      call.client.send(
        new GetTablesCommand({ DatabaseName: database, ...(token ? { NextToken: token } : {}) }),
        sendOptions,
      ),
    )
    for (const table of answer.TableList ?? []) {
      const location = withSlash(table.StorageDescriptor?.Location ?? '')
      if (!paths.some((path) => location.startsWith(withSlash(path)))) continue
      const name = table.Name ?? ''
      const partitionKeys = (table.PartitionKeys ?? []).map((key) => key.Name ?? '')
      tables.push({
        name,
        location,
        columns: (table.StorageDescriptor?.Columns ?? []).map((column) => ({
          name: column.Name ?? '',
          type: column.Type ?? '',
        })),
        partitionKeys,
        partitions: partitionKeys.length === 0 ? 0 : await countPartitions(call, database, name),
        outcome: outcomeOf(table, since),
      })
    }
    token = answer.NextToken || undefined
  } while (token !== undefined)
  return tables
}

const outcomeOf = ({ CreateTime, UpdateTime }: Table, since: Date | undefined): CrawledTable['outcome'] => {
  const isLater = (at: Date | undefined) => since !== undefined && at !== undefined && at >= since
  if (isLater(CreateTime)) return 'created'
  return isLater(UpdateTime) ? 'updated' : 'unchanged'
}

const countPartitions = async (call: GlueCall, database: string, table: string): Promise<number> => {
  let count = 0
  let token: string | undefined
  do {
    const answer = await request(call, 'GetPartitions', `table ${database}.${table}`, (sendOptions) =>
      call.client.send(
        new GetPartitionsCommand({
          DatabaseName: database,
          TableName: table,
          ExcludeColumnSchema: true,
          ...(token ? { NextToken: token } : {}),
        }),
        sendOptions,
      ),
    )
    count += answer.Partitions?.length ?? 0
    token = answer.NextToken || undefined
  } while (token !== undefined)
  return count
}
