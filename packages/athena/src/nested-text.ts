import type { ColumnType } from '@stockpipe/core'
import { type ReadText, UnreadableValue } from './answer-text.ts'

export type NestedType = Extract<ColumnType, { readonly kind: 'list' | 'map' | 'struct' }>

export const isNested = (type: { readonly kind: string }): type is NestedType =>
  type.kind === 'list' || type.kind === 'map' || type.kind === 'struct'

/** Whether a value of that type holds one of those kinds somewhere. */
export const holds = (type: ColumnType, ...kinds: readonly ColumnType['kind'][]): boolean => {
  switch (type.kind) {
    case 'list':
      return holds(type.element.type, ...kinds)
    case 'map':
      return holds(type.key, ...kinds) || holds(type.value.type, ...kinds)
    case 'struct':
      return type.fields.some((field) => holds(field.type, ...kinds))
    default:
      return kinds.includes(type.kind)
  }
}

/**
 * Whether the text Athena gives for arrays, maps and rows can tell their values: it quotes and escapes nothing, so
 * strings in arrays and maps could nearly always be read in several ways. Strings that are fields of rows are parted
 * by the names of the fields, and the single value that could be read in two ways is refused.
 */
export const isReadable = (type: ColumnType): boolean => {
  if (type.kind === 'struct') {
    return type.fields.every((field) => isReadable(field.type))
  }
  return isNested(type) ? !holds(type, 'string', 'binary', 'json') : type.kind !== 'binary'
}

/** No value that is read so has one of these in its text. */
const scalarText = /[^,=\]}]*/y

/** A text that is not of the stated type. */
const mismatch = Symbol('mismatch')

/** Ends the search for ways to read a text. */
const enough = Symbol('enough')

/** How many ends of strings are tried in one text. */
const mostTries = 100_000

const ambiguous = new UnreadableValue(
  'which can be read in several ways, as Athena quotes no strings within rows: select CAST(... AS JSON) and keep the stated type',
)

/** Reads `[1, 2]`, `{1=2.5, 2=null}` and `{price=1.5, venue=XNYS}`; undefined when it is not of that type. */
export const nestedReader = (type: NestedType, readerOf: (type: ColumnType) => ReadText): ReadText => {
  const readScalar = new Map<ColumnType, ReadText>()
  return (text) => {
    let position = 0
    const isAt = (start: number, expected: string): boolean =>
      text.startsWith(expected, start) ||
      text.slice(start, start + expected.length).toLowerCase() === expected.toLowerCase()
    const take = (expected: string): boolean => {
      if (!isAt(position, expected)) return false
      position += expected.length
      return true
    }
    const expect = (expected: string): void => {
      if (!take(expected)) throw mismatch
    }
    const scalar = (of: ColumnType): unknown => {
      scalarText.lastIndex = position
      const word = scalarText.exec(text)![0]
      position += word.length
      let read = readScalar.get(of)
      if (!read) readScalar.set(of, (read = readerOf(of)))
      const value = read(word)
      if (value === undefined) throw mismatch
      return value
    }
    const nullable = (inner: { readonly type: ColumnType; readonly nullable: boolean }): unknown => {
      if (!take('null')) return value(inner.type)
      if (!inner.nullable) throw mismatch
      return null
    }
    const items = (close: string, item: () => void): void => {
      if (take(close)) return
      do item()
      while (take(', '))
      expect(close)
    }
    const value = (of: ColumnType): unknown => {
      switch (of.kind) {
        case 'list': {
          const elements: unknown[] = []
          expect('[')
          items(']', () => elements.push(nullable(of.element)))
          return elements
        }
        case 'map': {
          const entries = new Map<unknown, unknown>()
          expect('{')
          items('}', () => {
            const key = scalar(of.key)
            expect('=')
            entries.set(key, nullable(of.value))
          })
          return entries
        }
        case 'struct': {
          const fields: [string, unknown][] = []
          expect('{')
          items('}', () => {
            const field = of.fields[fields.length]
            if (!field) throw mismatch
            expect(`${field.name}=`)
            fields.push([field.name, nullable(field)])
          })
          if (fields.length < of.fields.length) throw mismatch
          return Object.fromEntries(fields)
        }
        default:
          return scalar(of)
      }
    }
    /** What `read` answers, or `mismatch`. */
    const attempt = (read: () => unknown): unknown => {
      try {
        return read()
      } catch (problem) {
        if (problem === mismatch) return mismatch
        throw problem
      }
    }
    if (!holds(type, 'string')) {
      const read = attempt(() => value(type))
      return read !== mismatch && position === text.length ? read : undefined
    }

    let tries = 0
    type Then = (value: unknown, end: number) => void
    /** Calls `then` for each way to read a value that begins at `start`. */
    const eachWay = (of: ColumnType, mayBeNull: boolean, start: number, then: Then): void => {
      if (of.kind === 'string') {
        if (mayBeNull && text.startsWith('null', start)) then(null, start + 4)
        for (let end = start; end < text.length; end++) {
          if (text[end] !== '}' && !text.startsWith(', ', end)) continue
          if (++tries > mostTries) throw enough
          then(text.slice(start, end), end)
        }
      } else if (of.kind === 'struct' && holds(of, 'string')) {
        if (mayBeNull && text.startsWith('null', start)) then(null, start + 4)
        if (text[start] === '{') eachField(of.fields, [], start + 1, then)
      } else {
        position = start
        const read = attempt(() => nullable({ type: of, nullable: mayBeNull }))
        if (read !== mismatch) then(read, position)
      }
    }
    const eachField = (
      fields: Extract<ColumnType, { kind: 'struct' }>['fields'],
      before: readonly (readonly [string, unknown])[],
      start: number,
      then: Then,
    ): void => {
      const field = fields[before.length]!
      const name = `${before.length === 0 ? '' : ', '}${field.name}=`
      if (!isAt(start, name)) return
      eachWay(field.type, field.nullable, start + name.length, (read, end) => {
        const known = [...before, [field.name, read] as const]
        if (known.length < fields.length) eachField(fields, known, end, then)
        else if (text[end] === '}') then(Object.fromEntries(known), end + 1)
      })
    }
    const ways: unknown[] = []
    try {
      eachWay(type, false, 0, (read, end) => {
        if (end === text.length && ways.push(read) === 2) throw enough
      })
    } catch (problem) {
      if (problem === enough) return ambiguous
      throw problem
    }
    return ways[0]
  }
}
