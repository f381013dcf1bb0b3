import { Decimal, day, defineTable, identity, type Runtime, SchemaMismatchError, t } from '@stockpipe/core'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { AthenaRequestError, createAthena, QueryFailedError, sql } from '../src/index.ts'
import { answering, fakeAthena, serviceException } from './fake-athena.ts'
import { orderedRuntime } from './fake-service.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const athenaOver = ({ client }: ReturnType<typeof fakeAthena>, runtime: Runtime = virtualRuntime()) =>
  createAthena({ client, database: 'market', outputLocation: 's3://results/', runtime })

describe('decoding', () => {
  test('every type comes back as stated, without loss', async () => {
    const fake = answering({
      columns: {
        flag: 'boolean',
        tiny: 'tinyint',
        small: 'smallint',
        whole: 'integer',
        big: 'bigint',
        safe: 'bigint',
        nanos: 'bigint',
        single: 'float',
        ratio: 'double',
        price: 'decimal(38,4)',
        name: 'varchar',
        raw: 'varchar',
        bytes: 'varbinary',
        on: 'date',
        at: 'timestamp',
      },
      pages: [
        [
          [
            'true',
            '-128',
            '32767',
            '-2147483648',
            '9223372036854775807',
            '9007199254740991',
            '1700000000123456789',
            '0.1',
            '1.0E-7',
            '1234567890123456789012345678901234.5678',
            'it\'s, "odd"',
            '{"a":1}',
            '00 ff 31',
            '2024-02-29',
            '2024-03-08 14:30:00.123',
          ],
        ],
      ],
    })
    const { rows, ...facts } = await athenaOver(fake).query({
      sql: 'SELECT * FROM t',
      columns: {
        flag: t.boolean(),
        tiny: t.int8(),
        small: t.int16(),
        whole: t.int32(),
        big: t.int64(),
        safe: t.int64({ mode: 'number' }),
        nanos: t.epochNanos(),
        single: t.float(),
        ratio: t.double(),
        price: t.decimal(38, 4),
        name: t.string(),
        raw: t.json(),
        bytes: t.binary(),
        on: t.date(),
        at: t.timestamp(),
      },
    })
    expectTypeOf(rows[0]!.price).toEqualTypeOf<Decimal>()
    expectTypeOf(rows[0]!.big).toEqualTypeOf<bigint>()
    expectTypeOf(rows[0]!.at).toEqualTypeOf<Date>()
    expect(rows).toEqual([
      {
        flag: true,
        tiny: -128,
        small: 32767,
        whole: -2147483648,
        big: 9223372036854775807n,
        safe: 9007199254740991,
        nanos: 1700000000123456789n,
        single: Math.fround(0.1),
        ratio: 1e-7,
        price: Decimal.parse('1234567890123456789012345678901234.5678'),
        name: 'it\'s, "odd"',
        raw: '{"a":1}',
        bytes: new Uint8Array([0, 255, 0x31]),
        on: '2024-02-29',
        at: new Date('2024-03-08T14:30:00.123Z'),
      },
    ])
    expect(facts).toEqual({
      queryExecutionId: 'q-1',
      scannedBytes: 4096,
      executionMillis: 120,
      reused: false,
      dollars: (5 * 10) / 1024 ** 2,
    })
  })

  test('NULL is not the empty string, and a row cut short lacks its NULLs', async () => {
    const fake = answering({
      columns: { a: 'varchar', b: 'varchar', c: 'bigint' },
      pages: [[['', undefined, '1'], [undefined, ''], []]],
    })
    const { rows } = await athenaOver(fake).query({
      sql: 'SELECT a, b, c FROM t',
      columns: { a: t.string().nullable(), b: t.string().nullable(), c: t.int64().nullable() },
    })
    expect(rows).toEqual([
      { a: '', b: null, c: 1n },
      { a: null, b: '', c: null },
      { a: null, b: null, c: null },
    ])
  })

  test('doubles may be NaN and infinite', async () => {
    const fake = answering({ columns: { x: 'double' }, pages: [[['NaN'], ['Infinity'], ['-Infinity']]] })
    const { rows } = await athenaOver(fake).query({ sql: 'SELECT x FROM t', columns: { x: t.double() } })
    expect(rows.map((row) => row.x)).toEqual([Number.NaN, Infinity, -Infinity])
  })

  test.each([
    [t.int64({ mode: 'number' }), 'bigint', '9007199254740993'],
    [t.double(), 'double', ''],
    [t.int64(), 'bigint', '1.0'],
    [t.timestamp(), 'timestamp', '2024-03-08 14:30:00.123456'],
    [t.date(), 'date', '2024-02-30'],
    [t.binary(), 'varbinary', '3132'],
    [t.boolean(), 'boolean', 'TRUE'],
  ])('%o refuses what it cannot hold: %s %s', async (column, type, text) => {
    const fake = answering({ columns: { x: type }, pages: [[[text]]] })
    const error = await athenaOver(fake)
      .query({ sql: 'SELECT x FROM t', columns: { x: column } })
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(SchemaMismatchError)
    expect((error as Error).message).toContain(`Row 1 of query q-1: column 'x' holds "${text}", which t.`)
  })

  test('NULL in a column that is never null is refused with row and remedy', async () => {
    const fake = answering({ columns: { x: 'bigint' }, pages: [[['1']], [[undefined]]] })
    await expect(
      athenaOver(fake).query({ sql: 'SELECT x FROM t', columns: { x: t.int64() } }),
    ).rejects.toThrow("Row 2 of query q-1: column 'x' is NULL and stated as t.int64(); add .nullable()")
  })
})

