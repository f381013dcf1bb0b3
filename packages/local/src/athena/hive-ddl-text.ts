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

/** The pattern of SHOW DATABASES and SHOW TABLES: `*` is any run of characters, `|` separates alternatives. */
export function isNamedBy(pattern: string | undefined): (name: string) => boolean {
  if (pattern === undefined) return () => true
  const source = pattern.replace(/[\\^$+?()[\]{}/]/g, '\\$&').replace(/\.?\*/g, '.*')
  const expression = new RegExp(`^(?:${source})$`, 'i')
  return (name) => expression.test(name)
}
