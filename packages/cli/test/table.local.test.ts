import path from 'node:path'
import { GetTableCommand, GlueClient, UpdateTableCommand } from '@aws-sdk/client-glue'
import { createPartitions } from '@stockpipe/glue'
import { startLocalStack } from '@stockpipe/local'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { main } from '../src/index.ts'
import { capturedIO } from './captured-io.ts'
import { lake as boundTrades } from './table-configs/market.ts'

let stack: Awaited<ReturnType<typeof startLocalStack>>
let glue: GlueClient
beforeAll(async () => {
  stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  glue = new GlueClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
})
afterAll(async () => {
  glue?.destroy()
  await stack?.close()
})

const file = (name: string) => path.join(import.meta.dirname, 'table-configs', name)
const table = async (argv: readonly string[], more: object = {}) => {
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  const io = capturedIO({
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  })
  const status = await main(['table', ...argv], Object.assign(io, more))
  return { status, out: io.out(), err: io.err() }
}
const versionOfTrades = async () => {
  const { Table } = await glue.send(new GetTableCommand({ DatabaseName: 'market', Name: 'trades' }))
  return Table!
}

test('plan tells by its status whether anything differs, and apply makes it so once', async () => {
  const before = await table(['plan', file('market.ts')])
  expect(before).toMatchObject({ status: 3, err: '' })
  expect(before.out).toMatch(/^\+ database market\n\n\+ table market\.bars\n/)
  expect(before.out).toContain('+ column price decimal(18,4)')
  expect(before.out).toContain('+ parameter projection.ticker.values AAPL,BRK.B')
  expect(before.out).toMatch(
    /\n1 database to create, 2 to create, 0 to change, 0 to replace, 0 as defined\.\n$/,
  )

  const made = await table(['apply', file('market.ts')])
  expect(made).toMatchObject({ status: 0, err: '' })
  expect(made.out).toMatch(/\ncreated market\ncreated market\.bars\ncreated market\.trades\n$/)

  const after = await table(['plan', file('market.ts')])
  expect(after.status).toBe(0)
  expect(after.out).toContain('= table market.trades: nothing differs')
  expect((await table(['apply', file('market.ts')])).status).toBe(0)
  const json = await table(['plan', file('market.ts'), '--json'])
  expect(JSON.parse(json.out)).toMatchObject({
    formatVersion: 1,
    tables: [{ action: 'none' }, { action: 'none' }],
  })
})

test('what can be lost is applied when it is allowed: by name, by --yes or by a person', async () => {
  const next = file('market-next.ts')
  const plan = await table(['plan', next])
  expect(plan.status).toBe(3)
  expect(plan.out).toContain('~ column size int -> bigint')
  expect(plan.out).toMatch(/- column price decimal\(18,4\) +! drop-column: /)

  const refused = await table(['apply', next])
  expect(refused).toMatchObject({
    status: 1,
    err: 'stockpipe table: nothing was applied; if the changes marked with ! are meant, give --allow drop-column (or --yes).\n',
  })
  const wrong = await table(['apply', next, '--allow', 'everything'])
  expect(wrong).toMatchObject({ status: 2, err: expect.stringContaining("not 'everything'") })
  const questions: string[] = []
  const declined = await table(['apply', next], {
    ask: async (question: string) => {
      questions.push(question)
      return 'no'
    },
  })
  expect(declined).toMatchObject({ status: 1, err: 'stockpipe table: nothing was applied.\n' })
  expect(questions).toEqual(['Apply it, though drop-column can lose something? yes/no: '])
  expect((await versionOfTrades()).VersionId).toBe('0')

  const json = await table(['apply', next, '--allow', 'drop-column', '--json'])
  expect(json.status).toBe(0)
  expect(JSON.parse(json.out)).toEqual({
    databases: [],
    tables: [{ database: 'market', table: 'trades', outcome: 'updated' }],
  })
  expect(json.err).toContain('! drop-column')
  expect((await versionOfTrades()).VersionId).toBe('1')
  const back = await table(['apply', file('market.ts')], { ask: async () => 'yes' })
  expect(back.status).toBe(0)
  expect(back.out).toMatch(/updated market\.trades\n$/)
})

test('partitions that keep older columns are told of, and mended by apply', async () => {
  const tickers = Array.from({ length: 1200 }, (_, index) => `S${index}`)
  await createPartitions({
    client: glue,
    table: boundTrades,
    partitions: tickers.map((ticker) => ({ values: { trade_date: '2024-01-02', ticker } })),
  })
  const widened = file('market-wider.ts')
  const plan = await table(['plan', widened])
  expect(plan.status).toBe(3)
  expect(plan.out).toContain('~ 1200 of 1200 registered partitions older -> as defined')
  expect(plan.out).toContain('~ column size of 1200 of them int -> bigint')
  const made = await table(['apply', widened])
  expect(made).toMatchObject({
    status: 0,
    err: 'market.trades: 1000 of 1200 older partitions\nmarket.trades: 1200 of 1200 older partitions\n',
  })
  expect(made.out).toMatch(/updated market\.trades, 1200 older partitions\n$/)
  expect((await table(['plan', widened])).status).toBe(0)
  // Back to the table the other tests know.
  expect((await table(['apply', file('market.ts'), '--yes'])).status).toBe(0)
})

test('a table that another changes while a person thinks is left as it is', async () => {
  const answer = await table(['apply', file('market-next.ts')], {
    ask: async () => {
      const { Name, StorageDescriptor, PartitionKeys, TableType, Parameters } = await versionOfTrades()
      const TableInput = {
        Name,
        StorageDescriptor,
        PartitionKeys,
        TableType,
        Parameters,
        Description: 'mine',
      }
      await glue.send(new UpdateTableCommand({ DatabaseName: 'market', TableInput }))
      return 'yes'
    },
  })
  expect(answer.status).toBe(1)
  expect(answer.err).toMatch(
    /^stockpipe table: Table market\.trades is version \d+, and was \d+ since the plan was made/,
  )
  expect((await versionOfTrades()).Description).toBe('mine')
})

test('colours are for terminals', async () => {
  const written: string[] = []
  const terminal = { stdout: { isTTY: true, write: (text: string) => written.push(text) } }
  await table(['plan', file('market-next.ts')], terminal)
  expect(written.join('')).toContain('\u001b[31m')
  expect((await table(['plan', file('market-next.ts')])).out).not.toContain('\u001b')
})

test('a file without tables is refused in one sentence', async () => {
  const definitions = await table(['plan', path.join(import.meta.dirname, 'captured-io.ts')])
  expect(definitions).toMatchObject({ status: 2, err: expect.stringContaining('exports no table: ') })
  expect(await table(['plan', '/no/such.mjs'])).toMatchObject({
    status: 2,
    err: "stockpipe table: there is no file /no/such.mjs. See 'stockpipe table --help'.\n",
  })
})
