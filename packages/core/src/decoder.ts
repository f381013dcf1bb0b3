import type { ColumnBatch } from './column-batch.ts'
import type { RecordBlock } from './record-block.ts'

/** A record that cannot become a row. */
export interface RejectedRecord {
  /** Position of the record in its block. */
  readonly index: number
  readonly offset: bigint
  /** The column at fault, when it is one column. */
  readonly column?: string
  /** A sentence: what is wrong with the record. */
  readonly reason: string
}

export interface DecodedBlock {
  readonly batch: ColumnBatch
  readonly rejected: readonly RejectedRecord[]
  /** Offsets of records that were left out on purpose, ascending. Absent: none. */
  readonly skipped?: readonly bigint[]
}

/** Turns records into columns. Pure: the same block gives the same answer, and no record throws. */
export interface Decoder {
  decode(block: RecordBlock): DecodedBlock
}
