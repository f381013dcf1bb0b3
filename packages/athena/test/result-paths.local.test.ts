import { AthenaClient, BatchGetQueryExecutionCommand, CreateWorkGroupCommand } from '@aws-sdk/client-athena'
import {
  CreateBucketCommand,
  type GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3'
import { Decimal, t } from '@stockpipe/core'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AthenaOptions, createAthena } from '../src/index.ts'
import { arrowBatches, arrowTable, ndjson, s3ResultStore } from '../src/results/index.ts'

let stack: LocalStack
let client: AthenaClient
let s3: S3Client
/** GETs that were sent. */
const reads: GetObjectCommand['input'][] = []

beforeAll(async () => {
  stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  const settings = { endpoint, region, credentials: { accessKeyId, secretAccessKey } }
  client = new AthenaClient(settings)
  s3 = new S3Client({ ...settings, forcePathStyle: true })
  await s3.send(new CreateBucketCommand({ Bucket: 'results' }))
  s3.middlewareStack.add(
    (next) => (call) => {
      if ('Key' in call.input) reads.push(call.input as GetObjectCommand['input'])
      return next(call)
    },
    { step: 'initialize' },
  )
})
afterAll(async () => {
  client?.destroy()
  s3?.destroy()
  await stack?.close()
})

const connect = (options: Partial<AthenaOptions> = {}) => {
  reads.length = 0
  return createAthena({
    client,
    database: 'default',
    outputLocation: 's3://results/athena/',
    resultStore: s3ResultStore(s3),
    poll: { initialMillis: 10, maximumMillis: 50 },
    ...options,
  })
}

const everyType = {
  sql: `SELECT n, CAST(n % 100 AS tinyint) AS tiny, CAST(n AS smallint) AS small, n % 2 = 0 AS flag,
      CAST(n AS bigint) * 2305843009213693 AS big, n / 7e0 AS ratio, CAST(n / 7e0 AS real) AS single,
      CASE n WHEN 1 THEN nan() WHEN 2 THEN infinity() WHEN 3 THEN -infinity() WHEN 4 THEN -0e0 WHEN 5 THEN 5e-324 ELSE 1e300 END AS odd,
      CAST(n AS decimal(38, 10)) / 8 AS price, DECIMAL '-0.0001' AS tick,
      CASE n % 4 WHEN 0 THEN '' WHEN 1 THEN NULL WHEN 2 THEN 'say "hi", twice' || chr(10) || 'é 💶 and more' ELSE 'null' END AS text,
      CASE n WHEN 1 THEN DATE '0001-01-01' WHEN 2 THEN DATE '9999-12-31' WHEN 3 THEN NULL ELSE DATE '2024-02-29' END AS on_day,
      CASE n WHEN 1 THEN TIMESTAMP '0001-01-01 00:00:00.001' WHEN 2 THEN TIMESTAMP '9999-12-31 23:59:59.999'
        WHEN 3 THEN TIMESTAMP '1969-12-31 23:59:59.999' ELSE date_add('millisecond', n, TIMESTAMP '2024-03-08 14:30:00.000') END AS at,
      CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN X'' ELSE X'00ff0a' END AS bytes,
      ARRAY[n, NULL, n + 1] AS list, MAP(ARRAY[n, -n], ARRAY[n / 2e0, NULL]) AS map,
      CAST(ROW(n, DATE '2024-02-29', DECIMAL '1.50') AS ROW(id integer, day date, paid decimal(10, 2))) AS fields
    FROM (SELECT CAST(x AS integer) AS n FROM UNNEST(sequence(1, 3000)) AS numbers(x))`,
  columns: {
    n: t.int32(),
    tiny: t.int8(),
    small: t.int16(),
    flag: t.boolean(),
    big: t.int64(),
    ratio: t.double(),
    single: t.float(),
    odd: t.double(),
    price: t.decimal(38, 10),
    tick: t.decimal(10, 6),
    text: t.string().nullable(),
    on_day: t.date().nullable(),
    at: t.timestamp(),
    bytes: t.binary().nullable(),
    list: t.list(t.int32().nullable()),
    map: t.map(t.int32(), t.double().nullable()),
    fields: t.struct({ id: t.int32(), day: t.date(), paid: t.decimal(10, 2) }),
  },
} as const

const sorted = <Row extends { readonly n: number }>(rows: readonly Row[]): readonly Row[] =>
  rows.toSorted((left, right) => left.n - right.n)

