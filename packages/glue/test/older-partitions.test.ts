import { type BoundTable, defineTable, identity, t } from '@stockpipe/core'
import { expect, test } from 'vitest'
import {
  applyPlan,
  CatalogChangedError,
  createPartitions,
  formatPlan,
  type MendProgress,
  PlanNotAppliedError,
  planDiffers,
  planTables,
} from '../src/index.ts'
import { fakeCatalog } from './fake-catalog.ts'
import type { SentCommand } from './fake-glue.ts'
import type { CatalogFaults } from './fake-partition-catalog.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const runtime = virtualRuntime()
const binding = { database: 'market', location: 's3://lake/trades/' }
const partitions = { ticker: identity('symbol') }
const old = defineTable('trades', {
  columns: {
    symbol: t.string(),
    size: t.int32(),
    ratio: t.float(),
    note: t.string(),
    leg: t.struct({ price: t.int64() }),
  },
  partitions,
}).at(binding)
const next = defineTable('trades', {
  columns: {
    symbol: t.string(),
    size: t.int64(),
    ratio: t.float(),
    note: t.string(),
    leg: t.struct({ price: t.int64(), level: t.int32().nullable() }).nullable(),
    venue: t.string().nullable(),
  },
  partitions,
}).at(binding)

/** The table of before with so many partitions. */
const catalogOf = async (
  count: number,
  before?: (command: SentCommand) => void,
  faults?: CatalogFaults,
  names = Array.from({ length: count }, (_, index) => `S${index}`),
) => {
  const watched = { before: before ?? (() => undefined), on: false }
  const catalog = fakeCatalog((command) => {
    if (watched.on) watched.before(command)
  }, faults)
  const { client } = catalog
  await applyPlan(await planTables({ client, tables: [old], runtime }), { client, runtime })
  await createPartitions({
    client,
    table: old,
    partitions: names.map((ticker) => ({ values: { ticker } })),
    runtime,
  })
  watched.on = true
  catalog.sent.length = 0
  return catalog
}
const planOf = ({ client }: { client: ReturnType<typeof fakeCatalog>['client'] }, table: BoundTable = next) =>
  planTables({ client, tables: [table], runtime })
const typesIn = (catalog: ReturnType<typeof fakeCatalog>, ticker: string) =>
  Object.fromEntries(
    (catalog.partitions.get(ticker)?.StorageDescriptor?.Columns ?? []).map(({ Name, Type }) => [Name, Type]),
  )

test('a plan says how many partitions keep older columns, and what each does to queries', async () => {
  const catalog = await catalogOf(3)
  const plan = await planOf(catalog)
  expect(plan.tables[0]?.partitions).toEqual({ registered: 3, older: 3 })
  const shown = formatPlan(plan)
  expect(shown).toContain('~ 3 of 3 registered partitions older -> as defined')
  expect(shown).toMatch(
    /~ column size of 3 of them int -> bigint +until then files of the new type end queries with an error there/,
  )
  expect(shown).toMatch(
    /~ column leg of 3 of them struct<price:bigint> -> struct<price:bigint,level:int> +until then the new field is NULL/,
  )
  expect(shown).not.toContain('venue of')
  expect(shown).not.toContain('!')
  expect(catalog.written()).toEqual([])
})

test('apply gives them the columns of the table, and keeps locations and parameters', async () => {
  const catalog = await catalogOf(250, undefined, { answerSize: 120 }, undefined)
  const moved = catalog.partitions.get('S7')!
  catalog.partitions.set('S7', {
    ...moved,
    Parameters: { 'stockpipe.compacted-by': 'x' },
    StorageDescriptor: { ...moved.StorageDescriptor, Location: 's3://lake/elsewhere/' },
  })
  const { client } = catalog
  const told: MendProgress[] = []
  const applied = await applyPlan(await planOf(catalog), {
    client,
    runtime,
    onPartitionsMended: (progress) => told.push(progress),
  })
  expect(applied.tables).toEqual([
    { database: 'market', table: 'trades', outcome: 'updated', mendedPartitions: 250 },
  ])
  expect(told.at(-1)).toEqual({ database: 'market', table: 'trades', done: 250, total: 250 })
  for (const ticker of ['S0', 'S7', 'S249']) {
    expect(typesIn(catalog, ticker)).toMatchObject({ size: 'bigint', venue: 'string' })
  }
  expect(catalog.partitions.get('S7')).toMatchObject({
    Parameters: { 'stockpipe.compacted-by': 'x' },
    StorageDescriptor: { Location: 's3://lake/elsewhere/' },
  })
  // The table is widened before its partitions: the other way round Athena refuses them.
  expect(catalog.written()[0]).toBe('UpdateTable')
  expect(planDiffers(await planOf(catalog))).toBe(false)
})

