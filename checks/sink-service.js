import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildFast, install, packageFolders, root } from '../scripts/workspace.js'
import { checkArguments } from './stack/check-arguments.js'
import { startStack, within } from './stack/stack-process.js'

// `stockpipe sink` as processes: until latest, drained by SIGTERM, killed with -9, ended by a second signal while its
// services hang, and refused. After all of it `stockpipe verify` finds every row once.
// `node checks/sink-service.js [--workers 0|1]`
const { workers } = checkArguments()
await install('all')
await buildFast(packageFolders.filter((folder) => folder !== 'examples'))
const requireOfCli = createRequire(join(root, 'packages/cli/package.json'))
const { CreateBucketCommand, S3Client } = requireOfCli('@aws-sdk/client-s3')
const { Kafka, logLevel } = requireOfCli('kafkajs')

const command = join(root, 'packages/cli/dist/stockpipe.js')
const config = join(root, 'packages/cli/test/sink-configs/service.js')
const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-sink-service-'))
const stack = await startStack({ dataDir: join(dataDir, 'stack'), kafkaPort: 0, httpPort: 0 })
const { aws } = stack
const env = {
  ...process.env,
  STOCKPIPE_TEST_WORKERS: workers,
  KAFKA_BROKERS: stack.kafka.brokers.join(','),
  AWS_ENDPOINT_URL: aws.endpoint,
  AWS_ACCESS_KEY_ID: aws.accessKeyId,
  AWS_SECRET_ACCESS_KEY: aws.secretAccessKey,
}
const children = new Set()

const start = (...args) => {
  const child = spawn(process.execPath, [command, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  const text = { out: '', err: '' }
  child.stdout.on('data', (chunk) => (text.out += chunk))
  child.stderr.on('data', (chunk) => (text.err += chunk))
  const ended = new Promise((resolve) =>
    child.on('close', (code, signal) => {
      children.delete(child)
      resolve({ status: code ?? signal, ...text })
    }),
  )
  return { child, text, end: () => within(ended, 60_000, `stockpipe ${args.join(' ')}`) }
}

const expectEnd = async (process, status, sentence) => {
  const ended = await process.end()
  if (ended.status !== status || !sentence.test(ended.err)) {
    throw new Error(`it ended with ${ended.status}, not ${status} and ${sentence}:\n${ended.err}`)
  }
  return ended
}

const eventually = async (what, look) => {
  const late = performance.now() + 60_000
  for (;;) {
    if (await look().catch(() => false)) return
    if (performance.now() > late) throw new Error(`${what} did not come about in a minute`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const sink = (...args) => start('sink', '--config', config, ...args)
/** A sink that serves metrics, ready; `read`: once it has read so many records. */
const readySink = async (...args) => {
  const service = sink('--metrics-port', '0', ...args)
  await eventually('its address', async () => /url=(\S+)/.test(service.text.err))
  const url = /url=(\S+)/.exec(service.text.err)[1]
  await eventually('readiness', async () => (await fetch(`${url}/readyz`)).status === 200)
  const read = (count) =>
    eventually(`${count} records read`, async () => {
      const metrics = await (await fetch(`${url}/metrics`)).text()
      return Number(/^stockpipe_consumer_records_total\{.*\} (\d+)$/m.exec(metrics)?.[1]) >= count
    })
  return { ...service, read }
}

let produced = 0
try {
  const s3 = new S3Client({ ...aws, credentials: aws, forcePathStyle: true })
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
  s3.destroy()
  const kafka = new Kafka({ brokers: stack.kafka.brokers, logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'trades', numPartitions: 2 }] })
  await admin.disconnect()
  const producer = kafka.producer()
  await producer.connect()
  const produce = async (count) => {
    const messages = Array.from({ length: count }, (_, index) => ({
      partition: index % 2,
      value: JSON.stringify({ symbol: 'IBM', id: produced + index }),
    }))
    await producer.send({ topic: 'trades', messages })
    produced += count
  }

  await produce(5000)
  await expectEnd(sink('--until', 'latest'), 0, /Caught up: .* records=5000 rows=5000 /)

  await produce(1000)
  const drained = await readySink()
  await drained.read(1000)
  const told = performance.now()
  drained.child.kill('SIGTERM')
  await expectEnd(drained, 0, /Drained: everything that was read is published\./)
  console.log(
    `figure: a sink with 1,000 buffered records ended ${Math.round(performance.now() - told)} ms after SIGTERM`,
  )

  await produce(1000)
  const killed = await readySink()
  await killed.read(1000)
  killed.child.kill('SIGKILL')
  await killed.end()

  const hung = await readySink()
  await hung.read(1000)
  process.kill(stack.pid, 'SIGSTOP')
  try {
    hung.child.kill('SIGTERM')
    await eventually('draining', async () => hung.text.err.includes('Draining'))
    hung.child.kill('SIGTERM')
    await expectEnd(hung, 130, /Draining/)
  } finally {
    process.kill(stack.pid, 'SIGCONT')
  }

  await expectEnd(sink('--until', 'latest', '--log-format', 'json'), 0, /"message":"Caught up/)
  await producer.disconnect()

  const verified = await start('verify', '--config', config, '--json').end()
  const { ok, totals, problems } = JSON.parse(verified.out)
  if (verified.status !== 0 || !ok || totals.rows !== produced) {
    throw new Error(
      `verify ended with ${verified.status}: ${totals.rows} of ${produced} rows, ${JSON.stringify(problems)}`,
    )
  }
  console.log(
    `figure: ${produced} rows, each once, after an end by --until, SIGTERM, kill -9 and a second signal`,
  )

  await expectEnd(start('sink', '--config', join(dataDir, 'none.js')), 2, /there is no file/)
  const typed = join(dataDir, 'sink.ts')
  writeFileSync(typed, 'export default 7 as number\n')
  const strips = process.features.typescript
    ? /it exports a number/
    : /is TypeScript, which Node .* does not run/
  await expectEnd(start('sink', '--config', typed), 2, strips)
} finally {
  for (const child of children) child.kill('SIGKILL')
  if (stack.isAlive()) await stack.end('SIGTERM')
  rmSync(dataDir, { recursive: true, force: true })
}
