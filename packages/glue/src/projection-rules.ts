import {
  type BoundTable,
  type ColumnKind,
  ConfigurationError,
  type PartitionDefinition,
  parseDate,
} from '@stockpipe/core'
import {
  type DateUnit,
  dateFormat,
  isAsCoarse,
  type ProjectedDates,
  type RangeEnd,
  rangeEnd,
} from './projection-dates.ts'

/** The values of an identity partition, listed; keep to dozens. */
export interface EnumProjection {
  readonly values: readonly string[]
}

/** The values of an identity partition come from the query, which must then name one (`ticker = 'IBM'`). */
export interface InjectedProjection {
  readonly injected: true
}

/** A run of whole numbers, both ends included. Rows outside it are not found by queries. */
export interface IntegerProjection {
  readonly min: number | bigint
  readonly max: number | bigint
  /** Only every n-th number from `min` on. Default 1. */
  readonly interval?: number
  /** Numbers are written with at least so many digits, zeros before them: for text columns that hold them so. */
  readonly digits?: number
}

/** The range of a calendar partition, or of an identity partition of dates, inclusive. Rows outside it are not found. */
export interface DateProjection {
  /** A value of the partition such as `2024-01-01` (day) or `2024` (year), or `NOW-30DAYS`. */
  readonly from: string
  /** The same. Default `NOW`, and a step more where the partition's time zone may be ahead of UTC. */
  readonly to?: string
  /** Only every n-th unit from `from` on, which then is a date. Default each value of the partition. */
  readonly interval?: { readonly every: number; readonly unit: DateUnit }
  /** Java's pattern, for files that are not the sink's (`writtenBy: 'others'`). Default as the sink writes it. */
  readonly format?: string
}

/** What one partition key is projected by. */
export type ProjectionRule = EnumProjection | InjectedProjection | IntegerProjection | DateProjection

/** A rule read and checked: Athena's properties, and which values it projects. */
export type CheckedRule =
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'injected' }
  | {
      readonly kind: 'integer'
      readonly min: bigint
      readonly max: bigint
      readonly interval: bigint
      readonly digits: number
    }
  | ({ readonly kind: 'date' } & ProjectedDates)

/** Who has put the files where they are. */
export type ProjectionWriter = 'sink' | 'others'

const calendar = {
  year: { format: 'yyyy', now: 'NOW+1YEARS' },
  month: { format: 'yyyy-MM', now: 'NOW+1MONTHS' },
  day: { format: 'yyyy-MM-dd', now: 'NOW+1DAYS' },
  hour: { format: 'yyyy-MM-dd-HH', now: 'NOW+14HOURS' },
} as const

const integers: readonly ColumnKind[] = ['int8', 'int16', 'int32', 'int64']
const longest = 2n ** 63n
/** Glue's limit on the value of a table parameter, in characters. */
const longestParameter = 512_000

/** Reads the rule of one partition. Throws a `ConfigurationError` for what Athena would misread. */
export const checkedRule = (
  bound: BoundTable,
  partition: PartitionDefinition,
  rule: ProjectionRule | undefined,
  writer: ProjectionWriter,
): CheckedRule => {
  const { name: table } = bound.table
  const source = bound.table.column(partition.source)
  const { kind } = source.type
  if (source.nullable && writer === 'sink') {
    refuseProjection(
      table,
      `cannot project '${partition.name}': rows without '${partition.source}' are in a partition that projection does not have, and no query would find them`,
      'make the column not nullable, or use registered partitions',
    )
  }
  const { transform } = partition
  if (rule !== undefined && transform === 'identity') {
    if ('injected' in rule) return { kind: 'injected' }
    if ('values' in rule)
      return { kind: 'enum', values: enumValues(table, partition.name, kind, rule.values) }
    if ('min' in rule && (kind === 'string' || integers.includes(kind))) {
      return integerRule(table, partition, kind, rule)
    }
    if ('from' in rule && (kind === 'date' || kind === 'string'))
      return dateRule(table, partition, rule, writer)
  } else if (rule !== undefined && transform !== 'identity') {
    if ('from' in rule) return dateRule(table, partition, rule, writer)
    if ('min' in rule && transform === 'year')
      return integerRule(table, partition, 'string', { digits: 4, ...rule })
  }
  return refuseProjection(
    table,
    `needs a projection rule for its partition '${partition.name}' (${transform}${transform === 'identity' ? ` of ${kind}` : ''})`,
    transform === 'identity'
      ? "give { values: ['A', 'B'] } or { injected: true }, { min, max } for whole numbers, { from } for dates"
      : "give { from: '...' }",
  )
}

