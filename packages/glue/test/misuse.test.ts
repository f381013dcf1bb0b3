import { defineTable, t } from '@stockpipe/core'
import { expect, it } from 'vitest'
import {
  catalogTable,
  checkDrift,
  createPartitionCatalog,
  createPartitionRegistrar,
  createPartitions,
  defineBars,
  deletePartitions,
  ensurePartitionIndexes,
  ensureTable,
  getPartitions,
  listPartitions,
  planTables,
  updatePartitions,
} from '../src/index.ts'

const definition = defineTable('trades', { columns: { symbol: t.string() } })
const client = {
  send: () => {
    throw new Error('nothing is sent')
  },
}
/** What JavaScript lets pass. */
const options = { client, table: definition, partitions: [], indexes: [] } as never

it.each<[string, () => unknown]>([
  ['catalogTable', () => catalogTable(options)],
  ['checkDrift', () => checkDrift(options)],
  ['createPartitionCatalog', () => createPartitionCatalog(options)],
  ['createPartitionRegistrar', () => createPartitionRegistrar(options)],
  ['createPartitions', () => createPartitions(options)],
  ['defineBars', () => defineBars(definition as never, options)],
  ['deletePartitions', () => deletePartitions(options)],
  ['ensurePartitionIndexes', () => ensurePartitionIndexes(options)],
  ['ensureTable', () => ensureTable(options)],
  ['getPartitions', () => getPartitions(options)],
  ['listPartitions', () => (listPartitions(options) as AsyncIterator<unknown>).next()],
  ['planTables', () => planTables({ client, tables: [definition as never] } as never)],
  ['updatePartitions', () => updatePartitions(options)],
])('%s refuses a definition without a place by its name', async (_, use) => {
  await expect(async () => use()).rejects.toThrow(
    'Table trades is a definition without a place: pass what table.at({ database, location }) answers.',
  )
})
