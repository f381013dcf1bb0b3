import { ServiceError } from '../http/json-service.ts'
import type { Catalog } from './catalog.ts'
import { alreadyExists, entityNotFound } from './catalog-errors.ts'
import type { PartitionIndex } from './catalog-model.ts'
import type { TableState } from './catalog-store.ts'
import { nameLimits } from './definition-input.ts'
import type { GlueOperations } from './glue-operations.ts'
import { backfillErrorsOf, descriptorOf, statusOf } from './partition-index.ts'
import { partitionIndex, refuseMoreIndexes } from './partition-index-input.ts'
import { databaseName, tableName } from './table-operations.ts'

/** The operations on partition indexes. */
export function partitionIndexOperations({ store }: Catalog): GlueOperations {
  const present = (state: TableState): readonly PartitionIndex[] =>
    state.indexes.filter((index) => statusOf(index, store.nowMillis()) !== undefined)
  const commit = ({ table }: TableState, indexes: readonly PartitionIndex[]): void =>
    store.commit(['partition-indexes', table.DatabaseName, table.Name, indexes])
  return {
    CreatePartitionIndex(input) {
      const state = store.requireTable(databaseName(input), tableName(input))
      const { IndexName, Keys } = partitionIndex(input.object('PartitionIndex'), state.table)
      const indexes = present(state)
      if (indexes.some((index) => index.IndexName === IndexName)) {
        throw alreadyExists(`Partition index ${IndexName} already exists.`)
      }
      refuseMoreIndexes(indexes.length + 1)
      const partitions = state.partitions.list(() => true).map((partition) => partition.Values)
      const BackfillErrors = backfillErrorsOf(Keys, state.table, partitions)
      const index = { IndexName, Keys, changedAtMillis: store.nowMillis() }
      commit(state, [...indexes, BackfillErrors === undefined ? index : { ...index, BackfillErrors }])
      return {}
    },
    GetPartitionIndexes(input) {
      const state = store.requireTable(databaseName(input), tableName(input))
      const descriptors = state.indexes.map((index) => descriptorOf(index, state.table, store.nowMillis()))
      return { PartitionIndexDescriptorList: descriptors.filter((one) => one !== undefined) }
    },
    DeletePartitionIndex(input) {
      const state = store.requireTable(databaseName(input), tableName(input))
      const name = input.string('IndexName', nameLimits)
      const indexes = present(state)
      const found = indexes.find((index) => index.IndexName === name)
      if (found === undefined) throw entityNotFound(`Partition index ${name} not found.`)
      const status = statusOf(found, store.nowMillis())
      if (status === 'CREATING' || status === 'DELETING') {
        throw new ServiceError('ConflictException', `Partition index ${name} is ${status}.`)
      }
      const deleting = { ...found, deleting: true, changedAtMillis: store.nowMillis() }
      commit(
        state,
        indexes.map((index) => (index === found ? deleting : index)),
      )
      return {}
    },
  }
}