const textOf: Partial<Record<ColumnKind, RegExp>> = {
  boolean: /^(?:true|false)$/,
  date: /^\d{4}-\d{2}-\d{2}$/,
}
const integerText = /^(?:0|-?[1-9]\d*)$/

const enumValues = (
  table: string,
  name: string,
  kind: ColumnKind,
  values: readonly string[],
): readonly string[] => {
  if (values.length === 0) refuseProjection(table, `lists no values for '${name}'`, 'list at least one')
  const form = integers.includes(kind) ? integerText : textOf[kind]
  for (const value of values) {
    if (value === '' || value.includes(',') || value !== value.trim()) {
      refuseProjection(
        table,
        `cannot project the value "${value}" of '${name}': the list is separated by commas, and Athena takes spaces literally`,
        'use { injected: true } or registered partitions for such values',
      )
    }
    if (form !== undefined && (!form.test(value) || (kind === 'date' && parseDate(value) === undefined))) {
      refuseProjection(
        table,
        `cannot project the value "${value}" of '${name}': no ${kind} is written so in a key`,
        'write it as the sink does',
      )
    }
  }
  const unique = [...new Set(values)]
  const length = unique.join(',').length
  if (length > longestParameter) {
    refuseProjection(
      table,
      `lists ${unique.length} values for '${name}', ${length} characters, and a parameter has at most ${longestParameter}`,
      'use { injected: true } or registered partitions',
    )
  }
  return unique
}

const integerRule = (
  table: string,
  { name, transform }: PartitionDefinition,
  kind: ColumnKind,
  { min, max, interval = 1, digits = 0 }: IntegerProjection,
): CheckedRule => {
  const whole = (value: number | bigint) => typeof value === 'bigint' || Number.isSafeInteger(value)
  if (!whole(min) || !whole(max) || BigInt(min) < -longest || BigInt(max) >= longest) {
    refuseProjection(
      table,
      `has a range of '${name}' that is not of 64-bit integers: ${min},${max}`,
      'write whole numbers',
    )
  }
  if (min > max)
    refuseProjection(table, `has an empty range for '${name}': ${min} is after ${max}`, 'turn the two round')
  if (!Number.isSafeInteger(interval) || interval < 1) {
    refuseProjection(table, `has an interval of ${interval} for '${name}'`, 'write a whole number above 0')
  }
  if (!Number.isInteger(digits) || digits < 0 || digits > 19) {
    refuseProjection(table, `has ${digits} digits for '${name}'`, 'write a whole number from 1 to 19')
  }
  if (transform === 'year' && (min < 1 || max > 9999 || digits !== 4)) {
    refuseProjection(
      table,
      `has years for '${name}' that the sink does not write`,
      'keep to 1 to 9999, of 4 digits',
    )
  }
  if (digits > 1 && min < 0) {
    refuseProjection(
      table,
      `pads negative numbers of '${name}' to ${digits} digits`,
      'leave out digits, or begin at 0',
    )
  }
  if (digits > 1 && kind !== 'string' && String(min < 0 ? -min : min).length < digits) {
    refuseProjection(
      table,
      `pads '${name}' to ${digits} digits, and the sink writes a ${kind} without zeros before it`,
      'leave out digits',
    )
  }
  return { kind: 'integer', min: BigInt(min), max: BigInt(max), interval: BigInt(interval), digits }
}

