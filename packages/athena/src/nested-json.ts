import type { ColumnType } from '@stockpipe/core'
import type { ReadText } from './answer-text.ts'
import type { NestedType } from './nested-text.ts'

/**
 * JSON with its numbers as the text they are written in: strings are marked with `$`, numbers become strings marked
 * with `#`, so that no number passes through a double. Undefined for what is no JSON.
 */
const parseExactly = (text: string): unknown => {
  const marked = text.replace(
    /"(?:[^"\\]|\\[\s\S])*"?|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g,
    (token) => (token.startsWith('"') ? `"$${token.slice(1)}` : `"#${token}"`),
  )
  try {
    return JSON.parse(marked)
  } catch {
    return undefined
  }
}

type Members = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value that is not of the stated type. */
const mismatch = Symbol('mismatch')

/** Reads what `CAST(x AS JSON)` makes of an array, map or row; undefined when it is not of that type. */
export const nestedJsonReader = (type: NestedType, readerOf: (type: ColumnType) => ReadText): ReadText => {
  const scalars = new Map<ColumnType, ReadText>()
  const scalar = (of: ColumnType, text: string): unknown => {
    let read = scalars.get(of)
    if (!read) scalars.set(of, (read = readerOf(of)))
    const value = read(text)
    if (value === undefined) throw mismatch
    return value
  }
  const nullable = (inner: { readonly type: ColumnType; readonly nullable: boolean }, json: unknown) => {
    if (json !== null) return value(inner.type, json)
    if (!inner.nullable) throw mismatch
    return null
  }
  const value = (of: ColumnType, json: unknown): unknown => {
    switch (of.kind) {
      case 'list':
        if (!Array.isArray(json)) throw mismatch
        return json.map((element) => nullable(of.element, element))
      case 'map':
        if (!isObject(json)) throw mismatch
        return new Map(
          Object.entries(json).map(([key, entry]) => [
            scalar(of.key, key.slice(1)),
            nullable(of.value, entry),
          ]),
        )
      case 'struct': {
        if (!isObject(json)) throw mismatch
        const members = new Map(Object.entries(json).map(([name, member]) => [name.toLowerCase(), member]))
        if (members.size !== of.fields.length) throw mismatch
        return Object.fromEntries(
          of.fields.map((field) => {
            const member = members.get(`$${field.name.toLowerCase()}`)
            if (member === undefined) throw mismatch
            return [field.name, nullable(field, member)]
          }),
        )
      }
      case 'boolean':
        if (typeof json !== 'boolean') throw mismatch
        return json
      default:
        if (typeof json !== 'string' || (of.kind === 'string' && json[0] !== '$')) throw mismatch
        return scalar(of, json.slice(1))
    }
  }
  return (text) => {
    const json = parseExactly(text)
    if (json === undefined) return undefined
    try {
      return value(type, json)
    } catch (problem) {
      if (problem === mismatch) return undefined
      throw problem
    }
  }
}
