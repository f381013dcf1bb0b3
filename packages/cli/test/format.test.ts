import { describe, expect, test } from 'vitest'
import { csvPrinter } from '../src/format/csv.ts'
import { jsonPrinter } from '../src/format/json.ts'
import { tablePrinter } from '../src/format/table.ts'
import type { TextPrinter, TextTable } from '../src/format/text-table.ts'

/** All that is printed of pages. */
const printed = (printer: TextPrinter, ...pages: readonly TextTable[]): string =>
  `${pages.map((page) => printer.page(page)).join('')}${printer.end()}`
const formatCsv = (...pages: readonly TextTable[]) => printed(csvPrinter(), ...pages)
const formatJson = (...pages: readonly TextTable[]) => printed(jsonPrinter(), ...pages)
const formatTable = (page: TextTable, styled: boolean) => printed(tablePrinter(styled), page)

const table = {
  columns: [
    { name: 'ticker', type: 'varchar' },
    { name: 'close', type: 'decimal(18,4)' },
    { name: 'volume', type: 'bigint' },
    { name: 'note', type: 'varchar' },
  ],
  rows: [
    ['AAPL', '172.5000', '9007199254740993', ''],
    ['BRK.B', '9.1000', '7', null],
    ['日本', '-1234.5678', null, 'a "quoted", line\nand \u001b[31mred'],
  ],
}

describe('table', () => {
  test('aligns columns, numbers to the right, and shows what a terminal would obey', () => {
    expect(formatTable(table, false)).toBe(
      [
        'ticker       close            volume  note',
        `${'─'.repeat(6)}  ${'─'.repeat(10)}  ${'─'.repeat(16)}  ${'─'.repeat(35)}`,
        'AAPL      172.5000  9007199254740993',
        'BRK.B       9.1000                 7  NULL',
        '日本    -1234.5678              NULL  a "quoted", line\\nand \\u001b[31mred',
        '',
      ].join('\n'),
    )
  })

  test('on a terminal names are bold and NULL is dim, so that it is not the text NULL', () => {
    const styled = formatTable({ columns: [{ name: 'x', type: 'varchar' }], rows: [[null], ['NULL']] }, true)
    expect(styled.split('\n').slice(2, 4)).toEqual(['\u001b[2mNULL\u001b[22m', 'NULL'])
    expect(styled).toContain('\u001b[1mx\u001b[22m')
  })

  test('long cells are cut', () => {
    const text = formatTable({ columns: [{ name: 'x', type: 'varchar' }], rows: [['y'.repeat(500)]] }, false)
    expect(text.split('\n')[2]).toBe(`${'y'.repeat(99)}…`)
  })

  test('a statement without columns prints nothing', () => {
    expect(formatTable({ columns: [], rows: [] }, true)).toBe('')
  })
})

test('csv quotes what needs it, and keeps NULL apart from the empty text', () => {
  expect(formatCsv(table)).toBe(
    'ticker,close,volume,note\nAAPL,172.5000,9007199254740993,""\nBRK.B,9.1000,7,\n日本,-1234.5678,,"a ""quoted"", line\nand \u001b[31mred"\n',
  )
})

describe('json', () => {
  test('numbers are numbers only where nothing is lost', () => {
    const columns = [
      'integer',
      'bigint',
      'bigint',
      'double',
      'double',
      'decimal(18,4)',
      'boolean',
      'varchar',
      'date',
    ]
    const text = formatJson({
      columns: columns.map((type, index) => ({ name: `c${index}`, type })),
      rows: [
        ['1', '9007199254740991', '9007199254740993', '1.0E-7', 'NaN', '1.5000', 'true', null, '2024-03-08'],
      ],
    })
    expect(JSON.parse(text)).toEqual([
      {
        c0: 1,
        c1: 9007199254740991,
        c2: '9007199254740993',
        c3: 1e-7,
        c4: 'NaN',
        c5: '1.5000',
        c6: true,
        c7: null,
        c8: '2024-03-08',
      },
    ])
  })

  test('a name that occurs twice keeps both values', () => {
    const columns = ['x', 'x', 'x_2'].map((name) => ({ name, type: 'integer' }))
    expect(JSON.parse(formatJson({ columns, rows: [['1', '2', '3']] }))).toEqual([{ x: 1, x_2: 2, x_2_2: 3 }])
  })

  test('no rows are an empty array', () => {
    expect(formatJson({ columns: [{ name: 'x', type: 'integer' }], rows: [] })).toBe('[]\n')
  })
})

test('pages are one answer, in which a column of a table only gets wider', () => {
  const columns = [{ name: 'x', type: 'varchar' }]
  const pages = [[], [['a'], [null]], [['long']], [['b']]].map((rows) => ({ columns, rows }))
  expect(formatCsv(...pages)).toBe('x\na\n\nlong\nb\n')
  expect(JSON.parse(formatJson(...pages))).toEqual([{ x: 'a' }, { x: null }, { x: 'long' }, { x: 'b' }])
  expect(printed(tablePrinter(false), ...pages.slice(1))).toBe('x\n────\na\nNULL\nlong\nb\n')
})
