import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TextRow } from '../src/result-pages.ts'
import { CsvRows, MalformedCsv, unpinned } from '../src/results/csv-rows.ts'

const csvOf = (rows: readonly TextRow[]): Buffer =>
  Buffer.from(
    rows
      .map(
        (row) => `${row.map((cell) => (cell === null ? '' : `"${cell.replaceAll('"', '""')}"`)).join(',')}\n`,
      )
      .join(''),
  )

const read = (chunks: Iterable<Uint8Array>): TextRow[] => {
  const csv = new CsvRows()
  const rows: TextRow[] = []
  for (const chunk of chunks) rows.push(...csv.push(chunk))
  rows.push(...csv.end())
  return rows
}

/** Cuts at the given places. */
function* cut(bytes: Buffer, places: readonly number[]): Generator<Buffer> {
  let from = 0
  for (const place of [
    ...places.map((one) => one % (bytes.length + 1)).sort((a, b) => a - b),
    bytes.length,
  ]) {
    if (place > from) yield bytes.subarray(from, place)
    from = Math.max(from, place)
  }
}

const cell = fc.oneof(
  fc.constant(null),
  fc.constantFrom('', '"', '""', ',', '\n', '\r\n', '","', '"\n"', 'é', '💶', 'null', ' '),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.string({ unit: fc.constantFrom('"', ',', '\n', 'a', '€', '😀'), maxLength: 12 }),
)

describe('the CSV of a result', () => {
  it('keeps every cell, wherever its bytes are cut', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: 5 })
          .chain((columns) =>
            fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { maxLength: 30 }),
          ),
        fc.array(fc.nat(), { maxLength: 40 }),
        (rows, places) => {
          const bytes = csvOf(rows)
          expect(read(cut(bytes, places))).toEqual(rows)
          expect(read(cut(bytes, Array.from(bytes.keys())))).toEqual(rows)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('tells NULL from an empty text', () => {
    expect(read([Buffer.from('"a","b","c"\n,"",\n"",,"x"\n')])).toEqual([
      ['a', 'b', 'c'],
      [null, '', null],
      ['', null, 'x'],
    ])
  })

  it('reads a column of NULLs, whose lines are empty', () => {
    expect(read([Buffer.from('"a"\n\n\n"x"\n\n')])).toEqual([['a'], [null], [null], ['x'], [null]])
  })

  it('gives rows as soon as they are whole', () => {
    const csv = new CsvRows()
    expect(csv.push(Buffer.from('"a"\n"b'))).toEqual([['a']])
    expect(csv.push(Buffer.from('c"'))).toEqual([])
    expect(csv.push(Buffer.from('"d"\n"e"\n'))).toEqual([['bc"d'], ['e']])
    expect(csv.end()).toEqual([])
  })

  it('reads a cell of many megabytes in small pieces without beginning again each time', () => {
    const long = 'x'.repeat(8_000_000)
    const bytes = csvOf([[long, 'y']])
    const pieces = Array.from({ length: Math.ceil(bytes.length / 1024) }, (_, index) =>
      bytes.subarray(index * 1024, (index + 1) * 1024),
    )
    const rows = read(pieces)
    expect(rows.length).toBe(1)
    expect(rows[0]![0] === long).toBe(true)
    expect(rows[0]![1]).toBe('y')
  })

  it.each([
    ['"a","b"\n"1","2', /row 2 has no end/],
    ['"a","b"\n"1",', /row 2 has no end/],
    ['"a","b"\n"1","a ""quoted"', /row 2 has no end/],
    ['"a","b"\n"1","2"', /row 2 has no end/],
    ['"a","b"\n"1"\n', /row 2 has 1 cells where the first has 2/],
    ['"a","b"\n"1"2,"3"\n', /row 2 goes on behind the quotes of cell 1/],
  ])('refuses %j', (text, message) => {
    expect(() => read([Buffer.from(text)])).toThrowError(MalformedCsv)
    expect(() => read([Buffer.from(text)])).toThrowError(message)
  })

  it('copies long texts out of what they were cut from', () => {
    for (const text of ['', 'short', 'a text of more than twelve characters', '💶'.repeat(20)]) {
      expect(unpinned(text)).toBe(text)
    }
  })
})
