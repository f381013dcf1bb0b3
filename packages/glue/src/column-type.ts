import type { ColumnType } from '@stockpipe/core'

/** The Glue (Hive) type of a column: `bigint`, `decimal(18,4)`, `timestamp`. */
export const glueColumnType = (type: ColumnType): string => {
  switch (type.kind) {
    case 'boolean':
    case 'float':
    case 'double':
    case 'string':
    case 'binary':
    case 'date':
    case 'timestamp':
      return type.kind
    case 'int8':
      return 'tinyint'
    case 'int16':
      return 'smallint'
    case 'int32':
      return 'int'
    case 'int64':
    case 'epochNanos':
      return 'bigint'
    case 'json':
      return 'string'
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
  }
}
