import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
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
    await expect(glue.handle('CreateJob', {})).rejects.toEqual(
      failsAs('UnsupportedOperationException', /glue:CreateJob/),
    )
    await expect(glue.handle('toString', {})).rejects.toEqual(failsAs('UnsupportedOperationException'))
    const input = { DatabaseName: 'market', TableInput: { Name: 'x' }, PartitionIndexes: [] }
    await expect(glue.handle('CreateTable', input)).rejects.toEqual(
      failsAs('UnsupportedOperationException', /PartitionIndexes/),
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
})
