import { setMaxListeners } from 'node:events'
import {
  type AssignedPartition,
  type AssignOptions,
  abortWith,
  ConfigurationError,
  channels,
  type PartitionedSink,
  type PartitionedSinkEvents,
  type PartitionPosition,
  type RecordBlock,
  type RevokeOptions,
  StockpipeError,
  systemRuntime,
  type TopicPartition,
} from '@stockpipe/core'
import { AccessWatch } from './access-watch.ts'
import { createEngine } from './engine.ts'
import { engineOf } from './engine-choice.ts'
import { Housekeeping } from './housekeeping.ts'
import { housekeepingJobs } from './housekeeping-jobs.ts'
import { sinkHash } from './journal-keys.ts'
import { refuseUnknownSinkOptions } from './known-options.ts'
import { silentLogger } from './logger.ts'
import { createMemoryBudget, MemoryBudget, type MemorySnapshot } from './memory-budget.ts'
import { PartitionLog } from './partition-log.ts'
import { withSchemas } from './schema-engine-host.ts'
import type { SinkContext } from './sink-context.ts'
import { SinkEvents } from './sink-events.ts'
import { sinkJournalOptions } from './sink-journal-options.ts'
import type { SinkOptions } from './sink-options.ts'
import { setUpSink } from './sink-setup.ts'
import { Slots } from './slots.ts'
import { StartCheck } from './start-check.ts'

const opensAtOnce = 16

/** A sink: what a consumer loop drives, and a resource that ends. */
export interface Sink extends PartitionedSink, AsyncDisposable {
  /** What the memory budget is charged with, also by other sinks that share it. */
  memory(): MemorySnapshot
}

class StockpipeSink implements Sink {
  readonly #options: SinkOptions
  readonly #context: SinkContext
  readonly #startCheck: StartCheck
  readonly #logs = new Map<string, PartitionLog>()
  /** Where a worker unpacks record batches. */
  readonly writeBatches: PartitionedSink['writeBatches']
  readonly #events: SinkEvents
  readonly #leaveBudget: () => void
  readonly #housekeeping: Housekeeping | undefined
  #closing: Promise<void> | undefined

