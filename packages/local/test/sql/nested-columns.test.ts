import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createQueryEngine } from '../../src/sql/duckdb-query-engine.ts'
import type { QueryResult, TableResolver } from '../../src/sql/query-engine.ts'

const directory = mkdtempSync(join(tmpdir(), 'nested-columns-'))
const engine = createQueryEngine({ dataDirectory: directory, allowedDirectories: [directory] })

const columns = [
  { name: 'id', type: 'int' },
  { name: 'tags', type: 'array<string>' },
  { name: 'fees', type: 'map<string,decimal(9,2)>' },
  { name: 'legs', type: 'array<struct<price:decimal(18,4),at:timestamp,sizes:array<bigint>>>' },
  { name: 'venue', type: 'struct<name:string,levels:map<int,double>>' },
]
let columnsOfTable: readonly { readonly name: string; readonly type: string }[] = columns
const filePath = join(directory, 'orders.parquet')
const resolver: TableResolver = {
  resolveTable: async (database, name) => ({
    database,
    name,
    columns: columnsOfTable,
    partitionKeys: [],
    listFiles: async () => [
      { filePath, uri: 's3://lake/orders.parquet', size: statSync(filePath).size, partitionValues: [] },
    ],
  }),
}

const run = (sql: string): Promise<QueryResult> => engine.run({ sql, database: 'market', resolver })
const rows = async (sql: string) => (await run(sql)).rows

beforeAll(async () => {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`COPY (
    SELECT CAST(1 AS INTEGER) AS id, ['a', NULL, 'null'] AS tags, MAP {'x': 1.25::DECIMAL(9,2), 'y': NULL} AS fees,
      [{'Price': 1.5::DECIMAL(18,4), 'At': '2024-03-08 14:30:00.123'::TIMESTAMP_MS, 'Sizes': [10::BIGINT, NULL]},
       {'Price': NULL, 'At': NULL, 'Sizes': []}] AS legs,
      {'name': 'NYSE', 'levels': MAP {1::INTEGER: 0.5::DOUBLE}} AS venue
    UNION ALL SELECT 2, NULL, NULL, NULL, NULL
    UNION ALL SELECT 3, [], MAP {}, [], {'name': NULL, 'levels': NULL}
  ) TO '${filePath}' (FORMAT PARQUET)`)
  connection.closeSync()
  instance.closeSync()
})
afterAll(async () => {
  await engine.close()
  rmSync(directory, { recursive: true })
})

