import { setTimeout as delay } from 'node:timers/promises'
import { EngineLostError, LogChangedError, LostPositionError } from '@stockpipe/core'
import { describe, expect, it, vi } from 'vitest'
import { type ConsumerProgress, createProducer, ensureTopics } from '../src/index.ts'
import { clientOf, quotesFrom, quotesTopic, startBroker } from './local-broker.ts'
import { MemoryJournal, MemorySink } from './memory-sink.ts'
import { runConsumer } from './record-batch-mode.ts'

const idsOf = (journal: MemoryJournal): number[] =>
  journal
    .all()
    .map(({ value }) => Number(/"id":(\d+)/.exec(value!)![1]!))
    .sort((a, b) => a - b)
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

const filled = async (name: string, rows: number, partitions = 4) => {
  const { kafka, admin, restart } = await startBroker()
  const topic = quotesTopic(name, partitions)
  await ensureTopics(kafka, [topic])
  const producer = createProducer({ kafka, topic })
  await producer.connect()
  if (rows > 0) await producer.send(quotesFrom(0, rows))
  return { kafka, admin, restart, topic, producer }
}
const quick = {
  maxWaitMillis: 100,
  heartbeatIntervalMillis: 100,
  positionCheckMillis: 300,
  sessionTimeoutMillis: 6000,
}

