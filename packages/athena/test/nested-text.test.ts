import { Decimal, t } from '@stockpipe/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAthena } from '../src/index.ts'
import { answering } from './fake-athena.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const query = async (type: string, text: string | undefined, column: unknown) => {
  const { client } = answering({ columns: { value: type }, pages: [[[text]]] })
  const athena = createAthena({
    client,
    database: 'market',
    outputLocation: 's3://results/',
    runtime: virtualRuntime(),
  })
  const { rows } = await athena.query({ sql: 'SELECT value', columns: { value: column as never } })
  return (rows[0] as { value: unknown }).value
}

describe('arrays, maps and rows in the text of an answer', () => {
  test.each<[string, string, unknown, unknown]>([
    ['array', '[1, null, -3]', t.list(t.int64().nullable()), [1n, null, -3n]],
    ['array', '[]', t.list(t.int64()), []],
    ['array', '[[1], []]', t.list(t.list(t.int32())), [[1], []]],
    [
      'map',
      '{1=0.5, 2=null, 3=NaN}',
      t.map(t.int32(), t.double().nullable()),
      new Map([
        [1, 0.5],
        [2, null],
        [3, Number.NaN],
      ]),
    ],
    ['map', '{}', t.map(t.int32(), t.double()), new Map()],
    [
      'map',
      '{2024-03-08=[true, false]}',
      t.map(t.date(), t.list(t.boolean())),
      new Map([['2024-03-08', [true, false]]]),
    ],
    [
      'row',
      '{price=1.5000, at=2024-03-08 14:30:00.123, legs=[{size=1}, {size=2}]}',
      t.struct({
        price: t.decimal(18, 4),
        at: t.timestamp().nullable(),
        legs: t.list(t.struct({ size: t.int64() })),
      }),
      {
        price: Decimal.parse('1.5000'),
        at: new Date('2024-03-08T14:30:00.123Z'),
        legs: [{ size: 1n }, { size: 2n }],
      },
    ],
    [
      'row',
      '{price=null, at=null}',
      t.struct({ price: t.float().nullable(), at: t.date().nullable() }),
      { price: null, at: null },
    ],
  ])('%s %s is read as stated', async (type, text, column, value) => {
    expect(await query(type, text, column)).toEqual(value)
  })

  test('NULL is null where it may be', async () => {
    expect(await query('array', undefined, t.list(t.int32()).nullable())).toBeNull()
    await expect(query('array', undefined, t.list(t.int32()))).rejects.toThrow(
      'is NULL and stated as t.list(t.int32())',
    )
  })

  test.each<[string, string, unknown]>([
    ['array', '[null]', t.list(t.int32())],
    ['array', '[1,2]', t.list(t.int32())],
    ['array', '[1, 2', t.list(t.int32())],
    ['array', '[1] ', t.list(t.int32())],
    ['array', '[1.5]', t.list(t.int32())],
    ['map', '{1}', t.map(t.int32(), t.int32())],
    ['row', '{size=1}', t.struct({ price: t.int32() })],
    ['row', '{price=1}', t.struct({ price: t.int32(), size: t.int32().nullable() })],
    ['row', '{price=1, size=2}', t.struct({ price: t.int32() })],
    ['row', '{1}', t.struct({ price: t.int32() })],
    ['row', '{price=1}', t.struct({ venue: t.string() })],
    ['row', '{venue=1', t.struct({ venue: t.string() })],
  ])('%s %s is refused where it is not of the stated type', async (type, text, column) => {
    await expect(query(type, text, column)).rejects.toMatchObject({
      code: 'RESULT_VALUE',
      message: expect.stringContaining(`holds "${text}"`),
    })
  })

  test.each<[string, unknown, string]>([
    ['array', t.list(t.string()), 't.list(t.string())'],
    ['map', t.map(t.string(), t.int32().nullable()), 't.map(t.string(), t.int32().nullable())'],
    [
      'array',
      t.list(t.struct({ price: t.decimal(9, 2), venue: t.string() })),
      't.list(t.struct({ price: t.decimal(9, 2), venue: t.string() }))',
    ],
  ])(
    '%s with strings within is refused as ambiguous, before a value is read',
    async (type, column, stated) => {
      const problem = query(type, '', column)
      await expect(problem).rejects.toThrow(`column 'value' is ${type} in the answer and ${stated} as stated`)
      await expect(problem).rejects.toThrow(
        `(strings in the text of ${type} values are ambiguous: write CAST(value AS JSON) and keep the stated type)`,
      )
    },
  )

  test('binary within is refused, as JSON too', async () => {
    const raw = t.struct({ raw: t.binary() })
    await expect(query('row', '{raw=00}', raw)).rejects.toThrow('it takes no binary')
    await expect(query('json', '{"raw":"00"}', raw)).rejects.toThrow("column 'value' is json in the answer")
  })

  test('an answer of another kind than stated is refused', async () => {
    await expect(query('varchar', '1, 2', t.list(t.int32()))).rejects.toThrow(
      'holds "1, 2", which t.list(t.int32()) cannot hold exactly',
    )
    await expect(query('bigint', '1', t.list(t.int32()))).rejects.toThrow("column 'value' is bigint")
    await expect(query('map', '{}', t.struct({ price: t.int32() }))).rejects.toThrow("column 'value' is map")
  })
})

