import {
  BatchUpdatePartitionCommand,
  type PartitionInput,
  type StorageDescriptor,
} from '@aws-sdk/client-glue'
import { boundTable, type ColumnRecord, type PartitionRecord, systemRuntime } from '@stockpipe/core'
import { writeBatchSize } from './create-partitions.ts'
import type { PartitionFailure } from './errors.ts'
import type { GlueCall } from './glue-request.ts'
import { keptInput, mendedInput } from './partition-difference.ts'
import {
  type BatchItem,
  batchError,
  batchesOf,
  fetchPartitions,
  type PartitionOptions,
  type PartitionProgress,
  sendBatch,
} from './partition-request.ts'
import {
  checkedLocation,
  keyOf,
  type NamedTable,
  orderedValues,
  type PartitionValues,
} from './partition-values.ts'
import { storageDescriptor } from './table-input.ts'

/** What is to be changed of a partition; what is not named stays. */
export interface PartitionUpdate<Partitions extends PartitionRecord = PartitionRecord> {
  readonly values: PartitionValues<Partitions>
  readonly location?: string
  /** Set by name; null takes one away. */
  readonly parameters?: Readonly<Record<string, string | null>>
  /** `definition`: columns, formats and SerDe become those of the table's definition. Default they stay. */
  readonly columns?: 'definition'
}

export interface UpdatePartitionsOptions<Columns extends ColumnRecord, Partitions extends PartitionRecord>
  extends PartitionOptions<Columns, Partitions> {
  readonly partitions: Iterable<PartitionUpdate<Partitions>>
  readonly onProgress?: (progress: PartitionProgress) => void
}

interface UpdateItem extends BatchItem {
  readonly input: PartitionInput
}

/**
 * Changes partitions, 100 a call: each is read, and written with what is named changed. Each changes at once, for queries
 * that begin afterwards. Glue has no versions of partitions: of two programs that change one, the last wins.
 *
 * Throws a `PartitionBatchError` that lists those not changed, such as `EntityNotFoundException` for one that is not
 * there, and a `GlueRequestError` when a whole call fails.
 */
export const updatePartitions = async <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  options: UpdatePartitionsOptions<Columns, Partitions>,
): Promise<{ readonly updated: number }> => {
  const { client, signal, runtime = systemRuntime } = options
  const table = boundTable(options.table)
  const updates = new Map<string, { values: readonly string[]; update: PartitionUpdate }>()
  for (const update of options.partitions) {
    const values = orderedValues(table, update.values)
    const location =
      update.location === undefined ? {} : { location: checkedLocation(table, update.location) }
    updates.set(keyOf(values), { values, update: { ...update, ...location } })
  }
  const call: GlueCall = { client, runtime, signal }
  const failures: PartitionFailure[] = []
  let done = 0
  for (const batch of batchesOf([...updates.values()], writeBatchSize)) {
    failures.push(
      ...(await updateBatch(call, table, batch, (location) => storageDescriptor(table, location))),
    )
    done += batch.length
    options.onProgress?.({ done, total: updates.size })
  }
  if (failures.length > 0) throw batchError(table, 'BatchUpdatePartition', failures, updates.size)
  return { updated: updates.size }
}

/**
 * Changes up to 100 partitions, and answers those that were not. `descriptorAt` is the table's descriptor at a location, for
 * those that get the columns of the definition.
 */
export const updateBatch = async (
  call: GlueCall,
  table: NamedTable,
  batch: readonly { readonly values: readonly string[]; readonly update: Omit<PartitionUpdate, 'values'> }[],
  descriptorAt: (location: string) => StorageDescriptor,
): Promise<PartitionFailure[]> => {
  const failures: PartitionFailure[] = []
  const found = await fetchPartitions(
    call,
    table,
    batch.map(({ values }) => values),
  )
  const items = batch.flatMap(({ values, update }): UpdateItem[] => {
    const existing = found.get(keyOf(values))
    if (existing === undefined) {
      failures.push({
        values,
        location: update.location ?? '',
        serviceError: 'EntityNotFoundException',
        message: 'the catalog has no such partition',
      })
      return []
    }
    const location = update.location ?? existing.StorageDescriptor?.Location ?? ''
    const input =
      update.columns === 'definition'
        ? mendedInput(existing, descriptorAt(location))
        : {
            ...keptInput(existing),
            StorageDescriptor: { ...existing.StorageDescriptor, Location: location },
          }
    return [{ values, location, input: { ...input, Parameters: parametersOf(input, update) } }]
  })
  if (items.length === 0) return failures
  const { refused, strange } = await sendBatch(
    call,
    table,
    'BatchUpdatePartition',
    items,
    async (some, sendOptions) => {
      const answer = await call.client.send(
        new BatchUpdatePartitionCommand({
          DatabaseName: table.database,
          TableName: table.table.name,
          Entries: some.map(({ values, input }) => ({
            PartitionValueList: [...values],
            PartitionInput: input,
          })),
        }),
        sendOptions,
      )
      return (answer.Errors ?? []).map((error) => ({
        values: error.PartitionValueList,
        detail: error.ErrorDetail,
      }))
    },
  )
  return [...failures, ...strange, ...refused.map(({ failure }) => failure)]
}

const parametersOf = (
  input: PartitionInput,
  { parameters = {} }: Omit<PartitionUpdate, 'values'>,
): Record<string, string> => {
  const all: Record<string, string> = { ...input.Parameters }
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null) delete all[name]
    else all[name] = value
  }
  return all
}