describe('runConsumer until latest', () => {
  it('hands over everything once and in order, publishes, commits, and leaves', async () => {
    const { kafka, admin, topic, producer } = await filled('topic', 10_000)
    await producer.close()
    const sink = new MemorySink()
    const told: ConsumerProgress[] = []
    const summary = await runConsumer({
      ...quick,
      kafka,
      groupId: 'group',
      topics: [topic],
      sink,
      until: 'latest',
      maxBlockRecords: 700,
      onProgress: (progress) => told.push(progress),
    })
    expect(summary).toMatchObject({ reason: 'reached', records: 10_000 })
    expect(sink.violations).toEqual([])
    expect(idsOf(sink.journal)).toEqual(numbers(10_000))
    for (const records of sink.journal.records.values()) {
      expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => BigInt(index)))
    }
    expect(told.at(-1)).toMatchObject({ records: 10_000, lag: 0 })
    expect(sink.calls.slice(-2)).toEqual(['flush', 'revoke topic/0 topic/1 topic/2 topic/3 drain'])
    const ends = (await admin.fetchTopicOffsets('topic'))
      .map(({ partition, high }) => `${partition}:${high}`)
      .sort()
    expect(summary.positions.map(({ partition, offset }) => `${partition}:${offset}`).sort()).toEqual(ends)
    const [committed] = await admin.fetchOffsets({ groupId: 'group', topics: ['topic'] })
    expect(committed!.partitions.map(({ partition, offset }) => `${partition}:${offset}`).sort()).toEqual(
      ends,
    )
    expect(await admin.describeGroups(['group'])).toMatchObject({ groups: [{ state: 'Empty' }] })
    expect(sink.listeners).toBe(0)
  })

  it('ends at once on an empty topic', async () => {
    const { kafka, topic, producer } = await filled('topic', 0)
    await producer.close()
    const sink = new MemorySink()
    const began = performance.now()
    const summary = await runConsumer({
      ...quick,
      kafka,
      groupId: 'group',
      topics: [topic],
      sink,
      until: 'latest',
    })
    expect(summary).toMatchObject({ reason: 'reached', records: 0 })
    expect(performance.now() - began).toBeLessThan(3000)
    expect(sink.assignments).toHaveLength(4)
  })

  it('ends where the topic ended when it began, whatever is written meanwhile', async () => {
    const { kafka, topic, producer } = await filled('topic', 1000, 1)
    const sink = new MemorySink()
    sink.beforeAssign = async () => {
      await producer.send(quotesFrom(1000, 2000))
    }
    const options = { ...quick, kafka, groupId: 'group', topics: [topic], sink, until: 'latest' } as const
    expect(await runConsumer(options)).toMatchObject({ reason: 'reached', records: 1000 })
    expect(idsOf(sink.journal)).toEqual(numbers(1000))
    await producer.close()
    sink.beforeAssign = async () => {}
    expect(await runConsumer(options)).toMatchObject({ reason: 'reached', records: 1000 })
    expect(idsOf(sink.journal)).toEqual(numbers(2000))
    expect(sink.violations).toEqual([])
  })

  it('goes on from the sink and not from what the group committed', async () => {
    const { kafka, topic, producer } = await filled('topic', 2000, 1)
    await producer.close()
    const options = { ...quick, kafka, groupId: 'group', topics: [topic], until: 'latest' } as const
    const sink = new MemorySink()
    expect(await runConsumer({ ...options, sink })).toMatchObject({ reason: 'reached', records: 2000 })
    expect(await runConsumer({ ...options, sink })).toMatchObject({ reason: 'reached', records: 0 })
    const fresh = new MemorySink()
    expect(await runConsumer({ ...options, sink: fresh })).toMatchObject({ reason: 'reached', records: 2000 })
    expect(fresh.assignments).toEqual([
      { topic: 'topic', partition: 0, logStart: 0n, logEnd: 2000n, committed: 2000n },
    ])
    expect(idsOf(fresh.journal)).toEqual(numbers(2000))
  })

  it('is not held up by transaction markers, aborted tails and open ends', async () => {
    const { kafka, topic, producer } = await filled('topic', 50, 1)
    await producer.close()
    const transactional = kafka.producer({ transactionalId: 'tx', maxInFlightRequests: 1, idempotent: true })
    await transactional.connect()
    const inTransaction = async (from: number, end: 'commit' | 'abort') => {
      const transaction = await transactional.transaction()
      const messages = quotesFrom(from, from + 20).map(({ id }) => ({ value: `{"id":${id}}` }))
      await transaction.send({ topic: 'topic', messages })
      await transaction[end]()
    }
    await inTransaction(1000, 'abort')
    await inTransaction(50, 'commit')
    await inTransaction(1000, 'abort')
    await inTransaction(1000, 'abort')
    const open = await transactional.transaction()
    await open.send({ topic: 'topic', messages: [{ value: '{"id":1000}' }] })
    const sink = new MemorySink()
    const options = { ...quick, kafka, groupId: 'group', topics: [topic], sink, until: 'latest' } as const
    expect(await runConsumer(options)).toMatchObject({ reason: 'reached', records: 70 })
    expect(idsOf(sink.journal)).toEqual(numbers(70))
    expect(sink.violations).toEqual([])
    await open.abort()
    await transactional.disconnect()
    expect(await runConsumer(options)).toMatchObject({ reason: 'reached', records: 0 })
  })

  it('hands the sink a block that begins where the last one ended, over markers it was never shown', async () => {
    const { kafka, topic, producer } = await filled('topic', 50, 1)
    const sink = new MemorySink()
    const end = new AbortController()
    let lag = Number.POSITIVE_INFINITY
    let records = 0
    const running = runConsumer({
      ...quick,
      kafka,
      groupId: 'group',
      topics: [topic],
      sink,
      signal: end.signal,
      onProgress: (progress) => ({ lag, records } = progress),
    })
    await vi.waitUntil(() => records === 50 && lag === 0, { timeout: 10_000 })
    const transactional = kafka.producer({ transactionalId: 'tx', maxInFlightRequests: 1, idempotent: true })
    await transactional.connect()
    const transaction = await transactional.transaction()
    await transaction.send({ topic: 'topic', messages: [{ value: '{"id":1000}' }] })
    await transaction.abort()
    await transactional.disconnect()
    // Long enough for the loop to step over the aborted record and the marker by themselves.
    await delay(1000)
    await producer.send(quotesFrom(50, 60))
    await producer.close()
    await vi.waitUntil(() => records === 60, { timeout: 10_000 })
    end.abort()
    await running
    expect(sink.violations).toEqual([])
    expect(idsOf(sink.journal)).toEqual(numbers(60))
  })

  it('drives a sink for each topic', async () => {
    const { kafka, topic, producer } = await filled('one', 500)
    await producer.close()
    const two = quotesTopic('two', 2)
    await ensureTopics(kafka, [two])
    const producerOfTwo = createProducer({ kafka, topic: two })
    await producerOfTwo.connect()
    await producerOfTwo.send(quotesFrom(0, 300))
    await producerOfTwo.close()
    const sinks = { one: new MemorySink(), two: new MemorySink() }
    const options = { ...quick, kafka, groupId: 'group', topics: [topic, 'two'], until: 'latest' } as const
    expect(await runConsumer({ ...options, sink: sinks })).toMatchObject({ reason: 'reached', records: 800 })
    expect(idsOf(sinks.one.journal)).toEqual(numbers(500))
    expect(idsOf(sinks.two.journal)).toEqual(numbers(300))
    await expect(runConsumer({ ...options, sink: { one: sinks.one } })).rejects.toMatchObject({
      code: 'SINK_MISSING',
    })
  })
})

