import { expect } from 'vitest'
import type { CaseAthena } from './case-athena.ts'
import { addPartitions } from './market-tables.ts'

/** Symbols, and the folders that Hive makes of them. */
const symbols: Readonly<Record<string, string>> = {
  'BRK.B': 'BRK.B',
  'a b+c%': 'a b+c%25',
  "O'N": 'O%27N',
  'EUR/USD': 'EUR%2FUSD',
  'x=y': 'x%3Dy',
}
const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`

export const describeOddSymbols = (athena: CaseAthena): void => {
  athena.concept('odd symbols', (it) => {
    let made: Promise<{ readonly database: string; readonly place: string }> | undefined
    const table = () => (made ??= writeTable())
    const writeTable = async () => {
      const database = await athena.database()
      const place = athena.place()
      const rows = Object.keys(symbols).map((symbol, i) => `(${i}, ${quoted(symbol)})`)
      await athena.run(
        `CREATE TABLE ticks WITH (format = 'PARQUET', external_location = '${place}', partitioned_by = ARRAY['symbol'])
         AS SELECT * FROM (VALUES ${rows.join(', ')}) t(size, symbol)`,
        { database },
      )
      return { database, place }
    }

    for (const [i, symbol] of Object.keys(symbols).entries()) {
      it(`${symbol} is found where it was written`, async () => {
        const { database } = await table()
        const sql = `SELECT size, symbol FROM ticks WHERE symbol = ${quoted(symbol)}`
        expect(await athena.rows(sql, { database })).toEqual([[String(i), symbol]])
        const asked = { database, ExecutionParameters: [quoted(symbol)] }
        expect(await athena.rows('SELECT size FROM ticks WHERE symbol = ?', asked)).toEqual([[String(i)]])
      })
    }

    it('are folders as Hive writes them', async () => {
      const { database, place } = await table()
      const folders = Object.values(symbols).map((folder) => `symbol=${folder}`)
      expect((await athena.lines('SHOW PARTITIONS ticks', { database })).sort()).toEqual(folders.sort())
      const prefix = place.slice('s3://lake/'.length)
      const keys = (await athena.keys(place)).map((key) => key.slice(prefix.length).replace(/\/[^/]*$/, ''))
      expect([...new Set(keys)].sort()).toEqual(folders)
    })

    it('beyond ASCII are partitions that can be read, and none that can be written', async () => {
      const { place } = await table()
      const database = await athena.database()
      await athena.run(
        `CREATE EXTERNAL TABLE ticks (size int) PARTITIONED BY (symbol string) STORED AS PARQUET LOCATION '${place}'`,
        { database },
      )
      const at = `LOCATION '${place}symbol=BRK.B/'`
      await athena.run(`ALTER TABLE ticks ADD PARTITION (symbol='Ångström') ${at}`, { database })
      const where = "WHERE symbol = 'Ångström'"
      expect(await athena.rows(`SELECT size, symbol FROM ticks ${where}`, { database })).toEqual([
        ['0', 'Ångström'],
      ])
      expect(await athena.failure("INSERT INTO ticks VALUES (1, 'Ångström')", { database })).toMatch(
        /^HIVE_INVALID_PARTITION_VALUE: Hive partition keys can only contain printable ASCII characters/,
      )
    })

    it('that are none are the partition of NULL', async () => {
      const { place } = await table()
      const database = await athena.database()
      await athena.run(
        `CREATE EXTERNAL TABLE ticks (size int) PARTITIONED BY (symbol string) STORED AS PARQUET LOCATION '${place}'`,
        { database },
      )
      const partitions = { 'BRK.B': '__HIVE_DEFAULT_PARTITION__', 'x%3Dy': 'x=y' }
      await addPartitions(
        athena,
        { database, table: 'ticks' },
        Object.entries(partitions).map(([folder, value]) => ({
          values: [value],
          location: `${place}symbol=${folder}/`,
        })),
      )
      const rows = (where: string) =>
        athena.rows(`SELECT size, symbol FROM ticks WHERE ${where}`, { database })
      expect(await rows('symbol IS NULL')).toEqual([['0', null]])
      expect(await rows("symbol <> 'a'")).toEqual([['4', 'x=y']])
      expect(await rows("coalesce(symbol, 'none') = 'none'")).toEqual([['0', null]])
    })

    it('are found again by MSCK REPAIR TABLE', async () => {
      const { place } = await table()
      const database = await athena.database()
      await athena.run(
        `CREATE EXTERNAL TABLE ticks (size int) PARTITIONED BY (symbol string) STORED AS PARQUET LOCATION '${place}'`,
        { database },
      )
      await athena.run('MSCK REPAIR TABLE ticks', { database })
      const rows = await athena.rows('SELECT symbol FROM ticks ORDER BY size', { database })
      expect(rows.flat()).toEqual(Object.keys(symbols))
    })

    it('are partitions that DDL adds and drops', async () => {
      const { place } = await table()
      const database = await athena.database()
      await athena.run(
        `CREATE EXTERNAL TABLE ticks (size int) PARTITIONED BY (symbol string) STORED AS PARQUET LOCATION '${place}'`,
        { database },
      )
      const specs = ["symbol='a b+c%'", 'symbol="O\'N"', "symbol='EUR/USD'"]
      await athena.run(`ALTER TABLE ticks ADD ${specs.map((spec) => `PARTITION (${spec})`).join(' ')}`, {
        database,
      })
      expect(await athena.rows('SELECT symbol FROM ticks ORDER BY size', { database })).toEqual([
        ['a b+c%'],
        ["O'N"],
        ['EUR/USD'],
      ])
      await athena.run("ALTER TABLE ticks DROP PARTITION (symbol='EUR/USD')", { database })
      expect(await athena.lines('SHOW PARTITIONS ticks', { database })).not.toContain('symbol=EUR%2FUSD')
    })
  })
}
