import {
  type ColumnStatistics,
  DeleteColumnStatisticsForPartitionCommand,
  DeleteColumnStatisticsForTableCommand,
  DeletePartitionCommand,
  GetColumnStatisticsForPartitionCommand,
  GetColumnStatisticsForTableCommand,
  UpdateColumnStatisticsForPartitionCommand,
  UpdateColumnStatisticsForTableCommand,
} from '@aws-sdk/client-glue'
import { expect } from 'vitest'
import { type CaseCatalog, refusal } from './case-catalog.ts'

const AnalyzedTime = new Date('2024-03-08T12:00:00Z')
const counts = { NumberOfNulls: 0, NumberOfDistinctValues: 3 }
const unscaled = (value: number) => ({ UnscaledValue: Uint8Array.of(value), Scale: 4 })

const statistics: readonly ColumnStatistics[] = [
  {
    ColumnName: 'price',
    ColumnType: 'decimal(18,4)',
    AnalyzedTime,
    StatisticsData: {
      Type: 'DECIMAL',
      DecimalColumnStatisticsData: { MinimumValue: unscaled(1), MaximumValue: unscaled(9), ...counts },
    },
  },
  {
    ColumnName: 'size',
    ColumnType: 'bigint',
    AnalyzedTime,
    StatisticsData: {
      Type: 'LONG',
      LongColumnStatisticsData: { MinimumValue: -1, MaximumValue: 2 ** 53 - 1, ...counts },
    },
  },
]

export const describeColumnStatistics = (catalog: CaseCatalog): void => {
  catalog.concept('column statistics', (it) => {
    it('of a table are kept and given back', async () => {
      const table = await catalog.table()
      const { Errors } = await catalog.client.send(
        new UpdateColumnStatisticsForTableCommand({ ...table, ColumnStatisticsList: [...statistics] }),
      )
      expect(Errors ?? []).toEqual([])
      const ColumnNames = ['price', 'size', 'nothing']
      const found = await catalog.client.send(
        new GetColumnStatisticsForTableCommand({ ...table, ColumnNames }),
      )
      expect(found.ColumnStatisticsList).toEqual(statistics)
      expect(found.Errors).toMatchObject([
        { ColumnName: 'nothing', Error: { ErrorCode: 'EntityNotFoundException' } },
      ])
    })

    it('of a table are replaced column by column, and removed', async () => {
      const table = await catalog.table()
      const update = (ColumnStatisticsList: ColumnStatistics[]) =>
        catalog.client.send(new UpdateColumnStatisticsForTableCommand({ ...table, ColumnStatisticsList }))
      await update([...statistics])
      const size = statistics[1] as ColumnStatistics
      await update([{ ...size, AnalyzedTime: new Date(0) }])
      const remove = () =>
        catalog.client.send(new DeleteColumnStatisticsForTableCommand({ ...table, ColumnName: 'price' }))
      await remove()
      const found = await catalog.client.send(
        new GetColumnStatisticsForTableCommand({ ...table, ColumnNames: ['price', 'size'] }),
      )
      expect(found.ColumnStatisticsList).toEqual([{ ...size, AnalyzedTime: new Date(0) }])
      expect(found.Errors).toMatchObject([{ ColumnName: 'price' }])
      // As clients rely on: what is not there is removed as well.
      await remove()
    })

    it('of a partition are its own, and go with it', async () => {
      const table = await catalog.partitionedTable([{ Name: 'dt', Type: 'string' }], [['1'], ['2']])
      const ColumnNames = ['price', 'size']
      const get = (PartitionValues: string[]) =>
        catalog.client.send(
          new GetColumnStatisticsForPartitionCommand({ ...table, PartitionValues, ColumnNames }),
        )
      const ofFirst = { ...table, PartitionValues: ['1'] }
      await catalog.client.send(
        new UpdateColumnStatisticsForPartitionCommand({ ...ofFirst, ColumnStatisticsList: [...statistics] }),
      )
      expect((await get(['1'])).ColumnStatisticsList).toEqual(statistics)
      expect((await get(['2'])).ColumnStatisticsList).toEqual([])
      await catalog.client.send(
        new DeleteColumnStatisticsForPartitionCommand({ ...ofFirst, ColumnName: 'size' }),
      )
      expect((await get(['1'])).ColumnStatisticsList).toEqual([statistics[0]])
      await catalog.client.send(new DeletePartitionCommand(ofFirst))
      await expect(get(['1'])).rejects.toMatchObject(refusal('EntityNotFoundException'))
    })

    it('of a column that is not there are told of, and the others kept', async () => {
      const table = await catalog.table()
      const price = statistics[0] as ColumnStatistics
      const { Errors } = await catalog.client.send(
        new UpdateColumnStatisticsForTableCommand({
          ...table,
          ColumnStatisticsList: [{ ...price, ColumnName: 'nothing' }, price],
        }),
      )
      expect(Errors).toMatchObject([
        { ColumnStatistics: { ColumnName: 'nothing' }, Error: { ErrorCode: 'EntityNotFoundException' } },
      ])
      const found = await catalog.client.send(
        new GetColumnStatisticsForTableCommand({ ...table, ColumnNames: ['price'] }),
      )
      expect(found.ColumnStatisticsList).toEqual([price])
    })

    it('are of 25 columns at most in one call', async () => {
      const table = await catalog.table()
      const ColumnStatisticsList = Array.from({ length: 26 }, () => statistics[0] as ColumnStatistics)
      const update = new UpdateColumnStatisticsForTableCommand({ ...table, ColumnStatisticsList })
      await expect(catalog.client.send(update)).rejects.toMatchObject(refusal('ValidationException'))
    })
  })
}
