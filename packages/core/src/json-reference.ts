import { CellProblem } from './cell-problem.ts'
import { ColumnBuilder, type StoredValue } from './column-builder.ts'
import type { DecodedBlock, Decoder, RejectedRecord } from './decoder.ts'
import { jsonCellReader } from './json-cell.ts'
import { JsonReader, type JsonToken } from './json-reader.ts'
import { packedAt, type RecordBlock, recordOffset } from './record-block.ts'
import { recordFact } from './record-fact.ts'
import type { TopicDefinition } from './topic.ts'

/** Why a record is rejected, before it has an offset. */
export interface RowFault {
  readonly column?: string
  readonly reason: string
}

const notUtf8: RowFault = { reason: 'the value is not UTF-8' }
const noValue: RowFault = { reason: 'the record has no value (a tombstone)' }

/** Reads one record at a time, exactly: it alone decides what a document means and what is wrong with it. */
export class JsonRowReader {
  /** What each column stores for the record read last. */
  readonly row: (StoredValue | null)[]
  readonly #topic: TopicDefinition
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  readonly #reader = new JsonReader()
  readonly #cellReaders
  readonly #tokens: (JsonToken | undefined)[]
  readonly #keep: (name: string, token: JsonToken) => void

  constructor(topic: TopicDefinition) {
    const { columns } = topic.table
    this.#topic = topic
    this.row = new Array(columns.length)
    this.#tokens = new Array(columns.length)
    const slotOf = new Map<string, number>()
    this.#cellReaders = columns.map((column, index) => {
      if (!column.metadata) slotOf.set(topic.value.names[column.name] ?? column.name, index)
      return jsonCellReader(column, topic.value)
    })
    this.#keep = (name, token) => {
      const slot = slotOf.get(name)
      if (slot !== undefined) this.#tokens[slot] = token
    }
  }

  /** Reads a record into `row`, or says why it is none. */
  read(block: RecordBlock, index: number): RowFault | undefined {
    const bytes = packedAt(block.values, index)
    if (bytes === null) return noValue
    let text: string
    try {
      text = this.#utf8.decode(bytes)
    } catch {
      return notUtf8
    }
    const tokens = this.#tokens.fill(undefined)
    const problem = this.#reader.readObject(text, this.#keep)
    if (problem) return problem
    const { columns } = this.#topic.table
    for (let slot = 0; slot < columns.length; slot++) {
      const column = columns[slot]!
      const token = tokens[slot]
      const value = column.metadata
        ? recordFact(block, index, column.metadata)
        : token === undefined || (token.kind === 'null' && column.type.kind !== 'json')
          ? null
          : this.#cellReaders[slot]!(token)
      if (value instanceof CellProblem) {
        return { column: column.name, reason: value.of(column.name) }
      }
      if (value === null && !column.nullable) {
        return {
          column: column.name,
          reason: `'${column.name}' is ${token ? 'null' : 'missing'} and not nullable`,
        }
      }
      this.row[slot] = value
    }
    return undefined
  }
}

/** The record as it is rejected. */
export const rejectedRecord = (block: RecordBlock, index: number, fault: RowFault): RejectedRecord => ({
  index,
  offset: recordOffset(block, index),
  ...(fault.column === undefined ? {} : { column: fault.column }),
  reason: fault.reason,
})

/** The decoder that reads every record exactly, one after the other: what the fast one has to equal. */
export const createReferenceJsonDecoder = (topic: TopicDefinition): Decoder => {
  const { columns } = topic.table
  const reader = new JsonRowReader(topic)
  return {
    decode(block): DecodedBlock {
      const builders = columns.map((column) => new ColumnBuilder(column.type))
      const offsets: bigint[] = []
      const rejected: RejectedRecord[] = []
      for (let index = 0; index < block.count; index++) {
        const fault = reader.read(block, index)
        if (fault) {
          rejected.push(rejectedRecord(block, index, fault))
          continue
        }
        for (let slot = 0; slot < columns.length; slot++) builders[slot]!.append(reader.row[slot]!)
        offsets.push(recordOffset(block, index))
      }
      return {
        batch: {
          rows: offsets.length,
          columns: builders.map((builder) => builder.finish()),
          offsets: BigInt64Array.from(offsets),
        },
        rejected,
      }
    },
  }
}
