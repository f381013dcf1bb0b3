import { initProducerId, type ProduceAnswer, produce } from './wire-api.ts'
import type { WireClient } from './wire-client.ts'

const concurrentTransactions = 51

/** A transactional producer that does what it is told, step by step, and hides no answer. */
export class TransactionalProducer {
  readonly #wire: WireClient
  readonly #sequences = new Map<string, number>()
  readonly transactionalId: string
  readonly producerId: string
  readonly producerEpoch: number

  private constructor(
    wire: WireClient,
    transactionalId: string,
    producer: { producerId: string; producerEpoch: number },
  ) {
    this.#wire = wire
    this.transactionalId = transactionalId
    this.producerId = producer.producerId
    this.producerEpoch = producer.producerEpoch
  }

  static async init(
    wire: WireClient,
    transactionalId: string,
    timeoutMillis = 60_000,
  ): Promise<TransactionalProducer> {
    const producer = await initProducerId(wire, transactionalId, timeoutMillis)
    if (producer.errorCode !== 0) throw new Error(`InitProducerId answered error ${producer.errorCode}.`)
    return new TransactionalProducer(wire, transactionalId, producer)
  }

  /** AddPartitionsToTxn v1 of one partition: its error code. */
  async add(topic: string, partition = 0): Promise<number> {
    for (;;) {
      const topics = [{ topic, partitions: [partition] }]
      const answer = await this.#wire.ask('addPartitionsToTxn', 1, { ...this.#fields(), topics })
      const { errorCode } = (answer as { errors: { partitionErrors: { errorCode: number }[] }[] }).errors[0]!
        .partitionErrors[0]!
      if (errorCode !== concurrentTransactions) return errorCode
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** Produces one batch to a partition. */
  async write(topic: string, values: readonly string[], partition = 0): Promise<ProduceAnswer> {
    const key = `${topic}/${partition}`
    const firstSequence = this.#sequences.get(key) ?? 0
    const messages = values.map((value) => ({ value }))
    const answer = await produce(this.#wire, { ...this.#fields(), topic, partition, firstSequence, messages })
    if (answer.errorCode === 0) this.#sequences.set(key, firstSequence + values.length)
    return answer
  }

  /** AddOffsetsToTxn v1: its error code. */
  async addOffsets(groupId: string): Promise<number> {
    const answer = await this.#wire.ask('addOffsetsToTxn', 1, { ...this.#fields(), groupId })
    return (answer as { errorCode: number }).errorCode
  }

  /** TxnOffsetCommit v1 of one partition: its error code. */
  async commitOffset(groupId: string, topic: string, offset: number): Promise<number> {
    const topics = [{ topic, partitions: [{ partition: 0, offset }] }]
    const answer = await this.#wire.ask('txnOffsetCommit', 1, { ...this.#fields(), groupId, topics })
    return (answer as { topics: { partitions: { errorCode: number }[] }[] }).topics[0]!.partitions[0]!
      .errorCode
  }

  /** EndTxn v1: its error code. */
  async end(outcome: 'commit' | 'abort'): Promise<number> {
    const transactionResult = outcome === 'commit'
    const answer = await this.#wire.ask('endTxn', 1, { ...this.#fields(), transactionResult })
    return (answer as { errorCode: number }).errorCode
  }

  #fields() {
    const { transactionalId, producerId, producerEpoch } = this
    return { transactionalId, producerId, producerEpoch }
  }
}
