import {
  BatchCreatePartitionCommand,
  BatchUpdatePartitionCommand,
  type Partition,
} from '@aws-sdk/client-glue'
import {
  type BoundTable,
  boundTable,
  type ColumnRecord,
  type PartitionRecord,
  systemRuntime,
} from '@stockpipe/core'
import type { PartitionFailure, TableDifference } from './errors.ts'
import { backOff, type GlueCall, maximumAttempts } from './glue-request.ts'
import { comparePartition, isSwitched, mendedInput, sameLocation } from './partition-difference.ts'
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
  defaultLocation,
  keyOf,
  namedValues,
  orderedValues,
  type PartitionValues,
} from './partition-values.ts'
import { storageDescriptor } from './table-input.ts'

/** Glue takes at most 100 partitions a BatchCreatePartition or BatchUpdatePartition. */
export const writeBatchSize = 100

/** A partition to be made. */
export interface NewPartition<Partitions extends PartitionRecord = PartitionRecord> {
  readonly values: PartitionValues<Partitions>
  /** `s3://bucket/prefix/`. Default where the sink puts its files: `name=value/` below the table's location. */
  readonly location?: string
  readonly parameters?: Readonly<Record<string, string>>
}

export interface CreatePartitionsOptions<Columns extends ColumnRecord, Partitions extends PartitionRecord>
  extends PartitionOptions<Columns, Partitions> {
  readonly partitions: Iterable<NewPartition<Partitions>>
  /**
   * What becomes of one that is there with another location: `refuse` (the default) is a failure that names both,
   * `mend` gives it the location asked for; the files at the old one are then no longer found. One whose location was
   * switched on purpose (`CatalogPartition.switched`) is left alone either way.
   */
  readonly onOtherLocation?: 'refuse' | 'mend'
  readonly onProgress?: (progress: PartitionProgress) => void
}

/** A partition that was there, and how it was not as defined. */
export interface MendedPartition<Partitions extends PartitionRecord = PartitionRecord> {
  readonly values: PartitionValues<Partitions>
  readonly differences: readonly TableDifference[]
}

/** A partition that was left alone, because its location was switched on purpose. */
export interface SwitchedPartition<Partitions extends PartitionRecord = PartitionRecord> {
  readonly values: PartitionValues<Partitions>
  /** Where the catalog has it. */
  readonly location: string
  /** Where it was to be. */
  readonly wantedLocation: string
}

export interface CreatedPartitions<Partitions extends PartitionRecord = PartitionRecord> {
  /** How many were made. */
  readonly created: number
  /** How many were there as defined. */
  readonly unchanged: number
  readonly mended: readonly MendedPartition<Partitions>[]
  readonly switched: readonly SwitchedPartition<Partitions>[]
}

/**
 * Makes partitions, 100 a call. One that is there is compared: columns, formats and SerDe that are not as defined are
 * mended, and told of. Safe to repeat.
 *
 * Throws a `PartitionBatchError` that lists each partition Glue did not take (the others are made), a
 * `GlueRequestError` when a whole call fails, a `ConfigurationError` for values that cannot be.
 */
export const createPartitions = async <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  options: CreatePartitionsOptions<Columns, Partitions>,
): Promise<CreatedPartitions<Partitions>> => {
  const { client, signal, runtime = systemRuntime, onOtherLocation = 'refuse' } = options
  const table = boundTable(options.table)
  const items = new Map<string, PartitionItem>()
  for (const partition of options.partitions) {
    const values = orderedValues(table, partition.values)
    const location = checkedLocation(table, partition.location ?? defaultLocation(table, values))
    const parameters = partition.parameters
    items.set(keyOf(values), { values, location, ...(parameters ? { parameters } : {}) })
  }
  const call: GlueCall = { client, runtime, signal }
  const outcome = newOutcome()
  let done = 0
  for (const batch of batchesOf([...items.values()], writeBatchSize)) {
    await createBatch(call, table, batch, onOtherLocation, outcome)
    done += batch.length
    options.onProgress?.({ done, total: items.size })
  }
  if (outcome.failures.length > 0) {
    throw batchError(table, 'BatchCreatePartition', outcome.failures, items.size)
  }
  return {
    created: outcome.created.length,
    unchanged: outcome.unchanged.length,
    mended: outcome.mended.map(({ item, differences }) => ({
      values: namedValues<Partitions>(table, item.values),
      differences,
    })),
    switched: outcome.switched.map((found) => switchedPartition<Partitions>(table, found)),
  }
}

/** A partition to be made, in the catalog's order. */
export interface PartitionItem extends BatchItem {
  readonly parameters?: Readonly<Record<string, string>>
}

/** What became of the partitions of batches. */
export interface CreateOutcome {
  readonly created: PartitionItem[]
  readonly unchanged: PartitionItem[]
  readonly mended: { readonly item: PartitionItem; readonly differences: readonly TableDifference[] }[]
  readonly switched: { readonly item: PartitionItem; readonly location: string }[]
  readonly failures: PartitionFailure[]
}

export const newOutcome = (): CreateOutcome => ({
  created: [],
  unchanged: [],
  mended: [],
  switched: [],
  failures: [],
})

