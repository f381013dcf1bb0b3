import { setTimeout } from 'node:timers/promises'
import {
  CreatePartitionCommand,
  CreatePartitionIndexCommand,
  CreateTableCommand,
  DeletePartitionIndexCommand,
  GetPartitionIndexesCommand,
} from '@aws-sdk/client-glue'
import { expect } from 'vitest'
import { type CaseCatalog, partitionInput, refusal, type TableName, tableInput } from './case-catalog.ts'

const keys = [
  { Name: 'year', Type: 'int' },
  { Name: 'symbol', Type: 'string' },
  { Name: 'ratio', Type: 'double' },
]

export const describePartitionIndexes = (catalog: CaseCatalog): void => {
  catalog.concept('partition indexes', (it) => {
    const create = (table: TableName, IndexName: string, Keys: string[]) =>
      catalog.client.send(new CreatePartitionIndexCommand({ ...table, PartitionIndex: { IndexName, Keys } }))
    const remove = (table: TableName, IndexName: string) =>
      catalog.client.send(new DeletePartitionIndexCommand({ ...table, IndexName }))
    const list = async (table: TableName) =>
      (await catalog.client.send(new GetPartitionIndexesCommand(table))).PartitionIndexDescriptorList ?? []
    /** The indexes once none of them is on its way any more. */
    const settled = async (table: TableName) => {
      for (;;) {
        const indexes = await list(table)
        if (indexes.every(({ IndexStatus }) => IndexStatus === 'ACTIVE' || IndexStatus === 'FAILED')) {
          return indexes
        }
        await setTimeout(50)
      }
    }

    it('of a new table are active at once', async () => {
      const DatabaseName = await catalog.database()
      const PartitionIndexes = [{ IndexName: 'by_year', Keys: ['year', 'symbol'] }]
      const TableInput = tableInput({ PartitionKeys: keys })
      await catalog.client.send(new CreateTableCommand({ DatabaseName, TableInput, PartitionIndexes }))
      expect(await list({ DatabaseName, TableName: 'trades' })).toEqual([
        {
          IndexName: 'by_year',
          IndexStatus: 'ACTIVE',
          Keys: [
            { Name: 'year', Type: 'int' },
            { Name: 'symbol', Type: 'string' },
          ],
        },
      ])
    })

    it('are made in a while, and change nothing of what an expression gives', async () => {
      const table = await catalog.partitionedTable(keys, [
        ['9', 'A', '0.5'],
        ['10', 'B', '1.5'],
      ])
      const found = () => catalog.valuesOf(table, 'year > 9')
      const before = await found()
      await create(table, 'by_year', ['year'])
      expect((await list(table))[0]?.IndexStatus).toMatch(/^(CREATING|ACTIVE)$/)
      expect(await found()).toEqual(before)
      expect(await settled(table)).toMatchObject([{ IndexName: 'by_year', IndexStatus: 'ACTIVE' }])
      expect(await found()).toEqual(before)
    })

    it('fail where a partition does not fit, and tell which', async () => {
      const table = await catalog.partitionedTable(keys, [
        ['9', 'A', '0.5'],
        ['nine', 'B', '1.5'],
      ])
      await create(table, 'by_year', ['year'])
      expect(await settled(table)).toMatchObject([
        {
          IndexStatus: 'FAILED',
          BackfillErrors: [
            {
              Code: 'INVALID_PARTITION_TYPE_DATA_ERROR',
              Partitions: [{ Values: ['nine', 'B', '1.5'] }],
            },
          ],
        },
      ])
    })

    it('keep out partitions that do not fit', async () => {
      const table = await catalog.partitionedTable(keys, [])
      await create(table, 'by_year', ['year'])
      const PartitionInput = partitionInput(['nine', 'B', '1.5'])
      await expect(
        catalog.client.send(new CreatePartitionCommand({ ...table, PartitionInput })),
      ).rejects.toMatchObject(refusal('InvalidInputException'))
    })

    it('are three at most', async () => {
      const table = await catalog.partitionedTable(keys, [])
      await create(table, 'one', ['year'])
      await create(table, 'two', ['symbol'])
      await create(table, 'three', ['symbol', 'year'])
      await expect(create(table, 'four', ['year', 'symbol'])).rejects.toMatchObject(
        refusal('ResourceNumberLimitExceededException'),
      )
    })

    it('are of partition keys that are text, integers or days', async () => {
      const table = await catalog.partitionedTable(keys, [])
      for (const key of ['ratio', 'price', 'nothing']) {
        await expect(create(table, 'by_key', [key]), key).rejects.toMatchObject(
          refusal('InvalidInputException'),
        )
      }
    })

    it('made again are AlreadyExistsException', async () => {
      const table = await catalog.partitionedTable(keys, [])
      await create(table, 'by_year', ['year'])
      await expect(create(table, 'by_year', ['symbol'])).rejects.toMatchObject(
        refusal('AlreadyExistsException'),
      )
    })

    it('are removed in a while, and can be made again', async () => {
      const table = await catalog.partitionedTable(keys, [])
      await create(table, 'by_year', ['year'])
      await settled(table)
      await remove(table, 'by_year')
      for (const { IndexStatus } of await list(table)) expect(IndexStatus).toBe('DELETING')
      expect(await settled(table)).toEqual([])
      await expect(remove(table, 'by_year')).rejects.toMatchObject(refusal('EntityNotFoundException'))
      await create(table, 'by_year', ['symbol'])
      expect(await settled(table)).toMatchObject([{ Keys: [{ Name: 'symbol' }], IndexStatus: 'ACTIVE' }])
    })
  })
}
