import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StringDictionary } from '../src/string-dictionary.ts'

const utf8 = new TextEncoder()
const textsOf = ({ offsets, bytes }: ReturnType<StringDictionary['take']>) =>
  Array.from({ length: offsets.length - 1 }, (_, code) =>
    Buffer.from(bytes.subarray(offsets[code]!, offsets[code + 1]!)).toString(),
  )

describe('a string dictionary', () => {
  it('numbers distinct texts as they appear, and forgets those of rows that are taken back', () => {
    const text = fc.oneof(fc.string({ maxLength: 3 }), fc.string({ minLength: 60, maxLength: 70 }))
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.boolean()), { maxLength: 200 }), (rows) => {
        const dictionary = new StringDictionary()
        for (let round = 0; round < 2; round += 1) {
          const known: string[] = []
          let row = 0
          for (const [value, kept] of rows) {
            const bytes = utf8.encode(value)
            const before = known.indexOf(value)
            const code = dictionary.intern(bytes, 0, bytes.length, row)
            expect(code).toBe(before < 0 ? known.length : before)
            if (kept) {
              row += 1
              if (before < 0) known.push(value)
            } else dictionary.undo(row)
          }
          known.forEach((value, code) => {
            const bytes = utf8.encode(value)
            expect(dictionary.find(bytes, 0, bytes.length)).toBe(code)
          })
          expect(textsOf(dictionary.take())).toEqual(known)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('is empty again after a block of very many distinct texts', () => {
    const dictionary = new StringDictionary()
    const codes = Array.from({ length: 20_000 }, (_, row) => {
      const bytes = utf8.encode(`order-${row}`)
      return dictionary.intern(bytes, 0, bytes.length, row)
    })
    expect(codes.every((code, row) => code === row)).toBe(true)
    expect(dictionary.take().offsets).toHaveLength(20_001)
    expect(dictionary.intern(utf8.encode('a'), 0, 1, 0)).toBe(0)
    expect(textsOf(dictionary.take())).toEqual(['a'])
  })
})
