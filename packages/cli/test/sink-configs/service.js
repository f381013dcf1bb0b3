import { S3Client } from '@aws-sdk/client-s3'
import { defineTable, defineTopic, identity, t } from '@stockpipe/core'
import { defineSinkConfig } from 'stockpipe'

// Runs on built packages, in a process of its own: see checks/sink-service.js.
const { KAFKA_BROKERS, AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, STOCKPIPE_TEST_WORKERS } =
  process.env
const trades = defineTable('trades', {
  columns: { symbol: t.string(), id: t.int64() },
  partitions: { ticker: identity('symbol') },
})

export default defineSinkConfig(() => {
  const client = new S3Client({
    endpoint: AWS_ENDPOINT_URL,
    region: 'us-east-1',
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
    forcePathStyle: true,
  })
  return {
    kafka: { clientId: 'check', brokers: KAFKA_BROKERS.split(',') },
    groupId: 'check',
    sink: {
      name: 'trades',
      topic: defineTopic('trades', { table: trades, key: 'symbol', partitions: 2 }),
      table: trades.at({ database: 'market', location: 's3://lake/trades/' }),
      client,
      rotation: { rows: 2000 },
      workers: Number(STOCKPIPE_TEST_WORKERS ?? 1),
    },
    consumer: { sessionTimeoutMillis: 6000, heartbeatIntervalMillis: 500 },
    close: () => client.destroy(),
  }
})
