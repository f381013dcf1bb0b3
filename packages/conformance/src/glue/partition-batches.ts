import {
  BatchCreatePartitionCommand,
  BatchDeletePartitionCommand,
  BatchGetPartitionCommand,
  BatchUpdatePartitionCommand,
} from '@aws-sdk/client-glue'
import { expect } from 'vitest'
import { type CaseCatalog, partitionInput, refusal, type TableName } from './case-catalog.ts'

const keys = [{ Name: 'day', Type: 'int' }]
const days = (count: number) => Array.from({ length: count }, (_, day) => [String(day)])

export const describePartitionBatches = (catalog: CaseCatalog): void => {
  catalog.concept('partition batches', (it) => {
    const create = (table: TableName, values: readonly (readonly string[])[]) => {
      const PartitionInputList = values.map(partitionInput)
      return catalog.client.send(new BatchCreatePartitionCommand({ ...table, PartitionInputList }))
    }
    const get = (table: TableName, values: string[][]) => {
      const PartitionsToGet = values.map((Values) => ({ Values }))
      return catalog.client.send(new BatchGetPartitionCommand({ ...table, PartitionsToGet }))
    }
    const remove = (table: TableName, values: string[][]) => {
      const PartitionsToDelete = values.map((Values) => ({ Values }))
      return catalog.client.send(new BatchDeletePartitionCommand({ ...table, PartitionsToDelete }))
    }
    const update = (table: TableName, moves: (readonly [string, string])[]) => {
      const Entries = moves.map(([from, to]) => ({
        PartitionValueList: [from],
        PartitionInput: { ...partitionInput([to]), Parameters: { from } },
      }))
      return catalog.client.send(new BatchUpdatePartitionCommand({ ...table, Entries }))
    }

    it('make all, and tell nothing where all went well', async () => {
      const table = await catalog.partitionedTable(keys, [])
      const { Errors } = await create(table, days(100))
      expect(Errors ?? []).toEqual([])
      expect(await catalog.valuesOf(table)).toHaveLength(100)
    })

    it('make what they can and tell of each that is there already', async () => {
      const table = await catalog.partitionedTable(keys, [['1']])
      const { Errors } = await create(table, [['0'], ['1'], ['2'], ['2']])
      expect(Errors).toMatchObject([
        { PartitionValues: ['1'], ErrorDetail: { ErrorCode: 'AlreadyExistsException' } },
        { PartitionValues: ['2'], ErrorDetail: { ErrorCode: 'AlreadyExistsException' } },
      ])
      expect(await catalog.valuesOf(table)).toEqual([['0'], ['1'], ['2']])
    })

    it('get what is there, and leave out without a word what is not', async () => {
      const table = await catalog.partitionedTable(keys, days(3))
      const { Partitions, UnprocessedKeys } = await get(table, [['2'], ['7'], ['0']])
      expect(Partitions?.map(({ Values }) => Values).sort()).toEqual([['0'], ['2']])
      expect(Partitions?.[0]?.StorageDescriptor?.Columns).toHaveLength(2)
      expect(UnprocessedKeys ?? []).toEqual([])
    })

    it('update what is there and tell of each that is not', async () => {
      const table = await catalog.partitionedTable(keys, days(2))
      const { Errors } = await update(table, [
        ['0', '0'],
        ['7', '7'],
        ['1', '5'],
      ])
      expect(Errors).toMatchObject([
        { PartitionValueList: ['7'], ErrorDetail: { ErrorCode: 'EntityNotFoundException' } },
      ])
      const { Partitions } = await get(table, [['0'], ['5']])
      expect(Partitions?.map(({ Parameters }) => Parameters?.['from']).sort()).toEqual(['0', '1'])
    })

    it('remove what is there and tell of each that is not', async () => {
      const table = await catalog.partitionedTable(keys, days(3))
      const { Errors } = await remove(table, [['0'], ['7'], ['2']])
      expect(Errors).toMatchObject([
        { PartitionValues: ['7'], ErrorDetail: { ErrorCode: 'EntityNotFoundException' } },
      ])
      expect(await catalog.valuesOf(table)).toEqual([['1']])
    })

    it('of a table that is not there are EntityNotFoundException as a whole', async () => {
      const table = { DatabaseName: await catalog.database(), TableName: 'nothing' }
      const answers = [create(table, days(1)), get(table, days(1)), update(table, [['0', '0']])]
      for (const [n, answer] of (await Promise.allSettled(answers)).entries()) {
        const reason = refusal('EntityNotFoundException')
        expect(answer, `call ${n}`).toMatchObject({ status: 'rejected', reason })
      }
    })

    const limits = [
      ['make', 100, create],
      ['get', 1000, get],
      ['remove', 25, remove],
      [
        'update',
        100,
        (table: TableName, values: string[][]) =>
          update(
            table,
            values.map(([day = '']) => [day, day] as const),
          ),
      ],
    ] as const
    for (const [verb, limit, call] of limits) {
      it(`${verb} ${limit} and no more`, async () => {
        const table = await catalog.partitionedTable(keys, verb === 'make' ? [] : days(limit))
        const { Errors } = { Errors: [], ...(await call(table, days(limit))) }
        expect(Errors ?? []).toEqual([])
        await expect(call(table, days(limit + 1))).rejects.toMatchObject(refusal('ValidationException'))
      })
    }
  })
}
