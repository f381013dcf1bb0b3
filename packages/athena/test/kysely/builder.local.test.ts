import { AthenaClient } from '@aws-sdk/client-athena'
import { Decimal, day, defineTable, identity, SchemaMismatchError, t } from '@stockpipe/core'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAthena, dailyBars, type QueryFacts } from '../../src/index.ts'
import { type AthenaWithBuilder, avg, max, stated, sum, withBuilder } from '../../src/kysely/index.ts'
import { createBucket } from './create-bucket.ts'

const kinds = defineTable('kinds', {
  columns: {
    flag: t.boolean(),
    tiny: t.int8(),
    small: t.int16(),
    whole: t.int32(),
    big: t.int64(),
    safe: t.int64({ mode: 'number' }),
    single: t.float(),
    real: t.double(),
    price: t.decimal(18, 4),
    name: t.string(),
    bytes: t.binary(),
    born: t.date(),
    at: t.timestamp(),
    nanos: t.epochNanos(),
    document: t.json(),
    tags: t.list(t.string()),
    fees: t.map(t.string(), t.decimal(10, 2).nullable()),
    leg: t.struct({ venue: t.string(), size: t.int64(), at: t.timestamp().nullable() }),
    nothing: t.string().nullable(),
  },
  partitions: { trade_date: day('at'), place: identity('nothing') },
}).at({ database: 'market', location: 's3://lake/kinds/' })

const row = {
  flag: true,
  tiny: -128,
  small: 32_767,
  whole: -2_147_483_648,
  big: 9_223_372_036_854_775_807n,
  safe: 9_007_199_254_740_991,
  single: Math.fround(0.1),
  real: 0.1,
  price: Decimal.parse('12345678901234.5678'),
  name: "it's, {a=1}",
  bytes: Uint8Array.of(0, 255),
  born: '2024-02-29',
  at: new Date('2024-03-08T14:30:00.123Z'),
  nanos: 1_709_908_200_123_456_789n,
  document: '{"a":[1,2.50]}',
  tags: ['a, b', '', 'null', '"\\é'],
  fees: new Map([
    ['x=1', Decimal.parse('0.10')],
    ['y', null],
  ]),
  leg: { venue: 'N}', size: 9_007_199_254_740_993n, at: null },
  nothing: null,
  trade_date: '2024-03-08',
  place: null,
}

let stack: LocalStack
let client: AthenaClient
let athena: AthenaWithBuilder

beforeAll(async () => {
  stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  client = new AthenaClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
  await createBucket(stack.aws, 'lake')
  athena = withBuilder(
    createAthena({
      client,
      database: 'market',
      outputLocation: 's3://lake/results/',
      poll: { initialMillis: 10, maximumMillis: 50 },
    }),
  )
  await athena.queryText({ sql: 'CREATE DATABASE market' })
  await athena.queryText({
    sql: `CREATE EXTERNAL TABLE market.kinds (flag boolean, tiny tinyint, small smallint, whole int, big bigint,
      safe bigint, single float, real double, price decimal(18,4), name string, bytes binary, born date, at timestamp,
      nanos bigint, document string, tags array<string>, fees map<string,decimal(10,2)>,
      leg struct<venue:string,size:bigint,at:timestamp>, nothing string)
      PARTITIONED BY (trade_date string, place string) STORED AS PARQUET LOCATION 's3://lake/kinds/'`,
  })
  await athena.queryText({
    sql: `INSERT INTO market.kinds SELECT true, CAST(-128 AS tinyint), CAST(32767 AS smallint), CAST(-2147483648 AS integer),
      9223372036854775807, 9007199254740991, CAST(0.1 AS real), 0.1E0, DECIMAL '12345678901234.5678', 'it''s, {a=1}',
      X'00FF', DATE '2024-02-29', TIMESTAMP '2024-03-08 14:30:00.123', 1709908200123456789, '{"a":[1,2.50]}',
      ARRAY['a, b', '', 'null', '"\\é'], MAP(ARRAY['x=1', 'y'], ARRAY[DECIMAL '0.10', NULL]),
      CAST(ROW('N}', 9007199254740993, NULL) AS row(venue varchar, size bigint, at timestamp(3))),
      CAST(NULL AS varchar), '2024-03-08', CAST(NULL AS varchar)`,
  })
  await athena.queryText({
    sql: `INSERT INTO market.kinds (big, at, trade_date, place)
      VALUES (1, TIMESTAMP '2024-03-07 23:59:59.999', '2024-03-07', 'x'), (2, TIMESTAMP '2024-03-09 00:00:00', '2024-03-09', 'x')`,
  })
})
afterAll(async () => {
  client?.destroy()
  await stack?.close()
})

