import { Decimal, t, unescapePartitionValue } from '@stockpipe/core'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { answer, identifier, list, type QueryColumn, type SqlValue, sql } from '../src/index.ts'
import { localAthena } from './local-athena.ts'

const local = localAthena('default')
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000)

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }).filter((text) => !/[\uD800-\uDFFF]/u.test(text)),
  fc.string({
    unit: fc.constantFrom("'", '"', '`', '\\', '?', '-', '/', '*', ';', '\n', '\r', '%', ' ', 'é', '𝄞'),
  }),
  fc.string({ unit: fc.constantFrom("'", '\\', 'x'), minLength: 1000, maxLength: 1100 }),
  fc.constantFrom("' OR 1=1 --", "\\' OR 1=1 --", "'); DROP TABLE t; --", 'null', "''", '\\', "\\'"),
)
/** DuckDB keeps no NUL in text. */
const samples = (count: number, pattern = /\0/) => [
  ...new Set(fc.sample(hostile, { seed, numRuns: count }).filter((text) => !pattern.test(text))),
]

describe(`values come back as they went in (FUZZ_SEED=${seed})`, () => {
  test('strings in the text, and as parameters of a predicate', async () => {
    const values = samples(150)
    const rows = values.map((value, index) => sql`(${index}, ${value})`)
    const all = rows.reduce((before, row) => sql`${before}, ${row}`)
    const { rows: read } = await local().athena.query({
      sql: sql`SELECT i, v FROM (VALUES ${all}) AS x (i, v) WHERE v IN ${list(values)} ORDER BY i`,
      columns: { i: t.int32(), v: t.string() },
    })
    expect(read).toEqual(values.map((v, i) => ({ i, v })))
    const [first = ''] = values
    const { rows: one } = await local().athena.query({
      sql: sql`SELECT i FROM (VALUES ${all}) AS x (i, v) WHERE v = ${first}`,
      columns: { i: t.int32() },
    })
    expect(one).toEqual([{ i: 0 }])
  })

  test.each<[SqlValue, QueryColumn, unknown?]>([
    [5, t.int32()],
    [-5, t.int32()],
    [2 ** 40, t.int64(), 2n ** 40n],
    [0.1, t.double()],
    [-1.5e-300, t.double()],
    [Number.NaN, t.double()],
    [Number.NEGATIVE_INFINITY, t.double()],
    [9223372036854775807n, t.int64()],
    [-9223372036854775808n, t.int64()],
    [2n ** 100n, t.decimal(31, 0), Decimal.of(2n ** 100n, 0)],
    [Decimal.parse('-0.0000000001'), t.decimal(10, 10)],
    [true, t.boolean()],
    [new Date('2024-03-08T14:30:00.123Z'), t.timestamp()],
    [new Uint8Array([0, 39, 92, 255]), t.binary()],
    [null, t.string().nullable()],
  ])('%s, as a literal and in a predicate', async (value, column, expected = value) => {
    const { rows } = await local().athena.query({
      sql: sql`SELECT ${value} AS v, x.a FROM (VALUES 1) AS x (a) WHERE ${value} IS NOT DISTINCT FROM ${value}`,
      columns: { v: column.nullable(), a: t.int32() },
    })
    expect(rows).toEqual([{ v: expected, a: 1 }])
  })

  test('names of columns, whatever they hold', async () => {
    for (const name of samples(25, /^$|\0|\n|\r/)) {
      const { rows } = await local().athena.query({
        sql: sql`SELECT x.${identifier(name)} FROM (VALUES 7) AS x (${identifier(name)})`,
      })
      expect(
        rows.map((row) => Object.values(row)),
        name,
      ).toEqual([[7]])
    }
  })

  test('an empty list has nothing in it', async () => {
    const { rows } = await local().athena.query({
      sql: sql`SELECT count_if(a IN ${list([])}) AS inside, count_if(a NOT IN ${list([])}) AS outside, count_if(b IN ${list([])}) AS other
        FROM (VALUES (1, 'x'), (2, NULL)) AS x (a, b)`,
      columns: { inside: t.int64(), outside: t.int64(), other: t.int64() },
    })
    expect(rows).toEqual([{ inside: 0n, outside: 2n, other: 0n }])
  })
})