describe('columns', () => {
  test('all that is missing, unstated or of another type is named at once', async () => {
    const fake = answering({
      columns: { price: 'decimal(20,6)', n: 'bigint', at: 'timestamp with time zone', extra: 'varchar' },
      pages: [[]],
    })
    const error = await athenaOver(fake)
      .query({
        sql: 'SELECT 1',
        columns: { price: t.decimal(18, 4), n: t.int32(), at: t.timestamp(), gone: t.string() },
      })
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'SchemaMismatchError', code: 'RESULT_COLUMNS' })
    expect((error as Error).message).toBe(
      "The answer of query q-1 does not fit the stated columns: column 'price' is decimal(20,6) in the answer and t.decimal(18, 4) as stated; column 'n' is bigint in the answer and t.int32() as stated; column 'at' is timestamp with time zone in the answer and t.timestamp() as stated (write CAST(at AT TIME ZONE 'UTC' AS timestamp(3)), or state answer.timestampWithTimeZone()); column 'gone' is missing from the answer; column 'extra' (varchar) was not stated. State what the query selects, or select and CAST what is stated.",
    )
  })

  test('the order does not matter, nor upper and lower case, nor a narrower type', async () => {
    const fake = answering({
      columns: { lastprice: 'decimal(10,2)', n: 'integer' },
      pages: [[['12.50', '7']]],
    })
    const { rows } = await athenaOver(fake).query({
      sql: 'SELECT 1',
      columns: { n: t.int64(), lastPrice: t.decimal(18, 4) },
    })
    expect(Object.keys(rows[0]!)).toEqual(['n', 'lastPrice'])
    expect(rows[0]!.n).toBe(7n)
    expect(rows[0]!.lastPrice.toString()).toBe('12.5000')
  })

  test('a doubled column is refused', async () => {
    const fake = answering({ columns: { x: 'bigint', X: 'bigint' }, pages: [[]] })
    await expect(athenaOver(fake).query({ sql: 'SELECT 1', columns: { x: t.int64() } })).rejects.toThrow(
      "the answer has two columns 'X'",
    )
  })

  test('an expression without AS is stated as Athena names it, and named when it is not', async () => {
    const fake = () => answering({ columns: { _col0: 'bigint', n: 'integer' }, pages: [[['1', '2']]] })
    const { rows } = await athenaOver(fake()).query({
      sql: 'SELECT count(*), 2 AS n',
      columns: { _col0: t.int64(), n: t.int32() },
    })
    expect(rows).toEqual([{ _col0: 1n, n: 2 }])
    await expect(
      athenaOver(fake()).query({ sql: 'SELECT count(*), 2 AS n', columns: { n: t.int32() } }),
    ).rejects.toThrow("column '_col0' (bigint, an expression without AS) was not stated")
  })

  test('a NULL without a type fits what may be null', async () => {
    const fake = () => answering({ columns: { nothing: 'unknown' }, pages: [[[undefined]]] })
    const { rows } = await athenaOver(fake()).query({
      sql: 'SELECT NULL AS nothing',
      columns: { nothing: t.decimal(9, 2).nullable() },
    })
    expect(rows).toEqual([{ nothing: null }])
    await expect(
      athenaOver(fake()).query({ sql: 'SELECT NULL AS nothing', columns: { nothing: t.string() } }),
    ).rejects.toThrow('(every value is NULL: add .nullable())')
  })

  test('a table states its columns and partitions', async () => {
    const trades = defineTable('trades', {
      columns: { symbol: t.string().nullable(), ts: t.timestamp() },
      partitions: { trade_date: day('ts'), ticker: identity('symbol') },
    }).at({ database: 'market', location: 's3://lake/trades/' })
    const fake = answering({
      columns: { symbol: 'varchar', ts: 'timestamp', trade_date: 'varchar', ticker: 'varchar' },
      pages: [[['IBM', '2024-03-08 14:30:00.000', '2024-03-08', undefined]]],
    })
    const { rows } = await athenaOver(fake).query({ ...sql`SELECT * FROM ${trades}`, columns: trades })
    expectTypeOf(rows[0]!).toEqualTypeOf<{
      symbol: string | null
      ts: Date
      trade_date: string
      ticker: string | null
    }>()
    expect(rows[0]).toEqual({
      symbol: 'IBM',
      ts: new Date('2024-03-08T14:30:00Z'),
      trade_date: '2024-03-08',
      ticker: null,
    })
    expect(fake.sent[0]?.input.QueryString).toBe('SELECT * FROM "market"."trades"')
  })
})