const dateRule = (
  table: string,
  partition: PartitionDefinition,
  rule: DateProjection,
  writer: ProjectionWriter,
): CheckedRule => {
  const { name, transform } = partition
  const written = calendar[transform === 'identity' ? 'day' : transform]
  const pattern = rule.format ?? written.format
  if (pattern !== written.format && writer === 'sink') {
    refuseProjection(
      table,
      `has the format ${pattern} for '${name}', and the sink writes ${written.format}: no file would be found`,
      "leave out format, or say writtenBy: 'others'",
    )
  }
  const format = dateFormat(pattern)
  if (format === undefined) {
    return refuseProjection(
      table,
      `has the format ${pattern} for '${name}', which does not write each date in one way`,
      'use yyyy, MM, dd, HH, mm, ss and SSS from the coarsest down, and other letters in quotes',
    )
  }
  const utc = partition.timeZone === undefined || partition.timeZone === 'UTC'
  const read = (text: string): RangeEnd =>
    rangeEnd(text, format) ??
    refuseProjection(
      table,
      `cannot read "${text}" as an end of the range of '${name}'`,
      `write it as ${pattern}, or NOW with a shift such as NOW-30DAYS`,
    )
  const [from, to] = [read(rule.from), read(rule.to ?? (utc ? 'NOW' : written.now))]
  const backwards =
    from.kind === 'date' && to.kind === 'date'
      ? from.millis > to.millis
      : from.kind === 'now' && to.kind === 'now' && from.unit === to.unit && from.amount > to.amount
  if (backwards) {
    refuseProjection(
      table,
      `has an empty range for '${name}': ${rule.from} is after ${rule.to}`,
      'turn the two round',
    )
  }
  const { every, unit } = rule.interval ?? { every: 1, unit: format.unit }
  if (!Number.isSafeInteger(every) || every < 1 || !isAsCoarse(unit, format.unit)) {
    refuseProjection(
      table,
      `has an interval of ${every} ${unit} for '${name}', whose values are ${format.unit}`,
      `write a whole number above 0, of ${format.unit} or longer`,
    )
  }
  if ((every > 1 || unit !== format.unit) && from.kind === 'now') {
    refuseProjection(
      table,
      `counts '${name}' in steps of ${every} ${unit} from ${rule.from}, which are other days every day`,
      'begin the range at a date',
    )
  }
  return { kind: 'date', format, from, to, every, unit }
}

/** Athena's properties of a rule, without the `projection.<column>.` before them. */
export const ruleProperties = (rule: CheckedRule): Readonly<Record<string, string>> => {
  switch (rule.kind) {
    case 'injected':
      return { type: 'injected' }
    case 'enum':
      return { type: 'enum', values: rule.values.join(',') }
    case 'integer':
      return {
        type: 'integer',
        range: `${rule.min},${rule.max}`,
        ...(rule.interval === 1n ? {} : { interval: String(rule.interval) }),
        ...(rule.digits > 0 ? { digits: String(rule.digits) } : {}),
      }
    case 'date': {
      const { format, from, to, every, unit } = rule
      const end = (one: RangeEnd) =>
        one.kind === 'date'
          ? format.format(one.millis)
          : `NOW${one.amount === 0 ? '' : `${one.amount > 0 ? '+' : ''}${one.amount}${one.unit}`}`
      return {
        type: 'date',
        format: format.pattern,
        range: `${end(from)},${end(to)}`,
        interval: String(every),
        'interval.unit': unit,
      }
    }
  }
}

export const refuseProjection = (table: string, what: string, remedy: string): never => {
  throw new ConfigurationError({
    code: 'PROJECTION_INVALID',
    message: `Table ${table} ${what}; ${remedy}.`,
  })
}
