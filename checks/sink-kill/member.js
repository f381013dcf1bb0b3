// One member of the consumer group: reads the topic into the table until it is told to end, or dies at a named point.
// Arguments: one JSON object. It sends `{ kind, ... }` messages to the process that started it.

import { setEnvironmentData } from 'node:worker_threads'
import { createRecordReader, runConsumer } from '../../packages/kafka/dist/index.js'
import { createS3ObjectStore, createSink } from '../../packages/s3-sink/dist/index.js'
import { kafkajs, s3Client } from '../stack/plain-clients.js'
import { mortal } from './mortal-store.js'
import { bucket, sinkName, table, topic } from './numbers-table.js'

const { brokers, s3, until, point, nth, rows, workers, crashMillis } = JSON.parse(process.argv[2])

const tell = (message) => new Promise((resolve) => process.send(message, resolve))

const kafka = new kafkajs.Kafka({
  brokers,
  logLevel: kafkajs.logLevel.NOTHING,
  retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 1000 },
})
const client = new s3Client.S3Client({
  endpoint: s3.endpoint,
  region: s3.region,
  credentials: s3,
  forcePathStyle: true,
})
const { store, registrar } = mortal(createS3ObjectStore({ client, bucket }), {
  point,
  nth,
  tell: (name) => tell({ kind: 'dies', point: name }),
})
const crashingWorker = new URL('./crashing-worker.js', import.meta.url)
setEnvironmentData('crashMillis', crashMillis)
const sink = createSink({
  name: sinkName,
  topic,
  table,
  store,
  registrar,
  writer: `member-${process.pid}`,
  rotation: { rows, ageMillis: 1500 },
  readAgain: createRecordReader({ kafka }),
  workers: crashMillis === undefined ? workers : { count: workers, entry: crashingWorker },
  onCommit: ({ rows: published }) => void process.send({ kind: 'group', rows: published }),
})
sink.on('failed', (_, error) => {
  if (error.name !== 'EngineLostError') return
  // The next worker lives.
  setEnvironmentData('crashMillis', undefined)
  void process.send({ kind: 'crashed' })
})
sink.on('fenced', () => void process.send({ kind: 'fenced' }))
const abort = new AbortController()
process.on('SIGTERM', () => abort.abort())
process.on('disconnect', () => process.exit(1))
try {
  const { reason } = await runConsumer({
    kafka,
    groupId: 'lake',
    topics: [topic],
    sink,
    sessionTimeoutMillis: 6000,
    heartbeatIntervalMillis: 1000,
    maxBlockRecords: 1000,
    signal: abort.signal,
    ...(until ? { until } : {}),
  })
  await sink.close()
  await tell({ kind: 'ended', reason })
  process.exit(0)
} catch (error) {
  await tell({ kind: 'failed', code: error.code, message: `${error.stack}` })
  process.exit(1)
}