describe('the header row', () => {
  const columns = { word: 'varchar' }
  const words = async (script: Partial<Parameters<typeof answering>[0]>) => {
    const fake = answering({ columns, pages: [[['word'], ['other']], [['word']]], ...script })
    const { rows } = await athenaOver(fake).query({ sql: 'SELECT 1', columns: { word: t.string() } })
    return rows.map((row) => row.word)
  }

  test('of a SELECT is left out on the first page only, and a row that equals it is kept', async () => {
    expect(await words({})).toEqual(['word', 'other', 'word'])
  })

  test('is none for SHOW and DDL, even where the first row equals the names', async () => {
    const script = { header: false, statementType: 'UTILITY', substatementType: 'SHOW_TABLES' } as const
    expect(await words(script)).toEqual(['word', 'other', 'word'])
    expect(await words({ ...script, statementType: 'DDL' })).toEqual(['word', 'other', 'word'])
  })

  test('of EXECUTE and EXPLAIN is known by the names it holds, and so none is left out that is not there', async () => {
    for (const script of [
      { substatementType: 'EXECUTE' },
      { substatementType: 'VALUES' },
      { statementType: 'UTILITY', substatementType: 'EXPLAIN' },
    ] as const) {
      expect(await words(script)).toEqual(['word', 'other', 'word'])
      expect(await words({ ...script, header: false, pages: [[['other']]] })).toEqual(['other'])
    }
  })

  test('is found by comparing where Athena does not tell the kind of statement', async () => {
    expect(await words({ substatementType: null })).toEqual(['word', 'other', 'word'])
    expect(await words({ substatementType: null, header: false, pages: [[['other']]] })).toEqual(['other'])
  })

  test('of DESCRIBE is none, and its one cell of tabs is several columns', async () => {
    const fake = answering({
      columns: { col_name: 'string', data_type: 'string', comment: 'string' },
      pages: [[['symbol              \tstring              \t']]],
      header: false,
      statementType: 'UTILITY',
      substatementType: 'DESCRIBE_TABLE',
    })
    const { rows } = await athenaOver(fake).queryText({ sql: 'DESCRIBE trades' })
    expect(rows).toEqual([['symbol', 'string', '']])
  })
})

