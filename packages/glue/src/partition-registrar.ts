import {
  BatchCreatePartitionCommand,
  BatchGetPartitionCommand,
  type Partition,
  type PartitionError,
} from '@aws-sdk/client-glue'
import {
  type BoundTable,
  ConfigurationError,
  defaultPartitionName,
  type PartitionRegistrar,
  type PartitionToRegister,
  type Runtime,
  systemRuntime,
  untilAborted,
} from '@stockpipe/core'
import { type PartitionFailure, PartitionRegistrationError } from './errors.ts'
import {
  backOff,
  type GlueCall,
  type GlueSender,
  isRetryable,
  maximumAttempts,
  request,
} from './glue-request.ts'
import { storageDescriptor } from './table-input.ts'

/** Glue takes at most 100 partitions a BatchCreatePartition. */
const batchSize = 100

export interface PartitionRegistrarOptions {
  readonly client: GlueSender
  readonly table: BoundTable
  readonly runtime?: Runtime
  /** Ends every registration of this registrar. */
  readonly signal?: AbortSignal
}

/**
 * A registrar that makes partitions known to Glue, 100 a call. A partition that is there with the same location is
 * fine; failures that pass are tried again; partitions registered before are not asked about again.
 *
 * `register` throws a `PartitionRegistrationError` that lists each partition Glue did not take (the others are
 * registered), a `GlueRequestError` when a whole call fails, and `signal.reason` when aborted.
 */
export const createPartitionRegistrar = (options: PartitionRegistrarOptions): PartitionRegistrar => {
  const { client, table, runtime = systemRuntime } = options
  const registered = new Map<string, string>()
  return {
    async register(partitions, { signal } = {}) {
      if (table.table.partitions.length === 0) return
      const wanted = new Map<string, PartitionToRegister>()
      for (const partition of partitions) {
        checkPartition(table, partition)
        const key = keyOf(partition.values)
        if (registered.get(key) !== withSlash(partition.location)) wanted.set(key, partition)
      }
      const failures: PartitionFailure[] = []
      const list = [...wanted.values()]
      await untilAborted([options.signal, signal], async (either) => {
        const call: GlueCall = { client, runtime, signal: either }
        for (let start = 0; start < list.length; start += batchSize) {
          const batch = list.slice(start, start + batchSize)
          const failed = await registerBatch(call, table, batch)
          for (const partition of batch) {
            if (!failed.has(keyOf(partition.values))) {
              registered.set(keyOf(partition.values), withSlash(partition.location))
            }
          }
          failures.push(...failed.values())
        }
      })
      if (failures.length > 0) throw registrationError(table, failures, list.length)
    },
  }
}

const catalogValues = (values: readonly (string | null)[]): string[] =>
  values.map((value) => (value === null || value === '' ? defaultPartitionName : value))
const keyOf = (values: readonly (string | null)[]): string => JSON.stringify(catalogValues(values))
const withSlash = (location: string | undefined): string => `${(location ?? '').replace(/\/+$/, '')}/`

const checkPartition = (bound: BoundTable, { values, location }: PartitionToRegister) => {
  const { name, partitions } = bound.table
  if (values.length !== partitions.length || !location.startsWith('s3://')) {
    throw new ConfigurationError({
      code: 'PARTITION_INVALID',
      message: `A partition of table ${bound.database}.${name} has a value for each of ${partitions.map((p) => p.name).join(', ')} and a location s3://bucket/prefix/; got [${values.join(', ')}] at "${location}".`,
    })
  }
}

