import type { Catalog } from '../glue/catalog.ts'
import { definitionOf, type GlueColumn, type GlueTable, parquetFormat } from '../glue/catalog-model.ts'
import { parseLocation } from '../glue/hive-path.ts'
import { ServiceError } from '../http/json-service.ts'
import { QueryError } from '../sql/query-engine.ts'
import { done, executionError, lines } from './hive-ddl-answer.ts'
import {
  addPartitions,
  dropPartitions,
  folderOf,
  keyNames,
  missingKey,
  partitionDefinition,
  repair,
} from './hive-ddl-partitions.ts'
import type { CreateTable, DdlContext, DdlStatement, TableName } from './hive-ddl-statement.ts'
import { createTableText, describeTable, isNamedBy, showProperties } from './hive-ddl-text.ts'
import type { StatementResult } from './query-runner.ts'
import { isView } from './view-definition.ts'

/** Runs a Hive DDL statement against the catalog. @throws QueryError in Hive's words */
export async function runDdl(statement: DdlStatement, context: DdlContext): Promise<StatementResult> {
  try {
    return await runStatement(statement, context)
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    throw executionError(`${error.name}(message:${error.message})`)
  }
}

async function runStatement(statement: DdlStatement, context: DdlContext): Promise<StatementResult> {
  const { catalog } = context
  switch (statement.kind) {
    case 'create-database': {
      if (catalog.getDatabase(statement.database) !== undefined) {
        if (statement.ifNotExists) return done
        throw executionError(`Database ${statement.database} already exists`)
      }
      catalog.createDatabase({
        Name: statement.database,
        Parameters: statement.properties,
        ...(statement.comment === undefined ? {} : { Description: statement.comment }),
        ...(statement.location === undefined ? {} : { LocationUri: statement.location }),
      })
      return done
    }
    case 'drop-database': {
      if (statement.ifExists && catalog.getDatabase(statement.database) === undefined) return done
      requireDatabase(catalog, statement.database)
      if (!statement.cascade && catalog.listTables(statement.database).length > 0) {
        throw executionError(
          `InvalidOperationException(message:Database ${statement.database} is not empty. One or more tables exist.)`,
        )
      }
      catalog.deleteDatabase(statement.database)
      return done
    }
    case 'create-table':
      return createTable(statement, context)
    case 'drop-table': {
      const database = statement.database ?? context.database
      if (statement.ifExists && catalog.getTable(database, statement.table) === undefined) return done
      const table = requireTable(statement, context)
      if (isView(table)) {
        throw new QueryError(
          'FAILED',
          'FAILED: SemanticException [Error 10001]: Cannot drop a view with DROP TABLE',
        )
      }
      catalog.deleteTable(table.DatabaseName, table.Name)
      return done
    }
    case 'show-databases': {
      const names = catalog.listDatabases().map((database) => database.Name)
      return lines('database_name', names.filter(isNamedBy(statement.pattern)))
    }
    case 'show-tables': {
      const database = statement.database ?? context.database
      requireDatabase(catalog, database)
      const names = catalog.listTables(database).map((table) => table.Name)
      return lines('tab_name', names.filter(isNamedBy(statement.pattern)))
    }
    case 'show-partitions': {
      const table = requirePartitioned(statement, context)
      const partitions = catalog.listPartitions(table.DatabaseName, table.Name)
      return lines(
        'partition',
        partitions.map((partition) => folderOf(table, partition.Values)),
      )
    }
    case 'show-columns': {
      const table = requireTable(statement, context)
      const columns = [...(table.StorageDescriptor?.Columns ?? []), ...(table.PartitionKeys ?? [])]
      return lines(
        'field',
        columns.map((column) => column.Name.padEnd(20)),
      )
    }
    case 'show-create': {
      const table = requireTable(statement, context)
      if (isView(table)) {
        throw new QueryError(
          'FAILED',
          `FAILED: SemanticException ${table.Name} is a view: SHOW CREATE VIEW shows it`,
        )
      }
      return lines('createtab_stmt', createTableText(table))
    }
    case 'show-properties': {
      const { Parameters = {} } = requireTable(statement, context)
      return showProperties(Parameters, statement.property, statement.table)
    }
    case 'describe':
      return describeTable(requireTable(statement, context))
    case 'repair':
      return repair(requirePartitioned(statement, context), context)
    case 'add-partitions': {
      const table = requirePartitioned(statement, context)
      const definitions = statement.partitions.map(({ spec, location }) => {
        const values = keyNames(table).map((key) => spec.get(key) ?? missingKey(table, spec))
        if (spec.size !== values.length) missingKey(table, spec)
        if (location !== undefined) requireS3(location)
        return partitionDefinition(table, values, location)
      })
      addPartitions(table, definitions, statement.ifNotExists, context)
      return done
    }
    case 'drop-partitions':
      return dropPartitions(requirePartitioned(statement, context), statement, context)
    case 'add-columns': {
      const table = requireTable(statement, context)
      const Columns = [...(table.StorageDescriptor?.Columns ?? []), ...statement.columns]
      refuseRepeated([...Columns, ...(table.PartitionKeys ?? [])])
      return changeTable(table, { StorageDescriptor: { ...table.StorageDescriptor, Columns } }, context)
    }
    case 'set-location': {
      requireS3(statement.location)
      const table = requireTable(statement, context)
      const StorageDescriptor = { ...table.StorageDescriptor, Location: statement.location }
      return changeTable(table, { StorageDescriptor }, context)
    }
    case 'set-properties': {
      const table = requireTable(statement, context)
      return changeTable(table, { Parameters: { ...table.Parameters, ...statement.properties } }, context)
    }
  }
}

