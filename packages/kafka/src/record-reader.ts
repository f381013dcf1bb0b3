import {
  abortWith,
  blockUntil,
  LogChangedError,
  type PartitionedSink,
  type RecordBlock,
  RecordBlockBuilder,
  type RecordReader,
  type Runtime,
  systemRuntime,
  type TopicPartition,
} from '@stockpipe/core'
import type { Kafka } from 'kafkajs'
import type { RunConsumerOptions } from './consumer-options.ts'
import { runConsumer } from './run-consumer.ts'
import { settledWithin } from './waiting.ts'

const deleteMillis = 5000

export interface RecordReaderOptions {
  /** Made by the program: brokers, TLS, SASL, logging and retries are its own. */
  readonly kafka: Kafka
  /**
   * Begins the name of the consumer group that a read is made with, a new one each time: it commits nothing, and is
   * deleted when the read has ended (where the program may delete it). Default `stockpipe-read-again`.
   */
  readonly groupPrefix?: string
  /** As of `runConsumer`. Default `raw`. */
  readonly recordBatches?: RunConsumerOptions['recordBatches']
  readonly runtime?: Runtime
}

/**
 * Reads records of a partition log again, beside whoever consumes the topic: `readAgain` of the sink.
 *
 * A read rejects as `runConsumer` does: with a `LostPositionError` when Kafka no longer has the first offset, and with
 * a `LogChangedError` when the log ends before the last.
 */
export const createRecordReader = (options: RecordReaderOptions): RecordReader => {
  const {
    kafka,
    groupPrefix = 'stockpipe-read-again',
    recordBatches = 'raw',
    runtime = systemRuntime,
  } = options
  return {
    async *read(log, from, to, { signal } = {}): AsyncGenerator<RecordBlock> {
      if (from >= to) return
      const groupId = `${groupPrefix}-${Buffer.from(runtime.randomBytes(8)).toString('hex')}`
      const ended = new AbortController()
      const unfollow = signal && abortWith(signal, ended)
      const sink = new OneLogSink(log, from)
      const run = runConsumer({
        kafka,
        groupId,
        topics: [log.topic],
        sink,
        until: 'latest',
        drainMillis: 1000,
        recordBatches,
        // Its group is another one each time, and metrics would keep them all.
        telemetry: false,
        runtime,
        signal: ended.signal,
      })
      run.then(
        () => sink.end(),
        (error: unknown) => sink.end(error),
      )
      let at = from
      try {
        for (;;) {
          const block = await sink.next()
          signal?.throwIfAborted()
          if (block === undefined) break
          const wanted = blockUntil(block, to)
          at = wanted.nextOffset
          yield wanted
          if (at === to) return
        }
        const stands = (await run).positions.find(({ partition }) => partition === log.partition)?.offset
        if (stands === undefined || stands < to) throw logEndsBefore(log, to, stands ?? at)
        // Only transaction markers and compacted offsets are left.
        yield emptyBlock(log, at, to)
      } finally {
        unfollow?.()
        ended.abort(new Error('enough was read'))
        await run.catch(() => {})
        await deleteGroup(kafka, groupId, runtime)
      }
    },
  }
}

/** Takes the blocks of one partition log, one at a time, and stands at the end of every other. */
class OneLogSink implements PartitionedSink {
  readonly #log: TopicPartition
  /** Where reading goes on, also after a rebalance. */
  #position: bigint
  #block: RecordBlock | undefined
  #over: { readonly error?: unknown } | undefined
  #taken = () => {}
  #offered = () => {}

  constructor(log: TopicPartition, from: bigint) {
    this.#log = log
    this.#position = from
  }

  /** The next block; undefined at the end. Lets the one before go. */
  async next(): Promise<RecordBlock | undefined> {
    this.#taken()
    while (this.#block === undefined) {
      if (this.#over?.error !== undefined) throw this.#over.error
      if (this.#over) return undefined
      await new Promise<void>((resolve) => {
        this.#offered = resolve
      })
    }
    const block = this.#block
    this.#block = undefined
    return block
  }

  end(error?: unknown): void {
    this.#over = { error }
    this.#taken()
    this.#offered()
  }

  async assign(partitions: Parameters<PartitionedSink['assign']>[0]) {
    return partitions.map(({ topic, partition, logEnd }) => ({
      topic,
      partition,
      offset: partition === this.#log.partition ? this.#position : logEnd,
    }))
  }

  async write(block: RecordBlock): Promise<void> {
    if (block.partition !== this.#log.partition || this.#over) return
    this.#block = block
    this.#position = block.nextOffset
    this.#offered()
    await new Promise<void>((resolve) => {
      this.#taken = resolve
    })
  }

  async revoke(): Promise<void> {}
  async flush(): Promise<void> {}
  async close(): Promise<void> {}
  on(): void {}
  off(): void {}
}

const emptyBlock = (
  { topic, partition }: TopicPartition,
  firstOffset: bigint,
  nextOffset: bigint,
): RecordBlock => new RecordBlockBuilder({ topic, partition, firstOffset }).finish(nextOffset)

const logEndsBefore = ({ topic, partition }: TopicPartition, to: bigint, logEnd: bigint): LogChangedError =>
  new LogChangedError({
    code: 'LOG_CHANGED',
    message:
      `Partition ${partition} of topic ${topic} was to be read again up to offset ${to}, and its log ends at ${logEnd}: ` +
      'the topic was made anew, or its log was cut.',
    facts: { topic, partition, to, logEnd },
  })

/** An empty group that cannot be deleted does no harm: Kafka forgets it by itself. */
const deleteGroup = async (kafka: Kafka, groupId: string, runtime: Runtime): Promise<void> => {
  const admin = kafka.admin()
  const work = async () => {
    await admin.connect()
    await admin.deleteGroups([groupId])
  }
  await settledWithin(runtime, deleteMillis, work())
  await settledWithin(runtime, deleteMillis, admin.disconnect())
}
