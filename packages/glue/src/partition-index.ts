import {
  CreatePartitionIndexCommand,
  DeletePartitionIndexCommand,
  GetPartitionIndexesCommand,
  GetTableCommand,
  type PartitionIndexDescriptor,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import {
  type BoundTable,
  boundTable,
  type ColumnRecord,
  ConfigurationError,
  type PartitionRecord,
  systemRuntime,
} from '@stockpipe/core'
import { PartitionIndexError } from './errors.ts'
import { backOff, type GlueCall, maximumAttempts, request, wasRefused } from './glue-request.ts'
import type { PartitionOptions } from './partition-request.ts'
import { requirePartitions, tableName } from './partition-values.ts'
import { type PollDelays, poller } from './poller.ts'
import { updatedTableInput } from './table-difference.ts'

/** The table parameter without which Athena does not use partition indexes. */
export const partitionFilteringParameter = 'partition_filtering.enabled'

/** Glue keeps at most three indexes a table. */
const indexLimit = 3

/** An index over partition values. */
export interface PartitionIndexDefinition<Partitions extends PartitionRecord = PartitionRecord> {
  readonly name: string
  /** Partitions in the order of the index; a query uses it when it compares the first with `=`. */
  readonly keys: readonly (keyof Partitions & string)[]
}

export interface EnsurePartitionIndexesOptions<
  Columns extends ColumnRecord,
  Partitions extends PartitionRecord,
> extends PartitionOptions<Columns, Partitions> {
  readonly indexes: readonly PartitionIndexDefinition<Partitions>[]
  /** Delete and make again an index of that name with other keys, or one that failed. Default false: an error. */
  readonly replace?: boolean
  /** Set `partition_filtering.enabled` on the table, without which Athena uses no index. Default true. */
  readonly filtering?: boolean
  /** How often Glue is asked whether an index is ACTIVE. */
  readonly poll?: PollDelays
  /** How long each may take to become ACTIVE, in milliseconds. Default an hour. */
  readonly timeoutMillis?: number
  /** Told of each state an index is seen in. */
  readonly onProgress?: (progress: { readonly index: string; readonly status: string }) => void
}

export interface EnsuredPartitionIndexes {
  readonly created: readonly string[]
  /** Those that were there already. */
  readonly unchanged: readonly string[]
  /** Whether `partition_filtering.enabled` was set now. */
  readonly filteringSet: boolean
}

/**
 * Makes the partition indexes that are not there, and waits until each is ACTIVE. Others of the table are left alone.
 *
 * Throws a `ConfigurationError` for what Glue would refuse (more than three, keys that are no partitions), a
 * `PartitionIndexError` when an index fails, has other keys or is not ACTIVE in time, a `GlueRequestError` when Glue
 * refuses a call, and `signal.reason` when aborted.
 */
export const ensurePartitionIndexes = async <
  Columns extends ColumnRecord,
  Partitions extends PartitionRecord,
>(
  options: EnsurePartitionIndexesOptions<Columns, Partitions>,
): Promise<EnsuredPartitionIndexes> => {
  const { client, signal, runtime = systemRuntime, replace = false, filtering = true } = options
  const table = boundTable(options.table)
  const indexes = options.indexes as readonly PartitionIndexDefinition[]
  checkIndexes(table, indexes)
  const call: GlueCall = { client, runtime, signal }
  const wanted = new Set(indexes.map(({ name }) => name.toLowerCase()))
  const others = (await listIndexes(call, table)).filter(
    (one) => !wanted.has(nameOf(one)) && one.IndexStatus !== 'DELETING',
  )
  if (others.length + indexes.length > indexLimit) {
    throw invalid(
      table,
      `would have ${others.length + indexes.length} partition indexes (${[...others.map(nameOf), ...wanted].join(', ')}), and Glue keeps ${indexLimit}; delete one first`,
    )
  }
  const created: string[] = []
  const unchanged: string[] = []
  // One after the other: Glue refuses a second while the first is made.
  for (const index of indexes) {
    const made = await ensureIndex(call, table, index, {
      replace,
      poll: options.poll ?? {},
      timeoutMillis: options.timeoutMillis ?? 3_600_000,
      report: (status) => options.onProgress?.({ index: index.name, status }),
    })
    if (made) created.push(index.name)
    else unchanged.push(index.name)
  }
  return { created, unchanged, filteringSet: filtering && (await setFiltering(call, table)) }
}

const nameOf = (index: PartitionIndexDescriptor): string => (index.IndexName ?? '').toLowerCase()
const keysOf = (index: PartitionIndexDescriptor): string =>
  (index.Keys ?? []).map(({ Name }) => (Name ?? '').toLowerCase()).join(', ')

const checkIndexes = (bound: BoundTable, indexes: readonly PartitionIndexDefinition[]) => {
  const names = requirePartitions(bound).partitions.map(({ name }) => name)
  const seen = new Set<string>()
  for (const { name, keys } of indexes) {
    if (name === '' || name.length > 255) throw invalid(bound, `cannot have an index called "${name}"`)
    const odd = keys.filter((key, at) => !names.includes(key) || keys.indexOf(key) !== at)
    if (keys.length === 0 || odd.length > 0) {
      throw invalid(
        bound,
        `cannot have the index ${name} over [${keys.join(', ')}]; name each of its keys once, out of ${names.join(', ')}`,
      )
    }
    for (const repeated of [name.toLowerCase(), `keys ${keys.join(', ')}`]) {
      if (seen.has(repeated)) throw invalid(bound, `was given two indexes with the same ${repeated}`)
      seen.add(repeated)
    }
  }
  if (indexes.length > indexLimit) {
    throw invalid(bound, `was given ${indexes.length} partition indexes, and Glue keeps ${indexLimit}`)
  }
}

const listIndexes = async (call: GlueCall, table: BoundTable): Promise<PartitionIndexDescriptor[]> => {
  const indexes: PartitionIndexDescriptor[] = []
  let token: string | undefined
  do {
    const answer = await request(call, 'GetPartitionIndexes', `table ${tableName(table)}`, (sendOptions) =>
      call.client.send(
        new GetPartitionIndexesCommand({
          DatabaseName: table.database,
          TableName: table.table.name,
          ...(token === undefined ? {} : { NextToken: token }),
        }),
        sendOptions,
      ),
    )
    indexes.push(...(answer.PartitionIndexDescriptorList ?? []))
    token = answer.NextToken || undefined
  } while (token !== undefined)
  return indexes
}

interface IndexSettings {
  readonly replace: boolean
  readonly poll: PollDelays
  readonly timeoutMillis: number
  readonly report: (status: string) => void
}

/** True when the index was made here. */
const ensureIndex = async (
  call: GlueCall,
  table: BoundTable,
  index: PartitionIndexDefinition,
  settings: IndexSettings,
): Promise<boolean> => {
  const wait = poller(call, settings.poll)
  const began = call.runtime.monotonic()
  let made = false
  let replaced = false
  for (;;) {
    const found = (await listIndexes(call, table)).find((one) => nameOf(one) === index.name.toLowerCase())
    settings.report(found?.IndexStatus ?? 'ABSENT')
    const differs = found !== undefined && keysOf(found) !== index.keys.join(', ')
    const failed = found?.IndexStatus === 'FAILED'
    if (found === undefined) {
      await createIndex(call, table, index)
      made = true
      wait.reset()
    } else if (found.IndexStatus === 'DELETING' || found.IndexStatus === 'CREATING') {
      // Waited for, whatever its keys: it can be neither used nor deleted.
    } else if (!differs && !failed) {
      return made
    } else if (settings.replace && !replaced) {
      await deleteIndex(call, table, index)
      replaced = true
      wait.reset()
      continue
    } else {
      throw failed ? backfillFailed(table, index, found) : otherKeys(table, index, found)
    }
    if (call.runtime.monotonic() - began > settings.timeoutMillis)
      throw tooSlow(table, index, found, settings)
    await wait()
  }
}

const createIndex = (call: GlueCall, table: BoundTable, index: PartitionIndexDefinition) =>
  request(
    call,
    'CreatePartitionIndex',
    `index ${index.name} of ${tableName(table)}`,
    (sendOptions) =>
      call.client.send(
        new CreatePartitionIndexCommand({
          DatabaseName: table.database,
          TableName: table.table.name,
          PartitionIndex: { IndexName: index.name, Keys: [...index.keys] },
        }),
        sendOptions,
      ),
    // Made by somebody meanwhile, or by a call of ours whose answer was lost: it is looked at next.
    ['AlreadyExistsException'],
  )

const deleteIndex = (call: GlueCall, table: BoundTable, index: PartitionIndexDefinition) =>
  request(
    call,
    'DeletePartitionIndex',
    `index ${index.name} of ${tableName(table)}`,
    (sendOptions) =>
      call.client.send(
        new DeletePartitionIndexCommand({
          DatabaseName: table.database,
          TableName: table.table.name,
          IndexName: index.name,
        }),
        sendOptions,
      ),
    ['EntityNotFoundException', 'ConflictException'],
  )

/** True when the parameter was set now. */
const setFiltering = async (call: GlueCall, table: BoundTable): Promise<boolean> => {
  const address = { DatabaseName: table.database, Name: table.table.name }
  const what = `table ${tableName(table)}`
  for (let attempt = 1; ; attempt++) {
    const { Table: existing } = await request(call, 'GetTable', what, (sendOptions) =>
      call.client.send(new GetTableCommand(address), sendOptions),
    )
    if (existing?.Parameters?.[partitionFilteringParameter] === 'true') return false
    const version = existing?.VersionId
    const updated = await request(
      call,
      'UpdateTable',
      what,
      (sendOptions) =>
        call.client.send(
          new UpdateTableCommand({
            DatabaseName: table.database,
            TableInput: updatedTableInput(existing ?? { Name: address.Name }, {
              Name: address.Name,
              Parameters: { [partitionFilteringParameter]: 'true' },
            }),
            ...(version === undefined ? {} : { VersionId: version }),
          }),
          sendOptions,
        ),
      attempt < maximumAttempts ? ['ConcurrentModificationException', 'VersionMismatchException'] : [],
    )
    if (!wasRefused(updated)) return true
    await backOff(call, attempt)
  }
}

const invalid = (table: BoundTable, what: string) =>
  new ConfigurationError({
    code: 'PARTITION_INDEX_INVALID',
    message: `Table ${tableName(table)} ${what}.`,
  })

const indexError = (
  table: BoundTable,
  { name }: PartitionIndexDefinition,
  code: string,
  what: string,
  found?: PartitionIndexDescriptor,
) =>
  new PartitionIndexError({
    code,
    message: `Partition index ${name} of ${tableName(table)} ${what}.`,
    retryable: code === 'PARTITION_INDEX_NOT_ACTIVE',
    facts: { table: tableName(table), index: name },
    index: name,
    backfillErrors: (found?.BackfillErrors ?? []).map(({ Code, Partitions }) => ({
      code: Code ?? 'INTERNAL_ERROR',
      partitions: (Partitions ?? []).map(({ Values }) => Values ?? []),
    })),
  })

const otherKeys = (table: BoundTable, index: PartitionIndexDefinition, found: PartitionIndexDescriptor) =>
  indexError(
    table,
    index,
    'PARTITION_INDEX_DIFFERS',
    `is over ${keysOf(found)} in the catalog and ${index.keys.join(', ')} in the definition; give it another name, or say replace: true`,
  )

const backfillFailed = (
  table: BoundTable,
  index: PartitionIndexDefinition,
  found: PartitionIndexDescriptor,
) => {
  const reasons = (found.BackfillErrors ?? []).map(
    ({ Code, Partitions }) => `${Code} for ${(Partitions ?? []).length} partitions`,
  )
  return indexError(
    table,
    index,
    'PARTITION_INDEX_FAILED',
    `failed: ${reasons.join(', ') || 'Glue gives no reason'}; mend or delete those partitions, and make it again with replace: true`,
    found,
  )
}

const tooSlow = (
  table: BoundTable,
  index: PartitionIndexDefinition,
  found: PartitionIndexDescriptor | undefined,
  { timeoutMillis }: IndexSettings,
) =>
  indexError(
    table,
    index,
    'PARTITION_INDEX_NOT_ACTIVE',
    `is ${found?.IndexStatus ?? 'ABSENT'} after ${timeoutMillis / 1000} s; Glue goes on by itself: ask again later`,
  )
