import { CellProblem } from './cell-problem.ts'
import { ColumnBuilder, type StoredValue } from './column-builder.ts'
import type { DecodedBlock, Decoder, RejectedRecord } from './decoder.ts'
import { jsonCellReader } from './json-cell.ts'
import { JsonReader, type JsonToken } from './json-reader.ts'
import { packedAt, type RecordBlock, recordOffset } from './record-block.ts'
import { recordFact } from './record-fact.ts'
import type { TopicDefinition } from './topic.ts'

/** Why a record is rejected, before it has an offset. */
interface Fault {
  readonly column?: string
  readonly reason: string
}

const notUtf8: Fault = { reason: 'the value is not UTF-8' }
const noValue: Fault = { reason: 'the record has no value (a tombstone)' }

/** A decoder of a topic whose values are JSON objects. Exact: numbers are read from their text. */
export const createJsonDecoder = (topic: TopicDefinition): Decoder => {
  const columns = topic.table.columns
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const reader = new JsonReader()
  const slotOf = new Map<string, number>()
  const cellReaders = columns.map((column, index) => {
    if (!column.metadata) slotOf.set(topic.value.names[column.name] ?? column.name, index)
    return jsonCellReader(column, topic.value)
  })
  const tokens: (JsonToken | undefined)[] = new Array(columns.length)
  const row: (StoredValue | null)[] = new Array(columns.length)
  const keep = (name: string, token: JsonToken) => {
    const slot = slotOf.get(name)
    if (slot !== undefined) tokens[slot] = token
  }

  const readRow = (block: RecordBlock, index: number): Fault | undefined => {
    const bytes = packedAt(block.values, index)
    if (bytes === null) return noValue
    let text: string
    try {
      text = utf8.decode(bytes)
    } catch {
      return notUtf8
    }
    tokens.fill(undefined)
    const problem = reader.readObject(text, keep)
    if (problem) return problem
    for (let slot = 0; slot < columns.length; slot++) {
      const column = columns[slot]!
      const token = tokens[slot]
      const value = column.metadata
        ? recordFact(block, index, column.metadata)
        : token === undefined || (token.kind === 'null' && column.type.kind !== 'json')
          ? null
          : cellReaders[slot]!(token)
      if (value instanceof CellProblem) {
        return { column: column.name, reason: value.of(column.name) }
      }
      if (value === null && !column.nullable) {
        return {
          column: column.name,
          reason: `'${column.name}' is ${token ? 'null' : 'missing'} and not nullable`,
        }
      }
      row[slot] = value
    }
    return undefined
  }

  return {
    decode(block): DecodedBlock {
      const builders = columns.map((column) => new ColumnBuilder(column.type))
      const offsets: bigint[] = []
      const rejected: RejectedRecord[] = []
      for (let index = 0; index < block.count; index++) {
        const fault = readRow(block, index)
        if (fault) {
          const { column, reason } = fault
          rejected.push({
            index,
            offset: recordOffset(block, index),
            ...(column === undefined ? {} : { column }),
            reason,
          })
          continue
        }
        for (let slot = 0; slot < columns.length; slot++) builders[slot]!.append(row[slot]!)
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

/** The decoder for a topic's encoding. */
export const createDecoder = (topic: TopicDefinition): Decoder => createJsonDecoder(topic)
