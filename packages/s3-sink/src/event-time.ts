import {
  type ColumnBatch,
  type ColumnDefinition,
  ConfigurationError,
  type TableDefinition,
} from '@stockpipe/core'
import { leavesOf } from './column-leaf.ts'
import type { RowGroupMetadata } from './parquet-encoder.ts'
import { isNull } from './validity-buffer.ts'

/** Milliseconds since the epoch; null when no row has an event time. */
export interface EventTimeRange {
  readonly minEventTime: number | null
  readonly maxEventTime: number | null
}

const isEventTime = ({ type }: ColumnDefinition): boolean =>
  type.kind === 'timestamp' || type.kind === 'epochNanos' || type.kind === 'date'

/** The event times of a table's rows. */
export interface EventTimes {
  readonly column: ColumnDefinition
  /** Answers the event time of each row of a batch, milliseconds since the epoch. */
  of(batch: ColumnBatch): (row: number) => number | null
}

/**
 * The event times by one column: the one named, else the table's first timestamp, epochNanos or date; undefined for a
 * table without any. Nanoseconds are cut down to the millisecond. Throws a `ConfigurationError` when the one named has
 * no time.
 */
export const eventTimesOf = (table: TableDefinition, name: string | undefined): EventTimes | undefined => {
  const column = name === undefined ? table.columns.find(isEventTime) : table.column(name)
  if (column === undefined) return undefined
  if (!isEventTime(column)) {
    throw new ConfigurationError({
      code: 'EVENT_TIME_UNSUITED',
      message: `Table ${table.name}: the event time cannot be '${column.name}', a ${column.type.kind} column; name a timestamp, epochNanos or date column.`,
    })
  }
  const index = table.columns.indexOf(column)
  const millis = millisOf[column.type.kind as keyof typeof millisOf]
  return {
    column,
    of: (batch) => {
      const vector = batch.columns[index]!
      const { values } = vector as { values: ArrayLike<bigint | number> }
      return (row) => (isNull(vector.validity, row) ? null : millis(values[row]!))
    },
  }
}

/**
 * Answers the smallest and greatest event time of a row group, from its statistics; see `eventTimesOf` for the column.
 */
export const eventTimeRange = (
  table: TableDefinition,
  name: string | undefined,
): ((rowGroup: RowGroupMetadata) => EventTimeRange) => {
  const column = eventTimesOf(table, name)?.column
  const leaf = table.columns.flatMap(leavesOf).findIndex(({ path }) => path.join() === column?.name)
  return ({ chunks }) => {
    const bounds = chunks[leaf]?.bounds
    if (column === undefined || bounds === undefined) return { minEventTime: null, maxEventTime: null }
    const millis = millisOf[column.type.kind as keyof typeof millisOf]
    const time = ({ buffer, byteOffset, byteLength }: Uint8Array) => {
      const view = new DataView(buffer, byteOffset, byteLength)
      return millis(byteLength === 8 ? view.getBigInt64(0, true) : view.getInt32(0, true))
    }
    return { minEventTime: time(bounds.min), maxEventTime: time(bounds.max) }
  }
}

const millisOf = {
  timestamp: (value: bigint | number) => Number(value),
  epochNanos: (value: bigint | number) => {
    const nanos = value as bigint
    return Number(nanos / 1_000_000n) - (nanos % 1_000_000n < 0n ? 1 : 0)
  },
  date: (value: bigint | number) => (value as number) * 86_400_000,
}
