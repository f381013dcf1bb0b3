import type { TableDefinition } from '@stockpipe/core'
import { eventTimeRange } from '../../src/event-time.ts'
import { GroupBuffer } from '../../src/group-buffer.ts'
import { ParquetEncoder } from '../../src/parquet-encoder.ts'
import { RowGroupEncoder } from '../../src/row-group-encoder.ts'

/** An empty group of a table, as the engine makes it. */
export const groupBufferOf = (table: TableDefinition, maxPathBytes = 512): GroupBuffer =>
  new GroupBuffer(
    table,
    maxPathBytes,
    new RowGroupEncoder({
      encoder: new ParquetEncoder(table.columns, { compression: 'snappy' }),
      columns: table.columns.length,
      rowGroupRows: 65_536,
      fileBytes: 128 * 1024 * 1024,
      partBytes: 8 * 1024 * 1024,
      eventTimes: eventTimeRange(table, undefined),
    }),
  )
