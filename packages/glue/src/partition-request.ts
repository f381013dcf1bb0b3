import { BatchGetPartitionCommand, type ErrorDetail, type Partition } from '@aws-sdk/client-glue'
import type { BoundTable, ColumnRecord, PartitionRecord, Runtime } from '@stockpipe/core'
import { PartitionBatchError, type PartitionFailure } from './errors.ts'
import {
  backOff,
  type GlueCall,
  type GlueSender,
  isRetryable,
  maximumAttempts,
  request,
} from './glue-request.ts'
import { type CatalogValues, keyOf, type NamedTable, shownPartition, tableName } from './partition-values.ts'

/** How far a long piece of work on partitions is. */
export interface PartitionProgress {
  readonly done: number
  readonly total: number
}

/** What every function on partitions takes. */
export interface PartitionOptions<Columns extends ColumnRecord, Partitions extends PartitionRecord> {
  readonly client: GlueSender
  readonly table: BoundTable<Columns, Partitions>
  readonly runtime?: Runtime
  /** Aborting rejects with `signal.reason`; what Glue has taken by then stays. */
  readonly signal?: AbortSignal
}

/** One partition of a batch, as the catalog names it. */
export interface BatchItem {
  readonly values: CatalogValues
  readonly location: string
}

/** An item Glue did not take, and why. */
export interface RefusedItem<Item extends BatchItem> {
  readonly item: Item
  readonly failure: PartitionFailure
}

/** The errors of one call, by the values Glue gives with them. */
export type ItemErrors = readonly {
  readonly values: readonly string[] | undefined
  readonly detail: ErrorDetail | undefined
}[]

/** Splits items into batches of at most `size`. */
export function* batchesOf<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size)
}

/**
 * Sends one batch, and those of its items again whose failure passes; answers those that were refused for good.
 * A failure Glue gives with values nobody asked for is a refusal of its own.
 */
export const sendBatch = async <Item extends BatchItem>(
  call: GlueCall,
  bound: NamedTable,
  operation: string,
  batch: readonly Item[],
  send: (items: readonly Item[], sendOptions: { abortSignal?: AbortSignal }) => Promise<ItemErrors>,
): Promise<{
  readonly refused: readonly RefusedItem<Item>[]
  readonly strange: readonly PartitionFailure[]
}> => {
  const refused: RefusedItem<Item>[] = []
  const strange: PartitionFailure[] = []
  let pending = new Map(batch.map((item) => [keyOf(item.values), item]))
  for (let attempt = 1; ; attempt++) {
    const what = `${pending.size} partitions of ${tableName(bound)}`
    const { errors } = await request(call, operation, what, async (sendOptions) => ({
      errors: await send([...pending.values()], sendOptions),
    }))
    const again = new Map<string, Item>()
    for (const { values, detail } of errors) {
      const key = keyOf(values ?? [])
      const item = pending.get(key)
      const failure: PartitionFailure = {
        values: item?.values ?? values ?? [],
        location: item?.location ?? '',
        serviceError: detail?.ErrorCode ?? 'UnknownError',
        message: detail?.ErrorMessage ?? '',
      }
      if (item === undefined) strange.push(failure)
      else if (isRetryable(failure.serviceError) && attempt < maximumAttempts) again.set(key, item)
      else refused.push({ item, failure })
    }
    if (again.size === 0) return { refused, strange }
    pending = again
    await backOff(call, attempt)
  }
}

/** Glue answers at most so many partitions of BatchGetPartition. */
const getBatchSize = 1000

/** The partitions of these values that are there, by key; keys Glue leaves unprocessed are asked for again. */
export const fetchPartitions = async (
  call: GlueCall,
  bound: NamedTable,
  wanted: readonly CatalogValues[],
): Promise<Map<string, Partition>> => {
  const found = new Map<string, Partition>()
  for (const batch of batchesOf(wanted, getBatchSize)) {
    let keys = batch.map((values) => ({ Values: [...values] }))
    for (let attempt = 1; keys.length > 0; ) {
      const answer = await request(
        call,
        'BatchGetPartition',
        `${keys.length} partitions of ${tableName(bound)}`,
        (sendOptions) =>
          call.client.send(
            new BatchGetPartitionCommand({
              DatabaseName: bound.database,
              TableName: bound.table.name,
              PartitionsToGet: keys,
            }),
            sendOptions,
          ),
      )
      for (const partition of answer.Partitions ?? []) found.set(keyOf(partition.Values ?? []), partition)
      const left = (answer.UnprocessedKeys ?? []).map(({ Values }) => ({ Values: Values ?? [] }))
      // An answer that holds only as much as fits goes on at once; one without progress is waited after.
      attempt = left.length < keys.length ? 1 : attempt + 1
      if (left.length > 0 && attempt > 1) {
        if (attempt > maximumAttempts) throw unprocessed(bound, left, wanted.length)
        await backOff(call, attempt - 1)
      }
      keys = left
    }
  }
  return found
}

const unprocessed = (bound: NamedTable, keys: readonly { readonly Values: string[] }[], asked: number) =>
  batchError(
    bound,
    'BatchGetPartition',
    keys.map(({ Values }) => ({
      values: Values,
      location: '',
      serviceError: 'UnprocessedKeys',
      message: `Glue left it unprocessed in ${maximumAttempts} calls`,
    })),
    asked,
    true,
  )

/** The error that lists partitions Glue did not take. */
export const batchError = (
  bound: NamedTable,
  operation: string,
  failures: readonly PartitionFailure[],
  asked: number,
  retryable = failures.every(({ serviceError }) => isRetryable(serviceError)),
): PartitionBatchError =>
  new PartitionBatchError({
    code: 'PARTITIONS_FAILED',
    message: `Glue ${operation} failed for ${failures.length} of ${asked} partitions of ${tableName(bound)}: ${listFailures(bound, failures)}. The others are done; the same call may be made again.`,
    retryable,
    facts: { operation, database: bound.database, table: bound.table.name, failed: failures.length },
    operation,
    failures,
  })

/** The first three failures in words, and how many more there are. */
export const listFailures = (bound: NamedTable, failures: readonly PartitionFailure[]): string => {
  const listed = failures.slice(0, 3).map(({ values, location, serviceError, message }) => {
    const place = location === '' ? '' : ` at ${location}`
    const told = message === '' ? '' : `: ${message.replace(/\.$/, '')}`
    return `${shownPartition(bound, values)}${place}: ${serviceError}${told}`
  })
  return `${listed.join('; ')}${failures.length > 3 ? `; and ${failures.length - 3} more` : ''}`
}
