import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipCode } from '../../lanes/lane.js'
import { root } from '../../scripts/workspace.js'
import { kafkajs } from '../stack/plain-clients.js'

/** Three real brokers of the lane `kafka/cluster`, whose nodes are killed by pid and started again by the lane. */
export class Cluster {
  #lane
  #pids
  #admin
  #restarts = []

  /** Undefined, with a `skipped:` line, where this machine lacks what the lane needs. */
  static async start(properties) {
    const lane = spawn(process.execPath, [join(root, 'lanes/kafka/cluster'), ...properties], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let errors = ''
    lane.stderr.on('data', (chunk) => {
      errors = (errors + chunk).slice(-20_000)
    })
    const ended = new Promise((resolve) => lane.on('close', resolve))
    const lines = createInterface({ input: lane.stdout })
    const first = await Promise.race([new Promise((resolve) => lines.once('line', resolve)), ended])
    if (typeof first === 'string') return new Cluster(lane, lines, ended, JSON.parse(first))
    if (first !== skipCode) throw new Error(`lanes/kafka/cluster ended with ${first}:\n${errors}`)
    console.log(`skipped: ${errors.trim()}`)
    return undefined
  }

  constructor(lane, lines, ended, { kafka, nodes }) {
    this.#lane = lane
    this.ended = ended
    this.brokers = kafka.brokers
    this.classPath = kafka.classPath
    this.#pids = new Map(nodes.map(({ id, pid }) => [id, pid]))
    lines.on('line', (line) => {
      const { restarted, pid } = JSON.parse(line)
      this.#pids.set(restarted, pid)
      for (const resolve of this.#restarts.splice(0)) resolve()
    })
  }

  async createTopics(topics, numPartitions) {
    this.#admin = new kafkajs.Kafka({
      brokers: this.brokers,
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { retries: 12 },
    }).admin()
    await this.#admin.connect()
    await this.#admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions })) })
    await this.inSync(topics, numPartitions)
  }

  /** The node that leads each partition. */
  async leaders(topic) {
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] })
    return new Map(topics[0].partitions.map(({ partitionId, leader }) => [partitionId, leader]))
  }

  /** Resolves when every partition has its three copies in sync. */
  async inSync(topics, partitions) {
    for (;;) {
      const metadata = await this.#admin.fetchTopicMetadata({ topics }).catch(() => undefined)
      const copies = metadata?.topics.flatMap((topic) => topic.partitions.map(({ isr }) => isr.length)) ?? []
      if (copies.length === topics.length * partitions && copies.every((count) => count === 3)) return
      await sleep(200)
    }
  }

  /** kill -9; resolves when the lane has the node serving again. */
  async killAndAwait(node) {
    const restarted = new Promise((resolve) => this.#restarts.push(resolve))
    process.kill(this.#pids.get(node), 'SIGKILL')
    await restarted
  }

  async end() {
    await Promise.race([this.#admin?.disconnect().catch(() => {}), sleep(3000)])
    this.#lane.kill('SIGTERM')
    await this.ended
  }
}
