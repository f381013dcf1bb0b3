import { expect } from 'vitest'
import type { Durability } from '../../src/durability.ts'
import { OffsetStore } from '../../src/kafka/groups/offset-store.ts'
import { readBatchHeader } from '../../src/kafka/log/record-batch.ts'
import { TopicStore } from '../../src/kafka/topics/topic-store.ts'
import { ProducerIds } from '../../src/kafka/transactions/producer-ids.ts'
import { TransactionCoordinator } from '../../src/kafka/transactions/transaction-coordinator.ts'
import { recordBatch } from '../kafka/record-batch-fixture.ts'
import type { Storage } from './machine.ts'

const topicName = 'pairs'
const transactionalId = 'writer'
const partitions = [0, 1]

/** Transactions over two partitions, one after the other: each is committed on both or on none. */
export class KeptTransactions implements Storage<'transaction'> {
  #durability: Durability | undefined
  #topics: TopicStore | undefined
  #transactions: TransactionCoordinator | undefined
  #producer = { producerId: -1, producerEpoch: -1 }
  #sequence = 0
  #number = 0
  readonly #acknowledged = new Set<string>()

  async open(directory: string, durability: Durability): Promise<void> {
    const dataDirectory = `${directory}/kafka`
    this.#durability = durability
    const topics = new TopicStore(dataDirectory, durability)
    this.#topics = topics
    this.#transactions = new TransactionCoordinator(
      dataDirectory,
      topics,
      new OffsetStore(dataDirectory, durability),
      new ProducerIds(dataDirectory, durability),
      durability,
    )
    if (topics.get(topicName) === undefined) topics.create(topicName, { partitionCount: partitions.length })
    this.#producer = this.#transactions.initialize(transactionalId, 60_000)
    this.#sequence = 0
    await durability.settled()
  }

  verify(): void {
    const [first, second] = partitions.map((partition) => this.#committed(partition))
    expect(first).toEqual(second)
    for (const value of this.#acknowledged) expect(first).toContain(value)
  }

  async begin() {
    const value = `pair-${this.#number++};`
    const producer = { transactionalId, ...this.#producer }
    const transactions = this.#transactions!
    transactions.addPartitions(
      producer,
      partitions.map((partition) => ({ topicName, partition })),
    )
    await this.#durability!.settled()
    for (const partition of partitions) {
      const batch = await recordBatch({
        values: [value],
        ...this.#producer,
        firstSequence: this.#sequence,
        transactional: true,
      })
      this.#topics!.partition(topicName, partition)!.append(batch)
    }
    this.#sequence++
    await this.#durability!.settled()
    transactions.end(producer, true)
    await this.#durability!.settled()
    this.#acknowledged.add(value)
    return { acknowledged: Promise.resolve() }
  }

  /** What a consumer with `read_committed` is given. */
  #committed(partition: number): string[] {
    const log = this.#topics!.partition(topicName, partition)!
    expect(log.openTransactions()).toEqual([])
    const aborted = log.abortedBetween(0, log.logEndOffset).map(({ firstOffset }) => firstOffset)
    const values: string[] = []
    for (let next = 0; next < log.logEndOffset; ) {
      const { records, nextOffset } = log.read(next, log.logEndOffset, 1 << 20, true)
      for (let at = 0; at < records.length; ) {
        const header = readBatchHeader(records, at)
        const text = records.toString('latin1', at, at + header.sizeBytes)
        const isSeen = !header.isControl && !aborted.includes(header.baseOffset)
        if (isSeen) values.push(/pair-\d+;/.exec(text)![0])
        at += header.sizeBytes
      }
      next = nextOffset
    }
    return values
  }
}
