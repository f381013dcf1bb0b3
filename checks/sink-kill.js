#!/usr/bin/env node
// Exactly once over sockets: three members of a group write numbered records to Parquet while they are killed at named
// points and at random times, their worker threads crash, they are stopped for 30 s and continued, and the services are
// killed. Afterwards every record of the log is in exactly one file, as DuckDB reads them.
// `node checks/sink-kill.js [share] [local|real] [seed] [--workers 0|1]`: share 1 is 500,000 records, 50 kills and 10 stops;
// `real` takes Apache Kafka and versitygw; without workers no thread crashes.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipCode } from '../lanes/lane.js'
import { buildFast, install, packageFolders, root } from '../scripts/workspace.js'
import { checkArguments } from './stack/check-arguments.js'
import { s3Client } from './stack/plain-clients.js'
import { Random, seedFrom } from './stack/random.js'
import { freePort, startStack, within } from './stack/stack-process.js'

const { workers, positionals } = checkArguments()
const share = Number(positionals[0] ?? 1)
const services = positionals[1] ?? 'local'
if (!(share > 0 && share <= 1) || !['local', 'real'].includes(services)) {
  throw new Error('usage: node checks/sink-kill.js [share from 0 to 1] [local|real] [seed] [--workers 0|1]')
}
const random = new Random(seedFrom(positionals[2]))
const atLeastOne = (count) => Math.max(1, Math.round(count * share))
const records = Math.round(500_000 * share)
const stopsWanted = atLeastOne(10)
const stackKills = services === 'local' ? atLeastOne(3) : 0
const killsWanted = {
  'while staging': atLeastOne(6),
  'after stage': atLeastOne(6),
  'after claim': atLeastOne(9),
  'between two publishes': atLeastOne(9),
  'after publish': atLeastOne(6),
  'after register': atLeastOne(6),
  'any time': atLeastOne(8),
  ...(workers > 0 && { 'after a crash of its worker': atLeastOne(6) }),
}
const stopMillis = 30_000
const longestMillis = 30 * 60_000

await install('all')
await buildFast(packageFolders)
const { bucket, badEvery, journal, partitionCount, sinkName, symbols, table, topic } = await import(
  './sink-kill/numbers-table.js'
)
const { Ledger, keepMember, startMember } = await import('./sink-kill/members.js')
const { clientOf, compare, readFiles, readLog } = await import('./sink-kill/readers.js')
const { verifySink } = await import('../packages/s3-sink/dist/index.js')

const folder = mkdtempSync(join(tmpdir(), 'stockpipe-sink-kill-'))
const lanes = []

