import { fork, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildFast, install, packageFolders, root } from '../scripts/workspace.js'

// What fetching and splitting records costs: CPU seconds a million records of stock kafkajs's eachBatch, and of
// runConsumer with a sink that does nothing, over the same topics of 92-byte records, in turns, each run in a process of
// its own that has read the topic once before. From the assignment to the last record, user and system. Writes benchmarks/results/<date>-fetch.json.
// --real: Apache Kafka instead of `stockpipe local`; --share 0.1: a tenth of the records; --save: write the results.
// Exits with 1 when ours takes more than a fifth of stock's CPU, without compression and on the whole topic.
const { values } = parseArgs({
  options: {
    share: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    real: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    // A run of its own: brokers, topic, records, and who reads.
    reader: { type: 'string' },
  },
  allowPositionals: true,
})
const wanted = { ratio: 0.2 }
const require = createRequire(join(root, 'packages/kafka/package.json'))
const { Kafka, logLevel } = require('kafkajs')
const kafkaOf = (brokers) => new Kafka({ brokers, clientId: 'benchmark', logLevel: logLevel.NOTHING })

/** CPU seconds since `from`, user and system. */
const cpuSince = (from) => {
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1e6
}

const readers = {
  /** As a program without us would: every value looked at, offsets resolved by kafkajs. */
  kafkajs: async (kafka, topic, records) => {
    const { registerZstd } = await import('../packages/kafka/dist/index.js')
    registerZstd(require('kafkajs').CompressionCodecs)
    const consumer = kafka.consumer({ groupId: `stock-${randomUUID()}`, maxBytesPerPartition: 1_048_576 })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    let began
    let read = 0
    let bytes = 0
    return new Promise((resolve, reject) => {
      consumer.on('consumer.group_join', () => {
        began = process.cpuUsage()
      })
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
      consumer
        .run({
          partitionsConsumedConcurrently: 4,
          eachBatch: async ({ batch }) => {
            for (const { value } of batch.messages) bytes += value.length
            read += batch.messages.length
            if (read >= records)
              resolve({ cpuSeconds: cpuSince(began), read, bytes, leave: () => consumer.disconnect() })
          },
        })
        .catch(reject)
    })
  },
  stockpipe: async (kafka, topic, records) => {
    const { runConsumer } = await import('../packages/kafka/dist/index.js')
    const { giveBlockMemory } = await import('../packages/core/dist/index.js')
    let began
    let read = 0
    let bytes = 0
    let ended = () => {}
    const done = new Promise((resolve) => {
      ended = resolve
    })
    const sink = {
      assign: async (partitions) => {
        began = process.cpuUsage()
        return partitions.map((one) => ({ topic: one.topic, partition: one.partition, offset: one.logStart }))
      },
      write: async (block) => {
        for (let index = 0; index < block.count; index++) bytes += block.values.lengths[index]
        read += block.count
        // As a sink does that is done with a block.
        giveBlockMemory(block)
        if (read >= records) ended({ cpuSeconds: cpuSince(began), read, bytes })
      },
      revoke: async () => {},
      flush: async () => {},
      close: async () => {},
      on: () => {},
      off: () => {},
    }
    const stop = new AbortController()
    const run = runConsumer({
      kafka,
      groupId: `ours-${randomUUID()}`,
      topics: [topic],
      sink,
      signal: stop.signal,
    })
    const result = await Promise.race([done, run.then(() => done)])
    const leave = async () => {
      stop.abort()
      await run
    }
    return { ...result, leave }
  },
}

if (values.reader) {
  const { brokers, topic, records } = JSON.parse(process.env.FETCH)
  const read = async () => {
    const { leave, ...result } = await readers[values.reader](kafkaOf(brokers), topic, records)
    await leave()
    return result
  }
  // The first time is for the compiler.
  await read()
  const result = await read()
  process.send({ ...result, rssMegabytes: Math.round(process.resourceUsage().maxRSS / 1024) })
  process.disconnect()
} else {
  await compareReaders()
}

