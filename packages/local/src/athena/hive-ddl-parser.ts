import { type GlueColumn, parquetFormat } from '../glue/catalog-model.ts'
import { QueryError } from '../sql/query-engine.ts'
import { DdlCursor } from './hive-ddl-cursor.ts'
import type { CreateTable, DdlStatement, PartitionSpec } from './hive-ddl-statement.ts'
import { statementName } from './statement-kind.ts'

/** Parses a Hive DDL statement. @throws QueryError: a ParseException, or NOT_SUPPORTED naming what is not there */
export function parseDdl(sql: string): DdlStatement {
  const cursor = new DdlCursor(sql)
  const statement = statementAt(cursor, sql)
  cursor.end()
  return statement
}

function statementAt(cursor: DdlCursor, sql: string): DdlStatement {
  if (cursor.take('CREATE', 'EXTERNAL', 'TABLE')) return createTable(cursor)
  if (cursor.take('CREATE', 'DATABASE') || cursor.take('CREATE', 'SCHEMA')) return createDatabase(cursor)
  if (cursor.take('DROP', 'DATABASE') || cursor.take('DROP', 'SCHEMA')) {
    const ifExists = cursor.take('IF', 'EXISTS')
    const database = cursor.name()
    const cascade = cursor.take('CASCADE')
    if (!cascade) cursor.take('RESTRICT')
    return { kind: 'drop-database', database, ifExists, cascade }
  }
  if (cursor.take('DROP', 'TABLE')) {
    const ifExists = cursor.take('IF', 'EXISTS')
    return { kind: 'drop-table', ifExists, ...cursor.tableName() }
  }
  if (cursor.take('SHOW', 'DATABASES') || cursor.take('SHOW', 'SCHEMAS')) {
    return { kind: 'show-databases', pattern: cursor.take('LIKE') ? cursor.string() : undefined }
  }
  if (cursor.take('SHOW', 'TABLES')) {
    const database = takeFrom(cursor) ? cursor.name() : undefined
    cursor.take('LIKE')
    return {
      kind: 'show-tables',
      database,
      pattern: cursor.peek.kind === 'string' ? cursor.string() : undefined,
    }
  }
  if (cursor.take('SHOW', 'PARTITIONS')) return { kind: 'show-partitions', ...cursor.tableName() }
  if (cursor.take('SHOW', 'CREATE', 'TABLE')) return { kind: 'show-create', ...cursor.tableName() }
  if (cursor.take('SHOW', 'TBLPROPERTIES')) {
    const name = cursor.tableName()
    const property = cursor.peek.text === '(' ? cursor.list(() => cursor.string())[0] : undefined
    return { kind: 'show-properties', ...name, property }
  }
  if (cursor.take('SHOW', 'COLUMNS')) return showColumns(cursor)
  if (cursor.take('DESCRIBE') || cursor.take('DESC')) {
    if (cursor.take('EXTENDED') || cursor.take('FORMATTED') || cursor.take('DATABASE'))
      throw notSupported(sql)
    return { kind: 'describe', ...cursor.tableName() }
  }
  if (cursor.take('MSCK', 'REPAIR', 'TABLE')) return { kind: 'repair', ...cursor.tableName() }
  if (cursor.take('ALTER', 'TABLE')) return alterTable(cursor)
  throw notSupported(sql)
}

const takeFrom = (cursor: DdlCursor): boolean => cursor.take('IN') || cursor.take('FROM')

const notSupported = (sql: string): QueryError => unsupported(`The statement ${statementName(sql)}`)

const unsupported = (what: string): QueryError =>
  new QueryError(
    'NOT_SUPPORTED',
    `NOT_SUPPORTED: ${what} is not supported: the local stack does not have it.`,
  )

function createDatabase(cursor: DdlCursor): DdlStatement {
  const ifNotExists = cursor.take('IF', 'NOT', 'EXISTS')
  const database = cursor.name()
  const comment = cursor.take('COMMENT') ? cursor.string() : undefined
  const location = cursor.take('LOCATION') ? cursor.string() : undefined
  const properties = cursor.take('WITH', 'DBPROPERTIES') ? cursor.properties() : {}
  return { kind: 'create-database', database, ifNotExists, comment, location, properties }
}

