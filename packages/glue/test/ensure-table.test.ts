import type { Table } from '@aws-sdk/client-glue'
import { defineTable, identity, t } from '@stockpipe/core'
import { expect, test } from 'vitest'
import { ensureDatabase, ensureTable, glueTableInput, TableConflictError } from '../src/index.ts'
import { fakeGlue, serviceException } from './fake-glue.ts'
import { boundTrades, trades } from './market-tables.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const runtime = virtualRuntime()
const inCatalog = (change: Partial<Table> = {}): Table => ({
  ...glueTableInput(boundTrades),
  Name: 'trades',
  VersionId: '7',
  ...change,
})
const withVenue = defineTable('trades', {
  columns: {
    symbol: t.string(),
    price: t.decimal(18, 4),
    size: t.int64(),
    ts: t.timestamp(),
    raw: t.json().nullable(),
    venue: t.string().nullable(),
  },
  partitions: { ticker: identity('symbol') },
})

test('ensureDatabase leaves a database that is there alone', async () => {
  const { client, sent } = fakeGlue(() => ({ Database: { Name: 'market' } }))
  expect(await ensureDatabase({ client, database: 'market' })).toBe('unchanged')
  expect(sent.map((one) => one.operation)).toEqual(['GetDatabase'])
})

test('ensureDatabase makes a missing database, and is content when another program is faster', async () => {
  const answers = (then: object | undefined) =>
    fakeGlue(({ operation }) => {
      if (operation === 'GetDatabase') throw serviceException('EntityNotFoundException')
      if (then) throw then
      return {}
    })
  expect(await ensureDatabase({ client: answers(undefined).client, database: 'market' })).toBe('created')
  const late = answers(serviceException('AlreadyExistsException'))
  expect(await ensureDatabase({ client: late.client, database: 'market' })).toBe('unchanged')
})

test('a refusal names the call, the place and the remedy, and is not tried again', async () => {
  const { client, sent } = fakeGlue(() => {
    throw serviceException('AccessDeniedException', 'User x is not authorized')
  })
  await expect(ensureDatabase({ client, database: 'market', runtime })).rejects.toMatchObject({
    name: 'GlueRequestError',
    code: 'GLUE_REQUEST_FAILED',
    serviceError: 'AccessDeniedException',
    retryable: false,
    message:
      'Glue GetDatabase for database market failed with AccessDeniedException: User x is not authorized. Allow the caller this action on the catalog, database and table in IAM or Lake Formation.',
  })
  expect(sent).toHaveLength(1)
})

test('throttling is waited out with growing pauses, and given up after six attempts', async () => {
  const clock = virtualRuntime()
  const { client, sent } = fakeGlue((_, call) => {
    if (call < 4) throw serviceException('ThrottlingException')
    return { Database: {} }
  })
  await ensureDatabase({ client, database: 'market', runtime: clock })
  expect(sent).toHaveLength(4)
  expect(clock.delays).toEqual([75, 150, 300])
  const always = fakeGlue(() => {
    throw serviceException('ThrottlingException')
  })
  await expect(
    ensureDatabase({ client: always.client, database: 'market', runtime: clock }),
  ).rejects.toMatchObject({
    retryable: true,
    message: expect.stringContaining('after 6 attempts'),
  })
})

test('a missing table is created as the definition says', async () => {
  const { client, sent } = fakeGlue(({ operation }) => {
    if (operation === 'GetTable') throw serviceException('EntityNotFoundException')
    return {}
  })
  expect(await ensureTable({ client, table: boundTrades, runtime })).toEqual({
    outcome: 'created',
    addedColumns: [],
  })
  expect(sent[1]?.input).toEqual({ DatabaseName: 'market', TableInput: glueTableInput(boundTrades) })
})

test('the same table is left alone, whatever the catalog adds of its own', async () => {
  const table = inCatalog({ CreatedBy: 'somebody', Description: 'by hand', Retention: 3 })
  const crawled = {
    ...table,
    Parameters: { ...table.Parameters, UPDATED_BY_CRAWLER: 'c', 'projection.enabled': 'false' },
  }
  for (const Table of [table, crawled]) {
    const { client, sent } = fakeGlue(() => ({ Table }))
    expect((await ensureTable({ client, table: boundTrades, runtime })).outcome).toBe('unchanged')
    expect(sent).toHaveLength(1)
  }
})

test('columns added at the end are added under the version that was read, and all else is kept', async () => {
  const bound = withVenue.at({ database: 'market', location: 's3://market-lake/trades' })
  const Table = inCatalog({
    Description: 'by hand',
    PartitionKeys: [{ Name: 'ticker', Type: 'string' }],
    Parameters: { ...glueTableInput(boundTrades).Parameters, owner: 'desk' },
  })
  const first = Table.StorageDescriptor!.Columns![0]!
  first.Comment = 'the ticker'
  const { client, sent } = fakeGlue(({ operation }) => (operation === 'GetTable' ? { Table } : {}))
  expect(await ensureTable({ client, table: bound, runtime })).toEqual({
    outcome: 'updated',
    addedColumns: ['venue'],
  })
  const { VersionId, TableInput } = sent[1]!.input
  expect(VersionId).toBe('7')
  expect(TableInput.Description).toBe('by hand')
  expect(TableInput.Parameters).toMatchObject({
    owner: 'desk',
    'stockpipe.fingerprint': withVenue.fingerprint,
  })
  expect(TableInput.StorageDescriptor.Columns).toHaveLength(6)
  expect(TableInput.StorageDescriptor.Columns[0]).toEqual({
    Name: 'symbol',
    Type: 'string',
    Comment: 'the ticker',
  })
  expect(TableInput.StorageDescriptor.Columns[5]).toEqual({ Name: 'venue', Type: 'string' })
  expect(TableInput).not.toHaveProperty('VersionId')
})

