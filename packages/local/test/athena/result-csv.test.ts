import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { columnInfoOf } from '../../src/athena/column-info.ts'
import { encodeCsvLines, type ResultRow, readCsvPage } from '../../src/athena/result-csv.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'csv-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function readAll(path: string, limit: number): Promise<ResultRow[]> {
  const rows: ResultRow[] = []
  for (let offset: number | undefined = 0; offset !== undefined; ) {
    const page: Awaited<ReturnType<typeof readCsvPage>> = await readCsvPage(path, offset, limit)
    rows.push(...page.rows)
    offset = page.nextOffset
  }
  return rows
}

describe('result CSV', () => {
  it('quotes every cell and leaves NULL bare', () => {
    const rows = [
      ['x', null],
      ['', 'say "hi"'],
    ]
    expect(encodeCsvLines([['a', 'b'], ...rows]).toString()).toBe('"a","b"\n"x",\n"","say ""hi"""\n')
  })

  it('gives back any rows at any page size', async () => {
    const path = join(directory, 'any.csv')
    const cell = fc.option(
      fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constantFrom('"', ',', '\n', '""')),
    )
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 12 }))
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 5 }), async (rows, limit) => {
        const names = Array.from({ length: rows[0]?.length ?? 1 }, (_, at) => `c${at}`)
        await writeFile(path, encodeCsvLines([names, ...rows]))
        expect(await readAll(path, limit)).toEqual([names, ...rows])
      }),
      { numRuns: 100 },
    )
  })

  it('reads cells that are longer than what is read at once', async () => {
    const path = join(directory, 'long.csv')
    const rows = [['é"\n'.repeat(200_000)], [null], ['end']]
    await writeFile(path, encodeCsvLines([['c'], ...rows]))
    expect(await readAll(path, 2)).toEqual([['c'], ...rows])
  })
})

describe('column description', () => {
  it.each([
    ['boolean', 'boolean', 0, 0],
    ['tinyint', 'tinyint', 3, 0],
    ['integer', 'integer', 10, 0],
    ['bigint', 'bigint', 19, 0],
    ['real', 'float', 17, 0],
    ['double', 'double', 17, 0],
    ['decimal(38,4)', 'decimal', 38, 4],
    ['varchar', 'varchar', 2147483647, 0],
    ['varchar(3)', 'varchar', 3, 0],
    ['varbinary', 'varbinary', 1073741824, 0],
    ['date', 'date', 0, 0],
    ['timestamp(3)', 'timestamp', 3, 0],
    ['timestamp(3) with time zone', 'timestamp with time zone', 3, 0],
    ['array(row(a integer, b varchar))', 'array', 0, 0],
    ['map(varchar, double)', 'map', 0, 0],
    ['row(a timestamp(3) with time zone)', 'row', 0, 0],
    ['interval day to second', 'interval day to second', 0, 0],
    ['json', 'json', 0, 0],
  ])('of %s is %s', (type, expected, precision, scale) => {
    expect(columnInfoOf({ name: 'c', type })).toMatchObject({
      Type: expected,
      Precision: precision,
      Scale: scale,
    })
  })
})
