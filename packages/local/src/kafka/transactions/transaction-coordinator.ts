import { join } from 'node:path'
import { type Durability, withoutFsync } from '../../durability.ts'
import type { OffsetCommit, OffsetStore } from '../groups/offset-store.ts'
import { RefusedRequestError } from '../protocol/error-code.ts'
import { DurableMap } from '../storage/durable-map.ts'
import type { TopicStore } from '../topics/topic-store.ts'
import type { ProducerIds } from './producer-ids.ts'

/** `transaction.max.timeout.ms` of Apache Kafka. */
const maxTransactionTimeoutMillis = 900_000
const maxProducerEpoch = 32_766

type TransactionState =
  | 'Empty'
  | 'Ongoing'
  | 'PrepareCommit'
  | 'PrepareAbort'
  | 'CompleteCommit'
  | 'CompleteAbort'

/** One transactional id, as it is kept on disk. */
interface Transaction {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly timeoutMillis: number
  readonly state: TransactionState
  readonly partitions: readonly TopicPartition[]
  /** Offsets that become the group's with the commit. */
  readonly offsets: readonly { groupId: string; commits: readonly OffsetCommit[] }[]
}

interface TopicPartition {
  readonly topicName: string
  readonly partition: number
}

/** Who speaks: a transactional id with the producer id and epoch it was given. */
export interface TransactionalProducer {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

/**
 * Serves the transaction APIs. Each step is on disk before it is answered; a transaction that is open when the
 * broker starts is aborted and its producer fenced, one that was being ended is ended.
 */
export class TransactionCoordinator {
  readonly #stored: DurableMap<Transaction>
  readonly #durability: Durability
  readonly #topics: TopicStore
  readonly #offsets: OffsetStore
  readonly #producerIds: ProducerIds
  readonly #idsByProducer = new Map<number, string>()
  readonly #timers = new Map<string, NodeJS.Timeout>()

  constructor(
    dataDirectory: string,
    topics: TopicStore,
    offsets: OffsetStore,
    producerIds: ProducerIds,
    durability: Durability = withoutFsync,
  ) {
    this.#stored = new DurableMap(join(dataDirectory, 'transactions.jsonl'), durability)
    this.#durability = durability
    this.#topics = topics
    this.#offsets = offsets
    this.#producerIds = producerIds
    for (const [transactionalId, transaction] of this.#stored.entries()) {
      this.#idsByProducer.set(transaction.producerId, transactionalId)
    }
    this.#settleOpenTransactions()
  }

