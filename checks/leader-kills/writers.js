import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { root } from '../../scripts/workspace.js'
import { kafkajs } from '../stack/plain-clients.js'

const built = (name) => import(pathToFileURL(join(root, 'packages', name, 'dist/index.js')).href)
const pauseMillis = 25
const rowsPerSend = 60

/** Numbered rows by the producer of @stockpipe/kafka until told to stop; where its reports say each one is. */
export const writeWithStockpipe = async (brokers, name, partitions, signal) => {
  const { defineTable, defineTopic, t } = await built('core')
  const { createProducer } = await built('kafka')
  const table = defineTable('numbered', { columns: { key: t.string(), id: t.int64() } })
  const topic = defineTopic(name, { table, key: 'key', partitions })
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
  const producer = createProducer({ kafka, topic })
  await producer.connect()
  const written = { acknowledged: new Map(), failed: 0, longestMillis: 0 }
  const sends = new Set()
  for (let id = 0; !signal.aborted; id += rowsPerSend) {
    const rows = Array.from({ length: rowsPerSend }, (_, row) => ({
      key: `K${(id + row) % 97}`,
      id: BigInt(id + row),
    }))
    const begun = performance.now()
    const send = producer
      .send(rows)
      .then(
        ({ partitions, offsets }) => {
          for (const row of rows.keys())
            written.acknowledged.set(id + row, `${partitions[row]}/${offsets[row]}`)
          written.longestMillis = Math.max(written.longestMillis, Math.round(performance.now() - begun))
        },
        (error) => {
          console.error(error)
          written.failed += 1
        },
      )
      .finally(() => sends.delete(send))
    sends.add(send)
    await sleep(pauseMillis)
  }
  await producer.flush()
  await Promise.all(sends)
  const { statistics } = producer
  await producer.close()
  return { ...written, statistics }
}

/** Numbered messages by kafkajs's own idempotent producer, each send over all partitions, as its users write it. */
export const writePlainly = async (brokers, topic, partitions, signal) => {
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 15 } })
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  const written = { acknowledged: [], failed: 0, longestMillis: 0 }
  for (let id = 0; !signal.aborted; id += rowsPerSend) {
    const ids = Array.from({ length: rowsPerSend }, (_, row) => id + row)
    const messages = ids.map((one) => ({ partition: one % partitions, value: `{"id":${one}}` }))
    const begun = performance.now()
    try {
      await producer.send({ topic, messages })
      written.acknowledged.push(...ids)
    } catch {
      written.failed += 1
    }
    written.longestMillis = Math.max(written.longestMillis, Math.round(performance.now() - begun))
    await sleep(pauseMillis)
  }
  await producer.disconnect()
  return written
}
