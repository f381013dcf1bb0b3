import { getEventListeners } from 'node:events'
import { expect, test, vi } from 'vitest'
import {
  createPartitionRegistrar,
  glueTableInput,
  type MendedPartition,
  PartitionRegistrationError,
  type SwitchedPartition,
} from '../src/index.ts'
import { fakeGlue, type SentCommand, serviceException } from './fake-glue.ts'
import { boundTrades, partitionOf } from './market-tables.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const dates = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    partitionOf(new Date(Date.UTC(2024, 0, 1 + index)).toISOString().slice(0, 10), 'IBM'),
  )
const failing = (values: readonly string[], ErrorCode: string, ErrorMessage = 'because') => ({
  PartitionValues: [...values],
  ErrorDetail: { ErrorCode, ErrorMessage },
})
/** A storage descriptor as the table's definition asks for it. */
const asDefined = (Location: string) => ({
  ...glueTableInput(boundTrades).StorageDescriptor,
  Location,
})
const created = (sent: readonly SentCommand[]): string[][] =>
  sent
    .filter((one) => one.operation === 'BatchCreatePartition')
    .map((one) => one.input.PartitionInputList.map((input: { Values: string[] }) => input.Values.join('/')))

test('250 partitions are three calls, and the same again is none', async () => {
  const { client, sent } = fakeGlue(() => ({}))
  const registrar = createPartitionRegistrar({ client, table: boundTrades, runtime: virtualRuntime() })
  const partitions = dates(250)
  await registrar.register([...partitions, partitions[0]!])
  expect(created(sent).map((batch) => batch.length)).toEqual([100, 100, 50])
  expect(sent[0]?.input.PartitionInputList[0]).toMatchObject({
    Values: ['2024-01-01', 'IBM'],
    StorageDescriptor: {
      Location: 's3://market-lake/trades/trade_date=2024-01-01/ticker=IBM/',
      InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
    },
  })
  await registrar.register(partitions)
  expect(sent).toHaveLength(3)
})

test('the catalog is asked again an hour later: the partition may have been switched or dropped since', async () => {
  const { client, sent } = fakeGlue(() => ({}))
  let now = 0
  const runtime = { ...virtualRuntime(), monotonic: () => now }
  const registrar = createPartitionRegistrar({ client, table: boundTrades, runtime })
  await registrar.register(dates(2))
  now = 3_599_999
  await registrar.register(dates(3))
  now = 3_600_000
  await registrar.register(dates(3))
  expect(created(sent).map((batch) => batch.length)).toEqual([2, 1, 2])
})

test('null is the default partition of Hive', async () => {
  const { client, sent } = fakeGlue(() => ({}))
  await createPartitionRegistrar({ client, table: boundTrades }).register([partitionOf('2024-01-01', null)])
  expect(created(sent)).toEqual([['2024-01-01/__HIVE_DEFAULT_PARTITION__']])
})

test('a partition that is there at the same location is fine', async () => {
  const { client, sent } = fakeGlue(({ operation }) =>
    operation === 'BatchCreatePartition'
      ? { Errors: [failing(['2024-01-01', 'IBM'], 'AlreadyExistsException')] }
      : {
          Partitions: [
            {
              Values: ['2024-01-01', 'IBM'],
              StorageDescriptor: asDefined('s3://market-lake/trades/trade_date=2024-01-01/ticker=IBM'),
            },
          ],
        },
  )
  const registrar = createPartitionRegistrar({ client, table: boundTrades, runtime: virtualRuntime() })
  await registrar.register(dates(1))
  await registrar.register(dates(1))
  expect(sent.map((one) => one.operation)).toEqual(['BatchCreatePartition', 'BatchGetPartition'])
})

test('a partition that is there at another location is an error that names both', async () => {
  const { client } = fakeGlue(({ operation }) =>
    operation === 'BatchCreatePartition'
      ? { Errors: [failing(['2024-01-01', 'IBM'], 'AlreadyExistsException')] }
      : { Partitions: [{ Values: ['2024-01-01', 'IBM'], StorageDescriptor: { Location: 's3://old/x' } }] },
  )
  const registrar = createPartitionRegistrar({ client, table: boundTrades, runtime: virtualRuntime() })
  await expect(registrar.register(dates(2))).rejects.toMatchObject({
    code: 'PARTITIONS_NOT_REGISTERED',
    retryable: false,
    message:
      'Glue did not take 1 of 2 partitions of market.trades: trade_date=2024-01-01/ticker=IBM at s3://market-lake/trades/trade_date=2024-01-01/ticker=IBM/: AlreadyExistsException: it is registered with location s3://old/x. Drop the partition that points elsewhere or give the table another location.',
  })
})

