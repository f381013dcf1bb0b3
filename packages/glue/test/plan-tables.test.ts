import { ConfigurationError, defineTable, identity, StockpipeError, t } from '@stockpipe/core'
import { describe, expect, test } from 'vitest'
import {
  applyPlan,
  CatalogChangedError,
  type CatalogTable,
  catalogTable,
  DestructiveChangeError,
  destructiveChangesOf,
  fingerprintParameter,
  formatPlan,
  PlanNotAppliedError,
  planDiffers,
  planTables,
  type TablePlan,
} from '../src/index.ts'
import { fakeCatalog } from './fake-catalog.ts'
import { serviceException } from './fake-glue.ts'
import { boundTrades } from './market-tables.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const runtime = virtualRuntime()
const bars = defineTable('bars', {
  columns: { symbol: t.string(), size: t.int32(), close: t.decimal(18, 4) },
  partitions: { ticker: identity('symbol') },
})
const binding = { database: 'market', location: 's3://market-lake/bars/' }
const boundBars = bars.at(binding)
const projectedTrades = (from: string, values: readonly string[]) =>
  catalogTable({
    table: boundTrades,
    partitioning: { kind: 'projected', keys: { trade_date: { from }, ticker: { values } } },
  })

const plan = (catalog: ReturnType<typeof fakeCatalog>, ...tables: CatalogTable[]) =>
  planTables({ client: catalog.client, tables, runtime })
const applied = async (...tables: CatalogTable[]) => {
  const catalog = fakeCatalog()
  await applyPlan(await plan(catalog, ...tables), { client: catalog.client, runtime })
  catalog.sent.length = 0
  return catalog
}
const changesOf = (made: TablePlan, index = 0) => made.tables[index]!.changes
const lost = (made: TablePlan) =>
  destructiveChangesOf(made).map(({ what, destructive }) => [what, destructive])

