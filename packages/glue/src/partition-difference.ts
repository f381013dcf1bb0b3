import type { Column, Partition, PartitionInput, StorageDescriptor } from '@aws-sdk/client-glue'
import type { TableDifference } from './errors.ts'
import { withSlash } from './partition-values.ts'

/** Parameters of a partition that stockpipe keeps begin so: its location was chosen by it on purpose. */
export const ownParameterPrefix = 'stockpipe.'

/** Whether the partition's location was switched on purpose, as compaction and the bars do. */
export const isSwitched = (parameters: Readonly<Record<string, string>> | undefined): boolean =>
  Object.keys(parameters ?? {}).some((name) => name.startsWith(ownParameterPrefix))

const foldName = (name: string | undefined) => (name ?? '').toLowerCase()
const foldType = (type: string | undefined) => (type ?? '').toLowerCase().replace(/\s+/g, '')
const columnTexts = (descriptor: StorageDescriptor | undefined) =>
  (descriptor?.Columns ?? []).map(({ Name, Type }) => `${foldName(Name)} ${foldType(Type)}`)

/**
 * In which ways a partition of the catalog is not as wanted, but for its location. Columns the catalog has after those
 * wanted are a later definition's, and no difference.
 */
export const comparePartition = (
  existing: Partition,
  wanted: StorageDescriptor,
): readonly TableDifference[] => {
  const differences: TableDifference[] = []
  const compare = (what: string, inCatalog: string | undefined, inDefinition: string | undefined) => {
    if (inCatalog !== inDefinition) differences.push({ what, inCatalog, inDefinition })
  }
  const has = existing.StorageDescriptor
  compare('input format', has?.InputFormat, wanted.InputFormat)
  compare('output format', has?.OutputFormat, wanted.OutputFormat)
  compare('SerDe', has?.SerdeInfo?.SerializationLibrary, wanted.SerdeInfo?.SerializationLibrary)
  const columns = columnTexts(has)
  columnTexts(wanted).forEach((column, index) => {
    compare(`column ${index + 1}`, columns[index], column)
  })
  return differences
}

/** Whether the two locations are the same folder. */
export const sameLocation = (one: string | undefined, other: string | undefined): boolean =>
  withSlash(one) === withSlash(other)

/** The partition as the catalog has it, read as wanted: what the definition says nothing of is kept. */
export const mendedInput = (existing: Partition, wanted: StorageDescriptor): PartitionInput => ({
  ...keptInput(existing),
  StorageDescriptor: { ...existing.StorageDescriptor, ...wanted, Columns: mendedColumns(existing, wanted) },
})

/** The wanted columns, and those of a later definition after them. */
const mendedColumns = (existing: Partition, { Columns: wanted = [] }: StorageDescriptor): Column[] => {
  const names = new Set(wanted.map(({ Name }) => foldName(Name)))
  const later = (existing.StorageDescriptor?.Columns ?? []).slice(wanted.length)
  return [...wanted, ...later.filter(({ Name }) => !names.has(foldName(Name)))]
}

/** The partition as an update takes it, unchanged. */
export const keptInput = (existing: Partition): PartitionInput => {
  const input: PartitionInput = { Values: existing.Values }
  for (const member of ['StorageDescriptor', 'Parameters', 'LastAccessTime', 'LastAnalyzedTime'] as const) {
    if (existing[member] !== undefined) Object.assign(input, { [member]: existing[member] })
  }
  return input
}
