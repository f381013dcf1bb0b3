import { Decimal, defineTable, type StandardSchemaV1, t } from '@stockpipe/core'
import { describe, expect, test } from 'vitest'
import { createAthena } from '../src/index.ts'
import { answering, type ScriptedAnswer } from './fake-athena.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const athenaOver = (script: ScriptedAnswer) =>
  createAthena({ client: answering(script).client, database: 'market', runtime: virtualRuntime() })

/** A Standard Schema, as zod, valibot and arktype make them. */
const schemaOf = <Row>(
  validate: (
    row: Record<string, unknown>,
  ) => StandardSchemaV1.Result<Row> | Promise<StandardSchemaV1.Result<Row>>,
): StandardSchemaV1<unknown, Row> => ({
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (row) => validate(row as Record<string, unknown>),
  },
})

describe('rows without stated columns', () => {
  test('are decoded by the types Athena tells', async () => {
    const types = [
      ['flag', 'boolean', 'true', true],
      ['tiny', 'tinyint', '-1', -1],
      ['whole', 'integer', '7', 7],
      ['big', 'bigint', '9223372036854775807', 9223372036854775807n],
      ['single', 'float', '0.5', 0.5],
      ['ratio', 'double', 'NaN', Number.NaN],
      ['price', 'decimal(20,4)', '1.5', Decimal.parse('1.5000')],
      ['name', 'varchar', '', ''],
      ['code', 'char', 'ab ', 'ab '],
      ['bytes', 'varbinary', '00 ff', new Uint8Array([0, 255])],
      ['on', 'date', '2024-02-29', '2024-02-29'],
      ['at', 'timestamp', '2024-03-08 14:30:00.123', new Date('2024-03-08T14:30:00.123Z')],
      [
        'zoned',
        'timestamp with time zone',
        '1970-01-01 01:00:00.000 +01:00',
        { epochNanos: 0n, zone: '+01:00' },
      ],
      ['time', 'time', '14:30:00.123', '14:30:00.123'],
      ['days', 'interval day to second', '0 00:00:01.000', 1000n],
      ['months', 'interval year to month', '1-0', 12],
      ['id', 'uuid', '12151fd2-7586-11e9-8f9e-2a86e4085a59', '12151fd2-7586-11e9-8f9e-2a86e4085a59'],
      ['meta', 'json', '{"a":1}', '{"a":1}'],
      ['tags', 'array', '[a, b]', '[a, b]'],
      ['other', 'ipaddress', '10.0.0.1', '10.0.0.1'],
      ['nothing', 'unknown', undefined, null],
      ['missing', 'bigint', undefined, null],
    ] as const
    const athena = athenaOver({
      columns: Object.fromEntries(types.map(([name, type]) => [name, type])),
      pages: [[types.map(([, , text]) => text)]],
    })
    const { rows } = await athena.query({ sql: 'SELECT * FROM t' })
    expect(rows).toEqual([Object.fromEntries(types.map(([name, , , value]) => [name, value]))])
  })

  test('have timestamps finer than a Date in nanoseconds, and one that is not told as finer is refused', async () => {
    const script = { columns: { at: 'timestamp(6,0)' }, pages: [[['2024-03-08 14:30:00.000001']]] }
    expect((await athenaOver(script).query({ sql: 'SELECT at' })).rows).toEqual([
      { at: 1709908200000001000n },
    ])
    await expect(
      athenaOver({ ...script, columns: { at: 'timestamp' } }).query({ sql: 'SELECT at' }),
    ).rejects.toThrow('which t.timestamp() cannot hold exactly')
  })

  test('are refused where two columns have one name: an object would lose one', async () => {
    const athena = athenaOver({ columns: { x: 'bigint', X: 'bigint' }, pages: [[['1', '2']]] })
    await expect(athena.query({ sql: 'SELECT x, X' })).rejects.toThrow(
      "the answer has two columns 'X': name each with AS",
    )
  })

  test('have a column of any name', async () => {
    const columns = JSON.parse('{"__proto__": "varchar", "constructor": "varchar", "": "varchar"}')
    const { rows } = await athenaOver({ columns, pages: [[['a', 'b', 'c']]] }).query({ sql: 'SELECT 1' })
    expect(Object.entries(rows[0]!)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['', 'c'],
    ])
    expect(Object.getPrototypeOf(rows[0])).toBe(Object.prototype)
  })

  test('come one by one as well', async () => {
    const athena = athenaOver({ columns: { n: 'bigint' }, pages: [[['1']], [['2']]] })
    const rows: unknown[] = []
    for await (const row of athena.stream({ sql: 'SELECT n' })) rows.push(row)
    expect(rows).toEqual([{ n: 1n }, { n: 2n }])
  })
})

