import { LogChangedError } from '@stockpipe/core'
import { expect, it, vi } from 'vitest'
import { createProducer, ensureTopics, runConsumer } from '../src/index.ts'
import { clientOf, cutLog, quotesFrom, quotesTopic, startBroker } from './local-broker.ts'
import { MemoryJournal, MemorySink } from './memory-sink.ts'

const waiting = { timeout: 30_000, interval: 20 }

/** A topic of one partition whose consumer has read `rows` rows and holds back, for lack of room, until `release`. */
const heldAfter = async (rows: number) => {
  const broker = await startBroker()
  // kafkajs is to wait while the broker is away.
  const kafka = clientOf(broker.brokers, 20)
  const topic = quotesTopic('topic', 1)
  await ensureTopics(kafka, [topic])
  const write = async (from: number, to: number) => {
    await using producer = createProducer({ kafka, topic, batchRows: 10 })
    await producer.connect()
    for (let at = from; at < to; at += 10) await producer.send(quotesFrom(at, Math.min(to, at + 10)))
  }
  await write(0, rows)
  const journal = new MemoryJournal()
  const started = (sink = new MemorySink(journal)) => {
    const stop = new AbortController()
    const run = runConsumer({
      kafka,
      groupId: 'group',
      topics: [topic],
      sink,
      maxWaitMillis: 100,
      heartbeatIntervalMillis: 100,
      // What is told here is told before anything is handed over, not by a check every now and then.
      positionCheckMillis: 600_000,
      sessionTimeoutMillis: 6000,
      signal: stop.signal,
    })
    const outcome = run.then(
      () => undefined,
      (error: unknown) => error,
    )
    const buffered = () => sink.buffered.get('topic/0')?.map(({ offset }) => Number(offset)) ?? []
    return { sink, stop, outcome, buffered }
  }
  const read = started()
  await vi.waitFor(() => expect(read.buffered()).toHaveLength(rows), waiting)
  read.sink.emit('full')
  return { ...broker, kafka, topic, write, started, ...read }
}

it('a log that is cut and has grown again while it is read ends the run, and nothing of it is handed over', async () => {
  const { restart, dataDirectory, write, sink, outcome, buffered } = await heldAfter(100)
  await restart(0, () => cutLog(dataDirectory, 'topic', 0, 0.55))
  await write(500, 700)
  sink.emit('room')
  const error = await outcome
  expect(error).toBeInstanceOf(LogChangedError)
  expect(error).toMatchObject({
    code: 'LOG_CHANGED',
    facts: { topic: 'topic', partition: 0, position: 100n, leaderEpoch: 0, epochEnd: 50n },
    message: expect.stringMatching(/At offsets 50 to 99 there are other records.*Start a new sink, or reset/),
  })
  expect(buffered()).toHaveLength(0)
  expect(sink.journal.all()).toHaveLength(0)
})

it('a log whose leader was another one meanwhile, and that lost nothing, is read on', async () => {
  const { restart, write, sink, buffered, stop, outcome } = await heldAfter(100)
  await restart(0)
  await write(100, 130)
  await restart(0)
  await write(130, 200)
  sink.emit('room')
  await vi.waitFor(
    () => expect(buffered()).toEqual(Array.from({ length: 200 }, (_, index) => index)),
    waiting,
  )
  // Also while nothing holds it back.
  await restart(0)
  await write(200, 250)
  await vi.waitFor(() => expect(buffered()).toHaveLength(250), waiting)
  expect(sink.violations).toEqual([])
  stop.abort()
  expect(await outcome).toBeUndefined()
  expect(sink.journal.lastRecords.get('topic/0')).toEqual({ offset: 249n, leaderEpoch: 3 })
})

it('a topic that is made anew and has grown again while it is read ends the run, though its epochs are the same', async () => {
  const { admin, kafka, topic, write, sink, outcome } = await heldAfter(100)
  await admin.deleteTopics({ topics: ['topic'] })
  await ensureTopics(kafka, [topic])
  await write(500, 700)
  sink.emit('room')
  const error = await outcome
  expect(error).toBeInstanceOf(LogChangedError)
  expect(error).toMatchObject({
    code: 'LOG_CHANGED',
    facts: { topic: 'topic', partition: 0, position: 100n },
    message: expect.stringMatching(/made anew while it was read.*Start a new sink, or reset/),
  })
  expect(sink.journal.all()).toHaveLength(0)
})

it('a log that was cut and has grown again between two runs is not read on', async () => {
  const { restart, dataDirectory, write, stop, outcome, sink, started } = await heldAfter(100)
  sink.emit('room')
  stop.abort()
  expect(await outcome).toBeUndefined()
  await restart(0, () => cutLog(dataDirectory, 'topic', 0, 0.55))
  await write(500, 700)
  const again = started()
  expect(await again.outcome).toMatchObject({
    code: 'LOG_CHANGED',
    facts: { topic: 'topic', partition: 0, position: 100n, leaderEpoch: 0, epochEnd: 50n },
  })
  expect(again.buffered()).toHaveLength(0)
})
