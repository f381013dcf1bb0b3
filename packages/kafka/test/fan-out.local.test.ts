import { describe, expect, it, vi } from 'vitest'
import { createProducer, ensureTopics, fanOut } from '../src/index.ts'
import { quotesFrom, quotesTopic, startBroker } from './local-broker.ts'
import { type MemoryJournal, MemorySink } from './memory-sink.ts'
import { runConsumer } from './record-batch-mode.ts'

const idsOf = (journal: MemoryJournal): number[] =>
  journal
    .all()
    .map(({ value }) => Number(/"id":(\d+)/.exec(value!)![1]!))
    .sort((a, b) => a - b)
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

const filled = async (rows: number, partitions = 4) => {
  const { kafka, admin } = await startBroker()
  const topic = quotesTopic('topic', partitions)
  await ensureTopics(kafka, [topic])
  const producer = createProducer({ kafka, topic })
  await producer.connect()
  await producer.send(quotesFrom(0, rows))
  return { kafka, admin, topic, producer }
}
const overlapping = (): MemorySink => {
  const sink = new MemorySink()
  sink.mayOverlap = true
  return sink
}
const options = { groupId: 'group', maxWaitMillis: 100, positionCheckMillis: 300 }

describe('several sinks on one consumer', () => {
  it('each gets every record once, wherever the others stand', async () => {
    const { kafka, admin, topic, producer } = await filled(2000)
    const [raw, transformed, late] = [overlapping(), overlapping(), overlapping()]
    const run = (sinks: readonly MemorySink[]) =>
      runConsumer({
        ...options,
        kafka,
        topics: [topic],
        sink: fanOut(sinks),
        until: 'latest',
        maxBlockRecords: 70,
      })
    expect(await run([raw, transformed])).toMatchObject({ reason: 'reached', records: 2000 })
    await producer.send(quotesFrom(2000, 3000))
    await run([raw])
    // One has it all, one misses a third, one has nothing.
    expect(await run([raw, transformed, late])).toMatchObject({ reason: 'reached', records: 3000 })
    for (const sink of [raw, transformed, late]) {
      expect(idsOf(sink.journal)).toEqual(numbers(3000))
      expect(sink.violations).toEqual([])
    }
    const [committed] = await admin.fetchOffsets({ groupId: 'group', topics: ['topic'] })
    const ends = await admin.fetchTopicOffsets('topic')
    const inOrder = (offsets: readonly { partition: number; offset: string }[]) =>
      offsets.map(({ partition, offset }) => `${partition}:${offset}`).sort()
    expect(inOrder(committed!.partitions)).toEqual(inOrder(ends))
    await producer.close()
  })

  it('one that is fenced has its partition taken anew by all, and nothing is doubled', async () => {
    const { kafka, topic, producer } = await filled(1000, 1)
    await producer.close()
    const [fenced, other] = [overlapping(), overlapping()]
    fenced.publishEvery = 200
    other.publishEvery = 300
    let intrusions = 2
    fenced.beforeRoom = async () => {
      if (intrusions-- <= 0) return
      // Somebody else publishes the next 100 records before this sink gets to.
      const next = fenced.journal.next.get('topic/0') ?? 0n
      const others = quotesFrom(Number(next), Number(next) + 100).map(({ id }) => ({
        offset: id,
        key: null,
        value: `{"id":${id}}`,
      }))
      fenced.journal.records.set('topic/0', [...(fenced.journal.records.get('topic/0') ?? []), ...others])
      fenced.journal.next.set('topic/0', next + 100n)
    }
    const sink = fanOut([fenced, other])
    await runConsumer({ ...options, kafka, topics: [topic], sink, until: 'latest', maxBlockRecords: 150 })
    expect(other.calls.filter((call) => call === 'assign topic/0').length).toBeGreaterThan(1)
    for (const { journal, violations } of [fenced, other]) {
      expect(idsOf(journal)).toEqual(numbers(1000))
      expect(violations).toEqual([])
    }
  })

  it('one that is full holds the others back, and one that fails ends the run', async () => {
    const { kafka, topic, producer } = await filled(100, 1)
    const [full, other] = [overlapping(), overlapping()]
    full.beforeRoom = async () => full.emit('full')
    const sink = fanOut([other, full])
    const run = runConsumer({ ...options, kafka, topics: [topic], sink })
    run.catch(() => {})
    await vi.waitFor(() => expect(other.buffered.get('topic/0')).toHaveLength(100), 5000)
    await producer.send(quotesFrom(100, 200))
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(other.buffered.get('topic/0')).toHaveLength(100)
    full.emit('room')
    await vi.waitFor(() => expect(other.buffered.get('topic/0')).toHaveLength(200), 5000)
    other.emit('failed', { topic: 'topic', partition: 0 }, new Error('disk on fire'))
    await expect(run).rejects.toThrow('on fire')
    expect([full, other].map(({ assigned }) => assigned.size)).toEqual([0, 0])
    expect([full, other].flatMap(({ violations }) => violations)).toEqual([])
    await producer.close()
  })
})
