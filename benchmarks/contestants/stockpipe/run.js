// stockpipe as a user writes it, with its defaults (one worker thread). Beside that: the figures, and in runs with kills the settings that
// every contestant gets there.
import { S3Client } from '@aws-sdk/client-s3'
import { channels } from '@stockpipe/core'
import { runConsumer } from '@stockpipe/kafka'
import { createSink } from '@stockpipe/s3-sink'
import { Kafka, logLevel } from 'kafkajs'
import { RunFigures } from '../run-figures.js'
import { DiscardingStore } from './discarding-store.js'
import { tradesOf } from './trade-tables.js'

const {
  brokers,
  topicName,
  groupId,
  s3,
  bucket,
  data,
  compression,
  workers,
  discard,
  rowsPerFlush,
  sessionTimeoutMillis,
} = JSON.parse(process.argv[2])
const figures = new RunFigures()
// From the assignment on: no later than the first row.
channels.kafka.assigned.subscribe(() => figures.begin())
channels.kafka.block.subscribe(({ records }) => figures.read(records))

const { table, topic } = tradesOf(data, topicName)
const store = discard
  ? { store: new DiscardingStore() }
  : {
      client: new S3Client({
        endpoint: s3.endpoint,
        region: s3.region,
        credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
        forcePathStyle: true,
      }),
    }
const sink = createSink({
  name: 'trades',
  topic,
  table: table.at({ database: 'market', location: `s3://${bucket}/trades/` }),
  ...store,
  ...(compression && { compression }),
  ...(workers !== undefined && { workers }),
  ...(rowsPerFlush && { rotation: { rows: rowsPerFlush } }),
})
await runConsumer({
  kafka: new Kafka({ brokers, logLevel: logLevel.NOTHING }),
  groupId,
  topics: [topic],
  sink,
  until: 'latest',
  ...(sessionTimeoutMillis && { sessionTimeoutMillis, heartbeatIntervalMillis: sessionTimeoutMillis / 10 }),
})
await sink.close()
figures.end()
process.exit(0)
