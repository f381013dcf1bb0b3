import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  createPartitions,
  deletePartitions,
  getPartitions,
  listPartitions,
  PartitionBatchError,
  type PartitionProgress,
  updatePartitions,
} from '../src/index.ts'
import type { SentCommand } from './fake-glue.ts'
import { fakePartitionCatalog } from './fake-partition-catalog.ts'
import { boundTrades } from './market-tables.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const dates = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    trade_date: new Date(Date.UTC(2020, 0, 1 + index)).toISOString().slice(0, 10),
    ticker: 'IBM',
  }))
const options = (client: ReturnType<typeof fakePartitionCatalog>['client']) => ({
  client,
  table: boundTrades,
  runtime: virtualRuntime(),
})
const create = (client: ReturnType<typeof fakePartitionCatalog>['client'], count: number) =>
  createPartitions({ ...options(client), partitions: dates(count).map((values) => ({ values })) })
const count = (sent: readonly SentCommand[], operation: string) =>
  sent.filter((one) => one.operation === operation).length
const all = async <One>(iterable: AsyncIterable<One>) => {
  const list: One[] = []
  for await (const one of iterable) list.push(one)
  return list
}

test('2,500 partitions are made, read, changed and deleted in calls of Glue’s sizes, and again without harm', async () => {
  const { client, sent, partitions } = fakePartitionCatalog()
  expect(await create(client, 2500)).toEqual({ created: 2500, unchanged: 0, mended: [], switched: [] })
  expect(await create(client, 2500)).toEqual({ created: 0, unchanged: 2500, mended: [], switched: [] })
  const progress: PartitionProgress[] = []
  const changed = dates(2500).map((values) => ({ values, parameters: { 'stockpipe.rows': '1' } }))
  await updatePartitions({ ...options(client), partitions: changed, onProgress: (one) => progress.push(one) })
  expect(progress.at(-1)).toEqual({ done: 2500, total: 2500 })
  const { found, absent } = await getPartitions({ ...options(client), partitions: dates(2501) })
  expect(found).toHaveLength(2500)
  expect(found[0]).toMatchObject({
    values: dates(1)[0],
    location: 's3://market-lake/trades/trade_date=2020-01-01/ticker=IBM/',
    parameters: { 'stockpipe.rows': '1' },
    switched: true,
  })
  expect(absent).toEqual(dates(2501).slice(-1))
  expect(await deletePartitions({ ...options(client), partitions: dates(2501) })).toEqual({
    deleted: 2500,
    absent: 1,
  })
  expect(partitions.size).toBe(0)
  expect(count(sent, 'BatchCreatePartition')).toBe(50)
  expect(count(sent, 'BatchUpdatePartition')).toBe(25)
  expect(count(sent, 'BatchDeletePartition')).toBe(101)
})

test('whatever passing faults there are, the catalog ends as asked', async () => {
  const fault = fc.constantFrom('call', 'item', 'lost', 'none', 'none')
  await fc.assert(
    fc.asyncProperty(
      fc.array(fault, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 40 }),
      settles,
    ),
    { numRuns: 60 },
  )
})

