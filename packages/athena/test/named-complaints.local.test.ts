import { t } from '@stockpipe/core'
import { expect, test } from 'vitest'
import { answer, identifier, sql } from '../src/index.ts'
import { localAthena } from './local-athena.ts'

/** What users of other clients complain of, by the issue in which they do, with the SQL they give. */

const local = localAthena('default')

test("PyAthena#118: '', 'N/A' and 'NULL' come back as strings, NULL as null", async () => {
  const { rows } = await local().athena.query({
    sql: "select * from (values ('', 'a'), ('N/A', 'a'), ('NULL', 'a'), (NULL, 'a')) as t (x, y)",
    columns: { x: t.string().nullable(), y: t.string() },
  })
  expect(rows.map(({ x }) => x)).toEqual(['', 'N/A', 'NULL', null])
})

test('PyAthena#689: strings within an array of rows stay strings', async () => {
  const { rows } = await local().athena.query({
    sql: `WITH t AS (
        SELECT * FROM (VALUES (ARRAY[
          CAST(ROW('1234') AS ROW(string varchar)),
          CAST(ROW('value') AS ROW(string varchar))
        ])) AS v(field)
      )
      SELECT CAST(field AS JSON) AS field, json_format(CAST(field AS JSON)) AS field_json FROM t`,
    columns: {
      field: t.list(t.struct({ string: t.string() })),
      field_json: t.list(t.struct({ string: t.string() })),
    },
  })
  const field = [{ string: '1234' }, { string: 'value' }]
  expect(rows).toEqual([{ field, field_json: field }])
})

test('PyAthena#764: a map with JSON in its values comes back whole, and as text is refused', async () => {
  const map = `MAP(ARRAY['items', 'url'], ARRAY['[{"product_id":285,"option_id":6049}]', '/webview/checkout'])`
  const columns = { value: t.map(t.string(), t.string()).nullable() }
  const { athena } = local()
  await expect(athena.query({ sql: `SELECT ${map} AS value`, columns })).rejects.toThrow(
    'write CAST(value AS JSON) and keep the stated type',
  )
  const { rows } = await athena.query({ sql: `SELECT CAST(${map} AS JSON) AS value`, columns })
  expect(rows).toEqual([
    {
      value: new Map([
        ['items', '[{"product_id":285,"option_id":6049}]'],
        ['url', '/webview/checkout'],
      ]),
    },
  ])
})

test('athena-express#72, aws-sdk-pandas#216: NULL is null in every type', async () => {
  const { rows } = await local().athena.query({
    sql: `SELECT CAST(NULL AS boolean) AS flag, CAST(NULL AS double) AS price, CAST(NULL AS integer) AS size, NULL AS delay,
      CAST(NULL AS array(varchar)) AS tags`,
    columns: {
      flag: t.boolean().nullable(),
      price: t.double().nullable(),
      size: t.int32().nullable(),
      delay: t.int64().nullable(),
      tags: t.list(t.int32()).nullable(),
    },
  })
  expect(rows).toEqual([{ flag: null, price: null, size: null, delay: null, tags: null }])
})

test('aws-sdk-pandas#2252: a timestamp(6) is read to the microsecond', async () => {
  const { rows } = await local().athena.query({
    sql: "SELECT CAST('2023-05-03 10:11:12.123456' AS timestamp(6)) AS at",
    columns: { at: answer.timestampNanos() },
  })
  expect(rows).toEqual([{ at: 1683108672123456000n }])
})

test('aws-sdk-pandas#1683: an answer without rows has none', async () => {
  const { rows } = await local().athena.query({
    sql: sql`SELECT a AS ${identifier('name')} FROM (VALUES 'x') AS v (a) WHERE a = ${'y'}`,
    columns: { name: t.string() },
  })
  expect(rows).toEqual([])
})
