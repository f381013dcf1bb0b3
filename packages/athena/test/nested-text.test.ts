import { Decimal, t } from '@stockpipe/core'
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
  ])('%s %s is refused where it is not of the stated type', async (type, text, column) => {
    await expect(query(type, text, column)).rejects.toMatchObject({
      code: 'RESULT_VALUE',
      message: expect.stringContaining(`holds "${text}"`),
    })
  })

  test.each<[string, unknown, string]>([
    ['array', t.list(t.string()), 't.list(t.string())'],
    ['map', t.map(t.string(), t.int32().nullable()), 't.map(t.string(), t.int32().nullable())'],
    ['row', t.struct({ raw: t.binary() }), 't.struct({ raw: t.binary() })'],
    [
      'array',
      t.list(t.struct({ price: t.decimal(9, 2), venue: t.string() })),
      't.list(t.struct({ price: t.decimal(9, 2), venue: t.string() }))',
    ],
  ])(
    '%s with strings or binary within is refused as ambiguous, before a value is read',
    async (type, column, stated) => {
      const problem = query(type, '', column)
      await expect(problem).rejects.toThrow(`column 'value' is ${type} in the answer and ${stated} as stated`)
      await expect(problem).rejects.toThrow(
        `(strings in the text of ${type} values are ambiguous: write json_format(CAST(value AS json)) and state t.json())`,
      )
    },
  )

  test('an answer of another kind than stated is refused', async () => {
    await expect(query('varchar', '[1]', t.list(t.int32()))).rejects.toThrow(
      "column 'value' is varchar in the answer and t.list(t.int32()) as stated",
    )
    await expect(query('map', '{}', t.struct({ price: t.int32() }))).rejects.toThrow("column 'value' is map")
  })
})
