import { ServiceError } from '../http/json-service.ts'
import type { Catalog } from './catalog.ts'
import type { GlueTable } from './catalog-model.ts'
import { nameLimits, tableDefinition, unsupportedMember } from './definition-input.ts'
import { accountId, type GlueOperations } from './glue-operations.ts'
import type { InputMembers } from './input-members.ts'
import { pageByName, pagePositionOf, pageTokenOf } from './page-token.ts'

/** The operations on tables and their versions. */
export function tableOperations(catalog: Catalog): GlueOperations {
  return {
    CreateTable(input) {
      input.refuse(['PartitionIndexes', 'TransactionId', 'OpenTableFormatInput', 'Name'], unsupportedMember)
      catalog.createTable(databaseName(input), tableDefinition(input.object('TableInput')))
      return {}
    },
    GetTable(input) {
      input.refuse(['TransactionId', 'QueryAsOfTime'], unsupportedMember)
      return {
        Table: tableOutput(catalog.requireTable(databaseName(input), input.string('Name', nameLimits))),
      }
    },
    GetTables(input) {
      input.refuse(['TransactionId', 'QueryAsOfTime', 'AttributesToGet'], unsupportedMember)
      const pattern = tableNamePattern(input.optionalString('Expression', { max: 2048 }))
      const tables = catalog.listTables(databaseName(input)).filter((table) => pattern.test(table.Name))
      const page = pageByName(tables, {
        nameOf: (table) => table.Name,
        limit: input.optionalInteger('MaxResults', { min: 1, max: 100 }) ?? 100,
        token: input.optionalString('NextToken'),
        errorName: 'InvalidInputException',
      })
      return { TableList: page.items.map(tableOutput), NextToken: page.nextToken }
    },
    UpdateTable(input) {
      input.refuse(
        ['TransactionId', 'ViewUpdateAction', 'Force', 'UpdateOpenTableFormatInput', 'Name'],
        unsupportedMember,
      )
      catalog.updateTable(databaseName(input), tableDefinition(input.object('TableInput')), {
        versionId: input.optionalString('VersionId', nameLimits),
        skipArchive: input.optionalBoolean('SkipArchive') ?? false,
      })
      return {}
    },
    DeleteTable(input) {
      catalog.deleteTable(databaseName(input), input.string('Name', nameLimits))
      return {}
    },
    BatchDeleteTable(input) {
      const database = databaseName(input)
      const names = input.strings('TablesToDelete', { max: 100 }, nameLimits)
      const errors = names.flatMap((name) => {
        if (catalog.getTable(database, name) !== undefined) {
          catalog.deleteTable(database, name)
          return []
        }
        const ErrorMessage = `Table ${name.toLowerCase()} not found.`
        return [{ TableName: name, ErrorDetail: { ErrorCode: 'EntityNotFoundException', ErrorMessage } }]
      })
      return errors.length > 0 ? { Errors: errors } : {}
    },
    GetTableVersion(input) {
      const versions = catalog.listTableVersions(databaseName(input), tableName(input))
      const versionId = input.optionalString('VersionId', nameLimits)
      const version =
        versionId === undefined ? versions[0] : versions.find((one) => one.VersionId === versionId)
      if (version === undefined) {
        throw new ServiceError('EntityNotFoundException', `Table version ${versionId} not found.`)
      }
      return { TableVersion: versionOutput(version) }
    },
    GetTableVersions(input) {
      const versions = catalog.listTableVersions(databaseName(input), tableName(input))
      const limit = input.optionalInteger('MaxResults', { min: 1, max: 100 }) ?? 100
      const below = pagePositionOf(input.optionalString('NextToken'), 'InvalidInputException')
      const rest =
        below === undefined ? versions : versions.filter((one) => Number(one.VersionId) < Number(below))
      const page = rest.slice(0, limit)
      const next = rest.length > limit ? pageTokenOf(page.at(-1)?.VersionId ?? '') : undefined
      return { TableVersions: page.map(versionOutput), NextToken: next }
    },
    GetPartitionIndexes(input) {
      // Indexes cannot be made here, so every table has none.
      catalog.requireTable(databaseName(input), tableName(input))
      return { PartitionIndexDescriptorList: [] }
    },
  }
}

export const databaseName = (input: InputMembers): string => input.string('DatabaseName', nameLimits)
export const tableName = (input: InputMembers): string => input.string('TableName', nameLimits)

const tableOutput = (table: GlueTable) => ({
  ...table,
  CatalogId: accountId,
  CreatedBy: `arn:aws:iam::${accountId}:user/local`,
  IsRegisteredWithLakeFormation: false,
})

const versionOutput = (table: GlueTable) => ({ Table: tableOutput(table), VersionId: table.VersionId })

/** Glue takes a Java regular expression, and `*` alone or within a name for any run of characters. */
function tableNamePattern(expression: string | undefined): RegExp {
  if (expression === undefined || expression === '') return /^/
  const source = expression.replace(/(^|[^.\])])\*/g, '$1.*')
  try {
    return new RegExp(`^(?:${source})$`, 'i')
  } catch (cause) {
    throw new ServiceError(
      'InvalidInputException',
      `The expression '${expression}' is not a valid pattern.`,
      {
        cause,
      },
    )
  }
}
