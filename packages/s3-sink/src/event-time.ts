import {
  type ColumnBatch,
  type ColumnDefinition,
  ConfigurationError,
  type TableDefinition,
} from '@stockpipe/core'
import { isNull } from './validity-buffer.ts'

/** Milliseconds since the epoch; null when no row has an event time. */
export interface EventTimeRange {
  readonly minEventTime: number | null
  readonly maxEventTime: number | null
}

const isEventTime = ({ type }: ColumnDefinition): boolean =>
  type.kind === 'timestamp' || type.kind === 'epochNanos' || type.kind === 'date'

/**
 * Answers the event times of a batch by one column: the one named, else the table's first timestamp, epochNanos or
 * date. Nanoseconds are cut down to the millisecond. Throws a `ConfigurationError` when the one named has no time.
 */
export const eventTimeRange = (
  table: TableDefinition,
  name: string | undefined,
): ((batch: ColumnBatch) => EventTimeRange) => {
  const column = name === undefined ? table.columns.find(isEventTime) : table.column(name)
  if (column === undefined) return () => ({ minEventTime: null, maxEventTime: null })
  if (!isEventTime(column)) {
    throw new ConfigurationError({
      code: 'EVENT_TIME_UNSUITED',
      message: `Table ${table.name}: the event time cannot be '${column.name}', a ${column.type.kind} column; name a timestamp, epochNanos or date column.`,
    })
  }
  const index = table.columns.indexOf(column)
  const millis = millisOf[column.type.kind as keyof typeof millisOf]
  return (batch) => {
    const vector = batch.columns[index]!
    const { values } = vector as { values: ArrayLike<bigint | number> }
    let min: bigint | number | undefined
    let max: bigint | number | undefined
    for (let row = 0; row < batch.rows; row += 1) {
      if (isNull(vector.validity, row)) continue
      const value = values[row]!
      if (min === undefined || value < min) min = value
      if (max === undefined || value > max) max = value
    }
    return {
      minEventTime: min === undefined ? null : millis(min),
      maxEventTime: max === undefined ? null : millis(max),
    }
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
