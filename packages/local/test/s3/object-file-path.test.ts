import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alternativeName, fileNamesOfKey, foldName, keyOfFileNames } from '../../src/s3/object-file-path.ts'
import { ObjectIndex } from '../../src/s3/object-index.ts'
import { compareUtf8 } from '../../src/s3/utf8-order.ts'

const seed = Math.floor(Math.random() * 2 ** 31)
const parameters = { seed, numRuns: 2_000 }
const oddSegment = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom(
    '',
    '.',
    '..',
    '...',
    '%',
    '%_',
    '%+',
    '%~1',
    '%2F',
    'con',
    'NUL.txt',
    'a ',
    'a.',
    '~',
    'é'.repeat(200),
  ),
  fc.string({ unit: fc.constantFrom('a', 'A', '.', '%', '~', '1', '+', '_', ' '), maxLength: 12 }),
)
const oddKey = fc
  .array(oddSegment, { minLength: 1, maxLength: 6 })
  .map((segments) => segments.join('/'))
  .filter((key) => key !== '' && key.isWellFormed())

describe(`file paths of keys (seed ${seed})`, () => {
  it('read back as the key they were made of', () => {
    fc.assert(
      fc.property(oddKey, (key) => {
        expect(keyOfFileNames(fileNamesOfKey(key))).toBe(key)
      }),
      parameters,
    )
  })

  it('read back with any alternative name', () => {
    fc.assert(
      fc.property(oddKey, fc.array(fc.nat(12)), (key, attempts) => {
        const names = fileNamesOfKey(key).map((name, index) => alternativeName(name, attempts[index] ?? 0))
        expect(keyOfFileNames(names)).toBe(key)
      }),
      parameters,
    )
  })

  it('never leave the directory, by the rules of POSIX and of Windows', () => {
    fc.assert(
      fc.property(oddKey, (key) => {
        const names = fileNamesOfKey(key)
        expect(path.posix.resolve('/data/bucket', ...names)).toBe(`/data/bucket/${names.join('/')}`)
        expect(path.win32.resolve('C:\\data\\bucket', ...names)).toBe(`C:\\data\\bucket\\${names.join('\\')}`)
        for (const name of names) {
          expect(Buffer.byteLength(alternativeName(name, 99_999))).toBeLessThanOrEqual(255)
          expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)|[. ]$|[<>:"|?*\\]/i)
          expect([...name].some((character) => character < ' ')).toBe(false)
        }
      }),
      parameters,
    )
  })

  it('are refused when the scheme would not write them', () => {
    for (const name of ['a%61', '%', '%zz', 'a:b', 'a%2F', 'b%3a', 'x%+', 'con', 'a.', '%41', 'a%~0']) {
      expect(keyOfFileNames([name]), name).toBeUndefined()
    }
    expect(keyOfFileNames(['short%+', 'rest'])).toBeUndefined()
  })

  it('stand as they are for the keys of a lake', () => {
    const key = 'trades/trade_date=2024-01-02/ticker=BRK.B/part-00000-ab12.parquet'
    expect(fileNamesOfKey(key).join('/')).toBe(key)
    expect(fileNamesOfKey('a//b/').join('/')).toBe('a/%_/b/%_')
    expect(fileNamesOfKey('../x%').join('/')).toBe('.%2E/x%25')
  })
})

describe(`the index of a bucket (seed ${seed})`, () => {
  const keys = fc.uniqueArray(
    fc.oneof(
      oddKey,
      fc.string({
        unit: fc.constantFrom('a', 'A', 'b', '/', '\u{1f680}', '\uffee'),
        minLength: 1,
        maxLength: 6,
      }),
    ),
    { maxLength: 40 },
  )

  it('gives every key a path of its own, also where case does not count, that no other needs as a directory', () => {
    fc.assert(
      fc.property(keys, (all) => {
        const index = new ObjectIndex()
        for (const key of all) index.set(key, { path: index.place(key) })
        const folded = all.map((key) => foldName(index.get(key)!.path))
        expect(new Set(folded).size).toBe(all.length)
        for (const one of folded) {
          expect(folded.some((other) => other.startsWith(`${one}/`))).toBe(false)
        }
        for (const key of all) expect(keyOfFileNames(index.get(key)!.path.split('/'))).toBe(key)
      }),
      { seed, numRuns: 500 },
    )
  })

  it('keeps UTF-8 order, whatever comes and goes, and after reading the paths back', () => {
    fc.assert(
      fc.property(keys, fc.array(fc.nat(39)), (all, gone) => {
        const index = new ObjectIndex()
        for (const key of all) index.set(key, { path: index.place(key) })
        const left = new Set(all)
        for (const position of gone) {
          const key = all[position]
          if (key !== undefined && left.delete(key)) index.delete(key)
        }
        const sorted = [...left].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        const listed = Array.from({ length: index.size }, (_, position) => index.keyAt(position))
        expect(listed).toEqual(sorted)
        const again = new ObjectIndex()
        again.load([...left].map((key) => [key, index.get(key)!.path] as const))
        expect(Array.from({ length: again.size }, (_, position) => again.keyAt(position))).toEqual(sorted)
        for (const key of left) expect(again.place(key)).toBe(index.get(key)!.path)
        for (const key of left) index.delete(key)
        expect(index.place('x')).toBe('x')
      }),
      { seed, numRuns: 500 },
    )
  })

  it('compares as bytes do', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        fc.pre(a.isWellFormed() && b.isWellFormed())
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
      }),
      parameters,
    )
  })
})
