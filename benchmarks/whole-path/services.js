import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startStack } from '../../checks/stack/stack-process.js'
import { skipCode } from '../../lanes/lane.js'
import { root } from '../../scripts/workspace.js'

/** A lane that this machine lacks something for: the message is its own sentence. */
export class LaneMissing extends Error {}

/** Starts a lane; its first line of output, and `end`. A tool ends by itself after it. */
export const startLane = async (program, laneArguments = []) => {
  const child = spawn(process.execPath, [join(root, 'lanes', program), ...laneArguments], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const ended = new Promise((resolve) => child.on('close', resolve))
  const line = new Promise((resolve) => {
    child.stdout.on('data', (chunk) => {
      printed += chunk
      if (printed.includes('\n')) resolve(printed.slice(0, printed.indexOf('\n')))
    })
  })
  const first = await Promise.race([line, ended])
  if (first === skipCode) throw new LaneMissing(errors.trim())
  if (typeof first !== 'string') throw new Error(`lanes/${program} ended with ${first}\n${errors}`)
  return {
    address: JSON.parse(first),
    async end() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Apache Kafka and versitygw: one broker, one S3 server for all contestants, in processes of their own. */
const startReal = async (folder) => {
  const objects = join(folder, 'objects')
  const accessLog = join(folder, 'access.log')
  mkdirSync(objects)
  const kafka = await startLane('kafka/start', ['group.initial.rebalance.delay.ms=0'])
  try {
    const versitygw = await startLane('versitygw/start', ['--data-dir', objects, '--access-log', accessLog])
    return {
      name: 'Apache Kafka 4.3.1 and versitygw v1.8.0',
      brokers: kafka.address.kafka.brokers,
      s3: versitygw.address.s3,
      folderOf: (bucket) => join(objects, bucket),
      accessLog,
      end: () => Promise.all([kafka.end(), versitygw.end()]),
    }
  } catch (error) {
    await kafka.end()
    throw error
  }
}

/** `stockpipe local`, in a process of its own. It keeps no log of requests. */
const startLocal = async (folder) => {
  const dataDir = join(folder, 'stack')
  const stack = await startStack({ dataDir, kafkaPort: 0, httpPort: 0 })
  return {
    name: 'stockpipe local',
    brokers: stack.kafka.brokers,
    s3: stack.aws,
    folderOf: (bucket) => join(dataDir, 's3', bucket),
    end: () => stack.end('SIGTERM'),
  }
}

/** Starts `real` or `local` services below a folder. Throws `LaneMissing` where the machine cannot run the real ones. */
export const startServices = (kind, folder) => (kind === 'real' ? startReal(folder) : startLocal(folder))
