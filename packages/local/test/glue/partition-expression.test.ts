import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parsePartitionExpression } from '../../src/glue/partition-expression.ts'

const keys = [
  { Name: 'year', Type: 'int' },
  { Name: 'ticker', Type: 'string' },
  { Name: 'dt', Type: 'date' },
  { Name: 'level', Type: 'decimal(6,2)' },
  { Name: 'at', Type: 'timestamp' },
]
const partition = ['2024', 'BRK.B', '2024-03-08', '1.50', '2024-03-08 14:30:00']
const matches = (expression: string, values = partition): boolean =>
  parsePartitionExpression(expression, keys)(values)

describe('GetPartitions expression', () => {
  it.each([
    ["ticker = 'BRK.B'", true],
    ["ticker <> 'BRK.B'", false],
    ["TICKER = 'BRK.B' AND year = 2024", true],
    ["year = '2024'", true],
    ['year > 999', true],
    ["year > '999'", true],
    ['year between 2023 and 2024', true],
    ['year in (1, 2, 2024)', true],
    ['year not in (1, 2, 2024)', false],
    ["ticker like 'BRK%'", true],
    ["ticker like 'BRK_B'", true],
    ["ticker like 'BRK'", false],
    ["ticker not like 'A%'", true],
    ["dt >= '2024-03-01' and dt < '2024-04-01'", true],
    ["dt = date '2024-03-08'", true],
    ["(year = 1 or year = 2024) and not (ticker = 'X')", true],
    ["year = 1 or year = 2024 and ticker = 'X'", false],
    ["at = '2024-03-08 14:30:00.000'", true],
    ["at < timestamp '2024-03-08 14:30:00.5'", true],
    ['2024 <= year', true],
    ['2024 < year', false],
    ['level = 1.5', true],
    ['level < 1.6', true],
    ['level > 10', false],
    ['ticker is not null', true],
    ['ticker is null', false],
    ["`ticker` = 'BRK.B'", true],
  ])('%s is %s', (expression, expected) => {
    expect(matches(expression)).toBe(expected)
  })

  it('takes a doubled quote as one quote', () => {
    expect(matches("ticker = 'O''X'", ['1', "O'X", '', '0'])).toBe(true)
  })

  it('matches nothing by a comparison with the null partition, nor by its negation', () => {
    const values = ['__HIVE_DEFAULT_PARTITION__', 'A', '2024-01-01', '1']
    expect(matches('year = 1', values)).toBe(false)
    expect(matches('not (year = 1)', values)).toBe(false)
    expect(matches('year is null', values)).toBe(false)
    expect(matches('year is not null', values)).toBe(false)
  })

  it('finds the null partition of a text key by its name, and by nothing else', () => {
    const values = ['1', '__HIVE_DEFAULT_PARTITION__', '2024-01-01', '1']
    expect(matches("(ticker = '__HIVE_DEFAULT_PARTITION__')", values)).toBe(true)
    expect(matches("ticker = 'A'", values)).toBe(false)
    expect(matches('ticker is null', values)).toBe(false)
  })

  it('fails as InvalidStateException where a partition has what the type of its key cannot hold', () => {
    const compare = (expression: string, values: string[]) => () => matches(expression, values)
    const failure = expect.objectContaining({ name: 'InvalidStateException' })
    expect(compare('year > 1', ['nine', 'A', '2024-01-01', '1'])).toThrowError(failure)
    expect(compare("dt > '2024-01-01'", ['9', 'A', '20240101', '1'])).toThrowError(failure)
    expect(matches("ticker = 'A'", ['nine', 'A', '20240101', '1'])).toBe(true)
  })

  it.each([
    '',
    'ticker',
    'ticker =',
    "other = 'x'",
    "year = 'x'",
    "ticker = 'x' ticker",
    "(ticker = 'x'",
    "substr(ticker, 1) = 'x'",
    "ticker = 'x",
    'ticker = year',
    'year + 1 = 2',
    "year like '2%'",
    "dt = 'yesterday'",
    "dt = '2024-02-30'",
    "at > '2024-03-08'",
    "ticker = 'x'; drop",
  ])('refuses %j as InvalidInputException', (expression) => {
    expect(() => matches(expression)).toThrowError(expect.objectContaining({ name: 'InvalidInputException' }))
  })

  it('agrees with plain comparison for any integers', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), (value, literal) => {
        const values = [String(value), '', '', '0']
        return (
          matches(`year < ${literal}`, values) === value < literal &&
          matches(`year = ${literal}`, values) === (value === literal) &&
          matches(`year >= '${literal}'`, values) === value >= literal
        )
      }),
    )
  })
})