describe('a plan', () => {
  test('of an empty catalog makes the database and the tables, and is applied once', async () => {
    const catalog = fakeCatalog()
    const made = await plan(catalog, { table: boundTrades }, { table: boundBars })
    expect(catalog.written()).toEqual([])
    expect(made.databases).toEqual([{ name: 'market', action: 'create' }])
    expect(made.tables.map(({ name, action, version }) => ({ name, action, version }))).toEqual([
      { name: 'trades', action: 'create', version: null },
      { name: 'bars', action: 'create', version: null },
    ])
    const kept = JSON.parse(JSON.stringify(made)) as TablePlan
    expect(kept).toEqual(made)
    const told: unknown[] = []
    expect(
      await applyPlan(kept, { client: catalog.client, runtime, onApplied: (one) => told.push(one) }),
    ).toEqual({
      databases: [{ database: 'market', outcome: 'created' }],
      tables: [
        { database: 'market', table: 'trades', outcome: 'created' },
        { database: 'market', table: 'bars', outcome: 'created' },
      ],
    })
    expect(told).toHaveLength(3)
    expect(catalog.written()).toEqual(['CreateDatabase', 'CreateTable', 'CreateTable'])

    const again = await plan(catalog, { table: boundTrades }, { table: boundBars })
    expect(planDiffers(again)).toBe(false)
    expect(again.tables.map(({ version, changes }) => ({ version, changes }))).toEqual([
      { version: '0', changes: [] },
      { version: '0', changes: [] },
    ])
    // The old plan, once more: everything is as it says.
    const repeated = await applyPlan(kept, { client: catalog.client, runtime })
    expect(repeated.tables.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged'])
    expect(catalog.written()).toHaveLength(3)
  })

  test('takes a bound table alone, and refuses one named twice', async () => {
    const catalog = fakeCatalog()
    const tables = [boundBars, { table: boundBars }]
    await expect(planTables({ client: catalog.client, tables, runtime })).rejects.toMatchObject({
      code: 'TABLE_REPEATED',
      message: 'Two of the tables to plan are market.bars; leave one out or give it another name.',
    })
  })

  test('adds, widens and moves columns without a warning, and keeps what others put into the catalog', async () => {
    const catalog = await applied({ table: boundBars })
    catalog.change('market.bars', (table) => {
      table.Description = 'by hand'
      table.Owner = 'desk'
      table.Parameters = { ...table.Parameters, team: 'desk', UPDATED_BY_CRAWLER: 'c' }
      table.StorageDescriptor!.Columns![1]!.Comment = 'shares'
      table.StorageDescriptor!.Columns![1]!.Type = 'INT'
      table.PartitionKeys![0]!.Comment = 'as listed'
      table.StorageDescriptor!.SerdeInfo!.Parameters = { 'serialization.format': '1', own: 'yes' }
    })
    const wider = defineTable('bars', {
      columns: { size: t.int64(), venue: t.string().nullable(), symbol: t.string(), close: t.decimal(18, 4) },
      partitions: { ticker: identity('symbol') },
    })
    const made = await plan(catalog, {
      table: wider.at(binding),
      parameters: { 'desk.owner': 'b', team: null },
    })
    expect(lost(made)).toEqual([])
    expect(changesOf(made)).toEqual([
      expect.objectContaining({ kind: 'change', what: 'column size', before: 'int', after: 'bigint' }),
      expect.objectContaining({ what: 'place of column size' }),
      {
        kind: 'add',
        what: 'column venue',
        after: 'string',
        reason: 'NULL in rows of old files',
      },
      expect.objectContaining({ what: 'place of column symbol' }),
      expect.objectContaining({ what: `parameter ${fingerprintParameter}` }),
      { kind: 'add', what: 'parameter desk.owner', after: 'b', reason: 'as defined' },
      { kind: 'remove', what: 'parameter team', before: 'desk', reason: 'as defined' },
    ])
    await applyPlan(made, { client: catalog.client, runtime })
    const table = catalog.tables.get('market.bars')!
    expect(table).toMatchObject({ Description: 'by hand', Owner: 'desk', VersionId: '2' })
    expect(table.StorageDescriptor!.Columns).toEqual([
      { Name: 'size', Type: 'bigint', Comment: 'shares' },
      { Name: 'venue', Type: 'string' },
      { Name: 'symbol', Type: 'string' },
      { Name: 'close', Type: 'decimal(18,4)' },
    ])
    expect(table.StorageDescriptor!.SerdeInfo!.Parameters).toMatchObject({ own: 'yes' })
    expect(table.PartitionKeys).toEqual([{ Name: 'ticker', Type: 'string', Comment: 'as listed' }])
    expect(table.Parameters).toMatchObject({ 'desk.owner': 'b', UPDATED_BY_CRAWLER: 'c' })
    expect(table.Parameters).not.toHaveProperty('team')
    expect(catalog.written()).toEqual(['UpdateTable'])
    expect(catalog.sent.at(-1)!.input.VersionId).toBe('1')
  })

  test('names each change by which something is lost, and applies none of them unasked', async () => {
    const catalog = await applied({ table: boundBars })
    const other = defineTable('bars', {
      columns: { ticker_name: t.string(), size: t.string(), close: t.decimal(18, 2) },
      partitions: { ticker: identity('ticker_name') },
    })
    const moved = { table: other.at({ database: 'market', location: 's3://market-lake/bars-2/' }) }
    const made = await plan(catalog, moved)
    expect(lost(made)).toEqual([
      ['column size', 'break-data'],
      ['column close', 'break-data'],
      ['column symbol', 'drop-column'],
      ['location', 'move-location'],
    ])
    const reasons = changesOf(made).map(({ what, reason }) => `${what}: ${reason}`)
    expect(reasons[0]).toBe(
      "column ticker_name: NULL in rows of old files: if it is 'symbol' renamed, old values are not found under the new name",
    )
    expect(reasons[1]).toMatch(/HIVE_PARTITION_SCHEMA_MISMATCH: registered partitions declare int/)
    const error = await applyPlan(made, {
      client: catalog.client,
      runtime,
      allow: ['drop-column', 'move-location'],
    }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DestructiveChangeError)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as DestructiveChangeError).changes).toHaveLength(2)
    expect((error as DestructiveChangeError).message).toMatch(
      /^The plan has changes by which something can be lost: market\.bars: column size \(break-data: .*Nothing was applied; allow break-data if it is meant\.$/,
    )
    expect(catalog.written()).toEqual([])
    await applyPlan(made, {
      client: catalog.client,
      runtime,
      allow: ['drop-column', 'move-location', 'break-data'],
    })
    expect(planDiffers(await plan(catalog, moved))).toBe(false)
  })

  test('replaces a table whose partition keys change', async () => {
    const catalog = await applied({ table: boundBars })
    const unpartitioned = defineTable('bars', {
      columns: { symbol: t.string(), size: t.int32(), close: t.decimal(18, 4) },
    })
    const made = await plan(catalog, { table: unpartitioned.at(binding) })
    expect(made.tables[0]!.action).toBe('replace')
    expect(lost(made)).toEqual([['partition key 1', 'replace-table']])
    const result = await applyPlan(made, { client: catalog.client, runtime, allow: ['replace-table'] })
    expect(result.tables).toEqual([{ database: 'market', table: 'bars', outcome: 'replaced' }])
    expect(catalog.written()).toEqual(['DeleteTable', 'CreateTable'])
    expect(catalog.tables.get('market.bars')!.PartitionKeys).toEqual([])
  })

  test('a table that was deleted to be replaced, and not made, is made when the plan is applied again', async () => {
    let refused = true
    const catalog = fakeCatalog(({ operation }) => {
      if (operation === 'CreateTable' && refused && catalog.tables.size === 0 && catalog.databases.size > 0)
        throw serviceException('AccessDeniedException', 'no')
    })
    refused = false
    await applyPlan(await plan(catalog, { table: boundBars }), { client: catalog.client, runtime })
    refused = true
    const unpartitioned = defineTable('bars', { columns: { symbol: t.string() } })
    const made = await plan(catalog, { table: unpartitioned.at(binding) })
    const apply = () =>
      applyPlan(made, { client: catalog.client, runtime, allow: ['replace-table', 'drop-column'] })
    await expect(apply()).rejects.toThrow(PlanNotAppliedError)
    expect(catalog.tables.size).toBe(0)
    refused = false
    expect((await apply()).tables[0]!.outcome).toBe('created')
  })

  test('is refused for a view, a link and tables of other formats', async () => {
    const change = async (edit: Parameters<ReturnType<typeof fakeCatalog>['change']>[1]) => {
      const catalog = await applied({ table: boundBars })
      catalog.change('market.bars', edit)
      return plan(catalog, { table: boundBars })
    }
    await expect(change((table) => (table.TableType = 'VIRTUAL_VIEW'))).rejects.toThrow(
      /^Glue has a view under the name market\.bars, which a plan neither changes nor replaces\. Give/,
    )
    await expect(
      change((table) => (table.Parameters = { ...table.Parameters, table_type: 'ICEBERG' })),
    ).rejects.toMatchObject({ code: 'TABLE_FORMAT_DIFFERS', message: /a table of Iceberg/ })
    await expect(change((table) => (table.TargetTable = { Name: 'x' }))).rejects.toThrow(/a link to another/)
  })
})

