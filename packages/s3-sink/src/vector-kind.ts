import type { ColumnType, ColumnVector } from '@stockpipe/core'

/** The kind of vector a column of that type is decoded to. */
export const vectorKind = (type: ColumnType): ColumnVector['kind'] =>
  type.kind === 'string' || type.kind === 'json' ? 'dictionary' : innerKind(type)

/** The same within lists, maps and structs, where strings are packed. */
const innerKind = (type: ColumnType): ColumnVector['kind'] => {
  switch (type.kind) {
    case 'date':
      return 'int32'
    case 'timestamp':
    case 'epochNanos':
      return 'int64'
    case 'decimal':
      return type.precision <= 18 ? 'int64' : 'int128'
    case 'string':
    case 'json':
      return 'binary'
    default:
      return type.kind
  }
}

/** How a decoded vector is not as its column's type asks: `'legs.price' as double instead of int64`. */
export const vectorMismatch = (type: ColumnType, vector: ColumnVector, path: string): string | undefined =>
  kindMismatch(vectorKind(type), vector, path) ?? mismatchWithin(type, vector, path)

const innerMismatch = (type: ColumnType, vector: ColumnVector, path: string): string | undefined =>
  kindMismatch(innerKind(type), vector, path) ?? mismatchWithin(type, vector, path)

const kindMismatch = (kind: ColumnVector['kind'], vector: ColumnVector, path: string): string | undefined =>
  vector.kind === kind ? undefined : `'${path}' as ${vector.kind} instead of ${kind}`

const mismatchWithin = (type: ColumnType, vector: ColumnVector, path: string): string | undefined => {
  if (type.kind === 'list' && vector.kind === 'list')
    return innerMismatch(type.element.type, vector.element, path)
  if (type.kind === 'map' && vector.kind === 'map') {
    return innerMismatch(type.key, vector.key, path) ?? innerMismatch(type.value.type, vector.value, path)
  }
  if (type.kind !== 'struct' || vector.kind !== 'struct') return undefined
  if (vector.fields.length !== type.fields.length) {
    return `'${path}' with ${vector.fields.length} fields instead of ${type.fields.length}`
  }
  for (const [index, field] of type.fields.entries()) {
    const mismatch = innerMismatch(field.type, vector.fields[index]!, `${path}.${field.name}`)
    if (mismatch) return mismatch
  }
  return undefined
}