async function compareReaders() {
  const share = Number(values.share)
  if (!(share > 0 && share <= 1)) throw new Error('--share takes a number above 0, at most 1')
  const records = Math.round((1_000_000 * share) / 4000) * 4000
  await install('all')
  await buildFast(packageFolders.filter((folder) => folder !== 'examples'))
  const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-fetch-'))
  const local = [
    join(root, 'packages/cli/dist/stockpipe.js'),
    'local',
    ...['--data-dir', dataDir],
    ...['--kafka-port', '0', '--http-port', '0'],
  ]
  const real = [join(root, 'lanes/kafka/start'), 'group.initial.rebalance.delay.ms=0']
  const service = spawn(process.execPath, values.real ? real : local, {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => service.on('exit', resolve))
  try {
    const line = await new Promise((resolve, reject) => {
      let text = ''
      service.stdout.on('data', (chunk) => {
        text += chunk
        if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
      })
      ended.then((code) => reject(new Error(`Kafka ended with ${code} before it was ready`)))
    })
    const { brokers } = JSON.parse(line).kafka
    const results = []
    for (const compression of ['none', 'zstd']) {
      const topic = `trades-${compression}`
      await produce(brokers, topic, compression, records)
      const runs = { kafkajs: [], stockpipe: [] }
      for (let run = 0; run < Number(values.runs); run++) {
        for (const reader of Object.keys(runs)) {
          const result = await readApart(reader, { brokers, topic, records })
          if (result.read !== records) throw new Error(`${reader} read ${result.read} of ${records} records`)
          runs[reader].push(result)
        }
      }
      const bytes = new Set(Object.values(runs).flatMap((all) => all.map((one) => one.bytes)))
      if (bytes.size !== 1) throw new Error(`the values have ${[...bytes].join(' or ')} bytes`)
      const perMillion = (reader) => runs[reader].map(({ cpuSeconds }) => (cpuSeconds / records) * 1e6)
      const medians = { kafkajs: median(perMillion('kafkajs')), stockpipe: median(perMillion('stockpipe')) }
      const ratio = medians.stockpipe / medians.kafkajs
      results.push({
        compression,
        cpuSecondsPerMillion: {
          kafkajs: perMillion('kafkajs').map(rounded),
          stockpipe: perMillion('stockpipe').map(rounded),
        },
        ratio: rounded(ratio),
        rssMegabytes: {
          kafkajs: Math.max(...runs.kafkajs.map(({ rssMegabytes }) => rssMegabytes)),
          stockpipe: Math.max(...runs.stockpipe.map(({ rssMegabytes }) => rssMegabytes)),
        },
      })
      console.log(
        `figure: fetch, compression ${compression}: ${medians.stockpipe.toFixed(2)} CPU s a million records, ` +
          `kafkajs ${medians.kafkajs.toFixed(2)}: ${(ratio * 100).toFixed(0)} %`,
      )
      if (compression === 'none' && share === 1 && ratio > wanted.ratio) process.exitCode = 1
    }
    if (values.save) {
      const date = new Date().toISOString().slice(0, 10)
      const result = {
        date,
        node: process.version,
        cores: cpus().length,
        kafka: values.real ? 'Apache Kafka 4.3.1' : 'stockpipe local',
        records,
        results,
      }
      const name = values.real ? 'fetch-real' : 'fetch'
      writeFileSync(
        join(root, `benchmarks/results/${date}-${name}.json`),
        `${JSON.stringify(result, null, 2)}\n`,
      )
    }
  } finally {
    service.kill('SIGTERM')
    await ended
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** Writes records of 92 bytes, 1,000 a batch, to four partitions. */
async function produce(brokers, topic, compression, records) {
  const { createProducer, ensureTopics } = await import('../packages/kafka/dist/index.js')
  const { defineTable, defineTopic, t } = await import('../packages/core/dist/index.js')
  const table = defineTable('trades', {
    columns: {
      symbol: t.string(),
      price: t.decimal(18, 4),
      size: t.int64(),
      ts: t.timestamp(),
      venue: t.string(),
    },
  })
  const defined = defineTopic(topic, { table, key: 'symbol', partitions: 4 })
  const kafka = kafkaOf(brokers)
  await ensureTopics(kafka, [defined])
  const producer = createProducer({ kafka, topic: defined, compression, batchRows: 1000, lingerMillis: 50 })
  await producer.connect()
  for (let from = 0; from < records; from += 1000) {
    const rows = Array.from({ length: 1000 }, (_, index) => ({
      symbol: `SYM${(from + index) % 20}`,
      price: `${100 + ((from + index) % 900)}.25`,
      size: BigInt(1 + ((from + index) % 500)),
      ts: new Date(1_767_366_240_000 + from + index),
      venue: 'XNYS',
    }))
    await producer.send(rows, { partition: (from / 1000) % 4 })
  }
  await producer.close()
}

function readApart(reader, options) {
  const child = fork(new URL(import.meta.url), ['--reader', reader], {
    env: { ...process.env, FETCH: JSON.stringify(options), KAFKAJS_NO_PARTITIONER_WARNING: '1' },
  })
  return new Promise((resolve, reject) => {
    child.on('message', resolve)
    child.on('exit', (code) => reject(new Error(`${reader} ended with ${code}`)))
  })
}

function median(numbers) {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)]
}

function rounded(number) {
  return Math.round(number * 1000) / 1000
}
