import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildFast, install, packageFolders, root } from '../scripts/workspace.js'

// The embedded Kafka in a process of its own, one kafkajs in this one: the time to be ready, messages a second in and
// out, and the memory of the stack over a large log. Writes benchmarks/results/<date>-local-kafka.json.
// --share 0.1 does a tenth of everything; exits with 1 when a figure is missed.
const { values } = parseArgs({
  options: { share: { type: 'string', default: '1' }, save: { type: 'boolean', default: false } },
})
const share = Number(values.share)
if (!(share > 0 && share <= 1)) throw new Error('--share takes a number above 0, at most 1')
const wanted = { readyMillis: 1000, inPerSecond: 50_000, outPerSecond: 250_000, memoryMegabytes: 250 }

await install('all')
await buildFast(packageFolders.filter((folder) => folder !== 'examples'))
const { Kafka, logLevel, CompressionTypes } = createRequire(join(root, 'packages/kafka/package.json'))(
  'kafkajs',
)
const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-benchmark-'))

const begun = performance.now()
const stack = spawn(
  process.execPath,
  [
    join(root, 'packages/cli/dist/stockpipe.js'),
    'local',
    ...['--data-dir', dataDir],
    ...['--kafka-port', '0', '--http-port', '0'],
  ],
  { stdio: ['ignore', 'pipe', 'ignore'] },
)
const ended = new Promise((resolve) => stack.on('exit', resolve))

/** Peak and present resident memory of the stack, MB. */
const memory = () => {
  const status = readFileSync(`/proc/${stack.pid}/status`, 'utf8')
  const megabytes = (name) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024)
  return { present: megabytes('VmRSS'), peak: megabytes('VmHWM') }
}

const seconds = async (work) => {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

/** Sends `count` messages of `bytes` bytes, `batch` a send, to one topic of 4 partitions. */
const produce = async (kafka, topic, { count, bytes, batch }) => {
  const admin = kafka.admin()
  await admin.createTopics({ topics: [{ topic, numPartitions: 4 }] })
  await admin.disconnect()
  const producer = kafka.producer()
  await producer.connect()
  const value = Buffer.alloc(bytes, '{"symbol":"BRK.B","price":444.05}')
  let sent = 0
  const send = async () => {
    while (sent < count) {
      const partition = (sent / batch) % 4
      sent += batch
      const messages = Array.from({ length: batch }, () => ({ value, partition }))
      await producer.send({ topic, messages, acks: -1, compression: CompressionTypes.None })
    }
  }
  const time = await seconds(() => Promise.all([send(), send(), send(), send()]))
  await producer.disconnect()
  return time
}

/** Reads `count` messages; the time runs from the assignment to the last one. */
const consume = async (kafka, topic, count) => {
  const consumer = kafka.consumer({ groupId: `of-${topic}-${randomUUID()}`, maxBytesPerPartition: 1_048_576 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let from
  let read = 0
  const done = new Promise((resolve, reject) => {
    consumer.on('consumer.group_join', () => {
      from = performance.now()
    })
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
    consumer
      .run({
        eachBatchAutoResolve: true,
        eachBatch: async ({ batch }) => {
          read += batch.messages.length
          if (read >= count) resolve((performance.now() - from) / 1000)
        },
      })
      .catch(reject)
  })
  const time = await done
  await consumer.disconnect()
  return time
}

let failed = false
const figure = (text, holds) => {
  if (!holds) failed = true
  console.log(`figure: ${text}${holds ? '' : ' (missed)'}`)
}

try {
  const line = await new Promise((resolve, reject) => {
    let text = ''
    stack.stdout.on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
    ended.then((code) => reject(new Error(`stockpipe local ended with ${code} before it was ready`)))
  })
  const readyMillis = Math.round(performance.now() - begun)
  figure(`stockpipe local ready in ${readyMillis} ms`, readyMillis < wanted.readyMillis)
  const { brokers } = JSON.parse(line).kafka
  const kafka = new Kafka({ brokers, clientId: 'benchmark', logLevel: logLevel.NOTHING })

  const count = Math.round((1_000_000 * share) / 4000) * 4000
  await produce(kafka, 'warm-up', { count: 20_000, bytes: 95, batch: 1000 })
  const inSeconds = await produce(kafka, 'small', { count, bytes: 95, batch: 1000 })
  const inPerSecond = Math.round(count / inSeconds)
  figure(`${inPerSecond.toLocaleString('en')} messages a second in`, inPerSecond >= wanted.inPerSecond)
  const outSeconds = Math.min(await consume(kafka, 'small', count), await consume(kafka, 'small', count))
  const outPerSecond = Math.round(count / outSeconds)
  figure(`${outPerSecond.toLocaleString('en')} messages a second out`, outPerSecond >= wanted.outPerSecond)

  const { bavail, bsize } = statfsSync(dataDir)
  const logBytes = 5_000_000_000 * share
  if (bavail * bsize < logBytes * 1.2) throw new Error(`${dataDir} has not room for ${logBytes} bytes`)
  const large = Math.round(logBytes / 10_000 / 400) * 400
  await produce(kafka, 'large', { count: large, bytes: 10_000, batch: 100 })
  await consume(kafka, 'large', large)
  const { present, peak } = memory()
  figure(
    `memory of the stack over a log of ${(logBytes / 1e9).toFixed(1)} GB: ${present} MB, at most ${peak} MB`,
    peak < wanted.memoryMegabytes,
  )
  if (values.save) {
    const date = new Date().toISOString().slice(0, 10)
    const result = { date, node: process.version, cores: cpus().length, share, count, readyMillis }
    writeFileSync(
      join(root, `benchmarks/results/${date}-local-kafka.json`),
      `${JSON.stringify({ ...result, inPerSecond, outPerSecond, logBytes, memoryMegabytes: { present, peak } }, null, 2)}\n`,
    )
  }
} finally {
  stack.kill('SIGTERM')
  await ended
  rmSync(dataDir, { recursive: true, force: true })
}
if (failed) process.exitCode = 1