test('rows of every type are the same by every path', async () => {
  const athena = connect()
  const pages = sorted((await athena.query({ ...everyType, resultPath: 'pages' })).rows)
  expect(reads).toEqual([])
  expect(pages.length).toBe(3000)
  expect(pages[1]).toMatchObject({
    big: 4611686018427386n,
    price: Decimal.parse('0.2500000000'),
    text: 'say "hi", twice\né 💶 and more',
    on_day: '9999-12-31',
    at: new Date('9999-12-31T23:59:59.999Z'),
    bytes: new Uint8Array([0, 255, 10]),
  })
  for (const resultPath of ['csv', 'unload', undefined] as const) {
    reads.length = 0
    const { rows } = await athena.query({ ...everyType, ...(resultPath && { resultPath }) })
    // Of an UNLOAD the manifest, the end of the file and its columns.
    expect(reads.length).toBe(resultPath === 'unload' ? 3 : 1)
    expect(sorted(rows)).toEqual(pages)
  }
})

test('a work group that manages results answers in pages, and is sent no place for them', async () => {
  await client.send(
    new CreateWorkGroupCommand({
      Name: 'managed',
      Configuration: { ManagedQueryResultsConfiguration: { Enabled: true } },
    }),
  )
  const athena = createAthena({
    client,
    database: 'default',
    workGroup: 'managed',
    resultStore: s3ResultStore(s3),
    poll: { initialMillis: 10, maximumMillis: 50 },
  })
  reads.length = 0
  const { rows } = await athena.query(everyType)
  expect(rows.length).toBe(3000)
  expect(reads).toEqual([])
  await expect(athena.query({ ...everyType, resultPath: 'csv' })).rejects.toMatchObject({
    code: 'RESULT_PATH',
  })
})

test('statements that are no SELECT answer as ever', async () => {
  const athena = connect()
  await athena.queryText({ sql: 'CREATE DATABASE market' })
  const { rows } = await athena.queryText({ sql: 'SHOW DATABASES' })
  expect(rows).toEqual([['market']])
  expect(reads).toEqual([])
})

test('a download that is given up ends, and its connection with it', async () => {
  const athena = connect()
  const one = {
    sql: `SELECT CAST(n AS integer) AS n, rpad('', 200, 'x') AS filler FROM UNNEST(sequence(1, 9999)) a(n), UNNEST(sequence(1, 5)) b(m)`,
    columns: { n: t.int32(), filler: t.string() },
  }
  let read = 0
  for await (const { filler } of athena.stream(one)) {
    expect(filler.length).toBe(200)
    if (++read === 5000) break
  }
  expect(read).toBe(5000)
  const abort = new AbortController()
  const aborted = async () => {
    for await (const _ of athena.stream({ ...one, signal: abort.signal })) {
      if (++read === 10_000) abort.abort(new Error('enough'))
    }
  }
  await expect(aborted()).rejects.toThrow('enough')
  expect(read).toBeLessThan(11_000)
})

const keysOf = async (prefix: string) =>
  ((await s3.send(new ListObjectsV2Command({ Bucket: 'results', Prefix: prefix }))).Contents ?? []).map(
    ({ Key: key }) => key,
  )

test('the files of an UNLOAD are gone once they are read, or given up', async () => {
  const athena = connect({ unloadLocation: 's3://results/files/' })
  let seen: unknown[] = []
  for await (const row of athena.stream({ ...everyType, resultPath: 'unload' })) {
    if (row.n === 2) seen = await keysOf('files/')
    if (row.n === 5) break
  }
  expect(seen.length).toBe(1)
  expect(await keysOf('files/')).toEqual([])
})

test('an UNLOAD that is aborted while it runs is stopped, and leaves nothing', async () => {
  const athena = connect({ unloadLocation: 's3://results/files/' })
  const abort = new AbortController()
  const ids: string[] = []
  const read = athena.query({
    sql: `SELECT x + y + z AS n FROM UNNEST(sequence(1, 9999)) a(x), UNNEST(sequence(1, 9999)) b(y), UNNEST(sequence(1, 9999)) c(z)`,
    columns: { n: t.int64() },
    resultPath: 'unload',
    signal: abort.signal,
    onStart: (id) => {
      ids.push(id)
      abort.abort(new Error('enough'))
    },
  })
  await expect(read).rejects.toThrow('enough')
  const { QueryExecutions: executions } = await client.send(
    new BatchGetQueryExecutionCommand({ QueryExecutionIds: ids }),
  )
  expect(executions?.[0]?.Status?.State).toBe('CANCELLED')
  expect(await keysOf('files/')).toEqual([])
})