describe('arrays, maps and rows of a table', () => {
  it('are answered with their types and in the text of Athena', async () => {
    const answer = await run('SELECT * FROM orders ORDER BY id')
    expect(answer.columns.map(({ type }) => type)).toEqual([
      'integer',
      'array(varchar)',
      'map(varchar, decimal(9,2))',
      'array(row(price decimal(18,4), at timestamp(3), sizes array(bigint)))',
      'row(name varchar, levels map(integer, double))',
    ])
    expect(answer.rows).toEqual([
      [
        '1',
        '[a, null, null]',
        '{x=1.25, y=null}',
        '[{price=1.5000, at=2024-03-08 14:30:00.123, sizes=[10, null]}, {price=null, at=null, sizes=[]}]',
        '{name=NYSE, levels={1=0.5}}',
      ],
      ['2', null, null, null, null],
      ['3', '[]', '{}', '[]', '{name=null, levels=null}'],
    ])
  })

  it('have fields, elements and keys, whatever the case of a field', async () => {
    expect(
      await rows(`SELECT o.venue.name, VENUE.Levels[1], legs[1].price, legs[1].sizes[1], fees['x'], element_at(fees, 'z')
        FROM orders o WHERE id = 1`),
    ).toEqual([['NYSE', '0.5', '1.5000', '10', '1.25', null]])
    expect(await rows("SELECT venue.name, fees['x'], legs[1].price FROM orders WHERE id = 2")).toEqual([
      [null, null, null],
    ])
    expect(
      await rows('SELECT id, cardinality(fees), map_keys(fees), map_values(fees) FROM orders ORDER BY id'),
    ).toEqual([
      ['1', '2', '[x, y]', '[1.25, null]'],
      ['2', null, null, null],
      ['3', '0', '[]', '[]'],
    ])
    expect(await rows('SELECT id FROM orders WHERE venue.levels IS NULL ORDER BY id')).toEqual([['2'], ['3']])
    expect(await rows('SELECT venue.name, count(*) FROM orders GROUP BY venue.name ORDER BY 1')).toEqual([
      ['NYSE', '1'],
      [null, '2'],
    ])
  })

  it('are unnested: a column for each field of a row, for key and value of a map', async () => {
    expect(
      await rows('SELECT id, price, l.at, sizes FROM orders CROSS JOIN UNNEST(legs) AS l(price, at, sizes)'),
    ).toEqual([
      ['1', '1.5000', '2024-03-08 14:30:00.123', '[10, null]'],
      ['1', null, null, '[]'],
    ])
    expect(await rows('SELECT id, k, v FROM orders CROSS JOIN UNNEST(fees) AS f(k, v) ORDER BY k')).toEqual([
      ['1', 'x', '1.25'],
      ['1', 'y', null],
    ])
    expect(await rows('SELECT sum(price), count(*) FROM orders, UNNEST(legs)')).toEqual([['1.5000', '2']])
  })

  it('are told apart by what they hold, and become JSON', async () => {
    expect(await rows('SELECT id, venue = venue, fees = fees, legs = legs FROM orders ORDER BY id')).toEqual([
      ['1', 'true', null, null],
      ['2', null, null, null],
      ['3', null, 'true', 'true'],
    ])
    expect(await rows('SELECT count(DISTINCT legs), count(DISTINCT tags) FROM orders')).toEqual([['2', '2']])
    expect(
      await rows(
        'SELECT cast(venue AS json), cast(legs AS json), cast(fees AS json) FROM orders WHERE id = 1',
      ),
    ).toEqual([
      [
        '{"name":"NYSE","levels":{"1":0.5}}',
        '[{"price":1.5000,"at":"2024-03-08 14:30:00.123","sizes":[10,null]},{"price":null,"at":null,"sizes":[]}]',
        '{"x":1.25,"y":null}',
      ],
    ])
  })

  it.each([
    ["SELECT fees['z'] FROM orders WHERE id = 1", 'INVALID_FUNCTION_ARGUMENT', 'Key not present in map: z'],
    ['SELECT venue.place FROM orders', 'TYPE_MISMATCH', "has no field 'place'"],
    ['SELECT id.name FROM orders', 'TYPE_MISMATCH', 'is not a row'],
    ['SELECT legs[1].price.x FROM orders', 'TYPE_MISMATCH', 'is not a row'],
    ['SELECT id FROM orders ORDER BY fees', 'NOT_SUPPORTED', 'ORDER BY of maps'],
    ['SELECT id FROM orders ORDER BY 1, tags', 'NOT_SUPPORTED', 'ORDER BY of arrays'],
    ['SELECT tags FROM orders ORDER BY 1', 'NOT_SUPPORTED', 'ORDER BY of arrays'],
    ['SELECT tags FROM orders ORDER BY tags', 'NOT_SUPPORTED', 'ORDER BY of arrays'],
    [
      'SELECT tags FROM orders UNION ALL SELECT tags FROM orders ORDER BY 1',
      'NOT_SUPPORTED',
      'ORDER BY of arrays',
    ],
    ['SELECT DISTINCT venue FROM orders', 'NOT_SUPPORTED', 'SELECT DISTINCT of row'],
    ['SELECT count(DISTINCT fees) FROM orders', 'NOT_SUPPORTED', 'count of distinct values of map'],
    ['SELECT venue < venue FROM orders', 'NOT_SUPPORTED', 'comparisons of rows by <'],
    ['SELECT fees, count(*) FROM orders GROUP BY fees', 'NOT_SUPPORTED', 'GROUP BY of map'],
    ['SELECT venue FROM orders UNION SELECT venue FROM orders', 'NOT_SUPPORTED', 'UNION of row'],
    ['SELECT max(venue) FROM orders', 'NOT_SUPPORTED', 'the aggregation max'],
    ['SELECT count(*) OVER (PARTITION BY fees) FROM orders', 'NOT_SUPPORTED', 'PARTITION BY of map'],
  ])('%s is refused as %s', async (sql, errorName, message) => {
    await expect(run(sql)).rejects.toMatchObject({ errorName, message: expect.stringContaining(message) })
  })

  it('have text of a bounded length cut, wherever it is', async () => {
    columnsOfTable = [
      { name: 'id', type: 'int' },
      { name: 'tags', type: 'array<varchar(2)>' },
      { name: 'venue', type: 'struct<name:varchar(3),levels:map<int,double>>' },
    ]
    try {
      expect(await rows('SELECT tags, venue FROM orders ORDER BY id')).toEqual([
        ['[a, null, nu]', '{name=NYS, levels={1=0.5}}'],
        [null, null],
        ['[]', '{name=null, levels=null}'],
      ])
    } finally {
      columnsOfTable = columns
    }
  })

  it('are refused where a file holds a type within that Trino does not read as theirs', async () => {
    columnsOfTable = [
      { name: 'venue', type: 'struct<name:string,levels:map<int,bigint>>' },
      { name: 'tags', type: 'map<string,string>' },
      { name: 'fees', type: 'map<string,varchar(3)>' },
    ]
    try {
      for (const column of ['venue', 'tags', 'fees']) {
        await expect(run(`SELECT ${column} FROM orders`)).rejects.toThrow(/HIVE_BAD_DATA/)
      }
    } finally {
      columnsOfTable = columns
    }
  })
})
