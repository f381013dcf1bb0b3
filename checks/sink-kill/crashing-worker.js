// The worker of a sink, which crashes at a time that its process has set.
import { setTimeout as sleep } from 'node:timers/promises'
import { getEnvironmentData } from 'node:worker_threads'

const crashMillis = getEnvironmentData('crashMillis')
await import('../../packages/s3-sink/dist/engine-worker.js')
if (crashMillis !== undefined) {
  await sleep(crashMillis)
  throw new Error('the worker was to crash')
}
