import { t } from '@stockpipe/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createAthena, type StatementOptions } from '../src/index.ts'
import { UnreadableObject } from '../src/results/index.ts'
import { answering } from './fake-athena.ts'
import { fakeResultStore, type OpenFault } from './fake-result-store.ts'
import { virtualRuntime } from './virtual-runtime.ts'

type Cells = readonly (string | undefined)[]

const columns = { id: 'bigint', name: 'varchar' }
const names = Object.keys(columns)
const allRows: readonly Cells[] = [
  ['1', 'a'],
  ['2', undefined],
  ['3', ''],
  ['4', 'quoted "text", with\na line and more than twelve characters'],
  ['5', '💶 é'],
  ['6', 'null'],
]
const csvOf = (rows: readonly Cells[]) =>
  Buffer.from(
    [names, ...rows]
      .map((row) =>
        row.map((cell) => (cell === undefined ? '' : `"${cell.replaceAll('"', '""')}"`)).join(','),
      )
      .join('\n')
      .concat('\n'),
  )
const location = { ResultConfiguration: { OutputLocation: 's3://results/q-1.csv' } }
const expected = allRows.map(([id, name]) => ({ id: BigInt(id!), name: name ?? null }))

const hundred = Array.from({ length: 100 }, (_, index): Cells => [String(index + 1), `row ${index}`])

interface Setting {
  readonly rows?: readonly Cells[]
  readonly csv?: Uint8Array
  readonly faults?: readonly OpenFault[]
  readonly execution?: object
  readonly noStore?: boolean
  readonly chunkBytes?: number
}

/** Athena with the rows two a page, and beside them the object. */
const setUp = (setting: Setting = {}) => {
  const { rows = allRows, csv = csvOf(rows), faults = [], execution = location, chunkBytes = 7 } = setting
  const pages = Array.from({ length: Math.max(1, Math.ceil(rows.length / 2)) }, (_, page) =>
    rows.slice(page * 2, page * 2 + 2),
  )
  const fake = answering({ columns, pages, execution })
  const objects = fakeResultStore({ 'q-1.csv': { bytes: csv } }, { faults, chunkBytes })
  const athena = createAthena({
    client: fake.client,
    database: 'market',
    runtime: virtualRuntime(),
    ...(setting.noStore ? {} : { resultStore: objects.store }),
  })
  const query = { sql: 'SELECT id, name FROM t', columns: { id: t.int64(), name: t.string().nullable() } }
  return {
    ...objects,
    athena,
    query,
    pagesAsked: () => fake.sent.filter(({ operation }) => operation === 'GetQueryResults').length,
    rows: async (options: Partial<StatementOptions> = {}) =>
      (await athena.query({ ...query, ...options })).rows,
  }
}

const unavailable = new UnreadableObject('unavailable', false, new Error('AccessDenied'))

