import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createGlueService, type GlueService } from '../../src/glue/glue-service.ts'
import { FolderStorage } from './folder-storage.ts'

let directory: string
let glue: GlueService
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'glue-'))
  glue = await createGlueService({ dataDirectory: directory, storage: new FolderStorage(directory) })
  await glue.handle('CreateDatabase', { DatabaseInput: { Name: 'Market' } })
})
afterEach(async () => {
  await glue.close()
  await rm(directory, { recursive: true })
})

const table = { DatabaseName: 'market', TableName: 'bars' }
const year = (value: number) => ({ Values: [String(value), 'A'] })
const createBars = () =>
  glue.handle('CreateTable', {
    DatabaseName: 'MARKET',
    TableInput: {
      Name: 'BARS',
      StorageDescriptor: { Columns: [{ Name: 'price', Type: 'double' }], Location: 's3://lake/bars' },
      PartitionKeys: [
        { Name: 'year', Type: 'int' },
        { Name: 'ticker', Type: 'string' },
      ],
    },
  })
const failsAs = (name: string, message?: RegExp) =>
  expect.objectContaining({ name, message: expect.stringMatching(message ?? /./) })

describe('Glue databases and tables', () => {
  it('fold names to lower case and are found under any', async () => {
    await createBars()
    const { Table } = await glue.handle('GetTable', { DatabaseName: 'Market', Name: 'Bars' })
    expect(Table).toMatchObject({ Name: 'bars', DatabaseName: 'market', VersionId: '0' })
  })

  it('answer what is missing or there already in the errors of Glue', async () => {
    await createBars()
    await expect(createBars()).rejects.toEqual(failsAs('AlreadyExistsException', /Table already exists/))
    await expect(glue.handle('GetTable', { DatabaseName: 'market', Name: 'x' })).rejects.toEqual(
      failsAs('EntityNotFoundException', /Table x not found/),
    )
    await expect(glue.handle('GetTable', { DatabaseName: 'no', Name: 'x' })).rejects.toEqual(
      failsAs('EntityNotFoundException', /Database no not found/),
    )
    await expect(glue.handle('CreateDatabase', { DatabaseInput: { Name: 'market' } })).rejects.toEqual(
      failsAs('AlreadyExistsException'),
    )
  })

  it('refuse what is too long or missing as ValidationException', async () => {
    const tooLong = { DatabaseInput: { Name: 'x'.repeat(256) } }
    await expect(glue.handle('CreateDatabase', tooLong)).rejects.toEqual(
      failsAs('ValidationException', /at 'databaseInput.name' .* less than or equal to 255/),
    )
    await expect(glue.handle('CreateDatabase', {})).rejects.toEqual(
      failsAs('ValidationException', /'databaseInput' .* must not be null/),
    )
  })

  it('are paged and filtered by an expression', async () => {
    for (const Name of ['a1', 'a2', 'a3', 'b1']) {
      await glue.handle('CreateTable', { DatabaseName: 'market', TableInput: { Name } })
    }
    const names: string[] = []
    let NextToken: unknown
    do {
      const page = await glue.handle('GetTables', {
        DatabaseName: 'market',
        Expression: 'a*',
        MaxResults: 2,
        NextToken,
      })
      names.push(...(page['TableList'] as { Name: string }[]).map((one) => one.Name))
      NextToken = page['NextToken']
    } while (NextToken !== undefined)
    expect(names).toEqual(['a1', 'a2', 'a3'])
  })

  it('name an operation or member the local stack does not have', async () => {
    await expect(glue.handle('CreateTrigger', {})).rejects.toEqual(
      failsAs('UnsupportedOperationException', /glue:CreateTrigger/),
    )
    await expect(glue.handle('toString', {})).rejects.toEqual(failsAs('UnsupportedOperationException'))
    const input = { DatabaseName: 'market', TableInput: { Name: 'x' }, OpenTableFormatInput: {} }
    await expect(glue.handle('CreateTable', input)).rejects.toEqual(
      failsAs('UnsupportedOperationException', /OpenTableFormatInput/),
    )
  })
})