  constructor(options: SinkOptions) {
    const runtime = options.runtime ?? systemRuntime
    const logger = options.logger ?? silentLogger
    const setup = setUpSink(options, runtime)
    this.#events = new SinkEvents(options.name, logger)
    const context = { runtime, logger, sink: options.name }
    const access = new AccessWatch(context)
    const stores = {
      tableStore: access.store(setup.tableStore, 'table'),
      journalStore: access.store(setup.journalStore, 'journal'),
    }
    const { topic, table } = options
    const { keys, deadLetters, latePrefix } = setup
    const writer = options.writer ?? Buffer.from(runtime.randomBytes(8)).toString('hex')
    const makeEngine = options.createEngine ?? createEngine
    const budget =
      options.memory instanceof MemoryBudget ? options.memory : createMemoryBudget(options.memory ?? '128MiB')
    const engine = engineOf(options, setup.engine, {
      onLost: (log, error) => this.#logs.get(nameOf(log))?.lose(error),
      onTaking: () => budget.changed(),
    })
    const host = withSchemas(engine, setup.schemas)
    // An engine that may stop within a block has to have blocks.
    if (host.takeBatches && !setup.engine.eventTimeBoundary)
      this.writeBatches = async (block) => this.#assignedLog(block).writeBatches(block)
    this.#leaveBudget = budget.join({
      encoders: () => host.encoders,
      takingBytes: () => host.takingBytes,
      onPressure: (full) => this.#events.emit(full ? 'full' : 'room'),
      onChange: ({ usedBytes, limitBytes, full }) =>
        channels.s3Sink.memory.publish(() => ({ sink: options.name, usedBytes, limitBytes, full })),
    })
    this.#options = options
    const { ageMillis: groupAgeMillis } = setup.rotation
    const checked = { keys, table, deadLetters, latePrefix, groupAgeMillis }
    this.#startCheck = new StartCheck({ ...context, ...stores, ...checked })
    this.#context = {
      runtime,
      logger,
      engine: host,
      journal: sinkJournalOptions(options, { ...setup, ...stores }, { context, access, writer, makeEngine }),
      topic,
      table,
      tableStore: stores.tableStore,
      sinkHash: sinkHash(options.name),
      rotation: setup.rotation,
      deadLetters: setup.deadLetters,
      late: setup.late,
      latePrefix: setup.latePrefix,
      compacted: options.compacted ?? false,
      cutSlots: new Slots(setup.cutsAtOnce),
      uploadSlots: new Slots(setup.uploadsAtOnce),
      budget,
      onCommit: (commit) => {
        access.groupPublished()
        this.#events.guard('onCommit', () => options.onCommit?.(commit))
      },
      emit: (event, ...details) => this.#events.emit(event, ...details),
    }
    const { cleaner } = setup
    if (cleaner)
      this.#housekeeping = new Housekeeping({
        runtime,
        logger,
        ...cleaner,
        jobs: housekeepingJobs(this.#context, cleaner.retainEntriesMillis, () => this.#owned()),
      })
  }

  async assign(
    partitions: readonly AssignedPartition[],
    { signal }: AssignOptions,
  ): Promise<readonly PartitionPosition[]> {
    this.#refuseWhenClosed()
    for (const { topic } of partitions) this.#refuseOtherTopic(topic)
    await this.#startCheck.passed(signal)
    const opened: PartitionLog[] = []
    const slots = new Slots(opensAtOnce)
    const failure = new AbortController()
    setMaxListeners(0, failure.signal)
    const unfollow = signal && abortWith(signal, failure)
    const opening = partitions.map(async (assigned) => {
      const release = await slots.acquire(failure.signal)
      try {
        const log = await this.#fresh(assigned)
        opened.push(log)
        await this.#opened(log, assigned, failure.signal)
        return log.place
      } finally {
        release()
      }
    })
    try {
      const positions = await Promise.all(opening)
      this.#housekeeping?.start()
      return positions
    } catch (error) {
      // Those that wait for their turn would open a log that nobody knows of.
      failure.abort(error)
      await Promise.allSettled(opening)
      await Promise.all(opened.map((log) => this.#drop(log, { drain: false })))
      throw error
    } finally {
      unfollow?.()
    }
  }

  /** A log that cannot be opened has failed: it never comes to tell so by an event. */
  async #opened(
    log: PartitionLog,
    assigned: AssignedPartition,
    signal: AbortSignal | undefined,
  ): Promise<bigint> {
    try {
      return await log.open(assigned, signal)
    } catch (error) {
      if (!signal?.aborted && error instanceof Error) {
        this.#events.tellEnded('failed', log.log, error)
      }
      throw error
    }
  }

  async write(block: RecordBlock): Promise<void> {
    await this.#assignedLog(block).write(block)
  }

  #assignedLog({ topic, partition }: TopicPartition): PartitionLog {
    this.#refuseOtherTopic(topic)
    const log = this.#logs.get(nameOf({ topic, partition }))
    if (log && !this.#closing) return log
    throw new StockpipeError({
      code: 'PARTITION_NOT_ASSIGNED',
      message: `${nameOf({ topic, partition })} is not assigned to sink ${this.#options.name}; assign it before writing.`,
      facts: { topic, partition },
    })
  }

  async revoke(partitions: readonly TopicPartition[], options: RevokeOptions): Promise<void> {
    await Promise.all(
      partitions.map(async (partition) => {
        const log = this.#logs.get(nameOf(partition))
        if (log) await this.#drop(log, options)
      }),
    )
  }

  async flush({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await Promise.all([...this.#logs.values()].map((log) => log.flush(signal)))
  }

  memory(): MemorySnapshot {
    return this.#context.budget.snapshot()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  on<Event extends keyof PartitionedSinkEvents>(
    event: Event,
    listener: (...details: PartitionedSinkEvents[Event]) => void,
  ): void {
    this.#events.on(event, listener)
  }

  off<Event extends keyof PartitionedSinkEvents>(
    event: Event,
    listener: (...details: PartitionedSinkEvents[Event]) => void,
  ): void {
    this.#events.off(event, listener)
  }

  async #close(): Promise<void> {
    await this.#housekeeping?.close()
    const logs = [...this.#logs.values()]
    const healthy = logs.filter((log) => !log.isOver)
    await Promise.all(logs.map((log) => this.#drop(log, { drain: true }, 'close')))
    this.#leaveBudget()
    await this.#context.engine.close()
    // Fenced is no failure: the new owner has the records.
    const failed = healthy.find((log) => log.error && !isFenced(log.error))
    if (failed) throw failed.error
  }

  #owned(): TopicPartition[] {
    return [...this.#logs.values()].filter((log) => !log.isOver).map(({ log }) => log)
  }

  /** A new log for an assignment; one that is still here is given up first. */
  async #fresh(assigned: AssignedPartition): Promise<PartitionLog> {
    const former = this.#logs.get(nameOf(assigned))
    if (former) await this.#drop(former, { drain: false })
    this.#refuseWhenClosed()
    const log = new PartitionLog(assigned, this.#context)
    this.#logs.set(nameOf(assigned), log)
    return log
  }

  async #drop(
    log: PartitionLog,
    options: RevokeOptions,
    cutBy: 'revoke' | 'close' = 'revoke',
  ): Promise<void> {
    await log.revoke({ ...options, cutBy })
    if (this.#logs.get(log.name) === log) this.#logs.delete(log.name)
  }

  #refuseOtherTopic(topic: string): void {
    if (topic === this.#options.topic.name) return
    throw new ConfigurationError({
      code: 'TOPIC_MISMATCH',
      message: `Sink ${this.#options.name} takes topic ${this.#options.topic.name}, not ${topic}.`,
    })
  }

  #refuseWhenClosed(): void {
    if (!this.#closing) return
    throw new StockpipeError({
      code: 'SINK_CLOSED',
      message: `Sink ${this.#options.name} is closed; create a new one.`,
    })
  }
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`

const isFenced = (error: Error): boolean => StockpipeError.isInstance(error) && error.code === 'FENCED'

/**
 * The sink of one topic into one table: partition logs in, Parquet files on S3 out, every record in exactly one of
 * them whatever dies. `close()` publishes what was taken, marks the journal and frees the engine; it throws what
 * hindered it.
 *
 * A record that cannot be decoded, routed or stored becomes a dead letter: kept in full in a Parquet file under its
 * group's claim, so exactly once too. When nearly all are, or the policy is `stop`, the partition log stops: `failed`
 * with a `SchemaMismatchError` (`TOO_MANY_REJECTED`, `RECORD_REJECTED`) that names them, and nothing of its open flush
 * group is claimed.
 *
 * Throws a `ConfigurationError` for options that do not fit together.
 */
export const createSink = (options: SinkOptions): Sink => {
  refuseUnknownSinkOptions(options)
  return new StockpipeSink(options)
}
