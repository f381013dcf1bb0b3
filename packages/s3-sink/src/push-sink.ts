import { setMaxListeners } from 'node:events'
import {
  abortWith,
  blockBetween,
  ConfigurationError,
  LostPositionError,
  type RecordBlock,
  type RecordReader,
  type RejectedRecord,
  recordOffset,
  StockpipeError,
  systemRuntime,
  type TopicPartition,
} from '@stockpipe/core'
import { Chain } from './chain.ts'
import { createEngine } from './engine.ts'
import { inlineEngine, type PartTaker } from './engine-host.ts'
import { LostUploadError } from './errors.ts'
import { blockFacts, FlushGroup } from './flush-group.ts'
import { cutGroup, type GroupCutContext } from './group-cut.ts'
import { type GroupStagingContext, openStaging, stagingFailure } from './group-staging.ts'
import { ensureGenesis } from './init-journal.ts'
import type { JournalEntry } from './journal-entry.ts'
import { sinkHash } from './journal-keys.ts'
import { refuseUnknownPushOptions } from './known-options.ts'
import { LastResort } from './last-resort.ts'
import { isLateReason } from './late-rows.ts'
import { silentLogger } from './logger.ts'
import { createMemoryBudget, MemoryBudget } from './memory-budget.ts'
import { type ChainEnd, PartitionJournal } from './partition-journal.ts'
import { Publisher } from './publisher.ts'
import { checkOverlap } from './push-overlap.ts'
import type { PushOptions, PushResult, PushSink, PushSinkOptions } from './push-sink-options.ts'
import { RejectionLimit } from './rejection-limit.ts'
import { withSchemas } from './schema-engine-host.ts'
import { type SinkSetup, setUpSink } from './sink-setup.ts'
import { Slots } from './slots.ts'
import { StartCheck } from './start-check.ts'

/** How often another owner may claim first within one push. */
const mostFencings = 20
/** Offsets a block, and so a group that is pushed, may span. */
const widestGroup = 4_294_967_295n

class StockpipePushSink implements PushSink {
  readonly #options: PushSinkOptions
  readonly #setup: SinkSetup
  readonly #context: Omit<GroupCutContext & GroupStagingContext, 'journal'>
  readonly #writer: string
  readonly #startCheck: StartCheck
  readonly #rejections = new Map<string, RejectionLimit>()
  /** The last push of each partition log: they go one after another. */
  readonly #last = new Map<string, Promise<unknown>>()
  #closed = false

