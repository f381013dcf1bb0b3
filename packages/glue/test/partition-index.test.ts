import { expect, test } from 'vitest'
import { ensurePartitionIndexes } from '../src/index.ts'
import { fakeGlue, serviceException } from './fake-glue.ts'
import { boundTrades } from './market-tables.ts'
import { virtualRuntime } from './virtual-runtime.ts'

interface FakeIndex {
  name: string
  keys: string[]
  statuses: string[]
  code?: string
}

/** A table whose indexes go through their statuses as they are asked for; one that is through DELETING is gone. */
const indexedTable = (
  initial: readonly FakeIndex[],
  made: (name: string, call: number) => string[] = () => ['CREATING', 'ACTIVE'],
) => {
  let parameters: Record<string, string> = { classification: 'parquet' }
  let creations = 0
  let indexes = [...initial]
  const glue = fakeGlue(({ operation, input }) => {
    switch (operation) {
      case 'GetPartitionIndexes': {
        const PartitionIndexDescriptorList = indexes.map((index) => ({
          IndexName: index.name,
          Keys: index.keys.map((Name) => ({ Name, Type: 'string' })),
          IndexStatus: index.statuses.length > 1 ? index.statuses.shift() : index.statuses[0],
          ...(index.code
            ? { BackfillErrors: [{ Code: index.code, Partitions: [{ Values: ['x', 'y'] }] }] }
            : {}),
        }))
        indexes = indexes.filter(({ statuses }) => statuses[0] !== 'GONE')
        return { PartitionIndexDescriptorList }
      }
      case 'CreatePartitionIndex': {
        const { IndexName, Keys } = input.PartitionIndex
        if (indexes.some(({ statuses }) => statuses[0] === 'CREATING'))
          throw serviceException('InvalidInputException')
        indexes.push({ name: IndexName, keys: Keys, statuses: made(IndexName, ++creations) })
        return {}
      }
      case 'DeletePartitionIndex': {
        const index = indexes.find(({ name }) => name === input.IndexName)!
        index.statuses = ['DELETING', 'GONE']
        return {}
      }
      case 'GetTable':
        return { Table: { Name: 'trades', VersionId: '7', Parameters: parameters } }
      case 'UpdateTable':
        parameters = input.TableInput.Parameters
        return {}
      default:
        throw serviceException('UnknownOperationException')
    }
  })
  return { ...glue, parameters: () => parameters }
}
const byDay = { name: 'by_day', keys: ['trade_date', 'ticker'] } as const
const ensure = (
  client: ReturnType<typeof indexedTable>['client'],
  more: Partial<Parameters<typeof ensurePartitionIndexes>[0]> = {},
) =>
  ensurePartitionIndexes({
    client,
    table: boundTrades,
    runtime: virtualRuntime(),
    indexes: [byDay],
    ...more,
  } as never)

test('indexes are made one after the other, waited for, and Athena is told to use them', async () => {
  const { client, sent, parameters } = indexedTable([])
  const two = { indexes: [byDay, { name: 'by_ticker', keys: ['ticker'] }] }
  expect(await ensure(client, two)).toEqual({
    created: ['by_day', 'by_ticker'],
    unchanged: [],
    filteringSet: true,
  })
  expect(parameters()).toEqual({ classification: 'parquet', 'partition_filtering.enabled': 'true' })
  expect(sent.find(({ operation }) => operation === 'UpdateTable')?.input.VersionId).toBe('7')
  expect(await ensure(client, two)).toEqual({
    created: [],
    unchanged: ['by_day', 'by_ticker'],
    filteringSet: false,
  })
})

test('an index that fails tells what Glue could not put into it', async () => {
  const { client } = indexedTable([
    {
      name: 'by_day',
      keys: ['trade_date', 'ticker'],
      statuses: ['FAILED'],
      code: 'MISSING_PARTITION_VALUE_ERROR',
    },
  ])
  await expect(ensure(client)).rejects.toMatchObject({
    code: 'PARTITION_INDEX_FAILED',
    index: 'by_day',
    backfillErrors: [{ code: 'MISSING_PARTITION_VALUE_ERROR', partitions: [['x', 'y']] }],
    message: expect.stringMatching(
      /MISSING_PARTITION_VALUE_ERROR for 1 partitions; mend or delete those partitions/,
    ),
  })
})

test('an index with other keys is an error, or deleted, waited for and made again', async () => {
  const other = () => indexedTable([{ name: 'by_day', keys: ['ticker'], statuses: ['ACTIVE'] }])
  await expect(ensure(other().client)).rejects.toMatchObject({ code: 'PARTITION_INDEX_DIFFERS' })
  const { client, sent } = other()
  const statuses: string[] = []
  expect(
    await ensure(client, { replace: true, onProgress: ({ status }) => statuses.push(status) }),
  ).toMatchObject({ created: ['by_day'] })
  expect(statuses).toEqual(['ACTIVE', 'DELETING', 'ABSENT', 'CREATING', 'ACTIVE'])
  expect(sent.map(({ operation }) => operation)).toContain('DeletePartitionIndex')
})

test('an index that fails when made again is an error, not an endless round', async () => {
  const { client, sent } = indexedTable([{ name: 'by_day', keys: ['ticker'], statuses: ['ACTIVE'] }], () => [
    'CREATING',
    'FAILED',
  ])
  await expect(ensure(client, { replace: true })).rejects.toMatchObject({ code: 'PARTITION_INDEX_FAILED' })
  expect(sent.filter(({ operation }) => operation === 'CreatePartitionIndex')).toHaveLength(1)
})

test('an index that is not ACTIVE in time is an error to be asked about again', async () => {
  const { client } = indexedTable([], () => ['CREATING'])
  await expect(ensure(client, { timeoutMillis: 60_000 })).rejects.toMatchObject({
    code: 'PARTITION_INDEX_NOT_ACTIVE',
    retryable: true,
  })
})

test('what Glue would refuse is refused before anything is made', async () => {
  const three = ['a', 'b', 'c'].map((name) => ({ name, keys: ['ticker'], statuses: ['ACTIVE'] }))
  const { client, sent } = indexedTable(three)
  await expect(ensure(client)).rejects.toThrow(/would have 4 partition indexes \(a, b, c, by_day\)/)
  const bad = (indexes: object) => expect(ensure(client, { indexes } as never)).rejects
  await bad([{ name: 'x', keys: [] }]).toThrow(/cannot have the index x over \[\]/)
  await bad([{ name: 'x', keys: ['venue'] }]).toThrow(/out of trade_date, ticker/)
  await bad([{ name: 'x', keys: ['ticker', 'ticker'] }]).toThrow(/each of its keys once/)
  await bad([byDay, { ...byDay, name: 'again' }]).toThrow(/two indexes with the same keys/)
  expect(new Set(sent.map(({ operation }) => operation))).toEqual(new Set(['GetPartitionIndexes']))
})
