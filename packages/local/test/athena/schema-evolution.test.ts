import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AthenaLake } from './athena-lake.ts'

let lake: AthenaLake
beforeAll(async () => {
  lake = await AthenaLake.open()
})
afterAll(async () => {
  await lake[Symbol.asyncDispose]()
})

type Columns = Readonly<Record<string, string>>

const old: Columns = { a: 'int', b: 'float', c: 'string' }
const oldRows = `SELECT CAST(1 AS INTEGER) AS a, CAST(0.5 AS FLOAT) AS b, 'x' AS c
  UNION ALL SELECT 2, CAST(0.1 AS FLOAT), NULL`

/**
 * Old files under a new table, in the three ways they come: in a partition that declares the old columns, in one that declares
 * the new ones, and without partitions.
 */
const modes = ['old partition', 'new partition', 'no partition'] as const
type Mode = (typeof modes)[number]

let tables = 0
async function tableOver(columns: Columns, mode: Mode, { before = old, rows = oldRows } = {}) {
  tables += 1
  const name = `t${tables}`
  const keys: Columns = mode === 'no partition' ? {} : { dt: 'string' }
  await lake.write(mode === 'no partition' ? `${name}/a.parquet` : `${name}/dt=1/a.parquet`, rows)
  await lake.createTable(name, columns, keys)
  if (mode !== 'no partition') {
    await lake.addPartition(name, ['1'], mode === 'old partition' ? before : columns, `${name}/dt=1/`)
  }
  return name
}
const rowsOf = async (columns: Columns, mode: Mode, list = Object.keys(columns).join(', ')) => {
  const name = await tableOver(columns, mode)
  return (await lake.query(`SELECT ${list} FROM ${name} ORDER BY 1`)).rows
}

describe.each(modes)('old files in %s', (mode) => {
  it.each([
    [
      'as they are',
      old,
      [
        ['1', '0.5', 'x'],
        ['2', '0.1', null],
      ],
    ],
    [
      'with a column added',
      { ...old, d: 'bigint' },
      [
        ['1', '0.5', 'x', null],
        ['2', '0.1', null, null],
      ],
    ],
    [
      'with a column left out',
      { a: 'int', c: 'string' },
      [
        ['1', 'x'],
        ['2', null],
      ],
    ],
    [
      'in another order',
      { c: 'string', a: 'int' },
      [
        ['x', '1'],
        [null, '2'],
      ],
    ],
    [
      'with names in another case',
      { A: 'int', C: 'string' },
      [
        ['1', 'x'],
        ['2', null],
      ],
    ],
    [
      'with a column renamed',
      { a: 'int', renamed: 'string' },
      [
        ['1', null],
        ['2', null],
      ],
    ],
    ['with an int that became a bigint', { a: 'bigint' }, [['1'], ['2']]],
    [
      'with a float that became a double',
      { a: 'int', b: 'double' },
      [
        ['1', '0.5'],
        ['2', '0.10000000149011612'],
      ],
    ],
  ] as const)('are read %s', async (_, columns, expected) => {
    expect(await rowsOf(columns, mode)).toEqual(expected)
  })
})

describe('a type that changes to one that Athena does not make of it', () => {
  it.each([
    ['a', 'int', 'smallint'],
    ['a', 'int', 'tinyint'],
    ['a', 'int', 'double'],
    ['a', 'int', 'string'],
    ['a', 'int', 'decimal(10,2)'],
    ['b', 'float', 'int'],
    ['c', 'string', 'double'],
    ['c', 'string', 'date'],
  ])('is a mismatch of a partition that declares the old one: %s from %s to %s', async (column, from, to) => {
    const name = await tableOver({ ...old, [column]: to }, 'old partition')
    await expect(lake.query(`SELECT * FROM ${name}`)).rejects.toThrowError(
      `HIVE_PARTITION_SCHEMA_MISMATCH: There is a mismatch between the table and partition schemas. ` +
        'The types are incompatible and cannot be coerced. ' +
        `The column '${column}' in table 'market.${name}' is declared as type '${to}', ` +
        `but partition 'dt=1' declared column '${column}' as type '${from}'.`,
    )
  })

  it.each([
    ['b', 'int', 'integer', 'optional float'],
    ['c', 'int', 'integer', 'optional byte_array'],
    ['c', 'double', 'double', 'optional byte_array'],
    ['a', 'float', 'real', 'optional int32'],
    ['a', 'timestamp', 'timestamp(3)', 'optional int32'],
    ['a', 'boolean', 'boolean', 'optional int32'],
  ])('is bad data of a file: %s as %s', async (column, to, type, declared) => {
    for (const mode of ['new partition', 'no partition'] as const) {
      const name = await tableOver({ ...old, [column]: to }, mode)
      await expect(lake.query(`SELECT * FROM ${name}`), mode).rejects.toThrowError(
        `HIVE_BAD_DATA: Unsupported Trino column type (${type}) for Parquet column ([${column}] ${declared}`,
      )
    }
  })

  it('is no hindrance to a query that leaves the column out', async () => {
    const name = await tableOver({ ...old, c: 'double' }, 'no partition')
    expect((await lake.query(`SELECT a FROM ${name} ORDER BY a`)).rows).toEqual([['1'], ['2']])
  })

  it('is told of only where the query reads that partition', async () => {
    const name = await tableOver({ ...old, a: 'smallint' }, 'old partition')
    await lake.write(`${name}/dt=2/a.parquet`, 'SELECT CAST(7 AS SMALLINT) AS a')
    await lake.addPartition(name, ['2'], { a: 'smallint' }, `${name}/dt=2/`)
    expect((await lake.query(`SELECT a FROM ${name} WHERE dt = '2'`)).rows).toEqual([['7']])
  })
})

