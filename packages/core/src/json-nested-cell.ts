import { CellProblem, keyStep, unsuited } from './cell-problem.ts'
import type { StoredValue } from './column-builder.ts'
import type { ColumnType, NestedKind, NestedValue } from './column-type.ts'
import type { JsonCellEncoding, JsonCellReader } from './json-cell.ts'
import { JsonReader, type JsonSyntaxProblem, type JsonToken } from './json-reader.ts'

type NestedType = Extract<ColumnType, { readonly kind: NestedKind }>

/** Makes the reader of a type within another one. */
type ReaderOf = (type: ColumnType, path: string, encoding: JsonCellEncoding) => JsonCellReader

/**
 * The reader of a list, map or struct. Each level takes its value apart with a reader of its own, so the text of a value
 * is scanned once for each level it lies in. The first problem of a value is told, with its path.
 */
export const nestedCellReader = (
  type: NestedType,
  path: string,
  encoding: JsonCellEncoding,
  readerOf: ReaderOf,
): JsonCellReader => {
  switch (type.kind) {
    case 'list':
      return listReader(nullableReader(type.element, readerOf(type.element.type, path, encoding)))
    case 'map':
      return mapReader(
        readerOf(type.key, path, encoding),
        nullableReader(type.value, readerOf(type.value.type, path, encoding)),
      )
    case 'struct':
      return structReader(
        type.fields.map((field) => {
          const at = `${path}.${field.name}`
          return {
            name: field.name,
            member: encoding.names[at] ?? field.name,
            read: nullableReader(field, readerOf(field.type, at, encoding)),
          }
        }),
      )
  }
}

/** Reads a value that may be null or, in a struct, missing. */
type NullableReader = (token: JsonToken | undefined) => StoredValue | null | CellProblem

const nullableReader =
  ({ nullable }: NestedValue, read: JsonCellReader): NullableReader =>
  (token) => {
    if (token !== undefined && token.kind !== 'null') return read(token)
    return nullable ? null : new CellProblem(`is ${token ? 'null' : 'missing'} and not nullable`)
  }

const listReader = (readElement: NullableReader): JsonCellReader => {
  const reader = new JsonReader()
  return (token) => {
    if (token.kind !== 'array') return unsuited('an array', token)
    const elements: (StoredValue | null)[] = []
    let problem: CellProblem | undefined
    const syntax = reader.readArray(token.text, (element) => {
      if (problem) return
      const value = readElement(element)
      if (value instanceof CellProblem) problem = value.within(`[${elements.length}]`)
      else elements.push(value)
    })
    return syntaxProblem(syntax) ?? problem ?? elements
  }
}

const mapReader = (readKey: JsonCellReader, readValue: NullableReader): JsonCellReader => {
  const reader = new JsonReader()
  return (token) => {
    if (token.kind !== 'object') return unsuited('an object', token)
    const members = new Map<string, JsonToken>()
    const syntax = reader.readObject(token.text, (name, value) => members.set(name, value))
    if (syntax) return syntaxProblem(syntax)!
    const entries = new Map<StoredValue, StoredValue | null>()
    for (const [name, member] of members) {
      const key = readKey({ kind: 'string', text: name })
      if (key instanceof CellProblem)
        return new CellProblem(`has a key that ${key.reason}`).within(keyStep(name))
      if (entries.has(key))
        return new CellProblem(`is a key that the map has already: ${key}`).within(keyStep(name))
      const value = readValue(member)
      if (value instanceof CellProblem) return value.within(keyStep(name))
      entries.set(key, value)
    }
    return entries
  }
}

const structReader = (
  fields: readonly { readonly name: string; readonly member: string; readonly read: NullableReader }[],
): JsonCellReader => {
  const reader = new JsonReader()
  const slotOf = new Map(fields.map(({ member }, slot) => [member, slot]))
  return (token) => {
    if (token.kind !== 'object') return unsuited('an object', token)
    const tokens: (JsonToken | undefined)[] = new Array(fields.length)
    const syntax = reader.readObject(token.text, (name, value) => {
      const slot = slotOf.get(name)
      if (slot !== undefined) tokens[slot] = value
    })
    if (syntax) return syntaxProblem(syntax)!
    const values: (StoredValue | null)[] = []
    for (let slot = 0; slot < fields.length; slot++) {
      const { name, read } = fields[slot]!
      const value = read(tokens[slot])
      if (value instanceof CellProblem) return value.within(`.${name}`)
      values.push(value)
    }
    return values
  }
}

/** Does not occur in a document that was read as a whole before. */
const syntaxProblem = (problem: JsonSyntaxProblem | undefined): CellProblem | undefined =>
  problem && new CellProblem(`holds text of which ${problem.reason}`)
