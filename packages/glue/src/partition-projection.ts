import { type BoundTable, escapePartitionValue, type PartitionRecord, partitionPath } from '@stockpipe/core'
import { projectsDate } from './projection-dates.ts'
import {
  type CheckedRule,
  checkedRule,
  type DateProjection,
  type EnumProjection,
  type InjectedProjection,
  type IntegerProjection,
  type ProjectionRule,
  type ProjectionWriter,
  refuseProjection,
  ruleProperties,
} from './projection-rules.ts'

/** What Athena needs to know of each partition to work out the locations by itself. */
export type ProjectedKeys<Partitions extends PartitionRecord> = {
  readonly [Name in keyof Partitions]: Partitions[Name]['transform'] extends 'identity'
    ? EnumProjection | InjectedProjection | IntegerProjection | DateProjection
    : Partitions[Name]['transform'] extends 'year'
      ? IntegerProjection | DateProjection
      : DateProjection
}

/** All partitions projected from rules. */
export interface ProjectedPartitioning<Partitions extends PartitionRecord = PartitionRecord> {
  readonly kind: 'projected'
  readonly keys: ProjectedKeys<Partitions>
  /**
   * Where the partitions are, such as `s3://bucket/prefix/${trade_date}/${ticker}/`, for files that are not the sink's. Values
   * stand in it as they are. Default `name=value/` below the table's location, escaped as Hive does.
   */
  readonly locationTemplate?: string
  /** `sink` (the default): rules under which queries would not find the sink's files are refused. */
  readonly writtenBy?: ProjectionWriter
}

/** How queries find the partitions: each registered in the catalog, or all projected from rules. */
export type TablePartitioning<Partitions extends PartitionRecord = PartitionRecord> =
  | { readonly kind: 'registered' }
  | ProjectedPartitioning<Partitions>

/** A value that stands in a key as it is, whether it is escaped or not. */
const isPlain = (value: string): boolean => escapePartitionValue(value) === value

/**
 * The table parameters of Athena's partition projection. Without a template Athena looks for `name=value/` below the
 * table's location, escaped as Hive does, which is where the sink writes.
 *
 * Throws a `ConfigurationError` for a key without a rule, and for values, ranges and templates Athena would misread.
 */
export const projectionParameters = (
  bound: BoundTable,
  partitioning: ProjectedPartitioning,
): Readonly<Record<string, string>> => {
  const rules = checkedRules(bound, partitioning)
  const parameters: Record<string, string> = { 'projection.enabled': 'true' }
  for (const [name, rule] of rules) {
    for (const [property, value] of Object.entries(ruleProperties(rule))) {
      parameters[`projection.${name}.${property}`] = value
    }
  }
  const template = partitioning.locationTemplate
  if (template !== undefined) {
    checkTemplate(bound, template, rules, partitioning.writtenBy ?? 'sink')
    parameters['storage.location.template'] = template
  }
  return parameters
}

/** The rules of all partitions, in the order of the path. */
const checkedRules = (
  bound: BoundTable,
  partitioning: ProjectedPartitioning,
): ReadonlyMap<string, CheckedRule> => {
  const { name, partitions } = bound.table
  const { keys, writtenBy = 'sink' } = partitioning
  if (partitions.length === 0) {
    refuseProjection(
      name,
      'has no partitions to project',
      "leave out partitioning, or say { kind: 'registered' }",
    )
  }
  for (const key of Object.keys(keys)) {
    if (!partitions.some((partition) => partition.name === key)) {
      const names = partitions.map((partition) => partition.name).join(', ')
      refuseProjection(name, `has no partition '${key}' to project`, `name ${names}`)
    }
  }
  return new Map(
    partitions.map((partition) => [
      partition.name,
      checkedRule(bound, partition, keys[partition.name] as ProjectionRule | undefined, writtenBy),
    ]),
  )
}

