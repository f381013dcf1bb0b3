import { type ColumnType, defaultPartitionName, type PartitionDefinition, parseDate } from '@stockpipe/core'
import { earliestPartition, latestPartition } from './calendar-bounds.ts'
import type { ResolvedColumn } from './name-scope.ts'
import { allOf, anyOf, anyOfPartition, type PartitionCondition } from './partition-condition.ts'

export type Comparison = '=' | '<' | '<=' | '>' | '>='

/** What a comparison of a column with a constant says of the partitions made from it. */
export const comparedPartitions = (
  column: ResolvedColumn,
  comparison: Comparison,
  value: unknown,
): PartitionCondition | undefined =>
  allOf(madeFrom(column).map((partition) => comparedPartition(column, partition, comparison, value)))

/** What it says of them that a column is one of these constants; of none at all, that there is no row. */
export const listedPartitions = (
  column: ResolvedColumn,
  values: readonly unknown[],
): PartitionCondition | undefined =>
  values.length === 0
    ? anyOf([])
    : allOf(
        madeFrom(column).map((partition) =>
          anyOfPartition(values.map((value) => comparedPartition(column, partition, '=', value))),
        ),
      )

const comparedPartition = (
  column: ResolvedColumn,
  partition: PartitionDefinition,
  comparison: Comparison,
  value: unknown,
): PartitionCondition | undefined =>
  partition.transform === 'identity'
    ? identityCondition(column, partition.name, comparison, value)
    : calendarCondition(column, partition, comparison, value)

/** NULL is in the default partition, whose value is NULL. */
export const nullPartitions = (column: ResolvedColumn): PartitionCondition | undefined =>
  allOf(
    madeFrom(column).map(
      ({ name }) => ({ kind: 'is null', source: column.source, partition: name }) as const,
    ),
  )

const madeFrom = ({ source, name }: ResolvedColumn): readonly PartitionDefinition[] =>
  source.table?.table.partitions.filter((partition) => partition.source === name) ?? []

const calendarCondition = (
  { type, source }: ResolvedColumn,
  { name, transform, timeZone }: PartitionDefinition,
  comparison: Comparison,
  value: unknown,
): PartitionCondition | undefined => {
  if (transform === 'identity') return undefined
  const range = instantRange(type, comparison, value)
  if (!range) return undefined
  // A date is a date in every zone.
  const zone = type?.kind === 'date' ? undefined : timeZone
  const from = range.from === undefined ? undefined : earliestPartition(transform, zone, range.from)
  const to = range.to === undefined ? undefined : latestPartition(transform, zone, range.to)
  const compare = (operator: Comparison, text: string): PartitionCondition => ({
    kind: 'compare',
    source,
    partition: name,
    operator,
    value: text,
  })
  if (from !== undefined && from === to) return compare('=', from)
  return allOf([
    from === undefined ? undefined : compare('>=', from),
    to === undefined ? undefined : compare('<=', to),
  ])
}

const millisPerDay = 86_400_000

/** The milliseconds, both ends included, within which a value that compares so is; undefined where none can be told. */
const instantRange = (
  type: ColumnType | undefined,
  comparison: Comparison,
  value: unknown,
): { readonly from: number | undefined; readonly to: number | undefined } | undefined => {
  const units = wholeUnits(type, value)
  if (!units) return undefined
  const { count, millisOf } = units
  const least = comparison === '>' ? count + 1n : count
  const most = comparison === '<' ? count - 1n : count
  return {
    from: comparison === '<' || comparison === '<=' ? undefined : millisOf(least),
    to: comparison === '>' || comparison === '>=' ? undefined : millisOf(most),
  }
}

/** A constant in the units its column is kept in, and how these become milliseconds. */
const wholeUnits = (
  type: ColumnType | undefined,
  value: unknown,
): { readonly count: bigint; readonly millisOf: (count: bigint) => number } | undefined => {
  if (type?.kind === 'timestamp' && value instanceof Date && !Number.isNaN(value.getTime())) {
    return { count: BigInt(value.getTime()), millisOf: Number }
  }
  if (type?.kind === 'epochNanos' && typeof value === 'bigint') {
    return {
      count: value,
      millisOf: (nanos) => Number((nanos - (((nanos % million) + million) % million)) / million),
    }
  }
  const days = type?.kind === 'date' && typeof value === 'string' ? parseDate(value) : undefined
  return days === undefined
    ? undefined
    : { count: BigInt(days), millisOf: (count) => Number(count) * millisPerDay }
}

const million = 1_000_000n

const identityCondition = (
  { type, source }: ResolvedColumn,
  partition: string,
  operator: Comparison,
  value: unknown,
): PartitionCondition | undefined => {
  const text = identityText(type, operator, value)
  if (text === undefined) return undefined
  const isNull = { kind: 'is null', source, partition } as const
  const compare = { kind: 'compare', source, partition, operator, value: text } as const
  // These texts share the partition of NULL.
  const inDefault = ['', defaultPartitionName].filter(
    (one) => type?.kind === 'string' && satisfies(one, operator, text),
  )
  if (inDefault.length === 0) return compare
  return operator === '=' ? isNull : anyOf([compare, isNull])
}

const satisfies = (text: string, operator: Comparison, value: string): boolean => {
  switch (operator) {
    case '=':
      return text === value
    case '<':
      return text < value
    case '<=':
      return text <= value
    case '>':
      return text > value
    case '>=':
      return text >= value
  }
}

/** The text of a value in its partition, where partitions compare as values do. */
const identityText = (
  type: ColumnType | undefined,
  operator: Comparison,
  value: unknown,
): string | undefined => {
  switch (type?.kind) {
    case 'string':
      return typeof value === 'string' ? value : undefined
    case 'date':
      return typeof value === 'string' && parseDate(value) !== undefined ? value : undefined
    case 'boolean':
      return typeof value === 'boolean' && operator === '=' ? String(value) : undefined
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      if (operator !== '=') return undefined
      return typeof value === 'bigint' || Number.isInteger(value)
        ? String(BigInt(value as number))
        : undefined
    default:
      return undefined
  }
}
