import { describe, expect, it } from 'vitest'
import { TrinoEngine, trinoAddress } from '../../src/trino/trino-engine.ts'
import { column, page, startFakeTrino } from './fake-trino.ts'

const type = (rawType: string, ...inner: unknown[]) => ({
  rawType,
  arguments: inner.map((value) => ({ kind: 'TYPE', value })),
})
const integer = type('integer')
const varchar = { rawType: 'varchar', arguments: [{ kind: 'LONG', value: 2147483647 }] }
const field = (name: string | undefined, typeSignature: unknown) => ({
  kind: 'NAMED_TYPE',
  value: { ...(name && { fieldName: { name } }), typeSignature },
})

describe('an engine that passes statements to Trino', () => {
  it.each([
    ['boolean', type('boolean'), 'true', 'true'],
    ['bigint', type('bigint'), '9223372036854775807', '9223372036854775807'],
    ['double', type('double'), '1.0E10', '1.0E10'],
    ['double', type('double'), '100.0', '100.0'],
    ['double', type('double'), '"NaN"', 'NaN'],
    ['double', type('double'), '"-Infinity"', '-Infinity'],
    ['real', type('real'), '0.1', '0.1'],
    ['decimal(18,4)', type('decimal'), '"12.3400"', '12.3400'],
    ['varchar', varchar, '"1 \\"x\\": 2"', '1 "x": 2'],
    ['varbinary', type('varbinary'), '"MTIz"', '31 32 33'],
    ['timestamp(3)', type('timestamp'), '"2024-01-02 03:04:05.678"', '2024-01-02 03:04:05.678'],
    ['interval day to second', type('interval day to second'), '"2 00:00:00.000"', '2 00:00:00.000'],
    ['array(integer)', type('array', integer), '[1,null,3]', '[1, null, 3]'],
    ['map(bigint, varchar)', type('map', type('bigint'), varchar), '{"10":"a","2":null}', '{10=a, 2=null}'],
    ['map(varchar, integer)', type('map', varchar, integer), '{"__proto__":1}', '{__proto__=1}'],
    ['map(double, integer)', type('map', type('double'), integer), '{"1.0E10":1}', '{1.0E10=1}'],
    [
      'row(a integer, b row(c double))',
      {
        rawType: 'row',
        arguments: [
          field('a', integer),
          field('b', { rawType: 'row', arguments: [field('c', type('double'))] }),
        ],
      },
      '[1,[2.0]]',
      '{a=1, b={c=2.0}}',
    ],
    [
      'row(integer, varchar)',
      { rawType: 'row', arguments: [field(undefined, integer), field(undefined, varchar)] },
      '[1,"x"]',
      '{field0=1, field1=x}',
    ],
    ['varchar', varchar, 'null', null],
  ])('answers a value of %s as Athena writes it', async (name, signature, json, expected) => {
    await using trino = await startFakeTrino(() => [page([column('c', name, signature)], `[[${json}]]`)])
    const engine = new TrinoEngine(trinoAddress(trino.origin))
    const { columns, rows, scannedBytes } = await engine.run({ sql: 'SELECT c', database: 'market' })
    expect(columns).toEqual([{ name: 'c', type: name }])
    expect(rows).toEqual([[expected]])
    expect(scannedBytes).toBe(42)
  })

  it('asks for all pages, as whom and where it is told, and again while Trino is busy', async () => {
    const columns = [column('c', 'integer')]
    await using trino = await startFakeTrino(() => [
      page(columns),
      page(columns, '[[1],[2]]'),
      page(columns, '[[3]]'),
    ])
    trino.busy.push(503, 502, 429)
    const engine = new TrinoEngine(trinoAddress(`${trino.origin.replace('//', '//ada@')}/lake`))
    const { rows } = await engine.run({ sql: 'SELECT c FROM t', database: 'market' })
    expect(rows).toEqual([['1'], ['2'], ['3']])
    expect(trino.asked).toMatchObject([
      {
        sql: 'SELECT c FROM t',
        headers: {
          'x-trino-user': 'ada',
          'x-trino-catalog': 'lake',
          'x-trino-schema': 'market',
          'x-trino-time-zone': 'UTC',
          'x-trino-client-capabilities': 'PARAMETRIC_DATETIME',
        },
      },
    ])
  })

  it('gives parameters to EXECUTE IMMEDIATE', async () => {
    await using trino = await startFakeTrino(() => [page([column('c', 'integer')], '[]')])
    const engine = new TrinoEngine(trinoAddress(trino.origin))
    const parameters = ["'O''Neill'", '7']
    await engine.run({ sql: "SELECT 'x' WHERE a = ? AND b = ?", database: 'market', parameters })
    expect(trino.asked[0]?.sql).toBe(
      "EXECUTE IMMEDIATE 'SELECT ''x'' WHERE a = ? AND b = ?' USING 'O''Neill', 7",
    )
  })

  it.each([
    ['USER_ERROR', 'TABLE_NOT_FOUND', 2],
    ['EXTERNAL', 'HIVE_BAD_DATA', 2],
    ['INTERNAL_ERROR', 'GENERIC_INTERNAL_ERROR', 1],
    ['INSUFFICIENT_RESOURCES', 'EXCEEDED_TIME_LIMIT', 1],
  ])('fails as Trino does, a %s in its category', async (errorType, errorName, category) => {
    const message = "line 1:15: Table 'lake.market.nope' does not exist"
    await using trino = await startFakeTrino(() => [
      `"error":${JSON.stringify({ message, errorCode: 46, errorName, errorType })}`,
    ])
    const engine = new TrinoEngine(trinoAddress(`${trino.origin}/lake`))
    await expect(engine.run({ sql: 'SELECT 1', database: 'market' })).rejects.toMatchObject({
      errorName,
      category,
      message: `${errorName}: line 1:15: Table 'awsdatacatalog.market.nope' does not exist`,
    })
  })

  it('tells Trino to cancel a statement that is stopped, and all of them when it closes', async () => {
    await using trino = await startFakeTrino(() => [])
    const engine = new TrinoEngine(trinoAddress(trino.origin))
    const abort = new AbortController()
    const first = engine.run({ sql: 'SELECT 1', database: 'market', signal: abort.signal })
    const second = engine.run({ sql: 'SELECT 2', database: 'market' })
    while (trino.asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    await new Promise((resolve) => setTimeout(resolve, 30))
    abort.abort(new Error('stopped'))
    await expect(first).rejects.toThrow('stopped')
    expect(trino.cancelled).toHaveLength(1)
    const closed = engine.close()
    await expect(second).rejects.toThrow('The query engine is closed')
    await closed
    expect(trino.cancelled).toHaveLength(2)
  })

  it('cancels a statement that is stopped before Trino has answered it', async () => {
    await using trino = await startFakeTrino(() => [])
    trino.held.millis = 200
    const engine = new TrinoEngine(trinoAddress(trino.origin))
    const abort = new AbortController()
    const running = engine.run({ sql: 'SELECT 1', database: 'market', signal: abort.signal })
    while (trino.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    abort.abort(new Error('stopped'))
    await expect(running).rejects.toThrow('stopped')
    expect(trino.cancelled).toHaveLength(1)
  })

  it('says which Trino cannot be reached, or answers otherwise', async () => {
    const { origin } = await (async () => {
      await using gone = await startFakeTrino(() => [])
      return gone
    })()
    const engine = new TrinoEngine(trinoAddress(origin))
    await expect(engine.run({ sql: 'SELECT 1', database: 'market' })).rejects.toMatchObject({
      category: 1,
      message: expect.stringMatching(
        /The Trino at http:\/\/127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\)/,
      ),
    })
    await using trino = await startFakeTrino(() => [])
    trino.busy.push(401)
    await expect(
      new TrinoEngine(trinoAddress(trino.origin)).run({ sql: 'SELECT 1', database: 'market' }),
    ).rejects.toThrow('answered with status 401')
  })

  it('answers the number of rows that were written', async () => {
    await using trino = await startFakeTrino(() => [
      `"updateType":"INSERT","updateCount":3,${page([column('rows', 'bigint')], '[[3]]')}`,
    ])
    const engine = new TrinoEngine(trinoAddress(trino.origin))
    expect(await engine.runStatement({ sql: 'INSERT INTO t SELECT 1', database: 'market' })).toMatchObject({
      writtenRows: 3,
    })
  })
})

describe('the address of a Trino', () => {
  it('may name a user and a catalog', () => {
    expect(trinoAddress('http://localhost:8080')).toEqual({
      origin: 'http://localhost:8080',
      catalog: 'awsdatacatalog',
      user: 'athena',
    })
    expect(trinoAddress('https://ada@trino.example/lake/')).toEqual({
      origin: 'https://trino.example',
      catalog: 'lake',
      user: 'ada',
    })
  })

  it.each(['localhost:8080', 'ftp://x', 'http://a:secret@x', 'http://x/a/b', 'http://x?y'])(
    'is refused without a word of it: %s',
    (url) => {
      expect(() => trinoAddress(url)).toThrow(expect.objectContaining({ code: 'INVALID_TRINO_URL' }))
      expect(() => trinoAddress(url)).not.toThrow('secret')
    },
  )
})