describe('projection in a plan', () => {
  test('switched on or off, it hides partitions; widened, it does not', async () => {
    const catalog = await applied({ table: boundTrades })
    const on = await plan(catalog, projectedTrades('2024-01-01', ['A', 'B']))
    expect(lost(on)).toEqual([['parameter projection.enabled', 'hide-partitions']])
    await applyPlan(on, { client: catalog.client, runtime, allow: ['hide-partitions'] })

    const wider = await plan(catalog, projectedTrades('2023-01-01', ['C', 'B', 'A']))
    expect(lost(wider)).toEqual([])
    expect(changesOf(wider).map(({ what }) => what)).toEqual([
      'parameter projection.trade_date.range',
      'parameter projection.ticker.values',
    ])
    const narrower = await plan(catalog, projectedTrades('2024-01-02', ['A']))
    expect(lost(narrower)).toEqual([
      ['parameter projection.trade_date.range', 'hide-partitions'],
      ['parameter projection.ticker.values', 'hide-partitions'],
    ])
    const off = await plan(catalog, { table: boundTrades })
    expect(lost(off)).toEqual([['parameter projection.enabled', 'hide-partitions']])
    await applyPlan(off, { client: catalog.client, runtime, allow: ['hide-partitions'] })
    const names = Object.keys(catalog.tables.get('market.trades')!.Parameters!)
    expect(names.filter((name) => name.startsWith('projection'))).toEqual([])
  })

  test.each([
    ['NOW-3YEARS', 'NOW-4YEARS', true],
    ['NOW-3YEARS', 'NOW-2YEARS', false],
    ['NOW-3YEARS', 'NOW-40MONTHS', false],
    ['2024-01-01', 'NOW-3YEARS', false],
  ])('a range from %s made one from %s hides nothing: %s', async (from, next, safe) => {
    const catalog = await applied(projectedTrades(from, ['A']))
    expect(lost(await plan(catalog, projectedTrades(next, ['A']))).length === 0).toBe(safe)
  })

  test('a projection that is switched off in the catalog is none', async () => {
    const catalog = await applied({ table: boundTrades })
    catalog.change('market.trades', (table) => {
      table.Parameters = { ...table.Parameters, 'projection.enabled': 'false', 'projection.x.type': 'enum' }
    })
    expect(planDiffers(await plan(catalog, { table: boundTrades }))).toBe(false)
  })

  test('parameters that follow from the definition are not stated', () => {
    for (const name of [
      'projection.enabled',
      fingerprintParameter,
      'classification',
      'storage.location.template',
    ]) {
      expect(() => catalogTable({ table: boundBars, parameters: { [name]: 'x' } })).toThrow(
        /the parameter '.*' follows from the definition/,
      )
    }
  })
})

