import {
  DeletePartitionCommand,
  GetPartitionsCommand,
  type GetPartitionsCommandInput,
  paginateGetPartitions,
} from '@aws-sdk/client-glue'
import { expect } from 'vitest'
import { type CaseCatalog, refusal, type TableName } from './case-catalog.ts'

const keys = [{ Name: 'day', Type: 'int' }]
const days = Array.from({ length: 250 }, (_, day) => [String(day)])

export const describePartitionListing = (catalog: CaseCatalog): void => {
  catalog.concept('partition listing', (it) => {
    const list = (table: TableName, options: Partial<GetPartitionsCommandInput> = {}) =>
      catalog.client.send(new GetPartitionsCommand({ ...table, ...options }))
    /** The days of all pages, and how large each page was. */
    const pages = async (
      table: TableName,
      options: Partial<GetPartitionsCommandInput> = {},
      afterFirst: () => Promise<unknown> = async () => undefined,
    ) => {
      const sizes: number[] = []
      const found: number[] = []
      for await (const { Partitions = [] } of paginateGetPartitions(
        { client: catalog.client, pageSize: options.MaxResults ?? 1000 },
        { ...table, ...options },
      )) {
        sizes.push(Partitions.length)
        found.push(...Partitions.map(({ Values }) => Number(Values?.[0])))
        if (sizes.length === 1) await afterFirst()
      }
      return { sizes, found }
    }
    const sorted = (numbers: readonly number[]) => [...numbers].sort((left, right) => left - right)

    it('gives each partition once', async () => {
      const { found } = await pages(await catalog.partitionedTable(keys, days))
      expect(sorted(found)).toEqual(days.map(Number))
    })

    it('is by pages no longer than asked for', async () => {
      const { sizes, found } = await pages(await catalog.partitionedTable(keys, days), { MaxResults: 40 })
      expect(Math.max(...sizes)).toBeLessThanOrEqual(40)
      expect(sorted(found)).toEqual(days.map(Number))
    })

    it('by pages of an expression gives all that it holds for', async () => {
      const table = await catalog.partitionedTable(keys, days)
      const { found } = await pages(table, { MaxResults: 7, Expression: 'day >= 200' })
      expect(sorted(found)).toEqual(Array.from({ length: 50 }, (_, n) => 200 + n))
    })

    it('by pages is not upset by partitions removed meanwhile', async () => {
      const table = await catalog.partitionedTable(keys, days)
      const removed = days.slice(0, 20)
      const { found } = await pages(table, { MaxResults: 30 }, () =>
        Promise.all(
          removed.map((PartitionValues) =>
            catalog.client.send(new DeletePartitionCommand({ ...table, PartitionValues })),
          ),
        ),
      )
      expect(new Set(found).size).toBe(found.length)
      expect(found).toEqual(expect.arrayContaining(days.slice(20).map(Number)))
    })

    it('by segments gives each partition once, in segments that are not alike', async () => {
      const table = await catalog.partitionedTable(keys, days)
      const found: number[] = []
      for (let SegmentNumber = 0; SegmentNumber < 10; SegmentNumber += 1) {
        const segment = await pages(table, { MaxResults: 9, Segment: { SegmentNumber, TotalSegments: 10 } })
        expect(segment.found.length).toBeLessThan(250)
        found.push(...segment.found)
      }
      expect(sorted(found)).toEqual(days.map(Number))
    })

    it('leaves columns out where they are not asked for', async () => {
      const table = await catalog.partitionedTable(keys, [['1']])
      const { Partitions } = await list(table, { ExcludeColumnSchema: true })
      expect(Partitions?.[0]?.StorageDescriptor?.Columns ?? []).toEqual([])
      expect(Partitions?.[0]?.StorageDescriptor?.Location).toBe('s3://lake/trades/1/')
    })

    it('refuses pages, segments and expressions beyond their limits', async () => {
      const table = await catalog.partitionedTable(keys, [['1']])
      const refused: Partial<GetPartitionsCommandInput>[] = [
        { MaxResults: 1001 },
        { MaxResults: 0 },
        { Segment: { SegmentNumber: 0, TotalSegments: 11 } },
        { Segment: { SegmentNumber: -1, TotalSegments: 2 } },
        { Expression: `day = 1${' '.repeat(2048)}` },
      ]
      for (const options of refused) {
        await expect(list(table, options), JSON.stringify(options)).rejects.toMatchObject(
          refusal('ValidationException'),
        )
      }
      await expect(list(table, { Segment: { SegmentNumber: 2, TotalSegments: 2 } })).rejects.toMatchObject(
        refusal('InvalidInputException'),
      )
    })

    it('refuses a token that is none', async () => {
      const table = await catalog.partitionedTable(keys, [['1']])
      await expect(list(table, { NextToken: 'made up' })).rejects.toMatchObject(
        refusal('InvalidInputException'),
      )
    })
  })
}
