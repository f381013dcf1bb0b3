import { getEventListeners } from 'node:events'
import { BatchGetQueryExecutionCommand, ListQueryExecutionsCommand } from '@aws-sdk/client-athena'
import { t } from '@stockpipe/core'
import { startLocalStack } from '@stockpipe/local'
import { expect, test } from 'vitest'
import { createAthena, QueryNotStoppedError } from '../src/index.ts'
import { athenaClient, createBucket } from './create-bucket.ts'
import { localAthena } from './local-athena.ts'

const local = localAthena('default')

const columns = { n: t.int64() }
const endless = `SELECT count(*) AS n FROM UNNEST(sequence(1, 9999)) a(x), UNNEST(sequence(1, 9999)) b(y),
  UNNEST(sequence(1, 9999)) c(z) WHERE x + y + z < 0`

/** How many queries the server has under way. */
const underWay = async (): Promise<number> => {
  const { client } = local()
  const { QueryExecutionIds: ids = [] } = await client.send(new ListQueryExecutionsCommand({}))
  if (ids.length === 0) return 0
  const { QueryExecutions: executions = [] } = await client.send(
    new BatchGetQueryExecutionCommand({ QueryExecutionIds: ids.slice(0, 50) }),
  )
  return executions.filter(({ Status }) => ['QUEUED', 'RUNNING'].includes(Status?.State ?? '')).length
}

test('a query leaves nothing at the signal or on the server, whenever it is given up', async () => {
  const { athena } = local()
  const reason = new Error('enough')
  for (const delayMillis of [undefined, 0, 1, 5, 20, 100]) {
    const abort = new AbortController()
    const { signal } = abort
    if (delayMillis === undefined) abort.abort(reason)
    else setTimeout(() => abort.abort(reason), delayMillis)
    await expect(athena.query({ sql: endless, columns, signal })).rejects.toBe(reason)
    expect(getEventListeners(signal, 'abort')).toEqual([])
    expect(await underWay()).toBe(0)
  }
  const abort = new AbortController()
  const onStart = () => abort.abort(reason)
  await expect(athena.query({ sql: endless, columns, signal: abort.signal, onStart })).rejects.toBe(reason)
  await expect(athena.query({ sql: endless, columns, timeoutMillis: 50 })).rejects.toThrow(
    'timeoutMillis, 50 ms',
  )
  const rows = athena.stream({ sql: endless, columns })
  void rows.next()
  await rows.return()
  expect(await underWay()).toBe(0)
}, 60_000)

/** A stack and a client of its own, which the test may end. */
const ownStack = async () => {
  const stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  const client = athenaClient(stack.aws)
  await createBucket(stack.aws, 'results')
  const athena = createAthena({ client, database: 'default', outputLocation: 's3://results/' })
  return { stack, client, athena }
}

test('a client that is destroyed while a query runs answers all the same', async () => {
  const { stack, client, athena } = await ownStack()
  try {
    const { rows } = await athena.query({ sql: 'SELECT 1 AS n', columns, onStart: () => client.destroy() })
    expect(rows).toEqual([{ n: 1n }])
  } finally {
    client.destroy()
    await stack.close()
  }
}, 60_000)

test('a service that goes away in the middle of queries is told of each, within seconds', async () => {
  const { stack, client, athena } = await ownStack()
  let closed: Promise<void> | undefined
  try {
    const ids: string[] = []
    const onStart = (id: string) => {
      if (ids.push(id) === 3) closed = stack.close()
    }
    const run = () => athena.query({ sql: endless, columns, onStart })
    const ends = await Promise.allSettled([run(), run(), run()])
    for (const end of ends) {
      const { reason } = end as PromiseRejectedResult
      expect(reason).toBeInstanceOf(QueryNotStoppedError)
      expect(ids).toContain(reason.facts.queryExecutionId)
      expect(reason.message).toContain('may still run: Athena StopQueryExecution')
      expect(reason.message).toContain('ECONNREFUSED')
    }
  } finally {
    client.destroy()
    await (closed ?? stack.close())
  }
}, 60_000)
