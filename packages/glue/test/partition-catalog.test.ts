import { expect, test } from 'vitest'
import { createPartitionCatalog, type GlueSender } from '../src/index.ts'
import { boundTrades } from './market-tables.ts'

test('a call that is aborted takes no other with it', async () => {
  const client = {
    send: (command: { constructor: { name: string } }, { abortSignal }: { abortSignal?: AbortSignal }) =>
      new Promise((resolve, reject) => {
        const answer =
          command.constructor.name === 'GetTableCommand'
            ? { Table: {} }
            : { Partition: { StorageDescriptor: { Location: 's3://market-lake/x' } } }
        abortSignal?.addEventListener('abort', () => reject(new Error('the call was aborted')))
        setTimeout(() => resolve(answer), 20)
      }),
  } as unknown as GlueSender
  const catalog = createPartitionCatalog({ client, table: boundTrades })
  const abort = new AbortController()
  const reason = new Error('enough')
  const values = ['2024-03-08', 'IBM']
  const aborted = catalog.get(values, { signal: abort.signal })
  const other = catalog.get(values)
  abort.abort(reason)
  await expect(aborted).rejects.toBe(reason)
  expect(await other).toEqual({ location: 's3://market-lake/x/', parameters: {} })
})
