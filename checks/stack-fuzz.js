import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { buildFast, install, packageFolders } from '../scripts/workspace.js'
import { KafkaWire } from './stack/kafka-wire.js'
import { kafkajs, s3Client } from './stack/plain-clients.js'
import { Random, seedFrom } from './stack/random.js'
import { freePort, startStack, within } from './stack/stack-process.js'
import { sendHttp } from './stack-fuzz/http-fuzz.js'
import { KafkaFuzzer } from './stack-fuzz/kafka-fuzz.js'

// Mutated Kafka frames and HTTP requests, half of them with right length, checksum and signature, against
// `stockpipe local`: no crash, no hang, no growth, no byte outside the data directory.
// `node checks/stack-fuzz.js [count] [seed]`
const count = Number(process.argv[2] ?? 100_000)
if (!Number.isInteger(count) || count < 1_000)
  throw new Error('usage: node checks/stack-fuzz.js [count >= 1000] [seed]')
const seed = seedFrom(process.argv[3])
const senders = 16
const saneEvery = 1_000
const leastShare = 0.3
const mebibyte = 1024 * 1024
const mostGrowth = { residentBytes: 150 * mebibyte, descriptors: 50, diskBytes: 200 * mebibyte }
const promptMillis = 10_000

await install('all')
await buildFast(packageFolders.filter((folder) => folder !== 'examples'))
// As deep as the names reach up, so that whatever leaves the data directory is found.
const watched = mkdtempSync(join(tmpdir(), 'stockpipe-fuzz-'))
const dataDir = join(watched, 'a/b/c/data')
const cwd = join(watched, 'a/b/c/cwd')
const temporary = join(watched, 'a/b/c/tmp')
for (const folder of [dataDir, cwd, temporary]) mkdirSync(folder, { recursive: true })
const ports = { kafkaPort: await freePort(), httpPort: await freePort() }
const start = () => startStack({ dataDir, ...ports, cwd, env: { TMPDIR: temporary } })