describe('applying a plan', () => {
  test('writes nothing when any table is not as the plan found it', async () => {
    const catalog = await applied({ table: boundTrades }, { table: boundBars })
    const longer = defineTable('bars', {
      columns: { symbol: t.string(), size: t.int32(), close: t.decimal(18, 4), venue: t.string() },
      partitions: { ticker: identity('symbol') },
    })
    const made = await plan(catalog, { table: longer.at(binding) }, { table: boundTrades })
    catalog.change('market.trades', (table) => {
      table.StorageDescriptor!.Columns!.pop()
    })
    const error = await applyPlan(made, { client: catalog.client, runtime }).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(CatalogChangedError)
    expect(error).toMatchObject({
      code: 'CATALOG_CHANGED',
      table: 'market.trades',
      message:
        'Table market.trades is version 1, and was 0 since the plan was made; it is left as it is. Plan again.',
    })
    expect(catalog.written()).toEqual([])
    catalog.tables.delete('market.trades')
    await expect(applyPlan(made, { client: catalog.client, runtime })).rejects.toThrow(
      /has been deleted since/,
    )
  })

  test('a table another has made since is left alone when it is the same, and an error when it is not', async () => {
    const catalog = fakeCatalog()
    const made = await plan(catalog, { table: boundBars })
    await applyPlan(made, { client: catalog.client, runtime })
    expect((await applyPlan(made, { client: catalog.client, runtime })).tables[0]!.outcome).toBe('unchanged')
    catalog.change('market.bars', (table) => {
      table.StorageDescriptor!.Location = 's3://elsewhere/'
    })
    await expect(applyPlan(made, { client: catalog.client, runtime })).rejects.toThrow(
      /has been made by another since/,
    )
  })

  test('a change by another between reading and writing is not overwritten', async () => {
    let interfere = false
    const catalog = fakeCatalog(({ operation }) => {
      if (operation !== 'UpdateTable' || !interfere) return
      interfere = false
      catalog.change('market.bars', (table) => {
        table.Parameters = { ...table.Parameters, owner: 'somebody' }
      })
    })
    await applyPlan(await plan(catalog, { table: boundBars }), { client: catalog.client, runtime })
    const made = await plan(catalog, { table: boundBars, description: 'bars' })
    interfere = true
    const error = await applyPlan(made, { client: catalog.client, runtime }).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(PlanNotAppliedError)
    const [table] = (error as PlanNotAppliedError).tables
    expect(table).toMatchObject({ outcome: 'failed', error: { code: 'CATALOG_CHANGED' } })
    expect(catalog.tables.get('market.bars')!.Description).toBeUndefined()
    expect(catalog.tables.get('market.bars')!.Parameters!['owner']).toBe('somebody')
  })

  test('an update whose answer is lost counts as made', async () => {
    let lose = false
    const catalog = fakeCatalog(({ operation, input }) => {
      if (operation !== 'UpdateTable' || !lose) return
      lose = false
      catalog.change('market.bars', (table) => {
        Object.assign(table, { Description: input.TableInput.Description })
      })
    })
    await applyPlan(await plan(catalog, { table: boundBars }), { client: catalog.client, runtime })
    const made = await plan(catalog, { table: boundBars, description: 'bars' })
    lose = true
    expect((await applyPlan(made, { client: catalog.client, runtime })).tables[0]!.outcome).toBe('updated')
    expect(catalog.tables.get('market.bars')!.VersionId).toBe('1')
  })

  test('goes on past a table that fails, says what became of each, and is resumed', async () => {
    let denied = true
    const catalog = fakeCatalog(({ operation, input }) => {
      if (denied && operation === 'CreateTable' && input.TableInput.Name === 'trades')
        throw serviceException('AccessDeniedException', 'no')
    })
    const made = await plan(catalog, { table: boundTrades }, { table: boundBars })
    const error = await applyPlan(made, { client: catalog.client, runtime }).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(PlanNotAppliedError)
    expect(error).toMatchObject({
      code: 'PLAN_NOT_APPLIED',
      retryable: false,
      message: expect.stringMatching(
        /^1 of 2 tables were not applied, the others are as planned\. market\.trades: Glue CreateTable/,
      ),
      tables: [
        { table: 'trades', outcome: 'failed' },
        { table: 'bars', outcome: 'created' },
      ],
    })
    denied = false
    const { tables } = await applyPlan(made, { client: catalog.client, runtime })
    expect(tables.map(({ outcome }) => outcome)).toEqual(['created', 'unchanged'])
  })

  test('ends with the reason of its signal', async () => {
    const abort = new AbortController()
    const catalog = fakeCatalog(({ operation }) => {
      if (operation === 'CreateTable') abort.abort(new Error('enough'))
    })
    const made = await plan(catalog, { table: boundTrades }, { table: boundBars })
    await expect(applyPlan(made, { client: catalog.client, runtime, signal: abort.signal })).rejects.toThrow(
      'enough',
    )
    expect(catalog.tables.size).toBe(1)
  })

  test('a plan of another version is refused', async () => {
    const made = { formatVersion: 2, databases: [], tables: [] } as unknown as TablePlan
    const error = await applyPlan(made, { client: fakeCatalog().client }).catch((thrown: unknown) => thrown)
    expect(StockpipeError.isInstance(error) && error.code).toBe('PLAN_FORMAT_VERSION')
  })
})

