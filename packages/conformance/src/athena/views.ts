import { expect } from 'vitest'
import type { CaseAthena } from './case-athena.ts'
import { catalogTable } from './market-tables.ts'

export const describeViews = (athena: CaseAthena): void => {
  athena.concept('views', (it) => {
    const view = async (sql = "SELECT 1 AS one, 'x' AS text") => {
      const database = await athena.database()
      await athena.run(`CREATE VIEW v AS ${sql}`, { database })
      return database
    }

    it('answer as their query does, also from another database', async () => {
      const database = await athena.database()
      await athena.run(
        `CREATE TABLE ticks WITH (format = 'PARQUET', external_location = '${athena.place()}') AS SELECT 7 AS size`,
        { database },
      )
      await athena.run('CREATE VIEW v AS SELECT sum(size) AS total FROM ticks', { database })
      const other = await athena.database()
      expect(await athena.rows(`SELECT total + 1 FROM ${database}.v`, { database: other })).toEqual([['8']])
    })

    it('are tables of the catalog, with columns', async () => {
      const database = await view()
      const { TableType, StorageDescriptor } = await catalogTable(athena, { database, table: 'v' })
      expect(TableType).toBe('VIRTUAL_VIEW')
      expect(StorageDescriptor?.Columns).toMatchObject([
        { Name: 'one', Type: 'int' },
        { Name: 'text', Type: expect.stringMatching(/^(string|varchar\(1\))$/) },
      ])
    })

    it('are shown', async () => {
      const database = await view()
      expect(await athena.lines(`SHOW VIEWS IN ${database}`)).toEqual(['v'])
      const shown = (await athena.lines('SHOW CREATE VIEW v', { database })).join('\n')
      expect(shown).toMatch(/^CREATE VIEW\s+\S*v\S*\s+AS\s+SELECT/i)
    })

    it('are replaced only where that is said', async () => {
      const database = await view()
      expect(await athena.failure('CREATE VIEW v AS SELECT 2 AS two', { database })).toMatch(/already exists/)
      await athena.run('CREATE OR REPLACE VIEW v AS SELECT 2 AS two', { database })
      expect(await athena.rows('SELECT two FROM v', { database })).toEqual([['2']])
    })

    it('are dropped', async () => {
      const database = await view()
      await athena.run('DROP VIEW v', { database })
      expect(await athena.failure('SELECT * FROM v', { database })).toMatch(/^TABLE_NOT_FOUND: /)
      await athena.run('DROP VIEW IF EXISTS v', { database })
      expect(await athena.failure('DROP VIEW v', { database })).toMatch(/v.*(does not exist|not found)/i)
    })
  })
}