const settles = async (faults: readonly string[], answerSize: number) => {
  let at = 0
  let now = 'none'
  const { client, partitions } = fakePartitionCatalog({
    answerSize,
    refuseCall: () => {
      now = faults[at++] ?? 'none'
      return now === 'call' ? 'ThrottlingException' : undefined
    },
    refuseItem: (values) =>
      now === 'item' && values[0]!.endsWith('1') ? 'InternalServiceException' : undefined,
    loseAnswer: () => (now === 'lost' ? 'TimeoutError' : undefined),
  })
  const settle = async (work: () => Promise<unknown>) => {
    // A fault that lasts for all attempts of a call is the caller's to repeat, which has to be safe.
    for (let attempt = 0; attempt < 5; attempt++) {
      const failed = await work().then(
        () => undefined,
        (error: unknown) => error,
      )
      if (failed === undefined) return
      expect(failed).toMatchObject({ retryable: true })
    }
    throw new Error('it never settled')
  }
  await settle(() => create(client, 120))
  expect(partitions.size).toBe(120)
  const moved = dates(120).map((values) => ({ values, location: `s3://b/${values.trade_date}/` }))
  await settle(() => updatePartitions({ ...options(client), partitions: moved }))
  expect([...partitions.values()].map((one) => one.StorageDescriptor?.Location).sort()).toEqual(
    moved.map(({ location }) => location),
  )
  await settle(() => deletePartitions({ ...options(client), partitions: dates(60) }))
  const left = dates(120).slice(60)
  expect([...partitions.keys()].sort()).toEqual(left.map(({ trade_date }) => `${trade_date}/IBM`))
}

test('what fails for good is listed by partition, and the others are done', async () => {
  const { client, partitions } = fakePartitionCatalog({
    refuseItem: ([date]) => (date === '2020-01-03' ? 'InvalidInputException' : undefined),
  })
  const error = await create(client, 5).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(PartitionBatchError)
  expect(error).toMatchObject({
    code: 'PARTITIONS_FAILED',
    operation: 'BatchCreatePartition',
    retryable: false,
    message:
      'Glue BatchCreatePartition failed for 1 of 5 partitions of market.trades: trade_date=2020-01-03/ticker=IBM at s3://market-lake/trades/trade_date=2020-01-03/ticker=IBM/: InvalidInputException: InvalidInputException of 2020-01-03/IBM. The others are done; the same call may be made again.',
    failures: [{ values: ['2020-01-03', 'IBM'], serviceError: 'InvalidInputException' }],
  })
  expect(partitions.size).toBe(4)
})

test('another location is refused, or mended when asked for; one that was switched never', async () => {
  const { client, partitions } = fakePartitionCatalog()
  await create(client, 2)
  await updatePartitions({
    ...options(client),
    partitions: [
      { values: dates(2)[0]!, location: 's3://old/one/' },
      {
        values: dates(2)[1]!,
        location: 's3://market-lake/new/',
        parameters: { 'stockpipe.compaction': '1' },
      },
    ],
  })
  await expect(create(client, 2)).rejects.toMatchObject({
    failures: [
      { serviceError: 'AlreadyExistsException', message: 'it is registered with location s3://old/one/' },
    ],
  })
  const wanted = dates(2).map((values) => ({ values }))
  const outcome = await createPartitions({ ...options(client), partitions: wanted, onOtherLocation: 'mend' })
  expect(outcome).toMatchObject({
    created: 0,
    unchanged: 0,
    mended: [{ values: dates(2)[0], differences: [{ what: 'location', inCatalog: 's3://old/one/' }] }],
    switched: [{ values: dates(2)[1], location: 's3://market-lake/new/' }],
  })
  expect([...partitions.values()].map((one) => one.StorageDescriptor?.Location)).toEqual([
    's3://market-lake/trades/trade_date=2020-01-01/ticker=IBM/',
    's3://market-lake/new/',
  ])
})

test('columns a later definition has added to a partition are not taken away', async () => {
  const { client, partitions, sent } = fakePartitionCatalog()
  await create(client, 1)
  for (const one of partitions.values()) one.StorageDescriptor?.Columns?.push({ Name: 'later', Type: 'int' })
  expect(await create(client, 1)).toMatchObject({ unchanged: 1, mended: [] })
  expect(count(sent, 'BatchUpdatePartition')).toBe(0)
})