test('a partition with other columns and no SerDe is mended, and what else it has is kept', async () => {
  const Values = ['2024-01-01', 'IBM']
  const location = dates(1)[0]!.location
  const { client, sent } = fakeGlue(({ operation }) => {
    if (operation === 'BatchCreatePartition') return { Errors: [failing(Values, 'AlreadyExistsException')] }
    if (operation !== 'BatchGetPartition') return {}
    const StorageDescriptor = {
      Location: location,
      Columns: [{ Name: 'symbol', Type: 'string' }],
      NumberOfBuckets: 3,
    }
    return { Partitions: [{ Values, StorageDescriptor, Parameters: { numRows: '7' } }] }
  })
  const mended: MendedPartition[] = []
  const registrar = createPartitionRegistrar({
    client,
    table: boundTrades,
    runtime: virtualRuntime(),
    onMended: (one) => mended.push(one),
  })
  await registrar.register(dates(1))
  expect(sent[2]).toMatchObject({
    operation: 'BatchUpdatePartition',
    input: {
      Entries: [
        {
          PartitionValueList: Values,
          PartitionInput: {
            Values,
            Parameters: { numRows: '7' },
            StorageDescriptor: { ...asDefined(location), NumberOfBuckets: 3 },
          },
        },
      ],
    },
  })
  expect(mended[0]?.values).toEqual({ trade_date: '2024-01-01', ticker: 'IBM' })
  expect(mended[0]?.differences.map(({ what }) => what)).toEqual([
    'input format',
    'output format',
    'SerDe',
    'column 2',
    'column 3',
    'column 4',
    'column 5',
  ])
})

test('a partition whose location was switched on purpose is left alone, and told of', async () => {
  const Values = ['2024-01-01', 'IBM']
  const { client, sent } = fakeGlue(({ operation }) =>
    operation === 'BatchCreatePartition'
      ? { Errors: [failing(Values, 'AlreadyExistsException')] }
      : {
          Partitions: [
            {
              Values,
              StorageDescriptor: { Location: 's3://market-lake/compacted/1/' },
              Parameters: { 'stockpipe.compaction': '1' },
            },
          ],
        },
  )
  const switched: SwitchedPartition[] = []
  const registrar = createPartitionRegistrar({
    client,
    table: boundTrades,
    runtime: virtualRuntime(),
    onSwitched: (one) => switched.push(one),
  })
  await registrar.register(dates(1))
  await registrar.register(dates(1))
  expect(sent.map((one) => one.operation)).toEqual(['BatchCreatePartition', 'BatchGetPartition'])
  expect(switched).toEqual([
    {
      values: { trade_date: '2024-01-01', ticker: 'IBM' },
      location: 's3://market-lake/compacted/1/',
      wantedLocation: dates(1)[0]!.location,
    },
  ])
})

test('failures that pass are tried again for those partitions alone', async () => {
  const runtime = virtualRuntime()
  const { client, sent } = fakeGlue((_, call) =>
    call === 1
      ? {
          Errors: [
            failing(['2024-01-02', 'IBM'], 'InternalServiceException'),
            failing(['2024-01-03', 'IBM'], 'ConcurrentModificationException'),
          ],
        }
      : call === 2
        ? { Errors: [failing(['2024-01-03', 'IBM'], 'OperationTimeoutException')] }
        : {},
  )
  await createPartitionRegistrar({ client, table: boundTrades, runtime }).register(dates(3))
  expect(created(sent)).toEqual([
    ['2024-01-01/IBM', '2024-01-02/IBM', '2024-01-03/IBM'],
    ['2024-01-02/IBM', '2024-01-03/IBM'],
    ['2024-01-03/IBM'],
  ])
  expect(runtime.delays).toEqual([75, 150])
})

