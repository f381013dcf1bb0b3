import type { TopicPartition } from '@stockpipe/core'
import { JsonFields, journalBytes } from './json-fields.ts'

const format = 'stockpipe-journal-genesis'
const formatVersion = 1

/** Where the chain of a partition log begins; written once. */
export interface Genesis extends TopicPartition {
  readonly sink: string
  readonly writer: string
  /** Offset of the first record the sink takes. */
  readonly start: bigint
  /** How the start was chosen: `earliest`, `latest`, `committed` or `timestamp`. */
  readonly policy: string
  /** ISO 8601, for people. */
  readonly createdAt: string
}

export const writeGenesis = (genesis: Genesis): Uint8Array =>
  journalBytes({ format, formatVersion, ...genesis })

/** Throws a `JournalFormatError` when the bytes are no genesis of that partition log. */
export const readGenesis = (bytes: Uint8Array, key: string, log: TopicPartition, sink: string): Genesis => {
  const fields = JsonFields.read(bytes, key, format, formatVersion)
  const genesis: Genesis = {
    sink: fields.text('sink'),
    writer: fields.text('writer'),
    topic: fields.text('topic'),
    partition: fields.count('partition'),
    start: fields.offset('start'),
    policy: fields.text('policy'),
    createdAt: fields.text('createdAt'),
  }
  fields.demand(
    genesis.sink === sink && genesis.topic === log.topic && genesis.partition === log.partition,
    `it is the genesis of ${genesis.sink} ${genesis.topic}-${genesis.partition}`,
  )
  return genesis
}
