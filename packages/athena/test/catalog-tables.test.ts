import { expect, test } from 'vitest'
import { createAthena } from '../src/index.ts'
import { fakeAthena } from './fake-athena.ts'

const all = async <Item>(items: AsyncIterable<Item>): Promise<Item[]> => {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

test('databases and tables are read to their last page', async () => {
  const { client, sent } = fakeAthena(({ operation, input }) => {
    const last = input.NextToken === 'second'
    const page = last ? {} : { NextToken: 'second' }
    if (operation === 'ListDatabases') return { DatabaseList: [{ Name: last ? 'b' : 'a' }], ...page }
    return {
      TableMetadataList: [
        {
          Name: last ? 'quotes' : 'trades',
          TableType: 'EXTERNAL_TABLE',
          Columns: [{ Name: 'price', Type: 'decimal(18,4)', Comment: 'in dollars' }],
          ...(last ? {} : { PartitionKeys: [{ Name: 'trade_date', Type: 'string' }] }),
        },
      ],
      ...page,
    }
  })
  const athena = createAthena({ client, database: 'market', catalog: 'lake' })
  expect(await all(athena.databases())).toEqual(['a', 'b'])
  const price = { name: 'price', type: 'decimal(18,4)', comment: 'in dollars' }
  const table = { database: 'market', type: 'EXTERNAL_TABLE', columns: [price] }
  expect(await all(athena.tables())).toEqual([
    { ...table, name: 'trades', partitionKeys: [{ name: 'trade_date', type: 'string', comment: undefined }] },
    { ...table, name: 'quotes', partitionKeys: [] },
  ])
  expect(sent.map(({ input }) => input)).toEqual([
    { CatalogName: 'lake' },
    { CatalogName: 'lake', NextToken: 'second' },
    { CatalogName: 'lake', DatabaseName: 'market' },
    { CatalogName: 'lake', DatabaseName: 'market', NextToken: 'second' },
  ])
})