  constructor(options: PushSinkOptions) {
    const runtime = options.runtime ?? systemRuntime
    this.#options = options
    const setup = setUpSink(options, runtime)
    // A push is one group, whatever boundary of event time lies within.
    const { eventTimeBoundary: _, ...engine } = setup.engine
    this.#setup = { ...setup, engine }
    this.#writer = options.writer ?? Buffer.from(runtime.randomBytes(8)).toString('hex')
    this.#context = {
      runtime,
      logger: options.logger ?? silentLogger,
      engine: withSchemas(inlineEngine(this.#makeEngine(this.#setup.engine)), setup.schemas),
      topic: options.topic,
      table: options.table,
      tableStore: this.#setup.tableStore,
      sinkHash: sinkHash(options.name),
      deadLetters: setup.deadLetters,
      late: setup.late,
      latePrefix: setup.latePrefix,
      uploadSlots: new Slots(setup.uploadsAtOnce),
      budget:
        options.memory instanceof MemoryBudget
          ? options.memory
          : createMemoryBudget(options.memory ?? '256MiB'),
    }
    const { keys, journalStore } = setup
    const checked = { sink: options.name, keys, journalStore, groupAgeMillis: 0 }
    this.#startCheck = new StartCheck({ ...this.#context, ...checked })
  }

  async push(block: RecordBlock, options: PushOptions = {}): Promise<PushResult> {
    this.#check(block)
    await this.#startCheck.passed(options.signal)
    const name = `${block.topic}-${block.partition}`
    const before = this.#last.get(name) ?? Promise.resolve()
    const push = before.then(() => this.#push(block, options))
    this.#last.set(
      name,
      push.catch(() => {}),
    )
    return push
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#last.values())
    await this.#context.engine.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #push(block: RecordBlock, options: PushOptions): Promise<PushResult> {
    const abort = new AbortController()
    // Every file of the group may wait under it.
    setMaxListeners(0, abort.signal)
    const unfollow = options.signal && abortWith(options.signal, abort)
    try {
      return await this.#pushUntil(abort.signal, block, options)
    } finally {
      unfollow?.()
    }
  }

  async #pushUntil(signal: AbortSignal, block: RecordBlock, options: PushOptions): Promise<PushResult> {
    const log = { topic: block.topic, partition: block.partition }
    for (let fencings = 1; ; fencings += 1) {
      const journal = this.#journal(log, block)
      const end = await this.#resume(journal, block, signal)
      refuseBelowGenesis(block, end)
      await checkOverlap(this.#chain(log), block, end.next, signal)
      if (block.nextOffset <= end.next) return { ...log, next: end.next, group: null }
      refuseHole(block, end, options.onHole)
      try {
        const group = await this.#claimGroup(journal, blockBetween(block, end.next, block.nextOffset), signal)
        await journal
          .markSettled(signal)
          .catch((error: unknown) =>
            this.#context.logger.warn(`${journal.name}: no settled marker: ${String(error)}`),
          )
        return { ...log, next: group.next, group }
      } catch (error) {
        const fenced = StockpipeError.isInstance(error) && error.code === 'FENCED'
        if (!fenced || fencings === mostFencings) throw error
      } finally {
        this.#context.engine.discard(log)
      }
    }
  }

  async #resume(journal: PartitionJournal, block: RecordBlock, signal: AbortSignal): Promise<ChainEnd> {
    try {
      return (await journal.resume(signal)) ?? (await this.#begin(journal, block, signal))
    } catch (error) {
      if (!StockpipeError.isInstance(error) || error.code !== 'READ_AGAIN_DIFFERS') throw error
      throw notHandedOver(block, error)
    }
  }

  async #claimGroup(
    journal: PartitionJournal,
    block: RecordBlock,
    signal: AbortSignal,
  ): Promise<JournalEntry> {
    const log = { topic: block.topic, partition: block.partition }
    const group = new FlushGroup(block.firstOffset, journal.end.lastRecord, journal.end.watermark)
    const context = { ...this.#context, journal: this.#journalOptions(block) }
    const staging = openStaging(context, log, group.start, signal)
    try {
      await this.#take(block, group, (part) => staging.add(part), signal)
    } catch (error) {
      await staging.abort()
      throw await stagingFailure(error, journal, group, signal)
    }
    const nothing = () => {}
    const told = { staged: nothing, claimed: nothing, published: nothing }
    return cutGroup(context, { log, journal, group, staging, cutBy: 'push', signal, ...told })
  }

  async #take(block: RecordBlock, group: FlushGroup, onPart: PartTaker, signal: AbortSignal): Promise<void> {
    const { engine } = this.#context
    const log = { topic: block.topic, partition: block.partition }
    const facts = blockFacts(block, block.firstOffset)
    let taken = { rows: 0, deadLetters: 0, skipped: 0 }
    let rejected: readonly RejectedRecord[] = []
    engine.discard(log)
    // The block is handed over as a copy: it may be needed once more.
    const { responses } = await engine.take(
      {
        kind: 'block',
        block: structuredClone(block),
        from: block.firstOffset,
        watermark: group.watermark,
      },
      signal,
      onPart,
    )
    for (const response of responses) {
      if (response.kind === 'rejected') rejected = response.records
      if (response.kind === 'buffered') taken = response
    }
    this.#rejectionsOf(log).add(
      facts.records,
      rejected.filter(({ reason }) => !isLateReason(reason)),
    )
    if (taken.rows + taken.deadLetters + taken.skipped !== facts.records) {
      throw new StockpipeError({
        code: 'ROWS_MISCOUNTED',
        message: `${log.topic}-${log.partition}: ${facts.records} records from offset ${group.start} became ${taken.rows} rows, ${taken.deadLetters} dead letters and ${taken.skipped} skipped: a fault of the engine.`,
      })
    }
    group.add(facts, taken)
  }

  /** Counted over batches: one alone is too small to tell. */
  #rejectionsOf(log: TopicPartition): RejectionLimit {
    const name = `${log.topic}-${log.partition}`
    const known = this.#rejections.get(name) ?? new RejectionLimit(log, this.#setup.deadLetters)
    this.#rejections.set(name, known)
    return known
  }

  /** The genesis is configured: two first pushes agree on it whatever they carry. */
  async #begin(
    journal: PartitionJournal,
    { topic, partition }: RecordBlock,
    signal: AbortSignal,
  ): Promise<ChainEnd> {
    const { genesis, name } = this.#options
    const log = { topic, partition }
    if (genesis === undefined) {
      throw new ConfigurationError({
        code: 'GENESIS_MISSING',
        message: `Sink ${name} does not know where ${log.topic}-${log.partition} begins: give \`genesis\`, or run stockpipe journal init.`,
        facts: { ...log },
      })
    }
    const start = typeof genesis === 'bigint' ? genesis : genesis(log)
    const { keys, journalStore } = this.#setup
    await ensureGenesis(
      { ...this.#context, keys, store: journalStore, sink: name },
      { ...log, start, policy: 'configured', writer: this.#writer },
      signal,
    )
    const end = await journal.resume(signal)
    if (end) return end
    throw new StockpipeError({
      code: 'GENESIS_MISSING',
      message: `The genesis of ${topic}-${partition} was deleted just after it was written.`,
    })
  }

  #journal(log: TopicPartition, block: RecordBlock): PartitionJournal {
    return new PartitionJournal(log, this.#journalOptions(block))
  }

  #chain(log: TopicPartition): Chain {
    const { keys, journalStore } = this.#setup
    return new Chain(journalStore, keys, log, { ...this.#context, sink: this.#options.name })
  }

  #journalOptions(block: RecordBlock): GroupCutContext['journal'] {
    const { runtime, logger, tableStore: store } = this.#context
    const { name: sink, table, registrar } = this.#options
    const { keys, journalStore, engine, schemas } = this.#setup
    const context = { runtime, logger, sink }
    const lastResort = new LastResort({
      ...context,
      store,
      reader: readerOf(block),
      writer: this.#writer,
      createEngine: (options) => this.#makeEngine(options),
      engine,
      schemas,
    })
    return {
      ...context,
      store: journalStore,
      keys,
      publisher: new Publisher({ ...context, store, table, registrar, lastResort }),
      writer: this.#writer,
      start: 'earliest',
    }
  }

  #makeEngine(options: SinkSetup['engine']): ReturnType<typeof createEngine> {
    return (this.#options.createEngine ?? createEngine)(options)
  }

  #check(block: RecordBlock): void {
    const { name, topic } = this.#options
    if (this.#closed) {
      throw new StockpipeError({
        code: 'SINK_CLOSED',
        message: `Sink ${name} is closed; create a new one.`,
      })
    }
    if (block.topic === topic.name) return
    throw new ConfigurationError({
      code: 'TOPIC_MISMATCH',
      message: `Sink ${name} takes topic ${topic.name}, not ${block.topic}.`,
    })
  }
}

