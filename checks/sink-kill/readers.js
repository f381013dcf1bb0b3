// What the log holds and what the files hold, by readers that are not ours.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from '../../scripts/workspace.js'
import { kafkajs } from '../stack/plain-clients.js'
import { topic } from './numbers-table.js'

const duckdb = createRequire(join(root, 'packages/local/package.json'))('@duckdb/node-api')

/** Every record of the topic, by kafkajs: `partition-offset` to its id, or to null where it is no row. */
export const readLog = async (kafka) => {
  const admin = kafka.admin()
  await admin.connect()
  const ends = new Map(
    (await admin.fetchTopicOffsets(topic.name)).map(({ partition, high }) => [partition, Number(high)]),
  )
  await admin.disconnect()
  const records = new Map()
  const left = new Set([...ends].filter(([, end]) => end > 0).map(([partition]) => partition))
  const consumer = kafka.consumer({ groupId: `read-${process.pid}`, maxWaitTimeInMs: 200 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic.name], fromBeginning: true })
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
    if (left.size === 0) resolve()
    consumer
      .run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          for (const { offset, value } of batch.messages) {
            const { id, symbol } = JSON.parse(value.toString())
            records.set(`${batch.partition}-${offset}`, typeof symbol === 'string' ? id : null)
          }
          if (Number(batch.lastOffset()) + 1 >= ends.get(batch.partition)) left.delete(batch.partition)
          if (left.size === 0) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return records
}

/** Every row and dead letter below a folder of objects, by DuckDB: `[partition-offset, id or null]`. */
export const readFiles = async (folder) => {
  const instance = await duckdb.DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  const rowsOf = async (sql) => (await connection.runAndReadAll(sql)).getRows()
  const rows = await rowsOf(
    `SELECT kafka_partition, kafka_offset, id FROM read_parquet('${folder}/numbers/**/*.parquet', hive_partitioning = false)`,
  )
  const letters = await rowsOf(
    `SELECT "partition", "offset" FROM read_parquet('${folder}/_stockpipe/dead-letters/**/*.parquet')`,
  )
  connection.closeSync()
  return [
    ...rows.map(([partition, offset, id]) => [`${partition}-${offset}`, Number(id)]),
    ...letters.map(([partition, offset]) => [`${partition}-${offset}`, null]),
  ]
}

/** What is lost, doubled or other than in the log. */
export const compare = (log, files) => {
  const seen = new Set()
  const doubled = []
  const wrong = []
  for (const [at, id] of files) {
    if (seen.has(at)) doubled.push(at)
    seen.add(at)
    if (!log.has(at) || log.get(at) !== id) wrong.push(at)
  }
  const lost = [...log.keys()].filter((at) => !seen.has(at))
  return { lost, doubled, wrong }
}

export const clientOf = (brokers) =>
  new kafkajs.Kafka({
    brokers,
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 1000 },
  })
