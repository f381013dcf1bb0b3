import { type Column, Decimal, t } from '@stockpipe/core'
import {
  Decimal as ArrowDecimal,
  Bool,
  Field,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { Compression, Table as WasmTable, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type AthenaOptions, createAthena, type StatementOptions } from '../src/index.ts'
import { UnreadableObject } from '../src/results/index.ts'
import { fakeAthena, serviceException } from './fake-athena.ts'
import { fakeResultStore, type OpenFault } from './fake-result-store.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const types = ['integer', 'varchar', 'decimal(20,4)', 'timestamp(3)']
const millisOf = (n: number) => -62_135_596_800_000n + BigInt(n)

/** Rows `from` to `to` as a file that UNLOAD would write. */
const parquetFile = (from: number, to: number, { rowGroup = 100, extra = false, described = types } = {}) => {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index)
  const columns = {
    n: vectorFromArray(numbers, new Int32()),
    name: vectorFromArray(
      numbers.map((n) => (n % 3 === 0 ? null : `row ${n}, é`)),
      new Utf8(),
    ),
    price: vectorFromArray(
      numbers.map((n) => Uint32Array.of(n * 10_000, 0, 1, 0)),
      new ArrowDecimal(4, 20, 128),
    ),
    ts: vectorFromArray(
      numbers.map(() => true),
      new Bool(),
    ),
    stockpipe_millis_3: vectorFromArray(numbers.map(millisOf), new Int64()),
    stockpipe_types_0: vectorFromArray(
      numbers.map(() => described.join('\n')),
      new Utf8(),
    ),
    ...(extra ? { other: vectorFromArray(numbers, new Int32()) } : {}),
  }
  const fields = Object.entries(columns).map(([name, { type }]) => new Field(name, type, true))
  const children = Object.values(columns).map(({ data }) => data[0]!)
  const data = makeData({ type: new Struct(fields), length: numbers.length, children })
  const table = new Table(new RecordBatch(new Schema(fields), data))
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setMaxRowGroupSize(rowGroup)
    .build()
  return writeParquet(WasmTable.fromIPCStream(tableToIPC(table, 'stream')), properties)
}

const rowOf = (n: number) => ({
  n,
  name: n % 3 === 0 ? null : `row ${n}, é`,
  price: Decimal.of((1n << 64n) + BigInt(n) * 10_000n, 4),
  ts: new Date(Number(millisOf(n))),
})
const rowsOf = (count: number) => Array.from({ length: count }, (_, n) => rowOf(n))

const columns = {
  n: t.int32(),
  name: t.string().nullable(),
  price: t.decimal(38, 4),
  ts: t.timestamp(),
} satisfies Record<string, Column>

interface Setting {
  readonly files?: readonly Uint8Array[]
  readonly faults?: readonly OpenFault[]
  readonly updateCount?: number
  readonly athena?: Partial<AthenaOptions>
  readonly refuses?: (sql: string) => object | Error | undefined
  /** The manifest of the files at a place. */
  readonly manifest?: (place: string) => string
  readonly chunkBytes?: number
}