describe.concurrent('runConsumer and positions', () => {
  it('refuses a position Kafka has deleted, naming both offsets', async () => {
    const { kafka, admin, topic, producer } = await filled('topic', 100, 1)
    await producer.close()
    const sink = new MemorySink()
    sink.journal.next.set('topic/0', 10n)
    await admin.fetchTopicOffsets('topic')
    await admin.deleteTopicRecords({ topic: 'topic', partitions: [{ partition: 0, offset: '40' }] })
    const run = runConsumer({ ...quick, kafka, groupId: 'group', topics: [topic], sink, until: 'latest' })
    await expect(run).rejects.toThrow(LostPositionError)
    await expect(run).rejects.toMatchObject({ facts: { position: 10n, logStart: 40n, partition: 0 } })
    expect(sink.journal.all()).toEqual([])
  })

  it('notices that records are deleted under it instead of jumping over them', async () => {
    const { kafka, admin, topic, producer } = await filled('topic', 100, 1)
    const sink = new MemorySink()
    sink.beforeRoom = async () => sink.emit('full')
    const run = runConsumer({ ...quick, kafka, groupId: 'group', topics: [topic], sink })
    run.catch(() => {})
    await vi.waitFor(() => expect(sink.buffered.get('topic/0')).toHaveLength(100), 5000)
    await producer.send(quotesFrom(100, 200))
    await admin.fetchTopicOffsets('topic')
    await admin.deleteTopicRecords({ topic: 'topic', partitions: [{ partition: 0, offset: '150' }] })
    sink.emit('room')
    await expect(run).rejects.toMatchObject({
      code: 'LOST_POSITION',
      facts: { position: 100n, logStart: 150n },
    })
    expect(sink.violations).toEqual([])
    expect(sink.journal.all()).toEqual([])
    await producer.close()
  })

  it('refuses a position beyond the end of the log', async () => {
    const { kafka, topic, producer } = await filled('topic', 100, 1)
    await producer.close()
    const sink = new MemorySink()
    sink.journal.next.set('topic/0', 101n)
    const run = runConsumer({ ...quick, kafka, groupId: 'group', topics: [topic], sink })
    await expect(run).rejects.toThrow(LogChangedError)
  })
})

