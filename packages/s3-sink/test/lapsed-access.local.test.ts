import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { defineTable, defineTopic, identity, t } from '@stockpipe/core'
import { startLocalStack } from '@stockpipe/local'
import { expect, it } from 'vitest'
import { createSink, verifySink } from '../src/index.ts'
import { consume, FakeLog } from './sink/fake-log.ts'

const trades = defineTable('trades', {
  columns: { symbol: t.string(), price: t.decimal(18, 4) },
  partitions: { ticker: identity('symbol') },
})
const topic = defineTopic('trades', { table: trades, partitions: 1 })
const record = (price: number) => JSON.stringify({ symbol: 'IBM', price: `${price}.5` })

it.each([
  ['S3 refuses', () => ({ secretAccessKey: 'a key of yesterday' })],
  [
    'the provider does not give',
    () => {
      throw Object.assign(new Error('no credentials'), { name: 'CredentialsProviderError' })
    },
  ],
])(
  'credentials that %s for a while stop nothing for good, and lose and double nothing',
  async (_, lapsed) => {
    const stack = await startLocalStack({ kafkaPort: 0, httpPort: 0 })
    let valid = true
    const client = new S3Client({
      endpoint: stack.aws.endpoint,
      region: stack.aws.region,
      forcePathStyle: true,
      // Always about to expire, so that the SDK asks for each call.
      credentials: async () => ({ ...stack.aws, ...(valid ? {} : lapsed()), expiration: new Date() }),
    })
    try {
      await client.send(new CreateBucketCommand({ Bucket: 'lake' }))
      const warnings: string[] = []
      const sink = createSink({
        name: 'trades',
        topic,
        table: trades.at({ database: 'market', location: 's3://lake/trades/' }),
        client,
        rotation: { rows: 10 },
        logger: { info() {}, warn: (text) => warnings.push(text), error: (text) => warnings.push(text) },
      })
      const failures: Error[] = []
      sink.on('failed', (_, error) => failures.push(error))
      const log = new FakeLog(0, 'trades').append(...Array.from({ length: 20 }, (_, n) => record(n)))
      await consume(sink, [log])
      await sink.flush()
      valid = false
      log.append(...Array.from({ length: 30 }, (_, n) => record(n)))
      await sink.write(log.block(20n))
      await expect
        .poll(() => warnings, { timeout: 30_000 })
        .toContainEqual(expect.stringMatching(/worked before and is refused now: .*Renew the credentials/))
      valid = true
      await sink.close()
      expect(failures).toEqual([])
      const report = await verifySink({ client, journal: 's3://lake/_stockpipe/journal/trades' })
      expect(report).toMatchObject({ ok: true, totals: { records: 50, rows: 50 } })
    } finally {
      client.destroy()
      await stack.close()
    }
  },
)