function createTable(statement: CreateTable, { catalog, database }: DdlContext): StatementResult {
  const owner = statement.database ?? database
  requireDatabase(catalog, owner)
  if (catalog.getTable(owner, statement.table) !== undefined) {
    if (statement.ifNotExists) return done
    throw executionError(`AlreadyExistsException(message:Table ${statement.table} already exists)`)
  }
  requireS3(statement.location)
  refuseRepeated([...statement.columns, ...statement.partitionKeys])
  catalog.createTable(owner, {
    Name: statement.table,
    Owner: 'hadoop',
    Retention: 0,
    TableType: 'EXTERNAL_TABLE',
    PartitionKeys: statement.partitionKeys,
    StorageDescriptor: {
      Columns: statement.columns,
      Location: statement.location,
      ...parquetFormat,
      SerdeInfo: {
        ...parquetFormat.SerdeInfo,
        Parameters: { ...parquetFormat.SerdeInfo.Parameters, ...statement.serDeProperties },
      },
      Compressed: false,
      NumberOfBuckets: -1,
    },
    Parameters: {
      EXTERNAL: 'TRUE',
      transient_lastDdlTime: String(Math.floor(Date.now() / 1000)),
      ...(statement.comment === undefined ? {} : { comment: statement.comment }),
      ...statement.properties,
    },
  })
  return done
}

function changeTable(table: GlueTable, change: Partial<GlueTable>, { catalog }: DdlContext): StatementResult {
  catalog.updateTable(table.DatabaseName, { ...definitionOf(table), ...change })
  return done
}

function requireS3(location: string): void {
  if (parseLocation(location) !== undefined) return
  throw executionError(`MetaException(message:The location '${location}' is not s3://bucket/prefix)`)
}

function refuseRepeated(columns: readonly GlueColumn[]): void {
  const names = columns.map((column) => column.Name.toLowerCase())
  const repeated = names.find((name, at) => names.indexOf(name) !== at)
  if (repeated === undefined) return
  throw new QueryError(
    'FAILED',
    `FAILED: SemanticException [Error 10036]: Duplicate column name: ${repeated}`,
  )
}
function requireDatabase(catalog: Catalog, name: string): void {
  if (catalog.getDatabase(name) !== undefined) return
  throw new QueryError('FAILED', `FAILED: SemanticException [Error 10072]: Database does not exist: ${name}`)
}

function requireTable(name: TableName, { catalog, database }: DdlContext): GlueTable {
  const table = catalog.getTable(name.database ?? database, name.table)
  if (table !== undefined) return table
  throw new QueryError('FAILED', `FAILED: SemanticException [Error 10001]: Table not found ${name.table}`)
}

function requirePartitioned(name: TableName, context: DdlContext): GlueTable {
  const table = requireTable(name, context)
  if ((table.PartitionKeys ?? []).length > 0) return table
  throw executionError(`Table ${table.Name} is not a partitioned table`)
}
