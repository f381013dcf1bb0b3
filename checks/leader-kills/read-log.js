import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** What Apache Kafka's own console consumer reads of a topic: `partition/offset` of each id, and ids seen again. */
export const readLog = async ({ brokers, classPath }, topic) => {
  const consumer = spawn(
    'java',
    [
      '-Xmx256m',
      '-cp',
      classPath,
      'org.apache.kafka.tools.consumer.ConsoleConsumer',
      ...['--bootstrap-server', brokers.join(',')],
      ...['--topic', topic],
      '--from-beginning',
      ...['--timeout-ms', '15000'],
      ...['--formatter-property', 'print.partition=true', '--formatter-property', 'print.offset=true'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let errors = ''
  consumer.stderr.on('data', (chunk) => {
    errors = (errors + chunk).slice(-10_000)
  })
  const ended = new Promise((resolve) => consumer.on('close', resolve))
  const places = new Map()
  let doubled = 0
  for await (const line of createInterface({ input: consumer.stdout })) {
    const record = /^Partition:(\d+)\tOffset:(\d+)\t.*"id":(\d+)/.exec(line)
    if (record === null) continue
    const [, partition, offset, id] = record
    if (places.has(Number(id))) doubled += 1
    else places.set(Number(id), `${partition}/${offset}`)
  }
  await ended
  // It ends by its time-out once there is nothing more to read, and says how many it has read.
  const count = Number(/Processed a total of (\d+) messages/.exec(errors)?.[1] ?? Number.NaN)
  if (count !== places.size + doubled) throw new Error(`the console consumer of ${topic} failed:\n${errors}`)
  return { places, doubled }
}
