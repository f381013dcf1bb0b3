import type { ColumnBatch } from './column-batch.ts'
import type { RecordBlock } from './record-block.ts'
import type { RegisteredSchema } from './schema-registry.ts'

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

/** The schemas that records name by an id, where they do. */
export interface DecoderSchemas {
  /** The ids that have to be given before a block is decoded. */
  missing(block: RecordBlock): readonly string[]
  /** Gives what a registry answered: the schema, which is kept, or null, which counts for the next block that is decoded. */
  give(id: string, schema: RegisteredSchema | null): void
}

/** Turns records into columns. Pure: the same block, with the same schemas, gives the same answer; no record throws. */
export interface Decoder {
  /** Absent where records name no schemas. */
  readonly schemas?: DecoderSchemas
  decode(block: RecordBlock): DecodedBlock
}

export interface DecoderOptions {
  /**
   * Has the arrays of a batch used again for the next one, which spares the garbage collector most of its work: a
   * batch holds until the next call of `decode`. Default false: batches are their receiver's.
   */
  readonly reuseBatches?: boolean
}
