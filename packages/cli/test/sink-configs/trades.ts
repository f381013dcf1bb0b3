import { S3Client } from '@aws-sdk/client-s3'
import { day, defineTable, defineTopic, identity, t } from '@stockpipe/core'
import { defineSinkConfig } from '../../src/index.ts'

/** A sink of trades on the services the usual variables name. */
export const trades = defineTable('trades', {
  columns: { symbol: t.string(), price: t.decimal(18, 4), ts: t.timestamp() },
  partitions: { trade_date: day('ts'), ticker: identity('symbol') },
})
export const topic = defineTopic('trades', { table: trades, key: 'symbol', partitions: 2 })

export default defineSinkConfig(() => {
  const {
    KAFKA_BROKERS = '',
    AWS_ENDPOINT_URL = '',
    AWS_ACCESS_KEY_ID = '',
    AWS_SECRET_ACCESS_KEY = '',
  } = process.env
  const client = new S3Client({
    endpoint: AWS_ENDPOINT_URL,
    region: 'us-east-1',
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
    forcePathStyle: true,
  })
  return {
    kafka: { clientId: 'service', brokers: KAFKA_BROKERS.split(',') },
    groupId: 'trades-to-lake',
    sink: {
      name: 'trades',
      topic,
      table: trades.at({ database: 'market', location: 's3://lake/trades/' }),
      client,
      rotation: { rows: 500, ageMillis: 300_000 },
    },
    consumer: { maxWaitMillis: 100, positionCheckMillis: 300, heartbeatIntervalMillis: 200 },
    close: () => client.destroy(),
  }
})
