import type { ColumnType } from '@stockpipe/core'
import type { ReadText } from './value-decoder.ts'

type NestedType = Extract<ColumnType, { readonly kind: 'list' | 'map' | 'struct' }>

/**
 * Whether the text Athena gives for arrays, maps and rows tells their values: it quotes and escapes nothing, so strings
 * and binary within them could be read in several ways.
 */
export const isUnambiguous = (type: ColumnType): boolean => {
  switch (type.kind) {
    case 'list':
      return isUnambiguous(type.element.type)
    case 'map':
      return isUnambiguous(type.key) && isUnambiguous(type.value.type)
    case 'struct':
      return type.fields.every((field) => isUnambiguous(field.type))
    default:
      return type.kind !== 'string' && type.kind !== 'binary' && type.kind !== 'json'
  }
}

/** No value that is read has one of these in its text. */
const scalarText = /[^,=\]}]*/y

/** A text that is not of the stated type. */
const mismatch = Symbol('mismatch')

/** Reads `[1, 2]`, `{1=2.5, 2=null}` and `{price=1.5, size=2}`; undefined when it is not of that type. */
export const nestedReader = (type: NestedType, readerOf: (type: ColumnType) => ReadText): ReadText => {
  const readScalar = new Map<ColumnType, ReadText>()
  return (text) => {
    let position = 0
    const take = (expected: string): boolean => {
      if (!text.startsWith(expected, position)) return false
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
    try {
      const read = value(type)
      return position === text.length ? read : undefined
    } catch (problem) {
      if (problem === mismatch) return undefined
      throw problem
    }
  }
}