/** As it is told to whoever asked. */
export const switchedPartition = <Partitions extends PartitionRecord>(
  table: BoundTable,
  { item, location }: CreateOutcome['switched'][number],
): SwitchedPartition<Partitions> => ({
  values: namedValues<Partitions>(table, item.values),
  location,
  wantedLocation: item.location,
})

/** Makes up to 100 partitions, or mends those that are there; adds to `outcome` what became of each. */
export const createBatch = async (
  call: GlueCall,
  table: BoundTable,
  batch: readonly PartitionItem[],
  onOtherLocation: 'refuse' | 'mend',
  outcome: CreateOutcome,
): Promise<void> => {
  let pending = batch
  for (let round = 1; ; round++) {
    const { refused, strange } = await sendCreate(call, table, pending)
    outcome.failures.push(...strange)
    const notMade = new Set(refused.map(({ item }) => item))
    outcome.created.push(...pending.filter((item) => !notMade.has(item)))
    const existing: PartitionItem[] = []
    for (const { item, failure } of refused) {
      if (failure.serviceError === 'AlreadyExistsException') existing.push(item)
      else outcome.failures.push(failure)
    }
    const gone = await settleExisting(call, table, existing, onOtherLocation, outcome)
    if (gone.length === 0) return
    if (round >= maximumAttempts) {
      for (const { values, location } of gone) {
        const message = 'it was there, and was gone again'
        outcome.failures.push({ values, location, serviceError: 'ConcurrentModificationException', message })
      }
      return
    }
    pending = gone
    await backOff(call, round)
  }
}

const sendCreate = (call: GlueCall, table: BoundTable, batch: readonly PartitionItem[]) =>
  sendBatch(call, table, 'BatchCreatePartition', batch, async (items, sendOptions) => {
    const answer = await call.client.send(
      new BatchCreatePartitionCommand({
        DatabaseName: table.database,
        TableName: table.table.name,
        PartitionInputList: items.map(({ values, location, parameters }) => ({
          Values: [...values],
          StorageDescriptor: storageDescriptor(table, location),
          ...(parameters ? { Parameters: { ...parameters } } : {}),
        })),
      }),
      sendOptions,
    )
    return (answer.Errors ?? []).map((error) => ({
      values: error.PartitionValues,
      detail: error.ErrorDetail,
    }))
  })

/** Compares and mends those Glue says it has; answers those that are gone meanwhile. */
const settleExisting = async (
  call: GlueCall,
  table: BoundTable,
  items: readonly PartitionItem[],
  onOtherLocation: 'refuse' | 'mend',
  outcome: CreateOutcome,
): Promise<PartitionItem[]> => {
  const gone: PartitionItem[] = []
  const toMend: MendItem[] = []
  const found = await fetchPartitions(
    call,
    table,
    items.map(({ values }) => values),
  )
  for (const item of items) {
    const existing = found.get(keyOf(item.values))
    if (existing === undefined) {
      gone.push(item)
      continue
    }
    const location = existing.StorageDescriptor?.Location
    const elsewhere = !sameLocation(location, item.location)
    if (elsewhere && isSwitched(existing.Parameters)) {
      outcome.switched.push({ item, location: location ?? '' })
    } else if (elsewhere && onOtherLocation === 'refuse') {
      outcome.failures.push({
        values: item.values,
        location: item.location,
        serviceError: 'AlreadyExistsException',
        message: `it is registered with location ${location ?? '(none)'}`,
      })
    } else {
      const differences = [...comparePartition(existing, storageDescriptor(table, item.location))]
      if (elsewhere) {
        differences.push({ what: 'location', inCatalog: location, inDefinition: item.location })
      }
      if (differences.length === 0) outcome.unchanged.push(item)
      else toMend.push({ ...item, item, existing, differences })
    }
  }
  if (toMend.length > 0) gone.push(...(await mend(call, table, toMend, outcome)))
  return gone
}

interface MendItem extends PartitionItem {
  readonly item: PartitionItem
  readonly existing: Partition
  readonly differences: readonly TableDifference[]
}

const mend = async (
  call: GlueCall,
  table: BoundTable,
  batch: readonly MendItem[],
  outcome: CreateOutcome,
): Promise<PartitionItem[]> => {
  const gone: PartitionItem[] = []
  const { refused, strange } = await sendBatch(
    call,
    table,
    'BatchUpdatePartition',
    batch,
    async (items, sendOptions) => {
      const answer = await call.client.send(
        new BatchUpdatePartitionCommand({
          DatabaseName: table.database,
          TableName: table.table.name,
          Entries: items.map(({ values, location, existing }) => ({
            PartitionValueList: [...values],
            PartitionInput: mendedInput(existing, storageDescriptor(table, location)),
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
  outcome.failures.push(...strange)
  const notMended = new Map(refused.map(({ item, failure }) => [item, failure]))
  for (const one of batch) {
    const failure = notMended.get(one)
    if (failure === undefined) outcome.mended.push({ item: one.item, differences: one.differences })
    else if (failure.serviceError === 'EntityNotFoundException') gone.push(one.item)
    else outcome.failures.push(failure)
  }
  return gone
}