/** The first record of a block, or its end when it has none. */
const firstRecord = (block: RecordBlock): bigint =>
  block.count === 0 ? block.nextOffset : recordOffset(block, 0)

const refuseBelowGenesis = (block: RecordBlock, { genesisStart }: ChainEnd): void => {
  if (block.count === 0 || firstRecord(block) >= genesisStart) return
  const { topic, partition } = block
  throw new ConfigurationError({
    code: 'RECORDS_BELOW_GENESIS',
    message:
      `${topic}-${partition}: the records handed over begin at offset ${firstRecord(block)}, and the journal begins at ${genesisStart}: those ` +
      'below it were never taken and never will be. Begin the event source at the genesis.',
    facts: { topic, partition, firstOffset: firstRecord(block), genesisStart },
  })
}

const refuseHole = (
  block: RecordBlock,
  { next }: ChainEnd,
  onHole: PushOptions['onHole'] = 'refuse',
): void => {
  const { topic, partition, firstOffset } = block
  if (firstOffset <= next) return
  if (onHole === 'accept') {
    if (block.count === 0 || recordOffset(block, block.count - 1) - next <= widestGroup) return
    throw new LostPositionError({
      code: 'PUSH_HOLE',
      message: `${topic}-${partition}: the journal stands at offset ${next}, and the records handed over, from ${firstOffset} on, lie too far behind it for one group (more than ${widestGroup} offsets). Begin a new sink with its genesis there.`,
      facts: { topic, partition, next, firstOffset },
    })
  }
  throw new LostPositionError({
    code: 'PUSH_HOLE',
    message:
      `${topic}-${partition}: the journal stands at offset ${next}, and the records handed over begin at ${firstOffset}: ` +
      `${firstOffset - next} offsets were never handed over. Hand them over first; a compacted or transactional topic, or a filter before the sink, needs onHole: 'accept'.`,
    facts: { topic, partition, next, firstOffset },
  })
}

/** Reads again from the records handed over; whether they are the group's shows by their counts and offsets. */
const readerOf = (block: RecordBlock): RecordReader => ({
  async *read(_, from, to): AsyncGenerator<RecordBlock> {
    yield blockBetween(block, from, to)
  },
})

const notHandedOver = (block: RecordBlock, cause: StockpipeError): LostUploadError =>
  new LostUploadError({
    code: 'LOST_UPLOAD',
    message:
      `${block.topic}-${block.partition}: files of the group [${cause.facts['start']}, ${cause.facts['next']}) were claimed and lost before they were ` +
      `published, and the records handed over, offsets ${block.firstOffset} to ${block.nextOffset}, are not all of it. Push its records again, or run a ` +
      'sink with `readAgain`; nothing after it is published until then.',
    cause,
    facts: { ...cause.facts, firstOffset: block.firstOffset },
  })

/**
 * The sink for whoever is handed records instead of reading them: a Lambda function behind an event source, a test. Any
 * number of invocations may run at once, be retried, bisected and batched anew: every record is in exactly one file.
 *
 * Each push claims one group, so batches should be large. Throws a `ConfigurationError` for options that do not fit.
 */
export const createPushSink = (options: PushSinkOptions): PushSink => {
  refuseUnknownPushOptions(options)
  return new StockpipePushSink(options)
}
