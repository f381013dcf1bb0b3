import {
  type PartitionedSink,
  type PartitionedSinkEvents,
  systemRuntime,
  type TopicPartition,
} from '@stockpipe/core'
import { PartitionAssigners } from 'kafkajs'
import { patiently } from './admin-session.ts'
import { ConsumerLoop, isGivenUp } from './consumer-loop.ts'
import {
  type ConsumerSummary,
  checkConsumerOptions,
  consumerTimes,
  type RunConsumerOptions,
  sinksByTopic,
} from './consumer-options.ts'
import { observedSinks, tellJoined, tellLag, tellLeft } from './consumer-telemetry.ts'
import { endOffsets } from './end-offsets.ts'
import { loadInflate } from './inflate.ts'
import { kafkaFailure } from './kafka-failure.ts'
import { adminWithCluster } from './kafkajs-cluster.ts'
import { LeaderLookup } from './leader-lookup.ts'
import { LogValidation } from './log-validation.ts'
import { defaultBlockLimits } from './message-blocks.ts'
import { OffsetCommitter } from './offset-committer.ts'
import { type PartitionCursor, partitionKey } from './partition-cursor.ts'
import { PartitionOwnership } from './partition-ownership.ts'
import { withRawRecordBatches } from './raw-record-batches.ts'
import { stickyAssigner } from './sticky-assigner.ts'
import { unpackingModule } from './unpacking-module.ts'
import { settledWithin } from './waiting.ts'
import { registerZstd } from './zstd-codec.ts'

const disconnectMillis = 3000

/**
 * Reads topics as a member of a consumer group and drives sinks with what it reads.
 *
 * Positions come from the sinks, never from the group's committed offsets. Nothing is handed over before its
 * partition is positioned; a record is handed over once and in order for as long as its sink has the partition; a
 * position Kafka no longer has ends the run instead of being skipped.
 *
 * In a rebalance the sinks keep what they have buffered of partitions that stay, and may go on publishing it; what
 * leaves is given up and read again by its new owner. That holds for a member the group had expelled and for a restart
 * of kafkajs as well: should another owner have published meanwhile, the sink is fenced and the partition taken anew.
 * When the signal aborts, sinks get `drainMillis` to publish what they have buffered.
 *
 * The order at the end: sinks flush, positions are committed to the group, the member leaves. The sinks stay open.
 *
 * Rejects with what the sink failed with, a `LostPositionError` or `LogChangedError`, or a `StockpipeError`:
 * `KAFKA_UNREACHABLE`, `TOPIC_UNKNOWN`, `CONSUMER_FAILED` (kafkajs gave up), `SINK_MISSING`, `UNTIL_INVALID`,
 * `HEARTBEAT_TOO_RARE`.
 *
 * On Node 24 kafkajs causes one harmless `TimeoutNegativeWarning` a process.
 */
