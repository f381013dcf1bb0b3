import { channels, type RuntimeTimer } from '@stockpipe/core'
import { answeredWith, type DeliveryFailure, overdue, unanswered, unsealed } from './delivery-failure.ts'
import type { RowReceiver } from './delivery-report.ts'
import { type DeliverySettings, noStatistics, type ProducerStatistics } from './delivery-settings.ts'
import type { OutgoingRecord } from './outgoing-records.ts'
import { PartitionLane, type WaitingBatch } from './partition-lane.ts'
import { produceError } from './produce-error.ts'
import type { ProduceAnswer } from './produce-request.ts'
import type { ReachedLeader } from './producer-connection.ts'
import type { ProducerIdentity } from './record-batch.ts'
import { within } from './waiting.ts'

/** Requests stay well below socket.request.max.bytes of brokers (100 MiB). */
const maxRequestBytes = 16 * 1024 * 1024
/** How long past its oldest batch's deadline a request is waited for: connections may have no time-out of their own. */
const answerMillis = 30_000
const firstPauseMillis = 50
const longestPauseMillis = 1000

interface Sending {
  readonly lane: PartitionLane
  readonly batch: WaitingBatch
}

/**
 * Brings records to their partitions, in order within each, none lost and none doubled whatever leaders do.
 *
 * One batch a partition is under way at a time. A batch is sent again, the same bytes with the same sequence number,
 * until its own partition's answer says that it is written or refused; what an answer leaves out counts as no answer.
 */
export class RecordDelivery {
  readonly #settings: DeliverySettings
  readonly #lanes: PartitionLane[]
  /** Requests under way, by leader. */
  readonly #requests = new Map<number, number>()
  #shared: Promise<ProducerIdentity> | undefined
  #lingering = { cancel: () => {} }
  #isLingering = false
  readonly #backingOff = new Set<RuntimeTimer>()
  #refreshing = false
  #ended: DeliveryFailure | undefined
  #bufferedBytes = 0
  readonly #statistics = { ...noStatistics }

  constructor(settings: DeliverySettings) {
    this.#settings = settings
    this.#lanes = Array.from(
      { length: settings.partitions },
      (_, partition) => new PartitionLane(partition, settings.limits),
    )
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  get isIdle(): boolean {
    return this.#lanes.every(({ isEmpty }) => isEmpty)
  }