function createTable(cursor: DdlCursor): CreateTable {
  const ifNotExists = cursor.take('IF', 'NOT', 'EXISTS')
  const name = cursor.tableName()
  const columns = cursor.list(() => columnAt(cursor))
  const comment = cursor.take('COMMENT') ? cursor.string() : undefined
  const partitionKeys = cursor.take('PARTITIONED', 'BY') ? cursor.list(() => columnAt(cursor)) : []
  if (cursor.take('CLUSTERED', 'BY')) throw unsupported('CLUSTERED BY')
  const serDeProperties = storageFormat(cursor)
  if (!cursor.take('LOCATION')) throw cursor.unexpected("LOCATION 's3://...'")
  const location = cursor.string()
  const properties = cursor.take('TBLPROPERTIES') ? cursor.properties() : {}
  return {
    kind: 'create-table',
    ...name,
    ifNotExists,
    columns,
    partitionKeys,
    comment,
    location,
    properties,
    serDeProperties,
  }
}

/** ROW FORMAT and STORED AS; answers the SerDe's properties. Parquet only. */
function storageFormat(cursor: DdlCursor): Record<string, string> {
  const properties: Record<string, string> = {}
  if (cursor.take('ROW', 'FORMAT')) {
    if (cursor.take('DELIMITED')) throw unsupported('ROW FORMAT DELIMITED')
    cursor.expect('SERDE')
    const serDe = cursor.string()
    if (serDe !== parquetFormat.SerdeInfo.SerializationLibrary) throw unsupported(`The SerDe '${serDe}'`)
    if (cursor.take('WITH', 'SERDEPROPERTIES')) Object.assign(properties, cursor.properties())
  }
  if (!cursor.take('STORED', 'AS')) throw unsupported('A table without STORED AS PARQUET')
  if (cursor.take('PARQUET')) return properties
  if (!cursor.take('INPUTFORMAT')) throw unsupported(`STORED AS ${cursor.peek.text.toUpperCase()}`)
  const inputFormat = cursor.string()
  cursor.expect('OUTPUTFORMAT')
  const outputFormat = cursor.string()
  for (const format of [inputFormat, outputFormat]) {
    if (format !== parquetFormat.InputFormat && format !== parquetFormat.OutputFormat) {
      throw unsupported(`The format '${format}'`)
    }
  }
  return properties
}

function columnAt(cursor: DdlCursor): GlueColumn {
  const Name = cursor.name()
  const Type = cursor.type()
  return { Name, Type, ...(cursor.take('COMMENT') ? { Comment: cursor.string() } : {}) }
}

function showColumns(cursor: DdlCursor): DdlStatement {
  if (!takeFrom(cursor)) throw cursor.unexpected('FROM')
  const name = cursor.tableName()
  return { kind: 'show-columns', ...name, ...(takeFrom(cursor) ? { database: cursor.name() } : {}) }
}

function alterTable(cursor: DdlCursor): DdlStatement {
  const name = cursor.tableName()
  if (cursor.take('ADD', 'COLUMNS')) {
    return { kind: 'add-columns', ...name, columns: cursor.list(() => columnAt(cursor)) }
  }
  if (cursor.take('SET', 'LOCATION')) return { kind: 'set-location', ...name, location: cursor.string() }
  if (cursor.take('SET', 'TBLPROPERTIES')) {
    return { kind: 'set-properties', ...name, properties: cursor.properties() }
  }
  if (cursor.take('ADD')) {
    const ifNotExists = cursor.take('IF', 'NOT', 'EXISTS')
    if (!ifNotExists && cursor.peek.text.toUpperCase() !== 'PARTITION') throw unsupportedAlter(cursor, 'ADD')
    const partitions: { spec: PartitionSpec; location: string | undefined }[] = []
    while (cursor.take('PARTITION')) {
      const spec = partitionSpec(cursor)
      partitions.push({ spec, location: cursor.take('LOCATION') ? cursor.string() : undefined })
    }
    if (partitions.length === 0) throw cursor.unexpected('PARTITION')
    return { kind: 'add-partitions', ...name, ifNotExists, partitions }
  }
  if (cursor.take('DROP')) {
    const ifExists = cursor.take('IF', 'EXISTS')
    if (!ifExists && cursor.peek.text.toUpperCase() !== 'PARTITION') throw unsupportedAlter(cursor, 'DROP')
    const specs: PartitionSpec[] = []
    do {
      cursor.expect('PARTITION')
      specs.push(partitionSpec(cursor))
    } while (cursor.takeSymbol(','))
    return { kind: 'drop-partitions', ...name, ifExists, specs }
  }
  throw unsupportedAlter(cursor, '')
}

const unsupportedAlter = (cursor: DdlCursor, verb: string): QueryError =>
  unsupported(`ALTER TABLE ${`${verb} ${cursor.peek.text.toUpperCase()}`.trim()}`)

function partitionSpec(cursor: DdlCursor): PartitionSpec {
  return new Map(
    cursor.list(() => {
      const key = cursor.name()
      cursor.expectSymbol('=')
      return [key, cursor.literal()] as const
    }),
  )
}