  /** Gives a transactional id its producer id and next epoch; earlier producers of the id are fenced. */
  initialize(transactionalId: string, timeoutMillis: number): { producerId: number; producerEpoch: number } {
    if (timeoutMillis <= 0 || timeoutMillis > maxTransactionTimeoutMillis) {
      throw new RefusedRequestError(
        'INVALID_TRANSACTION_TIMEOUT',
        `A transaction time-out is 1 to ${maxTransactionTimeoutMillis} ms, not ${timeoutMillis}.`,
      )
    }
    let transaction = this.#stored.get(transactionalId)
    if (transaction !== undefined) transaction = this.#settle(transaction)
    const next =
      transaction === undefined || transaction.producerEpoch >= maxProducerEpoch
        ? { producerId: this.#producerIds.next(), producerEpoch: 0 }
        : { producerId: transaction.producerId, producerEpoch: transaction.producerEpoch + 1 }
    this.#save({ ...next, transactionalId, timeoutMillis, state: 'Empty', partitions: [], offsets: [] })
    return next
  }

  addPartitions(producer: TransactionalProducer, added: readonly TopicPartition[]): void {
    const transaction = this.#begun(producer)
    const isKnown = ({ topicName, partition }: TopicPartition) =>
      transaction.partitions.some((known) => known.topicName === topicName && known.partition === partition)
    const partitions = [...transaction.partitions, ...added.filter((partition) => !isKnown(partition))]
    this.#save({ ...transaction, partitions })
  }

  /** A group whose offsets will be committed with the transaction. */
  addOffsets(producer: TransactionalProducer): void {
    this.#save(this.#begun(producer))
  }

  commitOffsets(producer: TransactionalProducer, groupId: string, commits: readonly OffsetCommit[]): void {
    const transaction = this.#checked(producer)
    if (transaction.state !== 'Ongoing') throw invalidState(transaction, 'commit offsets')
    this.#save({ ...transaction, offsets: [...transaction.offsets, { groupId, commits }] })
  }

  end(producer: TransactionalProducer, committed: boolean): void {
    const transaction = this.#checked(producer)
    const outcome = committed ? 'Commit' : 'Abort'
    // The same end asked for again: the first answer was lost.
    if (transaction.state === `Complete${outcome}`) return
    if (transaction.state !== 'Ongoing' && transaction.state !== `Prepare${outcome}`) {
      throw invalidState(transaction, outcome.toLowerCase())
    }
    this.#complete(transaction, committed)
  }

  /** Throws unless the partition takes part in the open transaction of the producer that writes to it. */
  checkWrite(producerId: number, producerEpoch: number, topicName: string, partition: number): void {
    const transactionalId = this.#idsByProducer.get(producerId) ?? ''
    const transaction = this.#checked({ transactionalId, producerId, producerEpoch })
    const takesPart = transaction.partitions.some((own) => {
      return own.topicName === topicName && own.partition === partition
    })
    if (transaction.state !== 'Ongoing' || !takesPart) {
      throw invalidState(transaction, `write to ${topicName}-${partition}`)
    }
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#stored.close()
  }

  #settleOpenTransactions(): void {
    for (const [, transaction] of [...this.#stored.entries()]) this.#settle(transaction)
    // What no transactional id accounts for would hold back the last stable offset for ever.
    for (const topic of this.#topics.all()) {
      for (const log of topic.partitions) {
        for (const producer of log.openTransactions()) log.appendMarker({ ...producer, committed: false })
      }
    }
  }

  /** Brings a transaction to its end: what was prepared is completed, what is open is aborted and fenced. */
  #settle(transaction: Transaction): Transaction {
    if (transaction.state === 'PrepareCommit') return this.#complete(transaction, true)
    if (transaction.state === 'PrepareAbort') return this.#complete(transaction, false)
    if (transaction.state !== 'Ongoing') return transaction
    return this.#complete({ ...transaction, producerEpoch: transaction.producerEpoch + 1 }, false)
  }

  #complete(transaction: Transaction, committed: boolean): Transaction {
    const outcome = committed ? 'Commit' : 'Abort'
    const { producerId, producerEpoch } = transaction
    this.#save({ ...transaction, state: `Prepare${outcome}` })
    // No marker without the decision, and no end without every marker: a power loss leaves no half of a transaction.
    this.#durability.settleNow()
    for (const { topicName, partition } of transaction.partitions) {
      this.#topics.partition(topicName, partition)?.appendMarker({ producerId, producerEpoch, committed })
    }
    if (committed) {
      for (const { groupId, commits } of transaction.offsets) this.#offsets.commit(groupId, commits)
    }
    this.#durability.settleNow()
    const completed: Transaction = {
      ...transaction,
      state: `Complete${outcome}`,
      partitions: [],
      offsets: [],
    }
    this.#save(completed)
    return completed
  }

  /** The transaction of the producer, open from now on. */
  #begun(producer: TransactionalProducer): Transaction {
    const transaction = this.#checked(producer)
    if (transaction.state === 'PrepareCommit' || transaction.state === 'PrepareAbort') {
      throw new RefusedRequestError(
        'CONCURRENT_TRANSACTIONS',
        'The previous transaction is still being ended.',
      )
    }
    return { ...transaction, state: 'Ongoing' }
  }

  #checked({ transactionalId, producerId, producerEpoch }: TransactionalProducer): Transaction {
    const transaction = this.#stored.get(transactionalId)
    if (transaction === undefined || transaction.producerId !== producerId) {
      throw new RefusedRequestError(
        'INVALID_PRODUCER_ID_MAPPING',
        `Producer ${producerId} does not hold the transactional id '${transactionalId}'.`,
      )
    }
    if (transaction.producerEpoch !== producerEpoch) {
      throw new RefusedRequestError(
        'INVALID_PRODUCER_EPOCH',
        `Epoch ${producerEpoch} of '${transactionalId}' is over; epoch ${transaction.producerEpoch} has begun.`,
      )
    }
    return transaction
  }

  #save(transaction: Transaction): void {
    const { transactionalId } = transaction
    const before = this.#stored.get(transactionalId)
    this.#stored.set(transactionalId, transaction)
    if (before !== undefined) this.#idsByProducer.delete(before.producerId)
    this.#idsByProducer.set(transaction.producerId, transactionalId)
    if (transaction.state !== 'Ongoing') {
      clearTimeout(this.#timers.get(transactionalId))
      this.#timers.delete(transactionalId)
    } else if (before?.state !== 'Ongoing') {
      this.#timers.set(
        transactionalId,
        setTimeout(() => this.#timeOut(transactionalId), transaction.timeoutMillis).unref(),
      )
    }
  }

  #timeOut(transactionalId: string): void {
    const transaction = this.#stored.get(transactionalId)
    try {
      if (transaction?.state === 'Ongoing') this.#settle(transaction)
    } catch {
      // The disk takes nothing: the state stays as it is, and the next request of this id completes it.
    }
  }
}

const invalidState = (transaction: Transaction, wish: string): RefusedRequestError =>
  new RefusedRequestError(
    'INVALID_TXN_STATE',
    `The transaction of '${transaction.transactionalId}' is ${transaction.state}: it cannot ${wish}.`,
  )