/** Starts a lane; its address, or undefined with a `skipped:` line. */
const startLane = async (name, laneArguments = []) => {
  const child = spawn(process.execPath, [join(root, 'lanes', name, 'start'), ...laneArguments], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const ended = new Promise((resolve) => child.on('close', resolve))
  const line = new Promise((resolve) =>
    child.stdout.on('data', (chunk) => {
      printed += chunk
      if (printed.includes('\n')) resolve(printed.slice(0, printed.indexOf('\n')))
    }),
  )
  const first = await Promise.race([line, ended])
  if (typeof first === 'string') {
    lanes.push({ child, ended })
    return JSON.parse(first)
  }
  if (first !== skipCode) throw new Error(`${name} ended with ${first}\n${errors}`)
  console.log(`skipped: ${name}: ${errors.trim()}`)
  return undefined
}

const startLocal = async () => {
  const ports = { kafkaPort: await freePort(), httpPort: await freePort() }
  const dataDir = join(folder, 'stack')
  const running = { stack: await startStack({ dataDir, ...ports }) }
  const { kafka, aws } = running.stack
  return {
    brokers: kafka.brokers,
    s3: aws,
    objects: join(dataDir, 's3', bucket),
    async kill() {
      await running.stack.end('SIGKILL')
      await sleep(random.below(2000))
      running.stack = await startStack({ dataDir, ...ports })
    },
    end: () => running.stack.end('SIGTERM'),
  }
}

const startReal = async () => {
  const kafka = await startLane('kafka')
  if (kafka === undefined) return undefined
  const objects = join(folder, 'objects')
  mkdirSync(objects)
  const keys = { accessKeyId: 'kill-check', secretAccessKey: 'kill-check-secret' }
  const address = await startLane('versitygw', [
    '--access-key',
    keys.accessKeyId,
    '--secret-key',
    keys.secretAccessKey,
    '--data-dir',
    objects,
  ])
  if (address === undefined) return undefined
  const s3 = { ...keys, ...address.s3, region: address.s3.region ?? 'us-east-1' }
  return { brokers: kafka.kafka.brokers, s3, objects: join(objects, bucket), end: async () => {} }
}

/** Sends numbered records, a little at a time, until `enough()` and all are sent. */
const produce = async (kafka, enough) => {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const expectedSeconds = Math.max(25, (stopsWanted * (stopMillis + 4000)) / 1000)
  const perTurn = Math.ceil(records / expectedSeconds / 5)
  let id = 0
  while (id < records || !enough()) {
    const messages = Array.from({ length: perTurn }, () => {
      const symbol = id % badEvery === badEvery - 1 ? 7 : symbols[id % symbols.length]
      const value = JSON.stringify({ id, symbol })
      id += 1
      return { value, partition: random.below(partitionCount) }
    })
    for (let partition = 0; partition < partitionCount; partition += 1) {
      const own = messages.filter((message) => message.partition === partition)
      if (own.length > 0) await producer.send({ topic: topic.name, messages: own })
    }
    await sleep(200)
  }
  await producer.disconnect()
  return id
}

const run = async () => {
  const running = services === 'local' ? await startLocal() : await startReal()
  if (running === undefined) return
  const begun = performance.now()
  const { brokers, s3, objects } = running
  const kafka = clientOf(brokers)
  const client = new s3Client.S3Client({
    endpoint: s3.endpoint,
    region: s3.region,
    credentials: s3,
    forcePathStyle: true,
  })
  await client.send(new s3Client.CreateBucketCommand({ Bucket: bucket }))
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: topic.name, numPartitions: partitionCount }] })
  await admin.disconnect()

  const ledger = new Ledger()
  const planned = Object.entries(killsWanted).flatMap(([point, count]) => Array(count).fill(point))
  const stopping = new AbortController()
  const missing = () =>
    Object.entries(killsWanted).filter(([point, count]) => (ledger.kills[point] ?? 0) < count)
  const enough = () => missing().length === 0 && ledger.stops >= stopsWanted && killsOfStack >= stackKills
  const nextPoint = () => {
    if (planned.length > 0) return planned.splice(random.below(planned.length), 1)[0]
    // What was planned but did not come to pass, as when a member failed before.
    return missing()[0]?.[0]
  }
  const settings = { brokers, s3, rows: 1500, workers }
  const keep = { settings, ledger, stopping: stopping.signal, random }
  let stoppable
  const members = [
    keepMember({ ...keep, nextPoint }),
    keepMember({ ...keep, nextPoint }),
    keepMember({
      ...keep,
      nextPoint: () => undefined,
      onStart: (child) => {
        stoppable = child
      },
    }),
  ]
  let killsOfStack = 0
  const disturb = async () => {
    await sleep(4000)
    const everyStops = Math.max(1, Math.floor(stopsWanted / Math.max(1, stackKills)))
    while (!stopping.signal.aborted && (ledger.stops < stopsWanted || killsOfStack < stackKills)) {
      const child = stoppable
      child.kill('SIGSTOP')
      await sleep(stopMillis)
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGCONT')
        ledger.stops += 1
      }
      await sleep(4000)
      if (killsOfStack < stackKills && ledger.stops % everyStops === 0) {
        await running.kill()
        killsOfStack += 1
        await sleep(4000)
      }
    }
  }
  const disturbing = disturb()
  const produced = await within(produce(kafka, enough), longestMillis, 'the kills and stops')
  await disturbing
  stopping.abort()
  await within(Promise.all(members), 120_000, 'the end of the members')

  const last = startMember({ ...settings, until: 'latest' }, ledger)
  const { code, failure } = await within(last.ended, 300_000, 'the last member')
  if (code !== 0) throw new Error(`the last member failed: ${failure?.message}`)
  const report = await verifySink({ journal, sink: sinkName, client, table })
  if (!report.ok) throw new Error(`verify: ${JSON.stringify(report.problems.slice(0, 10), null, 2)}`)
  const log = await readLog(kafka)
  const files = await readFiles(objects)
  const { lost, doubled, wrong } = compare(log, files)
  await running.end()
  const told = (counts) =>
    Object.entries(counts)
      .map(([what, count]) => `${count} ${what}`)
      .join(', ') || 'none'
  const seconds = Math.round((performance.now() - begun) / 1000)
  console.log(
    `figure: ${services}, ${workers} workers, ${seconds} s: ${produced} records sent, ${log.size} in the log, ${files.length} in files`,
  )
  console.log(
    `figure: kills: ${told(ledger.kills)}; ${ledger.stops} stops of 30 s; services killed ${killsOfStack} times`,
  )
  console.log(
    `figure: ${report.totals.groups} groups, ${report.totals.files} files, ${report.totals.deadLetters} dead letters; fenced ${ledger.fenced} times; members that ended by themselves: ${told(ledger.failures)}`,
  )
  console.log(`figure: lost ${lost.length}, doubled ${doubled.length}, wrong ${wrong.length}`)
  const ofLog = new Set(log.values())
  const missed = Array.from({ length: produced }, (_, id) => id).filter(
    (id) => id % badEvery !== badEvery - 1 && !ofLog.has(id),
  )
  if (missed.length > 0) throw new Error(`${missed.length} ids were sent and are not in the log`)
  if (lost.length + doubled.length + wrong.length > 0) {
    throw new Error(
      JSON.stringify({ lost: lost.slice(0, 20), doubled: doubled.slice(0, 20), wrong: wrong.slice(0, 20) }),
    )
  }
}

try {
  await run()
} finally {
  for (const { child } of lanes) child.kill('SIGTERM')
  await Promise.all(lanes.map(({ ended }) => ended))
  rmSync(folder, { recursive: true, force: true })
}
