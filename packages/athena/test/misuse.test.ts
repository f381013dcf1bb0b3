import { boundTable, ConfigurationError, defineTable, t } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { type AthenaSender, createAthena, latestPerSymbol, sql } from '../src/index.ts'
import { fullScan, projected, withBuilder, within } from '../src/kysely/index.ts'

const definition = defineTable('trades', { columns: { symbol: t.string(), ts: t.timestamp() } })
const client: AthenaSender = {
  send: () => {
    throw new Error('nothing is sent')
  },
}
const athena = withBuilder(createAthena({ client, database: 'market' }))
/** What JavaScript lets pass. */
const untyped = (value: unknown) => value as never

describe('what a program without a compiler passes', () => {
  const text = { sql: 'SELECT 1' }
  it.each<[string, () => unknown]>([
    ['the builder', () => athena.from(untyped(definition))],
    ['the builder under a name', () => athena.from(untyped({ trades: definition }))],
    ['within', () => within(untyped(definition), {} as never)],
    ['projected', () => projected(untyped(definition), {} as never)],
    ['fullScan', () => fullScan(untyped(definition))],
    ['a template', () => sql`SELECT * FROM ${untyped(definition)}`],
    ['a market query', () => latestPerSymbol(untyped(definition), { symbol: 'symbol', time: 'ts' } as never)],
    ['columns', () => athena.query({ ...text, columns: untyped(definition) })],
  ])('to %s: a definition without a place is refused by its name', async (_, use) => {
    await expect(async () => use()).rejects.toThrow(
      'Table trades is a definition without a place: pass what table.at({ database, location }) answers.',
    )
  })

  it.each([null, 'trades', undefined, 5])('to the builder: %j is no table', (given) => {
    expect(() => athena.from(untyped(given))).toThrow(ConfigurationError)
  })

  it('as columns: what is made neither by t nor by answer is refused by its name', async () => {
    await expect(athena.query({ ...text, columns: untyped({ price: 'decimal' }) })).rejects.toThrow(
      `Column 'price' of the answer is stated as "decimal": state it with t or answer, such as t.string().`,
    )
  })

  it.each([undefined, '', ' \n', 5])('as a statement: %j is none', async (given) => {
    await expect(athena.query({ sql: untyped(given) })).rejects.toMatchObject({ code: 'SQL_MISSING' })
  })

  it('leaves a bound table as it is', () => {
    const table = definition.at({ database: 'market', location: 's3://lake/trades/' })
    expect(boundTable(table)).toBe(table)
  })
})
