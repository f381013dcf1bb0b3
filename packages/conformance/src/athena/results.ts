import {
  GetQueryResultsCommand,
  type GetQueryResultsCommandInput,
  paginateGetQueryResults,
} from '@aws-sdk/client-athena'
import { DeleteObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3'
import { expect } from 'vitest'
import { type CaseAthena, cellsOf, invalidRequest } from './case-athena.ts'

const odd = `SELECT * FROM (VALUES (1, 'a,b', 'say "x"'), (2, '', null), (3, 'line\ntwo', '日本')) t(n, a, b) ORDER BY n`
const oddRows = [
  ['n', 'a', 'b'],
  ['1', 'a,b', 'say "x"'],
  ['2', '', null],
  ['3', 'line\ntwo', '日本'],
]

export const describeResults = (athena: CaseAthena): void => {
  const page = (QueryExecutionId: string, more: Omit<GetQueryResultsCommandInput, 'QueryExecutionId'> = {}) =>
    athena.client.send(new GetQueryResultsCommand({ QueryExecutionId, ...more }))
  const bodyOf = async (location: string) => {
    const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.*)$/.exec(location) ?? []
    const { Body } = await athena.s3.send(new GetObjectCommand({ Bucket, Key }))
    return (await Body?.transformToString()) ?? ''
  }

  athena.concept('results', (it) => {
    it('begin with the names of the columns, and keep NULL apart from empty text', async () => {
      const { ResultSet, UpdateCount } = await athena.answer(odd)
      expect(ResultSet?.Rows?.map(cellsOf)).toEqual(oddRows)
      expect(ResultSet?.Rows?.[2]?.Data).toEqual([{ VarCharValue: '2' }, { VarCharValue: '' }, {}])
      expect(UpdateCount).toBe(0)
    })

    it('of no rows are the names alone', async () => {
      const { ResultSet } = await athena.answer('SELECT 1 AS one WHERE false')
      expect(ResultSet?.Rows?.map(cellsOf)).toEqual([['one']])
    })

    it('come by pages, of which the first has the names', async () => {
      const { id: QueryExecutionId } = await athena.run(
        'SELECT n FROM UNNEST(sequence(1, 25)) t(n) ORDER BY n',
      )
      const pages: (string | null)[][] = []
      for await (const { ResultSet } of paginateGetQueryResults(
        { client: athena.client, pageSize: 10 },
        { QueryExecutionId },
      )) {
        pages.push((ResultSet?.Rows ?? []).map((row) => cellsOf(row)[0] ?? null))
        expect(ResultSet?.ResultSetMetadata?.ColumnInfo).toMatchObject([{ Name: 'n', Type: 'bigint' }])
      }
      expect(pages.map((rows) => rows.length)).toEqual([10, 10, 6])
      expect(pages.flat()).toEqual(['n', ...Array.from({ length: 25 }, (_, i) => String(i + 1))])
    })

    it('come again from a token, and have 1000 rows a page at most', async () => {
      const { id } = await athena.run('SELECT n FROM UNNEST(sequence(1, 1500)) t(n) ORDER BY n')
      const first = await page(id)
      expect(first.ResultSet?.Rows).toHaveLength(1000)
      const again = [
        await page(id, { NextToken: first.NextToken }),
        await page(id, { NextToken: first.NextToken }),
      ]
      for (const second of again) {
        expect(second.ResultSet?.Rows).toHaveLength(501)
        expect(cellsOf(second.ResultSet?.Rows?.[0] ?? {})).toEqual(['1000'])
        expect(second.NextToken).toBeUndefined()
      }
      for (const more of [{ MaxResults: 0 }, { MaxResults: 1001 }, { NextToken: 'nonsense' }]) {
        await expect(page(id, more)).rejects.toMatchObject(invalidRequest())
      }
    })

    it('describe their columns', async () => {
      const sql = `SELECT true AS a, cast(1 AS tinyint) AS b, cast(1 AS smallint) AS c, 1 AS d, bigint '1' AS e, real '1' AS f, 1e0 AS g,
        1.50 AS h, cast('x' AS varchar) AS i, to_utf8('x') AS j, date '2024-03-08' AS k, timestamp '2024-03-08 00:00:00.000' AS l,
        array[1] AS m, map(array[1], array[1]) AS n, row(1) AS o, json '1' AS p`
      const { ResultSet } = await athena.answer(sql)
      const infos = ResultSet?.ResultSetMetadata?.ColumnInfo ?? []
      expect(infos.map(({ Type, Precision, Scale }) => [Type, Precision, Scale].join(' '))).toEqual([
        'boolean 0 0',
        'tinyint 3 0',
        'smallint 5 0',
        'integer 10 0',
        'bigint 19 0',
        'float 17 0',
        'double 17 0',
        'decimal 3 2',
        'varchar 2147483647 0',
        'varbinary 1073741824 0',
        'date 0 0',
        'timestamp 3 0',
        'array 0 0',
        'map 0 0',
        'row 0 0',
        'json 0 0',
      ])
      expect(infos[0]).toMatchObject({ CatalogName: 'hive', Name: 'a', Label: 'a', Nullable: 'UNKNOWN' })
    })

    it('of statements that are no queries have no names above them', async () => {
      const database = await athena.database()
      await athena.run(`CREATE EXTERNAL TABLE t (a int) STORED AS PARQUET LOCATION '${athena.place()}'`, {
        database,
      })
      const { ResultSet } = await athena.answer('SHOW TABLES', { database })
      expect(ResultSet?.Rows?.map(cellsOf)).toEqual([['t']])
      const made = await athena.answer(`CREATE DATABASE IF NOT EXISTS ${database}`)
      expect(made.ResultSet).toMatchObject({ Rows: [], ResultSetMetadata: { ColumnInfo: [] } })
    })

    it('are not had before the query has ended, nor after it has failed', async () => {
      const failed = await athena.ended('SELECT 1/0')
      await expect(page(failed.QueryExecutionId ?? '')).rejects.toMatchObject({
        ...invalidRequest(),
        message: expect.stringMatching(/^Query did not finish successfully. Final query state: FAILED/),
      })
      await expect(page('00000000-0000-4000-8000-000000000000')).rejects.toMatchObject(invalidRequest())
    })
  })

  athena.concept('result objects', (it) => {
    it('are a CSV with every cell quoted and NULL bare, beside what describes it', async () => {
      const OutputLocation = athena.place()
      const execution = await athena.run(odd, { ResultConfiguration: { OutputLocation } })
      const at = execution.ResultConfiguration?.OutputLocation ?? ''
      expect(at).toBe(`${OutputLocation}${execution.id}.csv`)
      const quoted = (cell: string | null) => (cell === null ? '' : `"${cell.replaceAll('"', '""')}"`)
      expect(await bodyOf(at)).toBe(oddRows.map((row) => `${row.map(quoted).join(',')}\n`).join(''))
      const key = at.slice('s3://lake/'.length)
      expect(await athena.keys(OutputLocation)).toEqual([key, `${key}.metadata`])
    })

    it('of statements that are no queries are text', async () => {
      const database = await athena.database()
      const OutputLocation = athena.place()
      const asked = { ResultConfiguration: { OutputLocation } }
      const execution = await athena.run(`SHOW DATABASES LIKE '${database}'`, asked)
      const at = execution.ResultConfiguration?.OutputLocation ?? ''
      expect(at).toBe(`${OutputLocation}${execution.id}.txt`)
      expect((await bodyOf(at)).trimEnd()).toBe(database)
    })

    it('that are gone cannot be paged', async () => {
      const { id, ResultConfiguration } = await athena.run('SELECT 1')
      const Key = (ResultConfiguration?.OutputLocation ?? '').slice('s3://results/'.length)
      await athena.s3.send(new DeleteObjectCommand({ Bucket: 'results', Key }))
      await expect(page(id)).rejects.toMatchObject({
        ...invalidRequest(),
        message: expect.stringMatching(/^Could not find results/),
      })
    })
  })
}
