import { setMaxListeners } from 'node:events'
import {
  type AssignedPartition,
  channels,
  FencedError,
  loadUnpackBatches,
  type PartitionPosition,
  type RecordBatchBlock,
  type RecordBlock,
  type TopicPartition,
  untilAborted,
} from '@stockpipe/core'
import { notAssigned, offsetJump } from './assignment-errors.ts'
import { ChangeSignal } from './change-signal.ts'
import { CutQueue } from './cut-queue.ts'
import { cutGroup } from './group-cut.ts'
import { groupCommit, StepTimes, tellGroup } from './group-telemetry.ts'
import { GroupTimers } from './group-timers.ts'
import type { LastRecord } from './journal-entry.ts'
import { checkLastRecord } from './last-record-check.ts'
import { OpenGroup } from './open-group.ts'
import { PartitionJournal } from './partition-journal.ts'
import {
  type PartitionLogEvent,
  type PartitionLogState,
  partitionLogStateAfter,
  partitionLogTransition,
} from './partition-log-state.ts'
import type { SinkContext } from './sink-context.ts'
import type { CutReason } from './sink-options.ts'

const markerMillis = 5_000

/** One assigned partition log: its journal, its open flush group, and at most one cut under way. */
export class PartitionLog {
  readonly log: TopicPartition
  readonly #context: SinkContext
  readonly #journal: PartitionJournal
  readonly #open: OpenGroup
  readonly #timers: GroupTimers
  readonly #cuts: CutQueue
  readonly #abort = new AbortController()
  readonly #changes = new ChangeSignal()
  #state: PartitionLogState = 'opening'
  #error: Error | undefined
  /** Everything below is published and registered. */
  #published = 0n
  /** The newest entry's last record, until Kafka's has been compared with it. */
  #unproven: LastRecord | undefined
  /** The engine has a block whose records are not counted yet. */
  #taking = false
  #draining = false
  /** Blocks are taken one after another, in the order they were written. */
  #lastWrite: Promise<void> = Promise.resolve()

  constructor(log: TopicPartition, context: SinkContext) {
    this.log = { topic: log.topic, partition: log.partition }
    this.#context = context
    this.#journal = new PartitionJournal(this.log, context.journal)
    this.#open = new OpenGroup(this.log, context, this.#journal)
    this.#timers = new GroupTimers(context.runtime)
    this.#cuts = new CutQueue({
      slots: context.cutSlots,
      signal: this.#abort.signal,
      isOver: () => this.isOver,
      ready: async () => {
        while (this.#taking) await this.#changes.wait(this.#abort.signal)
      },
      cut: (reason) => this.#cut(reason),
      onFailure: (error) => this.#end(error),
    })
    // Every upload and completion of a cut listens to it at the same time.
    setMaxListeners(0, this.#abort.signal)
    context.budget.add(this)
  }

  get name(): string {
    return this.#journal.name
  }

  /** Where reading goes on: at the newest entry's last record while it has to be compared. */
  get position(): bigint {
    return this.#unproven?.offset ?? this.#open.group.next
  }

  /** The position, and the last record before it or at it. */
  get place(): PartitionPosition {
    const { offset, leaderEpoch } = this.#open.group.lastRecord ?? {}
    const isKnown = offset !== undefined && leaderEpoch !== undefined && leaderEpoch !== null
    return { ...this.log, offset: this.position, ...(isKnown ? { lastRecord: { offset, leaderEpoch } } : {}) }
  }

  get bufferedBytes(): number {
    return this.#open.bufferedBytes
  }

  /** Why it ended, if it did. */
  get error(): Error | undefined {
    return this.#error
  }

  get isOver(): boolean {
    return this.#state === 'fenced' || this.#state === 'failed' || this.#state === 'revoked'
  }

