import {
  CreatePartitionCommand,
  DeletePartitionCommand,
  GetPartitionCommand,
  UpdatePartitionCommand,
} from '@aws-sdk/client-glue'
import { expect } from 'vitest'
import { type CaseCatalog, partitionInput, refusal, type TableName } from './case-catalog.ts'

const keys = [
  { Name: 'dt', Type: 'string' },
  { Name: 'symbol', Type: 'string' },
]

export const describePartitions = (catalog: CaseCatalog): void => {
  catalog.concept('partitions', (it) => {
    const create = (table: TableName, values: readonly string[]) =>
      catalog.client.send(new CreatePartitionCommand({ ...table, PartitionInput: partitionInput(values) }))
    const get = async (table: TableName, PartitionValues: string[]) =>
      (await catalog.client.send(new GetPartitionCommand({ ...table, PartitionValues }))).Partition
    const update = (table: TableName, PartitionValueList: string[], values: string[], Parameters = {}) => {
      const PartitionInput = { ...partitionInput(values), Parameters }
      return catalog.client.send(new UpdatePartitionCommand({ ...table, PartitionValueList, PartitionInput }))
    }

    it('are found with all that was given and the time they were made', async () => {
      const table = await catalog.partitionedTable(keys, [])
      const PartitionInput = { ...partitionInput(['2024-03-08', 'BRK.B']), Parameters: { rows: '5' } }
      await catalog.client.send(new CreatePartitionCommand({ ...table, PartitionInput }))
      const partition = await get(table, ['2024-03-08', 'BRK.B'])
      expect(partition).toMatchObject({ ...PartitionInput, ...table })
      expect(partition?.CreationTime).toBeInstanceOf(Date)
    })

    it('keep values of any characters as they are', async () => {
      const symbols = ['a b+c%', 'x=y', 'p:q', 'é/ü', '"*?#[]^\\{}', '100%25', '__x', "q'"]
      const table = await catalog.partitionedTable(
        keys,
        symbols.map((symbol) => ['1', symbol]),
      )
      for (const symbol of symbols) expect((await get(table, ['1', symbol]))?.Values).toEqual(['1', symbol])
      expect((await catalog.valuesOf(table)).map(([, symbol]) => symbol)).toEqual(symbols.toSorted())
    })

    it('made again are AlreadyExistsException', async () => {
      const table = await catalog.partitionedTable(keys, [['1', 'A']])
      await expect(create(table, ['1', 'A'])).rejects.toMatchObject(refusal('AlreadyExistsException'))
    })

    it('that are not there are EntityNotFoundException to whatever is asked of them', async () => {
      const table = await catalog.partitionedTable(keys, [])
      const PartitionValues = ['1', 'A']
      const answers = [
        get(table, PartitionValues),
        update(table, PartitionValues, PartitionValues),
        catalog.client.send(new DeletePartitionCommand({ ...table, PartitionValues })),
      ]
      for (const [n, answer] of (await Promise.allSettled(answers)).entries()) {
        const reason = refusal('EntityNotFoundException')
        expect(answer, `call ${n}`).toMatchObject({ status: 'rejected', reason })
      }
    })

    it('must have a value for each partition key', async () => {
      const table = await catalog.partitionedTable(keys, [])
      for (const values of [['1'], ['1', 'A', 'B'], []]) {
        await expect(create(table, values), String(values)).rejects.toMatchObject(
          refusal('InvalidInputException'),
        )
      }
    })

    it('are replaced by an update, but for the time they were made', async () => {
      const table = await catalog.partitionedTable(keys, [['1', 'A']])
      const before = await get(table, ['1', 'A'])
      await update(table, ['1', 'A'], ['1', 'A'], { rows: '7' })
      const after = await get(table, ['1', 'A'])
      expect(after).toMatchObject({ Parameters: { rows: '7' }, CreationTime: before?.CreationTime })
    })

    it('move to other values', async () => {
      const table = await catalog.partitionedTable(keys, [['1', 'A']])
      await update(table, ['1', 'A'], ['2', 'B'])
      expect(await catalog.valuesOf(table)).toEqual([['2', 'B']])
    })

    it('do not move onto others, and both stay', async () => {
      const table = await catalog.partitionedTable(keys, [
        ['1', 'A'],
        ['2', 'B'],
      ])
      await expect(update(table, ['1', 'A'], ['2', 'B'])).rejects.toMatchObject(
        refusal('AlreadyExistsException'),
      )
      expect(await catalog.valuesOf(table)).toEqual([
        ['1', 'A'],
        ['2', 'B'],
      ])
    })

    it('are gone once they are removed', async () => {
      const table = await catalog.partitionedTable(keys, [
        ['1', 'A'],
        ['2', 'B'],
      ])
      const command = new DeletePartitionCommand({ ...table, PartitionValues: ['1', 'A'] })
      await catalog.client.send(command)
      await expect(get(table, ['1', 'A'])).rejects.toMatchObject(refusal('EntityNotFoundException'))
      expect(await catalog.valuesOf(table)).toEqual([['2', 'B']])
    })
  })
}
