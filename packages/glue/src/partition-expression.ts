import {
  type BoundTable,
  type ColumnRecord,
  ConfigurationError,
  defaultPartitionName,
  type PartitionRecord,
} from '@stockpipe/core'
import { catalogValues, type PartitionValues, requirePartitions, tableName } from './partition-values.ts'

/** Values between two ends; the default partition is never in it. Texts are compared, as the catalog has them. */
export interface PartitionRange {
  /** Inclusive. */
  readonly from?: string
  /** Inclusive. */
  readonly to?: string
  /** Exclusive. */
  readonly after?: string
  /** Exclusive. */
  readonly before?: string
}

/**
 * What a partition's value has to be: a value (null: the default partition), one of several, within a range, one that
 * begins with a text, or any but some.
 */
export type PartitionCondition =
  | string
  | null
  | readonly (string | null)[]
  | PartitionRange
  | { readonly startsWith: string }
  | { readonly not: string | null | readonly (string | null)[] }

/** Conditions that all hold, by the names of the table's partitions. */
export type PartitionFilter<Partitions extends PartitionRecord = PartitionRecord> = {
  readonly [Name in keyof Partitions]?: PartitionCondition
}

/** One filter, or several of which one has to hold. */
export type PartitionWhere<Partitions extends PartitionRecord = PartitionRecord> =
  | PartitionFilter<Partitions>
  | readonly PartitionFilter<Partitions>[]

/** What GetPartitions takes. */
const longestExpression = 2048

/** Names the parser of Glue's expressions (JSQLParser) takes for its own words. */
const parserKeywords: ReadonlySet<string> = new Set(
  (
    'all and any as asc begin between by case create delete desc distinct do drop else end escape exists from full ' +
    'group having in index inner insert intersect into is join key left like limit natural not null offset on open or ' +
    'order outer primary replace right select set some table then top truncate union update using values when where with'
  ).split(' '),
)

/**
 * The filter as `Expression`s of GetPartitions, of at most 2,048 characters each: together they find what the filter
 * holds for. Long lists are split; an empty list of expressions finds nothing. A condition on a partition whose name
 * Glue's parser takes for a keyword (`order`, `index`, `key`) is left out, so that more is found: `listPartitions`
 * applies it by itself.
 *
 * Throws a `ConfigurationError` for a name the table has no partition of, and for a filter no split makes short enough.
 */
export const partitionExpressions = <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  table: BoundTable<Columns, Partitions>,
  where: PartitionWhere<Partitions>,
): readonly string[] => {
  const bound = table as BoundTable
  const filters = checkedFilters(bound, where as PartitionWhere)
  return [...new Set(filters.flatMap((filter) => splitExpression(bound, filter)))]
}

/** Whether the filter holds for a partition, by its values. */
export const partitionPredicate = (
  bound: BoundTable,
  where: PartitionWhere,
): ((values: PartitionValues) => boolean) => {
  const filters = checkedFilters(bound, where)
  return (values) =>
    filters.some((filter) =>
      Object.entries(filter).every(
        ([name, condition]) => condition === undefined || holds(condition, values[name] ?? null),
      ),
    )
}

const isList = (condition: PartitionCondition): condition is readonly (string | null)[] =>
  Array.isArray(condition)
const listOf = (values: string | null | readonly (string | null)[]): string[] => [
  ...new Set(catalogValues(values === null || typeof values === 'string' ? [values] : values)),
]

const checkedFilters = (bound: BoundTable, where: PartitionWhere): readonly PartitionFilter[] => {
  const names = requirePartitions(bound).partitions.map(({ name }) => name)
  const filters = (Array.isArray(where) ? where : [where]) as readonly PartitionFilter[]
  for (const filter of filters) {
    for (const [name, condition] of Object.entries(filter)) {
      if (!names.includes(name)) {
        throw refuse(`Table ${tableName(bound)} has no partition '${name}'; it has ${names.join(', ')}.`)
      }
      checkCondition(bound, name, condition)
    }
  }
  return filters
}

const rangeEnds = ['from', 'to', 'after', 'before'] as const

