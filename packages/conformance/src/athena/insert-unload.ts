import { GetObjectCommand } from '@aws-sdk/client-s3'
import { expect } from 'vitest'
import type { CaseAthena } from './case-athena.ts'

export const describeInsertUnload = (athena: CaseAthena): void => {
  const manifestOf = async (location: string | undefined) => {
    const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.*)$/.exec(location ?? '') ?? []
    const { Body } = await athena.s3.send(new GetObjectCommand({ Bucket, Key }))
    return ((await Body?.transformToString()) ?? '').split('\n').filter((line) => line !== '')
  }

  athena.concept('insertions', (it) => {
    const table = async () => {
      const database = await athena.database()
      const place = athena.place()
      await athena.run(
        `CREATE EXTERNAL TABLE ticks (symbol string, size int, px decimal(9,2)) PARTITIONED BY (dt string)
         STORED AS PARQUET LOCATION '${place}'`,
        { database },
      )
      return { database, place }
    }

    it('add rows and partitions, say how many, and which files', async () => {
      const { database, place } = await table()
      const { id, Statistics } = await athena.run(
        "INSERT INTO ticks VALUES ('AAPL', 1, 1.5, '2024-03-08'), ('BRK.B', 2, 2.25, '2024-03-09')",
        { database },
      )
      expect(await athena.rows('SELECT * FROM ticks ORDER BY size', { database })).toEqual([
        ['AAPL', '1', '1.50', '2024-03-08'],
        ['BRK.B', '2', '2.25', '2024-03-09'],
      ])
      expect(await athena.lines('SHOW PARTITIONS ticks', { database })).toEqual([
        'dt=2024-03-08',
        'dt=2024-03-09',
      ])
      expect(Statistics?.DataManifestLocation).toBe(`s3://results/${id}-manifest.csv`)
      const keys = (await athena.keys(place)).map((key) => `s3://lake/${key}`)
      expect((await manifestOf(Statistics?.DataManifestLocation)).sort()).toEqual(keys)
    })

    it('of some columns leave the others NULL', async () => {
      const { database } = await table()
      const { UpdateCount } = await athena.answer("INSERT INTO ticks (dt, size) SELECT 'd', 7", { database })
      expect(UpdateCount).toBe(1)
      expect(await athena.rows('SELECT symbol, size, dt FROM ticks', { database })).toEqual([
        [null, '7', 'd'],
      ])
    })

    it('take parameters', async () => {
      const { database } = await table()
      const asked = { database, ExecutionParameters: ["'A'", '2'] }
      const rows = "VALUES ('A', 1), ('A', 2), ('B', 2)"
      await athena.run(
        `INSERT INTO ticks SELECT x, y, 1.00, 'd' FROM (${rows}) t(x, y) WHERE x = ? AND y = ?`,
        asked,
      )
      expect(await athena.rows('SELECT symbol, size FROM ticks', { database })).toEqual([['A', '2']])
    })

    it('leave the files that are there', async () => {
      const { database, place } = await table()
      await athena.run("INSERT INTO ticks VALUES ('A', 1, 1.00, 'd')", { database })
      const before = await athena.keys(place)
      await athena.run("INSERT INTO ticks VALUES ('B', 2, 2.00, 'd')", { database })
      expect(await athena.keys(place)).toEqual(expect.arrayContaining(before))
      expect(await athena.rows('SELECT count(*) FROM ticks', { database })).toEqual([['2']])
    })

    it('that do not fit are refused, and leave nothing', async () => {
      const { database, place } = await table()
      for (const [values, reason] of [
        ["(1, 2, 3, 'd')", /^TYPE_MISMATCH: .*Insert query has mismatched column types/],
        ["('A', 1)", /^TYPE_MISMATCH: .*Insert query has mismatched column types/],
        ["('A', 1/0, 1.00, 'd')", /^DIVISION_BY_ZERO: /],
      ] as const) {
        expect(await athena.failure(`INSERT INTO ticks VALUES ${values}`, { database })).toMatch(reason)
      }
      expect(await athena.keys(place)).toEqual([])
      expect(await athena.failure('INSERT INTO nothing VALUES (1)', { database })).toMatch(
        /^TABLE_NOT_FOUND: /,
      )
    })
  })

  athena.concept('unloaded results', (it) => {
    const unload = (place: string, query: string, more = '') =>
      `UNLOAD (${query}) TO '${place}' WITH (format = 'PARQUET'${more})`

    it('are files that a table reads, and a manifest names', async () => {
      const place = athena.place()
      const sql = unload(
        place,
        "SELECT 1 AS size, 'AAPL' AS symbol UNION ALL SELECT 2, null",
        ", compression = 'SNAPPY'",
      )
      const execution = await athena.run(sql)
      const keys = (await athena.keys(place)).map((key) => `s3://lake/${key}`)
      expect(keys.length).toBeGreaterThan(0)
      expect((await manifestOf(execution.Statistics?.DataManifestLocation)).sort()).toEqual(keys)
      const database = await athena.database()
      await athena.run(
        `CREATE EXTERNAL TABLE t (size int, symbol string) STORED AS PARQUET LOCATION '${place}'`,
        {
          database,
        },
      )
      expect(await athena.rows('SELECT * FROM t ORDER BY size', { database })).toEqual([
        ['1', 'AAPL'],
        ['2', null],
      ])
    })

    it('are partitioned as Hive does', async () => {
      const place = athena.place()
      const query = "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) t(size, dt)"
      await athena.run(unload(place, query, ", partitioned_by = ARRAY['dt']"))
      const prefix = place.slice('s3://lake/'.length)
      const folders = (await athena.keys(place)).map((key) => key.slice(prefix.length).split('/')[0])
      expect([...new Set(folders)]).toEqual(['dt=a', 'dt=b'])
    })

    it('need an empty place', async () => {
      const place = athena.place()
      await athena.run(unload(place, 'SELECT 1 AS a'))
      expect(await athena.failure(unload(place, 'SELECT 2 AS a'))).toMatch(/^HIVE_PATH_ALREADY_EXISTS: /)
    })

    it('need a name of each column, and no times with zones', async () => {
      expect(await athena.failure(unload(athena.place(), 'SELECT 1'))).toMatch(/^MISSING_COLUMN_NAME: /)
      expect(await athena.failure(unload(athena.place(), 'SELECT now() AS a'))).toMatch(
        /^NOT_SUPPORTED: .*Unsupported Hive type: timestamp\(3\) with time zone/,
      )
    })
  })
}
