import type { PartitionBatch, ProduceAnswer } from '../src/produce-request.ts'
import type { ProducerConnection, ReachedLeader } from '../src/producer-connection.ts'
import type { ProducerIdentity } from '../src/record-batch.ts'
import { type ReadRecord, readRecords } from './read-records.ts'

interface Remembered {
  readonly baseSequence: number
  readonly count: number
  readonly baseOffset: number
}

/** A replicated partition: what it holds outlives its leaders, and so does what it knows of producers. */
export class FakePartition {
  leader: number
  readonly records: ReadRecord[] = []
  readonly #producers = new Map<string, Remembered[]>()

  constructor(leader: number) {
    this.leader = leader
  }

  /** Appends as Apache Kafka does: a repeat of the last five is known, a gap is refused. */
  append(
    producer: string,
    baseSequence: number,
    records: readonly ReadRecord[],
  ): { readonly errorCode: number; readonly baseOffset: number } {
    const known = this.#producers.get(producer) ?? []
    const repeated = known.find(
      (batch) => batch.baseSequence === baseSequence && batch.count === records.length,
    )
    if (repeated) return { errorCode: 0, baseOffset: repeated.baseOffset }
    const last = known.at(-1)
    if (last && baseSequence !== last.baseSequence + last.count) return { errorCode: 45, baseOffset: -1 }
    const baseOffset = this.records.length
    this.records.push(...records)
    this.#producers.set(producer, [...known, { baseSequence, count: records.length, baseOffset }].slice(-5))
    return { errorCode: 0, baseOffset }
  }

  /** As if records and sequence had gone with an unclean leader. */
  truncate(records: number): void {
    this.records.length = records
    for (const [producer, batches] of this.#producers) {
      this.#producers.set(
        producer,
        batches.filter(({ baseOffset, count }) => baseOffset + count <= records),
      )
    }
  }
}

const producerOf = (batch: Buffer): string => `${batch.readBigInt64BE(43)}:${batch.readInt16BE(51)}`

/** What happens to one Produce request before, after or instead of the work. */
export type RequestFault =
  | 'none'
  /** The connection is cut before the work. */
  | 'cut'
  /** The work is done and nobody hears of it. */
  | 'lose-answer'
  /** The work is done after the client has given the request up. */
  | 'late'
  /** The answer leaves out some of the partitions. */
  | 'leave-out'
  | { readonly error: number; readonly done?: boolean }

/** A cluster in memory that does to each request what `fault` says. */
export class FakeCluster implements ProducerConnection {
  readonly partitions: FakePartition[]
  readonly nodes: number
  /** Leaders as the client knows them: from its last refresh. */
  #known: number[]
  #identities = 0
  /** Work of requests that were given up, to be done at some time. */
  readonly late: (() => void)[] = []
  readonly requests: { readonly leader: number; readonly batches: readonly PartitionBatch[] }[] = []
  fault: (leader: number, partitions: readonly number[]) => RequestFault = () => 'none'
  readonly unreachable = new Set<number>()
  /** Awaited with every request, so that a test may hold it back. */
  delay: () => Promise<void> = async () => {}

  constructor({ partitions = 4, nodes = 3 } = {}) {
    this.nodes = nodes
    this.partitions = Array.from({ length: partitions }, (_, index) => new FakePartition(index % nodes))
    this.#known = this.partitions.map(({ leader }) => leader)
  }

  async connect(): Promise<number> {
    return this.partitions.length
  }

  leaderOf(partition: number): number | undefined {
    const leader = this.#known[partition]
    return leader === undefined || leader < 0 ? undefined : leader
  }

  async refreshLeaders(): Promise<void> {
    this.#known = this.partitions.map(({ leader }) => leader)
  }

  async reach(leader: number): Promise<ReachedLeader> {
    if (this.unreachable.has(leader)) {
      throw Object.assign(new Error('connect ECONNREFUSED'), { name: 'KafkaJSConnectionError' })
    }
    return {
      produce: (batches) => this.#produce(leader, batches),
      newIdentity: async (): Promise<ProducerIdentity> => ({ id: BigInt(++this.#identities), epoch: 0 }),
    }
  }

  async close(): Promise<void> {}

  async #produce(
    leader: number,
    batches: readonly PartitionBatch[],
  ): Promise<ReadonlyMap<number, ProduceAnswer>> {
    this.requests.push({ leader, batches })
    await this.delay()
    const fault = this.fault(
      leader,
      batches.map(({ partition }) => partition),
    )
    const work = (): Map<number, ProduceAnswer> => {
      const answers = new Map<number, ProduceAnswer>()
      for (const { partition, bytes } of batches) {
        const replica = this.partitions[partition]!
        const { errorCode, baseOffset } =
          replica.leader === leader
            ? replica.append(producerOf(bytes), bytes.readInt32BE(53), readRecords(bytes))
            : { errorCode: 6, baseOffset: -1 }
        answers.set(partition, { errorCode, baseOffset: BigInt(baseOffset), logAppendTime: -1n })
      }
      return answers
    }
    if (fault === 'none') return work()
    if (fault === 'leave-out') {
      const answers = work()
      answers.delete(batches[0]!.partition)
      return answers
    }
    if (typeof fault === 'object') {
      if (fault.done) work()
      const answer = { errorCode: fault.error, baseOffset: -1n, logAppendTime: -1n }
      return new Map(batches.map(({ partition }) => [partition, answer]))
    }
    if (fault === 'lose-answer') work()
    if (fault === 'late') this.late.push(work)
    throw Object.assign(new Error('Closed connection'), { name: 'KafkaJSConnectionClosedError' })
  }
}
