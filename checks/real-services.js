import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { skipCode } from '../lanes/lane.js'
import { buildFast, install, packageFolders, root } from '../scripts/workspace.js'

// The main job, unchanged, with `KAFKA_BROKERS` and the AWS variables: against `stockpipe local` in a process of its
// own, against Apache Kafka, and against Apache Kafka and versitygw. It checks its own rows: its exit code is the verdict.
await install('all')
await buildFast(packageFolders)
const folder = mkdtempSync(join(tmpdir(), 'stockpipe-real-services-'))
const running = new Set()

/** Starts a Node program; `line` resolves with its first line of output, `ended` with how it ended. */
const start = (program, programArguments, env = {}) => {
  const begun = performance.now()
  const child = spawn(process.execPath, [program, ...programArguments], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let output = ''
  let printed = ''
  const listeners = new Set()
  const line = new Promise((resolve) => {
    child.stdout.on('data', (chunk) => {
      printed += chunk
      if (printed.includes('\n')) resolve(printed.slice(0, printed.indexOf('\n')))
    })
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
      for (const listener of listeners) listener(output)
    })
  }
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      running.delete(started)
      resolve({ code, signal, output, seconds: (performance.now() - begun) / 1000 })
    })
  })
  const started = {
    ended,
    line,
    kill: (signal) => child.kill(signal),
    onOutput: (listener) => listeners.add(listener),
  }
  running.add(started)
  return started
}

/** Starts a service and reads its address; undefined, with a `skipped:` line, where this machine lacks what it needs. */
const startService = async (what, program, programArguments = []) => {
  const begun = performance.now()
  const service = start(join(root, program), programArguments)
  const address = await Promise.race([service.line, service.ended])
  if (typeof address === 'string') {
    console.log(`figure: ${what} ready in ${((performance.now() - begun) / 1000).toFixed(1)} s`)
    return { ...JSON.parse(address), ...service }
  }
  if (address.code !== skipCode) throw new Error(`${what} ended with ${address.code}\n${address.output}`)
  console.log(`skipped: ${what}: ${address.output.trim()}`)
  return undefined
}

/** Ends a service as a user would; it must end well. */
const stopService = async (what, service) => {
  service.kill('SIGTERM')
  const { code, signal, output } = await service.ended
  if (code !== 0) throw new Error(`SIGTERM ended ${what} with ${code ?? signal}, not 0\n${output}`)
}

const startLocal = (dataDir) => {
  const ports = ['--kafka-port', '0', '--http-port', '0']
  return startService('stockpipe local', 'packages/cli/dist/stockpipe.js', [
    'local',
    '--data-dir',
    join(folder, dataDir),
    ...ports,
  ])
}

const startJob = ({ kafka, aws, s3 }) =>
  start(join(root, 'examples/dist/run-full-pipeline.js'), [], {
    KAFKA_BROKERS: kafka.brokers.join(','),
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_REGION: aws.region,
    AWS_ACCESS_KEY_ID: aws.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.secretAccessKey,
    ...(s3 && { AWS_ENDPOINT_URL_S3: s3.endpoint }),
    STOCKPIPE_DATA_DIR: join(folder, 'must-stay-away'),
  })

const expectSuccess = async (what, job) => {
  const { code, signal, output, seconds } = await job.ended
  const compared = /([\d,]+) figures compared, 0 differ/.exec(output)?.[1]
  const memory = /peak memory (\d+) MB/.exec(output)?.[1]
  if (code !== 0 || compared === undefined) {
    throw new Error(`${what}: the main job ended with ${code ?? signal}\n${output}`)
  }
  console.log(
    `figure: ${what}: ${seconds.toFixed(1)} s, peak memory ${memory} MB, ${compared} figures compared, 0 differ`,
  )
  return output
}

/** The moment the job, as it prints, is half-way through `label N of M`, or is done with it. */
const halfWay = (job, label) =>
  new Promise((resolve) => {
    const progress = new RegExp(`${label} +([\\d,]+) of ([\\d,]+)`, 'g')
    job.onOutput((output) => {
      for (const [, done, total] of output.matchAll(progress)) {
        const [records, all] = [done, total].map((text) => Number(text.replaceAll(',', '')))
        if (records * 2 >= all) resolve(`${done} of ${total}`)
      }
    })
    job.ended.then(() => resolve(undefined))
  })

const killHalfWay = async (what, label, services) => {
  const job = startJob(services)
  const reached = await halfWay(job, label)
  job.kill('SIGKILL')
  const { signal, output } = await job.ended
  if (signal !== 'SIGKILL' || reached === undefined) {
    throw new Error(`${what}: the job had ended before its kill\n${output}`)
  }
  await expectSuccess(
    `${what}, killed with -9 at '${label} ${reached}' and started again`,
    startJob(services),
  )
}

const everythingLocal = async () => {
  const local = await startLocal('local')
  const what = 'the main job, stockpipe local in another process'
  await expectSuccess(what, startJob(local))
  await expectSuccess(`${what}, again`, startJob(local))
  await stopService('stockpipe local', local)
}

const realKafka = async () => {
  const what = 'the main job, Apache Kafka, the rest local'
  for (const label of [undefined, 'Topics to Parquet tables', 'Records to topic trades']) {
    const kafka = await startService('Apache Kafka', 'lanes/kafka/start')
    if (kafka === undefined) return
    const local = await startLocal(`kafka-${label ?? 'whole'}`)
    const services = { kafka: kafka.kafka, aws: local.aws }
    if (label === undefined) {
      await expectSuccess(what, startJob(services))
      await expectSuccess(`${what}, again`, startJob(services))
    } else {
      await killHalfWay(what, label, services)
    }
    await stopService('stockpipe local', local)
    await stopService('Apache Kafka', kafka)
  }
}

/**
 * S3 by versitygw. The local Glue and Athena find its objects because both keep an object as the plain file
 * `<bucket>/<key>`, and because they look into the bucket for the first time when all is published.
 */
const realKafkaAndS3 = async () => {
  const what = 'the main job, Apache Kafka and versitygw, Glue and Athena local'
  for (const label of [undefined, 'Topics to Parquet tables']) {
    const dataDir = `versitygw-${label ?? 'whole'}`
    const objects = join(folder, dataDir, 's3')
    mkdirSync(objects, { recursive: true })
    const kafka = await startService('Apache Kafka', 'lanes/kafka/start')
    if (kafka === undefined) return
    const local = await startLocal(dataDir)
    const { accessKeyId, secretAccessKey } = local.aws
    const keys = ['--access-key', accessKeyId, '--secret-key', secretAccessKey]
    const s3 = await startService('versitygw', 'lanes/versitygw/start', [...keys, '--data-dir', objects])
    if (s3 !== undefined) {
      const services = { kafka: kafka.kafka, aws: local.aws, s3: s3.s3 }
      if (label === undefined) await expectSuccess(what, startJob(services))
      else await killHalfWay(what, label, services)
      await stopService('versitygw', s3)
    }
    await stopService('stockpipe local', local)
    await stopService('Apache Kafka', kafka)
    if (s3 === undefined) return
  }
}

const lanes = { local: everythingLocal, kafka: realKafka, versitygw: realKafkaAndS3 }
try {
  const wanted = process.argv.slice(2)
  for (const [name, lane] of Object.entries(lanes)) {
    if (wanted.length === 0 || wanted.includes(name)) await lane()
  }
} finally {
  // Only after a failure is anything left here.
  for (const { kill } of running) kill('SIGTERM')
  await Promise.all([...running].map(({ ended }) => ended))
  rmSync(folder, { recursive: true, force: true })
}
