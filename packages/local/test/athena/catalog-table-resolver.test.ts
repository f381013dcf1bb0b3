import { describe, expect, it } from 'vitest'
import { descriptor, ResolverLake } from './resolver-lake.ts'

const lake = new ResolverLake()

describe('table resolver', () => {
  it('knows no table that the catalog does not have', async () => {
    expect(await lake.resolve()).toBeUndefined()
  })

  it('lists an unpartitioned table with its subfolders, without hidden files, neighbours and folder markers', async () => {
    lake.createTable([])
    for (const key of ['bars/a.parquet', 'bars/x/b.parquet', 'bars/_SUCCESS', 'bars/.tmp/c', 'bars2/d'])
      await lake.put(key)
    await lake.storage.writeObject('lake', 'bars/x_$folder$', Buffer.alloc(0))
    expect(await lake.files()).toEqual([['s3://lake/bars/a.parquet'], ['s3://lake/bars/x/b.parquet']])
    expect(await lake.resolve()).toMatchObject({
      columns: [{ name: 'price', type: 'double' }],
      partitionKeys: [],
    })
  })

  it('lists registered partitions where they lie, and only those the query keeps', async () => {
    lake.createTable([['dt', 'string']])
    await lake.put('elsewhere/1/a.parquet')
    await lake.put('bars/dt=2/b.parquet')
    await lake.put('bars/dt=unregistered/c.parquet')
    lake.catalog.createPartitions('market', 'bars', [
      { Values: ['a b+c%'], StorageDescriptor: descriptor('s3://lake/elsewhere/1') },
      { Values: ['__HIVE_DEFAULT_PARTITION__'], StorageDescriptor: descriptor('s3://lake/bars/dt=2/') },
    ])
    expect(await lake.files()).toEqual([
      ['s3://lake/bars/dt=2/b.parquet', null],
      ['s3://lake/elsewhere/1/a.parquet', 'a b+c%'],
    ])
    lake.storage.listed.length = 0
    expect(await lake.files(([dt]) => dt === 'a b+c%')).toHaveLength(1)
    expect(lake.storage.listed).toEqual(['elsewhere/1/'])
  })

  it('finds many partitions by one listing', async () => {
    lake.createTable([['dt', 'string']])
    const days = Array.from({ length: 100 }, (_, at) => `d${at}`)
    for (const day of days) await lake.put(`bars/dt=${day}/a.parquet`)
    lake.catalog.createPartitions(
      'market',
      'bars',
      days.map((day) => ({ Values: [day], StorageDescriptor: descriptor(`s3://lake/bars/dt=${day}/`) })),
    )
    lake.storage.listed.length = 0
    const found = await lake.files(([dt]) => dt !== 'd7')
    expect(found).toHaveLength(99)
    for (const [uri, dt] of found ?? []) expect(uri).toBe(`s3://lake/bars/dt=${dt}/a.parquet`)
    expect(lake.storage.listed).toEqual(['bars/'])
  })

  it('finds many partitions of which one lies in a folder without a name', async () => {
    lake.createTable([['k', 'int']])
    const keys = Array.from({ length: 40 }, (_, at) => String(at))
    lake.catalog.createPartitions(
      'market',
      'bars',
      keys.map((key, at) => ({
        Values: [key],
        StorageDescriptor: descriptor(at === 0 ? 's3://lake//first/' : `s3://lake/k=${key}/`),
      })),
    )
    for (const key of keys.slice(1)) await lake.put(`k=${key}/a.parquet`)
    expect(await lake.files()).toHaveLength(39)
  })

  it("refuses a partition whose own column cannot become the table's, and accepts one that widens", async () => {
    lake.createTable([['dt', 'string']])
    const add = (value: string, type: string) =>
      lake.catalog.createPartitions('market', 'bars', [
        { Values: [value], StorageDescriptor: descriptor('s3://lake/bars/', type) },
      ])
    add('1', 'float')
    expect(await lake.files()).toEqual([])
    add('2', 'string')
    await expect(lake.files()).rejects.toThrowError(
      /column 'Price' in table 'market.bars' is declared as type 'double', but partition 'dt=2' declared column 'Price' as type 'string'/,
    )
  })

  it.each([
    [{ TableType: 'VIRTUAL_VIEW' }, /market.bars is a view/],
    [{ Parameters: { table_type: 'ICEBERG' } }, /Iceberg/],
    [{ StorageDescriptor: { Location: 's3://lake/x' } }, /Unable to create input format/],
    [
      {
        StorageDescriptor: {
          InputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
          SerdeInfo: { SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe' },
        },
      },
      /SerDe 'org.openx.data.jsonserde.JsonSerDe'/,
    ],
    [
      { StorageDescriptor: descriptor('s3://lake/x'), PartitionKeys: [{ Name: 'price', Type: 'string' }] },
      /duplicate columns: 'price'/,
    ],
  ])('refuses what it cannot read (%#)', async (definition, message) => {
    lake.catalog.createTable('market', { Name: 'bars', ...definition })
    await expect(lake.resolve()).rejects.toMatchObject({
      name: 'QueryError',
      message: expect.stringMatching(message),
    })
  })
})