describe('running', () => {
  test('pages are fetched as the rows are asked for', async () => {
    const pages = Array.from({ length: 5 }, (_, page) => [[String(page * 2)], [String(page * 2 + 1)]])
    const fake = answering({ columns: { n: 'bigint' }, pages })
    const seen: bigint[] = []
    for await (const row of athenaOver(fake).stream({ sql: 'SELECT n FROM t', columns: { n: t.int64() } })) {
      seen.push(row.n)
      if (row.n === 4n) break
    }
    expect(seen).toEqual([0n, 1n, 2n, 3n, 4n])
    expect(fake.sent.filter((one) => one.operation === 'GetQueryResults')).toHaveLength(3)
    expect(
      (
        await athenaOver(answering({ columns: { n: 'bigint' }, pages })).query({
          sql: 'SELECT n FROM t',
          columns: { n: t.int64() },
        })
      ).rows,
    ).toHaveLength(10)
  })

  test('the settings are sent, and polling slows down', async () => {
    const clock = virtualRuntime()
    const fake = answering({ columns: { n: 'bigint' }, pages: [[]] })
    const athena = createAthena({
      client: fake.client,
      database: 'market',
      workGroup: 'desk',
      runtime: clock,
      poll: { initialMillis: 40, maximumMillis: 70 },
    })
    await athena.query({ sql: 'SELECT n FROM t WHERE n > ?', parameters: [5n], columns: { n: t.int64() } })
    expect(fake.sent[0]?.input).toEqual({
      QueryString: 'SELECT n FROM t WHERE n > ?',
      ClientRequestToken: '07'.repeat(16),
      QueryExecutionContext: { Database: 'market' },
      ExecutionParameters: ['5'],
      WorkGroup: 'desk',
    })
    // The others bound how long a call may be without an answer.
    expect(clock.delays.filter((millis) => millis < 30_000)).toEqual([40, 60, 70])
  })

  test('a throttled start is sent again with the same token', async () => {
    const inner = answering({ columns: { n: 'bigint' }, pages: [[['1']]] })
    let tokens = 0
    const runtime = {
      ...virtualRuntime(),
      randomBytes: (length: number) => new Uint8Array(length).fill(++tokens),
    }
    const fake = fakeAthena(({ operation, input }, call) => {
      if (call === 1) throw serviceException('TooManyRequestsException')
      if (call === 2) throw serviceException('InternalServerException')
      if (call === 4) throw serviceException('ThrottlingException')
      return inner.client.send({ constructor: { name: operation }, input } as never) as never
    })
    const athena = createAthena({ client: fake.client, database: 'market', runtime })
    await athena.query({ sql: 'SELECT n FROM t', columns: { n: t.int64() } })
    const starts = fake.sent.filter((one) => one.operation === 'StartQueryExecution')
    expect(starts.map((one) => one.input.ClientRequestToken)).toEqual(Array(3).fill('01'.repeat(16)))
  })

  test('a refused start says what and what to do, and is not repeated', async () => {
    const fake = fakeAthena(() => {
      throw serviceException('InvalidRequestException', 'line 1:8: mismatched input')
    })
    const error = await athenaOver(fake)
      .query({ sql: 'SELEC', columns: {} })
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(AthenaRequestError)
    expect(error).toMatchObject({
      retryable: false,
      operation: 'StartQueryExecution',
      message:
        'Athena StartQueryExecution for database market failed with InvalidRequestException: line 1:8: mismatched input. Check the statement, the work group and the output location (s3://bucket/prefix/) of the results.',
    })
    expect(fake.sent).toHaveLength(1)
  })

  const failing = (status: object, substatement = 'SELECT') =>
    fakeAthena(({ operation }) =>
      operation === 'StartQueryExecution'
        ? { QueryExecutionId: 'q-9' }
        : {
            QueryExecution: {
              SubstatementType: substatement,
              Status: status,
              QueryExecutionContext: { Database: 'market' },
            },
          },
    )

  test('a failed query tells id, reason, category and whether it may be run again', async () => {
    const fake = failing({
      State: 'FAILED',
      StateChangeReason: 'TABLE_NOT_FOUND: line 1:15: Table t does not exist',
      AthenaError: { ErrorCategory: 2, ErrorType: 1110, Retryable: false },
    })
    const error = await athenaOver(fake)
      .query({ sql: 'SELECT 1', columns: {} })
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(QueryFailedError)
    expect(error).toMatchObject({
      code: 'QUERY_FAILED',
      queryExecutionId: 'q-9',
      category: 'user',
      errorType: 1110,
      retryable: false,
      stateChangeReason: 'TABLE_NOT_FOUND: line 1:15: Table t does not exist',
      message:
        'Query q-9 in database market failed: TABLE_NOT_FOUND: line 1:15: Table t does not exist. Mend the statement or the data it names.',
    })
  })

  test('a SELECT that Athena calls retryable is run again under a new token, an INSERT is not', async () => {
    const status = {
      State: 'FAILED',
      StateChangeReason: 'SlowDown',
      AthenaError: { ErrorCategory: 1, Retryable: true },
    }
    const select = failing(status)
    await expect(athenaOver(select).query({ sql: 'SELECT 1', columns: {} })).rejects.toMatchObject({
      retryable: true,
      category: 'system',
    })
    const starts = (fake: typeof select) =>
      fake.sent.filter((one) => one.operation === 'StartQueryExecution').length
    expect(starts(select)).toBe(3)
    const insert = failing(status, 'INSERT')
    await expect(athenaOver(insert).query({ sql: 'INSERT', columns: {} })).rejects.toThrow(/SlowDown/)
    expect(starts(insert)).toBe(1)
  })

  test('a query cancelled by somebody else is told apart', async () => {
    const fake = failing({ State: 'CANCELLED', StateChangeReason: 'Query cancelled by user' })
    await expect(athenaOver(fake).query({ sql: 'SELECT 1', columns: {} })).rejects.toMatchObject({
      code: 'QUERY_CANCELLED',
      state: 'CANCELLED',
    })
  })

  test('a query aborted while it is being started is stopped as soon as its id is known', async () => {
    const abort = new AbortController()
    const fake = fakeAthena(({ operation }) => {
      if (operation === 'StartQueryExecution') abort.abort(new Error('enough'))
      return { QueryExecutionId: 'q-9', QueryExecution: { Status: { State: 'CANCELLED' } } }
    })
    await expect(
      athenaOver(fake, orderedRuntime()).query({ sql: 'SELECT 1', columns: {}, signal: abort.signal }),
    ).rejects.toThrow(/^enough$/)
    expect(fake.sent.map((one) => one.operation)).toEqual([
      'StartQueryExecution',
      'StopQueryExecution',
      'GetQueryExecution',
    ])
  })

  test('an aborted signal starts nothing', async () => {
    const fake = fakeAthena(() => ({}))
    await expect(
      athenaOver(fake).query({ sql: 'SELECT 1', columns: {}, signal: AbortSignal.abort(new Error('no')) }),
    ).rejects.toThrow('no')
    expect(fake.sent).toHaveLength(0)
  })
})
