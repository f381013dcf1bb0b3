import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { blockMemory } from '@stockpipe/core'
import { type ISocketFactory, Kafka, logLevel } from 'kafkajs'
import { describe, expect, it, vi } from 'vitest'
import { fetchedBlocks } from '../src/fetched-batch.ts'
import { createProducer, ensureTopics, runConsumer } from '../src/index.ts'
import { loadInflate } from '../src/inflate.ts'
import { decodeRawFetch } from '../src/raw-fetch-response.ts'
import { ResponseReader } from '../src/response-reader.ts'
import { responseSocket } from '../src/response-socket.ts'
import { encodeBatch, encodeFetchAnswer } from './encoded-batch.ts'
import { quotesFrom, quotesTopic, startBroker } from './local-broker.ts'
import { MemorySink } from './memory-sink.ts'

const fixture = (name: string) =>
  readFileSync(new URL(`../../local/test/kafka/fixtures/${name}`, import.meta.url), 'utf8')

const readBack = async (kafka: Kafka, rows: number, partitions = 2) => {
  const topic = quotesTopic('topic', partitions)
  await ensureTopics(kafka, [topic])
  const producer = createProducer({ kafka, topic, compression: 'none' })
  await producer.connect()
  await producer.send(quotesFrom(0, rows))
  await producer.close()
  const sink = new MemorySink()
  await runConsumer({ kafka, groupId: 'group', topics: [topic], sink, until: 'latest', maxWaitMillis: 100 })
  const ids = sink.journal.all().map(({ value }) => Number(JSON.parse(value!).id))
  expect(ids.toSorted((one, other) => one - other)).toEqual(Array.from({ length: rows }, (_, row) => row))
}

describe('what is fetched', () => {
  it('comes by a socket of its own, over TLS and with a user as without', async () => {
    const tls = { key: fixture('localhost.key.pem'), cert: fixture('localhost.cert.pem') }
    const users = [{ name: 'alice', password: 'wonder' }]
    const written = vi.spyOn(ResponseReader.prototype, 'written')
    for (const options of [{}, { tls, users }]) {
      const { kafka } = await startBroker(options)
      await readBack(kafka, 20_000)
      expect(written).toHaveBeenCalled()
      written.mockClear()
    }
  })

  it('comes by the socket of the program where it makes its own', async () => {
    const { brokers } = await startBroker()
    let chunks = 0
    const socketFactory: ISocketFactory = ({ host, port, onConnect }) => {
      const socket = connect({ host, port }, onConnect)
      return socket.on('data', () => void (chunks += 1))
    }
    const written = vi.spyOn(ResponseReader.prototype, 'written')
    await readBack(new Kafka({ brokers, logLevel: logLevel.NOTHING, socketFactory }), 20_000)
    expect(written).not.toHaveBeenCalled()
    expect(chunks).toBeGreaterThan(10)
  })
})

describe('the memory of a response', () => {
  it('is given back once all its partitions are unpacked, and not before', async () => {
    const inflate = await loadInflate()
    const records = Array.from({ length: 1000 }, (_, index) => ({
      offsetDelta: index,
      value: Buffer.alloc(100, 48 + (index % 10)),
    }))
    const one = encodeBatch({ baseOffset: 0, records })
    const answer = encodeFetchAnswer('topic', [
      { records: one },
      { records: one },
      { records: Buffer.alloc(0) },
    ])
    const memory = blockMemory.take(answer.length)
    const payload = Buffer.from(memory, 0, answer.length)
    answer.copy(payload)
    const { responses } = decodeRawFetch(payload, [])!
    const unpack = (partition: number) => {
      const messages = responses[0]!.partitions[partition]!.messages as never
      const range = { position: 0n, from: 0n, nextOffset: 1000n }
      const limits = { maxBlockRecords: 400, maxBlockBytes: 1_000_000 }
      return fetchedBlocks({ topic: 'topic', partition, messages }, range, limits, inflate)
    }
    expect(blockMemory.hasLent(memory)).toBe(true)
    expect([...unpack(0)]).toHaveLength(3)
    // The same partition again does not count twice.
    for (const block of unpack(0)) {
      expect(block.count).toBe(400)
      break
    }
    expect(blockMemory.hasLent(memory)).toBe(true)
    expect([...unpack(1)]).toHaveLength(3)
    expect(blockMemory.hasLent(memory)).toBe(false)
  })
})

it('a socket that hands over whole responses ends and fails like any other', async () => {
  const { brokers } = await startBroker()
  const [host, port] = brokers[0]!.split(':') as [string, string]
  const events: string[] = []
  const socket = responseSocket({ host, port: Number(port), ssl: undefined as never, onConnect: () => {} })
  socket.on('data', () => {})
  for (const name of ['end', 'close'] as const) socket.on(name, () => void events.push(name))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.end()
  await closed
  expect(events).toContain('close')
  const refused = responseSocket({ host, port: 1, ssl: undefined as never, onConnect: () => {} })
  expect(await new Promise((resolve) => refused.once('error', resolve))).toMatchObject({
    code: 'ECONNREFUSED',
  })
})