describe('a schema', () => {
  const script = {
    columns: { ticker: 'varchar', price: 'decimal(18,4)' },
    pages: [
      [
        ['IBM', '1.5'],
        ['', '-2'],
      ],
      [['AAPL', '3']],
    ],
  }
  const price = schemaOf((row) => {
    const value = row['price'] as Decimal
    const issues = [
      ...(row['ticker'] === '' ? [{ message: 'is empty', path: ['ticker'] }] : []),
      ...(value.unscaled < 0n ? [{ message: 'is negative', path: [{ key: 'price' }, 'amount'] }] : []),
    ]
    return issues.length > 0 ? { issues } : { value: { symbol: String(row['ticker']), price: value } }
  })

  test('makes the rows, in order', async () => {
    const { rows } = await athenaOver({ ...script, pages: [[['IBM', '1.5']], [['AAPL', '3']]] }).query({
      sql: 'SELECT 1',
      schema: price,
    })
    expect(rows).toEqual([
      { symbol: 'IBM', price: Decimal.parse('1.5000') },
      { symbol: 'AAPL', price: Decimal.parse('3.0000') },
    ])
  })

  test('that refuses a row names it, its columns and the query', async () => {
    await expect(athenaOver(script).query({ sql: 'SELECT 1', schema: price })).rejects.toMatchObject({
      name: 'SchemaMismatchError',
      code: 'RESULT_ROW',
      message:
        "Row 2 of query q-1 does not fit the schema: column 'ticker': is empty; column 'price.amount': is negative. Select what the schema wants, or mend the schema.",
      facts: { queryExecutionId: 'q-1', row: 2, column: 'ticker' },
    })
  })

  test('may be asynchronous, and applies to rows that come one by one', async () => {
    const later = schemaOf(async (row) => ({ value: String(row['ticker']) }))
    const seen: string[] = []
    for await (const ticker of athenaOver(script).stream({ sql: 'SELECT 1', schema: later }))
      seen.push(ticker)
    expect(seen).toEqual(['IBM', '', 'AAPL'])
  })

  test('may be a table definition, which is a Standard Schema', async () => {
    const { rows } = await athenaOver({ ...script, pages: [[['IBM', '1.5']]] }).query({
      sql: 'SELECT 1',
      schema: defineTable('trades', { columns: { ticker: t.string(), price: t.decimal(18, 4) } }),
    })
    expect(rows).toEqual([{ ticker: 'IBM', price: Decimal.parse('1.5000') }])
    await expect(
      athenaOver(script).query({
        sql: 'SELECT 1',
        schema: defineTable('trades', { columns: { ticker: t.string(), price: t.boolean() } }),
      }),
    ).rejects.toThrow("Row 1 of query q-1 does not fit the schema: column 'price': ")
  })

  test('that refuses the row as a whole, with many issues, tells some', async () => {
    const never = schemaOf<never>(() => ({
      issues: Array.from({ length: 9 }, (_, index) => ({ message: `no ${index}` })),
    }))
    await expect(athenaOver(script).query({ sql: 'SELECT 1', schema: never })).rejects.toThrow(
      'Row 1 of query q-1 does not fit the schema: no 0; no 1; no 2; no 3; no 4; and 4 more.',
    )
  })
})

describe('execute', () => {
  test('answers what an INSERT or CREATE TABLE AS has written, and asks nothing of other DDL', async () => {
    for (const [statementType, substatementType, count] of [
      ['DML', 'INSERT', 7],
      ['DDL', 'CREATE_TABLE_AS_SELECT', 7],
      ['DDL', 'CREATE_TABLE', undefined],
      ['UTILITY', 'SHOW_TABLES', undefined],
    ] as const) {
      const fake = answering({
        columns: { rows: 'bigint' },
        pages: [[]],
        header: false,
        statementType,
        substatementType,
        updateCount: 7,
      })
      const athena = createAthena({ client: fake.client, database: 'market', runtime: virtualRuntime() })
      const { updateCount, queryExecutionId } = await athena.execute({ sql: 'INSERT INTO t SELECT 1' })
      expect([updateCount, queryExecutionId]).toEqual([count, 'q-1'])
      expect(fake.sent.some(({ operation }) => operation === 'GetQueryResults')).toBe(count !== undefined)
    }
  })
})
