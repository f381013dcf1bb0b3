import {
  CreateDatabaseCommand,
  CreateTableCommand,
  DeleteDatabaseCommand,
  GetDatabaseCommand,
  GetDatabasesCommand,
  GetTableCommand,
  GetTablesCommand,
  paginateGetDatabases,
  UpdateDatabaseCommand,
} from '@aws-sdk/client-glue'
import { expect } from 'vitest'
import { type CaseCatalog, refusal, tableInput } from './case-catalog.ts'

export const describeDatabases = (catalog: CaseCatalog): void => {
  catalog.concept('databases', (it) => {
    const get = async (Name: string) => (await catalog.client.send(new GetDatabaseCommand({ Name }))).Database

    it('are found with what was given and the time they were made', async () => {
      const DatabaseInput = {
        Name: 'market_full',
        Description: 'daily bars',
        LocationUri: 's3://lake/market/',
        Parameters: { team: 'quant' },
      }
      await catalog.client.send(new CreateDatabaseCommand({ DatabaseInput }))
      const database = await get('market_full')
      expect(database).toMatchObject(DatabaseInput)
      expect(database?.CreateTime).toBeInstanceOf(Date)
      const { DatabaseList } = await catalog.client.send(new GetDatabasesCommand({}))
      expect(DatabaseList?.map(({ Name }) => Name)).toContain('market_full')
    })

    it('fold their names to lower case and are found under any', async () => {
      await catalog.client.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'Market_Folded' } }))
      expect((await get('MARKET_folded'))?.Name).toBe('market_folded')
    })

    it('made again are AlreadyExistsException', async () => {
      const Name = await catalog.database()
      const again = catalog.client.send(new CreateDatabaseCommand({ DatabaseInput: { Name } }))
      await expect(again).rejects.toMatchObject(refusal('AlreadyExistsException'))
    })

    it('that are not there are EntityNotFoundException to whatever is asked of them', async () => {
      const missing = { DatabaseName: 'nowhere' }
      const answers = [
        get('nowhere'),
        catalog.client.send(
          new UpdateDatabaseCommand({ Name: 'nowhere', DatabaseInput: { Name: 'nowhere' } }),
        ),
        catalog.client.send(new DeleteDatabaseCommand({ Name: 'nowhere' })),
        catalog.client.send(new GetTablesCommand(missing)),
        catalog.client.send(new GetTableCommand({ ...missing, Name: 'x' })),
        catalog.client.send(new CreateTableCommand({ ...missing, TableInput: { Name: 'x' } })),
      ]
      for (const [n, answer] of (await Promise.allSettled(answers)).entries()) {
        const reason = refusal('EntityNotFoundException')
        expect(answer, `call ${n}`).toMatchObject({ status: 'rejected', reason })
      }
    })

    it('are replaced by an update, but for the time they were made', async () => {
      const Name = await catalog.database()
      const before = await get(Name)
      const update = (input: object) =>
        catalog.client.send(new UpdateDatabaseCommand({ Name, DatabaseInput: { Name, ...input } }))
      await update({ Description: 'one', Parameters: { a: 'b' } })
      await update({ Description: 'two' })
      const after = await get(Name)
      expect(after).toMatchObject({ Name, Description: 'two', CreateTime: before?.CreateTime })
      expect(after?.Parameters ?? {}).toEqual({})
    })

    it('are listed by pages', async () => {
      const names = [await catalog.database(), await catalog.database(), await catalog.database()]
      const seen: (string | undefined)[] = []
      for await (const { DatabaseList = [] } of paginateGetDatabases(
        { client: catalog.client, pageSize: 2 },
        {},
      )) {
        expect(DatabaseList.length).toBeLessThanOrEqual(2)
        seen.push(...DatabaseList.map(({ Name }) => Name))
      }
      expect(seen).toEqual(expect.arrayContaining(names))
      expect(new Set(seen).size).toBe(seen.length)
    })

    it('take their tables with them', async () => {
      const Name = await catalog.database()
      await catalog.client.send(new CreateTableCommand({ DatabaseName: Name, TableInput: tableInput() }))
      await catalog.client.send(new DeleteDatabaseCommand({ Name }))
      await catalog.client.send(new CreateDatabaseCommand({ DatabaseInput: { Name } }))
      const { TableList } = await catalog.client.send(new GetTablesCommand({ DatabaseName: Name }))
      expect(TableList ?? []).toEqual([])
    })
  })
}