/** Athena that writes the files where UNLOAD says, and answers one row to any other query. */
const setUp = (setting: Setting = {}) => {
  const {
    files = [parquetFile(0, 250), parquetFile(250, 300)],
    faults = [],
    refuses,
    chunkBytes = 500,
  } = setting
  const objects = fakeResultStore({}, { faults, chunkBytes })
  const statements: string[] = []
  const places: string[] = []
  const fake = fakeAthena(({ operation, input }) => {
    const sql = statements.at(-1) ?? ''
    if (operation === 'StartQueryExecution') {
      statements.push(input.QueryString)
      const refusal = refuses?.(input.QueryString)
      if (refusal instanceof Error) throw refusal
      const [, place] = /TO 's3:\/\/results\/([^']*)'/.exec(input.QueryString) ?? []
      if (place !== undefined) {
        places.push(place)
        files.forEach((bytes, index) => {
          objects.stored.set(`${place}file-${index}`, { bytes })
        })
        const manifest = setting.manifest?.(`s3://results/${place}`)
        if (manifest !== undefined) objects.stored.set('manifest.csv', { bytes: Buffer.from(manifest) })
      }
      return { QueryExecutionId: `q-${statements.length}` }
    }
    if (operation === 'GetQueryExecution') {
      const failed = refuses?.(sql)
      return {
        QueryExecution: {
          QueryExecutionId: input.QueryExecutionId,
          StatementType: 'DML',
          SubstatementType: sql.startsWith('UNLOAD') ? 'UNLOAD' : 'SELECT',
          Status: failed ?? { State: 'SUCCEEDED' },
          ...(setting.manifest && { Statistics: { DataManifestLocation: 's3://results/manifest.csv' } }),
        },
      }
    }
    if (operation === 'GetQueryResults') {
      const names = Object.keys(columns)
      const info = names.map((Name, index) => ({
        Name,
        Type: types[index]!.replace(/\(.*/, ''),
        Precision: index === 2 ? 20 : 0,
        Scale: index === 2 ? 4 : 0,
      }))
      const cells = ['1', 'one', '1.5000', '2024-01-02 03:04:05.678'].map((VarCharValue) => ({
        VarCharValue,
      }))
      return {
        UpdateCount: setting.updateCount ?? 300,
        ResultSet: {
          ResultSetMetadata: { ColumnInfo: info },
          Rows: [{ Data: names.map((VarCharValue) => ({ VarCharValue })) }, { Data: cells }],
        },
      }
    }
    return {}
  })
  const athena = createAthena({
    client: fake.client,
    database: 'market',
    runtime: virtualRuntime(),
    outputLocation: 's3://results/answers',
    resultStore: objects.store,
    ...setting.athena,
  })
  const query = { sql: 'SELECT n, name, price, ts FROM t', columns, resultPath: 'unload' as const }
  return {
    ...objects,
    athena,
    query,
    statements,
    places,
    rows: async (options: Partial<StatementOptions> = {}) =>
      (await athena.query({ ...query, ...options })).rows,
  }
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('rows by UNLOAD', () => {
  it('are those of all files and row groups, and the files are gone afterwards', async () => {
    const { rows, stored, places, deleted } = setUp()
    expect(await rows()).toEqual(rowsOf(300))
    expect(places[0]).toMatch(/^answers\/unload\/[0-9a-f]{32}\/$/)
    expect(stored.size).toBe(0)
    expect(deleted).toEqual([`${places[0]}file-0`, `${places[0]}file-1`])
  })

  it('are none when the query has none', async () => {
    expect(await setUp({ files: [], updateCount: 0 }).rows()).toEqual([])
    expect(await setUp({ files: [parquetFile(0, 0)], updateCount: 0 }).rows()).toEqual([])
  })

  it('are each there once however often connections break', async () => {
    for (let bytes = 0; bytes < 3000; bytes += 331) {
      const faults = [{ breaksAfter: bytes }, { endsAfter: bytes % 700 }, {}, { breaksAfter: bytes % 1000 }]
      expect(await setUp({ faults, files: [parquetFile(0, 300, { rowGroup: 60 })] }).rows()).toEqual(
        rowsOf(300),
      )
    }
  })

  it('fail with what S3 said, without a hang, and the files are deleted', async () => {
    const gone = { fails: new UnreadableObject('unavailable', false, new Error('NoSuchKey')) }
    for (const faults of [[gone], [{}, gone]]) {
      const { rows, stored } = setUp({ faults })
      await expect(rows()).rejects.toMatchObject({
        name: 'ResultReadError',
        message: expect.stringMatching(
          /unload\/[0-9a-f]+\/file-\d could not be read past byte \d+: NoSuchKey/,
        ),
      })
      expect(stored.size).toBe(0)
    }
  })

  it('fail when as many are not there as were written', async () => {
    await expect(setUp({ updateCount: 301 }).rows()).rejects.toMatchObject({
      code: 'RESULT_ROWS',
      message: expect.stringMatching(/wrote 301 rows to .* and 300 are there/),
    })
  })

  it('are those of the manifest: what a writer left that gave up is not read, what is gone is missed', async () => {
    const setting = { updateCount: 0, files: [parquetFile(0, 10), parquetFile(10, 20)] }
    const whole = setUp({ ...setting, manifest: (place) => `${place}file-1\n${place}file-0\n` })
    expect(await whole.rows()).toEqual(rowsOf(20))
    const part = setUp({ ...setting, manifest: (place) => `"${place}file-0"` })
    expect(await part.rows()).toEqual(rowsOf(10))
    expect([...part.stored.keys()]).toEqual(['manifest.csv'])
    await expect(
      setUp({ ...setting, manifest: (place) => `${place}file-0\n${place}file-2\n` }).rows(),
    ).rejects.toMatchObject({
      code: 'RESULT_ROWS',
      message: expect.stringMatching(/Query q-1 wrote s3:.*\/file-2, which is gone: run it again/),
    })
    const denied = new UnreadableObject('unavailable', false, new Error('AccessDenied'))
    const unreadable = { ...setting, manifest: () => '', faults: [{ fails: denied }] }
    expect(await setUp(unreadable).rows()).toEqual(rowsOf(20))
    expect(await setUp({ ...setting, manifest: () => 'bucket,key\n' }).rows()).toEqual(rowsOf(20))
  })

  it('fail with what to allow when the files may not be listed', async () => {
    const { rows, store } = setUp()
    store.list = async function* () {
      yield* []
      throw new Error('AccessDenied')
    }
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    await expect(rows()).rejects.toMatchObject({
      name: 'ResultReadError',
      message: expect.stringMatching(
        /unload\/[0-9a-f]+\/ cannot be listed: AccessDenied\. Allow s3:ListBucket/,
      ),
    })
  })

  it('fail when a file has a page that is broken, and so does the next query not', async () => {
    const broken = parquetFile(0, 1000)
    broken.fill(0, 4, 300)
    await expect(setUp({ files: [broken] }).rows()).rejects.toMatchObject({
      code: 'RESULT_MALFORMED',
      message: expect.stringMatching(/file-0 of an UNLOAD cannot be read as Parquet: /),
    })
    expect(await setUp().rows()).toEqual(rowsOf(300))
  })

  it('fail when a file is no Parquet', async () => {
    const { rows, stored } = setUp({ files: [new Uint8Array(500).fill(65)] })
    await expect(rows()).rejects.toMatchObject({ code: 'RESULT_MALFORMED' })
    expect(stored.size).toBe(0)
  })

  it('are compared with the stated columns as ever', async () => {
    const unstated = setUp({ files: [parquetFile(0, 10, { extra: true })] })
    await expect(unstated.rows()).rejects.toThrow(/column 'other' \(int32\) was not stated/)
    const described = ['integer', 'char(3)', 'decimal(20,4)', 'timestamp(3)']
    await expect(setUp({ files: [parquetFile(0, 10, { described })] }).rows()).rejects.toThrow(
      /type char.*: name\. CAST them to varchar/,
    )
    const behind = setUp({ files: [parquetFile(0, 0), parquetFile(0, 10, { extra: true })] })
    await expect(behind.rows()).rejects.toThrow(/column 'other' \(int32\) was not stated/)
    const { athena, query } = setUp()
    const wrong = { ...columns, n: t.string() }
    await expect(athena.query({ ...query, columns: wrong })).rejects.toThrow(
      /column 'n' is integer in the answer and t.string\(\) as stated/,
    )
    const missing = { ...columns, name: t.string() }
    await expect(athena.query({ ...query, columns: missing })).rejects.toThrow(
      /Row 1 of query q-2: column 'name' is NULL and stated as t.string\(\)/,
    )
  })

  it('end with the download and the files when nobody wants more of them', async () => {
    const { athena, query, stored, chunks } = setUp({ files: [parquetFile(0, 20_000, { rowGroup: 1000 })] })
    for await (const row of athena.stream(query)) if (row.n === 50) break
    const read = chunks()
    expect(stored.size).toBe(0)
    const abort = new AbortController()
    const all = setUp({ files: [parquetFile(0, 20_000, { rowGroup: 1000 })] })
    const iterate = async () => {
      for await (const row of all.athena.stream({ ...all.query, signal: abort.signal })) {
        if (row.n === 50) abort.abort(new Error('enough'))
      }
    }
    await expect(iterate()).rejects.toThrow('enough')
    expect(all.stored.size).toBe(0)
    const whole = setUp({ files: [parquetFile(0, 20_000, { rowGroup: 1000 })], updateCount: 20_000 })
    await whole.rows()
    expect(read).toBeLessThan(whole.chunks() / 2)
  })

  it('leave nothing of an UNLOAD that fails', async () => {
    const { rows, stored, deleted } = setUp({
      refuses: () => ({ State: 'FAILED', StateChangeReason: 'GENERIC_INTERNAL_ERROR: disk' }),
    })
    await expect(rows()).rejects.toThrow(/GENERIC_INTERNAL_ERROR/)
    expect([stored.size, deleted.length]).toEqual([0, 2])
  })

  it('are told when files are left, and not lost by it', async () => {
    const { athena, query, store } = setUp()
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    store.delete = () => Promise.reject(new Error('AccessDenied'))
    const { rows } = await athena.query(query)
    expect(rows.length).toBe(300)
    expect(warnings).toHaveBeenCalledWith(
      expect.stringMatching(/left at s3:\/\/results\/answers\/unload\/.*AccessDenied/),
      { code: 'STOCKPIPE_UNLOAD_FILES_LEFT' },
    )
  })
})

