import type { ColumnBatch, TableDefinition } from '@stockpipe/core'
import { Table, writeParquet } from 'parquet-wasm/node'
import { arrowSchema, arrowStream } from './arrow-stream.ts'

/** The rows as parquet-rs writes them, by way of Arrow: an encoder that is not ours. */
export const referenceParquet = (table: TableDefinition, batch: ColumnBatch): Uint8Array =>
  writeParquet(Table.fromIPCStream(arrowStream(arrowSchema(table.columns), batch)))