describe('Glue partitions', () => {
  beforeEach(createBars)

  it('report what cannot be created item by item and create the rest', async () => {
    const answer = await glue.handle('BatchCreatePartition', {
      ...table,
      PartitionInputList: [year(2023), year(2023), { Values: ['2024'] }, year(2025)],
    })
    expect(answer['Errors']).toEqual([
      {
        PartitionValues: ['2023', 'A'],
        ErrorDetail: expect.objectContaining({ ErrorCode: 'AlreadyExistsException' }),
      },
      {
        PartitionValues: ['2024'],
        ErrorDetail: expect.objectContaining({ ErrorCode: 'InvalidInputException' }),
      },
    ])
    expect(glue.catalog.listPartitions('market', 'bars').map((one) => one.Values[0])).toEqual([
      '2023',
      '2025',
    ])
  })

  it.each([
    ['BatchCreatePartition', 'PartitionInputList', 100],
    ['BatchDeletePartition', 'PartitionsToDelete', 25],
    ['BatchGetPartition', 'PartitionsToGet', 1000],
  ])('%s takes %s up to %i and no more', async (operation, member, limit) => {
    const items = (count: number) => Array.from({ length: count }, (_, at) => year(at))
    await glue.handle(operation, { ...table, [member]: items(limit) })
    await expect(glue.handle(operation, { ...table, [member]: items(limit + 1) })).rejects.toEqual(
      failsAs('ValidationException', new RegExp(`length less than or equal to ${limit}$`)),
    )
  })

  it('are listed once each over pages and segments', async () => {
    for (let start = 0; start < 500; start += 100) {
      const PartitionInputList = Array.from({ length: 100 }, (_, at) => year(start + at))
      await glue.handle('BatchCreatePartition', { ...table, PartitionInputList })
    }
    const seen: string[] = []
    for (let SegmentNumber = 0; SegmentNumber < 4; SegmentNumber += 1) {
      let NextToken: unknown
      do {
        const Segment = { SegmentNumber, TotalSegments: 4 }
        const page = await glue.handle('GetPartitions', { ...table, Segment, MaxResults: 37, NextToken })
        seen.push(...(page['Partitions'] as { Values: string[] }[]).map((one) => one.Values[0] as string))
        NextToken = page['NextToken']
      } while (NextToken !== undefined)
    }
    expect(seen).toHaveLength(500)
    expect(new Set(seen).size).toBe(500)
  })

  it('can be filtered and given without their columns', async () => {
    const PartitionInputList = [year(2023), year(2024)].map((one) => ({
      ...one,
      StorageDescriptor: { Columns: [{ Name: 'price', Type: 'double' }], Location: 's3://lake/x' },
    }))
    await glue.handle('BatchCreatePartition', { ...table, PartitionInputList })
    const request = { ...table, Expression: 'year > 2023', ExcludeColumnSchema: true }
    const { Partitions } = await glue.handle('GetPartitions', request)
    expect(Partitions).toEqual([
      expect.objectContaining({ Values: ['2024', 'A'], StorageDescriptor: { Location: 's3://lake/x' } }),
    ])
  })

  it('can be renamed, and deleted with per-item errors', async () => {
    await glue.handle('CreatePartition', { ...table, PartitionInput: year(2023) })
    const Entries = [
      { PartitionValueList: ['2023', 'A'], PartitionInput: year(2020) },
      { PartitionValueList: ['1999', 'A'], PartitionInput: year(1999) },
    ]
    const updated = await glue.handle('BatchUpdatePartition', { ...table, Entries })
    expect(updated['Errors']).toEqual([
      {
        PartitionValueList: ['1999', 'A'],
        ErrorDetail: expect.objectContaining({ ErrorCode: 'EntityNotFoundException' }),
      },
    ])
    const deleted = await glue.handle('BatchDeletePartition', {
      ...table,
      PartitionsToDelete: [year(2020), year(2023)],
    })
    expect(deleted['Errors']).toEqual([expect.objectContaining({ PartitionValues: ['2023', 'A'] })])
    await expect(glue.handle('GetPartition', { ...table, PartitionValues: ['2020', 'A'] })).rejects.toEqual(
      failsAs('EntityNotFoundException', /Cannot find partition/),
    )
  })

  it('that are too much for one answer are left as UnprocessedKeys, to be asked for again', async () => {
    const Columns = Array.from({ length: 500 }, (_, at) => ({ Name: `column_${at}`, Type: 'decimal(18,4)' }))
    for (let start = 0; start < 300; start += 100) {
      const PartitionInputList = Array.from({ length: 100 }, (_, at) => ({
        ...year(start + at),
        StorageDescriptor: { Columns },
      }))
      await glue.handle('BatchCreatePartition', { ...table, PartitionInputList })
    }
    let PartitionsToGet: unknown = Array.from({ length: 300 }, (_, at) => year(at))
    const found: string[][] = []
    const sizes: number[] = []
    while ((PartitionsToGet as unknown[]).length > 0) {
      const answer = await glue.handle('BatchGetPartition', { ...table, PartitionsToGet })
      const partitions = answer['Partitions'] as { Values: string[] }[]
      found.push(...partitions.map(({ Values }) => Values))
      sizes.push(JSON.stringify(answer).length)
      PartitionsToGet = answer['UnprocessedKeys']
    }
    expect(found).toEqual(Array.from({ length: 300 }, (_, at) => [String(at), 'A']))
    expect(sizes.length).toBeGreaterThan(1)
    expect(Math.max(...sizes)).toBeLessThan(4_200_000)
  })

  it('of a key whose type is not compared are not filtered by it', async () => {
    const TableInput = { Name: 'ratios', PartitionKeys: [{ Name: 'ratio', Type: 'double' }] }
    await glue.handle('CreateTable', { DatabaseName: 'market', TableInput })
    const request = { DatabaseName: 'market', TableName: 'ratios', Expression: 'ratio > 1' }
    await expect(glue.handle('GetPartitions', request)).rejects.toEqual(
      failsAs('InvalidInputException', /the type double, which is not compared/),
    )
  })
})