test('a lasting failure is listed, and what was registered beside it is remembered', async () => {
  let mended = false
  const { client, sent } = fakeGlue(() =>
    mended ? {} : { Errors: [failing(['2024-01-02', 'IBM'], 'InvalidInputException', 'too odd.')] },
  )
  const registrar = createPartitionRegistrar({ client, table: boundTrades, runtime: virtualRuntime() })
  const error = await registrar.register(dates(3)).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(PartitionRegistrationError)
  expect((error as PartitionRegistrationError).failures).toEqual([
    { ...dates(2)[1], serviceError: 'InvalidInputException', message: 'too odd.' },
  ])
  mended = true
  await registrar.register(dates(3))
  expect(created(sent)[1]).toEqual(['2024-01-02/IBM'])
})

test('a failure that does not pass in six attempts is retryable by the caller', async () => {
  const { client, sent } = fakeGlue(() => ({
    Errors: [failing(['2024-01-01', 'IBM'], 'InternalServiceException')],
  }))
  const registrar = createPartitionRegistrar({ client, table: boundTrades, runtime: virtualRuntime() })
  await expect(registrar.register(dates(1))).rejects.toMatchObject({ retryable: true })
  expect(sent).toHaveLength(6)
})

test('keys Glue left unprocessed are asked for again', async () => {
  const Values = ['2024-01-01', 'IBM']
  const { client, sent } = fakeGlue(({ operation }, call) => {
    if (operation === 'BatchCreatePartition') return { Errors: [failing(Values, 'AlreadyExistsException')] }
    if (call === 2) return { UnprocessedKeys: [{ Values }] }
    return { Partitions: [{ Values, StorageDescriptor: asDefined(dates(1)[0]!.location) }] }
  })
  await createPartitionRegistrar({ client, table: boundTrades, runtime: virtualRuntime() }).register(dates(1))
  expect(sent).toHaveLength(3)
})

test('a partition dropped between the two calls is created again', async () => {
  const { client, sent } = fakeGlue((_, call) =>
    call === 1 ? { Errors: [failing(['2024-01-01', 'IBM'], 'AlreadyExistsException')] } : {},
  )
  await createPartitionRegistrar({ client, table: boundTrades, runtime: virtualRuntime() }).register(dates(1))
  expect(sent.map((one) => one.operation)).toEqual([
    'BatchCreatePartition',
    'BatchGetPartition',
    'BatchCreatePartition',
  ])
})

test('an aborted registration rejects with the reason, whichever of the two signals it is', async () => {
  const { client } = fakeGlue(() => {
    throw serviceException('ThrottlingException')
  })
  for (const which of ['registrar', 'call']) {
    const abort = new AbortController()
    const runtime = virtualRuntime()
    const { setTimer } = runtime
    const reason = new Error(`stop the ${which}`)
    runtime.setTimer = (callback, delay) => {
      abort.abort(reason)
      return setTimer(callback, delay)
    }
    const own = which === 'registrar' ? { signal: abort.signal } : {}
    const registrar = createPartitionRegistrar({ client, table: boundTrades, runtime, ...own })
    const call = which === 'call' ? { signal: abort.signal } : {}
    await expect(registrar.register(dates(1), call)).rejects.toBe(reason)
  }
})

test('nothing of a registration stays with a signal that lives longer', async () => {
  const derived = vi.spyOn(AbortSignal, 'any')
  const [own, call] = [new AbortController(), new AbortController()]
  const { client } = fakeGlue(() => ({}))
  const registrar = createPartitionRegistrar({ client, table: boundTrades, signal: own.signal })
  await registrar.register(dates(3), { signal: call.signal })
  // Node keeps a derived signal that has a listener, and the SDK's is never taken back.
  expect(derived).not.toHaveBeenCalled()
  for (const { signal } of [own, call]) expect(getEventListeners(signal, 'abort')).toEqual([])
  vi.restoreAllMocks()
})

test('a partition with a value too few is refused before anything is sent', async () => {
  const { client, sent } = fakeGlue(() => ({}))
  const registrar = createPartitionRegistrar({ client, table: boundTrades })
  await expect(registrar.register([{ values: ['2024-01-01'], location: 's3://b/x/' }])).rejects.toThrow(
    /has a value for each of trade_date, ticker/,
  )
  expect(sent).toHaveLength(0)
})
