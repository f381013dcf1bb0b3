import { Decimal, SchemaMismatchError, t } from '@stockpipe/core'
import { describe, expect, test } from 'vitest'
import {
  answer,
  createAthena,
  identifier,
  type QueryColumn,
  QueryFailedError,
  sql,
  sqlLiteral,
} from '../src/index.ts'
import { answering, fakeAthena } from './fake-athena.ts'
import { orderedRuntime } from './fake-service.ts'
import { virtualRuntime } from './virtual-runtime.ts'

/** What users of other clients complain of, by the issue or pull request in which they do. */

const athenaOver = (fake: ReturnType<typeof answering>) =>
  createAthena({ client: fake.client, database: 'market', runtime: virtualRuntime() })

const read = async (type: string, text: string | undefined, column: QueryColumn) => {
  const fake = answering({ columns: { value: type }, pages: [[[text]]] })
  const { rows } = await athenaOver(fake).query({ sql: 'SELECT value', columns: { value: column } })
  return rows[0]?.value
}

describe('what is read', () => {
  test('athena-express#72: NULL in a number or boolean is null, neither 0 nor an error, and apart from an empty string', async () => {
    const fake = answering({
      columns: { price: 'double', size: 'integer', halted: 'boolean', name: 'varchar', note: 'varchar' },
      pages: [
        [
          [undefined, undefined, undefined, undefined, ''],
          ['0.0', '0', 'false', 'x', undefined],
        ],
      ],
    })
    const { rows } = await athenaOver(fake).query({
      sql: 'SELECT 1',
      columns: {
        price: t.double().nullable(),
        size: t.int32().nullable(),
        halted: t.boolean().nullable(),
        name: t.string().nullable(),
        note: t.string().nullable(),
      },
    })
    expect(rows).toEqual([
      { price: null, size: null, halted: null, name: null, note: '' },
      { price: 0, size: 0, halted: false, name: 'x', note: null },
    ])
    await expect(read('double', '', t.double().nullable())).rejects.toBeInstanceOf(SchemaMismatchError)
  })

  test('athena-express#38: values have the types of their columns, also where none are stated', async () => {
    const fake = answering({
      columns: { device_mac: 'varchar', timestamp: 'bigint', device_action: 'boolean', code: 'varchar' },
      pages: [[['A7:A8:3D:16:F3:35', '1587829688', 'true', '42']]],
    })
    const { rows } = await athenaOver(fake).query({ sql: 'SELECT 1' })
    expect(rows).toEqual([
      { device_mac: 'A7:A8:3D:16:F3:35', timestamp: 1587829688n, device_action: true, code: '42' },
    ])
  })

  test('athena-express#80: what is not JSON is not handed out as if it were', async () => {
    const column = t.struct({ name: t.string(), age: t.int32() })
    expect(await read('row', '{name=object literal, age=7}', column)).toEqual({
      name: 'object literal',
      age: 7,
    })
    await expect(read('row', '{name=object literal}', answer.json())).rejects.toThrow('CAST(value AS JSON)')
    expect(await read('json', '{"name":"json","age":7}', answer.json())).toEqual({ name: 'json', age: 7 })
  })

  test('aws-sdk-pandas#2173: a date that is far off is one', async () => {
    expect(await read('date', '3900-01-01', t.date())).toBe('3900-01-01')
  })

  test("PyAthena#118: 'N/A', 'NULL' and the empty string are strings, only NULL is null", async () => {
    for (const text of ['', 'N/A', 'NULL', 'null', 'NaN', 'None']) {
      expect(await read('varchar', text, t.string().nullable())).toBe(text)
    }
    expect(await read('varchar', undefined, t.string().nullable())).toBeNull()
  })

  test('PyAthena#689: a string within an array of rows stays a string though it looks like a number', async () => {
    const column = t.list(t.struct({ string: t.string() }))
    expect(await read('json', '[{"string":"1234"},{"string":"value"},{"string":"true"}]', column)).toEqual([
      { string: '1234' },
      { string: 'value' },
      { string: 'true' },
    ])
    expect(await read('row', '{string=1234}', t.struct({ string: t.string() }))).toEqual({ string: '1234' })
  })

  test('PyAthena#764: a map that cannot be read from Athena’s text is refused with what to write, never null', async () => {
    const text = '{items=[{"product_id":285,"option_id":6049}], url=/webview/checkout, brand_id=75}'
    const column = t.map(t.string(), t.string())
    const problem = read('map', text, column.nullable())
    await expect(problem).rejects.toThrow('write CAST(value AS JSON) and keep the stated type')
    expect(await read('map', text, answer.text())).toBe(text)
    expect(
      await read(
        'json',
        JSON.stringify({ items: '[{"product_id":285,"option_id":6049}]', brand_id: '75' }),
        column,
      ),
    ).toEqual(
      new Map([
        ['items', '[{"product_id":285,"option_id":6049}]'],
        ['brand_id', '75'],
      ]),
    )
  })

  test('aws-sdk-pandas#2252: a timestamp(6) of an Iceberg table is read to the microsecond, or refused, never cut', async () => {
    const text = '2023-05-03 10:11:12.123456'
    expect(await read('timestamp', text, answer.timestampNanos())).toBe(1683108672123456000n)
    await expect(read('timestamp', text, t.timestamp())).rejects.toThrow(
      'answer.timestampNanos() holds nine digits',
    )
    expect(await read('timestamp', '2023-05-03 10:11:12.123000', t.timestamp())).toEqual(
      new Date('2023-05-03T10:11:12.123Z'),
    )
  })

  test('aws-sdk-pandas#2893: a time is read', async () => {
    expect(await read('time', '13:24:11', answer.time())).toBe('13:24:11')
  })

  test('aws-sdk-pandas#216: a column that is always NULL, of no type, is read', async () => {
    expect(await read('unknown', undefined, t.int64().nullable())).toBeNull()
  })

  test('aws-sdk-pandas#1683: an answer without rows has none, and the names of its columns are no row', async () => {
    const fake = answering({ columns: { a: 'varchar', b: 'varchar' }, pages: [[]] })
    const { rows } = await athenaOver(fake).query({
      sql: 'SELECT 1',
      columns: { a: t.string(), b: t.string() },
    })
    expect(rows).toEqual([])
  })

  test('athena-express#65: no row is left out at the beginning of a later page', async () => {
    const fake = answering({ columns: { n: 'bigint' }, pages: [[['1']], [['2']], [['3']]] })
    const { rows } = await athenaOver(fake).query({ sql: 'SELECT n', columns: { n: t.int64() } })
    expect(rows.map(({ n }) => n)).toEqual([1n, 2n, 3n])
  })

  test('athena-express#43: a value of several lines is one value', async () => {
    const text = 'one\ntwo, "three"\n'
    expect(await read('varchar', text, t.string())).toBe(text)
  })

  test('athena-express#79: a bigint is one, with every digit', async () => {
    expect(await read('bigint', '1085862649034915841', t.int64())).toBe(1085862649034915841n)
    expect(await read('decimal(38,4)', '1085862649034915841.1', t.decimal(38, 4))).toEqual(
      Decimal.parse('1085862649034915841.1000'),
    )
  })
})