  /** Steps 1 and 2; answers the position. */
  async open(assigned: AssignedPartition, signal: AbortSignal | undefined): Promise<bigint> {
    const end = await untilAborted([signal, this.#abort.signal], (either) =>
      this.#journal.open(assigned, either),
    )
    this.#open.begin(end)
    this.#published = end.next
    if (end.lastRecord && assigned.logStart <= end.lastRecord.offset) this.#unproven = end.lastRecord
    this.#move('opened')
    const { committed } = assigned
    if (end.previousStart !== null && (committed === undefined || committed < end.next)) this.#committable()
    return this.position
  }

  /** Takes a block; resolves when there is room for the next one. */
  write(block: RecordBlock): Promise<void> {
    return this.#inTurn(() => this.#take(block))
  }

  /** As `write`; resolves with how many records it took, or undefined when none was left of the batches. */
  writeBatches(block: RecordBatchBlock): Promise<number | undefined> {
    return this.#inTurn(() => this.#takeBatches(block))
  }

  get isBeingCut(): boolean {
    return this.#cuts.isDue || this.#state === 'staging'
  }

  /** What the engine held of it is gone. */
  lose(error: Error): void {
    this.#end(error)
  }

  cutForMemory(): void {
    this.#requestCut('memory')
  }

  /** Publishes everything taken so far. */
  async flush(signal: AbortSignal | undefined): Promise<void> {
    const target = this.#open.group.next
    this.#requestCut('flush')
    for (;;) {
      if (this.isOver) throw this.#error ?? notAssigned(this.name)
      if (this.#published >= target) return
      await this.#changes.wait(signal)
    }
  }

  /** Ends the log: drained by `deadline` (`Runtime.monotonic()`), or given up at once. */
  async revoke(options: {
    readonly drain: boolean
    readonly deadline?: number | undefined
    readonly cutBy: 'revoke' | 'close'
  }): Promise<void> {
    const { runtime, logger, budget } = this.#context
    this.#draining = true
    this.#changes.wake()
    const giveUp = () => {
      this.#abort.abort(notAssigned(this.name))
      this.#changes.wake()
    }
    const left = options.deadline === undefined ? undefined : options.deadline - runtime.monotonic()
    const timer = left === undefined ? undefined : runtime.setTimer(giveUp, Math.max(0, left))
    if (options.drain && this.#state !== 'opening') {
      while (this.#taking && !this.#abort.signal.aborted) await this.#changes.wait()
      this.#requestCut(options.cutBy)
    } else giveUp()
    await this.#cuts.ended()
    timer?.cancel()
    this.#state = partitionLogStateAfter(this.#state, 'revoke')
    this.#timers.stop()
    giveUp()
    const discarded = this.#open.discard()
    budget.remove(this)
    this.#tellBuffered()
    this.#changes.wake()
    await discarded
    const late = new AbortController()
    const markerTimer = runtime.setTimer(() => late.abort(new Error('took too long')), markerMillis)
    await this.#journal
      .markSettled(late.signal)
      .catch((error: unknown) => logger.warn(`${this.name}: no settled marker was written: ${String(error)}`))
    markerTimer.cancel()
  }

  #inTurn<Taken>(take: () => Promise<Taken>): Promise<Taken> {
    const taken = this.#lastWrite.then(take)
    this.#lastWrite = taken.then(
      () => {},
      () => {},
    )
    return taken
  }

  async #take(given: RecordBlock): Promise<void> {
    const { budget, compacted } = this.#context
    for (let block: RecordBlock | undefined = given; block; ) {
      await this.#ready()
      let rest: RecordBlock | undefined
      try {
        if (block.firstOffset > this.position) throw offsetJump(this.name, this.log, this.position, block)
        if (this.#unproven) {
          if (!checkLastRecord(block, this.#unproven, { compacted })) return
          this.#unproven = undefined
        }
        if (block.nextOffset <= this.#open.group.next) return
        const taking: RecordBlock = block
        rest = await this.#add((refuse) => this.#open.take(taking, this.#abort.signal, refuse))
      } catch (error) {
        this.#refuseWhenOver()
        throw this.#end(error)
      }
      this.#rotate(rest ? 'event-time' : undefined)
      block = rest
    }
    await budget.room(this.#abort.signal)
  }

  async #takeBatches(block: RecordBatchBlock): Promise<number | undefined> {
    if (this.#unproven) return this.#unpackHere(block)
    await this.#ready()
    let records: number | undefined
    try {
      if (block.firstOffset > this.position) throw offsetJump(this.name, this.log, this.position, block)
      if (block.nextOffset <= this.#open.group.next) return 0
      records = await this.#add((refuse) => this.#open.takeBatches(block, this.#abort.signal, refuse))
    } catch (error) {
      this.#refuseWhenOver()
      throw this.#end(error)
    }
    this.#rotate()
    await this.#context.budget.room(this.#abort.signal)
    return records
  }

  /** Looks into batches on this thread, where the newest entry's last record has to be compared. */
  async #unpackHere(block: RecordBatchBlock): Promise<number | undefined> {
    const unpack = await loadUnpackBatches(block)
    let records: number | undefined
    for (const unpacked of unpack(block)) {
      const { count } = unpacked
      await this.#take(unpacked)
      records = (records ?? 0) + count
    }
    return records
  }

  /** Resolves when a block may be taken. Nothing may come between the last look and the engine's taking. */
  async #ready(): Promise<void> {
    const { budget } = this.#context
    while (this.#waits()) await (budget.isFull ? budget.room(this.#abort.signal) : this.#changes.wait())
    this.#refuseWhenOver()
    if (this.#draining) throw notAssigned(this.name)
  }

  /** Asks for a cut where one is due. */
  #rotate(reason: CutReason | undefined = this.#open.rotationDue): void {
    if (reason) this.#requestCut(reason)
    else this.#timers.afterIdleness(this.#context.rotation.idleMillis, () => this.#requestCut('idle'))
  }

  /** While a cut is due but has not begun, more rows would only make it larger. */
  #waits(): boolean {
    if (this.isOver || this.#draining) return false
    return this.#context.budget.isFull || this.#cuts.isDue || this.#asks('block') === 'wait'
  }

  #refuseWhenOver(): void {
    if (this.isOver || this.#asks('block') === 'refuse') throw this.#error ?? notAssigned(this.name)
  }

  /** @param take has the open group take something; `refuse` throws once the log is given up */
  async #add<Taken>(take: (refuse: () => void) => Promise<Taken>): Promise<Taken> {
    // Cuts wait until what the engine has taken is counted, so that what they claim is what it holds.
    this.#taking = true
    try {
      const first = this.#open.group.isEmpty
      const taken = await take(() => {
        if (this.isOver) throw this.#error ?? notAssigned(this.name)
      })
      if (first && !this.#open.group.isEmpty)
        this.#timers.afterAge(this.#context.rotation.ageMillis, () => this.#requestCut('age'))
      this.#tellBuffered()
      return taken
    } catch (error) {
      // What was on its way is charged no more.
      this.#context.budget.changed()
      throw error
    } finally {
      this.#taking = false
      this.#changes.wake()
    }
  }

  #requestCut(reason: CutReason): void {
    if (!this.isOver && !this.#open.group.isEmpty) this.#cuts.request(reason)
  }

  async #cut(cutBy: CutReason): Promise<void> {
    // It was due for the rows of the cut before: whoever waits for it need not.
    if (this.#open.group.isEmpty) return this.#changes.wake()
    const { runtime } = this.#context
    const begun = runtime.monotonic()
    const times = new StepTimes(runtime)
    this.#move('cut')
    this.#timers.stop()
    const entry = await cutGroup(this.#context, {
      log: this.log,
      journal: this.#journal,
      group: this.#open.group,
      staging: this.#open.handOver(this.#abort.signal),
      cutBy,
      signal: this.#abort.signal,
      staged: (files) => {
        this.#open.goOn(files)
        this.#tellBuffered()
        times.ended('stage')
        this.#move('staged')
      },
      claimed: () => {
        times.ended('claim')
        this.#move('claimed')
      },
      published: () => times.ended('publish'),
    })
    times.ended('register')
    this.#published = entry.next
    this.#move('registered')
    this.#committable()
    this.#context.onCommit(groupCommit(entry, cutBy, runtime.monotonic() - begun))
    tellGroup(this.#context.journal.keys.sink, this.log, entry, times, runtime)
    if (this.#open.group.isEmpty && !this.isOver)
      this.#timers.afterAge(this.#context.rotation.ageMillis, () => this.#idle())
  }

  /** Nothing came for a while: say that the newest group is settled. */
  #idle(): void {
    this.#journal.markSettled(this.#abort.signal).catch((error: unknown) => {
      if (!this.isOver)
        this.#context.logger.warn(`${this.name}: no settled marker was written: ${String(error)}`)
    })
  }

  /** The log cannot go on. What was claimed before is finished; everything else is given up. */
  #end(error: unknown): Error {
    const problem = error instanceof Error ? error : new Error(String(error))
    if (this.isOver) return problem
    if (this.#abort.signal.aborted) {
      this.#move('revoke')
      return problem
    }
    this.#error = problem
    const fenced = problem instanceof FencedError
    this.#move(fenced ? 'fence' : 'fail')
    this.#timers.stop()
    void this.#open.discard()
    this.#tellBuffered()
    this.#context.emit(fenced ? 'fenced' : 'failed', this.log, problem)
    return problem
  }

  #tellBuffered(): void {
    this.#context.budget.changed()
    channels.s3Sink.buffered.publish(() => ({
      sink: this.#context.journal.keys.sink,
      ...this.log,
      rows: this.isOver ? 0 : this.#open.group.rows,
      bytes: this.#open.bufferedBytes,
      open: !this.isOver,
    }))
  }

  #committable(): void {
    this.#context.emit('committable', { ...this.log, offset: this.#published })
  }

  #asks(event: PartitionLogEvent): string {
    return partitionLogTransition(this.#state, event)
  }

  #move(event: PartitionLogEvent): void {
    this.#state = partitionLogStateAfter(this.#state, event)
    this.#changes.wake()
  }
}
