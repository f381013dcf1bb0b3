import { alreadyExists, invalidInput, limitExceeded } from './catalog-errors.ts'
import { catalogLimits } from './catalog-limits.ts'
import type { PartitionIndex, TableDefinition } from './catalog-model.ts'
import { nameLimits } from './definition-input.ts'
import type { InputMembers } from './input-members.ts'
import { isIndexable } from './partition-index.ts'

/** Reads a PartitionIndex of a table. */
export function partitionIndex(input: InputMembers, table: TableDefinition) {
  const IndexName = input.string('IndexName', nameLimits)
  const Keys = input.strings('Keys', { min: 1 }, nameLimits).map((key) => key.toLowerCase())
  for (const [at, name] of Keys.entries()) {
    const key = table.PartitionKeys?.find((one) => one.Name.toLowerCase() === name)
    if (key === undefined) throw invalidInput(`The key ${name} of index ${IndexName} is not a partition key.`)
    if (!isIndexable(key.Type ?? 'string')) {
      throw invalidInput(
        `The key ${name} of index ${IndexName} has the type ${key.Type}, which has no index.`,
      )
    }
    if (Keys.indexOf(name) !== at) throw invalidInput(`The key ${name} is twice in index ${IndexName}.`)
  }
  return { IndexName, Keys }
}

/** The indexes a table is created with; without partitions there is nothing to wait for. */
export function initialIndexes(input: InputMembers, table: TableDefinition): readonly PartitionIndex[] {
  const indexes = input.optionalObjects('PartitionIndexes') ?? []
  refuseMoreIndexes(indexes.length)
  const made = indexes.map((index) => ({ ...partitionIndex(index, table), changedAtMillis: 0 }))
  const repeated = made.find((index, at) => made.findIndex((one) => one.IndexName === index.IndexName) !== at)
  if (repeated !== undefined) throw alreadyExists(`Partition index ${repeated.IndexName} already exists.`)
  return made
}

/** @throws ResourceNumberLimitExceededException where `count` is more than a table can have */
export function refuseMoreIndexes(count: number): void {
  const { indexesPerTable } = catalogLimits
  if (count <= indexesPerTable) return
  throw limitExceeded(`Number of partition indexes of a table exceeds the limit of ${indexesPerTable}.`)
}
