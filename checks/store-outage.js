import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildFast, install, root } from '../scripts/workspace.js'
import { partitions, quote, residentMegabytes } from './memory/quotes-table.js'
import { checkArguments } from './stack/check-arguments.js'
import { kafkajs, s3Client } from './stack/plain-clients.js'
import { freePort, startStack, within } from './stack/stack-process.js'

// S3 is away for a while under load: a consumer with a sink goes on by itself, its memory is flat meanwhile, it never
// leaves its group, and nothing is lost or doubled. `node checks/store-outage.js [seconds] [--workers 0|1]`
const { workers, positionals } = checkArguments()
const seconds = Number(positionals[0] ?? 300)
if (!(seconds >= 20))
  throw new Error('usage: node checks/store-outage.js [seconds, at least 20] [--workers 0|1]')
const memory = '64MiB'
/** What the resident memory may grow by from second 10 of the outage to its end. */
const growthMegabytes = 100
const rowsEachTick = 1_000
const tickMillis = 250

/** A port in front of S3 that can be closed: connections are cut and new ones refused. */
const gate = async (port) => {
  const sockets = new Set()
  let away = false
  const server = createServer((socket) => {
    if (away) return socket.destroy()
    const behind = connect(port, '127.0.0.1')
    for (const each of [socket, behind]) {
      sockets.add(each)
      each.on('error', () => {})
      each.on('close', () => {
        sockets.delete(each)
        socket.destroy()
        behind.destroy()
      })
    }
    socket.pipe(behind).pipe(socket)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: server.address().port,
    setAway(value) {
      away = value
      if (away) for (const socket of sockets) socket.destroy()
    },
    close() {
      this.setAway(true)
      server.close()
    },
  }
}

const startMember = (settings) => {
  const child = spawn(
    process.execPath,
    [join(root, 'checks/memory/outage-member.js'), JSON.stringify(settings)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ended = new Promise((_, reject) =>
    child.on('exit', (code, signal) => reject(new Error(`the member ended with ${code ?? signal}`))),
  )
  ended.catch(() => {})
  const ask = async (line) => {
    child.stdin.write(`${line}\n`)
    const { value } = await within(Promise.race([lines.next(), ended]), 120_000, `the answer to ${line}`)
    return JSON.parse(value)
  }
  return { ask, pid: child.pid, kill: () => child.kill('SIGKILL') }
}

await install('all')
await buildFast(['packages/core', 'packages/s3-sink', 'packages/glue', 'packages/athena', 'packages/local'])
await buildFast(['packages/source', 'packages/kafka', 'packages/cli'])
const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-store-outage-'))
const httpPort = await freePort()
const stack = await startStack({ dataDir, kafkaPort: await freePort(), httpPort })
const s3 = await gate(httpPort)
let member
try {
  const { region, accessKeyId, secretAccessKey } = stack.aws
  const credentials = { accessKeyId, secretAccessKey }
  const aws = { ...stack.aws, endpoint: `http://127.0.0.1:${s3.port}` }
  const client = new s3Client.S3Client({ endpoint: aws.endpoint, region, credentials, forcePathStyle: true })
  await client.send(new s3Client.CreateBucketCommand({ Bucket: 'lake' }))
  const kafka = new kafkajs.Kafka({
    clientId: 'load',
    brokers: stack.kafka.brokers,
    logLevel: kafkajs.logLevel.NOTHING,
  })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'quotes', numPartitions: partitions }] })
  await admin.disconnect()
  member = startMember({ aws, brokers: stack.kafka.brokers, memory, workers })

  let produced = 0
  let producing = true
  const load = (async () => {
    const producer = kafka.producer()
    await producer.connect()
    while (producing) {
      const messages = Array.from({ length: rowsEachTick }, (_, index) => ({
        partition: (produced + index) % partitions,
        value: quote(produced + index, 40, 900),
      }))
      await producer.send({ topic: 'quotes', messages })
      produced += rowsEachTick
      await sleep(tickMillis)
    }
    await producer.disconnect()
  })()
  const until = async (what, isTrue) => {
    for (let tries = 0; tries < 600; tries += 1) {
      const state = await member.ask('state')
      if (isTrue(state)) return state
      await sleep(500)
    }
    throw new Error(`${what} never came: ${JSON.stringify(await member.ask('state'))}, ${produced} produced`)
  }
  const before = await until('the first published rows', ({ published }) => published > 0)
  s3.setAway(true)
  const begun = performance.now()
  await sleep(10_000)
  const early = residentMegabytes(readFileSync, 'VmRSS', member.pid)
  let most = early
  while (performance.now() - begun < seconds * 1000) {
    await sleep(1_000)
    most = Math.max(most, residentMegabytes(readFileSync, 'VmRSS', member.pid))
  }
  const away = await member.ask('state')
  s3.setAway(false)
  producing = false
  await load
  const back = performance.now()
  await until('the last row', ({ published }) => published >= produced)
  const caughtUpSeconds = (performance.now() - back) / 1000
  const beforeStop = await member.ask('state')
  const end = await member.ask('stop')
  console.log(JSON.stringify({ before, away, end, produced }))
  assert.deepEqual(beforeStop.generations, before.generations, 'the member joined its group again')
  assert.equal(beforeStop.revoked, 0, 'partitions were taken from the member')
  assert.deepEqual(end.failed, [])
  assert.ok(away.published + 10 * rowsEachTick < produced, 'too little load to show anything')
  assert.ok(most - early < growthMegabytes, `memory grew from ${early} to ${most} MB`)
  assert.deepEqual([end.rows, end.problems], [produced, []])
  console.log(
    `figure: S3 away for ${seconds} s, budget ${memory}, ${workers} workers: RSS ${early.toFixed(0)} MB after 10 s, ${most.toFixed(0)} MB at most; ` +
      `${produced} rows published ${caughtUpSeconds.toFixed(1)} s after it was back, 0 lost, 0 doubled, no rebalance`,
  )
} finally {
  member?.kill()
  s3.close()
  await stack.end('SIGTERM')
  rmSync(dataDir, { recursive: true, force: true })
}
