import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Catalog } from '../../src/glue/catalog.ts'
import { InputMembers } from '../../src/glue/input-members.ts'
import { partitionIndexOperations } from '../../src/glue/partition-index-operations.ts'

let directory: string
let catalog: Catalog
let now = 1_700_000_000_000
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'partition-index-'))
  catalog = new Catalog(directory, { nowMillis: () => now })
  catalog.createDatabase({ Name: 'market' })
  const PartitionKeys = [
    { Name: 'Year', Type: 'int' },
    { Name: 'day', Type: 'date' },
  ]
  catalog.createTable('market', { Name: 'bars', PartitionKeys })
})
afterEach(async () => {
  catalog.close()
  await rm(directory, { recursive: true })
})

const call = (operation: string, input: Record<string, unknown> = {}) => {
  const members = { DatabaseName: 'market', TableName: 'bars', ...input }
  return partitionIndexOperations(catalog)[operation]?.(new InputMembers(members, 'ValidationException'))
}
const create = (...Keys: string[]) =>
  call('CreatePartitionIndex', { PartitionIndex: { IndexName: 'ByKey', Keys } })
const remove = () => call('DeletePartitionIndex', { IndexName: 'ByKey' })
const status = () => {
  const list = call('GetPartitionIndexes')?.['PartitionIndexDescriptorList'] as { IndexStatus: string }[]
  return list.map(({ IndexStatus }) => IndexStatus)
}
const failure = (name: string) => expect.objectContaining({ name })

it('an index goes from CREATING to ACTIVE, and over DELETING away', () => {
  create('year')
  expect(status()).toEqual(['CREATING'])
  expect(remove).toThrowError(failure('ConflictException'))
  now += 200
  expect(status()).toEqual(['ACTIVE'])
  remove()
  expect(status()).toEqual(['DELETING'])
  expect(remove).toThrowError(failure('ConflictException'))
  expect(() => create('day')).toThrowError(failure('AlreadyExistsException'))
  now += 200
  expect(status()).toEqual([])
  create('day')
  expect(status()).toEqual(['CREATING'])
})

it('an index of days takes days only, and a FAILED one keeps nothing out', () => {
  create('day')
  now += 200
  const add = (...Values: string[]) => catalog.createPartitions('market', 'bars', [{ Values }])
  expect(add('2024', '2024-03-08')).toEqual([])
  expect(add('2024', '8 March')).toMatchObject([{ error: { name: 'InvalidInputException' } }])
  remove()
  expect(add('2024', '8 March')).toEqual([])
  now += 200
  create('day')
  now += 200
  expect(status()).toEqual(['FAILED'])
  expect(add('2024', '9 March')).toEqual([])
})

it('a key in an index keeps its name and type', () => {
  create('year')
  const update = (...PartitionKeys: { Name: string; Type: string }[]) =>
    catalog.updateTable('market', { Name: 'bars', PartitionKeys })
  const year = { Name: 'year', Type: 'int' }
  expect(() => update({ ...year, Type: 'string' })).toThrowError(failure('InvalidInputException'))
  expect(() => update({ Name: 'day', Type: 'date' })).toThrowError(failure('InvalidInputException'))
  expect(update(year, { Name: 'day', Type: 'string' }).VersionId).toBe('1')
})
