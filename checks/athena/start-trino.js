import { setTimeout as sleep } from 'node:timers/promises'
import { startLane } from '../lane-process.js'
import { askTrino } from './ask-trino.js'

/**
 * Trino over a stack's catalog and files; undefined, with a `skipped:` line, where this machine lacks what it needs.
 * `table` of `database` is one it can read.
 */
export const startTrino = async ({ endpoint, region, accessKeyId, secretAccessKey }, database, table) => {
  const endpoints = ['--glue-endpoint', endpoint, '--s3-endpoint', endpoint, '--region', region]
  const access = ['--access-key', accessKeyId, '--secret-key', secretAccessKey]
  const lane = await startLane('trino', [...endpoints, ...access])
  if (lane === undefined) return undefined
  const { trino } = lane.address
  try {
    // It says that it has started before it knows itself as a worker.
    for (let tries = 0; ; tries++) {
      const { error } = await askTrino(trino, database, `SELECT count(*) FROM ${table}`)
      if (error === undefined) break
      if (tries === 60) throw new Error(`Trino answers no query: ${error.name}: ${error.message}`)
      await sleep(500)
    }
  } catch (error) {
    await lane.close()
    throw error
  }
  return { trino, close: lane.close }
}
