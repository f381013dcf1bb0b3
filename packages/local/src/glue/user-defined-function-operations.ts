import type { Catalog } from './catalog.ts'
import { alreadyExists, entityNotFound, invalidInput, limitExceeded } from './catalog-errors.ts'
import { catalogLimits } from './catalog-limits.ts'
import type { GlueFunction } from './catalog-model.ts'
import { nameLimits, uriLimits, withoutUndefined } from './definition-input.ts'
import { accountId, type GlueOperations } from './glue-operations.ts'
import type { InputMembers } from './input-members.ts'
import { pageByName } from './page-token.ts'
import { databaseName, namePattern } from './table-operations.ts'

const functionTypes = ['REGULAR_FUNCTION', 'AGGREGATE_FUNCTION', 'STORED_PROCEDURE'] as const

/** The operations on user-defined functions; the local Athena calls none of them. */
export function userDefinedFunctionOperations({ store }: Catalog): GlueOperations {
  const functionOf = (input: InputMembers): GlueFunction => {
    const name = input.string('FunctionName', nameLimits).toLowerCase()
    const found = store.requireDatabase(databaseName(input)).functions.get(name)
    if (found === undefined) throw entityNotFound(`Function ${name} not found.`)
    return found
  }
  return {
    CreateUserDefinedFunction(input) {
      const { database, functions } = store.requireDatabase(databaseName(input))
      const definition = functionDefinition(input.object('FunctionInput'))
      const FunctionName = definition.FunctionName
      if (FunctionName === undefined) throw invalidInput('The function has no name.')
      if (functions.has(FunctionName)) throw alreadyExists(`Function ${FunctionName} already exists.`)
      const { functionsPerDatabase } = catalogLimits
      if (functions.size >= functionsPerDatabase) {
        throw limitExceeded(`Number of functions in a database exceeds the limit of ${functionsPerDatabase}.`)
      }
      const owner = { FunctionName, DatabaseName: database.Name, CreateTime: store.nowSeconds() }
      store.commit(['function', { ...definition, ...owner }])
      return {}
    },
    GetUserDefinedFunction(input) {
      return { UserDefinedFunction: functionOutput(functionOf(input)) }
    },
    GetUserDefinedFunctions(input) {
      const pattern = namePattern(input.string('Pattern', nameLimits))
      const type = input.optionalEnum('FunctionType', functionTypes)
      const databases = input.has('DatabaseName')
        ? [store.requireDatabase(databaseName(input))]
        : [...store.databases.values()]
      const found = databases
        .flatMap(({ functions }) => [...functions.values()])
        .filter((one) => pattern.test(one.FunctionName) && (type === undefined || one.FunctionType === type))
        .sort((left, right) => (placeOf(left) < placeOf(right) ? -1 : 1))
      const page = pageByName(found, {
        nameOf: placeOf,
        limit: input.optionalInteger('MaxResults', { min: 1, max: 100 }) ?? 100,
        token: input.optionalString('NextToken'),
        errorName: 'InvalidInputException',
      })
      return { UserDefinedFunctions: page.items.map(functionOutput), NextToken: page.nextToken }
    },
    UpdateUserDefinedFunction(input) {
      const { FunctionName, DatabaseName, CreateTime } = functionOf(input)
      const definition = functionDefinition(input.object('FunctionInput'))
      if (definition.FunctionName !== undefined && definition.FunctionName !== FunctionName) {
        throw invalidInput(`Function ${FunctionName} cannot be renamed to ${definition.FunctionName}.`)
      }
      store.commit(['function', { ...definition, FunctionName, DatabaseName, CreateTime }])
      return {}
    },
    DeleteUserDefinedFunction(input) {
      const { DatabaseName, FunctionName } = functionOf(input)
      store.commit(['drop-function', DatabaseName, FunctionName])
      return {}
    },
  }
}

/** Reads a UserDefinedFunctionInput. */
const functionDefinition = (input: InputMembers) =>
  withoutUndefined({
    FunctionName: input.optionalString('FunctionName', nameLimits)?.toLowerCase(),
    ClassName: input.optionalString('ClassName', nameLimits),
    OwnerName: input.optionalString('OwnerName', nameLimits),
    OwnerType: input.optionalEnum('OwnerType', ['USER', 'ROLE', 'GROUP'] as const),
    FunctionType: input.optionalEnum('FunctionType', functionTypes),
    ArtifactLocation: input.optionalString('ArtifactLocation', uriLimits),
    ResourceUris: input.optionalObjects('ResourceUris', { max: 1000 })?.map((uri) =>
      withoutUndefined({
        ResourceType: uri.optionalEnum('ResourceType', ['JAR', 'FILE', 'ARCHIVE'] as const),
        Uri: uri.optionalString('Uri', uriLimits),
        LastModified: uri.optionalNumber('LastModified'),
      }),
    ),
  })

const placeOf = (one: GlueFunction): string => `${one.DatabaseName}\u0000${one.FunctionName}`

const functionOutput = (one: GlueFunction) => ({ ...one, CatalogId: accountId })
