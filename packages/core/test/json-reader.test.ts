import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonReader } from '../src/json-reader.ts'

const read = (text: string): Record<string, unknown> | 'problem' => {
  const members: [string, unknown][] = []
  const problem = new JsonReader().readObject(text, (name, token) => {
    members.push([name, token.kind === 'string' ? token.text : JSON.parse(token.text)])
  })
  return problem ? 'problem' : Object.fromEntries(members)
}

const reference = (text: string): Record<string, unknown> | 'problem' => {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? Object.fromEntries(Object.entries(value)) : 'problem'
  } catch {
    return 'problem'
  }
}

describe('JsonReader', () => {
  it('reads what JSON.parse reads, for any object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value)
        expect(read(text)).toEqual(reference(text))
      }),
      { numRuns: 1000 },
    )
  })

  it('accepts and refuses exactly what JSON.parse does, for mutated documents', () => {
    const alphabet = [
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      '\\',
      'u',
      '0',
      '1',
      '-',
      '.',
      'e',
      '+',
      't',
      'n',
      ' ',
      '\n',
      '\u0001',
      '\ufeff',
    ]
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.array(fc.tuple(fc.nat(), fc.constantFrom(...alphabet), fc.nat(2)), { minLength: 1, maxLength: 4 }),
        (value, edits) => {
          let text = JSON.stringify(value)
          for (const [place, character, deleted] of edits) {
            const at = place % (text.length + 1)
            text = text.slice(0, at) + character + text.slice(at + deleted)
          }
          expect(read(text)).toEqual(reference(text))
        },
      ),
      { numRuns: 5000 },
    )
  }, 120_000)

  it('keeps the last of members with one name', () => {
    expect(read('{"a":1,"a":2}')).toEqual({ a: 2 })
  })

  it.each([
    '',
    ' ',
    '1',
    '[]',
    '"a"',
    'null',
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,}',
    '{"a":01}',
    '{"a":1}x',
    "{'a':1}",
    '{"a":"\t"}',
    '{"a":"\\x"}',
    '{"a":.5}',
  ])('refuses %j with a reason', (text) => {
    const problem = new JsonReader().readObject(text, () => {})
    expect(problem?.reason).toMatch(/JSON/)
  })

  it('refuses nesting that would overflow the stack instead of throwing', () => {
    const problem = new JsonReader().readObject(`{"a":${'['.repeat(100_000)}`, () => {})
    expect(problem?.reason).toMatch(/nested deeper/)
  })
})