  get statistics(): ProducerStatistics {
    return { ...this.#statistics }
  }

  /** Takes records; record `i` is row `firstRow + i` to the receiver. */
  add(records: readonly OutgoingRecord[], receiver: RowReceiver, firstRow = 0): void {
    const { runtime, deliveryTimeoutMillis } = this.#settings
    if (this.#ended) {
      const rows = records.map((_, index) => firstRow + index)
      receiver.failed(rows, 'not-written', this.#ended)
      return
    }
    const [timestamp, deadline] = [runtime.now(), runtime.monotonic() + deliveryTimeoutMillis]
    for (const [index, record] of records.entries()) {
      const lane = this.#lanes[record.partition]!
      this.#bufferedBytes += lane.add(record, firstRow + index, receiver, timestamp, deadline)
    }
    this.#linger()
    this.#pump()
  }

  /** Sends what is waiting for company at once. */
  flush(): void {
    this.#lingering.cancel()
    this.#isLingering = false
    for (const lane of this.#lanes) lane.due = lane.hasOpen
    this.#pump()
  }

  /** Gives up every row; those under way may have been written. Nothing is sent afterwards. */
  abandon(failure: DeliveryFailure): void {
    this.#ended = failure
    this.#lingering.cancel()
    // They would hold the process up.
    for (const timer of this.#backingOff) timer.cancel()
    for (const lane of this.#lanes) {
      const [underWay] = lane.underWay ? lane.batches() : []
      if (underWay) underWay.maybeWritten = true
      for (const batch of lane.batches()) this.#giveUp({ lane, batch }, failure)
    }
  }

  #linger(): void {
    const { runtime, lingerMillis } = this.#settings
    if (this.#isLingering || !this.#lanes.some(({ hasOpen, due }) => hasOpen && !due)) return
    if (lingerMillis <= 0) {
      for (const lane of this.#lanes) lane.due = lane.hasOpen
      return
    }
    this.#isLingering = true
    this.#lingering = runtime.setTimer(() => this.flush(), lingerMillis, { keepAlive: true })
  }

  /** Sends what can be sent: a batch of every free partition, together for each leader. */
  #pump(): void {
    if (this.#ended) return
    const { connection, maxInFlightRequests } = this.#settings
    const requests = new Map<number, Sending[]>()
    let leaderless = false
    for (const lane of this.#lanes) {
      let batch = lane.next()
      while (batch && this.#isOver(batch)) {
        this.#giveUp({ lane, batch }, this.#overdue(lane, batch))
        batch = lane.next()
      }
      if (!batch) continue
      const leader = connection.leaderOf(lane.partition)
      if (leader === undefined) {
        leaderless = true
        this.#backOff({ lane, batch })
      } else if ((this.#requests.get(leader) ?? 0) < maxInFlightRequests) {
        const request = requests.get(leader)
        if (request) request.push({ lane, batch })
        else requests.set(leader, [{ lane, batch }])
      }
    }
    // Told of a failure, the program may have abandoned everything meanwhile.
    if (this.#ended) return
    if (leaderless) this.#refresh()
    for (const [leader, sending] of requests) {
      let bytes = 0
      // Where there is more than a request takes, none starves.
      sending.sort((one, other) => one.lane.lastRequest - other.lane.lastRequest)
      const fitting = sending.filter(
        ({ batch }, index) => (bytes += batch.builder.byteLength) <= maxRequestBytes || index === 0,
      )
      void this.#send(leader, fitting)
    }
  }

  async #send(leader: number, sending: readonly Sending[]): Promise<void> {
    const { connection } = this.#settings
    this.#requests.set(leader, (this.#requests.get(leader) ?? 0) + 1)
    this.#statistics.requests += 1
    for (const { lane, batch } of sending) {
      lane.underWay = true
      lane.lastRequest = this.#statistics.requests
      if (lane.lastLeader !== undefined && lane.lastLeader !== leader) this.#statistics.leaderMoves += 1
      lane.lastLeader = leader
      if (batch.attempts > 0) this.#statistics.retriedBatches += 1
      if (batch.maybeWritten) this.#statistics.repeatedBatches += 1
      batch.attempts += 1
    }
    let answers: ReadonlyMap<number, ProduceAnswer> | undefined
    let failure: unknown
    let isSent = false
    let isOver = false
    const request = async () => {
      const reached = await connection.reach(leader)
      for (const { lane, batch } of sending) if (!batch.settled) await this.#identify(lane, reached)
      for (const one of sending) if (!one.batch.settled) await this.#seal(one)
      const batches = sending.flatMap(({ lane: { partition }, batch: { sealed, settled } }) =>
        sealed === undefined || settled ? [] : [{ partition, bytes: sealed }],
      )
      if (isOver || batches.length === 0) return undefined
      isSent = true
      return reached.produce(batches)
    }
    const { runtime } = this.#settings
    const deadline = Math.min(...sending.map(({ batch }) => batch.deadline)) + answerMillis
    try {
      answers = await within(runtime, deadline - runtime.monotonic(), request())
    } catch (error) {
      failure = error
    }
    isOver = true
    this.#requests.set(leader, this.#requests.get(leader)! - 1)
    let stale = answers === undefined
    for (const one of sending) {
      one.lane.underWay = false
      if (one.batch.settled) continue
      const answer = answers?.get(one.lane.partition)
      if (answer) stale = this.#settle(one, answer) || stale
      else this.#unanswered(one, isSent, failure)
    }
    if (stale) this.#refresh()
    this.#pump()
  }

  async #identify(lane: PartitionLane, reached: ReachedLeader): Promise<void> {
    lane.identity ??= lane.identitySpent ? await reached.newIdentity() : await this.#sharedIdentity(reached)
  }

  /** Makes a batch's bytes, once. One that cannot be is given up: it must not hold up the others of its request. */
  async #seal(one: Sending): Promise<void> {
    const { lane, batch } = one
    const { compression } = this.#settings
    try {
      batch.sealed ??= await batch.builder.seal(lane.identity!, lane.sequence, compression)
    } catch (error) {
      if (!batch.settled) this.#giveUp(one, unsealed(error, lane.partition))
    }
  }

  #sharedIdentity(reached: ReachedLeader): Promise<ProducerIdentity> {
    this.#shared ??= reached.newIdentity().catch((error) => {
      this.#shared = undefined
      throw error
    })
    return this.#shared
  }

  /** Answers whether the leaders known are to be asked for again. */
  #settle(one: Sending, answer: ProduceAnswer): boolean {
    const { lane, batch } = one
    if (answer.errorCode === 0) {
      this.#acknowledge(one, answer)
      return false
    }
    const { name, outcome } = produceError(answer.errorCode)
    const failure = answeredWith(name, outcome, lane.partition)
    if (outcome === 'written') this.#acknowledge(one, { ...answer, baseOffset: -1n })
    else if (outcome === 'refused') this.#giveUp(one, failure)
    else if (outcome === 'identity' && batch.maybeWritten) this.#giveUp(one, failure)
    else {
      if (outcome === 'identity') {
        lane.spendIdentity()
        batch.sealed = undefined
      }
      if (outcome === 'retry-unknown') batch.maybeWritten = true
      this.#again(one, failure)
      return outcome !== 'identity'
    }
    return false
  }