const built = () => athena.from(kinds)

describe('a built query answers what its types promise', () => {
  test('of every column kind, and of partitions', async () => {
    expect(
      await built().selectFrom('kinds').selectAll().where('trade_date', '=', '2024-03-08').execute(),
    ).toEqual([row])
  })

  test('of columns under other names, out of subqueries and common table expressions', async () => {
    const rows = await built()
      .with('some', (qb) => qb.selectFrom('kinds').selectAll().where('trade_date', '=', '2024-03-08'))
      .selectFrom((eb) =>
        eb.selectFrom('some as s').select(['s.price as p', 's.leg', 's.born as day']).as('x'),
      )
      .select(['x.p as Price', 'x.leg as l', 'x.day'])
      .execute()
    expect(rows).toEqual([{ Price: row.price, l: row.leg, day: row.born }])
  })

  test('where nothing is told beforehand', async () => {
    const [first] = await built()
      .selectFrom('kinds')
      .select((eb) => [
        eb('big', '-', 1n).as('less'),
        eb('whole', '*', 1).as('same'),
        eb('price', '+', Decimal.parse('0.0001')).as('more'),
        sql<string>`upper(name)`.as('loud'),
        sql<Date>`date_trunc('day', at)`.as('midnight'),
        eb.fn.coalesce('nothing', eb.val('none')).as('some'),
        eb.val(5).as('five'),
        eb.val(5n).as('big_five'),
        eb
          .exists(eb.selectFrom('kinds as k').select('k.flag').where('k.trade_date', '=', '2024-03-08'))
          .as('is'),
      ])
      .where('trade_date', '=', '2024-03-08')
      .execute()
    expect(first).toEqual({
      less: 9_223_372_036_854_775_806n,
      same: -2_147_483_648,
      more: Decimal.parse('12345678901234.5679'),
      loud: "IT'S, {A=1}",
      midnight: new Date('2024-03-08T00:00:00.000Z'),
      some: 'none',
      five: 5,
      big_five: 5n,
      is: true,
    })
  })

  test('of aggregates: Kysely’s promise text for decimals, those of this package a Decimal', async () => {
    const [first] = await built()
      .selectFrom('kinds')
      .select((eb) => [
        eb.fn.countAll<bigint>().as('n'),
        eb.fn.count<bigint>('nothing').as('none'),
        eb.fn.sum('price').as('text'),
        eb.fn.avg('real').as('mean'),
        eb.fn.max('at').as('latest'),
        eb.fn.max('price').as('highest'),
        sum(eb, 'price').as('total'),
        sum(eb, 'whole').as('lots'),
        sum(eb, 'big').as('sizes'),
        avg(eb, 'price').as('average'),
        max(eb, 'born').as('born'),
      ])
      .where('trade_date', '=', '2024-03-08')
      .execute()
    expect(first).toEqual({
      n: 1n,
      none: 0n,
      text: '12345678901234.5678',
      mean: 0.1,
      latest: row.at,
      highest: row.price,
      total: row.price,
      lots: -2_147_483_648,
      sizes: 9_223_372_036_854_775_807n,
      average: row.price,
      born: '2024-02-29',
    })
    const none = await built()
      .selectFrom('kinds')
      .select((eb) => [sum(eb, 'price').as('total'), max(eb, 'at').as('latest')])
      .where('trade_date', '=', '1999-01-01')
      .executeTakeFirstOrThrow()
    expect(none).toEqual({ total: null, latest: null })
  })

  test('of expressions whose type is stated, and an answer of another type is an error', async () => {
    const from = built().selectFrom('kinds').where('trade_date', '=', '2024-03-08')
    expect(
      await from.select(stated(sql`array_sort(tags)`, t.list(t.string())).as('sorted')).execute(),
    ).toEqual([{ sorted: ['', '"\\é', 'a, b', 'null'] }])
    await expect(from.select(stated(sql`name`, t.int64()).as('n')).execute()).rejects.toThrow(
      SchemaMismatchError,
    )
  })

  test('of every column kind compared with its own values', async () => {
    const { flag, tiny, small, whole, big, safe, single, real, price, name, bytes, born, at, nanos } = row
    const values = { flag, tiny, small, whole, big, safe, single, real, price, name, bytes, born, at, nanos }
    for (const [column, value] of Object.entries(values)) {
      const found = await built()
        .selectFrom('kinds')
        .select('name')
        .where('trade_date', '=', '2024-03-08')
        .where(column as 'name', '=', value as string)
        .where((eb) => eb.or([eb(column as 'name', 'in', [value as string]), eb('flag', 'is', null)]))
        .execute()
      expect(found, column).toHaveLength(1)
    }
  })

  test('of a predicate on a column that names partitions: fewer bytes are read for the same rows', async () => {
    const predicate = `WHERE at >= TIMESTAMP '2024-03-08 00:00:00' AND at < TIMESTAMP '2024-03-09 00:00:00'`
    const whole = await athena.query({
      sql: `SELECT big FROM market.kinds ${predicate}`,
      columns: { big: t.int64() },
    })
    const facts: QueryFacts[] = []
    const rows = await built()
      .withSettings({ onFacts: (one) => facts.push(one) })
      .selectFrom('kinds')
      .select('big')
      .where('at', '>=', new Date('2024-03-08T00:00:00Z'))
      .where('at', '<', new Date('2024-03-09T00:00:00Z'))
      .execute()
    expect(rows).toEqual(whole.rows)
    expect(rows).toEqual([{ big: row.big }])
    expect(facts[0]!.scannedBytes).toBeGreaterThan(0)
    expect(facts[0]!.scannedBytes).toBeLessThan(whole.scannedBytes)
  })

  test('of a market query', async () => {
    const bars = dailyBars(kinds, {
      symbol: 'name',
      price: 'price',
      size: 'big',
      time: 'at',
      day: 'trade_date',
    })
    expect(
      await athena
        .from({ bars })
        .selectFrom('bars')
        .select(['day', 'close', 'volume'])
        .where('day', '=', '2024-03-08')
        .execute(),
    ).toEqual([{ day: '2024-03-08', close: row.price, volume: row.big }])
  })
})