test('nested types are compared whatever the case of their names, and refused where a field differs', async () => {
  const legs = (fields: Parameters<typeof t.struct>[0]) =>
    defineTable('orders', { columns: { legs: t.list(t.struct(fields)) } }).at({
      database: 'market',
      location: 's3://market-lake/orders/',
    })
  const bound = legs({ price: t.decimal(18, 4), size: t.int64() })
  const Table: Table = { ...glueTableInput(bound), Name: 'orders', VersionId: '1' }
  Table.StorageDescriptor!.Columns![0]!.Type = 'ARRAY<STRUCT<Price: DECIMAL(18, 4), Size: BIGINT>>'
  const { client, sent } = fakeGlue(() => ({ Table }))
  expect((await ensureTable({ client, table: bound, runtime })).outcome).toBe('unchanged')
  const wider = legs({ price: t.decimal(18, 4), size: t.int64(), venue: t.string() })
  await expect(ensureTable({ client, table: wider, runtime })).rejects.toThrow(TableConflictError)
  await expect(ensureTable({ client, table: wider, runtime })).rejects.toThrow(
    /array<struct<price:decimal\(18,4\),size:bigint,venue:string>>/,
  )
  expect(sent.every(({ operation }) => operation === 'GetTable')).toBe(true)
})

test('a table changed between reading and writing is read again', async () => {
  const bound = withVenue.at({ database: 'market', location: 's3://market-lake/trades' })
  const before = inCatalog({ PartitionKeys: [{ Name: 'ticker', Type: 'string' }] })
  let updates = 0
  const { client, sent } = fakeGlue(({ operation }) => {
    if (operation === 'GetTable') return { Table: { ...before, VersionId: String(7 + updates) } }
    updates += 1
    if (updates === 1) throw serviceException('ConcurrentModificationException')
    return {}
  })
  expect((await ensureTable({ client, table: bound, runtime })).outcome).toBe('updated')
  expect(sent.map((one) => one.input.VersionId)).toEqual([undefined, '7', undefined, '8'])
})

test('a table created by another program in between is compared', async () => {
  let asked = 0
  const { client } = fakeGlue(({ operation }) => {
    if (operation === 'CreateTable') throw serviceException('AlreadyExistsException')
    asked += 1
    if (asked === 1) throw serviceException('EntityNotFoundException')
    return { Table: inCatalog() }
  })
  expect((await ensureTable({ client, table: boundTrades, runtime })).outcome).toBe('unchanged')
})

test('anything else is refused, each difference named, and nothing written', async () => {
  const Table = inCatalog({ PartitionKeys: [{ Name: 'trade_date', Type: 'date' }] })
  Table.StorageDescriptor = {
    ...Table.StorageDescriptor,
    Location: 's3://elsewhere/trades',
    Columns: [
      { Name: 'symbol', Type: 'string' },
      { Name: 'price', Type: 'double' },
      { Name: 'size', Type: 'bigint' },
      { Name: 'ts', Type: 'timestamp' },
      { Name: 'raw', Type: 'string' },
      { Name: 'gone', Type: 'string' },
    ],
  }
  const { client, sent } = fakeGlue(() => ({ Table }))
  const error = await ensureTable({ client, table: boundTrades, runtime }).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(TableConflictError)
  expect((error as TableConflictError).code).toBe('TABLE_DIFFERS')
  expect((error as TableConflictError).differences).toEqual([
    { what: 'location', inCatalog: 's3://elsewhere/trades/', inDefinition: 's3://market-lake/trades/' },
    { what: 'column 2', inCatalog: 'price double', inDefinition: 'price decimal(18,4)' },
    { what: 'column 6', inCatalog: 'gone string', inDefinition: undefined },
    { what: 'partition key 1', inCatalog: 'trade_date date', inDefinition: 'trade_date string' },
    { what: 'partition key 2', inCatalog: undefined, inDefinition: 'ticker string' },
  ])
  expect((error as Error).message).toContain(
    'Glue has another table market.trades: location is s3://elsewhere/trades/ in the catalog and',
  )
  expect(sent).toHaveLength(1)
})

test('another projection is a difference', async () => {
  const { client } = fakeGlue(() => ({ Table: inCatalog() }))
  const keys = { trade_date: { from: '2024-01-01' }, ticker: { injected: true } } as const
  await expect(
    ensureTable({ client, table: boundTrades, partitioning: { kind: 'projected', keys }, runtime }),
  ).rejects.toThrow(/parameter projection.enabled is absent in the catalog and true in the definition/)
})

test('only another fingerprint, such as for a column made nullable, is renewed in place', async () => {
  const nullable = defineTable('trades', {
    columns: {
      symbol: t.string(),
      price: t.decimal(18, 4).nullable(),
      size: t.int64(),
      ts: t.timestamp(),
      raw: t.json().nullable(),
    },
    partitions: { trade_date: identity('symbol'), ticker: identity('symbol') },
  })
  expect(nullable.fingerprint).not.toBe(trades.fingerprint)
  const { client, sent } = fakeGlue(({ operation }) =>
    operation === 'GetTable' ? { Table: inCatalog() } : {},
  )
  const table = nullable.at({ database: 'market', location: 's3://market-lake/trades/' })
  expect(await ensureTable({ client, table, runtime })).toEqual({ outcome: 'updated', addedColumns: [] })
  expect(sent[1]?.input.TableInput.Parameters['stockpipe.fingerprint']).toBe(nullable.fingerprint)
})
