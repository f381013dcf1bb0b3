import { expect } from 'vitest'
import { type CaseAthena, cellsOf } from './case-athena.ts'
import { catalogTable } from './market-tables.ts'

const parquet = 'org.apache.hadoop.hive.ql.io.parquet'

export const describeHiveDdl = (athena: CaseAthena): void => {
  const bars = async (place = athena.place()) => {
    const database = await athena.database()
    await athena.run(
      `CREATE EXTERNAL TABLE IF NOT EXISTS ${database}.Bars (
         \`Open\` decimal(18, 4) COMMENT 'first price', -- in dollars
         tags array<string>,
         fees map<string,struct<a:int,b:array<double>>>)
       COMMENT 'daily' PARTITIONED BY (year int, ticker string) STORED AS PARQUET LOCATION '${place}'
       TBLPROPERTIES ('note'='it\\'s', "other"='x');`,
    )
    return { database, table: 'bars', place }
  }

  athena.concept('databases', (it) => {
    it('are made, listed by a pattern and dropped', async () => {
      const database = await athena.database()
      expect(await athena.lines(`SHOW DATABASES LIKE '${database}*'`)).toContain(database)
      expect(await athena.lines(`SHOW SCHEMAS LIKE 'no_${database}'`)).toEqual([])
      await athena.run(`DROP DATABASE ${database}`)
      expect(await athena.lines(`SHOW DATABASES LIKE '${database}'`)).toEqual([])
    })

    it('made again fail, unless that is foreseen', async () => {
      const database = await athena.database()
      await athena.run(`CREATE DATABASE IF NOT EXISTS ${database}`)
      expect(await athena.failure(`CREATE SCHEMA ${database}`)).toMatch(
        new RegExp(`^FAILED: Execution Error.*Database ${database} already exists`),
      )
    })

    it('that have tables are dropped with CASCADE only', async () => {
      const { database } = await bars()
      expect(await athena.failure(`DROP DATABASE ${database}`)).toMatch(
        /is not empty. One or more tables exist/,
      )
      await athena.run(`DROP DATABASE ${database} CASCADE`)
      expect(await athena.lines(`SHOW DATABASES LIKE '${database}'`)).toEqual([])
    })

    it('that are not there fail, unless that is foreseen', async () => {
      const absent = athena.name('absent')
      await athena.run(`DROP DATABASE IF EXISTS ${absent}`)
      expect(await athena.failure(`DROP DATABASE ${absent}`)).toMatch(
        new RegExp(`^FAILED: SemanticException \\[Error 10072\\]: Database does not exist: ${absent}`),
      )
    })
  })

  athena.concept('tables', (it) => {
    it('are made as Glue keeps Parquet tables', async () => {
      const made = await bars()
      expect(await catalogTable(athena, made)).toMatchObject({
        Name: 'bars',
        TableType: 'EXTERNAL_TABLE',
        PartitionKeys: [
          { Name: 'year', Type: 'int' },
          { Name: 'ticker', Type: 'string' },
        ],
        Parameters: { EXTERNAL: 'TRUE', comment: 'daily', note: "it's", other: 'x' },
        StorageDescriptor: {
          Location: expect.stringMatching(new RegExp(`^${made.place}?$`)),
          InputFormat: `${parquet}.MapredParquetInputFormat`,
          OutputFormat: `${parquet}.MapredParquetOutputFormat`,
          SerdeInfo: { SerializationLibrary: `${parquet}.serde.ParquetHiveSerDe` },
          Columns: [
            { Name: 'open', Type: 'decimal(18,4)', Comment: 'first price' },
            { Name: 'tags', Type: 'array<string>' },
            { Name: 'fees', Type: 'map<string,struct<a:int,b:array<double>>>' },
          ],
        },
      })
    })

    it('made again fail, unless that is foreseen', async () => {
      const { database } = await bars()
      const create = (words: string) =>
        `CREATE EXTERNAL TABLE ${words}bars (a int) STORED AS PARQUET LOCATION '${athena.place()}'`
      expect(await athena.failure(create(''), { database })).toMatch(
        /^FAILED: Execution Error.*AlreadyExistsException\(message:Table bars already exists\)/,
      )
      await athena.run(create('IF NOT EXISTS '), { database })
      expect(await athena.lines('SHOW COLUMNS IN bars', { database })).toHaveLength(5)
    })

    it('are listed by a pattern', async () => {
      const { database } = await bars()
      await athena.run(
        `CREATE EXTERNAL TABLE quotes (a int) STORED AS PARQUET LOCATION '${athena.place()}'`,
        {
          database,
        },
      )
      expect(await athena.lines(`SHOW TABLES IN ${database}`)).toEqual(['bars', 'quotes'])
      expect(await athena.lines("SHOW TABLES 'q*'", { database })).toEqual(['quotes'])
      expect(await athena.lines("SHOW TABLES '*a*|*q*'", { database })).toEqual(['bars', 'quotes'])
    })

    it('are described by a line a column, and the partition keys again', async () => {
      const { database } = await bars()
      const { ResultSet } = await athena.answer(`DESCRIBE ${database}.bars`)
      expect(ResultSet?.ResultSetMetadata?.ColumnInfo?.map((info) => info.Name)).toEqual([
        'col_name',
        'data_type',
        'comment',
      ])
      const rows = (ResultSet?.Rows ?? []).map(cellsOf)
      expect(rows.every((cells) => cells.length === 1)).toBe(true)
      const words = rows.map(([line]) => (line ?? '').split('\t').map((word) => word.trim()))
      expect(words[0]).toEqual(['open', 'decimal(18,4)', 'first price'])
      expect(words.filter(([name]) => name === 'year')).toEqual([
        ['year', 'int', ''],
        ['year', 'int', ''],
      ])
      expect(words).toContainEqual(['# Partition Information', '', ''])
    })

    it('show their columns, partition keys last', async () => {
      const { database } = await bars()
      const lines = await athena.lines(`SHOW COLUMNS IN ${database}.bars`)
      expect(lines.map((line) => line.trim())).toEqual(['open', 'tags', 'fees', 'year', 'ticker'])
    })

    it('show their properties, or one', async () => {
      const { database } = await bars()
      const lines = await athena.lines('SHOW TBLPROPERTIES bars', { database })
      expect(lines).toEqual(expect.arrayContaining(['EXTERNAL\tTRUE', 'comment\tdaily', "note\tit's"]))
      expect(await athena.lines("SHOW TBLPROPERTIES bars('note')", { database })).toEqual(["it's"])
    })

    it('are made alike by the statement that SHOW CREATE TABLE shows', async () => {
      const made = await bars()
      const { database } = made
      const { StorageDescriptor, PartitionKeys, Parameters } = await catalogTable(athena, made)
      const statement = (await athena.lines('SHOW CREATE TABLE bars', { database })).join('\n')
      expect(statement).toMatch(/^CREATE EXTERNAL TABLE `(\w+\.)?bars`\(/)
      await athena.run('DROP TABLE bars', { database })
      await athena.run(statement, { database })
      const { transient_lastDdlTime: _, ...parameters } = Parameters ?? {}
      expect(await catalogTable(athena, made)).toMatchObject({
        StorageDescriptor,
        PartitionKeys,
        Parameters: parameters,
      })
    })

    it('take more columns, other properties and another place', async () => {
      const made = await bars()
      const { database } = made
      const place = athena.place()
      await athena.run('ALTER TABLE bars ADD COLUMNS (volume bigint, note string)', { database })
      await athena.run(`ALTER TABLE bars SET LOCATION '${place}'`, { database })
      await athena.run("ALTER TABLE bars SET TBLPROPERTIES ('note'='new', 'more'='y')", { database })
      const { StorageDescriptor, Parameters } = await catalogTable(athena, made)
      expect(StorageDescriptor?.Columns?.slice(3)).toMatchObject([
        { Name: 'volume', Type: 'bigint' },
        { Name: 'note', Type: 'string' },
      ])
      expect(StorageDescriptor?.Location).toBe(place)
      expect(Parameters).toMatchObject({ comment: 'daily', note: 'new', more: 'y', other: 'x' })
      expect(await athena.failure('ALTER TABLE bars ADD COLUMNS (Year int)', { database })).toMatch(
        /^FAILED: SemanticException \[Error 10036\]: Duplicate column name: year/,
      )
    })

    it('leave their files when they are dropped', async () => {
      const database = await athena.database()
      const place = athena.place()
      await athena.write(place, 'SELECT 1 AS a')
      const keys = await athena.keys(place)
      await athena.run(`CREATE EXTERNAL TABLE t (a int) STORED AS PARQUET LOCATION '${place}'`, { database })
      expect(await athena.rows('SELECT a FROM t', { database })).toEqual([['1']])
      await athena.run('DROP TABLE t', { database })
      expect(await athena.failure('SELECT a FROM t', { database })).toMatch(/^TABLE_NOT_FOUND: /)
      expect(keys.length).toBeGreaterThan(0)
      expect(await athena.keys(place)).toEqual(keys)
    })

    it('that are not there fail, unless that is foreseen', async () => {
      const database = await athena.database()
      await athena.run('DROP TABLE IF EXISTS nothing', { database })
      for (const sql of [
        'DROP TABLE nothing',
        'DESCRIBE nothing',
        'SHOW PARTITIONS nothing',
        'MSCK REPAIR TABLE nothing',
      ]) {
        const reason = await athena.failure(sql, { database })
        expect([sql, reason]).toEqual([sql, expect.stringMatching(/^FAILED: .*Table not found.*nothing/)])
      }
    })

    it('of statements that are none of Hive fail as ParseException', async () => {
      const sql = "CREATE EXTERNAL TABLE t (a integer) STORED AS PARQUET LOCATION 's3://lake/t/'"
      expect(await athena.failure(sql, { database: await athena.database() })).toMatch(
        /^FAILED: ParseException line 1:\d+ /,
      )
    })
  })
}
