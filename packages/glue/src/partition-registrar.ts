import {
  type BoundTable,
  boundTable,
  ConfigurationError,
  type PartitionRegistrar,
  type PartitionToRegister,
  type Runtime,
  systemRuntime,
  untilAborted,
} from '@stockpipe/core'
import {
  createBatch,
  type MendedPartition,
  newOutcome,
  type PartitionItem,
  type SwitchedPartition,
  switchedPartition,
  writeBatchSize,
} from './create-partitions.ts'
import { type PartitionFailure, PartitionRegistrationError } from './errors.ts'
import { type GlueCall, type GlueSender, isRetryable } from './glue-request.ts'
import { batchesOf, listFailures } from './partition-request.ts'
import { checkedValues, keyOf, namedValues, tableName, withSlash } from './partition-values.ts'

export interface PartitionRegistrarOptions {
  readonly client: GlueSender
  readonly table: BoundTable
  readonly runtime?: Runtime
  /** Ends every registration of this registrar. */
  readonly signal?: AbortSignal
  /**
   * For how long a partition is taken to be as it was registered, in milliseconds; the first rows after that have the
   * catalog asked again, because compaction may have switched its location or somebody may have dropped it. Default 1 hour.
   */
  readonly recheckMillis?: number
  /** Told of partitions that were there with columns, formats or a SerDe not as defined, and are now. */
  readonly onMended?: (partition: MendedPartition) => void
  /**
   * Told of partitions that were left alone because their location was switched on purpose, by compaction or a rebuild:
   * queries do not find what is written to the old location from then on.
   */
  readonly onSwitched?: (partition: SwitchedPartition) => void
}

/**
 * A registrar that makes partitions known to Glue, 100 a call. A partition that is there with the same location is
 * fine, and mended where its columns, formats or SerDe are not as defined; failures that pass are tried again;
 * partitions registered before are not asked about again.
 *
 * `register` throws a `PartitionRegistrationError` that lists each partition Glue did not take (the others are
 * registered), a `GlueRequestError` when a whole call fails, and `signal.reason` when aborted.
 */
export const createPartitionRegistrar = (options: PartitionRegistrarOptions): PartitionRegistrar => {
  const { client, runtime = systemRuntime, recheckMillis = 3_600_000 } = options
  const table = boundTable(options.table)
  const registered = new Map<string, { readonly location: string; readonly until: number }>()
  const registerBatch = async (
    call: GlueCall,
    batch: readonly PartitionItem[],
    onSwitched: ((partition: PartitionToRegister) => void) | undefined,
  ) => {
    const outcome = newOutcome()
    const until = runtime.monotonic() + recheckMillis
    await createBatch(call, table, batch, 'refuse', outcome)
    const failed = new Set(outcome.failures.map(({ values }) => keyOf(values)))
    for (const { values, location } of batch) {
      if (!failed.has(keyOf(values))) registered.set(keyOf(values), { location: withSlash(location), until })
    }
    for (const { item, differences } of outcome.mended) {
      options.onMended?.({ values: namedValues(table, item.values), differences })
    }
    for (const found of outcome.switched) {
      options.onSwitched?.(switchedPartition(table, found))
      onSwitched?.(found.item)
    }
    return outcome.failures
  }
  return {
    async register(partitions, { signal, onSwitched } = {}) {
      if (table.table.partitions.length === 0) return
      const wanted = new Map<string, PartitionItem>()
      for (const partition of partitions) {
        const item = itemOf(table, partition)
        const key = keyOf(item.values)
        const known = registered.get(key)
        if (known?.location !== withSlash(item.location) || known.until <= runtime.monotonic())
          wanted.set(key, item)
      }
      const failures: PartitionFailure[] = []
      await untilAborted([options.signal, signal], async (either) => {
        const call: GlueCall = { client, runtime, signal: either }
        for (const batch of batchesOf([...wanted.values()], writeBatchSize)) {
          failures.push(...(await registerBatch(call, batch, onSwitched)))
        }
      })
      if (failures.length > 0) throw registrationError(table, failures, wanted.size)
    },
  }
}

const itemOf = (bound: BoundTable, { values, location }: PartitionToRegister): PartitionItem => {
  const { partitions } = bound.table
  if (values.length !== partitions.length || !location.startsWith('s3://')) {
    throw new ConfigurationError({
      code: 'PARTITION_INVALID',
      message: `A partition of table ${tableName(bound)} has a value for each of ${partitions.map((p) => p.name).join(', ')} and a location s3://bucket/prefix/; got [${values.join(', ')}] at "${location}".`,
    })
  }
  return { values: checkedValues(bound, values), location }
}

const registrationError = (bound: BoundTable, failures: readonly PartitionFailure[], asked: number) => {
  const elsewhere = failures.some(({ serviceError }) => serviceError === 'AlreadyExistsException')
  const remedy = elsewhere
    ? 'Drop the partition that points elsewhere or give the table another location'
    : 'Mend what Glue names and register them again; registering is safe to repeat'
  return new PartitionRegistrationError({
    code: 'PARTITIONS_NOT_REGISTERED',
    message: `Glue did not take ${failures.length} of ${asked} partitions of ${tableName(bound)}: ${listFailures(bound, failures)}. ${remedy}.`,
    retryable: failures.every(({ serviceError }) => isRetryable(serviceError)),
    facts: { database: bound.database, table: bound.table.name, failed: failures.length },
    failures,
  })
}
