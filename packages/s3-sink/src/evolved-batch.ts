import { isDeepStrictEqual } from 'node:util'
import type { ColumnBatch, ColumnDefinition, ColumnType, ColumnVector } from '@stockpipe/core'
import { isNull } from './validity-buffer.ts'
import { vectorKind } from './vector-kind.ts'

const widths: Partial<Record<ColumnType['kind'], number>> = { int8: 1, int16: 2, int32: 4, int64: 8 }

/** Why rows of one definition cannot be written by another without losing something; undefined where they can. */
export const evolutionRefused = (
  from: readonly ColumnDefinition[],
  to: readonly ColumnDefinition[],
): string | undefined => {
  const dropped = from.find(({ name }) => !to.some((column) => column.name === name))
  if (dropped) return `the table no longer has '${dropped.name}', and its values would be lost`
  for (const column of to) {
    const former = from.find(({ name }) => name === column.name)
    if (former === undefined) {
      if (!column.nullable) return `'${column.name}' is new and not nullable`
    } else if (former.nullable && !column.nullable) return `'${column.name}' was nullable and is not now`
    else if (!isWider(former.type, column.type)) {
      return `'${column.name}' was ${former.type.kind} and is ${column.type.kind} now`
    }
  }
  return undefined
}

/** What does not change the stored values, or only widens them: int to bigint, float to double. */
const isWider = (from: ColumnType, to: ColumnType): boolean => {
  if (from.kind === 'float' && to.kind === 'double') return true
  const [fromWidth, toWidth] = [widths[from.kind], widths[to.kind]]
  if (fromWidth !== undefined && toWidth !== undefined) return fromWidth <= toWidth
  if (from.kind === 'timestamp' && to.kind === 'timestamp') return true
  return isDeepStrictEqual(from, to)
}

/** The rows by another definition, to which `evolutionRefused` has nothing to say. */
export const evolvedBatch = (
  batch: ColumnBatch,
  from: readonly ColumnDefinition[],
  to: readonly ColumnDefinition[],
): ColumnBatch => ({
  ...batch,
  columns: to.map(({ name, type }) => {
    const index = from.findIndex((column) => column.name === name)
    return index < 0 ? nullVector(type, batch.rows) : widened(batch.columns[index]!, type)
  }),
})

const widened = (vector: ColumnVector, { kind }: ColumnType): ColumnVector => {
  if (vector.kind === 'float' && kind === 'double')
    return { ...vector, kind, values: Float64Array.from(vector.values) }
  if (vector.kind !== 'int8' && vector.kind !== 'int16' && vector.kind !== 'int32') return vector
  const { values, validity } = vector
  switch (kind) {
    case 'int16':
      return { kind, values: Int16Array.from(values), validity }
    case 'int32':
      return { kind, values: Int32Array.from(values), validity }
    case 'int64':
      return {
        kind,
        values: BigInt64Array.from(values, (value, row) => (isNull(validity, row) ? 0n : BigInt(value))),
        validity,
      }
    default:
      return vector
  }
}

const nullVector = (type: ColumnType, rows: number): ColumnVector => {
  const validity = new Uint8Array((rows + 7) >> 3)
  const offsets = new Int32Array(rows + 1)
  const noOffsets = new Int32Array(1)
  const bytes = new Uint8Array(0)
  const kind = vectorKind(type)
  switch (kind) {
    case 'boolean':
      return { kind, values: new Uint8Array((rows + 7) >> 3), validity }
    case 'int8':
      return { kind, values: new Int8Array(rows), validity }
    case 'int16':
      return { kind, values: new Int16Array(rows), validity }
    case 'int32':
      return { kind, values: new Int32Array(rows), validity }
    case 'int64':
      return { kind, values: new BigInt64Array(rows), validity }
    case 'int128':
      return { kind, values: new BigInt64Array(rows * 2), validity }
    case 'float':
      return { kind, values: new Float32Array(rows), validity }
    case 'double':
      return { kind, values: new Float64Array(rows), validity }
    case 'dictionary':
      return { kind, codes: new Int32Array(rows), dictionary: { offsets: noOffsets, bytes }, validity }
    case 'binary':
      return { kind, offsets, bytes, validity }
    case 'list': {
      const { element } = type as ColumnType & { kind: 'list' }
      return { kind, offsets, element: innerNulls(element.type, 0), validity }
    }
    case 'map': {
      const { key, value } = type as ColumnType & { kind: 'map' }
      return { kind, offsets, key: innerNulls(key, 0), value: innerNulls(value.type, 0), validity }
    }
    case 'struct': {
      const { fields } = type as ColumnType & { kind: 'struct' }
      return { kind, fields: fields.map((field) => innerNulls(field.type, rows)), validity }
    }
  }
}

/** Within lists, maps and structs strings are packed. */
const innerNulls = (type: ColumnType, rows: number): ColumnVector =>
  nullVector(type.kind === 'string' || type.kind === 'json' ? { kind: 'binary' } : type, rows)