describe('Glue as a whole', () => {
  const statistics = (ColumnName: string) => ({
    ColumnName,
    ColumnType: 'double',
    AnalyzedTime: 1_709_900_000,
    StatisticsData: {
      Type: 'DOUBLE',
      DoubleColumnStatisticsData: {
        MinimumValue: 0.5,
        MaximumValue: 1e300,
        NumberOfNulls: 0,
        NumberOfDistinctValues: 2,
      },
    },
  })
  const ResourceArn = 'arn:aws:glue:us-east-1:000000000000:database/market'

  /** Everything the catalog keeps, as its operations tell it. */
  async function told() {
    const calls: (readonly [string, Record<string, unknown>])[] = [
      ['GetDatabases', {}],
      ['GetTables', { DatabaseName: 'market' }],
      ['GetTableVersions', table],
      ['GetPartitions', table],
      ['GetPartitionIndexes', table],
      ['GetColumnStatisticsForTable', { ...table, ColumnNames: ['price'] }],
      ['GetColumnStatisticsForPartition', { ...table, ...ofPartition, ColumnNames: ['price'] }],
      ['GetUserDefinedFunctions', { DatabaseName: 'market', Pattern: '*' }],
      ['GetTags', { ResourceArn }],
    ]
    const answers: unknown[] = []
    for (const [operation, input] of calls) answers.push(await glue.handle(operation, input))
    return answers
  }
  const ofPartition = { PartitionValues: ['2024', 'A'] }

  async function fill() {
    await createBars()
    await glue.handle('BatchCreatePartition', { ...table, PartitionInputList: [year(2023), year(2024)] })
    const TableInput = glue.catalog.requireTable('market', 'bars')
    for (const Description of ['one', 'two', 'three']) {
      const { Name, StorageDescriptor, PartitionKeys } = TableInput
      const input = { Name, StorageDescriptor, PartitionKeys, Description }
      await glue.handle('UpdateTable', { DatabaseName: 'market', TableInput: input })
    }
    await glue.handle('DeleteTableVersion', { ...table, VersionId: '1' })
    const PartitionIndex = { IndexName: 'by_year', Keys: ['year'] }
    await glue.handle('CreatePartitionIndex', { ...table, PartitionIndex })
    const ColumnStatisticsList = [statistics('price')]
    await glue.handle('UpdateColumnStatisticsForTable', { ...table, ColumnStatisticsList })
    await glue.handle('UpdateColumnStatisticsForPartition', {
      ...table,
      ...ofPartition,
      ColumnStatisticsList,
    })
    const FunctionInput = { FunctionName: 'VWAP', ClassName: 'com.example.Vwap' }
    await glue.handle('CreateUserDefinedFunction', { DatabaseName: 'market', FunctionInput })
    await glue.handle('TagResource', { ResourceArn, TagsToAdd: { team: 'quant' } })
    await vi.waitFor(async () => {
      const { PartitionIndexDescriptorList } = await glue.handle('GetPartitionIndexes', table)
      expect(PartitionIndexDescriptorList).toMatchObject([{ IndexStatus: 'ACTIVE' }])
    })
  }
  const reopened = () =>
    createGlueService({ dataDirectory: directory, storage: new FolderStorage(directory) })

  it('is the same after it is opened again, also once its log has been rewritten', async () => {
    await fill()
    const before = await told()
    expect(JSON.stringify(before)).toContain('1e+300')
    await glue.close()
    glue = await reopened()
    expect(await told()).toEqual(before)
    // Grows the log by more than 8 MiB, so that it is rewritten.
    const Parameters = { note: 'x'.repeat(400_000) }
    for (let at = 0; at < 30; at += 1) {
      await glue.handle('UpdateDatabase', { Name: 'market', DatabaseInput: { Name: 'market', Parameters } })
    }
    await glue.handle('UpdateDatabase', { Name: 'market', DatabaseInput: { Name: 'market' } })
    await glue.close()
    expect((await stat(join(directory, 'catalog.log'))).size).toBeLessThan(9_000_000)
    glue = await reopened()
    expect(await told()).toEqual(before)
  })

  it('refuses an integer of statistics that it could not give back', async () => {
    await createBars()
    const LongColumnStatisticsData = { MaximumValue: 2 ** 53, NumberOfNulls: 0, NumberOfDistinctValues: 1 }
    const StatisticsData = { Type: 'LONG', LongColumnStatisticsData }
    const ColumnStatisticsList = [{ ...statistics('price'), StatisticsData }]
    await expect(
      glue.handle('UpdateColumnStatisticsForTable', { ...table, ColumnStatisticsList }),
    ).rejects.toEqual(
      failsAs('UnsupportedOperationException', /longColumnStatisticsData.maximumValue is beyond/),
    )
  })

  it('keeps to the quotas of an account', async () => {
    const FunctionInput = (at: number) => ({ FunctionName: `f${at}`, ClassName: 'com.example.F' })
    for (let at = 0; at < 100; at += 1) {
      const input = { DatabaseName: 'market', FunctionInput: FunctionInput(at) }
      await glue.handle('CreateUserDefinedFunction', input)
    }
    await expect(
      glue.handle('CreateUserDefinedFunction', { DatabaseName: 'market', FunctionInput: FunctionInput(100) }),
    ).rejects.toEqual(failsAs('ResourceNumberLimitExceededException', /limit of 100/))
    for (let at = 1; at < 10_000; at += 1) {
      await glue.handle('CreateDatabase', { DatabaseInput: { Name: `d${at}` } })
    }
    await expect(glue.handle('CreateDatabase', { DatabaseInput: { Name: 'more' } })).rejects.toEqual(
      failsAs('ResourceNumberLimitExceededException', /limit of 10000/),
    )
  })

  it('forgets the tags of a crawler with it', async () => {
    const crawler = {
      Name: 'c',
      Role: 'r',
      DatabaseName: 'market',
      Targets: { S3Targets: [{ Path: 's3://x/' }] },
    }
    const tags = { ResourceArn: 'arn:aws:glue:us-east-1:000000000000:crawler/c' }
    await expect(glue.handle('GetTags', tags)).rejects.toEqual(failsAs('EntityNotFoundException'))
    await glue.handle('CreateCrawler', crawler)
    await glue.handle('TagResource', { ...tags, TagsToAdd: { a: 'b' } })
    expect(await glue.handle('GetTags', tags)).toEqual({ Tags: { a: 'b' } })
    await glue.handle('DeleteCrawler', { Name: 'c' })
    await glue.handle('CreateCrawler', crawler)
    expect(await glue.handle('GetTags', tags)).toEqual({ Tags: {} })
    const other = { ResourceArn: 'arn:aws:glue:us-east-1:000000000000:table/market/bars' }
    await expect(glue.handle('GetTags', other)).rejects.toEqual(
      failsAs('InvalidInputException', /no resource/),
    )
  })
})
