import { type HiveType, hiveTypeText } from './hive-type.ts'

/** How Athena names the failure to read a file or partition under the table's new type. */
export type ReadErrorName = 'HIVE_BAD_DATA' | 'HIVE_PARTITION_SCHEMA_MISMATCH' | 'GENERIC_INTERNAL_ERROR'

/**
 * What queries get from Parquet files written under the old type: the same values (`read`), NULL, values that are
 * `hidden` from then on, others than were written (`lossy`), or an `error` that ends the query.
 */
export type ReadOutcome =
  | { readonly outcome: 'read' | 'null' | 'hidden' | 'lossy'; readonly reason: string }
  | { readonly outcome: 'error'; readonly error: ReadErrorName; readonly reason: string }

/** Whether a table's partitions have column lists of their own, which Athena compares with the table's. */
export type PartitionSchemas = 'own' | 'none'

/** One verdict and the place in the type it is about; empty for the column itself. */
export type TypeVerdict = ReadOutcome & { readonly path: string }

const integers = ['tinyint', 'smallint', 'int', 'bigint']
const isText = (name: string) => name === 'string' || /^(?:var)?char\(/.test(name)

/**
 * What becomes of old files when a type changes: a verdict for each place that differs, none for types that are the same.
 * Where engines differ the stricter counts: Athena's own rules rather than those of newer versions of Trino.
 */
export const typeEvolution = (
  before: HiveType,
  after: HiveType,
  partitions: PartitionSchemas,
  path = '',
): readonly TypeVerdict[] => {
  const [old, next] = [hiveTypeText(before), hiveTypeText(after)]
  if (old === next) return []
  if (before.kind === 'array' && after.kind === 'array') {
    return typeEvolution(before.element, after.element, partitions, within(path, 'element'))
  }
  if (before.kind === 'map' && after.kind === 'map') {
    return [
      ...typeEvolution(before.key, after.key, partitions, within(path, 'key')),
      ...typeEvolution(before.value, after.value, partitions, within(path, 'value')),
    ]
  }
  if (before.kind === 'struct' && after.kind === 'struct') {
    return structEvolution(before, after, partitions, path)
  }
  const verdict = scalarEvolution(before, after, partitions)
  return [{ ...(verdict ?? unreadable(old, next, partitions)), path }]
}

const within = (path: string, step: string) => (path === '' ? step : `${path}.${step}`)

/** The verdict for types of the same family; undefined where Athena reads nothing of the one as the other. */
const scalarEvolution = (
  before: HiveType,
  after: HiveType,
  partitions: PartitionSchemas,
): ReadOutcome | undefined => {
  if (before.kind === 'decimal' && after.kind === 'decimal')
    return decimalEvolution(before, after, partitions)
  if (before.kind !== 'plain' || after.kind !== 'plain') return undefined
  const [from, to] = [integers.indexOf(before.name), integers.indexOf(after.name)]
  if (from >= 0 && to > from) return read('a wider integer: old values are read as they are')
  if (from >= 0 && to >= 0 && partitions === 'none') {
    return error(
      'GENERIC_INTERNAL_ERROR',
      `a value that ${after.name} cannot hold ends the query with 'integer overflow'`,
    )
  }
  if (before.name === 'float' && after.name === 'double') return read('old values are read as doubles')
  if (before.name === 'timestamp' && after.name === 'bigint' && partitions === 'none') {
    return { outcome: 'lossy', reason: 'old values are read as milliseconds since 1970' }
  }
  if (isText(before.name) && isText(after.name) && partitions === 'none') {
    const cut = after.name === 'string' ? undefined : `values are cut or padded to ${after.name}`
    return cut === undefined ? read('the same text') : { outcome: 'lossy', reason: cut }
  }
  return undefined
}

const decimalEvolution = (
  before: { readonly precision: number; readonly scale: number },
  after: { readonly precision: number; readonly scale: number },
  partitions: PartitionSchemas,
): ReadOutcome | undefined => {
  // Athena's list of types that a partition may have other than its table has no decimals.
  if (partitions === 'own') return undefined
  if (after.precision - after.scale < before.precision - before.scale) {
    return error('GENERIC_INTERNAL_ERROR', 'a value with more digits before the point ends the query')
  }
  return after.scale < before.scale
    ? { outcome: 'lossy', reason: `old values are rounded to ${after.scale} decimal places` }
    : read('old values are rescaled, exactly')
}

const structEvolution = (
  before: HiveType & { readonly kind: 'struct' },
  after: HiveType & { readonly kind: 'struct' },
  partitions: PartitionSchemas,
  path: string,
): readonly TypeVerdict[] => {
  const verdicts: TypeVerdict[] = []
  const names = after.fields.map(({ name }) => name)
  const keepsOrder = before.fields.every(({ name }, index) => names[index] === name)
  if (!keepsOrder && partitions === 'own') {
    // Partitions are compared field by field, by position.
    return [{ ...unreadable(hiveTypeText(before), hiveTypeText(after), partitions), path }]
  }
  for (const { name, type } of before.fields) {
    const next = after.fields.find((field) => field.name === name)
    if (next) verdicts.push(...typeEvolution(type, next.type, partitions, within(path, name)))
    else
      verdicts.push({
        path: within(path, name),
        outcome: 'hidden',
        reason: 'no query sees the field any more; its values stay in the files',
      })
  }
  for (const { name } of after.fields) {
    if (before.fields.some((field) => field.name === name)) continue
    verdicts.push({ path: within(path, name), outcome: 'null', reason: 'NULL in rows of old files' })
  }
  if (verdicts.length === 0) {
    verdicts.push({ path, ...read('fields of files are found by name, whatever their order') })
  }
  return verdicts
}

const read = (reason: string): ReadOutcome => ({ outcome: 'read', reason })
const error = (name: ReadErrorName, reason: string): ReadOutcome => ({
  outcome: 'error',
  error: name,
  reason: `${name}: ${reason}`,
})

const unreadable = (before: string, after: string, partitions: PartitionSchemas): ReadOutcome =>
  partitions === 'own'
    ? error(
        'HIVE_PARTITION_SCHEMA_MISMATCH',
        `registered partitions declare ${before}, which cannot be coerced to ${after}`,
      )
    : error('HIVE_BAD_DATA', `the ${before} in old files is incompatible with ${after} in the table`)
