import { t } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { describedType, queryShape, unloadStatement } from '../src/results/unload-statement.ts'
import { statedColumns } from '../src/stated-column.ts'

describe('the shape of a statement', () => {
  it.each([
    ['SELECT 1', true, false],
    ['  -- about\n/* more */ select 1 ; ', true, false],
    ['WITH a AS (SELECT 1 ORDER BY 1 LIMIT 2) SELECT * FROM a', true, false],
    ['SELECT row_number() OVER (ORDER BY x), array_agg(y ORDER BY z) FROM t', true, false],
    [`SELECT 'ORDER BY', "limit" FROM t -- ORDER BY 1`, true, false],
    ['(SELECT 1) UNION ALL (SELECT 2)', true, false],
    ['(SELECT x FROM t ORDER BY x)', true, true],
    ['(SELECT x FROM (SELECT x FROM t ORDER BY x LIMIT 3))', true, false],
    ['VALUES 1, 2', true, false],
    ['SELECT x FROM t ORDER BY x', true, true],
    ['SELECT x FROM t\nlimit 10', true, true],
    ['SELECT x FROM t OFFSET 5', true, true],
    ['SELECT x FROM t FETCH FIRST 5 ROWS ONLY', true, true],
    ['SHOW TABLES', false, false],
    ['EXPLAIN SELECT 1', false, false],
    ['INSERT INTO t SELECT 1', false, false],
    ['SELECT 1; SELECT 2', false, false],
    ['SELECT 1) TO (', false, false],
    ['', false, false],
  ])('%j', (sql, isQuery, isOrdered) => {
    expect(queryShape(sql)).toMatchObject({ isQuery, isOrdered })
  })
})

describe('UNLOAD of a query', () => {
  it('keeps the query and its parameters, whatever stands at its end', () => {
    const { queryString, executionParameters } = unloadStatement(
      { queryString: 'SELECT a, "B c", ts FROM t WHERE a > ? -- all;', executionParameters: ['5'] },
      statedColumns({ a: t.int32(), 'B c': t.string(), ts: t.timestamp() }),
      "s3://bucket/it's/",
    )
    expect(queryString).toBe(
      `UNLOAD (SELECT *, date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00.000', "ts") AS stockpipe_millis_2, ` +
        `array_join(ARRAY[typeof("a"), typeof("b c"), typeof("ts")], chr(10)) AS stockpipe_types_0 FROM (\n` +
        `SELECT a, "B c", ts FROM t WHERE a > ? -- all;\n` +
        `) AS answer) TO 's3://bucket/it''s/' WITH (format = 'PARQUET', compression = 'ZSTD')`,
    )
    expect(executionParameters).toEqual(['5'])
  })

  it('leaves out the semicolon at the end', () => {
    const { queryString } = unloadStatement(
      { queryString: 'SELECT 1 AS a; -- end', executionParameters: [] },
      statedColumns({ a: t.int32() }),
      's3://b/p/',
    )
    expect(queryString).toContain('FROM (\nSELECT 1 AS a\n) AS answer)')
  })

  it('asks for the types of a hundred columns at a time', () => {
    const columns = Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`c${index}`, t.int32()]))
    const { queryString } = unloadStatement(
      { queryString: 'SELECT * FROM wide', executionParameters: [] },
      statedColumns(columns),
      's3://b/p/',
    )
    expect(queryString.match(/array_join/g)?.length).toBe(3)
    expect(queryString).toContain('array_join(ARRAY[typeof("c200")], chr(10)) AS stockpipe_types_2')
  })
})

it('types are described as GetQueryResults does', () => {
  const described = (type: string) => {
    const { Type, Precision, Scale } = describedType('x', type)
    return [Type, Precision, Scale]
  }
  expect(described('decimal(18,4)')).toEqual(['decimal', 18, 4])
  expect(described('real')).toEqual(['float', 0, 0])
  expect(described('varchar(5)')).toEqual(['varchar', 5, 0])
  expect(described('varchar')).toEqual(['varchar', 0, 0])
  expect(described('timestamp(3)')).toEqual(['timestamp', 3, 0])
  expect(described('timestamp(3) with time zone')).toEqual(['timestamp with time zone', 3, 0])
  expect(described('interval day to second')).toEqual(['interval day to second', 0, 0])
  expect(described('row(id bigint, name varchar(5))')).toEqual(['row', 0, 0])
  expect(described('array(decimal(5,2))')).toEqual(['array', 0, 0])
})