describe('statements that are no queries', () => {
  beforeAll(async () => {
    const { athena, put } = local()
    await put('lake')
    await athena.execute({ sql: sql`CREATE DATABASE ${identifier('default')}` })
    await athena.execute({
      sql: sql`CREATE EXTERNAL TABLE ${identifier('days')} (n int COMMENT ${"it's \\ ?"}) PARTITIONED BY (day string)
        STORED AS PARQUET LOCATION ${'s3://lake/days/'} TBLPROPERTIES ('odd' = ${"\\'; DROP TABLE days; --"})`,
    })
  })

  test('partitions have the values they are given, through Hive’s quotes', async () => {
    const { athena } = local()
    const values = samples(30, /^$|[\0-\x1f\x7f]|.{200}/)
    for (const value of values) {
      await athena.execute({ sql: sql`ALTER TABLE ${identifier('days')} ADD PARTITION (day = ${value})` })
    }
    const { rows } = await athena.queryText({ sql: sql`SHOW PARTITIONS ${identifier('days')}` })
    const read = rows.map(([text]) => unescapePartitionValue(text!.replace(/^day=/, '')))
    expect(read.sort()).toEqual([...values].sort())
    for (const value of values) {
      await athena.execute({ sql: sql`ALTER TABLE days DROP PARTITION (${identifier('day')} = ${value})` })
    }
    expect((await athena.queryText({ sql: 'SHOW PARTITIONS days' })).rows).toEqual([])
  })

  test('INSERT and CREATE TABLE AS answer their counts, other DDL none', async () => {
    const { athena } = local()
    const created = await athena.execute({
      sql: sql`CREATE TABLE ctas WITH (external_location = ${'s3://lake/ctas/'}) AS
        SELECT a FROM (VALUES 1, 2, 3) AS x (a) WHERE a > ${1}`,
    })
    expect(created.updateCount).toBe(2)
    const inserted = await athena.execute({ sql: sql`INSERT INTO ctas VALUES ${7}` })
    expect(inserted.updateCount).toBe(1)
    const { rows } = await athena.query({ sql: 'SELECT a FROM ctas ORDER BY a', columns: { a: t.int32() } })
    expect(rows.map(({ a }) => a)).toEqual([2, 3, 7])
    expect((await athena.execute({ sql: sql`DROP TABLE ${identifier('ctas')}` })).updateCount).toBeUndefined()
  })

  test('WITH, EXECUTE, EXPLAIN, SHOW and DESCRIBE answer their rows and no header', async () => {
    const { athena } = local()
    const word = { word: t.string() }
    expect(
      (await athena.query({ sql: "WITH w AS (SELECT 'word' AS word) SELECT word FROM w", columns: word }))
        .rows,
    ).toEqual([{ word: 'word' }])
    await athena.execute({
      sql: "PREPARE p FROM SELECT v AS word FROM (VALUES 'word', 'x') AS x (v) WHERE v = ?",
    })
    expect((await athena.query({ sql: sql`EXECUTE p USING ${'word'}`, columns: word })).rows).toEqual([
      { word: 'word' },
    ])
    const plan = await athena.queryText({ sql: 'EXPLAIN SELECT 1' })
    expect(plan.rows.flat().join('\n')).not.toContain('Query Plan')
    expect(plan.rows.length).toBeGreaterThan(0)
    expect((await athena.queryText({ sql: "SHOW TABLES 'days'" })).rows).toEqual([['days']])
    const described = await athena.queryText({ sql: sql`DESCRIBE ${identifier('days')}` })
    expect(described.rows[0]?.slice(0, 2)).toEqual(['n', 'int'])
  })
})

describe('columns of answers', () => {
  test('are read from what Athena writes of each type', async () => {
    const { rows } = await local().athena.query({
      sql: `SELECT TIMESTAMP '2024-03-08 14:30:00.123456' AS micros,
        TIMESTAMP '2024-03-08 14:30:00.123 America/New_York' AS zoned, TIME '14:30:00.123' AS at,
        INTERVAL '90' MINUTE AS minutes, INTERVAL '15' MONTH AS months, JSON '{"a": [1, 0.5]}' AS meta,
        CAST(ARRAY['a, b', NULL, 'null', ''] AS JSON) AS tags,
        CAST(MAP(ARRAY['x=1', 'y'], ARRAY[9223372036854775807, NULL]) AS JSON) AS counts,
        CAST(ROW('IBM', DECIMAL '12345678901234567890.1234') AS ROW(symbol varchar, price decimal(24, 4))) AS trade,
        CAST(CAST(ROW('a, price=1', DECIMAL '12345678901234567890.1234') AS ROW(symbol varchar, price decimal(24, 4))) AS JSON) AS exact,
        NULL AS nothing, '' AS empty`,
      columns: {
        micros: answer.timestampNanos(),
        zoned: answer.timestampWithTimeZone(),
        at: answer.time(),
        minutes: answer.intervalDayToSecond(),
        months: answer.intervalYearToMonth(),
        meta: answer.json<{ a: number[] }>(),
        tags: t.list(t.string().nullable()),
        counts: t.map(t.string(), t.int64().nullable()),
        trade: t.struct({ symbol: t.string(), price: t.decimal(24, 4) }),
        exact: t.struct({ symbol: t.string(), price: t.decimal(24, 4) }),
        nothing: t.string().nullable(),
        empty: t.string().nullable(),
      },
    })
    const price = Decimal.parse('12345678901234567890.1234')
    expect(rows).toEqual([
      {
        micros: 1709908200123456000n,
        zoned: { epochNanos: 1709926200123000000n, zone: 'America/New_York' },
        at: '14:30:00.123',
        minutes: 5_400_000n,
        months: 15,
        meta: { a: [1, 0.5] },
        tags: ['a, b', null, 'null', ''],
        counts: new Map([
          ['x=1', 9223372036854775807n],
          ['y', null],
        ]),
        trade: { symbol: 'IBM', price },
        exact: { symbol: 'a, price=1', price },
        nothing: null,
        empty: '',
      },
    ])
  })
})
