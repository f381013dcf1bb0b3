import {
  ListDatabasesCommand,
  ListTableMetadataCommand,
  type Column as MetadataColumn,
  type TableMetadata,
} from '@aws-sdk/client-athena'
import { type AthenaCall, request } from './athena-request.ts'

/** A column as the catalog has it. */
export interface CatalogColumn {
  readonly name: string
  /** In Hive's words, such as `decimal(18,4)`. */
  readonly type: string
  readonly comment: string | undefined
}

/** A table as the catalog has it. */
export interface CatalogTable {
  readonly database: string
  readonly name: string
  /** Such as `EXTERNAL_TABLE` or `VIRTUAL_VIEW`. */
  readonly type: string | undefined
  readonly columns: readonly CatalogColumn[]
  readonly partitionKeys: readonly CatalogColumn[]
}

const defaultCatalog = 'AwsDataCatalog'

/** The databases of a catalog, page by page. */
export async function* catalogDatabases(
  call: AthenaCall,
  catalog = defaultCatalog,
): AsyncGenerator<string, void> {
  let token: string | undefined
  do {
    const answer = await request(call, 'ListDatabases', `catalog ${catalog}`, (options) =>
      call.client.send(
        new ListDatabasesCommand({ CatalogName: catalog, ...(token !== undefined && { NextToken: token }) }),
        options,
      ),
    )
    for (const { Name: name } of answer.DatabaseList ?? []) if (name !== undefined) yield name
    token = answer.NextToken || undefined
  } while (token !== undefined)
}

/** The tables of a database, page by page. */
export async function* catalogTables(
  call: AthenaCall,
  database: string,
  catalog = defaultCatalog,
): AsyncGenerator<CatalogTable, void> {
  let token: string | undefined
  do {
    const answer = await request(call, 'ListTableMetadata', `database ${database}`, (options) =>
      call.client.send(
        new ListTableMetadataCommand({
          CatalogName: catalog,
          DatabaseName: database,
          ...(token !== undefined && { NextToken: token }),
        }),
        options,
      ),
    )
    for (const table of answer.TableMetadataList ?? []) yield catalogTable(database, table)
    token = answer.NextToken || undefined
  } while (token !== undefined)
}

const catalogTable = (database: string, table: TableMetadata): CatalogTable => ({
  database,
  name: table.Name ?? '',
  type: table.TableType,
  columns: (table.Columns ?? []).map(catalogColumn),
  partitionKeys: (table.PartitionKeys ?? []).map(catalogColumn),
})

const catalogColumn = ({ Name: name, Type: type, Comment: comment }: MetadataColumn): CatalogColumn => ({
  name: name ?? '',
  type: type ?? 'string',
  comment,
})