  #unanswered(one: Sending, isSent: boolean, error: unknown): void {
    if (isSent) one.batch.maybeWritten = true
    const failure = unanswered(error, one.lane.partition)
    if (!isSent && !failure.passing) this.#giveUp(one, failure)
    else this.#again(one, failure)
  }

  #acknowledge({ lane, batch }: Sending, { baseOffset, logAppendTime }: ProduceAnswer): void {
    const { onAcknowledged, onRoom } = this.#settings
    const { builder } = batch
    lane.acknowledged(batch)
    this.#bufferedBytes -= builder.byteLength
    this.#statistics.acknowledgedRows += builder.count
    this.#statistics.acknowledgedBatches += 1
    const timestamp = logAppendTime >= 0n ? Number(logAppendTime) : undefined
    for (const { receiver, rows, places } of batch.shares) {
      const offsetOf = (index: number) => (baseOffset < 0n ? -1n : baseOffset + BigInt(places[index]!))
      receiver.acknowledged(rows, offsetOf, timestamp)
    }
    this.#tell({ lane, batch }, 'delivered')
    onAcknowledged?.(lane.partition, baseOffset, builder.count)
    onRoom?.()
  }

  #again(one: Sending, failure: DeliveryFailure): void {
    one.batch.lastFailure = failure
    if (one.batch.attempts > this.#settings.retries) this.#giveUp(one, failure)
    else if (this.#isOver(one.batch)) this.#giveUp(one, this.#overdue(one.lane, one.batch))
    else this.#backOff(one)
  }

  #backOff({ lane, batch }: Sending): void {
    const { runtime } = this.#settings
    const pause = Math.min(longestPauseMillis, firstPauseMillis * 2 ** Math.min(10, batch.attempts))
    lane.backingOff = true
    const again = () => {
      this.#backingOff.delete(timer)
      lane.backingOff = false
      this.#pump()
    }
    const timer = runtime.setTimer(again, pause * (0.75 + runtime.random() / 2), { keepAlive: true })
    this.#backingOff.add(timer)
  }

  #giveUp({ lane, batch }: Sending, failure: DeliveryFailure): void {
    lane.givenUp(batch)
    this.#bufferedBytes -= batch.builder.byteLength
    this.#statistics.failedBatches += 1
    for (const { receiver, rows } of batch.shares) {
      receiver.failed(rows, batch.maybeWritten ? 'unknown' : 'not-written', failure)
    }
    this.#tell({ lane, batch }, 'failed', failure.code)
    this.#settings.onFailed?.(failure)
    this.#settings.onRoom?.()
  }

  #tell({ lane, batch }: Sending, outcome: 'delivered' | 'failed', code?: DeliveryFailure['code']): void {
    const { topic, deliveryTimeoutMillis, runtime } = this.#settings
    channels.kafka.delivery.publish(() => ({
      topic,
      partition: lane.partition,
      records: batch.builder.count,
      bytes: batch.builder.byteLength,
      millis: runtime.monotonic() - (batch.deadline - deliveryTimeoutMillis),
      outcome,
      ...(code === undefined ? {} : { code }),
    }))
  }

  #isOver({ deadline }: WaitingBatch): boolean {
    return this.#settings.runtime.monotonic() >= deadline
  }

  #overdue({ partition }: PartitionLane, { lastFailure }: WaitingBatch): DeliveryFailure {
    return overdue(partition, this.#settings.deliveryTimeoutMillis, lastFailure)
  }

  /** Asks for the leaders again, once at a time; a failure shows in the next attempt. */
  #refresh(): void {
    if (this.#refreshing || this.#ended) return
    this.#refreshing = true
    const done = () => {
      this.#refreshing = false
      this.#pump()
    }
    this.#settings.connection.refreshLeaders().then(done, done)
  }
}
