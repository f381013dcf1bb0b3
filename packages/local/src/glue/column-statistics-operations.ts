import type { Catalog } from './catalog.ts'
import { entityNotFound, errorDetail } from './catalog-errors.ts'
import type { ColumnStatistics } from './catalog-model.ts'
import type { TableState } from './catalog-store.ts'
import { columnStatistics } from './column-statistics-input.ts'
import { nameLimits, partitionValueLimits } from './definition-input.ts'
import type { GlueOperations } from './glue-operations.ts'
import type { InputMembers } from './input-members.ts'
import { databaseName, tableName } from './table-operations.ts'
import { partitionKeyOf } from './table-partitions.ts'

/** What statistics are of: a table, or one of its partitions. */
interface StatisticsOwner {
  readonly state: TableState
  readonly partition?: readonly string[]
  readonly columns: ReadonlyMap<string, ColumnStatistics> | undefined
}

/** The operations on column statistics, which are kept and given back, and decide nothing here. */
export function columnStatisticsOperations({ store }: Catalog): GlueOperations {
  const ofTable = (input: InputMembers): StatisticsOwner => {
    const state = store.requireTable(databaseName(input), tableName(input))
    return { state, columns: state.statistics }
  }
  const ofPartition = (input: InputMembers): StatisticsOwner => {
    const { state } = ofTable(input)
    const partition = input.strings('PartitionValues', {}, partitionValueLimits)
    if (state.partitions.get(partition) === undefined) throw entityNotFound('Cannot find partition.')
    return { state, partition, columns: state.partitionStatistics.get(partitionKeyOf(partition))?.columns }
  }
  const commit = (
    { state: { table }, partition }: StatisticsOwner,
    change: { readonly put?: readonly ColumnStatistics[]; readonly remove?: readonly string[] },
  ): void => {
    const of = partition === undefined ? {} : { partition }
    store.commit(['column-statistics', table.DatabaseName, table.Name, { ...of, ...change }])
  }

  const update = (owner: StatisticsOwner, input: InputMembers) => {
    const given = input.objects('ColumnStatisticsList', { max: 25 }).map(columnStatistics)
    const names = columnNamesOf(owner.state)
    const put = given.filter((statistics) => names.has(statistics.ColumnName))
    if (put.length > 0) commit(owner, { put })
    const Errors = given
      .filter((statistics) => !names.has(statistics.ColumnName))
      .map((statistics) => ({
        ColumnStatistics: statistics,
        Error: errorDetail(entityNotFound(`Column ${statistics.ColumnName} not found.`)),
      }))
    return { Errors }
  }
  const get = (owner: StatisticsOwner, input: InputMembers) => {
    const names = input.strings('ColumnNames', { max: 100 }, nameLimits)
    const found = (name: string) => owner.columns?.get(name.toLowerCase())
    return {
      ColumnStatisticsList: names.flatMap((name) => found(name) ?? []),
      Errors: names
        .filter((name) => found(name) === undefined)
        .map((ColumnName) => ({ ColumnName, Error: errorDetail(noStatistics()) })),
    }
  }
  const remove = (owner: StatisticsOwner, input: InputMembers) => {
    const name = input.string('ColumnName', nameLimits).toLowerCase()
    // Trino removes those of every column after each CREATE TABLE, whether there are any or not.
    if (owner.columns?.has(name)) commit(owner, { remove: [name] })
    return {}
  }

  return {
    UpdateColumnStatisticsForTable: (input) => update(ofTable(input), input),
    GetColumnStatisticsForTable: (input) => get(ofTable(input), input),
    DeleteColumnStatisticsForTable: (input) => remove(ofTable(input), input),
    UpdateColumnStatisticsForPartition: (input) => update(ofPartition(input), input),
    GetColumnStatisticsForPartition: (input) => get(ofPartition(input), input),
    DeleteColumnStatisticsForPartition: (input) => remove(ofPartition(input), input),
  }
}

const noStatistics = () => entityNotFound('Statistics do not exist for this column')

const columnNamesOf = ({ table }: TableState): ReadonlySet<string> =>
  new Set(
    [...(table.StorageDescriptor?.Columns ?? []), ...(table.PartitionKeys ?? [])].map((column) =>
      column.Name.toLowerCase(),
    ),
  )
