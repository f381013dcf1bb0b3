import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kafka } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { createProducer, ensureTopics, runConsumer } from '../src/index.ts'
import { clusterFactory } from '../src/kafkajs-cluster.ts'
import { recordedFetch } from '../src/recorded-fetch.ts'
import { quotesFrom, quotesTopic, startBroker } from './local-broker.ts'
import { MemorySink } from './memory-sink.ts'

/** What was logged as a warning, by clients of the `Kafka` beside it. */
const warningsOf = (kafka: Kafka) => {
  const warnings: string[] = []
  const logger = kafka.logger()
  const warn = (message: string) => void warnings.push(message)
  return {
    warnings,
    kafka: Object.create(kafka, { logger: { value: () => ({ ...logger, warn }) } }) as Kafka,
  }
}

const filled = async (rows: number, options: Parameters<typeof startBroker>[0] = {}) => {
  const { kafka } = await startBroker(options)
  const topic = quotesTopic('topic', 2)
  await ensureTopics(kafka, [topic])
  const producer = createProducer({ kafka, topic, compression: 'none' })
  await producer.connect()
  await producer.send(quotesFrom(0, rows))
  await producer.close()
  const read = (over: Partial<Parameters<typeof runConsumer>[0]> = {}) => {
    const sink = new MemorySink()
    const options = { kafka, groupId: 'group', topics: [topic], sink, until: 'latest' as const }
    return runConsumer({ ...options, maxWaitMillis: 100, ...over }).then((summary) => ({ summary, sink }))
  }
  return { kafka, topic, read }
}

interface Response {
  decode(payload: Buffer): Promise<unknown>
}
type Protocol = (options: object) => { readonly request: object; readonly response: Response }
interface Definition {
  readonly versions: readonly string[]
  protocol(options: { version: number }): Protocol
}

/** A `Kafka` whose brokers fetch by another protocol than the one they would choose. */
const fetchingBy = (
  kafka: Kafka,
  change: (protocol: Protocol, definition: Definition) => Protocol,
): Kafka => {
  const { name, create } = clusterFactory(kafka)!
  const changed = (options: unknown) => {
    const cluster = create(options) as { findBroker(node: object): Promise<object> }
    const find = cluster.findBroker.bind(cluster)
    cluster.findBroker = async (node) => {
      const broker = (await find(node)) as { lookupRequest(key: number, definition: Definition): Protocol }
      const lookupRequest = (key: number, definition: Definition) => {
        const protocol = broker.lookupRequest(key, definition)
        return key === 1 ? change(protocol, definition) : protocol
      }
      return Object.create(broker, { lookupRequest: { value: lookupRequest } }) as object
    }
    return cluster
  }
  return Object.create(kafka, { [name]: { value: changed } }) as Kafka
}

describe('whole record batches', () => {
  it('are what a consumer fetches, without a warning', async () => {
    const { kafka, read } = await filled(2000)
    const { warnings, kafka: heard } = warningsOf(kafka)
    let messages = 0
    const counted = fetchingBy(heard, (protocol) => (options) => {
      const { request, response } = protocol(options)
      const decode = async (payload: Buffer) => {
        if (!payload.equals(recordedFetch.payload)) messages += 1
        return response.decode(payload)
      }
      return { request, response: { ...response, decode } }
    })
    expect((await read({ kafka: heard })).summary).toMatchObject({ records: 2000 })
    expect((await read({ kafka: counted })).summary).toMatchObject({ records: 2000 })
    expect(warnings).toEqual([])
    // The recorded answer is all that kafkajs has read.
    expect(messages).toBe(0)
    await read({ kafka: counted, recordBatches: 'messages' })
    expect(messages).toBeGreaterThan(0)
  })

  it('leave a consumer of the program alone, made before or after, on the same topic at the same time', async () => {
    const { kafka, topic, read } = await filled(2000)
    const ownOf = async (groupId: string) => {
      const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
      await consumer.connect()
      await consumer.subscribe({ topics: [topic.name], fromBeginning: true })
      const values: string[] = []
      const run = consumer.run({
        eachMessage: async ({ message }) => void values.push(String(message.value)),
      })
      return { consumer, values, run }
    }
    const before = await ownOf('before')
    const [{ sink }, after] = await Promise.all([read(), ownOf('after')])
    for (let turn = 0; turn < 200 && before.values.length + after.values.length < 4000; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const expected = sink.journal.all().map(({ value }) => value!)
    expect(expected).toHaveLength(2000)
    for (const { values, consumer } of [before, after]) {
      expect(values.toSorted()).toEqual(expected.toSorted())
      await consumer.disconnect()
    }
  })

  it('that are corrupt on the broker end the run by an error that names them', async () => {
    const dataDirectory = mkdtempSync(join(tmpdir(), 'stockpipe-corrupt-'))
    const { read } = await filled(500, { dataDirectory })
    const files = readdirSync(dataDirectory, { recursive: true, encoding: 'utf8' })
    const segment = files
      .map((file) => join(dataDirectory, file))
      .find((file) => /topic-0\W.*\.log$/.test(file))!
    const bytes = readFileSync(segment)
    bytes[bytes.length - 20]! ^= 1
    writeFileSync(segment, bytes)
    await expect(read()).rejects.toMatchObject({
      code: 'RECORD_BATCH_CORRUPT',
      facts: { topic: 'topic', partition: 0 },
    })
    // kafkajs alone does not look.
    expect((await read({ recordBatches: 'messages' })).summary).toMatchObject({ records: 500 })
  })

  it.each<[string, (kafka: Kafka) => Kafka]>([
    [
      'kafkajs reads a recorded answer otherwise',
      (kafka) =>
        fetchingBy(kafka, (protocol) => (options) => {
          const made = protocol(options)
          const decode = async (payload: Buffer) => ({
            ...((await made.response.decode(payload)) as object),
            more: 1,
          })
          return { ...made, response: { ...made.response, decode } }
        }),
    ],
    [
      'brokers are older',
      (kafka) => fetchingBy(kafka, (_, definition) => definition.protocol({ version: 10 })),
    ],
    [
      'it is another client',
      (kafka) =>
        ({
          consumer: (options: Parameters<Kafka['consumer']>[0]) => kafka.consumer(options),
          admin: () => kafka.admin(),
          logger: () => kafka.logger(),
        }) as Kafka,
    ],
  ])('are read as messages, with one warning, where %s', async (_, change) => {
    const { kafka, read } = await filled(500)
    const { warnings, kafka: heard } = warningsOf(kafka)
    const changed = change(heard)
    for (let run = 0; run < 2; run++) {
      expect((await read({ kafka: changed })).summary).toMatchObject({ records: 500 })
    }
    expect(warnings).toEqual([expect.stringMatching(/^stockpipe reads messages one by one/)])
  })
})