const checkTemplate = (
  bound: BoundTable,
  template: string,
  rules: ReadonlyMap<string, CheckedRule>,
  writer: ProjectionWriter,
) => {
  const { name } = bound.table
  const refuse = (what: string, remedy: string) =>
    refuseProjection(name, `has the location template ${template}, which ${what}`, remedy)
  if (!/^s3:\/\/[a-z0-9][a-z0-9.-]+\//.test(template)) refuse('is no location', 'write s3://bucket/prefix/…/')
  if (!template.endsWith('/')) refuse('does not end with a slash', 'add it')
  const named = [...template.matchAll(/\$\{([^}]*)\}/g)].map(([, key]) => key)
  for (const key of named) {
    if (key === undefined || !rules.has(key))
      refuse(`names \${${key}}, which is no partition`, `name ${[...rules.keys()].join(', ')}`)
  }
  for (const key of rules.keys()) {
    if (!named.includes(key)) refuse(`does not hold \${${key}}`, 'give each partition a place in it')
  }
  for (const [key, rule] of rules) {
    const odd = rule.kind === 'enum' ? rule.values.find((value) => !isPlain(value)) : undefined
    if (odd !== undefined) {
      refuse(
        `cannot carry the value "${odd}" of '${key}': keys hold it escaped, and a template puts it in as it is`,
        'leave out the template, whose place Hive’s escaping takes, or use registered partitions',
      )
    }
  }
  if (writer === 'others') return
  const layout = `${bound.location}${[...rules.keys()].map((key) => `${key}=\${${key}}/`).join('')}`
  if (template !== layout) {
    refuse(`is not where the sink writes, ${layout}`, "leave it out, or say writtenBy: 'others'")
  }
  for (const [key, rule] of rules) {
    if (rule.kind === 'injected') {
      refuse(`cannot carry every value of '${key}': it would be put in unescaped`, 'leave out the template')
    }
  }
}

/**
 * Why queries of a projected table would not find a partition of the sink: its value lies outside the rules, or its location
 * is another. Undefined when they find it. Call it with what the sink registers, so that a new symbol that is on no list, or a
 * day outside the range, does not go unnoticed.
 *
 * @param at `nowMillis`: when the query is asked, for ranges up to `NOW`; default now
 */
export const unprojectedReason = <Partitions extends PartitionRecord>(
  bound: BoundTable,
  partitioning: ProjectedPartitioning<Partitions>,
  partition: { readonly values: readonly (string | null)[]; readonly location: string },
  at: { readonly nowMillis: number },
): string | undefined => {
  const rules = checkedRules(bound, partitioning as ProjectedPartitioning)
  let index = 0
  for (const [name, rule] of rules) {
    const value = partition.values[index++] ?? null
    if (value === null || value === '') return `'${name}' is null, and projection has no partition for it`
    if (!projects(rule, value, at.nowMillis)) return `'${value}' of '${name}' is not projected`
  }
  const location = projectedLocation(bound, partitioning as ProjectedPartitioning, partition.values)
  return location === partition.location
    ? undefined
    : `it is at ${partition.location}, and queries look at ${location}`
}

/** Where a query looks for the partition of these values. */
export const projectedLocation = (
  bound: BoundTable,
  { locationTemplate }: Pick<ProjectedPartitioning, 'locationTemplate'>,
  values: readonly (string | null)[],
): string => {
  const { partitions } = bound.table
  if (locationTemplate === undefined) return `${bound.location}${partitionPath(partitions, values)}`
  return locationTemplate.replace(/\$\{([^}]*)\}/g, (_, key: string) => {
    const index = partitions.findIndex(({ name }) => name === key)
    return values[index] ?? ''
  })
}

const projects = (rule: CheckedRule, value: string, nowMillis: number): boolean => {
  switch (rule.kind) {
    case 'injected':
      return true
    case 'enum':
      return rule.values.includes(value)
    case 'date':
      return projectsDate(rule, value, nowMillis)
    case 'integer': {
      if (!/^-?\d+$/.test(value)) return false
      const number = BigInt(value)
      const text = String(number < 0n ? -number : number).padStart(rule.digits, '0')
      return (
        number >= rule.min &&
        number <= rule.max &&
        (number - rule.min) % rule.interval === 0n &&
        value === `${number < 0n ? '-' : ''}${text}`
      )
    }
  }
}
