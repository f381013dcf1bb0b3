import type { ResultColumn } from '../sql/query-engine.ts'

/** A column as GetQueryResults describes it. */
export interface ColumnInfo {
  readonly CatalogName: string
  readonly SchemaName: string
  readonly TableName: string
  readonly Name: string
  readonly Label: string
  readonly Type: string
  readonly Precision: number
  readonly Scale: number
  readonly Nullable: 'UNKNOWN'
  readonly CaseSensitive: boolean
}

const precisions: Readonly<Record<string, number>> = {
  boolean: 0,
  tinyint: 3,
  smallint: 5,
  integer: 10,
  bigint: 19,
  float: 17,
  double: 17,
  varchar: 2_147_483_647,
  varbinary: 1_073_741_824,
}

/** Describes a result column by its Trino type, such as `decimal(18,4)` or `timestamp(3) with time zone`. */
export function columnInfoOf(column: ResultColumn): ColumnInfo {
  const { type, precision, scale } = apiTypeOf(column.type)
  return {
    CatalogName: 'hive',
    SchemaName: '',
    TableName: '',
    Name: column.name,
    Label: column.name,
    Type: type,
    Precision: precision,
    Scale: scale,
    Nullable: 'UNKNOWN',
    CaseSensitive: ['varchar', 'char', 'json'].includes(type),
  }
}

function apiTypeOf(trinoType: string): { type: string; precision: number; scale: number } {
  const [, name = '', inner, suffix = ''] =
    /^([a-z][a-z ]*?)\s*(?:\((.*)\))?(\s+with time zone)?$/i.exec(trinoType) ?? []
  const numbers = (inner ?? '').split(',').map(Number)
  const base = `${name.toLowerCase()}${suffix.toLowerCase()}`
  if (base === 'decimal') return { type: 'decimal', precision: numbers[0] ?? 38, scale: numbers[1] ?? 0 }
  if (base === 'varchar' || base === 'char') {
    return {
      type: base,
      precision: inner === undefined ? (precisions['varchar'] ?? 0) : (numbers[0] ?? 0),
      scale: 0,
    }
  }
  if (base.startsWith('time'))
    return { type: base, precision: inner === undefined ? 3 : (numbers[0] ?? 3), scale: 0 }
  const type = base === 'real' ? 'float' : base === '' ? trinoType : base
  return { type, precision: precisions[type] ?? 0, scale: 0 }
}
