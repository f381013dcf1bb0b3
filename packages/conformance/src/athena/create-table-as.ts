import { expect } from 'vitest'
import { type CaseAthena, cellsOf } from './case-athena.ts'
import { catalogTable } from './market-tables.ts'

export const describeCreateTableAs = (athena: CaseAthena): void => {
  athena.concept('tables of queries', (it) => {
    const create = async (query: string, properties = '', more = '') => {
      const database = await athena.database()
      const place = athena.place()
      const given = `format = 'PARQUET', external_location = '${place}'${properties}`
      const statement = `CREATE TABLE made WITH (${given}) AS ${query}${more}`
      return { database, place, table: 'made', statement }
    }

    it('have the columns, types and rows of the query, and say how many', async () => {
      const made = await create(
        `SELECT 1 AS a, bigint '2' AS b, 1.50 AS c, 'x' AS d, cast('y' AS varchar) AS e, date '2024-03-08' AS f,
           cast(timestamp '2024-03-08 09:30:00' AS timestamp(3)) AS g, array[1] AS h, true AS i, 2e0 AS j`,
      )
      const { UpdateCount, ResultSet } = await athena.answer(made.statement, { database: made.database })
      expect(UpdateCount).toBe(1)
      expect(ResultSet?.Rows).toEqual([])
      expect(ResultSet?.ResultSetMetadata?.ColumnInfo).toMatchObject([{ Name: 'rows', Type: 'bigint' }])
      const { StorageDescriptor, TableType } = await catalogTable(athena, made)
      expect(TableType).toBe('EXTERNAL_TABLE')
      expect(StorageDescriptor?.Columns?.map(({ Name, Type }) => `${Name} ${Type}`)).toEqual([
        'a int',
        'b bigint',
        'c decimal(3,2)',
        'd varchar(1)',
        'e string',
        'f date',
        'g timestamp',
        'h array<int>',
        'i boolean',
        'j double',
      ])
      expect(await athena.rows('SELECT * FROM made', { database: made.database })).toEqual([
        ['1', '2', '1.50', 'x', 'y', '2024-03-08', '2024-03-08 09:30:00.000', '[1]', 'true', '2.0'],
      ])
    })

    it('are partitioned by their last columns', async () => {
      const rows =
        "SELECT * FROM (VALUES (1, 'A', 2023), (2, 'B', 2024), (3, null, 2024)) t(size, symbol, year)"
      const made = await create(rows, ", partitioned_by = ARRAY['symbol', 'year']")
      const { database } = made
      await athena.run(made.statement, { database })
      expect((await catalogTable(athena, made)).PartitionKeys).toMatchObject([
        { Name: 'symbol', Type: 'varchar(1)' },
        { Name: 'year', Type: 'int' },
      ])
      expect((await athena.lines('SHOW PARTITIONS made', { database })).sort()).toEqual([
        'symbol=A/year=2023',
        'symbol=B/year=2024',
        'symbol=__HIVE_DEFAULT_PARTITION__/year=2024',
      ])
      expect(await athena.rows('SELECT size FROM made WHERE symbol IS NULL', { database })).toEqual([['3']])
      const first = await create(rows, ", partitioned_by = ARRAY['size']")
      expect(await athena.failure(first.statement, { database: first.database })).toMatch(
        /Partition keys must be the last columns in the table/,
      )
    })

    it('have 100 partitions at most, and none are left of more', async () => {
      const query = (count: number) => `SELECT n AS size, n AS day FROM UNNEST(sequence(1, ${count})) t(n)`
      const most = await create(query(100), ", partitioned_by = ARRAY['day']")
      await athena.run(most.statement, { database: most.database })
      expect(await athena.lines('SHOW PARTITIONS made', { database: most.database })).toHaveLength(100)
      const { database, statement } = await create(query(101), ", partitioned_by = ARRAY['day']")
      expect(await athena.failure(statement, { database })).toMatch(
        /^HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/,
      )
      expect(await athena.lines('SHOW TABLES', { database })).toEqual([])
    })

    it('take parameters', async () => {
      const { database, statement } = await create('SELECT x AS a FROM (VALUES 1, 2, 3) t(x) WHERE x > ?')
      await athena.run(statement, { database, ExecutionParameters: ['2'] })
      expect(await athena.rows('SELECT a FROM made', { database })).toEqual([['3']])
    })

    it('may have no rows, and need an empty place', async () => {
      const { database, place, statement } = await create('SELECT 1 AS a', '', ' WITH NO DATA')
      await athena.run(statement, { database })
      expect(await athena.rows('SELECT * FROM made', { database })).toEqual([])
      await athena.write(place, 'SELECT 1 AS a')
      await athena.run('DROP TABLE made', { database })
      expect(await athena.failure(statement, { database })).toMatch(
        /^HIVE_PATH_ALREADY_EXISTS: |Target directory for table .*already exists/,
      )
    })

    it('that are there are left as they are', async () => {
      const { database, statement } = await create('SELECT 1 AS a')
      await athena.run(statement, { database })
      expect(await athena.failure(statement, { database })).toMatch(/already exists/i)
      await athena.run('CREATE TABLE IF NOT EXISTS made AS SELECT 2 AS b', { database })
      const { ResultSet } = await athena.answer('SELECT * FROM made', { database })
      expect(ResultSet?.Rows?.map(cellsOf)).toEqual([['a'], ['1']])
    })

    it('need a name and a type of each column', async () => {
      for (const [query, reason] of [
        ['SELECT 1', /^MISSING_COLUMN_NAME: .*Column name not specified at position 1/],
        ['SELECT 1 AS a, 2 AS a', /^DUPLICATE_COLUMN_NAME: .*Column name 'a' specified more than once/],
        ['SELECT null AS a', /^COLUMN_TYPE_UNKNOWN: .*Column type is unknown/],
        ["SELECT time '09:30:00' AS a", /^NOT_SUPPORTED: .*Unsupported Hive type: time/],
      ] as const) {
        const { database, statement } = await create(query)
        expect(await athena.failure(statement, { database })).toMatch(reason)
      }
    })
  })
}
