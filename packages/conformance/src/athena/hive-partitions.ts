import { GetPartitionCommand } from '@aws-sdk/client-glue'
import { expect } from 'vitest'
import type { CaseAthena } from './case-athena.ts'
import { days, placeOfDays, tableOfDays } from './market-tables.ts'

export const describeHivePartitions = (athena: CaseAthena): void => {
  athena.concept('partitions', (it) => {
    const table = async (keys = 'dt string') => {
      const place = await placeOfDays(athena)
      return { place, ...(await tableOfDays(athena, place, { keys })) }
    }
    const locationOf = async (DatabaseName: string, PartitionValues: string[]) => {
      const asked = { DatabaseName, TableName: 'ticks', PartitionValues }
      const { Partition } = await athena.glue.send(new GetPartitionCommand(asked))
      return Partition?.StorageDescriptor?.Location
    }
    const count = async (database: string) =>
      (await athena.rows('SELECT count(*) FROM ticks', { database }))[0]

    it('of a new table are none, and none of their rows are seen', async () => {
      const { database } = await table()
      expect(await athena.lines('SHOW PARTITIONS ticks', { database })).toEqual([])
      expect(await count(database)).toEqual(['0'])
    })

    it('are added where Hive has them, or where it is said', async () => {
      const { database, place } = await table()
      const [first, second] = days
      await athena.run(
        `ALTER TABLE ticks ADD PARTITION (dt='${first}') PARTITION (dt='elsewhere') LOCATION '${place}dt=${second}/'`,
        { database },
      )
      expect(await athena.lines('SHOW PARTITIONS ticks', { database })).toEqual([
        `dt=${first}`,
        'dt=elsewhere',
      ])
      expect((await locationOf(database, [first]))?.replace(/\/$/, '')).toBe(`${place}dt=${first}`)
      expect(await locationOf(database, ['elsewhere'])).toBe(`${place}dt=${second}/`)
      expect(
        await athena.rows('SELECT dt, sum(size) FROM ticks GROUP BY dt ORDER BY dt', { database }),
      ).toEqual([
        [first, '11'],
        ['elsewhere', '22'],
      ])
    })

    it('added again fail, all of a statement, unless that is foreseen', async () => {
      const { database } = await table()
      await athena.run("ALTER TABLE ticks ADD PARTITION (dt='a')", { database })
      const both = "PARTITION (dt='b') PARTITION (dt='a')"
      expect(await athena.failure(`ALTER TABLE ticks ADD ${both}`, { database })).toMatch(
        /^FAILED: .*AlreadyExistsException.*Partition already exists/,
      )
      await athena.run(`ALTER TABLE ticks ADD IF NOT EXISTS ${both}`, { database })
      expect(await athena.lines('SHOW PARTITIONS ticks', { database })).toEqual(['dt=a', 'dt=b'])
    })

    it('are dropped by some of their keys', async () => {
      const { database } = await table('year int, venue string')
      const added = ["(year=2023, venue='A')", "(year=2024, venue='A')", "(venue='B', year='2024')"]
      await athena.run(`ALTER TABLE ticks ADD ${added.map((spec) => `PARTITION ${spec}`).join(' ')}`, {
        database,
      })
      await athena.run("ALTER TABLE ticks DROP PARTITION (venue='A')", { database })
      expect(await athena.lines('SHOW PARTITIONS ticks', { database })).toEqual(['year=2024/venue=B'])
      expect(await athena.failure('ALTER TABLE ticks DROP PARTITION (year=1)', { database })).toMatch(
        /^FAILED: SemanticException \[Error 10006\]: Partition not found/,
      )
      await athena.run('ALTER TABLE ticks DROP IF EXISTS PARTITION (year=1)', { database })
    })

    it('with a key too few are refused', async () => {
      const { database } = await table('year int, venue string')
      expect(await athena.failure('ALTER TABLE ticks ADD PARTITION (year=2024)', { database })).toMatch(
        /^FAILED: .*partition spec .*doesn't/i,
      )
    })

    it('that folders name are found by MSCK REPAIR TABLE, and no more of them the next time', async () => {
      const { database } = await table()
      const lines = await athena.lines('MSCK REPAIR TABLE ticks', { database })
      expect(lines[0]).toBe(
        ['Partitions not in metastore:', ...days.map((day) => `ticks:dt=${day}`)].join('\t'),
      )
      expect(lines.slice(1)).toEqual(
        days.map((day) => `Repair: Added partition to metastore ticks:dt=${day}`),
      )
      expect(await athena.lines('SHOW PARTITIONS ticks', { database })).toEqual(
        days.map((day) => `dt=${day}`),
      )
      expect(await athena.lines('MSCK REPAIR TABLE ticks', { database })).toEqual([])
      expect(await count(database)).toEqual(['6'])
    })

    it('whose objects are gone stay, and have no rows', async () => {
      const { database } = await table()
      await athena.run(`ALTER TABLE ticks ADD PARTITION (dt='gone') LOCATION '${athena.place()}'`, {
        database,
      })
      expect(await athena.lines('SHOW PARTITIONS ticks', { database })).toEqual(['dt=gone'])
      expect(await count(database)).toEqual(['0'])
    })

    it('of a table without keys are refused', async () => {
      const database = await athena.database()
      await athena.run(`CREATE EXTERNAL TABLE plain (a int) STORED AS PARQUET LOCATION '${athena.place()}'`, {
        database,
      })
      expect(await athena.failure('SHOW PARTITIONS plain', { database })).toMatch(
        /^FAILED: .*plain is not a partitioned table/,
      )
    })
  })
}
