import { AthenaClient } from '@aws-sdk/client-athena'
import { Decimal, t } from '@stockpipe/core'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Athena, createAthena, QueryFailedError, sql } from '../src/index.ts'

let stack: LocalStack
let client: AthenaClient
let athena: Athena

beforeAll(async () => {
  stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  client = new AthenaClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
  athena = createAthena({
    client,
    database: 'default',
    poll: { initialMillis: 10, maximumMillis: 50 },
  })
})
afterAll(async () => {
  client?.destroy()
  await stack?.close()
})

test('every type is decoded as stated', async () => {
  const { rows, queryExecutionId } = await athena.query({
    sql: `SELECT true AS flag, CAST(7 AS tinyint) AS tiny, 2147483647 AS whole, 9223372036854775807 AS big,
      CAST('NaN' AS double) AS nan, DECIMAL '12345678901234567890.1234' AS price, 'it''s' AS name, '' AS empty,
      CAST(NULL AS varchar) AS nothing, DATE '2024-02-29' AS on_day, TIMESTAMP '2024-03-08 14:30:00.123' AS at`,
    columns: {
      flag: t.boolean(),
      tiny: t.int8(),
      whole: t.int32(),
      big: t.int64(),
      nan: t.double(),
      price: t.decimal(24, 4),
      name: t.string(),
      empty: t.string(),
      nothing: t.string().nullable(),
      on_day: t.date(),
      at: t.timestamp(),
    },
  })
  expect(queryExecutionId).not.toBe('')
  expect(rows).toEqual([
    {
      flag: true,
      tiny: 7,
      whole: 2147483647,
      big: 9223372036854775807n,
      nan: Number.NaN,
      price: Decimal.parse('12345678901234567890.1234'),
      name: "it's",
      empty: '',
      nothing: null,
      on_day: '2024-02-29',
      at: new Date('2024-03-08T14:30:00.123Z'),
    },
  ])
})

test('parameters arrive as what they are, also when long and hostile', async () => {
  const hostile = `' OR 1=1 -- \\' "?" ${'x'.repeat(1100)}`
  const { rows } = await athena.query({
    ...sql`SELECT count(*) AS n, max(v) AS v FROM (VALUES ${hostile}, 'other') AS x(v)
      WHERE v = ${hostile} AND 5 = ${5n} AND TIMESTAMP '2024-03-08 14:30:00' = ${new Date('2024-03-08T14:30:00Z')}
      AND DECIMAL '1.50' = ${Decimal.parse('1.5')} AND 0.1E0 = ${0.1} AND true = ${true}`,
    columns: { n: t.int64(), v: t.string().nullable() },
  })
  expect(rows).toEqual([{ n: 1n, v: hostile }])
})

test('2,500 rows come in three pages, and the header is no row', async () => {
  const { rows } = await athena.query({
    sql: 'SELECT n FROM UNNEST(sequence(1, 2500)) AS x(n) ORDER BY n',
    columns: { n: t.int64() },
  })
  expect(rows).toHaveLength(2500)
  expect(rows[0]).toEqual({ n: 1n })
  expect(rows.at(-1)).toEqual({ n: 2500n })
})

test('a failing query rejects with Athena’s own words', async () => {
  const error = await athena
    .query({ sql: 'SELECT * FROM no_such_table', columns: {} })
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(QueryFailedError)
  expect((error as Error).message).toMatch(/TABLE_NOT_FOUND|TABLE|no_such_table/)
  expect((error as QueryFailedError).category).toBe('user')
})

test('an aborted query is stopped', async () => {
  const abort = new AbortController()
  const running = athena.query({ sql: 'SELECT 1 AS n', columns: { n: t.int32() }, signal: abort.signal })
  abort.abort(new Error('enough'))
  await expect(running).rejects.toThrow('enough')
})