describe('the rows of an answer', () => {
  it('come from Athena alone when they are one page', async () => {
    const { rows, opened } = setUp({ rows: allRows.slice(0, 2) })
    expect(await rows()).toEqual(expected.slice(0, 2))
    expect(opened).toEqual([])
  })

  it('come from the object when there are more, each once and in order', async () => {
    const { rows, opened, pagesAsked, athena } = setUp()
    expect(await rows()).toEqual(expected)
    expect(pagesAsked()).toBe(1)
    expect(opened).toEqual([{ key: 'q-1.csv', start: 0, etag: undefined }])
    const text = await setUp().athena.queryText({ sql: 'SELECT 1' })
    expect(text.rows).toEqual(allRows.map((row) => row.map((cell) => cell ?? null)))
    expect(athena).toBeDefined()
  })

  it('come in pages where these are asked for, or no store is given', async () => {
    const asked = setUp()
    expect(await asked.rows({ resultPath: 'pages' })).toEqual(expected)
    expect([asked.pagesAsked(), asked.opened]).toEqual([3, []])
    const without = setUp({ noStore: true })
    expect(await without.rows()).toEqual(expected)
    await expect(without.rows({ resultPath: 'csv' })).rejects.toThrow(
      /npm install @aws-sdk\/client-s3 and give createAthena a resultStore/,
    )
  })

  it('are each there once however often the connection breaks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 60 }), isQuiet: fc.boolean() }), {
          maxLength: 6,
        }),
        fc.integer({ min: 1, max: 50 }),
        async (breaks, chunkBytes) => {
          const faults = breaks.map(({ bytes, isQuiet }) =>
            isQuiet ? { endsAfter: bytes } : { breaksAfter: bytes },
          )
          const { rows, opened } = setUp({ faults, chunkBytes })
          expect(await rows()).toEqual(expected)
          expect(opened.slice(1).every(({ etag }) => etag === 'etag-1')).toBe(true)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('are refused when another object has taken the place of the one that was begun with', async () => {
    const { rows } = setUp({
      faults: [{ breaksAfter: 60 }, { replacedBy: { bytes: csvOf(allRows), etag: 'etag-2' } }],
    })
    await expect(rows()).rejects.toMatchObject({
      name: 'ResultReadError',
      code: 'RESULT_CHANGED',
      retryable: false,
    })
  })

  it('end with what S3 said when it stays away', async () => {
    const away = { fails: new UnreadableObject('other', true, new Error('SlowDown')) }
    const { rows, opened } = setUp({ faults: [{ breaksAfter: 60 }, ...Array(8).fill(away)] })
    await expect(rows()).rejects.toMatchObject({
      code: 'RESULT_UNREADABLE',
      retryable: true,
      message: expect.stringMatching(/s3:\/\/results\/q-1.csv could not be read past byte 60: SlowDown/),
    })
    expect(opened.length).toBe(8)
  })

  it.each([
    ['may not be read', { faults: [{ fails: unavailable }] }],
    ['begins with another row', { csv: csvOf([['9', 'other'], ...allRows.slice(1)]) }],
    ['has other names', { csv: Buffer.from('"id","other"\n"1","a"\n') }],
    ['is cut within the first page', { csv: Buffer.from('"id","name"\n"1","a"\n') }],
    ['is no CSV', { csv: Buffer.from('"id"x') }],
  ] as const)('come in pages when the object %s, and fail where it was asked for', async (_, setting) => {
    const automatic = setUp(setting)
    expect(await automatic.rows()).toEqual(expected)
    expect(automatic.pagesAsked()).toBe(3)
    await expect(setUp(setting).rows({ resultPath: 'csv' })).rejects.toMatchObject({
      name: 'ResultReadError',
    })
  })

  it.each([
    ['a work group that manages results', { ManagedQueryResultsConfiguration: { Enabled: true } }],
    [
      'encryption for the client',
      {
        ResultConfiguration: {
          OutputLocation: 's3://results/q-1.csv',
          EncryptionConfiguration: { EncryptionOption: 'CSE_KMS' },
        },
      },
    ],
    ['a text result', { ResultConfiguration: { OutputLocation: 's3://results/q-1.txt' } }],
  ])('come in pages with %s', async (_, execution) => {
    const { rows, opened, pagesAsked } = setUp({ execution })
    expect(await rows()).toEqual(expected)
    expect([opened.length, pagesAsked()]).toEqual([0, 3])
    await expect(setUp({ execution }).rows({ resultPath: 'csv' })).rejects.toMatchObject({
      code: 'RESULT_PATH',
    })
  })

  it('are refused when the object is malformed behind the first page', async () => {
    const csv = Buffer.concat([csvOf(allRows.slice(0, 4)), Buffer.from('"5"\n')])
    await expect(setUp({ csv }).rows()).rejects.toMatchObject({
      code: 'RESULT_MALFORMED',
      message: expect.stringMatching(/row 6 has 1 cells where the first has 2/),
    })
  })

  it('end the download when nobody wants more of them', async () => {
    const { athena, query, ended, chunks, opened } = setUp({ rows: hundred, chunkBytes: 30 })
    for await (const row of athena.stream(query)) if (row.id === 9n) break
    expect([opened.length, ended()]).toEqual([1, 1])
    expect(chunks()).toBeLessThan(10)
  })

  it('end the download at a row that cannot be decoded', async () => {
    for (const bad of [3, 30]) {
      const rows = hundred.with(bad, ['x', 'no number'])
      const { athena, query, ended, chunks } = setUp({ rows, chunkBytes: 30 })
      await expect(athena.query(query)).rejects.toThrow(`Row ${bad + 1} of query q-1`)
      expect(ended()).toBe(1)
      expect(chunks()).toBeLessThan(60)
    }
  })

  it('end with the reason of the signal', async () => {
    const abort = new AbortController()
    const { athena, query, ended } = setUp({ rows: hundred, chunkBytes: 30 })
    const read = async () => {
      for await (const row of athena.stream({ ...query, signal: abort.signal })) {
        if (row.id === 9n) abort.abort(new Error('enough'))
      }
    }
    await expect(read()).rejects.toThrow('enough')
    expect(ended()).toBe(1)
  })
})
