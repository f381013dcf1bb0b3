import type { Catalog } from './catalog.ts'
import type { GlueDatabase } from './catalog-model.ts'
import { tagKeyOf } from './catalog-store.ts'
import { databaseDefinition, nameLimits } from './definition-input.ts'
import { accountId, type GlueOperations } from './glue-operations.ts'
import { pageByName } from './page-token.ts'
import { tagsIn } from './tag-operations.ts'

/** The operations on databases. */
export function databaseOperations(catalog: Catalog): GlueOperations {
  return {
    CreateDatabase(input) {
      const tags = tagsIn(input, 'Tags')
      const { Name } = catalog.createDatabase(databaseDefinition(input.object('DatabaseInput')))
      if (Object.keys(tags).length > 0) catalog.store.commit(['tags', tagKeyOf('database', Name), tags])
      return {}
    },
    GetDatabase(input) {
      const { database } = catalog.store.requireDatabase(input.string('Name', nameLimits))
      return { Database: databaseOutput(database) }
    },
    GetDatabases(input) {
      const share = input.optionalEnum('ResourceShareType', ['FOREIGN', 'ALL', 'FEDERATED'] as const)
      const attributes = input.optionalEnums('AttributesToGet', ['NAME', 'TARGET_DATABASE'] as const) ?? []
      // Nothing is shared with the local stack, and nothing federated.
      const page = pageByName(share === undefined || share === 'ALL' ? catalog.listDatabases() : [], {
        nameOf: (database) => database.Name,
        limit: input.optionalInteger('MaxResults', { min: 1, max: 100 }) ?? 100,
        token: input.optionalString('NextToken'),
        errorName: 'InvalidInputException',
      })
      const output = attributes.length > 0 ? ({ Name }: GlueDatabase) => ({ Name }) : databaseOutput
      return { DatabaseList: page.items.map(output), NextToken: page.nextToken }
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

/** What Lake Formation gives where nobody has said otherwise. */
const defaultPermissions = [
  { Principal: { DataLakePrincipalIdentifier: 'IAM_ALLOWED_PRINCIPALS' }, Permissions: ['ALL'] },
]

const databaseOutput = (database: GlueDatabase) => ({
  CreateTableDefaultPermissions: defaultPermissions,
  ...database,
  CatalogId: accountId,
})
