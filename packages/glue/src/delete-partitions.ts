import { BatchDeletePartitionCommand } from '@aws-sdk/client-glue'
import { boundTable, type ColumnRecord, type PartitionRecord, systemRuntime } from '@stockpipe/core'
import type { PartitionFailure } from './errors.ts'
import type { GlueCall } from './glue-request.ts'
import {
  type BatchItem,
  batchError,
  batchesOf,
  type PartitionOptions,
  type PartitionProgress,
  sendBatch,
} from './partition-request.ts'
import { keyOf, orderedValues, type PartitionValues } from './partition-values.ts'

/** Glue takes at most 25 partitions a BatchDeletePartition. */
const deleteBatchSize = 25

export interface DeletePartitionsOptions<Columns extends ColumnRecord, Partitions extends PartitionRecord>
  extends PartitionOptions<Columns, Partitions> {
  readonly partitions: Iterable<PartitionValues<Partitions>>
  readonly onProgress?: (progress: PartitionProgress) => void
}

/**
 * Takes partitions out of the catalog, 25 a call; their files stay. One that is not there is fine, so it is safe to
 * repeat.
 *
 * Throws a `PartitionBatchError` that lists those Glue did not delete, a `GlueRequestError` when a whole call fails.
 */
export const deletePartitions = async <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  options: DeletePartitionsOptions<Columns, Partitions>,
): Promise<{ readonly deleted: number; readonly absent: number }> => {
  const { client, signal, runtime = systemRuntime } = options
  const table = boundTable(options.table)
  const items = new Map<string, BatchItem>()
  for (const partition of options.partitions) {
    const values = orderedValues(table, partition)
    items.set(keyOf(values), { values, location: '' })
  }
  const call: GlueCall = { client, runtime, signal }
  const failures: PartitionFailure[] = []
  let absent = 0
  let done = 0
  for (const batch of batchesOf([...items.values()], deleteBatchSize)) {
    const { refused, strange } = await sendBatch(
      call,
      table,
      'BatchDeletePartition',
      batch,
      async (some, sendOptions) => {
        const answer = await client.send(
          new BatchDeletePartitionCommand({
            DatabaseName: table.database,
            TableName: table.table.name,
            PartitionsToDelete: some.map(({ values }) => ({ Values: [...values] })),
          }),
          sendOptions,
        )
        return (answer.Errors ?? []).map((error) => ({
          values: error.PartitionValues,
          detail: error.ErrorDetail,
        }))
      },
    )
    failures.push(...strange)
    for (const { failure } of refused) {
      if (failure.serviceError === 'EntityNotFoundException') absent += 1
      else failures.push(failure)
    }
    done += batch.length
    options.onProgress?.({ done, total: items.size })
  }
  if (failures.length > 0) throw batchError(table, 'BatchDeletePartition', failures, items.size)
  return { deleted: items.size - absent, absent }
}