/** Registers up to 100 partitions; answers those that failed for good, by key. */
const registerBatch = async (
  call: GlueCall,
  bound: BoundTable,
  batch: readonly PartitionToRegister[],
): Promise<Map<string, PartitionFailure>> => {
  const what = `${batch.length} partitions of ${bound.database}.${bound.table.name}`
  const failures = new Map<string, PartitionFailure>()
  let pending = new Map(batch.map((partition) => [keyOf(partition.values), partition]))
  for (let attempt = 1; ; attempt++) {
    const answer = await request(call, 'BatchCreatePartition', what, (sendOptions) =>
      call.client.send(
        new BatchCreatePartitionCommand({
          DatabaseName: bound.database,
          TableName: bound.table.name,
          PartitionInputList: [...pending.values()].map(({ values, location }) => ({
            Values: catalogValues(values),
            StorageDescriptor: storageDescriptor(bound, location),
          })),
        }),
        sendOptions,
      ),
    )
    const again = new Map<string, PartitionToRegister>()
    const existing: PartitionToRegister[] = []
    for (const error of answer.Errors ?? []) {
      const key = keyOf(error.PartitionValues ?? [])
      const partition = pending.get(key)
      const name = error.ErrorDetail?.ErrorCode ?? 'UnknownError'
      if (partition === undefined) failures.set(key, unknownFailure(error, name))
      else if (name === 'AlreadyExistsException') existing.push(partition)
      else if (isRetryable(name) && attempt < maximumAttempts) again.set(key, partition)
      else failures.set(key, failure(partition, name, error.ErrorDetail?.ErrorMessage ?? ''))
    }
    for (const found of await compareExisting(call, bound, existing)) {
      if (found.outcome === 'gone') again.set(keyOf(found.partition.values), found.partition)
      else
        failures.set(
          keyOf(found.partition.values),
          failure(found.partition, 'AlreadyExistsException', found.text),
        )
    }
    if (again.size === 0) return failures
    if (attempt >= maximumAttempts) {
      for (const [key, partition] of again) {
        failures.set(
          key,
          failure(partition, 'ConcurrentModificationException', 'it was there, and was gone again'),
        )
      }
      return failures
    }
    pending = again
    await backOff(call, attempt)
  }
}

interface ExistingPartition {
  readonly partition: PartitionToRegister
  readonly outcome: 'gone' | 'elsewhere'
  readonly text: string
}

/** Of partitions Glue says it has, those that are not as wanted. */
const compareExisting = async (
  call: GlueCall,
  bound: BoundTable,
  partitions: readonly PartitionToRegister[],
): Promise<ExistingPartition[]> => {
  const what = `${partitions.length} partitions of ${bound.database}.${bound.table.name}`
  const found = new Map<string, Partition>()
  let keys = partitions.map(({ values }) => ({ Values: catalogValues(values) }))
  for (let attempt = 1; keys.length > 0; attempt++) {
    const answer = await request(call, 'BatchGetPartition', what, (sendOptions) =>
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
    keys = (answer.UnprocessedKeys ?? []).map(({ Values }) => ({ Values: Values ?? [] }))
    if (keys.length === 0) break
    if (attempt >= maximumAttempts) {
      const failures = keys.map(({ Values }) => ({
        values: Values,
        location: '',
        serviceError: 'UnprocessedKeys',
        message: `Glue left it unprocessed in ${attempt} calls of BatchGetPartition`,
      }))
      throw registrationError(bound, failures, partitions.length)
    }
    await backOff(call, attempt)
  }
  return partitions.flatMap((partition): ExistingPartition[] => {
    const existing = found.get(keyOf(partition.values))
    if (existing === undefined) return [{ partition, outcome: 'gone', text: '' }]
    const location = existing.StorageDescriptor?.Location
    if (withSlash(location) === withSlash(partition.location)) return []
    return [
      { partition, outcome: 'elsewhere', text: `it is registered with location ${location ?? '(none)'}` },
    ]
  })
}

const failure = ({ values, location }: PartitionToRegister, serviceError: string, message: string) => ({
  values,
  location,
  serviceError,
  message,
})

const unknownFailure = (error: PartitionError, serviceError: string): PartitionFailure => ({
  values: error.PartitionValues ?? [],
  location: '',
  serviceError,
  message: error.ErrorDetail?.ErrorMessage ?? '',
})

const registrationError = (bound: BoundTable, failures: readonly PartitionFailure[], asked: number) => {
  const names = bound.table.partitions.map(({ name }) => name)
  const listed = failures.slice(0, 3).map(({ values, location, serviceError, message }) => {
    const path = catalogValues(values).map((value, index) => `${names[index] ?? '?'}=${value}`)
    return `${path.join('/')} at ${location || '(unknown)'}: ${serviceError}${message ? `: ${message.replace(/\.$/, '')}` : ''}`
  })
  const more = failures.length > 3 ? `; and ${failures.length - 3} more` : ''
  const elsewhere = failures.some(({ serviceError }) => serviceError === 'AlreadyExistsException')
  const remedy = elsewhere
    ? 'Drop the partition that points elsewhere or give the table another location'
    : 'Mend what Glue names and register them again; registering is safe to repeat'
  return new PartitionRegistrationError({
    code: 'PARTITIONS_NOT_REGISTERED',
    message: `Glue did not take ${failures.length} of ${asked} partitions of ${bound.database}.${bound.table.name}: ${listed.join('; ')}${more}. ${remedy}.`,
    retryable: failures.every(({ serviceError }) => isRetryable(serviceError)),
    facts: { database: bound.database, table: bound.table.name, failed: failures.length },
    failures,
  })
}
