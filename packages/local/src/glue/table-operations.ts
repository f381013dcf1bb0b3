import { ServiceError } from '../http/json-service.ts'
import type { Catalog } from './catalog.ts'
import { entityNotFound, errorDetail } from './catalog-errors.ts'
import type { GlueTable } from './catalog-model.ts'
import { nameLimits, singleLine, tableDefinition, unsupportedMember } from './definition-input.ts'
import { accountId, type GlueOperations } from './glue-operations.ts'
import type { InputMembers } from './input-members.ts'
import { pageByName, pagePositionOf, pageTokenOf } from './page-token.ts'
import { initialIndexes } from './partition-index-input.ts'

/** The operations on tables and their versions. */
export function tableOperations(catalog: Catalog): GlueOperations {
  return {
    CreateTable(input) {
      input.refuse(['TransactionId', 'OpenTableFormatInput', 'Name'], unsupportedMember)
      const definition = tableDefinition(input.object('TableInput'))
      catalog.createTable(databaseName(input), definition, {
        indexes: initialIndexes(input, definition),
      })
      return {}
    },
    GetTable(input) {
      input.refuse(['TransactionId', 'QueryAsOfTime'], unsupportedMember)
      const table = catalog.requireTable(databaseName(input), input.string('Name', nameLimits))
      return { Table: outputFor(input)(table) }
    },
    GetTables(input) {
      input.refuse(['TransactionId', 'QueryAsOfTime'], unsupportedMember)
      const pattern = namePattern(input.optionalString('Expression', { max: 2048, pattern: singleLine }))
      const tables = catalog.listTables(databaseName(input)).filter((table) => pattern.test(table.Name))
      const page = pageByName(tables, {
        nameOf: (table) => table.Name,
        limit: input.optionalInteger('MaxResults', { min: 1, max: 100 }) ?? 100,
        token: input.optionalString('NextToken'),
        errorName: 'InvalidInputException',
      })
      return { TableList: page.items.map(outputFor(input)), NextToken: page.nextToken }
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
      const { tables } = catalog.store.requireDatabase(database)
      const errors = names.flatMap((name) => {
        if (tables.has(name.toLowerCase())) {
          catalog.deleteTable(database, name)
          return []
        }
        const error = entityNotFound(`Table ${name.toLowerCase()} not found.`)
        return [{ TableName: name, ErrorDetail: errorDetail(error) }]
      })
      return errors.length > 0 ? { Errors: errors } : {}
    },
    GetTableVersion(input) {
      const versions = catalog.listTableVersions(databaseName(input), tableName(input))
      const versionId = input.optionalString('VersionId', nameLimits)
      const version =
        versionId === undefined ? versions[0] : versions.find((one) => one.VersionId === versionId)
      if (version === undefined) throw entityNotFound(`Table version ${versionId} not found.`)
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
    DeleteTableVersion(input) {
      const versionIds = [input.string('VersionId', nameLimits)]
      const [refused] = catalog.deleteTableVersions(databaseName(input), tableName(input), versionIds)
      if (refused !== undefined) throw refused.error
      return {}
    },
    BatchDeleteTableVersion(input) {
      const versionIds = input.strings('VersionIds', { max: 100 }, nameLimits)
      const table = tableName(input)
      const refused = catalog.deleteTableVersions(databaseName(input), table, versionIds)
      return {
        Errors: refused.map(({ versionId, error }) => ({
          TableName: table,
          VersionId: versionId,
          ErrorDetail: errorDetail(error),
        })),
      }
    },
  }
}

export const databaseName = (input: InputMembers): string => input.string('DatabaseName', nameLimits)
export const tableName = (input: InputMembers): string => input.string('TableName', nameLimits)

export const tableOutput = (table: GlueTable) => ({
  ...table,
  CatalogId: accountId,
  CreatedBy: `arn:aws:iam::${accountId}:user/local`,
  IsRegisteredWithLakeFormation: false,
})

/** The whole table, or what `AttributesToGet` names of it. */
function outputFor(input: InputMembers): (table: GlueTable) => Readonly<Record<string, unknown>> {
  const attributes = input.optionalEnums('AttributesToGet', tableAttributes) ?? []
  if (attributes.includes('LATEST_ICEBERG_METADATA')) throw unsupportedMember('LATEST_ICEBERG_METADATA')
  if (attributes.length === 0 || attributes.includes('DEFAULT')) return tableOutput
  return ({ Name, DatabaseName, TableType }) =>
    attributes.includes('TABLE_TYPE') ? { Name, DatabaseName, TableType } : { Name, DatabaseName }
}

const tableAttributes = ['NAME', 'TABLE_TYPE', 'DEFAULT', 'LATEST_ICEBERG_METADATA'] as const

const versionOutput = (table: GlueTable) => ({ Table: tableOutput(table), VersionId: table.VersionId })

/** Glue takes a Java regular expression, and `*` alone or within a name for any run of characters. */
export function namePattern(expression: string | undefined): RegExp {
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