test('an update keeps what it does not name, and takes a parameter away with null', async () => {
  const { client, partitions } = fakePartitionCatalog()
  const [values] = dates(1)
  await createPartitions({
    ...options(client),
    partitions: [{ values: values!, parameters: { a: '1', b: '2' } }],
  })
  const before = structuredClone([...partitions.values()][0])
  await updatePartitions({
    ...options(client),
    partitions: [{ values: values!, parameters: { a: null, c: '3' } }],
  })
  expect([...partitions.values()]).toEqual([{ ...before, Parameters: { b: '2', c: '3' } }])
  await updatePartitions({ ...options(client), partitions: [{ values: values!, location: 's3://lake/x' }] })
  expect([...partitions.values()][0]?.StorageDescriptor?.Location).toBe('s3://lake/x/')
  await expect(
    updatePartitions({ ...options(client), partitions: [{ values: dates(2)[1]! }] }),
  ).rejects.toThrow(
    /trade_date=2020-01-02\/ticker=IBM: EntityNotFoundException: the catalog has no such partition/,
  )
})

test('a list goes through all pages and segments, and holds back the columns', async () => {
  const { client, sent } = fakePartitionCatalog({ answerSize: 7 })
  await create(client, 100)
  const listed = await all(listPartitions({ ...options(client), segments: 3 }))
  expect(listed.map(({ values }) => values.trade_date).sort()).toEqual(
    dates(100).map((one) => one.trade_date),
  )
  const calls = sent.filter((one) => one.operation === 'GetPartitions')
  expect(calls).toHaveLength(15)
  expect(calls.every(({ input }) => input.ExcludeColumnSchema === true)).toBe(true)
  await all(listPartitions({ ...options(client), columns: true }))
  expect(sent.at(-1)?.input.ExcludeColumnSchema).toBeUndefined()
})

test('a list that is ended early, or aborted, makes no more calls', async () => {
  const { client, sent } = fakePartitionCatalog({ answerSize: 5 })
  await create(client, 100)
  for await (const _ of listPartitions(options(client))) break
  const made = count(sent, 'GetPartitions')
  expect(made).toBeLessThanOrEqual(2)
  const abort = new AbortController()
  const reading = (async () => {
    for await (const _ of listPartitions({ ...options(client), signal: abort.signal })) {
      abort.abort(new Error('enough'))
    }
  })()
  await expect(reading).rejects.toThrow('enough')
  expect(count(sent, 'GetPartitions')).toBeLessThanOrEqual(made + 2)
})

test('filters of which one has to hold find a partition once, and Glue’s surplus is left out', async () => {
  const { client, sent } = fakePartitionCatalog()
  await create(client, 30)
  const listed = await all(
    listPartitions({
      ...options(client),
      where: [{ trade_date: { from: '2020-01-28' } }, { trade_date: ['2020-01-02', '2020-01-29'] }],
    }),
  )
  // The fake finds everything whatever the expression.
  expect(listed.map(({ values }) => values.trade_date)).toEqual([
    '2020-01-02',
    '2020-01-28',
    '2020-01-29',
    '2020-01-30',
  ])
  expect(count(sent, 'GetPartitions')).toBe(2)
  expect(await all(listPartitions({ ...options(client), where: { ticker: [] } }))).toEqual([])
  expect(count(sent, 'GetPartitions')).toBe(2)
})

test('names and values that cannot be are refused before anything is sent', async () => {
  const { client, sent } = fakePartitionCatalog()
  const refused = (values: object) =>
    expect(createPartitions({ ...options(client), partitions: [{ values: values as never }] })).rejects
  await refused({ trade_date: '2020-01-01' }).toThrow(/has a value for each of trade_date, ticker/)
  await refused({ trade_date: '2020-01-01', ticker: 'IBM', other: 'x' }).toThrow(/has a value for each of/)
  await refused({ trade_date: '2020-01-01', ticker: 'x'.repeat(1025) }).toThrow(/at most 1024 characters/)
  await expect(
    createPartitions({ ...options(client), partitions: [{ values: dates(1)[0]!, location: '/tmp/x' }] }),
  ).rejects.toThrow(/is s3:\/\/bucket\/prefix\//)
  expect(sent).toHaveLength(0)
})