describe('UNLOAD is chosen of itself', () => {
  const chosen = async (options: Partial<StatementOptions>, setting: Setting = {}) => {
    const { rows, statements } = setUp(setting)
    await rows({ resultPath: undefined as never, ...options })
    return statements.map((sql) => sql.split(' ')[0])
  }

  it('for a million rows that are in no order', async () => {
    expect(await chosen({ expectedRows: 1_000_000 })).toEqual(['UNLOAD'])
    expect(await chosen({ expectedRows: 999_999 })).toEqual(['SELECT'])
    expect(await chosen({})).toEqual(['SELECT'])
    expect(await chosen({ expectedRows: 1e9, resultPath: 'pages' })).toEqual(['SELECT'])
    for (const end of ['ORDER BY n', 'LIMIT 5', '; SELECT 1']) {
      expect(await chosen({ expectedRows: 1e9, sql: `SELECT n, name, price, ts FROM t ${end}` })).toEqual([
        'SELECT',
      ])
    }
    expect(await chosen({ expectedRows: 1e9, reuseMaxAgeMinutes: 5 })).toEqual(['SELECT'])
  })

  it('not for types whose values UNLOAD refuses', async () => {
    const { athena, query, statements } = setUp()
    const listed = { ...columns, name: t.list(t.int32()) }
    const { resultPath: _, ...plain } = query
    await athena.query({ ...plain, columns: listed, expectedRows: 1e9 }).catch(() => {})
    expect(statements).toEqual([query.sql])
  })

  it('and the query is run as it stands where Athena refuses that', async () => {
    const refusals = [
      { State: 'FAILED', StateChangeReason: 'NOT_SUPPORTED: Unsupported Hive type: json' },
      serviceException('InvalidRequestException', 'line 1:1: mismatched input'),
    ]
    for (const refusal of refusals) {
      const refuses = (sql: string) => (sql.startsWith('UNLOAD') ? refusal : undefined)
      expect(await chosen({ expectedRows: 1e9 }, { refuses })).toEqual(['UNLOAD', 'SELECT'])
      await expect(setUp({ refuses }).rows()).rejects.toThrow()
    }
  })
})

describe('UNLOAD that is asked for', () => {
  it.each([
    ['a statement that is no query', {}, { sql: 'SHOW TABLES' }, /not one SELECT/],
    ['no place for files', { athena: { outputLocation: undefined as never } }, {}, /unloadLocation/],
    ['a place that is none', { athena: { unloadLocation: 's3://results' } }, {}, /s3:\/\/results is no/],
    ['no store', { athena: { resultStore: undefined as never } }, {}, /npm install @aws-sdk\/client-s3/],
  ] as const)('is refused with %s', async (_, setting, options, message) => {
    await expect(setUp(setting).rows(options)).rejects.toThrow(message)
  })

  it('is refused for timestamps within others, and for text without columns', async () => {
    const { athena, query } = setUp()
    const listed = { ...columns, name: t.list(t.timestamp()) }
    await expect(athena.query({ ...query, columns: listed })).rejects.toThrow(
      /cannot hold what is stated for 'name' \(t.list\(t.timestamp\(\)\)\)/,
    )
    await expect(athena.queryText({ sql: 'SELECT 1', resultPath: 'unload' })).rejects.toMatchObject({
      code: 'RESULT_PATH',
    })
  })
})
