import {
  CreatePartitionCommand,
  DeletePartitionCommand,
  GetPartitionCommand,
  type Partition,
  UpdatePartitionCommand,
} from '@aws-sdk/client-glue'
import {
  type BoundTable,
  boundTable,
  type PartitionCatalog,
  partitionPath,
  type Runtime,
  StockpipeError,
  systemRuntime,
} from '@stockpipe/core'
import { type GlueCall, type GlueSender, request, wasRefused } from './glue-request.ts'
import { mendedInput } from './partition-difference.ts'
import { catalogValues, withSlash } from './partition-values.ts'
import { refuseProjected } from './refuse-projected.ts'
import { signBefore } from './signing-time-guard.ts'
import { storageDescriptor } from './table-input.ts'

export interface PartitionCatalogOptions {
  readonly client: GlueSender
  readonly table: BoundTable
  readonly runtime?: Runtime
}

const notFound = ['EntityNotFoundException'] as const
const alreadyThere = ['AlreadyExistsException'] as const

/**
 * The registered partitions of a table in Glue, as compaction moves them: `compactPartitions` of `@stockpipe/s3-sink`
 * takes it as its `catalog`. Glue has no conditional update: the caller's journal decides who may switch a partition.
 *
 * Its calls throw a `GlueRequestError` for what Glue refuses, and a `ConfigurationError` (`PARTITIONS_PROJECTED`) for a
 * table whose partitions are projected.
 */
export const createPartitionCatalog = (options: PartitionCatalogOptions): PartitionCatalog => {
  const { client, runtime = systemRuntime } = options
  const table = boundTable(options.table)
  const names = { DatabaseName: table.database, TableName: table.table.name }
  const call = (signal: AbortSignal | undefined): GlueCall => ({ client, runtime, signal })
  const nameOf = (values: readonly (string | null)[]) =>
    `partition ${partitionPath(table.table.partitions, values)} of ${table.database}.${table.table.name}`
  let registered: Promise<void> | undefined

  const find = async (
    values: readonly (string | null)[],
    signal: AbortSignal | undefined,
  ): Promise<Partition | undefined> => {
    // Not under the signal of whoever asks first: others wait for it too.
    registered ??= refuseProjected(call(undefined), table).catch((error: unknown) => {
      registered = undefined
      throw error
    })
    await registered
    const answer = await request(
      call(signal),
      'GetPartition',
      nameOf(values),
      (send) =>
        client.send(new GetPartitionCommand({ ...names, PartitionValues: catalogValues(values) }), send),
      notFound,
    )
    return wasRefused(answer) ? undefined : answer.Partition
  }
  /** Sends a change, each attempt signed in time. */
  const change = async (
    operation: string,
    values: readonly (string | null)[],
    { signal, signedBefore }: { readonly signal?: AbortSignal; readonly signedBefore?: number },
    make: () => CreatePartitionCommand | UpdatePartitionCommand | DeletePartitionCommand,
    expected: readonly string[] = notFound,
  ): Promise<'changed' | 'refused'> => {
    try {
      const answer = await request(
        call(signal),
        operation,
        nameOf(values),
        (send): Promise<object> => {
          const command = make()
          if (signedBefore !== undefined)
            signBefore(command, runtime, signedBefore, `${operation} of ${nameOf(values)}`)
          return client.send(command as UpdatePartitionCommand, send)
        },
        expected,
      )
      return wasRefused(answer) ? 'refused' : 'changed'
    } catch (error) {
      const { cause } = error as { readonly cause?: unknown }
      if (StockpipeError.isInstance(cause) && cause.code === 'SIGNED_TOO_LATE') throw cause
      throw error
    }
  }

  return {
    async get(values, { signal } = {}) {
      const found = await find(values, signal)
      return (
        found && {
          location: withSlash(found.StorageDescriptor?.Location),
          parameters: found.Parameters ?? {},
        }
      )
    },
    async switchLocation({ values, from, to, parameters }, changeOptions = {}) {
      const found = await find(values, changeOptions.signal)
      if (found === undefined) return 'gone'
      const location = withSlash(found.StorageDescriptor?.Location)
      if (location === withSlash(to)) return 'switched'
      if (location !== withSlash(from)) return 'elsewhere'
      const changed = await change(
        'UpdatePartition',
        values,
        changeOptions,
        () =>
          new UpdatePartitionCommand({
            ...names,
            PartitionValueList: catalogValues(values),
            PartitionInput: {
              ...mendedInput(found, storageDescriptor(table, to)),
              Parameters: { ...found.Parameters, ...parameters },
            },
          }),
      )
      return changed === 'refused' ? 'gone' : 'switched'
    },
    async create({ values, location, parameters }, changeOptions = {}) {
      if ((await find(values, changeOptions.signal)) !== undefined) return 'exists'
      const changed = await change(
        'CreatePartition',
        values,
        changeOptions,
        () =>
          new CreatePartitionCommand({
            ...names,
            PartitionInput: {
              Values: catalogValues(values),
              StorageDescriptor: storageDescriptor(table, location),
              Parameters: { ...parameters },
            },
          }),
        alreadyThere,
      )
      return changed === 'refused' ? 'exists' : 'created'
    },
    async drop({ values, from }, changeOptions = {}) {
      const found = await find(values, changeOptions.signal)
      if (found === undefined) return 'dropped'
      if (withSlash(found.StorageDescriptor?.Location) !== withSlash(from)) return 'elsewhere'
      await change(
        'DeletePartition',
        values,
        changeOptions,
        () => new DeletePartitionCommand({ ...names, PartitionValues: catalogValues(values) }),
      )
      return 'dropped'
    },
  }
}
