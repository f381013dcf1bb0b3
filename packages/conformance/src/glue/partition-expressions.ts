import { GetPartitionsCommand } from '@aws-sdk/client-glue'
import { expect } from 'vitest'
import { type CaseCatalog, refusal, type TableName } from './case-catalog.ts'

const keys = [
  { Name: 'year', Type: 'int' },
  { Name: 'symbol', Type: 'string' },
  { Name: 'day', Type: 'date' },
]
const values = [
  ['9', 'AAPL', '2024-01-31'],
  ['10', 'AMZN', '2024-02-01'],
  ['2024', 'BRK.B', '2024-12-31'],
  ['-1', "O'N", '1999-12-31'],
]

/** An expression, and the symbols of the partitions it holds for. */
const held: readonly (readonly [string, readonly string[]])[] = [
  ['year = 9', ['AAPL']],
  ['year > 9', ['AMZN', 'BRK.B']],
  ['year >= 10 AND year <= 2024', ['AMZN', 'BRK.B']],
  ['year < 10', ['AAPL', "O'N"]],
  ['year <> 9', ['AMZN', 'BRK.B', "O'N"]],
  ['year IN (9, 2024, 7)', ['AAPL', 'BRK.B']],
  ['year NOT IN (9, 2024)', ['AMZN', "O'N"]],
  ['year BETWEEN 9 AND 10', ['AAPL', 'AMZN']],
  ['year NOT BETWEEN 9 AND 10', ['BRK.B', "O'N"]],
  ['year = -1', ["O'N"]],
  ["symbol = 'BRK.B'", ['BRK.B']],
  ["symbol > 'AAPL' AND symbol < 'B'", ['AMZN']],
  ["symbol = 'brk.b'", []],
  ["symbol LIKE 'A%'", ['AAPL', 'AMZN']],
  ["symbol LIKE 'A__L'", ['AAPL']],
  ["symbol LIKE 'BRK_B'", ['BRK.B']],
  ["symbol NOT LIKE 'A%'", ['BRK.B', "O'N"]],
  ["symbol = 'O''N'", ["O'N"]],
  ["day >= '2024-02-01'", ['AMZN', 'BRK.B']],
  ["day BETWEEN '2024-01-01' AND '2024-01-31'", ['AAPL']],
  ["year = 9 OR symbol = 'AMZN' AND year = 9", ['AAPL']],
  ["(year = 9 OR symbol = 'AMZN') AND day > '2024-01-31'", ['AMZN']],
  ['YEAR = 9 and Symbol is not null', ['AAPL']],
  ['symbol IS NULL', []],
]

const refused = [
  'nothing = 1',
  'year = ',
  'year ~ 9',
  "year = 'nine'",
  'year = 9 AND',
  'upper(symbol) = 9',
  '(year = 9',
  'year LIKE',
  "year LIKE '2%'",
  "day = 'yesterday'",
]

export const describePartitionExpressions = (catalog: CaseCatalog): void => {
  catalog.concept('partition expressions', (it) => {
    // One table serves all: these cases only read.
    let made: Promise<TableName> | undefined
    const table = () => (made ??= catalog.partitionedTable(keys, values))

    for (const [expression, symbols] of held) {
      it(`${expression}`, async () => {
        const found = await catalog.valuesOf(await table(), expression)
        expect(found.map(([, symbol]) => symbol).sort()).toEqual([...symbols])
      })
    }

    it('of a large number are compared exactly', async () => {
      const large = await catalog.partitionedTable(
        [{ Name: 'id', Type: 'bigint' }],
        [['9007199254740993'], ['9007199254740992']],
      )
      expect(await catalog.valuesOf(large, 'id > 9007199254740992')).toEqual([['9007199254740993']])
    })

    it('of decimals are compared as numbers', async () => {
      const decimals = await catalog.partitionedTable(
        [{ Name: 'strike', Type: 'decimal(10,2)' }],
        [['9.50'], ['10.00'], ['100.25']],
      )
      expect(await catalog.valuesOf(decimals, 'strike >= 10 AND strike < 100.5')).toEqual([
        ['10.00'],
        ['100.25'],
      ])
    })

    it("that meet a value which is not of its key's type are InvalidStateException", async () => {
      const stale = await catalog.partitionedTable([{ Name: 'year', Type: 'int' }], [['2024'], ['nine']])
      await expect(catalog.valuesOf(stale, 'year > 1')).rejects.toMatchObject(
        refusal('InvalidStateException'),
      )
    })

    for (const Expression of refused) {
      it(`${Expression} is InvalidInputException`, async () => {
        const answer = catalog.client.send(new GetPartitionsCommand({ ...(await table()), Expression }))
        await expect(answer).rejects.toMatchObject(refusal('InvalidInputException'))
      })
    }
  })
}
