import { createInterface } from 'node:readline'
import { kafkajs, s3Client } from '../stack/plain-clients.js'
import { built, quotesTopic } from './quotes-table.js'

// The child of checks/store-outage.js: a consumer with a sink. A line `state` is answered with what it has done, `stop`
// ends it after everything is published.
const { aws, brokers, memory, workers } = JSON.parse(process.argv[2])
const { createSink, verifySink } = await built('s3-sink')
const { runConsumer } = await built('kafka')
const topic = await quotesTopic()
const table = topic.table.at({ database: 'market', location: 's3://lake/quotes/' })
const client = new s3Client.S3Client({
  endpoint: aws.endpoint,
  region: aws.region,
  credentials: { accessKeyId: aws.accessKeyId, secretAccessKey: aws.secretAccessKey },
  forcePathStyle: true,
})
const state = { published: 0, generations: [], revoked: 0, failed: [], full: 0 }
const sink = createSink({
  name: 'outage',
  topic,
  table,
  client,
  memory,
  workers,
  rotation: { bytes: 8 * 1024 * 1024, ageMillis: 3_000 },
  onCommit: ({ rows }) => {
    state.published += rows
  },
})
sink.on('full', () => {
  state.full += 1
})
for (const event of ['failed', 'fenced']) sink.on(event, (_, error) => state.failed.push(String(error)))
const [assign, revoke] = [sink.assign.bind(sink), sink.revoke.bind(sink)]
sink.assign = (logs, options) => {
  state.generations.push(options.generation)
  return assign(logs, options)
}
sink.revoke = (logs, options) => {
  state.revoked += logs.length
  return revoke(logs, options)
}
const stop = new AbortController()
const kafka = new kafkajs.Kafka({ clientId: 'outage', brokers, logLevel: kafkajs.logLevel.NOTHING })
const consumed = runConsumer({ kafka, groupId: 'outage', topics: [topic], sink, signal: stop.signal })
// Whatever ends the member before it is told to is a failure.
consumed.then(
  () => stop.signal.aborted || process.exit(3),
  (error) => {
    console.error(error)
    process.exit(3)
  },
)
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'state') console.log(JSON.stringify({ ...state, memory: sink.memory() }))
  if (line !== 'stop') continue
  stop.abort()
  await consumed
  await sink.close()
  const { totals, problems } = await verifySink({
    client,
    journal: 's3://lake/_stockpipe/journal/outage',
    table,
  })
  console.log(JSON.stringify({ ...state, rows: totals.rows, problems }))
  break
}
process.exit(0)