test('a table that is as defined with partitions that are not differs, too', async () => {
  const catalog = await catalogOf(2)
  const { client } = catalog
  await applyPlan(await planTables({ client, tables: [next], comparePartitions: false, runtime }), {
    client,
    runtime,
  })
  expect(typesIn(catalog, 'S0')).toMatchObject({ size: 'int' })
  const plan = await planOf(catalog)
  expect(plan.tables[0]).toMatchObject({ action: 'update', partitions: { older: 2 } })
  expect(formatPlan(plan)).toContain('1 to change')
  const applied = await applyPlan(JSON.parse(JSON.stringify(plan)), { client, runtime })
  expect(applied.tables).toMatchObject([{ outcome: 'updated', mendedPartitions: 2 }])
  // Once more: nothing is left of it.
  const again = await applyPlan(plan, { client, runtime })
  expect(again.tables).toEqual([{ database: 'market', table: 'trades', outcome: 'unchanged' }])
})

test('it goes on where it was broken off', async () => {
  const controller = new AbortController()
  let updates = 0
  const catalog = await catalogOf(250, ({ operation }) => {
    if (operation === 'BatchUpdatePartition' && ++updates === 2) controller.abort(new Error('Ctrl-C'))
  })
  const { client } = catalog
  const plan = await planOf(catalog)
  const { signal } = controller
  await expect(applyPlan(plan, { client, runtime, signal })).rejects.toThrow('Ctrl-C')
  const rest = await planOf(catalog)
  expect(rest.tables[0]?.partitions?.older).toBeLessThan(250)
  const applied = await applyPlan(plan, { client, runtime })
  expect(applied.tables).toMatchObject([{ mendedPartitions: rest.tables[0]?.partitions?.older }])
  expect(planDiffers(await planOf(catalog))).toBe(false)
})

test('partitions of a table that another changes meanwhile are left to whoever changed it', async () => {
  let updates = 0
  const catalog = await catalogOf(250, ({ operation }) => {
    if (operation === 'BatchUpdatePartition' && ++updates === 1) {
      catalog.change('market.trades', ({ StorageDescriptor }) => {
        StorageDescriptor!.Columns![1]!.Type = 'string'
      })
    }
  })
  const failed = applyPlan(await planOf(catalog), { client: catalog.client, runtime })
  const error = await failed.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(PlanNotAppliedError)
  expect((error as PlanNotAppliedError).tables[0]).toMatchObject({
    outcome: 'failed',
    error: expect.any(CatalogChangedError),
  })
  expect(updates).toBe(1)
})

test('one that Glue refuses fails the table by name, when all others are mended; one dropped meanwhile does not', async () => {
  const catalog = await catalogOf(4, undefined, {
    refuseItem: ([ticker], { operation }) =>
      operation !== 'BatchUpdatePartition'
        ? undefined
        : { S1: 'InvalidInputException', S2: 'EntityNotFoundException' }[ticker!],
  })
  await expect(applyPlan(await planOf(catalog), { client: catalog.client, runtime })).rejects.toMatchObject({
    code: 'PLAN_NOT_APPLIED',
    retryable: false,
    message: expect.stringContaining('1 of 3 partitions of market.trades: ticker=S1'),
  })
  expect(typesIn(catalog, 'S3')).toMatchObject({ size: 'bigint' })
})

test('a type or format under which their own files are no longer read must be allowed', async () => {
  const catalog = await catalogOf(3)
  const text = catalog.partitions.get('S1')!
  const { Columns = [], ...descriptor } = text.StorageDescriptor ?? {}
  catalog.partitions.set('S1', {
    ...text,
    StorageDescriptor: {
      ...descriptor,
      InputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
      Columns: Columns.map((column) => (column.Name === 'size' ? { ...column, Type: 'string' } : column)),
    },
  })
  const plan = await planOf(catalog, old)
  expect(plan.tables[0]?.partitions).toEqual({ registered: 3, older: 1 })
  expect(plan.tables[0]?.changes).toMatchObject([
    { what: '1 of 3 registered partitions' },
    { what: 'column size of 1 of them', before: 'string', after: 'int', destructive: 'break-data' },
    { what: 'input format of 1 of them', destructive: 'break-data' },
  ])
  await expect(applyPlan(plan, { client: catalog.client, runtime })).rejects.toMatchObject({
    code: 'CHANGE_NOT_ALLOWED',
  })
  expect(catalog.written()).toEqual([])
})

test('what came after the plan, and would lose something, is left alone and named', async () => {
  const catalog = await catalogOf(3)
  const plan = await planOf(catalog)
  const other = catalog.partitions.get('S1')!
  const { Columns = [], ...descriptor } = other.StorageDescriptor ?? {}
  const columns = Columns.map((column) => (column.Name === 'size' ? { ...column, Type: 'string' } : column))
  catalog.partitions.set('S1', { ...other, StorageDescriptor: { ...descriptor, Columns: columns } })
  await expect(applyPlan(plan, { client: catalog.client, runtime })).rejects.toMatchObject({
    code: 'PLAN_NOT_APPLIED',
    message: expect.stringContaining(
      'ticker=S1 at s3://lake/trades/ticker=S1/: ChangeNotPlanned: column size string -> bigint is not in the plan',
    ),
  })
  expect(typesIn(catalog, 'S1')).toMatchObject({ size: 'string' })
  expect(typesIn(catalog, 'S2')).toMatchObject({ size: 'bigint' })
})
