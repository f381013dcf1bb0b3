import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import kafkajs from 'kafkajs'
import { contestants } from './contestants.js'
import { countRequests, readTable } from './written-files.js'

const longestMillis = 30 * 60_000
const running = new Set()
let runs = 0

/** Ends whatever contestant runs now. */
export const killContestants = () => {
  for (const child of running) child.kill('SIGKILL')
}

const createBucket = async ({ s3 }, bucket) => {
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: s3.region,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
    forcePathStyle: true,
  })
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
}

const committedRows = async (brokers, topic, groupId) => {
  const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] })
  await admin.disconnect()
  return partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0)
}

/**
 * Starts a contestant's process. `ended` resolves with its figures, or with undefined when it was killed; it rejects
 * with what the process printed when it failed.
 */
const start = async (name, settings, { nodeArguments = [], onRows = () => {} } = {}) => {
  const contestant = contestants[name]
  const [program, programArguments] = await contestant.command()
  const own = program === process.execPath ? nodeArguments : []
  const child = spawn(
    program,
    [...own, ...programArguments, JSON.stringify({ ...contestant.settings, ...settings })],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  running.add(child)
  let errors = ''
  let rest = ''
  let figures
  child.stderr.on('data', (chunk) => {
    errors = (errors + chunk).slice(-20_000)
  })
  child.stdout.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()
    for (const line of lines) {
      const { rows, end } = JSON.parse(line)
      if (rows !== undefined) onRows(rows)
      if (end !== undefined) figures = end
    }
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), longestMillis)
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      running.delete(child)
      if (code === 0 && figures) resolve(figures)
      else if (signal === 'SIGKILL') resolve(undefined)
      else reject(new Error(`${name} ended with ${code ?? signal}\n${errors}`))
    })
  })
  return { ended, kill: () => child.kill('SIGKILL') }
}

/**
 * One run of a contestant over a topic of `rows` trades: a new group, a new bucket, and afterwards what is in it.
 * `kills`: how many rows each process reads, and milliseconds after that, before it is killed with -9; a last one is
 * left to end.
 */
export const runContestant = async (
  services,
  name,
  { topic, data, rows, settings = {}, kills = [], nodeArguments },
) => {
  runs += 1
  const bucket = `run-${runs}`
  const groupId = `benchmark-${runs}`
  const { brokers, s3 } = services
  await createBucket(services, bucket)
  const all = { brokers, topicName: topic, groupId, s3, bucket, data, ...settings }
  let killed = 0
  for (const { rows: enough, millis } of kills) {
    const timely = []
    const running = await start(name, all, {
      nodeArguments,
      onRows: (read) => {
        if (read >= enough && timely.length === 0) timely.push(sleep(millis).then(running.kill))
      },
    })
    // Whoever is done before its kill has nothing left to lose.
    if (await running.ended) break
    killed += 1
  }
  const { ended } = await start(name, all, { nodeArguments })
  const figures = await ended
  if (!figures) throw new Error(`${name} was not done in ${longestMillis / 60_000} minutes`)
  const committed = await committedRows(brokers, topic, groupId)
  if (committed !== rows) throw new Error(`${name} committed ${committed} of ${rows} rows`)
  const table = settings.discard ? {} : await readTable(join(services.folderOf(bucket), 'trades'), rows)
  const requests =
    services.accessLog && !settings.discard ? countRequests(services.accessLog, bucket) : undefined
  rmSync(services.folderOf(bucket), { recursive: true, force: true })
  return { ...figures, ...table, killed, ...(requests && { requests }) }
}