const filesOutside = () => [
  ...readdirSync(watched, { recursive: true })
    .filter((name) => !`${join(watched, name)}${sep}`.startsWith(dataDir + sep))
    .sort(),
  ...['/', tmpdir()].flatMap((folder) => readdirSync(folder).filter((name) => name.includes('escaped'))),
]
const diskBytes = () =>
  readdirSync(dataDir, { recursive: true }).reduce(
    (total, name) => total + (statSync(join(dataDir, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  )
/** What the process holds, where the kernel tells. */
const held = (pid) => {
  try {
    const residentKibibytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1])
    return { residentBytes: residentKibibytes * 1024, descriptors: readdirSync(`/proc/${pid}/fd`).length }
  } catch {
    return undefined
  }
}

const openS3 = ({ aws }) =>
  new s3Client.S3Client({
    endpoint: aws.endpoint,
    region: aws.region,
    credentials: { accessKeyId: aws.accessKeyId, secretAccessKey: aws.secretAccessKey },
    forcePathStyle: true,
    maxAttempts: 1,
  })

/** Plain clients find nothing changed: produce and consume, put and get. */
const servesPlainClients = async (stack, name) => {
  const s3 = openS3(stack)
  const object = { Bucket: 'sane', Key: name }
  await s3.send(new s3Client.CreateBucketCommand({ Bucket: 'sane' }))
  await s3.send(new s3Client.PutObjectCommand({ ...object, Body: name }))
  const got = await s3.send(new s3Client.GetObjectCommand(object))
  assert.equal(await got.Body.transformToString(), name)
  s3.destroy()
  const kafka = new kafkajs.Kafka({ brokers: stack.kafka.brokers, logLevel: kafkajs.logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: 'sane', acks: -1, messages: [{ value: name }] })
  await producer.disconnect()
  const consumer = kafka.consumer({ groupId: name })
  await consumer.connect()
  await consumer.subscribe({ topic: 'sane', fromBeginning: true })
  await new Promise((resolve, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
    const eachMessage = async ({ message }) => message.value.toString() === name && resolve()
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
}

let stack
try {
  stack = await start()
  const outsideBefore = filesOutside()
  const s3 = openS3(stack)
  await s3.send(new s3Client.CreateBucketCommand({ Bucket: 'fuzz' }))
  s3.destroy()
  await within(servesPlainClients(stack, 'before'), 60_000, 'plain clients')
  const handled = { kafka: 0, http: 0 }
  const sent = { kafka: 0, http: 0 }
  const failures = new Map()
  let next = 0
  let slowestSaneMillis = 0

  const sane = async () => {
    const begun = performance.now()
    const wire = new KafkaWire(ports.kafkaPort)
    await within(wire.request(18, 0, Buffer.alloc(0)), promptMillis, 'a sane ApiVersions')
    wire.close()
    await within(
      fetch(stack.aws.endpoint).then((answer) => answer.text()),
      promptMillis,
      'a sane HTTP request',
    )
    slowestSaneMillis = Math.max(slowestSaneMillis, performance.now() - begun)
    assert.ok(stack.isAlive(), `the stack ended:\n${stack.errorText()}`)
  }

  const sendUntil = async (end, sender) => {
    const random = new Random(seed + sender * 7_919 + end)
    const kafka = new KafkaFuzzer(ports.kafkaPort, random)
    for (let number = next++; number < end; number = next++) {
      const isSound = number % 4 < 2
      const kind = number % 2 === 0 ? 'kafka' : 'http'
      sent[kind]++
      if (kind === 'kafka') {
        if (await kafka.send(isSound)) handled.kafka++
      } else {
        const { isHandled, isFailure, bytes, text } = await sendHttp(stack, random, isSound)
        if (isHandled) handled.http++
        const about = text.slice(-160)
        if (isFailure && failures.size < 20) failures.set(about, bytes.toString('latin1').slice(0, 300))
      }
      if (number % saneEvery === 0) await sane()
    }
    kafka.close()
    next--
  }
  const sendAllUntil = async (end) => {
    next = sent.kafka + sent.http
    await Promise.all(Array.from({ length: senders }, (_, sender) => sendUntil(end, sender)))
  }

  await sendAllUntil(Math.ceil(count / 5))
  const warm = held(stack.pid)
  const warmDiskBytes = diskBytes()
  await sendAllUntil(count)
  await sane()
  for (const [about, request] of failures) console.log(`500: ${about}\n     ${JSON.stringify(request)}`)
  assert.equal(failures.size, 0, 'a request was answered with an internal error')

  const total = sent.kafka + sent.http
  const share = (handled.kafka + handled.http) / total
  const percent = (part, whole) => `${Math.round((100 * part) / whole)} %`
  console.log(
    `figure: ${total} mutated requests, ${percent(share, 1)} reached a handler (Kafka ${percent(handled.kafka, sent.kafka)}, HTTP ${percent(handled.http, sent.http)})`,
  )
  assert.ok(share >= leastShare, `at least ${percent(leastShare, 1)} must reach a handler`)

  const admin = new kafkajs.Kafka({
    brokers: stack.kafka.brokers,
    logLevel: kafkajs.logLevel.NOTHING,
  }).admin()
  await admin.connect()
  const fuzzed = (await admin.listTopics()).filter((topic) => topic !== 'sane')
  if (fuzzed.length > 0) await admin.deleteTopics({ topics: fuzzed })
  await admin.disconnect()
  await within(servesPlainClients(stack, 'after'), 60_000, 'plain clients')
  const after = held(stack.pid)
  const grown = {
    residentBytes: warm ? after.residentBytes - warm.residentBytes : 0,
    descriptors: warm ? after.descriptors - warm.descriptors : 0,
    diskBytes: diskBytes() - warmDiskBytes,
  }
  for (const [what, most] of Object.entries(mostGrowth)) {
    assert.ok(grown[what] <= most, `${what} grew by ${grown[what]}, at most ${most} is right`)
  }
  console.log(
    `figure: grown since the warm-up: ${Math.round(grown.residentBytes / mebibyte)} MB resident, ${grown.descriptors} descriptors, ${Math.round(grown.diskBytes / mebibyte)} MB on disk; slowest sane request ${Math.round(slowestSaneMillis)} ms`,
  )
  assert.deepEqual(filesOutside(), outsideBefore, 'something was written outside the data directory')

  assert.equal((await stack.end('SIGTERM')).code, 0, 'SIGTERM did not end the stack with 0')
  stack = await start()
  await within(servesPlainClients(stack, 'restarted'), 60_000, 'plain clients')
  assert.equal((await stack.end('SIGTERM')).code, 0, 'SIGTERM did not end the stack with 0')
  assert.deepEqual(filesOutside(), outsideBefore, 'something was written outside the data directory')
  console.log(`figure: restart over the same data ready in ${Math.round(stack.readyMillis)} ms`)
} finally {
  if (stack?.isAlive()) await stack.end('SIGKILL')
  rmSync(watched, { recursive: true, force: true })
}
process.exit(0)