describe('text that became an integer', () => {
  const texts = ['7', '-128', '+5', '128', '1.5', ' 1', 'x', '9223372036854775807', '9223372036854775808']
  const rows = texts
    .map((text, at) => `SELECT CAST(${at} AS INTEGER) AS a, '${text}' AS c`)
    .join(' UNION ALL ')

  it.each([
    ['tinyint', ['7', '-128', '5', null, null, null, null, null, null]],
    ['int', ['7', '-128', '5', '128', null, null, null, null, null]],
    ['bigint', ['7', '-128', '5', '128', null, null, null, '9223372036854775807', null]],
  ])(
    'is parsed as a %s in a partition that declares text, and NULL where it is none',
    async (type, expected) => {
      const name = await tableOver({ ...old, c: type }, 'old partition', { rows })
      const answer = await lake.query(`SELECT c FROM ${name} ORDER BY a`)
      expect(answer.rows).toEqual(expected.map((value) => [value]))
    },
  )

  it('is read beside partitions that declare the integer', async () => {
    const name = await tableOver({ ...old, c: 'bigint' }, 'old partition', { rows })
    await lake.write(`${name}/dt=2/a.parquet`, 'SELECT CAST(9 AS INTEGER) AS a, CAST(42 AS BIGINT) AS c')
    await lake.addPartition(name, ['2'], { a: 'int', c: 'bigint' }, `${name}/dt=2/`)
    const answer = await lake.query(`SELECT dt, sum(c % 1000) FROM ${name} GROUP BY dt ORDER BY dt`)
    expect(answer.rows).toEqual([
      ['1', String(7 - 128 + 5 + 128 + 807)],
      ['2', '42'],
    ])
  })
})

it('partitions of several ages are read as one table', async () => {
  await lake.createTable('ages', { b: 'double', a: 'bigint', d: 'string' }, { dt: 'string' })
  await lake.write('ages/1/a.parquet', oldRows)
  await lake.addPartition('ages', ['1'], old, 'ages/1/')
  await lake.write('ages/2/a.parquet', 'SELECT CAST(3 AS BIGINT) AS a, CAST(2.5 AS DOUBLE) AS b')
  await lake.addPartition('ages', ['2'], { a: 'bigint', b: 'double' }, 'ages/2/')
  await lake.write('ages/3/a.parquet', `SELECT 'new' AS d, CAST(4 AS BIGINT) AS a, CAST(3.5 AS DOUBLE) AS b`)
  await lake.addPartition('ages', ['3'], { b: 'double', a: 'bigint', d: 'string' }, 'ages/3/')
  expect((await lake.query('SELECT * FROM ages ORDER BY a')).rows).toEqual([
    ['0.5', '1', null, '1'],
    ['0.10000000149011612', '2', null, '1'],
    ['2.5', '3', null, '2'],
    ['3.5', '4', 'new', '3'],
  ])
})

describe('a row', () => {
  const before = { id: 'int', venue: 'struct<name:string,tier:int>' }
  const rows = `SELECT CAST(1 AS INTEGER) AS id, {'name': 'NYSE', 'tier': CAST(2 AS INTEGER)} AS venue
    UNION ALL SELECT 2, NULL`

  it.each([
    [
      'with a field added at its end',
      'struct<name:string,tier:int,open:boolean>',
      '{name=NYSE, tier=2, open=null}',
    ],
    ['with a field that widened', 'struct<name:string,tier:bigint>', '{name=NYSE, tier=2}'],
  ])('%s is read from old files', async (_, venue, expected) => {
    for (const mode of modes) {
      const name = await tableOver({ id: 'int', venue }, mode, { before, rows })
      expect((await lake.query(`SELECT venue FROM ${name} ORDER BY id`)).rows, mode).toEqual([
        [expected],
        [null],
      ])
    }
  })

  it.each([
    ['prepended', 'struct<open:boolean,name:string,tier:int>'],
    ['dropped', 'struct<name:string>'],
    ['moved', 'struct<tier:int,name:string>'],
  ])('with a field %s is a mismatch of a partition that declares the old one', async (_, venue) => {
    const name = await tableOver({ id: 'int', venue }, 'old partition', { before, rows })
    await expect(lake.query(`SELECT venue FROM ${name}`)).rejects.toThrowError(
      /HIVE_PARTITION_SCHEMA_MISMATCH/,
    )
  })

  it('with fields moved and left out is read by their names where no partition declares them', async () => {
    const columns = { id: 'int', venue: 'struct<tier:int,open:boolean>' }
    const name = await tableOver(columns, 'no partition', { before, rows })
    expect((await lake.query(`SELECT venue FROM ${name} WHERE id = 1`)).rows).toEqual([
      ['{tier=2, open=null}'],
    ])
  })
})