describe('formatPlan', () => {
  test('tells of long lists what differs, cuts long values, and moves no cursor', async () => {
    const symbols = Array.from({ length: 300 }, (_, index) => `S${index}`)
    const catalog = await applied(projectedTrades('2024-01-01', symbols))
    const next = projectedTrades('2024-01-01', [...symbols.slice(1), 'BRK.B', 'x\u001b[2J'])
    const shown = formatPlan(await plan(catalog, next))
    expect(shown).toContain(
      '~ parameter projection.ticker.values -S0 +BRK.B +x\\u001b[2J (300 -> 301 values)',
    )
    expect(shown).not.toContain('\u001b')
    const added = formatPlan(await plan(fakeCatalog(), next))
    expect(added).toMatch(/\+ parameter projection\.ticker\.values S1,S2,.{185,}… \(\d+ characters\)/)
  })

  test('is what a person reads', async () => {
    const catalog = await applied({ table: boundBars })
    const other = defineTable('bars', {
      columns: { symbol: t.string(), size: t.int64(), venue: t.string().nullable() },
      partitions: { ticker: identity('symbol') },
    })
    const quotes = defineTable('quotes', { columns: { symbol: t.string() } })
    const made = await plan(
      catalog,
      { table: other.at(binding) },
      { table: quotes.at({ database: 'reference', location: 's3://market-lake/quotes/' }) },
    )
    expect(formatPlan(made)).toBe(`+ database reference

~ table market.bars (version 0)
    ~ column size int -> bigint   a wider integer: old values are read as they are
    + column venue string         NULL in rows of old files
    - column close decimal(18,4)  ! drop-column: no query sees the column any more; its values stay in the files
    ~ parameter stockpipe.fingerprint ${bars.fingerprint} -> ${other.fingerprint}  the definition the table was made from

+ table reference.quotes
    + location s3://market-lake/quotes/
    + column symbol string
    + parameter EXTERNAL TRUE
    + parameter classification parquet
    + parameter stockpipe.fingerprint ${quotes.fingerprint}

1 database to create, 1 to create, 1 to change, 0 to replace, 0 as defined.
! 1 change loses something and must be allowed: drop-column.
`)
    expect(formatPlan(made, { colours: true })).toContain('\u001b[31m! drop-column: ')
    const none = await plan(catalog, { table: boundBars })
    expect(formatPlan(none)).toBe(`= table market.bars: nothing differs

0 to create, 0 to change, 0 to replace, 1 as defined.
`)
  })
})