test('a stream hands rows out as they come, and its return stops the query', async () => {
  const rows = built()
    .selectFrom('kinds')
    .select(['leg', 'price'])
    .where('trade_date', '=', '2024-03-08')
    .stream()
  for await (const one of rows) expect(one).toEqual({ leg: row.leg, price: row.price })
  const untold = built()
    .selectFrom('kinds')
    .select(sql`upper(name)`.as('loud'))
    .where('trade_date', '=', 'x')
    .stream()
  await expect(untold.next()).rejects.toThrow(/the type of 'loud' is not known beforehand/)
})

test('settings go with each query: its facts, its signal', async () => {
  const facts: QueryFacts[] = []
  const db = built().withSettings({ onFacts: (one) => facts.push(one) })
  await db.selectFrom('kinds').select('name').where('trade_date', '=', '2024-03-08').execute()
  expect(facts[0]?.scannedBytes).toBeGreaterThan(0)
  const reason = new Error('enough')
  await expect(
    db
      .withSettings({ signal: AbortSignal.abort(reason) })
      .selectFrom('kinds')
      .select('name')
      .where('trade_date', '=', 'x')
      .execute(),
  ).rejects.toBe(reason)
})

test('raw SQL runs too, decoded by what Athena tells', async () => {
  const { rows } =
    await sql`SELECT count(*) AS n FROM ${sql.table('kinds')} WHERE name = ${row.name}`.execute(built())
  expect(rows).toEqual([{ n: 1n }])
})

test('the introspector reads databases and tables of the catalog', async () => {
  const { introspection } = built()
  expect((await introspection.getSchemas()).map(({ name }) => name)).toContain('market')
  const table = (await introspection.getTables()).find(({ name }) => name === 'kinds')
  expect(table).toMatchObject({ schema: 'market', isView: false })
  expect(table!.columns.find(({ name }) => name === 'price')).toMatchObject({ dataType: 'decimal(18,4)' })
  expect(table!.columns.at(-1)).toMatchObject({ name: 'place', dataType: 'string' })
})
