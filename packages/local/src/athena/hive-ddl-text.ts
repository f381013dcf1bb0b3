import type { GlueColumn, GlueTable } from '../glue/catalog-model.ts'
import type { StatementResult } from './query-runner.ts'

const width = 20

/** DESCRIBE as Hive prints it: padded, tab-joined, the partition keys listed again at the end. */
export function describeTable(table: GlueTable): StatementResult {
  const keys = table.PartitionKeys ?? []
  const columns = [...(table.StorageDescriptor?.Columns ?? []), ...keys].map(lineOf)
  const partitionLines = [
    '\t \t ',
    '# Partition Information\t \t ',
    `${'# col_name'.padEnd(width)}\t${'data_type'.padEnd(width)}\t${'comment'.padEnd(width)}`,
    '\t \t ',
    ...keys.map(lineOf),
  ]
  return {
    kind: 'lines',
    columns: ['col_name', 'data_type', 'comment'].map((name) => ({ name, type: 'string' })),
    lines: keys.length === 0 ? columns : [...columns, ...partitionLines],
  }
}

const lineOf = (column: GlueColumn): string =>
  [column.Name, column.Type ?? 'string', column.Comment ?? ''].map((text) => text.padEnd(width)).join('\t')

/** SHOW TBLPROPERTIES: all of them, or the value of one. */
export function showProperties(
  properties: Readonly<Record<string, string>>,
  property: string | undefined,
  table: string,
): StatementResult {
  const columns = ['prpt_name', 'prpt_value'].map((name) => ({ name, type: 'string' }))
  if (property === undefined) {
    const lines = Object.entries(properties).map(([name, value]) => `${name}\t${value}`)
    return { kind: 'lines', columns, lines: lines.sort() }
  }
  const value = properties[property]
  return { kind: 'lines', columns, lines: [value ?? `Table ${table} does not have property: ${property}`] }
}

/** SHOW CREATE TABLE: the statement that makes such a table, as Hive lays it out, line by line. */
export function createTableText(table: GlueTable): readonly string[] {
  const { StorageDescriptor: descriptor = {}, PartitionKeys = [], Parameters = {} } = table
  const { comment, ...properties } = Parameters
  const { 'serialization.format': format, ...serDe } = descriptor.SerdeInfo?.Parameters ?? {}
  const serDeProperties =
    format === undefined || format === '1' ? serDe : { ...serDe, 'serialization.format': format }
  const external = table.TableType === 'EXTERNAL_TABLE' ? 'EXTERNAL ' : ''
  const columns = (list: readonly GlueColumn[]): string[] =>
    list.map(({ Name, Type = 'string', Comment }, i) => {
      const text = `  \`${Name}\` ${Type}${Comment ? ` COMMENT ${quoted(Comment)}` : ''}`
      return `${text}${i < list.length - 1 ? ', ' : ')'}`
    })
  const pairs = (record: Readonly<Record<string, string>>): string[] => {
    const entries = Object.entries(record)
      .filter(([name]) => name !== 'EXTERNAL')
      .sort()
    return entries.map(
      ([name, value], i) => `  ${quoted(name)}=${quoted(value)}${i < entries.length - 1 ? ', ' : ')'}`,
    )
  }
  const section = (head: string, content: readonly string[]): readonly string[] =>
    content.length === 0 ? [] : [head, ...content]
  return [
    `CREATE ${external}TABLE \`${table.DatabaseName}.${table.Name}\`(`,
    ...columns(descriptor.Columns ?? []),
    ...(comment === undefined ? [] : [`COMMENT ${quoted(comment)}`]),
    ...section('PARTITIONED BY ( ', columns(PartitionKeys)),
    'ROW FORMAT SERDE ',
    `  ${quoted(descriptor.SerdeInfo?.SerializationLibrary ?? '')} `,
    ...section('WITH SERDEPROPERTIES ( ', pairs(serDeProperties)),
    'STORED AS INPUTFORMAT ',
    `  ${quoted(descriptor.InputFormat ?? '')} `,
    'OUTPUTFORMAT ',
    `  ${quoted(descriptor.OutputFormat ?? '')}`,
    'LOCATION',
    `  ${quoted(descriptor.Location ?? '')}`,
    ...section('TBLPROPERTIES (', pairs(properties)),
  ]
}

const quoted = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`

/** The pattern of SHOW DATABASES and SHOW TABLES: `*` is any run of characters, `|` separates alternatives. */
export function isNamedBy(pattern: string | undefined): (name: string) => boolean {
  if (pattern === undefined) return () => true
  const source = pattern.replace(/[\\^$+?()[\]{}/]/g, '\\$&').replace(/\.?\*/g, '.*')
  const expression = new RegExp(`^(?:${source})$`, 'i')
  return (name) => expression.test(name)
}