export const runConsumer = async (options: RunConsumerOptions): Promise<ConsumerSummary> => {
  const { kafka, groupId, signal, until, runtime = systemRuntime } = options
  const { telemetry = true } = options
  const given = sinksByTopic(options)
  const sinks = telemetry ? observedSinks(given, groupId, runtime) : given
  checkConsumerOptions(options, sinks)
  const times = consumerTimes(options)
  const { drainMillis, heartbeatIntervalMillis, sessionTimeoutMillis, rebalanceTimeoutMillis } = times
  const outcome = deferred<'reached' | 'aborted'>()
  let ending = false
  // Producers compress with zstd by default, which kafkajs cannot read by itself.
  if (options.recordBatches === 'messages') registerZstd()
  const validation = new LogValidation(runtime)
  const fetching = options.recordBatches === 'messages' ? kafka : withRawRecordBatches(kafka, validation)
  const consumer = fetching.consumer({
    groupId,
    sessionTimeout: sessionTimeoutMillis,
    heartbeatInterval: heartbeatIntervalMillis,
    rebalanceTimeout: rebalanceTimeoutMillis,
    maxWaitTimeInMs: times.maxWaitMillis,
    maxBytes: options.maxBytes ?? (options.recordBatches === 'messages' ? 2_097_152 : 10_485_760),
    maxBytesPerPartition: options.maxBytesPerPartition ?? 1_048_576,
    allowAutoTopicCreation: false,
    partitionAssigners: [stickyAssigner(() => ownership?.held ?? []), PartitionAssigners.roundRobin],
    retry: { restartOnFailure: async () => !ending },
  })
  const { admin, cluster } = adminWithCluster(kafka)
  const committer = new OffsetCommitter(consumer, runtime, times.commitIntervalMillis)
  let running: Promise<void> = Promise.resolve()
  /** From when kafkajs restarts until it has joined: it cannot be stopped in between, and would join afterwards. */
  let restarting: ReturnType<typeof deferred<void>> | undefined
  let ownership: PartitionOwnership | undefined
  let loop: ConsumerLoop | undefined
  let detach = () => {}
  let timer = { cancel: () => {} }
  const onAbort = () => outcome.resolve('aborted')
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()

  const onLeaderless = ({ topic, partition }: TopicPartition): void =>
    kafka
      .logger?.()
      .warn(
        `stockpipe waits for a leader of partition ${partition} of topic ${topic}: nobody leads it, and nothing of it is read until somebody does`,
        { topic, partition, groupId },
      )

  const start = async (): Promise<void> => {
    await admin.connect()
    if (ending) return
    await consumer.connect()
    if (ending) return
    const targets = new Map<string, bigint>()
    for (const topic of sinks.keys()) {
      const end = until === undefined || until === 'latest' ? 'latest' : Number(until)
      // Also without `until`: a topic that is missing is better told now.
      const offsets = await patiently(runtime, signal, () => endOffsets(admin, topic, end))
      for (const [partition, offset] of offsets) targets.set(partitionKey(topic, partition), offset)
    }
    // fromBeginning only matters where kafkajs would jump by itself, which the loop notices.
    await consumer.subscribe({ topics: [...sinks.keys()], fromBeginning: true })
    const inflate = await loadInflate()
    if (ending) return
    const owned = new PartitionOwnership({
      consumer,
      admin,
      leaders: cluster && new LeaderLookup({ cluster, validation, runtime, onLeaderless }),
      groupId,
      sinks,
      targets: until === undefined ? undefined : targets,
      committer,
      onRebalance: options.onRebalance ?? 'keep',
      drainMillis,
      rebalanceDrainMillis: Math.min(
        drainMillis,
        (sessionTimeoutMillis * 2) / 3,
        (rebalanceTimeoutMillis * 2) / 3,
      ),
      runtime,
      onSettled: () => handing.checkReached(),
      onFailure: outcome.reject,
    })
    const handing = new ConsumerLoop({
      ownership: owned,
      sinks: new Set(sinks.values()),
      runtime,
      blockLimits: {
        maxBlockRecords: options.maxBlockRecords ?? defaultBlockLimits.maxBlockRecords,
        maxBlockBytes: options.maxBlockBytes ?? defaultBlockLimits.maxBlockBytes,
      },
      inflate,
      unpackedBy: unpackingModule(),
      heartbeatIntervalMillis,
      onProgress: options.onProgress,
      onLag: (lag) => {
        if (telemetry) tellLag(groupId, lag)
        options.onLag?.(lag)
      },
      onReached: () => outcome.resolve('reached'),
      onFailure: outcome.reject,
    })
    ownership = owned
    loop = handing
    detach = listenToSinks(new Set(sinks.values()), owned, outcome.reject)
    const { GROUP_JOIN, REBALANCING, CRASH, START_BATCH_PROCESS } = consumer.events
    consumer.on(GROUP_JOIN, ({ payload }) => {
      if (telemetry) tellJoined(groupId, payload.memberId, payload.memberAssignment)
    })
    consumer.on(GROUP_JOIN, ({ payload }) => owned.joined(payload.memberId, payload.memberAssignment))
    // kafkajs counts as running a moment after it tells of the join.
    consumer.on(GROUP_JOIN, () => {
      const joining = restarting
      runtime.setTimer(() => joining?.resolve(), 0, { keepAlive: true })
    })
    consumer.on(REBALANCING, () => void owned.interrupt({ expelled: false }))
    consumer.on(START_BATCH_PROCESS, ({ payload }) => handing.batchStarted(payload))
    consumer.on(CRASH, ({ payload: { error, restart } }) => {
      void owned.interrupt({ expelled: true })
      restarting?.resolve()
      restarting = restart ? deferred() : undefined
      if (restart) return
      const facts = { groupId }
      outcome.reject(
        kafkaFailure(error, { code: 'CONSUMER_FAILED', doing: `consuming as group ${groupId}`, facts }),
      )
    })
    const watch = () => {
      const before = new Map<PartitionCursor, bigint>()
      for (const cursor of owned.cursors.values()) {
        if (cursor.position !== undefined) before.set(cursor, cursor.position)
      }
      timer = runtime.setTimer(() => {
        if (ending) return
        handing.checkPositions(before).then(watch, outcome.reject)
      }, times.positionCheckMillis)
    }
    watch()
    running = consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: options.partitionsConsumedConcurrently ?? 4,
      eachBatch: (payload) => handing.eachBatch(payload),
    })
    running.catch(outcome.reject)
  }

  const summary = (
    reason: ConsumerSummary['reason'],
    owned: readonly PartitionCursor[],
  ): ConsumerSummary => ({
    reason,
    records: loop?.records ?? 0,
    bytes: loop?.bytes ?? 0,
    positions: owned.flatMap(({ topic, partition, standing }) =>
      standing === undefined ? [] : [{ topic, partition, offset: standing }],
    ),
  })

  const disconnect = () => Promise.allSettled([consumer.disconnect(), admin.disconnect()])
  const starting = start()
  starting.catch((error) => {
    outcome.reject(kafkaFailure(error, { code: 'KAFKA_UNREACHABLE', doing: 'connecting', retryable: true }))
  })
  let drain = false
  try {
    const reason = await outcome.promise
    drain = true
    // Positions are gone once the partitions are given back.
    return summary(reason, [...(ownership?.cursors.values() ?? [])])
  } finally {
    ending = true
    signal?.removeEventListener('abort', onAbort)
    timer.cancel()
    loop?.end()
    if (ownership) await settledWithin(runtime, drainMillis + 500, ownership.end({ drain }))
    await committer.finish(disconnectMillis)
    detach()
    if (telemetry && ownership) tellLeft(groupId)
    // A member that leaves while it joins is missed by the group until its session times out.
    const joined = Promise.allSettled([starting, running, restarting?.promise])
    if (await settledWithin(runtime, drainMillis, joined)) {
      await settledWithin(runtime, disconnectMillis, disconnect())
    } else void joined.then(disconnect)
  }
}

const listenToSinks = (
  sinks: ReadonlySet<PartitionedSink>,
  ownership: PartitionOwnership,
  onFailure: (error: unknown) => void,
): (() => void) => {
  const undo: (() => void)[] = []
  for (const sink of sinks) {
    const on = <Event extends keyof PartitionedSinkEvents>(
      event: Event,
      listener: (...details: PartitionedSinkEvents[Event]) => void,
    ): void => {
      sink.on(event, listener)
      undo.push(() => sink.off(event, listener))
    }
    on('full', () => ownership.setFull(sink, true))
    on('room', () => ownership.setFull(sink, false))
    on('committable', (position) => ownership.published(position))
    on('fenced', (partition) => {
      const cursor = ownership.cursor(partition)
      if (cursor) ownership.fenced(cursor)
    })
    on('failed', (partition, error) => {
      const cursor = ownership.cursor(partition)
      if (!cursor) return
      if (isGivenUp(error)) ownership.fenced(cursor)
      else onFailure(error)
    })
  }
  return () => {
    for (const off of undo) off()
  }
}

const deferred = <T>(): {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
} => {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
  return { promise, resolve, reject }
}
