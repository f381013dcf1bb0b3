import { readFileSync } from 'node:fs'
import kafkajs from 'kafkajs'
import { RunFigures } from '../run-figures.js'
import { ParquetFiles } from './parquet-files.js'

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs
const columns = JSON.parse(readFileSync(new URL('../columns.json', import.meta.url), 'utf8'))

const registerZstd = async () => {
  const { decompress, init } = await import('@bokuweb/zstd-wasm')
  await init()
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    decompress: async (bytes) => Buffer.from(decompress(bytes)),
  })
}

/**
 * What both programs over kafkajs have in common: a consumer that buffers `rowsPerFlush` rows (100,000 by default),
 * writes them as Parquet files and commits, until it is where the topic ended at the start. `handlers(trades)` answers
 * the handler that `run` gets.
 */
export const consumeTrades = async (handlers) => {
  const settings = JSON.parse(process.argv[2])
  const {
    brokers,
    topicName: topic,
    groupId,
    data,
    rowsPerFlush = 100_000,
    sessionTimeoutMillis = 30_000,
  } = settings
  const figures = new RunFigures()
  await registerZstd()
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const ends = new Map()
  for (const { partition, high } of await admin.fetchTopicOffsets(topic)) ends.set(partition, Number(high))
  const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] })
  await admin.disconnect()
  const left = new Map(ends)
  for (const { partition, offset } of committed.partitions) {
    if (Number(offset) >= ends.get(partition) || ends.get(partition) === 0) left.delete(partition)
  }

  const files = new ParquetFiles({ ...settings, columns: columns[data] })
  const next = new Map()
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: sessionTimeoutMillis,
    heartbeatInterval: sessionTimeoutMillis / 10,
  })
  let finish
  const finished = new Promise((resolve, reject) => {
    finish = resolve
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
  })
  const flush = async () => {
    await files.flush()
    await consumer.commitOffsets(
      [...next].map(([partition, offset]) => ({ topic, partition, offset: String(offset) })),
    )
  }
  const trades = {
    /** Takes the value of one record. */
    add(partition, message) {
      files.add(JSON.parse(message.value.toString()))
      next.set(partition, Number(message.offset) + 1)
    },
    counted: (rows) => figures.read(rows),
    isFull: () => files.rows >= rowsPerFlush,
    flush,
    isAtEnd: (partition) => next.get(partition) === ends.get(partition),
    /** Call when a partition is at its end: the last one ends the run. */
    async endPartition(partition) {
      left.delete(partition)
      if (left.size > 0) return
      await flush()
      finish()
    },
  }
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  if (left.size === 0) finish()
  else await consumer.run({ autoCommit: false, ...handlers(trades) })
  await finished
  figures.end()
  process.exit(0)
}
