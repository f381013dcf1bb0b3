import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { ensureTopics, runConsumer } from '../src/index.ts'
import { quotesTopic, startBroker } from './local-broker.ts'
import { MemorySink } from './memory-sink.ts'

const storageError = { error: 'KAFKA_STORAGE_ERROR' } as const

describe.concurrent('a run that ends while kafkajs restarts', () => {
  // kafkajs cannot stop what has not joined yet: it would join afterwards, and nobody could make it leave.
  it.each([
    ['waits until it has joined, and leaves', 4000, 1000],
    ['has it leave afterwards when that takes too long', 300, 2500],
  ])('%s', async (_, drainMillis, joinMillis) => {
    const { kafka, admin, faults } = await startBroker()
    const topic = quotesTopic('topic')
    await ensureTopics(kafka, [topic])
    const abort = new AbortController()
    const sink = new MemorySink()
    const run = runConsumer({
      kafka,
      groupId: 'group',
      topics: [topic],
      sink,
      signal: abort.signal,
      drainMillis,
      maxWaitMillis: 100,
      heartbeatIntervalMillis: 100,
      positionCheckMillis: 300,
      sessionTimeoutMillis: 6000,
    })
    await vi.waitFor(() => expect(sink.assigned.size).toBe(4), 10_000)
    const broken = faults.add({ api: 'Fetch', times: Number.POSITIVE_INFINITY, action: storageError })
    const joining = faults.add({ api: 'JoinGroup', action: { delayMillis: joinMillis } })
    await vi.waitFor(() => expect(joining.hits).toBe(1), 20_000)
    broken.remove()
    abort.abort()
    expect(await run).toMatchObject({ reason: 'aborted' })
    await delay(joinMillis + 500)
    await vi.waitFor(
      async () => expect((await admin.describeGroups(['group'])).groups[0]!.members).toHaveLength(0),
      4000,
    )
    const fetching = faults.add({ api: 'Fetch', times: Number.POSITIVE_INFINITY, action: { delayMillis: 0 } })
    await delay(500)
    expect(fetching.hits).toBe(0)
    expect(sink.violations).toEqual([])
  })
})
