import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from '../../scripts/workspace.js'

/** What Kafka's own Java client reads of a topic: `partition/offset` of each id, and how many ids are there again. */
export const readLog = async ({ brokers, classPath }, topic) => {
  const program = join(root, 'lanes/kafka/ReadTopic.java')
  const reader = spawn('java', ['-Xmx256m', '-cp', classPath, program, brokers.join(','), topic], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  reader.stderr.on('data', (chunk) => {
    errors = (errors + chunk).slice(-10_000)
  })
  const ended = new Promise((resolve) => reader.on('close', resolve))
  const places = new Map()
  let doubled = 0
  for await (const line of createInterface({ input: reader.stdout })) {
    const record = /^(\d+)\t(\d+)\t.*"id":(\d+)/.exec(line)
    // A library may say something on stdout as it starts.
    if (record === null) continue
    const [, partition, offset, id] = record
    if (places.has(Number(id))) doubled += 1
    else places.set(Number(id), `${partition}/${offset}`)
  }
  const code = await ended
  if (code !== 0) throw new Error(`reading ${topic} by Java failed with ${code} (it needs a JDK):\n${errors}`)
  return { places, doubled }
}
