import {
  type BoundTable,
  ConfigurationError,
  type PartitionDefinition,
  type PartitionRecord,
  parseDate,
} from '@stockpipe/core'

/** The values of an identity partition, listed; keep to dozens. */
export interface EnumProjection {
  readonly values: readonly string[]
}

/** The values of an identity partition come from the query, which must then name one (`ticker = 'IBM'`). */
export interface InjectedProjection {
  readonly injected: true
}

/** The range of a calendar partition, inclusive. Rows outside it are not found by queries. */
export interface DateProjection {
  /** A value of the partition such as `2024-01-01` (day) or `2024` (year), or `NOW-30DAYS`. */
  readonly from: string
  /** The same. Default `NOW`, and one step more where the partition's time zone may be ahead of UTC. */
  readonly to?: string
}

/** What Athena needs to know of each partition to work out the locations by itself. */
export type ProjectedKeys<Partitions extends PartitionRecord> = {
  readonly [Name in keyof Partitions]: Partitions[Name]['transform'] extends 'identity'
    ? EnumProjection | InjectedProjection
    : DateProjection
}

/** How queries find the partitions: each registered in the catalog, or all projected from a rule. */
export type TablePartitioning<Partitions extends PartitionRecord = PartitionRecord> =
  | { readonly kind: 'registered' }
  | { readonly kind: 'projected'; readonly keys: ProjectedKeys<Partitions> }

const calendar = {
  year: { format: 'yyyy', unit: 'YEARS', now: 'NOW+1YEARS', pattern: /^\d{4}$/ },
  month: { format: 'yyyy-MM', unit: 'MONTHS', now: 'NOW+1MONTHS', pattern: /^\d{4}-\d{2}$/ },
  day: { format: 'yyyy-MM-dd', unit: 'DAYS', now: 'NOW+1DAYS', pattern: /^\d{4}-\d{2}-\d{2}$/ },
  hour: { format: 'yyyy-MM-dd-HH', unit: 'HOURS', now: 'NOW+14HOURS', pattern: /^\d{4}-\d{2}-\d{2}-\d{2}$/ },
} as const

const relative = /^NOW(?:[+-]\d+(?:YEARS|MONTHS|WEEKS|DAYS|HOURS|MINUTES|SECONDS))?$/

/**
 * The table parameters of Athena's partition projection. No location template is written: Athena then looks for
 * `name=value/` below the table's location, escaped as Hive does, which is where the sink writes.
 *
 * Throws a `ConfigurationError` for a key without a rule, and for values and ranges Athena would misread.
 */
export const projectionParameters = (
  bound: BoundTable,
  keys: ProjectedKeys<PartitionRecord>,
): Readonly<Record<string, string>> => {
  const { name, partitions } = bound.table
  if (partitions.length === 0) {
    refuse(name, 'has no partitions to project', "leave out partitioning, or say { kind: 'registered' }")
  }
  for (const key of Object.keys(keys)) {
    if (!partitions.some((partition) => partition.name === key)) {
      refuse(name, `has no partition '${key}' to project`, `name ${partitions.map((p) => p.name).join(', ')}`)
    }
  }
  const parameters: Record<string, string> = { 'projection.enabled': 'true' }
  for (const partition of partitions) {
    const rule = keys[partition.name] as EnumProjection | InjectedProjection | DateProjection | undefined
    const properties = rule === undefined ? {} : ruleProperties(name, partition, rule)
    if (Object.keys(properties).length === 0) {
      refuse(
        name,
        `needs a projection rule for its partition '${partition.name}' (${partition.transform})`,
        partition.transform === 'identity'
          ? "give { values: ['A', 'B'] } or { injected: true }"
          : "give { from: '...' }",
      )
    }
    for (const [property, value] of Object.entries(properties)) {
      parameters[`projection.${partition.name}.${property}`] = value
    }
  }
  return parameters
}

const ruleProperties = (
  table: string,
  partition: PartitionDefinition,
  rule: EnumProjection | InjectedProjection | DateProjection,
): Record<string, string> => {
  if (partition.transform === 'identity') {
    if ('injected' in rule) return { type: 'injected' }
    return 'values' in rule ? { type: 'enum', values: enumValues(table, partition.name, rule.values) } : {}
  }
  if (!('from' in rule)) return {}
  const { format, unit, now } = calendar[partition.transform]
  const utc = partition.timeZone === undefined || partition.timeZone === 'UTC'
  const from = rangeEnd(table, partition, rule.from)
  const to = rangeEnd(table, partition, rule.to ?? (utc ? 'NOW' : now))
  if (!from.startsWith('NOW') && !to.startsWith('NOW') && from > to) {
    refuse(table, `has an empty range for '${partition.name}': ${from} is after ${to}`, 'turn the two round')
  }
  return { type: 'date', format, range: `${from},${to}`, interval: '1', 'interval.unit': unit }
}

const enumValues = (table: string, name: string, values: readonly string[]): string => {
  if (values.length === 0) refuse(table, `lists no values for '${name}'`, 'list at least one')
  for (const value of values) {
    if (value === '' || value.includes(',') || value !== value.trim()) {
      refuse(
        table,
        `cannot project the value "${value}" of '${name}': the list is separated by commas, and Athena takes spaces literally`,
        'use { injected: true } or registered partitions for such values',
      )
    }
  }
  return [...new Set(values)].join(',')
}

const rangeEnd = (table: string, partition: PartitionDefinition, text: string): string => {
  const kind = partition.transform as keyof typeof calendar
  if (relative.test(text)) return text
  const day = `${text}-01-01`.slice(0, 10)
  if (!calendar[kind].pattern.test(text) || parseDate(day) === undefined || Number(text.slice(11)) > 23) {
    refuse(
      table,
      `cannot read "${text}" as an end of the range of '${partition.name}'`,
      `write it as ${calendar[kind].format}, or NOW with a shift such as NOW-30DAYS`,
    )
  }
  return text
}

const refuse = (table: string, what: string, remedy: string): never => {
  throw new ConfigurationError({
    code: 'PROJECTION_INVALID',
    message: `Table ${table} ${what}; ${remedy}.`,
  })
}
