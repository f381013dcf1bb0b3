import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { RecordBatch } from './record-batch.js'
import { createTrades } from './trades.js'

const recordsPerBatch = 1000
const requestsInFlight = 8

/** One connection that produces whole record batches, one a request (Produce version 7). */
class ProduceConnection {
  #socket
  #received = Buffer.alloc(0)
  #waiting = []
  #failure

  constructor(broker) {
    const [host, port] = broker.split(':')
    this.#socket = connect(Number(port), host)
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (chunk) => this.#onData(chunk))
    for (const event of ['error', 'close']) {
      this.#socket.on(event, (error) =>
        this.#fail(error instanceof Error ? error : new Error('the broker hung up')),
      )
    }
  }

  /** Waits until fewer than the allowed requests are under way, and sends one. */
  async send(topic, partition, batch) {
    while (this.#waiting.length >= requestsInFlight) await this.#waiting[0].promise
    if (this.#failure) throw this.#failure
    const head = Buffer.alloc(40 + topic.length)
    head.writeInt32BE(head.length - 4 + batch.length, 0)
    head.writeInt16BE(7, 6) // version; the API key 0 is Produce
    head.writeInt16BE(-1, 12) // no client id
    head.writeInt16BE(-1, 14) // no transaction
    head.writeInt16BE(-1, 16) // every in-sync replica
    head.writeInt32BE(30_000, 18)
    head.writeInt32BE(1, 22)
    head.writeInt16BE(topic.length, 26)
    head.latin1Write(topic, 28)
    head.writeInt32BE(1, 28 + topic.length)
    head.writeInt32BE(partition, 32 + topic.length)
    head.writeInt32BE(batch.length, 36 + topic.length)
    const answer = {}
    answer.promise = new Promise((resolve, reject) => Object.assign(answer, { resolve, reject }))
    // Looked at by whoever waits for room, or at the end.
    answer.promise.catch(() => {})
    this.#waiting.push(answer)
    this.#socket.cork()
    this.#socket.write(head)
    this.#socket.write(batch)
    this.#socket.uncork()
  }

  /** Waits for every answer and hangs up. */
  async end() {
    await Promise.all(this.#waiting.map(({ promise }) => promise))
    if (this.#failure) throw this.#failure
    this.#failure = new Error('ended')
    this.#socket.end()
  }

  #onData(chunk) {
    this.#received = Buffer.concat([this.#received, chunk])
    while (this.#received.length >= 4 && this.#received.length >= 4 + this.#received.readInt32BE(0)) {
      const answer = this.#received.subarray(4, 4 + this.#received.readInt32BE(0))
      this.#received = this.#received.subarray(4 + answer.length)
      const code = answer.readInt16BE(4 + 4 + 2 + answer.readInt16BE(8) + 4 + 4)
      if (code !== 0) return this.#fail(new Error(`the broker refused a batch with code ${code}`))
      this.#waiting.shift()?.resolve()
    }
  }

  #fail(error) {
    this.#failure ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure)
    this.#socket.destroy()
  }
}

let zstd
/** The codec, initiated once: a second time spoils what it compresses from then on. */
const loadZstd = () => {
  zstd ??= import('@bokuweb/zstd-wasm').then(async ({ compress, init }) => {
    await init()
    return (bytes) => compress(bytes, 3)
  })
  return zstd
}

/** Waits until the leader of every partition answers for it, which is later than metadata names it. */
const untilLed = async (admin, topic, partitions) => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      if ((await admin.fetchTopicOffsets(topic)).length === partitions) return
    } catch (error) {
      if (attempt === 300) throw error
    }
    await sleep(100)
  }
}

/**
 * Creates a topic and fills it with trades: every symbol in one partition, 1,000 records a batch, never deleted by age.
 * `set` is what `createTrades` takes, `partitions`, and `compression` ('plain' or 'zstd').
 */
export const writeTopic = async (brokers, topic, set) => {
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({
    // A busy broker does not know its new topic at once, which kafkajs takes for an error.
    waitForLeaders: false,
    topics: [
      {
        topic,
        numPartitions: set.partitions,
        configEntries: [{ name: 'retention.ms', value: '-1' }],
      },
    ],
  })
  await untilLed(admin, topic, set.partitions)
  await admin.disconnect()
  const compress = set.compression === 'zstd' ? await loadZstd() : undefined
  const trades = createTrades(set)
  const batches = Array.from({ length: set.partitions }, () => new RecordBatch())
  const connection = new ProduceConnection(brokers[0])
  let valueBytes = 0
  for (let number = 0; number < set.rows; number += 1) {
    const symbol = trades.symbolOf(number)
    const partition = symbol % set.partitions
    const value = trades.value(number)
    valueBytes += value.length
    batches[partition].add(trades.symbols[symbol], value, trades.eventMillis(number))
    if (batches[partition].count === recordsPerBatch) {
      await connection.send(topic, partition, batches[partition].finish(compress))
    }
  }
  for (const [partition, batch] of batches.entries()) {
    if (batch.count > 0) await connection.send(topic, partition, batch.finish(compress))
  }
  await connection.end()
  return { meanBytes: valueBytes / set.rows }
}

/** Deletes a topic that is no longer read. */
export const deleteTopic = async (brokers, topic) => {
  const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [topic] })
  await admin.disconnect()
}
