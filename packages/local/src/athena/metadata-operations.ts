import { randomUUID } from 'node:crypto'
import type { Catalog } from '../glue/catalog.ts'
import type { GlueDatabase, GlueTable } from '../glue/catalog-model.ts'
import type { InputMembers } from '../glue/input-members.ts'
import { pageByName } from '../glue/page-token.ts'
import { ServiceError } from '../http/json-service.ts'
import { invalidRequest } from './athena-error.ts'
import { type AthenaOperations, catalogName } from './athena-operations.ts'

/** The data catalog as Athena shows it. */
export function catalogOperations(catalog: Catalog): AthenaOperations {
  return {
    GetDataCatalog(input) {
      const name = input.string('Name')
      if (name !== catalogName) throw invalidRequest(`Data catalog ${name} was not found`)
      return { DataCatalog: { Name: catalogName, Type: 'GLUE', Parameters: {} } }
    },
    ListDataCatalogs() {
      return { DataCatalogsSummary: [{ CatalogName: catalogName, Type: 'GLUE' }] }
    },
    ListDatabases(input) {
      checkCatalog(input)
      const page = pageByName(catalog.listDatabases(), pageOptions(input))
      return { DatabaseList: page.items.map(databaseOutput), NextToken: page.nextToken }
    },
    GetDatabase(input) {
      checkCatalog(input)
      const name = input.string('DatabaseName')
      const database = catalog.getDatabase(name)
      if (database === undefined) throw metadataError(`Database ${name} not found.`)
      return { Database: databaseOutput(database) }
    },
    ListTableMetadata(input) {
      checkCatalog(input)
      const database = input.string('DatabaseName')
      if (catalog.getDatabase(database) === undefined) throw metadataError(`Database ${database} not found.`)
      const pattern = expressionOf(input)
      const tables = catalog.listTables(database).filter((table) => pattern.test(table.Name))
      const page = pageByName(tables, pageOptions(input))
      return { TableMetadataList: page.items.map(tableOutput), NextToken: page.nextToken }
    },
    GetTableMetadata(input) {
      checkCatalog(input)
      const database = input.string('DatabaseName')
      const name = input.string('TableName')
      const table = catalog.getTable(database, name)
      if (table === undefined) throw metadataError(`Table ${database}.${name} not found.`)
      return { TableMetadata: tableOutput(table) }
    },
  }
}

/** Clients read Glue's own code out of what stands in parentheses, as Athena passes it on. */
const metadataError = (message: string): ServiceError =>
  new ServiceError(
    'MetadataException',
    `${message} (Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException; Request ID: ${randomUUID()}; Proxy: null)`,
  )

function checkCatalog(input: InputMembers): void {
  const name = input.string('CatalogName')
  if (name.toLowerCase() !== catalogName.toLowerCase())
    throw invalidRequest(`Data catalog ${name} was not found`)
}

const pageOptions = (input: InputMembers) => ({
  nameOf: (item: { readonly Name: string }) => item.Name,
  limit: input.optionalInteger('MaxResults', { min: 1, max: 50 }) ?? 50,
  token: input.optionalString('NextToken'),
  errorName: 'InvalidRequestException',
})

function expressionOf(input: InputMembers): RegExp {
  const expression = input.optionalString('Expression', { max: 256 })
  if (expression === undefined || expression === '') return /^/
  try {
    return new RegExp(expression, 'i')
  } catch {
    throw invalidRequest(`The expression '${expression}' is not a valid regular expression.`)
  }
}

const databaseOutput = ({ Name, Description, Parameters }: GlueDatabase) => ({
  Name,
  Description,
  Parameters,
})

const tableOutput = (table: GlueTable) => ({
  Name: table.Name,
  CreateTime: table.CreateTime,
  LastAccessTime: table.LastAccessTime,
  TableType: table.TableType,
  Columns: table.StorageDescriptor?.Columns ?? [],
  PartitionKeys: table.PartitionKeys ?? [],
  Parameters: {
    ...table.Parameters,
    inputformat: table.StorageDescriptor?.InputFormat ?? '',
    location: table.StorageDescriptor?.Location ?? '',
    outputformat: table.StorageDescriptor?.OutputFormat ?? '',
    ...Object.fromEntries(
      Object.entries(table.StorageDescriptor?.SerdeInfo?.Parameters ?? {}).map(([name, value]) => [
        `serde.param.${name}`,
        value,
      ]),
    ),
    'serde.serialization.lib': table.StorageDescriptor?.SerdeInfo?.SerializationLibrary ?? '',
  },
})
