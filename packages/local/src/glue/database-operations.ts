import { ServiceError } from '../http/json-service.ts'
import type { Catalog } from './catalog.ts'
import type { GlueDatabase } from './catalog-model.ts'
import { databaseDefinition, nameLimits, unsupportedMember } from './definition-input.ts'
import { accountId, type GlueOperations } from './glue-operations.ts'
import { pageByName } from './page-token.ts'

/** The operations on databases. */
export function databaseOperations(catalog: Catalog): GlueOperations {
  return {
    CreateDatabase(input) {
      catalog.createDatabase(databaseDefinition(input.object('DatabaseInput')))
      return {}
    },
    GetDatabase(input) {
      const name = input.string('Name', nameLimits)
      const database = catalog.getDatabase(name)
      if (database === undefined) {
        throw new ServiceError('EntityNotFoundException', `Database ${name.toLowerCase()} not found.`)
      }
      return { Database: databaseOutput(database) }
    },
    GetDatabases(input) {
      input.refuse(['ResourceShareType', 'AttributesToGet'], unsupportedMember)
      const page = pageByName(catalog.listDatabases(), {
        nameOf: (database) => database.Name,
        limit: input.optionalInteger('MaxResults', { min: 1, max: 100 }) ?? 100,
        token: input.optionalString('NextToken'),
        errorName: 'InvalidInputException',
      })
      return { DatabaseList: page.items.map(databaseOutput), NextToken: page.nextToken }
    },
    UpdateDatabase(input) {
      const definition = databaseDefinition(input.object('DatabaseInput'))
      catalog.updateDatabase(input.string('Name', nameLimits), definition)
      return {}
    },
    DeleteDatabase(input) {
      catalog.deleteDatabase(input.string('Name', nameLimits))
      return {}
    },
  }
}

const databaseOutput = (database: GlueDatabase) => ({
  ...database,
  CatalogId: accountId,
  CreateTableDefaultPermissions: [],
})
