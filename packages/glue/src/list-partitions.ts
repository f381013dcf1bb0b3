import { GetPartitionsCommand, type Partition } from '@aws-sdk/client-glue'
import {
  abortWith,
  boundTable,
  type ColumnRecord,
  ConfigurationError,
  type PartitionRecord,
  systemRuntime,
} from '@stockpipe/core'
import { type CatalogPartition, catalogPartition } from './catalog-partition.ts'
import { type GlueCall, request } from './glue-request.ts'
import { type PartitionWhere, partitionExpressions, partitionPredicate } from './partition-expression.ts'
import type { PartitionOptions } from './partition-request.ts'
import { keyOf, type NamedTable, requirePartitions, tableName } from './partition-values.ts'

export interface ListPartitionsOptions<Columns extends ColumnRecord, Partitions extends PartitionRecord>
  extends PartitionOptions<Columns, Partitions> {
  /** Which partitions; default all. */
  readonly where?: PartitionWhere<Partitions>
  /** Whether the answers carry each partition's columns, which makes them many times as large. Default false. */
  readonly columns?: boolean
  /** In how many segments the table is read at once, 1 to 10. Default 1. */
  readonly segments?: number
}

/**
 * The partitions of a table, page by page, in no order; ending the iteration ends the calls.
 *
 * Throws a `ConfigurationError` for a filter that cannot be, a `GlueRequestError` when a call fails, and
 * `signal.reason` when aborted.
 */
export async function* listPartitions<Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  options: ListPartitionsOptions<Columns, Partitions>,
): AsyncGenerator<CatalogPartition<Partitions>, void> {
  const { client, runtime = systemRuntime, segments = 1, columns = false } = options
  const table = boundTable(options.table)
  requirePartitions(table)
  if (!Number.isInteger(segments) || segments < 1 || segments > 10) {
    throw new ConfigurationError({
      code: 'SEGMENTS_INVALID',
      message: `Glue reads a table's partitions in 1 to 10 segments, not ${segments}.`,
    })
  }
  const where = options.where as PartitionWhere | undefined
  const expressions = where === undefined ? [''] : partitionExpressions(table, where)
  const matches = where === undefined ? () => true : partitionPredicate(table, where)
  // Filters of which one has to hold may find the same partition twice.
  const seen = expressions.length > 1 ? new Set<string>() : undefined

  const controller = new AbortController()
  const unfollow = options.signal && abortWith(options.signal, controller)
  const call: GlueCall = { client, runtime, signal: controller.signal }
  try {
    for (const expression of expressions) {
      const readers = Array.from({ length: segments }, (_, segment) =>
        pagesOf(call, table, { expression, columns, ...(segments > 1 ? { segment, segments } : {}) }),
      )
      for await (const page of merged(readers)) {
        for (const partition of page) {
          const one = catalogPartition<Partitions>(table, partition)
          if (!matches(one.values)) continue
          if (seen !== undefined) {
            const key = keyOf(partition.Values ?? [])
            if (seen.has(key)) continue
            seen.add(key)
          }
          yield one
        }
      }
    }
  } finally {
    unfollow?.()
    controller.abort()
  }
}

/** The pages of GetPartitions; an empty expression finds all. */
export async function* pagesOf(
  call: GlueCall,
  table: NamedTable,
  ask: {
    readonly expression: string
    readonly columns: boolean
    readonly segment?: number
    readonly segments?: number
  },
): AsyncGenerator<readonly Partition[], void> {
  let token: string | undefined
  do {
    const answer = await request(call, 'GetPartitions', `table ${tableName(table)}`, (sendOptions) =>
      call.client.send(
        new GetPartitionsCommand({
          DatabaseName: table.database,
          TableName: table.table.name,
          ...(ask.expression === '' ? {} : { Expression: ask.expression }),
          ...(ask.columns ? {} : { ExcludeColumnSchema: true }),
          ...(ask.segments === undefined
            ? {}
            : { Segment: { SegmentNumber: ask.segment, TotalSegments: ask.segments } }),
          ...(token === undefined ? {} : { NextToken: token }),
        }),
        sendOptions,
      ),
    )
    yield answer.Partitions ?? []
    token = answer.NextToken || undefined
  } while (token !== undefined)
}

/** The pages of all readers as they come, one of each under way. */
async function* merged<Page>(readers: readonly AsyncGenerator<Page, void>[]): AsyncGenerator<Page, void> {
  const next = (reader: AsyncGenerator<Page, void>) => reader.next().then((result) => ({ reader, result }))
  const underWay = new Map(readers.map((reader) => [reader, next(reader)]))
  try {
    while (underWay.size > 0) {
      const { reader, result } = await Promise.race(underWay.values())
      if (result.done) underWay.delete(reader)
      else {
        underWay.set(reader, next(reader))
        yield result.value
      }
    }
  } finally {
    // What is still under way is aborted by the caller, and nobody waits for it.
    for (const pending of underWay.values()) pending.catch(() => {})
  }
}
