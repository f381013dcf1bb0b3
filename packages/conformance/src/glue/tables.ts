import {
  BatchDeleteTableCommand,
  CreateTableCommand,
  DeleteTableCommand,
  GetPartitionsCommand,
  GetTableCommand,
  GetTablesCommand,
  paginateGetTables,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import { expect } from 'vitest'
import { type CaseCatalog, refusal, tableInput } from './case-catalog.ts'

export const describeTables = (catalog: CaseCatalog): void => {
  catalog.concept('tables', (it) => {
    const create = (DatabaseName: string, Name: string) =>
      catalog.client.send(new CreateTableCommand({ DatabaseName, TableInput: tableInput({ Name }) }))
    const get = async (DatabaseName: string, Name: string) =>
      (await catalog.client.send(new GetTableCommand({ DatabaseName, Name }))).Table
    const namesOf = async (DatabaseName: string, Expression?: string) => {
      const { TableList } = await catalog.client.send(new GetTablesCommand({ DatabaseName, Expression }))
      return (TableList ?? []).map(({ Name }) => Name).sort()
    }

    it('are found with all that was given and the time they were made', async () => {
      const DatabaseName = await catalog.database()
      const TableInput = tableInput({ Description: 'trades', Owner: 'quant', Retention: 3 })
      await catalog.client.send(new CreateTableCommand({ DatabaseName, TableInput }))
      const table = await get(DatabaseName, 'trades')
      expect(table).toMatchObject({ ...TableInput, DatabaseName })
      expect(table?.CreateTime).toBeInstanceOf(Date)
      const { TableList } = await catalog.client.send(new GetTablesCommand({ DatabaseName }))
      expect(TableList).toMatchObject([TableInput])
    })

    it('fold their names to lower case and are found under any', async () => {
      const DatabaseName = await catalog.database()
      await create(DatabaseName.toUpperCase(), 'Trades_Folded')
      expect(await get(DatabaseName, 'TRADES_folded')).toMatchObject({ Name: 'trades_folded', DatabaseName })
    })

    it('made again are AlreadyExistsException', async () => {
      const { DatabaseName, TableName } = await catalog.table()
      await expect(create(DatabaseName, TableName)).rejects.toMatchObject(refusal('AlreadyExistsException'))
    })

    it('that are not there are EntityNotFoundException to whatever is asked of them', async () => {
      const DatabaseName = await catalog.database()
      const answers = [
        get(DatabaseName, 'nothing'),
        catalog.client.send(new UpdateTableCommand({ DatabaseName, TableInput: { Name: 'nothing' } })),
        catalog.client.send(new DeleteTableCommand({ DatabaseName, Name: 'nothing' })),
        catalog.client.send(new GetPartitionsCommand({ DatabaseName, TableName: 'nothing' })),
      ]
      for (const [n, answer] of (await Promise.allSettled(answers)).entries()) {
        const reason = refusal('EntityNotFoundException')
        expect(answer, `call ${n}`).toMatchObject({ status: 'rejected', reason })
      }
    })

    it('are listed by a pattern of their names', async () => {
      const DatabaseName = await catalog.database()
      for (const name of ['trades_a', 'trades_b', 'quotes']) await create(DatabaseName, name)
      expect(await namesOf(DatabaseName, 'trades*')).toEqual(['trades_a', 'trades_b'])
      expect(await namesOf(DatabaseName, 'trades_.*')).toEqual(['trades_a', 'trades_b'])
      expect(await namesOf(DatabaseName, 'quotes')).toEqual(['quotes'])
    })

    it('are listed by a pattern that must hold for the whole name', async () => {
      const DatabaseName = await catalog.database()
      for (const name of ['trades', 'trades_b']) await create(DatabaseName, name)
      expect(await namesOf(DatabaseName, 'trades')).toEqual(['trades'])
    })

    it('are listed by pages that a table made or removed meanwhile does not upset', async () => {
      const DatabaseName = await catalog.database()
      const names = Array.from({ length: 7 }, (_, n) => `t${n}`)
      for (const name of names) await create(DatabaseName, name)
      const seen: (string | undefined)[] = []
      for await (const { TableList = [] } of paginateGetTables(
        { client: catalog.client, pageSize: 2 },
        { DatabaseName },
      )) {
        expect(TableList.length).toBeLessThanOrEqual(2)
        if (seen.length === 2) {
          await catalog.client.send(new DeleteTableCommand({ DatabaseName, Name: seen[0] }))
          await create(DatabaseName, 'a_new_one')
        }
        seen.push(...TableList.map(({ Name }) => Name))
      }
      expect(seen).toEqual(names)
    })

    it('are listed with no more than the attributes asked for', async () => {
      const { DatabaseName } = await catalog.table()
      const command = new GetTablesCommand({ DatabaseName, AttributesToGet: ['NAME', 'TABLE_TYPE'] })
      const { TableList } = await catalog.client.send(command)
      expect(TableList).toEqual([{ Name: 'trades', DatabaseName, TableType: 'EXTERNAL_TABLE' }])
    })

    it('are replaced by an update, but for the time they were made', async () => {
      const { DatabaseName, TableName: Name } = await catalog.table()
      const before = await get(DatabaseName, Name)
      const TableInput = { Name, Description: 'another', PartitionKeys: [{ Name: 'dt', Type: 'string' }] }
      await catalog.client.send(new UpdateTableCommand({ DatabaseName, TableInput }))
      const after = await get(DatabaseName, Name)
      expect(after).toMatchObject({ ...TableInput, CreateTime: before?.CreateTime })
      expect(after?.StorageDescriptor).toBeUndefined()
      expect(after?.TableType).toBeUndefined()
      expect(after?.UpdateTime).toBeInstanceOf(Date)
    })

    it('are removed in a batch that tells of each that is not there', async () => {
      const DatabaseName = await catalog.database()
      for (const name of ['a', 'b', 'c']) await create(DatabaseName, name)
      const TablesToDelete = ['a', 'missing', 'b']
      const { Errors } = await catalog.client.send(
        new BatchDeleteTableCommand({ DatabaseName, TablesToDelete }),
      )
      expect(Errors).toMatchObject([
        { TableName: 'missing', ErrorDetail: { ErrorCode: 'EntityNotFoundException' } },
      ])
      expect(await namesOf(DatabaseName)).toEqual(['c'])
    })

    it('take their partitions and versions with them', async () => {
      const table = await catalog.partitionedTable([{ Name: 'dt', Type: 'string' }], [['1'], ['2']])
      const { DatabaseName, TableName: Name } = table
      const first = await get(DatabaseName, Name)
      await catalog.client.send(new UpdateTableCommand({ DatabaseName, TableInput: tableInput() }))
      await catalog.client.send(new DeleteTableCommand({ DatabaseName, Name }))
      await create(DatabaseName, Name)
      expect(await catalog.valuesOf(table)).toEqual([])
      expect((await get(DatabaseName, Name))?.VersionId).toBe(first?.VersionId)
    })
  })
}
