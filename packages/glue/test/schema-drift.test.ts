import type { Column } from '@aws-sdk/client-glue'
import { defineTable, identity, t } from '@stockpipe/core'
import { expect, test } from 'vitest'
import { checkDrift, glueTableInput } from '../src/index.ts'
import { fakeGlue, serviceException } from './fake-glue.ts'

const table = defineTable('trades', {
  columns: { symbol: t.string(), size: t.int64(), leg: t.struct({ price: t.double(), size: t.int32() }) },
  partitions: { ticker: identity('symbol') },
}).at({ database: 'market', location: 's3://lake/trades/' })
const wanted = glueTableInput(table).StorageDescriptor!.Columns!
const retyped = (changes: Record<string, string>): Column[] =>
  wanted.map((column) => ({ ...column, Type: changes[column.Name!] ?? column.Type! }))
const fileColumns = (columns: readonly Column[]) =>
  columns.map(({ Name, Type }) => ({ name: Name!, type: Type! }))

const catalogOf = (columns: Column[], partitions: Record<string, Column[]>, projected = false) =>
  fakeGlue(({ operation }) => {
    const StorageDescriptor = { Columns: columns }
    if (operation === 'GetTable') {
      return {
        Table: { Name: 'trades', StorageDescriptor, Parameters: { 'projection.enabled': String(projected) } },
      }
    }
    const Partitions = Object.entries(partitions).map(([value, Columns]) => ({
      Values: [value],
      StorageDescriptor: { Columns, Location: `s3://lake/trades/ticker=${value}/` },
    }))
    return { Partitions }
  })

const told = (report: Awaited<ReturnType<typeof checkDrift>>) =>
  report.drifts.map(({ kind, place, changes }) => [
    kind,
    place,
    ...changes.map((one) => `${one.path} ${one.outcome === 'error' ? one.error : one.outcome}`),
  ])

test('nothing has drifted where all have the same columns, or lack new ones', async () => {
  const { client, sent } = catalogOf(wanted, { IBM: wanted, AAPL: wanted.slice(0, 2) })
  const report = await checkDrift({
    client,
    table,
    files: [{ file: 'a.parquet', values: { ticker: 'AAPL' }, columns: fileColumns(wanted.slice(0, 1)) }],
  })
  expect(report).toEqual({ ok: true, drifts: [], partitions: 2, files: 1 })
  expect(sent.map(({ operation }) => operation)).toEqual(['GetTable', 'GetPartitions'])
})

test('the table is compared with the definition, partitions with the table, files with their partition', async () => {
  const { client } = catalogOf(retyped({ size: 'int' }), {
    IBM: retyped({ size: 'int' }),
    AAPL: retyped({ size: 'string' }),
    'BRK.B': retyped({ size: 'int', leg: 'struct<size:int,price:double>' }),
  })
  const report = await checkDrift({
    client,
    table,
    files: [
      { file: 'new.parquet', values: { ticker: 'IBM' }, columns: fileColumns(wanted) },
      { file: 'text.parquet', values: { ticker: 'AAPL' }, columns: fileColumns(wanted) },
      {
        file: 'more.parquet',
        values: { ticker: 'IBM' },
        columns: [...fileColumns(retyped({ size: 'int' })), { name: 'venue', type: 'string' }],
      },
    ],
  })
  expect(report).toMatchObject({ ok: false, partitions: 3, files: 3 })
  expect(told(report)).toEqual([
    ['table', 'market.trades', 'size read'],
    ['partition', 'ticker=AAPL', 'size HIVE_PARTITION_SCHEMA_MISMATCH'],
    ['partition', 'ticker=BRK.B', 'leg HIVE_PARTITION_SCHEMA_MISMATCH'],
    ['file', 'new.parquet', 'size GENERIC_INTERNAL_ERROR'],
    ['file', 'text.parquet', 'size HIVE_BAD_DATA'],
    ['file', 'more.parquet', 'venue hidden'],
  ])
})

test('an older partition is told for what it does to new files', async () => {
  const { client } = catalogOf(wanted, {
    IBM: retyped({ size: 'int' }),
    AAPL: retyped({ leg: 'struct<price:double>' }),
  })
  const { drifts } = await checkDrift({ client, table })
  expect(drifts.map(({ place, changes }) => [place, changes[0]?.reason])).toEqual([
    ['ticker=IBM', 'old files are read; files of the new type end queries with an error there'],
    ['ticker=AAPL', 'the new field is NULL there in new files too, without an error'],
  ])
})

test('partitions of a projected table have no columns of their own', async () => {
  const { client, sent } = catalogOf(wanted, { IBM: retyped({ size: 'string' }) }, true)
  const columns = fileColumns(retyped({ size: 'int' }))
  const report = await checkDrift({
    client,
    table,
    files: [{ file: 'a.parquet', values: { ticker: 'IBM' }, columns }],
  })
  // Old files of a narrower type are read as they are; the registered partition has nothing to say.
  expect(told(report)).toEqual([])
  const wider = fileColumns(retyped({ leg: 'struct<price:double,size:string>' }))
  const other = await checkDrift({
    client,
    table,
    files: [
      { file: 'b.parquet', values: { ticker: 'IBM' }, columns: wider },
      { file: 'c.parquet', columns: [], unreadable: 'it does not end with PAR1' },
    ],
  })
  expect(told(other)).toEqual([
    ['file', 'b.parquet', 'leg.size HIVE_BAD_DATA'],
    ['file', 'c.parquet'],
  ])
  expect(other.drifts[1]?.unreadable).toBe('it does not end with PAR1')
  expect(sent.map(({ operation }) => operation)).toEqual(['GetTable', 'GetTable'])
})

test('a table that the catalog does not have is an error', async () => {
  const { client } = fakeGlue(() => {
    throw serviceException('EntityNotFoundException')
  })
  await expect(checkDrift({ client, table })).rejects.toMatchObject({ code: 'TABLE_UNKNOWN' })
})
