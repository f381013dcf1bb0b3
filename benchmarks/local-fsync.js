import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startStack } from '../checks/stack/stack-process.js'
import { buildFast, install, packageFolders, root } from '../scripts/workspace.js'

// What `stockpipe local --fsync` costs: the same work with and without it, one after the other in one run, on the disk
// of the temporary directory. --save writes benchmarks/results/<date>-local-fsync.json; --share 0.1 does a tenth of
// everything; --built takes dist as it is. It misses no figure: the cost is the disk's.
const { values } = parseArgs({
  options: {
    share: { type: 'string', default: '1' },
    save: { type: 'boolean', default: false },
    built: { type: 'boolean', default: false },
  },
})
const share = Number(values.share)
if (!(share > 0 && share <= 1)) throw new Error('--share takes a number above 0, at most 1')

if (!values.built) {
  await install('all')
  await buildFast(packageFolders.filter((folder) => folder !== 'examples'))
}
const require = createRequire(join(root, 'packages/local/package.json'))
const { CompressionTypes, Kafka, logLevel } = require('kafkajs')
const { CreateBucketCommand, PutObjectCommand, S3Client } = require('@aws-sdk/client-s3')

/** Does `count` pieces of work, `concurrency` at a time, and answers how many a second. */
const perSecond = async (count, concurrency, work) => {
  let begun = 0
  const started = performance.now()
  const worker = async () => {
    while (begun < count) await work(begun++)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return count / ((performance.now() - started) / 1000)
}

const measure = async (flags) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-benchmark-'))
  const stack = await startStack({ dataDir, kafkaPort: 0, httpPort: 0, flags })
  try {
    const kafka = new Kafka({ brokers: stack.kafka.brokers, logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'trades', numPartitions: 4 }] })
    await admin.disconnect()
    const producer = kafka.producer()
    await producer.connect()
    const value = Buffer.alloc(95, '{"symbol":"BRK.B","price":444.05}')
    const send = (messages) => (number) =>
      producer.send({
        topic: 'trades',
        acks: -1,
        compression: CompressionTypes.None,
        messages: Array.from({ length: messages }, () => ({ value, partition: number % 4 })),
      })
    await perSecond(50, 4, send(1000))
    const batches = await perSecond(Math.round(1000 * share), 4, send(1000))
    const single = await perSecond(Math.round(1000 * share), 1, send(1))
    const concurrent = await perSecond(Math.round(5000 * share), 32, send(1))
    await producer.disconnect()

    const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
    const credentials = { accessKeyId, secretAccessKey }
    const s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
    await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
    const Body = Buffer.alloc(10_000, 'x')
    const put = (number) => s3.send(new PutObjectCommand({ Bucket: 'lake', Key: `day/${number}`, Body }))
    await perSecond(50, 8, put)
    const puts = await perSecond(Math.round(2000 * share), 8, put)
    s3.destroy()
    return {
      'messages a second, 1,000 a send, 4 sends at a time': Math.round(batches * 1000),
      'sends a second of one message, one at a time': Math.round(single),
      'sends a second of one message, 32 at a time': Math.round(concurrent),
      'puts a second of 10 kB, 8 at a time': Math.round(puts),
    }
  } finally {
    await stack.end('SIGTERM')
    rmSync(dataDir, { recursive: true, force: true })
  }
}

const without = await measure([])
const fsync = await measure(['--fsync'])
const figures = Object.keys(without).map((what) => {
  const ratio = Number((fsync[what] / without[what]).toFixed(3))
  const [slow, fast] = [fsync[what], without[what]].map((number) => number.toLocaleString('en'))
  console.log(`figure: ${what}: ${slow} with fsync, ${fast} without, ratio ${ratio}`)
  return { what, fsync: fsync[what], without: without[what], ratio }
})
if (values.save) {
  const date = new Date().toISOString().slice(0, 10)
  const result = { date, node: process.version, cores: cpus().length, share, figures }
  mkdirSync(join(root, 'benchmarks/results'), { recursive: true })
  writeFileSync(
    join(root, `benchmarks/results/${date}-local-fsync.json`),
    `${JSON.stringify(result, null, 2)}\n`,
  )
}
