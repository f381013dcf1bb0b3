import { type ColumnType, type NestedValue, SchemaMismatchError } from '@stockpipe/core'
import { typeText } from '../stated-column.ts'
import { valueDecoder } from '../value-decoder.ts'

/** A JSON string, number or word, which is read as the text of its type. */
const scalar = /"(?:[^"\\]|\\.)*"|[^\s,\]}]+/y
const space = /\s*/y

/**
 * Reads nested values from the JSON that `json_format(CAST(x AS json))` makes of them. Numbers are read from their
 * digits, so that no bigint or decimal is rounded.
 *
 * It throws a `SchemaMismatchError` for a text that is not of that type.
 */
export const nestedJsonReader = (
  name: string,
  type: ColumnType,
  queryExecutionId: string,
): ((text: string, rowNumber: number) => unknown) => {
  const decoders = new Map<ColumnType, ReturnType<typeof valueDecoder>>()
  return (text, rowNumber) => {
    let position = 0
    const refuse = (): never => {
      throw new SchemaMismatchError({
        code: 'RESULT_VALUE',
        message: `Row ${rowNumber} of query ${queryExecutionId}: column '${name}' holds ${text.slice(0, 60)}, which ${typeText(type)} cannot hold (at character ${position}).`,
        facts: { queryExecutionId, row: rowNumber, column: name },
      })
    }
    const skipSpace = () => {
      space.lastIndex = position
      position += space.exec(text)![0].length
    }
    const take = (expected: string): boolean => {
      skipSpace()
      if (!text.startsWith(expected, position)) return false
      position += expected.length
      return true
    }
    const expect = (expected: string): void => {
      if (!take(expected)) refuse()
    }
    const word = (): string => {
      skipSpace()
      scalar.lastIndex = position
      const found = scalar.exec(text)?.[0] ?? refuse()
      position += found.length
      return found.startsWith('"') ? (JSON.parse(found) as string) : found
    }
    const scalarValue = (of: ColumnType, read: string): unknown => {
      let decode = decoders.get(of)
      if (!decode)
        decoders.set(of, (decode = valueDecoder({ name, type: of, nullable: false }, queryExecutionId)))
      return decode(read, rowNumber)
    }
    const items = (close: string, item: () => void): void => {
      if (take(close)) return
      do item()
      while (take(','))
      expect(close)
    }
    const nullable = (inner: NestedValue): unknown => {
      if (!take('null')) return value(inner.type)
      return inner.nullable ? null : refuse()
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
            const key = scalarValue(of.key, word())
            expect(':')
            entries.set(key, nullable(of.value))
          })
          return entries
        }
        case 'struct': {
          const fields = new Map<string, unknown>()
          expect('{')
          items('}', () => {
            const key = word()
            const field = of.fields.find((candidate) => candidate.name === key) ?? refuse()
            expect(':')
            fields.set(key, nullable(field))
          })
          return Object.fromEntries(
            of.fields.map((field) => [
              field.name,
              fields.has(field.name) ? fields.get(field.name) : refuse(),
            ]),
          )
        }
        default:
          return scalarValue(of, word())
      }
    }
    const read = value(type)
    skipSpace()
    return position === text.length ? read : refuse()
  }
}