test('UNLOAD takes parameters, WITH and comments, and refuses what it cannot write', async () => {
  const athena = connect()
  const { rows } = await athena.query({
    sql: `WITH a AS (SELECT CAST(x AS integer) AS n FROM UNNEST(sequence(1, 5)) AS numbers(x) WHERE x > ? ORDER BY x LIMIT 3)
      SELECT n AS "N" FROM a; -- the end`,
    parameters: [1],
    columns: { N: t.int32() },
    resultPath: 'unload',
  })
  expect(rows.map(({ N }) => N).toSorted()).toEqual([2, 3, 4])
  const none = { sql: 'SELECT 1 AS n WHERE 1 = 2', columns: { n: t.int32() }, resultPath: 'unload' } as const
  expect((await athena.query(none)).rows).toEqual([])
  const zoned = `SELECT 1 AS n, TIMESTAMP '2024-03-08 14:30:00.000 UTC' AS at`
  const asked = { sql: zoned, columns: { n: t.int32(), at: t.timestamp() } }
  await expect(athena.query({ ...asked, resultPath: 'unload' })).rejects.toThrow(/NOT_SUPPORTED/)
  await expect(athena.query({ ...asked, expectedRows: 1e9 })).rejects.toThrow(
    /column 'at' is timestamp with time zone in the answer/,
  )
})

test('Arrow tables are the same by every path, and have the stated types', async () => {
  const athena = connect()
  const ordered = async (resultPath: 'pages' | 'csv' | 'unload') => {
    const table = await arrowTable(athena, { ...everyType, resultPath })
    expect(table.numRows).toBe(3000)
    return { fields: table.schema.fields.map(String), rows: table.toArray().toSorted((a, b) => a.n - b.n) }
  }
  const pages = await ordered('pages')
  expect(pages.fields.join(', ')).toBe(
    'n: Int32, tiny: Int8, small: Int16, flag: Bool, big: Int64, ratio: Float64, single: Float32, odd: Float64, ' +
      'price: Decimal[38e+10], tick: Decimal[10e+6], text: Utf8, on_day: Date32<DAY>, at: Timestamp<MILLISECOND>, bytes: Binary, ' +
      'list: List<Int32>, map: Map<{key:Int32, value:Float64}>, fields: Struct<{id:Int32, day:Date32<DAY>, paid:Decimal[10e+2]}>',
  )
  const second = pages.rows[1]!.toJSON()
  expect([second['big'], String(second['price']), String(second['tick'])]).toEqual([
    4611686018427386n,
    '2500000000',
    '-100',
  ])
  expect([second['on_day'], second['at'], second['bytes']]).toEqual([
    Date.UTC(9999, 11, 31),
    Date.UTC(9999, 11, 31, 23, 59, 59, 999),
    new Uint8Array([0, 255, 10]),
  ])
  const textOf = (row: object) =>
    JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
  for (const path of ['csv', 'unload'] as const) {
    const { fields, rows } = await ordered(path)
    expect(fields).toEqual(pages.fields)
    expect(rows.map(textOf)).toEqual(pages.rows.map(textOf))
  }
  let read = 0
  for await (const batch of arrowBatches(athena, { ...everyType, resultPath: 'unload' }))
    read += batch.numRows
  expect(read).toBe(3000)
})

test('NDJSON has every digit', async () => {
  const athena = connect()
  const lines: string[] = []
  for await (const line of ndjson(athena.stream({ ...everyType, resultPath: 'csv' }))) {
    lines.push(line)
    if (lines.length === 3) break
  }
  expect(lines.length).toBe(3)
  expect(lines[1]).toBe(
    `{"n":2,"tiny":2,"small":2,"flag":true,"big":"4611686018427386","ratio":0.2857142857142857,"single":0.2857142984867096,` +
      `"odd":"Infinity","price":"0.2500000000","tick":"-0.000100","text":"say \\"hi\\", twice\\né 💶 and more",` +
      `"on_day":"9999-12-31","at":"9999-12-31T23:59:59.999Z","bytes":"AP8K","list":[2,null,3],"map":{"2":1,"-2":null},` +
      `"fields":{"id":2,"day":"2024-02-29","paid":"1.50"}}\n`,
  )
  expect(JSON.parse(lines[2]!)).toMatchObject({
    n: 3,
    odd: '-Infinity',
    text: 'null',
    on_day: null,
    bytes: null,
  })
})