describe.concurrent('runConsumer and its sink', () => {
  it('hands nothing over before the sink has answered, however long that takes', async () => {
    const { kafka, topic, producer } = await filled('topic', 1000)
    await producer.close()
    const sink = new MemorySink()
    for (const partition of [0, 1, 2, 3]) sink.journal.next.set(`topic/${partition}`, 50n)
    sink.beforeAssign = () => delay(1500)
    const summary = await runConsumer({
      ...quick,
      kafka,
      groupId: 'group',
      topics: [topic],
      sink,
      until: 'latest',
    })
    expect(summary).toMatchObject({ reason: 'reached', records: 800 })
    expect(sink.violations).toEqual([])
    for (const records of sink.journal.records.values()) expect(records[0]?.offset ?? 50n).toBe(50n)
  })

  it('stays in the group while a write takes longer than its session', async () => {
    const { kafka, topic, producer } = await filled('topic', 1000)
    await producer.close()
    const sink = new MemorySink()
    let slow = 1
    sink.beforeRoom = async () => {
      if (slow-- > 0) await delay(7500)
    }
    const summary = await runConsumer({
      ...quick,
      kafka,
      groupId: 'group',
      topics: [topic],
      sink,
      until: 'latest',
    })
    expect(summary).toMatchObject({ reason: 'reached', records: 1000 })
    expect(sink.calls.filter((call) => call.startsWith('assign'))).toHaveLength(1)
  })

  it('stops fetching when the sink is full and goes on when there is room', async () => {
    const { kafka, topic, producer } = await filled('topic', 100, 1)
    const sink = new MemorySink()
    sink.beforeRoom = async () => sink.emit('full')
    const controller = new AbortController()
    const run = runConsumer({
      ...quick,
      kafka,
      groupId: 'group',
      topics: [topic],
      sink,
      signal: controller.signal,
    })
    await vi.waitFor(() => expect(sink.buffered.get('topic/0')).toHaveLength(100), 5000)
    await producer.send(quotesFrom(100, 200))
    await delay(700)
    expect(sink.buffered.get('topic/0')).toHaveLength(100)
    sink.emit('room')
    await vi.waitFor(() => expect(sink.buffered.get('topic/0')).toHaveLength(200), 5000)
    controller.abort()
    expect(await run).toMatchObject({ reason: 'aborted', records: 200 })
    expect(idsOf(sink.journal)).toEqual(numbers(200))
    await producer.close()
  })

  it('rejects with what the sink failed with', async () => {
    const { kafka, topic, producer } = await filled('topic', 100, 1)
    await producer.close()
    const failed = new MemorySink()
    failed.beforeRoom = async () =>
      failed.emit('failed', { topic: 'topic', partition: 0 }, new Error('disk on fire'))
    await expect(
      runConsumer({ ...quick, kafka, groupId: 'a', topics: [topic], sink: failed }),
    ).rejects.toThrow('on fire')
    expect(failed.calls.at(-1)).toBe('revoke topic/0 give up')
    const rejecting = new MemorySink()
    rejecting.beforeRoom = () => Promise.reject(new Error('no room ever'))
    await expect(
      runConsumer({ ...quick, kafka, groupId: 'b', topics: [topic], sink: rejecting }),
    ).rejects.toThrow('no room')
    const refusing = new MemorySink()
    refusing.beforeAssign = () => Promise.reject(new Error('journal unreadable'))
    await expect(
      runConsumer({ ...quick, kafka, groupId: 'c', topics: [topic], sink: refusing }),
    ).rejects.toThrow('unreadable')
  })

  it('takes a partition anew from the journal when it is fenced', async () => {
    const { kafka, topic, producer } = await filled('topic', 1000, 1)
    await producer.close()
    const sink = new MemorySink()
    sink.publishEvery = 200
    let intrusions = 2
    sink.beforeRoom = async (block) => {
      // Somebody else publishes the next 100 records before this sink gets to.
      if (intrusions-- <= 0) return
      const next = sink.journal.next.get('topic/0') ?? 0n
      const others = quotesFrom(Number(next), Number(next) + 100).map(({ id }) => ({
        offset: id,
        key: null,
        value: `{"id":${id}}`,
      }))
      sink.journal.records.set('topic/0', [...(sink.journal.records.get('topic/0') ?? []), ...others])
      sink.journal.next.set('topic/0', next + 100n)
      expect(block.count).toBeGreaterThan(0)
    }
    const options = { ...quick, kafka, groupId: 'group', topics: [topic], sink, until: 'latest' } as const
    await runConsumer({ ...options, maxBlockRecords: 150 })
    expect(sink.calls.filter((call) => call === 'assign topic/0').length).toBeGreaterThan(1)
    expect(sink.violations).toEqual([])
    expect(idsOf(sink.journal)).toEqual(numbers(1000))
  })
})

describe('runConsumer and a sink whose engine is lost', () => {
  it('takes the partition anew, and what was not published is handed over again', async () => {
    const { kafka, topic, producer } = await filled('topic', 1000, 1)
    await producer.close()
    const sink = new MemorySink()
    sink.publishEvery = 200
    let crashes = 2
    sink.beforeRoom = async () => {
      if (crashes-- <= 0) return
      const error = new EngineLostError({ code: 'ENGINE_WORKER_LOST', message: 'crashed', retryable: true })
      sink.emit('failed', { topic: 'topic', partition: 0 }, error)
      throw error
    }
    const options = { ...quick, kafka, groupId: 'group', topics: [topic], sink, until: 'latest' } as const
    await runConsumer({ ...options, maxBlockRecords: 150 })
    expect(sink.calls.filter((call) => call === 'assign topic/0')).toHaveLength(3)
    expect(sink.violations).toEqual([])
    expect(idsOf(sink.journal)).toEqual(numbers(1000))
  })
})

