import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { createProducer, ensureTopics } from '../src/index.ts'
import { quotesFrom, quotesTopic, startBroker } from './local-broker.ts'
import { MemorySink } from './memory-sink.ts'
import { runConsumer } from './record-batch-mode.ts'

describe.concurrent('a lone member that has to join again', () => {
  it.each([
    'REBALANCE_IN_PROGRESS',
    'ILLEGAL_GENERATION',
    'NOT_COORDINATOR',
    'UNKNOWN_MEMBER_ID',
    'COORDINATOR_NOT_AVAILABLE',
  ] as const)(
    'hands nothing over twice after one heartbeat answered %s, with a block under way',
    async (error) => {
      const broker = await startBroker()
      const { kafka } = broker
      const topic = quotesTopic('topic', 4)
      await ensureTopics(kafka, [topic])
      const producer = createProducer({ kafka, topic })
      await producer.connect()
      await producer.send(quotesFrom(0, 1000))
      const sink = new MemorySink()
      let slow = true
      sink.beforeRoom = () => (slow ? delay(800) : Promise.resolve())
      const controller = new AbortController()
      const run = runConsumer({
        kafka,
        groupId: 'group',
        topics: [topic],
        sink,
        signal: controller.signal,
        maxWaitMillis: 100,
        heartbeatIntervalMillis: 100,
        sessionTimeoutMillis: 6000,
        positionCheckMillis: 300,
        maxBlockRecords: 100,
      })
      run.catch(() => {})
      await vi.waitFor(() => expect([...sink.buffered.values()].flat().length).toBeGreaterThan(0), 10_000)
      const fault = broker.faults.add({ api: 'Heartbeat', action: { error } })
      await vi.waitFor(() => expect(fault.hits).toBe(1), 10_000)
      slow = false
      await producer.send(quotesFrom(1000, 2000))
      await vi.waitFor(() => expect([...sink.buffered.values()].flat()).toHaveLength(2000), 20_000)
      controller.abort()
      expect(await run).toMatchObject({ records: 2000 })
      expect(sink.violations).toEqual([])
      // Nobody else was there to publish: all of it was kept.
      expect(sink.calls.filter((call) => call.startsWith('assign'))).toHaveLength(1)
      expect(sink.journal.all()).toHaveLength(2000)
      await producer.close()
    },
  )
})