describe('strings that are fields of rows', () => {
  const leg = t.struct({ venue: t.string(), size: t.int64(), note: t.string().nullable() })

  test.each([
    ['{venue=XNYS, size=5, note=a, b}', { venue: 'XNYS', size: 5n, note: 'a, b' }],
    ['{venue=a=b}, size=6, size=5, note=}', { venue: 'a=b}, size=6', size: 5n, note: '' }],
    ['{venue={x=1}, size=5, note=[1, 2]}', { venue: '{x=1}', size: 5n, note: '[1, 2]' }],
    ['{venue=null, size=5, note=x}', { venue: 'null', size: 5n, note: 'x' }],
  ])('%s is read where there is one way to', async (text, value) => {
    expect(await query('row', text, leg)).toEqual(value)
  })

  test('within rows within rows, and beside arrays of numbers', async () => {
    const quote = t.struct({ source: leg, levels: t.list(t.double()), name: t.string() })
    expect(
      await query('row', '{source={venue=XNYS, size=5, note=x}, levels=[1.5, 2.0], name=}}', quote),
    ).toEqual({ source: { venue: 'XNYS', size: 5n, note: 'x' }, levels: [1.5, 2], name: '}' })
  })

  test.each(['{venue=XNYS, size=5, note=null}', '{venue=a, size=1, note=b, size=2, note=c}'])(
    '%s is refused, for it can be read in two',
    async (text) => {
      await expect(query('row', text, leg)).rejects.toThrow(
        `holds "${text}", which can be read in several ways, as Athena quotes no strings within rows: select CAST(... AS JSON)`,
      )
    },
  )

  test('a text with a great many ways is refused soon', async () => {
    const many = t.struct(
      Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`f${index}`, t.string()])),
    )
    const text = `{${Array.from({ length: 20 }, (_, index) => `f${index}=${', f1=, f2=, f3='.repeat(20)}`).join(', ')}]`
    await expect(query('row', text, many)).rejects.toThrow(/cannot hold exactly|several ways/)
  })

  test('what is read is what was written, or it is refused', async () => {
    const awkward = fc.string({
      unit: fc.constantFrom('a', ',', ' ', '=', '{', '}', 's', 'i', 'z', 'e', '5'),
    })
    await fc.assert(
      fc.asyncProperty(awkward, fc.option(awkward), fc.bigInt(-9n, 9n), async (venue, note, size) => {
        const text = `{venue=${venue}, size=${size}, note=${note}}`
        const read = await query('row', text, leg).catch((error: unknown) => error)
        if (read instanceof Error) expect(read.message).toContain('several ways')
        else expect(read).toEqual({ venue, size, note })
      }),
      { numRuns: 500 },
    )
  })
})

describe('arrays, maps and rows as JSON', () => {
  test.each<[string, unknown, unknown]>([
    ['["a, b","","null"]', t.list(t.string()), ['a, b', '', 'null']],
    ['[9223372036854775807,null]', t.list(t.int64().nullable()), [9223372036854775807n, null]],
    [
      '{"a\\"=1":0.1,"__proto__":null,"":"NaN"}',
      t.map(t.string(), t.double().nullable()),
      new Map([
        ['a"=1', 0.1],
        ['__proto__', null],
        ['', Number.NaN],
      ]),
    ],
    ['{"1":true}', t.map(t.int32(), t.boolean()), new Map([[1, true]])],
    [
      '{"price":12345678901234567890123456789012.3456,"legs":[{"at":"2024-03-08 14:30:00.123","lastSize":1E-7}],"name":null}',
      t.struct({
        name: t.string().nullable(),
        price: t.decimal(38, 4),
        legs: t.list(t.struct({ lastsize: t.decimal(10, 7), at: t.timestamp() })),
      }),
      {
        name: null,
        price: Decimal.parse('12345678901234567890123456789012.3456'),
        legs: [{ lastsize: Decimal.parse('0.0000001'), at: new Date('2024-03-08T14:30:00.123Z') }],
      },
    ],
    ['[]', t.list(t.string()), []],
    [' { "price" : -1.50 } ', t.struct({ price: t.decimal(9, 2) }), { price: Decimal.parse('-1.50') }],
  ])('%s is read as stated', async (text, column, value) => {
    expect(await query('json', text, column)).toEqual(value)
    expect(await query('varchar', text, column)).toEqual(value)
  })

  test.each<[string, unknown]>([
    ['[1.5]', t.list(t.int64())],
    ['[01]', t.list(t.int64())],
    ['["1"', t.list(t.string())],
    ['["1]', t.list(t.string())],
    ['[1]', t.list(t.string())],
    ['["true"]', t.list(t.boolean())],
    ['[null]', t.list(t.string())],
    ['{"a":1}', t.list(t.int32())],
    ['[1]', t.struct({ a: t.int32() })],
    ['{"a":1}', t.struct({ b: t.int32() })],
    ['{"a":1}', t.struct({ a: t.int32(), b: t.int32().nullable() })],
    ['{"a":1,"b":2}', t.struct({ a: t.int32() })],
    ['{"x":1}', t.map(t.int32(), t.int32())],
    ['{"a":{}}', t.struct({ a: t.int32() })],
    ['not json', t.list(t.string())],
  ])('%s is refused where it is not of the stated type', async (text, column) => {
    await expect(query('json', text, column)).rejects.toMatchObject({
      code: 'RESULT_VALUE',
      message: expect.stringContaining(`holds "${text}"`),
    })
  })

  test('any string comes back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary' })), async (strings) => {
        expect(await query('json', JSON.stringify(strings), t.list(t.string()))).toEqual(strings)
      }),
      { numRuns: 300 },
    )
  })
})