describe('runConsumer and its end', () => {
  const abortable = async (sink: MemorySink, milliseconds: number) => {
    const { kafka, admin, topic, producer } = await filled('topic', 1000)
    await producer.close()
    const controller = new AbortController()
    const run = runConsumer({
      ...quick,
      kafka,
      groupId: 'group',
      topics: [topic],
      sink,
      signal: controller.signal,
      drainMillis: 1000,
    })
    run.catch(() => {})
    await delay(milliseconds)
    const began = performance.now()
    controller.abort()
    const summary = await run
    return { summary, took: performance.now() - began, admin, kafka, topic }
  }

  it('publishes what is buffered when aborted, and leaves the group', async () => {
    const sink = new MemorySink()
    const { summary, took, admin } = await abortable(sink, 800)
    expect(summary).toMatchObject({ reason: 'aborted', records: 1000 })
    expect(idsOf(sink.journal)).toEqual(numbers(1000))
    expect(took).toBeLessThan(1500)
    expect(await admin.describeGroups(['group'])).toMatchObject({ groups: [{ state: 'Empty' }] })
  })

  it.each([
    ['writing', (sink: MemorySink) => (sink.beforeRoom = () => new Promise(() => {}))],
    ['draining', (sink: MemorySink) => (sink.beforeDrain = () => new Promise(() => {}))],
    ['answering', (sink: MemorySink) => (sink.beforeAssign = () => new Promise(() => {}))],
  ])('ends within its deadline when the sink hangs while %s', async (_, hang) => {
    const sink = new MemorySink()
    hang(sink)
    const { summary, took } = await abortable(sink, 800)
    expect(summary.reason).toBe('aborted')
    expect(took).toBeLessThan(4000)
  })

  it('loses and doubles nothing when it is aborted at any moment and started again', async () => {
    const { kafka, topic, producer } = await filled('topic', 20_000)
    await producer.close()
    const journal = new MemoryJournal()
    const violations: string[] = []
    for (let run = 0; run < 12; run++) {
      const sink = new MemorySink(journal)
      sink.publishEvery = 1000
      sink.beforeRoom = () => delay(5)
      const signal = AbortSignal.timeout(20 + run * 25)
      await runConsumer({
        ...quick,
        kafka,
        groupId: 'group',
        topics: [topic],
        sink,
        signal,
        maxBlockRecords: 300,
      })
      violations.push(...sink.violations)
    }
    const sink = new MemorySink(journal)
    await runConsumer({ ...quick, kafka, groupId: 'group', topics: [topic], sink, until: 'latest' })
    expect([...violations, ...sink.violations]).toEqual([])
    expect(idsOf(journal)).toEqual(numbers(20_000))
  })

  it('says so when the topic is missing, Kafka is away, or kafkajs gives up', async () => {
    const { kafka, topic, producer } = await filled('topic', 1)
    await producer.close()
    const options = { ...quick, kafka, groupId: 'group', topics: [topic], sink: new MemorySink() }
    await expect(runConsumer({ ...options, topics: ['none'] })).rejects.toMatchObject({
      code: 'TOPIC_UNKNOWN',
    })
    await expect(runConsumer({ ...options, sessionTimeoutMillis: 1000 })).rejects.toMatchObject({
      code: 'CONSUMER_FAILED',
      facts: { kafkaError: 'INVALID_SESSION_TIMEOUT' },
    })
    const away = clientOf(['127.0.0.1:1'], 1)
    await expect(runConsumer({ ...options, kafka: away })).rejects.toMatchObject({
      code: 'KAFKA_UNREACHABLE',
    })
    const patient = clientOf(['127.0.0.1:1'], 4)
    const began = performance.now()
    const ended = await runConsumer({
      ...options,
      kafka: patient,
      signal: AbortSignal.timeout(100),
      drainMillis: 300,
    })
    expect(ended).toMatchObject({ reason: 'aborted', positions: [] })
    expect(performance.now() - began).toBeLessThan(2000)
    expect(await runConsumer({ ...options, signal: AbortSignal.abort() })).toMatchObject({
      reason: 'aborted',
      records: 0,
    })
  })
})

