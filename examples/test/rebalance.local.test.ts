import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import {
  defineTable,
  defineTopic,
  type PartitionedSink,
  type RecordBlock,
  type TopicPartition,
  t,
} from '@stockpipe/core'
import { createProducer, ensureTopics, runConsumer } from '@stockpipe/kafka'
import { startLocalStack } from '@stockpipe/local'
import { createSink, verifySink } from '@stockpipe/s3-sink'
import { parquetReadObjects } from 'hyparquet'
import { Kafka, logLevel } from 'kafkajs'
import { expect, it, vi } from 'vitest'

const partitionCount = 12
const ticks = defineTable('ticks', { columns: { symbol: t.string(), id: t.int64() } })
const topic = defineTopic('ticks', { table: ticks, key: 'symbol', partitions: partitionCount })

/** Sees everything a sink is asked for, and notes what breaks the order of one assignment. */
const watched = (sink: PartitionedSink) => {
  const positions = new Map<number, { from: bigint; next: bigint; assignment: number }>()
  const violations: string[] = []
  const seen = { handedOver: 0n, givenUp: 0n, assignments: 0 }
  const watching: PartitionedSink = {
    async assign(partitions, options) {
      const answered = await sink.assign(partitions, options)
      for (const { partition, offset } of answered) {
        if (positions.has(partition)) violations.push(`${partition} was assigned twice`)
        seen.assignments += 1
        positions.set(partition, { from: offset, next: offset, assignment: seen.assignments })
      }
      return answered
    },
    async write(block: RecordBlock) {
      const position = positions.get(block.partition)
      if (!position) violations.push(`${block.partition} was written to and is not assigned`)
      else if (block.firstOffset !== position.next) {
        violations.push(`${block.partition} stands at ${position.next} and was handed ${block.firstOffset}`)
      }
      const { partition, firstOffset, nextOffset } = block
      if (position) positions.set(partition, { ...position, next: nextOffset })
      seen.handedOver += nextOffset - firstOffset
      await sink.write(block)
    },
    async revoke(partitions: readonly TopicPartition[], options) {
      for (const { partition } of partitions) {
        const position = positions.get(partition)
        positions.delete(partition)
        if (position && !options.drain) seen.givenUp += position.next - position.from
      }
      await sink.revoke(partitions, options)
    },
    flush: (options) => sink.flush(options),
    close: () => sink.close(),
    on: (event, listener) => sink.on(event, listener),
    off: (event, listener) => sink.off(event, listener),
  }
  return { sink: watching, positions, violations, seen }
}

it('three members that come and go keep the open groups of what stays: nothing is read again, lost or doubled', async () => {
  await using stack = await startLocalStack({ kafkaPort: 0, httpPort: 0 })
  const kafka = new Kafka({ brokers: [...stack.kafka.brokers], logLevel: logLevel.NOTHING })
  const client = new S3Client({
    endpoint: stack.aws.endpoint,
    region: stack.aws.region,
    credentials: stack.aws,
    forcePathStyle: true,
  })
  await client.send(new CreateBucketCommand({ Bucket: 'lake' }))
  const table = ticks.at({ database: 'market', location: 's3://lake/ticks/' })
  await ensureTopics(kafka, [topic])
  const producer = createProducer({ kafka, topic })
  await producer.connect()
  let produced = 0
  const produce = async (rows: number) => {
    await producer.send(
      Array.from({ length: rows }, (_, index) => ({
        symbol: `S${(produced + index) % 97}`,
        id: BigInt(produced + index),
      })),
    )
    produced += rows
  }

  const members: ReturnType<typeof watched>[] = []
  const join = () => {
    // No group is ever cut before its member goes: everything stays open over the rebalances.
    const sink = createSink({ name: 'ticks', topic, table, client })
    const member = watched(sink)
    members.push(member)
    const controller = new AbortController()
    const running = runConsumer({
      kafka,
      groupId: 'group',
      topics: [topic],
      sink: member.sink,
      signal: controller.signal,
      maxWaitMillis: 100,
      heartbeatIntervalMillis: 100,
      sessionTimeoutMillis: 10_000,
      drainMillis: 20_000,
    })
    running.catch(() => {})
    const leave = async () => {
      controller.abort()
      await running
      await sink.close()
    }
    return { ...member, leave }
  }
  type Member = ReturnType<typeof join>
  /** Waits until these members have read all there is, and answers who has which partition by which assignment. */
  const holders = async (active: readonly Member[]) => {
    await vi.waitFor(
      () => {
        for (const { positions } of active) expect(positions.size).toBe(partitionCount / active.length)
        const next = active.flatMap(({ positions }) => [...positions.values()].map((at) => Number(at.next)))
        expect(next.reduce((sum, offset) => sum + offset, 0)).toBe(produced)
      },
      { timeout: 20_000, interval: 50 },
    )
    const held = new Map<number, string>()
    for (const [member, { positions }] of active.entries()) {
      for (const [partition, { assignment }] of positions) held.set(partition, `${member}/${assignment}`)
    }
    return held
  }
  const staying = (before: ReadonlyMap<number, string>, after: ReadonlyMap<number, string>): number =>
    [...before].filter(([partition, holder]) => after.get(partition) === holder).length

  await produce(3000)
  const first = join()
  await holders([first])
  const second = join()
  let held = await holders([first, second])
  for (let round = 0; round < 3; round++) {
    await produce(1500)
    const third = join()
    const shared = await holders([first, second, third])
    // No more move than have to: four of twelve to the third, and from it when it goes.
    expect(staying(held, shared)).toBe(8)
    await produce(1500)
    await holders([first, second, third])
    await third.leave()
    held = await holders([first, second])
    expect(staying(shared, held)).toBe(8)
  }
  await second.leave()
  await holders([first])
  await first.leave()
  await producer.close()

  expect(members.flatMap(({ violations }) => violations)).toEqual([])
  const { ok, problems, totals, files } = await verifySink({
    client,
    journal: 's3://lake/_stockpipe/journal/ticks',
    table,
  })
  expect(problems).toEqual([])
  expect(ok).toBe(true)
  expect(totals.rows).toBe(produced)
  const ids: number[] = []
  for (const { key } of files) {
    const path = key.replace('s3://lake/', '')
    const object = await client.send(new GetObjectCommand({ Bucket: 'lake', Key: path }))
    const bytes = await object.Body!.transformToByteArray()
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
    for (const { id } of await parquetReadObjects({ file, columns: ['id'] })) ids.push(Number(id))
  }
  expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: produced }, (_, id) => id))
  // Read once, and again only what was given up because its partition left, and the last record of what was published
  // before, which each assignment compares with the journal's.
  const sum = (of: (member: (typeof members)[number]) => bigint): bigint =>
    members.reduce((total, member) => total + of(member), 0n)
  const again = sum(({ seen }) => seen.handedOver) - BigInt(produced) - sum(({ seen }) => seen.givenUp)
  expect(again).toBeGreaterThanOrEqual(0n)
  expect(again).toBeLessThanOrEqual(sum(({ seen }) => BigInt(seen.assignments)))
  client.destroy()
}, 120_000)
