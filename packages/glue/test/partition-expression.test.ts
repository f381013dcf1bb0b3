import { defineTable, identity, t } from '@stockpipe/core'
import { expect, test } from 'vitest'
import { partitionExpressions } from '../src/index.ts'
import { boundTrades } from './market-tables.ts'

test('values are quoted, ranges leave the default partition out, lists are IN', () => {
  expect(partitionExpressions(boundTrades, { ticker: "O'Neil' OR '1'='1" })).toEqual([
    "ticker = 'O''Neil'' OR ''1''=''1'",
  ])
  expect(
    partitionExpressions(boundTrades, {
      trade_date: { from: '2024-01-01', to: '2024-01-31' },
      ticker: ['BRK.B', null, 'BRK.B'],
    }),
  ).toEqual([
    "trade_date >= '2024-01-01' AND trade_date <= '2024-01-31' AND ticker IN ('BRK.B', '__HIVE_DEFAULT_PARTITION__')",
  ])
  expect(partitionExpressions(boundTrades, { trade_date: { after: '2024' } })).toEqual([
    "trade_date > '2024' AND trade_date <> '__HIVE_DEFAULT_PARTITION__'",
  ])
  expect(partitionExpressions(boundTrades, { ticker: { startsWith: 'a_b%' } })).toEqual([
    "ticker >= 'a_b%' AND ticker < 'a_b&'",
  ])
  expect(partitionExpressions(boundTrades, { ticker: { not: ['A', null] } })).toEqual([
    "ticker <> 'A' AND ticker <> '__HIVE_DEFAULT_PARTITION__'",
  ])
  expect(partitionExpressions(boundTrades, {})).toEqual([''])
})

test('200 odd symbols by 400 days are split into expressions of at most 2,048 characters, each pair in one', () => {
  const symbols = Array.from({ length: 200 }, (_, index) => `S'${index}.${'x'.repeat(index % 17)}`)
  const days = Array.from({ length: 400 }, (_, index) =>
    new Date(Date.UTC(2024, 0, 1 + index)).toISOString().slice(0, 10),
  )
  const expressions = partitionExpressions(boundTrades, { trade_date: days, ticker: symbols })
  const pairs = new Set<string>()
  let total = 0
  for (const expression of expressions) {
    expect(expression.length).toBeLessThanOrEqual(2048)
    const [dayText, symbolText] = expression
      .split(' AND ')
      .map((part) => [...part.matchAll(/'((?:[^']|'')*)'/g)])
    for (const [, day] of dayText!) {
      for (const [, symbol] of symbolText!) {
        pairs.add(`${day} ${symbol}`)
        total += 1
      }
    }
  }
  expect(pairs.size).toBe(symbols.length * days.length)
  expect(total).toBe(pairs.size)
})

test('a filter no split makes short enough is refused, and so are unknown names and conditions', () => {
  const not = Array.from({ length: 300 }, (_, index) => `T${index}`)
  expect(() => partitionExpressions(boundTrades, { ticker: { not } })).toThrow(
    /characters as Glue's expression, and Glue takes 2048/,
  )
  expect(() => partitionExpressions(boundTrades, { venue: 'x' } as never)).toThrow(
    /no partition 'venue'; it has trade_date, ticker/,
  )
  expect(() => partitionExpressions(boundTrades, { ticker: { startsWith: '' } })).toThrow(/not empty/)
  expect(() => partitionExpressions(boundTrades, { ticker: {} })).toThrow(/is a value, a list, or has from/)
  expect(() => partitionExpressions(boundTrades, { ticker: { like: 'x' } } as never)).toThrow(
    /is a value, a list/,
  )
  for (const odd of [
    5,
    [5],
    [undefined],
    { not: 5 },
    { not: undefined },
    { from: 5 },
    { startsWith: null },
  ]) {
    expect(() => partitionExpressions(boundTrades, { ticker: odd } as never)).toThrow(/is a value, a list/)
  }
})

test('a partition named like a keyword of Glue’s parser is left out of the expression', () => {
  const table = defineTable('orders', {
    columns: { side: t.string(), id: t.string() },
    partitions: { order: identity('id'), kind: identity('side') },
  }).at({ database: 'market', location: 's3://market-lake/orders/' })
  expect(partitionExpressions(table, { order: '1', kind: 'buy' })).toEqual(["kind = 'buy'"])
})
