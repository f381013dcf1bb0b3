import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildFast, install, packageFolders } from '../scripts/workspace.js'
import { kafkajs } from './stack/plain-clients.js'
import { Random, seedFrom } from './stack/random.js'
import { freePort, startStack, within } from './stack/stack-process.js'
import { KafkaLedger, partitionCount, topics } from './stack-kill/kafka-ledger.js'
import { verifyKafka } from './stack-kill/kafka-verify.js'
import {
  commitOffsets,
  writeIdempotently,
  writeInTransactions,
  writePlainly,
} from './stack-kill/kafka-writers.js'
import {
  createBucket,
  ObjectLedger,
  openS3,
  settleUploads,
  verifyObjects,
  writeObjects,
} from './stack-kill/object-load.js'

// kill -9 of `stockpipe local` at a random moment under load, again and again: nothing acknowledged is lost, nothing
// half-written is visible. `node checks/stack-kill.js [times] [seed]`; a seed repeats the load and the delays, not
// where the kernel happens to be when the signal comes.
const times = Number(process.argv[2] ?? 50)
if (!Number.isInteger(times) || times < 1) throw new Error('usage: node checks/stack-kill.js [times] [seed]')
const seed = seedFrom(process.argv[3])
const random = new Random(seed)
const boundMillis = 60_000
const longestDelayMillis = 500
/** What must have been acknowledged in a round before the kill may come. */
const awaited = ['send', 'transaction', 'offset commit', 'put']

/** One life of the stack: who writes, what they have got done, and the end they are told of. */
class Round {
  #stop = new AbortController()
  #done = new Map()
  #waiting = []
  #enders = []
  stopping = this.#stop.signal

  constructor(number, ledger, objects) {
    this.number = number
    this.ledger = ledger
    this.objects = objects
  }

  progress(name) {
    this.#done.set(name, (this.#done.get(name) ?? 0) + 1)
    if (awaited.every((one) => this.#done.has(one))) for (const resolve of this.#waiting.splice(0)) resolve()
  }

  done(name) {
    return this.#done.get(name) ?? 0
  }

  underLoad() {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  onEnd(ender) {
    this.#enders.push(ender)
  }

  stop() {
    this.#stop.abort()
  }

  async end() {
    const ends = this.#enders.map(async (ender) => ender())
    await within(Promise.allSettled(ends), boundMillis, 'the end of the clients')
  }
}

await install('all')
await buildFast(packageFolders.filter((folder) => folder !== 'examples'))
const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-kill-'))
const ports = { kafkaPort: await freePort(), httpPort: await freePort() }
const ledger = new KafkaLedger()
const objects = new ObjectLedger()
const figures = { restartMillis: [], retried: 0, committing: 0, pending: 0, uploads: 0 }
let stack
try {
  stack = await startStack({ dataDir, ...ports })
  const admin = new kafkajs.Kafka({
    brokers: stack.kafka.brokers,
    logLevel: kafkajs.logLevel.NOTHING,
  }).admin()
  await admin.connect()
  await admin.createTopics({
    topics: Object.values(topics).map((topic) => ({ topic, numPartitions: partitionCount })),
  })
  await admin.disconnect()
  const s3 = openS3(stack)
  await createBucket(s3)
  s3.destroy()

  for (let number = 1; number <= times; number++) {
    const round = new Round(number, ledger, objects)
    const numbers = () => new Random(random.below(2 ** 31))
    const idempotent = writeIdempotently(stack, round, numbers())
    const others = [
      writePlainly(stack, round, numbers()),
      writeInTransactions(stack, round, numbers(), 'transactions-a'),
      writeInTransactions(stack, round, numbers(), 'transactions-b'),
      commitOffsets(stack, round),
      ...['a', 'b', 'c'].map((name) => writeObjects(stack, round, numbers(), name)),
    ]
    // Whoever fails while the stack is up has found something; once it is killed, failing is what they must.
    const failed = Promise.all([idempotent, ...others].map((writer) => writer.catch(failWhileUp(round))))
    await within(Promise.race([round.underLoad(), failed]), boundMillis, 'a round of acknowledgements')
    await Promise.race([sleep(random.below(longestDelayMillis)), failed])
    assert.ok(stack.isAlive(), `the stack ended by itself:\n${stack.errorText()}`)
    round.stop()
    await stack.end('SIGKILL')
    await within(Promise.allSettled(others), boundMillis, 'the writers')
    figures.committing += ledger.transactions.filter(({ state }) => state === 'committing').length
    figures.pending += [...objects.objects.values()].filter(({ pending }) => pending !== undefined).length

    stack = await startStack({ dataDir, ...ports })
    figures.restartMillis.push(stack.readyMillis)
    await within(idempotent, boundMillis, 'the idempotent send that was under way')
    figures.retried += round.done('retried over a kill')
    await round.end()
    const { records, committed } = await verifyKafka(ports.kafkaPort, ledger)
    const { objects: objectCount } = await verifyObjects(stack, objects)
    figures.uploads += await settleUploads(stack, objects)
    console.log(
      `kill ${number}: ${records} records, ${committed} of them committed in transactions, ${objectCount} objects`,
    )
  }
  const { code } = await stack.end('SIGTERM')
  assert.equal(code, 0, 'SIGTERM did not end the stack with 0')
  const slowest = Math.max(...figures.restartMillis)
  const unsettled = ledger.transactions.filter(({ state }) => state === 'open').length
  console.log(
    `figure: ${times} kills, ${ledger.acknowledgedCount} acknowledged records and ${objects.acknowledgedCount} acknowledged objects and deletes, lost 0`,
  )
  console.log(
    `figure: cut short by the kills: ${unsettled} open transactions, ${figures.committing} commits, ${figures.pending} object writes; ${figures.retried} sends repeated over a kill, ${figures.uploads} uploads completed after one`,
  )
  console.log(`figure: restart ready in at most ${Math.round(slowest)} ms`)
} finally {
  if (stack?.isAlive()) await stack.end('SIGKILL')
  rmSync(dataDir, { recursive: true, force: true })
}
process.exit(0)

/** Rethrows what a writer met while the stack was up. */
function failWhileUp(round) {
  return (error) => {
    if (!round.stopping.aborted) throw error
  }
}