describe.concurrent('runConsumer in a group', () => {
  it.each(['keep', 'drain'] as const)(
    'shares the partitions with a second member, and takes them back when it goes: %s',
    async (onRebalance) => {
      const { kafka, topic, producer } = await filled('topic', 0)
      const journal = new MemoryJournal()
      const sinks = [new MemorySink(journal), new MemorySink(journal)]
      const controllers = [new AbortController(), new AbortController()]
      const member = (index: number) => {
        sinks[index]!.publishEvery = 50
        return runConsumer({
          ...quick,
          kafka,
          groupId: 'group',
          topics: [topic],
          sink: sinks[index]!,
          onRebalance,
          signal: controllers[index]!.signal,
        })
      }
      let produced = 0
      const produce = async (rows: number) => {
        await producer.send(quotesFrom(produced, produced + rows))
        produced += rows
      }
      const first = member(0)
      await produce(1000)
      await vi.waitFor(() => expect(sinks[0]!.assigned.size).toBe(4), 5000)
      const second = member(1)
      const busy = (async () => {
        for (let round = 0; round < 40; round++) {
          await produce(100)
          await delay(25)
        }
      })()
      await vi.waitFor(() => expect(sinks.map(({ assigned }) => assigned.size)).toEqual([2, 2]), 10_000)
      await busy
      await produce(500)
      controllers[1]!.abort()
      expect((await second).records).toBeGreaterThan(0)
      await produce(500)
      await vi.waitFor(() => expect(sinks[0]!.assigned.size).toBe(4), 10_000)
      await delay(500)
      controllers[0]!.abort()
      await first
      await producer.close()
      const until = new MemorySink(journal)
      await runConsumer({ ...quick, kafka, groupId: 'group', topics: [topic], sink: until, until: 'latest' })
      expect([...sinks, until].flatMap(({ violations }) => violations)).toEqual([])
      expect(idsOf(journal)).toEqual(numbers(produced))
    },
  )

  it('ends both members until latest, with everything published once', async () => {
    const { kafka, topic, producer } = await filled('topic', 20_000)
    await producer.close()
    const journal = new MemoryJournal()
    const members = [0, 1].map(async (index) => {
      const sink = new MemorySink(journal)
      sink.publishEvery = 1000
      sink.beforeRoom = () => delay(20)
      await delay(index * 300)
      await runConsumer({
        ...quick,
        kafka,
        groupId: 'group',
        topics: [topic],
        sink,
        until: 'latest',
        maxBlockRecords: 500,
      })
      return sink.violations
    })
    expect((await Promise.all(members)).flat()).toEqual([])
    expect(idsOf(journal)).toEqual(numbers(20_000))
  })

  it('comes back when the broker was away for a while', async () => {
    const { restart, kafka, topic, producer } = await filled('topic', 1000)
    await producer.close()
    const sink = new MemorySink()
    const controller = new AbortController()
    const run = runConsumer({
      ...quick,
      kafka,
      groupId: 'group',
      topics: [topic],
      sink,
      signal: controller.signal,
    })
    await vi.waitFor(() => expect([...sink.buffered.values()].flat()).toHaveLength(1000), 5000)
    await restart(3000)
    const again = createProducer({ kafka, topic })
    await again.connect()
    await again.send(quotesFrom(1000, 2000))
    await again.close()
    await vi.waitFor(() => expect([...sink.buffered.values()].flat().length).toBeGreaterThan(999), 20_000)
    await delay(1000)
    controller.abort()
    await run
    await runConsumer({ ...quick, kafka, groupId: 'group', topics: [topic], sink, until: 'latest' })
    expect(sink.violations).toEqual([])
    expect(idsOf(sink.journal)).toEqual(numbers(2000))
  })
})