const checkCondition = (bound: BoundTable, name: string, condition: PartitionCondition | undefined) => {
  const refused = () =>
    refuse(
      `The condition on '${name}' of table ${tableName(bound)} is a value, a list, or has from, to, after, before, startsWith or not; got ${JSON.stringify(condition)}.`,
    )
  if (condition === undefined || isText(condition)) return
  if (typeof condition !== 'object') throw refused()
  if (isList(condition) || 'not' in condition) {
    if (![isList(condition) ? condition : condition.not].flat().every(isText)) throw refused()
    return
  }
  const ends = Object.entries(condition).filter(([, end]) => end !== undefined)
  if (ends.length === 0 || ends.some(([, end]) => typeof end !== 'string')) throw refused()
  if ('startsWith' in condition) {
    const last = condition.startsWith.charCodeAt(condition.startsWith.length - 1)
    if (last < 0xd7ff) return
    throw refuse(
      `The condition on '${name}' of table ${tableName(bound)} begins with "${condition.startsWith}"; give a text that is not empty and ends in a character below U+D7FF, or a range.`,
    )
  }
  if (ends.some(([end]) => !(rangeEnds as readonly string[]).includes(end))) throw refused()
}

const isText = (value: unknown): value is string | null => value === null || typeof value === 'string'

/** `startsWith` as the range of all texts that do. */
const rangeOf = (condition: PartitionRange | { readonly startsWith: string }): PartitionRange => {
  if (!('startsWith' in condition)) return condition
  const text = condition.startsWith
  const next = String.fromCharCode(text.charCodeAt(text.length - 1) + 1)
  return { from: text, before: `${text.slice(0, -1)}${next}` }
}

const inRange = ({ from, to, after, before }: PartitionRange, value: string): boolean =>
  (from === undefined || value >= from) &&
  (to === undefined || value <= to) &&
  (after === undefined || value > after) &&
  (before === undefined || value < before)

const holds = (condition: PartitionCondition, value: string | null): boolean => {
  const [text = ''] = catalogValues([value])
  if (condition === null || typeof condition === 'string' || isList(condition)) {
    return listOf(condition).includes(text)
  }
  if ('not' in condition) return !listOf(condition.not).includes(text)
  return text !== defaultPartitionName && inRange(rangeOf(condition), text)
}

const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`

/** One condition: fixed text, or a list that can be split. */
type Clause = { readonly text: string } | { readonly name: string; readonly values: readonly string[] }

const clauseText = (clause: Clause): string => {
  if ('text' in clause) return clause.text
  const values = clause.values.map(quoted)
  return values.length === 1 ? `${clause.name} = ${values[0]}` : `${clause.name} IN (${values.join(', ')})`
}

const clauseOf = (name: string, condition: PartitionCondition): Clause => {
  if (condition === null || typeof condition === 'string' || isList(condition)) {
    return { name, values: listOf(condition) }
  }
  if ('not' in condition) {
    const values = listOf(condition.not)
    return { text: values.map((value) => `${name} <> ${quoted(value)}`).join(' AND ') }
  }
  const range = rangeOf(condition)
  const { from, to, after, before } = range
  const parts = [
    ...(from === undefined ? [] : [`${name} >= ${quoted(from)}`]),
    ...(to === undefined ? [] : [`${name} <= ${quoted(to)}`]),
    ...(after === undefined ? [] : [`${name} > ${quoted(after)}`]),
    ...(before === undefined ? [] : [`${name} < ${quoted(before)}`]),
    // As a text it is greater than every date.
    ...(inRange(range, defaultPartitionName) ? [`${name} <> ${quoted(defaultPartitionName)}`] : []),
  ]
  return { text: parts.join(' AND ') }
}

const splitExpression = (bound: BoundTable, filter: PartitionFilter): string[] => {
  const clauses: Clause[] = []
  for (const [name, condition] of Object.entries(filter)) {
    if (condition === undefined) continue
    const clause = clauseOf(name, condition)
    if ('values' in clause && clause.values.length === 0) return []
    if (parserKeywords.has(name) || !/^[a-z_]/.test(name)) continue
    if (!('text' in clause) || clause.text !== '') clauses.push(clause)
  }
  return split(bound, clauses)
}

const split = (bound: BoundTable, clauses: readonly Clause[]): string[] => {
  const expression = clauses.map(clauseText).join(' AND ')
  if (expression.length <= longestExpression) return [expression]
  const size = (clause: Clause) =>
    'values' in clause && clause.values.length > 1 ? clauseText(clause).length : 0
  const longest = clauses.reduce((one, other) => (size(other) > size(one) ? other : one))
  if (!('values' in longest) || longest.values.length === 1) {
    throw refuse(
      `The filter on the partitions of table ${tableName(bound)} is ${expression.length} characters as Glue's expression, and Glue takes ${longestExpression}; ask for fewer conditions at once.`,
    )
  }
  const { name, values } = longest
  const half = Math.ceil(values.length / 2)
  return [values.slice(0, half), values.slice(half)].flatMap((some) =>
    split(
      bound,
      clauses.map((clause) => (clause === longest ? { name, values: some } : clause)),
    ),
  )
}

const refuse = (message: string) => new ConfigurationError({ code: 'PARTITION_FILTER_INVALID', message })
