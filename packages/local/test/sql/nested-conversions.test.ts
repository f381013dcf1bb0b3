import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TableFile } from '../../src/sql/query-engine.ts'
import { TestLake } from './market-lake.ts'

const lake = new TestLake()
let file: TableFile
const nanos = '[499999, 500000, -500001, NULL, 1700000000123500000]::BIGINT[]'

beforeAll(async () => {
  file = await lake.file(
    'nested/a.parquet',
    `SELECT 1::INTEGER AS id, list_transform(${nanos}, lambda n: make_timestamp_ns(n)) AS nanos,
      [TIMESTAMP '2024-01-01 00:00:00.999500', NULL] AS micros,
      [list_transform((${nanos})[:2], lambda n: make_timestamp_ns(n)), NULL, []] AS deep,
      MAP {'a': make_timestamp_ns(500000), 'b': NULL} AS named, MAP {make_timestamp_ns(500000): 1::INTEGER} AS keyed,
      [{'t': make_timestamp_ns(500000), 'n': 5::INTEGER, 'm': MAP {'x': [1::INTEGER]}}, NULL] AS legs,
      [1::INTEGER, NULL] AS counts, [1.25::DECIMAL(5,2), NULL] AS prices, [0.5::FLOAT, NULL] AS ratios,
      MAP {1::INTEGER: 2::INTEGER} AS sizes, {'n': 7::INTEGER, 'd': 1.25::DECIMAL(5,2)} AS pair, ['abc'] AS texts,
      'other' AS x0, 'other' AS x1
    UNION ALL SELECT 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    UNION ALL SELECT 3, [], [], [], MAP {}, MAP {}, [], [], [], [], MAP {}, {'n': NULL, 'd': NULL}, [], NULL, NULL`,
  )
}, 60_000)
afterAll(() => lake[Symbol.asyncDispose]())

/** The values of one column, declared as `type`. */
async function read(column: string, type: string): Promise<readonly (string | null)[]> {
  lake.table('nested', { id: 'int', [column]: type }, {}, [file])
  const { rows } = await lake.query(`SELECT ${column} FROM nested ORDER BY id`)
  return rows.map((row) => row[0]!)
}

const rounded =
  '1970-01-01 00:00:00.000, 1970-01-01 00:00:00.001, 1969-12-31 23:59:59.999, null, 2023-11-14 22:13:20.124'

// As Trino 476 reads files of these types.
describe('what arrays, maps and rows hold', () => {
  it.each([
    ['nanos', 'array<timestamp>', [`[${rounded}]`, null, '[]']],
    ['micros', 'array<timestamp>', ['[2024-01-01 00:00:01.000, null]', null, '[]']],
    ['deep', 'array<array<timestamp>>', [`[[${rounded.slice(0, 48)}], null, []]`, null, '[]']],
    ['named', 'map<string,timestamp>', ['{a=1970-01-01 00:00:00.001, b=null}', null, '{}']],
    [
      'legs',
      'array<struct<t:timestamp,n:bigint,m:map<string,array<bigint>>,z:string>>',
      ['[{t=1970-01-01 00:00:00.001, n=5, m={x=[1]}, z=null}, null]', null, '[]'],
    ],
    ['counts', 'array<bigint>', ['[1, null]', null, '[]']],
    ['counts', 'array<smallint>', ['[1, null]', null, '[]']],
    ['counts', 'array<decimal(10,2)>', ['[1.00, null]', null, '[]']],
    ['prices', 'array<decimal(10,4)>', ['[1.2500, null]', null, '[]']],
    ['prices', 'array<decimal(5,1)>', ['[1.3, null]', null, '[]']],
    ['ratios', 'array<double>', ['[0.5, null]', null, '[]']],
    ['sizes', 'map<int,bigint>', ['{1=2}', null, '{}']],
    ['pair', 'struct<n:bigint,d:decimal(10,4)>', ['{n=7, d=1.2500}', null, '{n=null, d=null}']],
  ])('is read from %s as %s', async (column, type, values) => {
    expect(await read(column, type)).toEqual(values)
  })

  it.each([
    ['counts', 'array<double>'],
    ['counts', 'array<string>'],
    ['prices', 'array<string>'],
    ['pair', 'struct<n:double>'],
    ['pair', 'struct<n:string>'],
    ['pair', 'struct<d:string>'],
    ['sizes', 'map<int,string>'],
    ['ratios', 'array<bigint>'],
    ['texts', 'array<int>'],
    ['texts', 'map<string,int>'],
    ['texts', 'string'],
  ])('is not read from %s as %s', async (column, type) => {
    await expect(read(column, type)).rejects.toThrow(/^HIVE_BAD_DATA: Unsupported Trino column type/)
  })

  it('is refused by name where keys of a map would be rounded, since two could be one', async () => {
    await expect(read('keyed', 'map<timestamp,int>')).rejects.toThrow(/does not support columns of type map/)
  })
})
