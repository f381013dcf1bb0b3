import { day, defineTable, t } from '@stockpipe/core'
import { describe, expect, test } from 'vitest'
import { checkEvolution } from '../src/index.ts'

const change = (before: string, after: string, partitionSchemas: 'own' | 'none') =>
  checkEvolution([{ name: 'a', type: before }], [{ name: 'a', type: after }], { partitionSchemas })
const verdict = (before: string, after: string, partitionSchemas: 'own' | 'none') =>
  change(before, after, partitionSchemas).changes.map((one) =>
    one.outcome === 'error' ? `${one.path} ${one.error}` : `${one.path} ${one.outcome}`,
  )

const mismatch = 'a HIVE_PARTITION_SCHEMA_MISMATCH'

describe('a column whose type changes', () => {
  test.each<[string, string, string, string]>([
    ['tinyint', 'bigint', 'a read', 'a read'],
    ['int', 'bigint', 'a read', 'a read'],
    ['float', 'double', 'a read', 'a read'],
    ['real', 'double', 'a read', 'a read'],
    ['bigint', 'int', mismatch, 'a GENERIC_INTERNAL_ERROR'],
    ['int', 'smallint', mismatch, 'a GENERIC_INTERNAL_ERROR'],
    ['double', 'float', mismatch, 'a HIVE_BAD_DATA'],
    ['int', 'double', mismatch, 'a HIVE_BAD_DATA'],
    ['int', 'string', mismatch, 'a HIVE_BAD_DATA'],
    ['string', 'int', mismatch, 'a HIVE_BAD_DATA'],
    ['int', 'decimal(10,2)', mismatch, 'a HIVE_BAD_DATA'],
    ['double', 'decimal(18,4)', mismatch, 'a HIVE_BAD_DATA'],
    ['timestamp', 'date', mismatch, 'a HIVE_BAD_DATA'],
    ['timestamp', 'bigint', mismatch, 'a lossy'],
    ['binary', 'string', mismatch, 'a HIVE_BAD_DATA'],
    ['string', 'array<string>', mismatch, 'a HIVE_BAD_DATA'],
    ['decimal(18,4)', 'decimal(20,6)', mismatch, 'a read'],
    ['decimal(18,4)', 'decimal(18,2)', mismatch, 'a lossy'],
    ['decimal(18,4)', 'decimal(18,6)', mismatch, 'a GENERIC_INTERNAL_ERROR'],
    ['string', 'varchar(5)', mismatch, 'a lossy'],
    ['varchar(5)', 'string', mismatch, 'a read'],
    ['array<int>', 'array<bigint>', 'a.element read', 'a.element read'],
    ['map<string,int>', 'map<string,bigint>', 'a.value read', 'a.value read'],
    ['map<int,int>', 'map<string,int>', 'a.key HIVE_PARTITION_SCHEMA_MISMATCH', 'a.key HIVE_BAD_DATA'],
    ['struct<x:int>', 'struct<x:int,y:int>', 'a.y null', 'a.y null'],
    ['struct<x:int>', 'struct<y:int,x:int>', mismatch, 'a.y null'],
    ['struct<x:int,y:int>', 'struct<x:int>', mismatch, 'a.y hidden'],
    ['struct<x:int,y:int>', 'struct<y:int,x:int>', mismatch, 'a read'],
    ['array<struct<x:int>>', 'array<struct<x:bigint>>', 'a.element.x read', 'a.element.x read'],
  ])('from %s to %s: %s where partitions have their own, else %s', (before, after, own, none) => {
    expect(verdict(before, after, 'own')).toEqual([own])
    expect(verdict(before, after, 'none')).toEqual([none])
  })

  test('is the same whatever its case and blanks', () => {
    for (const [before, after] of [
      ['INTEGER', 'int'],
      [
        'ARRAY<STRUCT<Price: DECIMAL(18, 4), Fees: MAP<STRING, REAL>>>',
        'array<struct<price:decimal(18,4),fees:map<string,float>>>',
      ],
      ['decimal', 'decimal(10,0)'],
    ] as const) {
      expect(change(before, after, 'own')).toEqual({ changes: [], survives: true, errors: [] })
    }
  })
})

test('definitions are compared by what the catalog has of them, with partitions of their own where there are any', () => {
  const before = defineTable('trades', {
    columns: { symbol: t.string(), size: t.int32(), price: t.double(), ts: t.timestamp() },
    partitions: { trade_date: day('ts') },
  })
  const after = defineTable('trades', {
    columns: {
      symbol: t.json(),
      size: t.int64(),
      price: t.decimal(18, 4),
      venue: t.string(),
      ts: t.timestamp(),
    },
    partitions: { trade_date: day('ts') },
  })
  const evolution = checkEvolution(before, after.at({ database: 'market', location: 's3://lake/' }))
  expect(evolution.survives).toBe(false)
  expect(evolution.errors).toEqual(['HIVE_PARTITION_SCHEMA_MISMATCH'])
  expect(evolution.changes.map(({ path, kind, before, after }) => [path, kind, before, after])).toEqual([
    ['size', 'retyped', 'int', 'bigint'],
    ['price', 'retyped', 'double', 'decimal(18,4)'],
    ['venue', 'added', undefined, 'string'],
  ])
  expect(checkEvolution(before, before)).toEqual({ changes: [], survives: true, errors: [] })
})

test('a column under another name is one dropped and one added, and likely renamed', () => {
  const { changes, survives } = checkEvolution(
    [
      { name: 'Symbol', type: 'string' },
      { name: 'px', type: 'double' },
    ],
    [
      { name: 'symbol', type: 'string' },
      { name: 'price', type: 'double' },
    ],
  )
  expect(survives).toBe(false)
  expect(changes).toMatchObject([
    {
      column: 'price',
      kind: 'added',
      outcome: 'null',
      reason: expect.stringContaining("if it is 'px' renamed"),
    },
    { column: 'px', kind: 'dropped', outcome: 'hidden' },
  ])
})