describe('what is asked', () => {
  test('aws-sdk-pandas#609, PyAthena#238, athena-express#25: a string is quoted by itself, and a quote in it doubled', async () => {
    const fake = answering({ columns: { n: 'bigint' }, pages: [[]] })
    await athenaOver(fake).query({
      sql: sql`SELECT n FROM t WHERE name = ${"jim o'rourke"}`,
      columns: { n: t.int64() },
    })
    expect(fake.sent[0]?.input).toMatchObject({
      QueryString: 'SELECT n FROM t WHERE name = ?',
      ExecutionParameters: ["'jim o''rourke'"],
    })
    expect(sqlLiteral("\\' OR 1=1 --")).toBe("'\\'' OR 1=1 --'")
  })

  test('dbt-athena#65: names are in backticks in DDL and in double quotes in queries', async () => {
    const fake = answering({ columns: { n: 'bigint' }, pages: [[]] })
    const athena = athenaOver(fake)
    await athena.execute({ sql: sql`DROP TABLE ${identifier('user 123')}` })
    await athena.execute({ sql: sql`INSERT INTO ${identifier('user 123')} VALUES ${1}` })
    const statements = fake.sent.flatMap(({ input }) => (input.QueryString ? [input.QueryString] : []))
    expect(statements).toEqual(['DROP TABLE `user 123`', 'INSERT INTO "user 123" VALUES  1 '])
  })
})

describe('what is run', () => {
  const failing = (error: object, substatement: string) =>
    fakeAthena(({ operation }) =>
      operation === 'StartQueryExecution'
        ? { QueryExecutionId: 'q-1' }
        : {
            QueryExecution: {
              SubstatementType: substatement,
              Status: { State: 'FAILED', StateChangeReason: 'Query timeout', AthenaError: error },
            },
          },
    )

  test.each([
    ['SELECT', { ErrorCategory: 2, Retryable: false }],
    ['INSERT', { ErrorCategory: 1, Retryable: true }],
  ])(
    'dbt-adapters#1813, #1820: a %s that would fail again, or would write again, is run once',
    async (substatement, error) => {
      const fake = failing(error, substatement)
      await expect(athenaOver(fake).execute({ sql: 'INSERT INTO t SELECT 1' })).rejects.toBeInstanceOf(
        QueryFailedError,
      )
      expect(fake.sent.filter(({ operation }) => operation === 'StartQueryExecution')).toHaveLength(1)
    },
  )

  test('dbt-adapters#406: a query whose caller gives up is stopped on Athena before the caller is told', async () => {
    const abort = new AbortController()
    let stopped = false
    const fake = fakeAthena(({ operation }) => {
      if (operation === 'StopQueryExecution') stopped = true
      if (operation === 'GetQueryExecution') abort.abort(new Error('interrupted'))
      return {
        QueryExecutionId: 'q-1',
        QueryExecution: { Status: { State: stopped ? 'CANCELLED' : 'RUNNING' } },
      }
    })
    const athena = createAthena({ client: fake.client, database: 'market', runtime: orderedRuntime() })
    await expect(athena.execute({ sql: 'SELECT 1', signal: abort.signal })).rejects.toThrow(/^interrupted$/)
    expect(fake.sent.map(({ operation }) => operation)).toEqual([
      'StartQueryExecution',
      'GetQueryExecution',
      'StopQueryExecution',
      'GetQueryExecution',
    ])
  })
})
