import { setMaxListeners } from 'node:events'
import {
  type AssignedPartition,
  channels,
  FencedError,
  LostPositionError,
  type RecordBlock,
  type RejectedRecord,
  type RuntimeTimer,
  StockpipeError,
  type TopicPartition,
} from '@stockpipe/core'
import { ChangeSignal } from './change-signal.ts'
import { blockFacts, FlushGroup } from './flush-group.ts'
import { cutGroup } from './group-cut.ts'
import { StepTimes, tellGroup } from './group-telemetry.ts'
import { type LastRecord, watermarkAfter } from './journal-entry.ts'
import { checkLastRecord } from './last-record-check.ts'
import { isLateReason } from './late-rows.ts'
import { PartitionJournal } from './partition-journal.ts'
import {
  type PartitionLogEvent,
  type PartitionLogState,
  partitionLogStateAfter,
  partitionLogTransition,
} from './partition-log-state.ts'
import { RejectionLimit } from './rejection-limit.ts'
import type { SinkContext } from './sink-context.ts'
import type { CutReason } from './sink-options.ts'

const markerMillis = 5_000
/** What the engine holds of a log without rows. */
const nothing = { bufferedBytes: 0, encodedBytes: 0, largestFileBytes: 0 }

/** One assigned partition log: its journal, its open flush group, and at most one cut under way. */
export class PartitionLog {
  readonly log: TopicPartition
  readonly #context: SinkContext
  readonly #journal: PartitionJournal
  readonly #rejections: RejectionLimit
  readonly #abort = new AbortController()
  readonly #changes = new ChangeSignal()
  #state: PartitionLogState = 'opening'
  #error: Error | undefined
  #group = new FlushGroup(0n, null, null)
  /** Everything below is published and registered. */
  #published = 0n
  /** The newest entry's last record, until Kafka's has been compared with it. */
  #unproven: LastRecord | undefined
  #buffered = nothing
  #cutDue: CutReason | undefined
  /** The cuts under way, one after another, while `#cutting`. */
  #cuts: Promise<void> | undefined
  #cutting = false
  /** The engine has a block whose records are not counted yet. */
  #taking = false
  #draining = false
  /** Blocks are taken one after another, in the order they were written. */
  #lastWrite: Promise<void> = Promise.resolve()
  #timer: RuntimeTimer | undefined
  #idleTimer: RuntimeTimer | undefined

  constructor(log: TopicPartition, context: SinkContext) {
    this.log = { topic: log.topic, partition: log.partition }
    this.#context = context
    this.#journal = new PartitionJournal(this.log, context.journal)
    this.#rejections = new RejectionLimit(this.log, context.deadLetters)
    // Every upload and completion of a cut listens to it at the same time.
    setMaxListeners(0, this.#abort.signal)
    context.budget.add(this)
  }

  get name(): string {
    return this.#journal.name
  }

  /** Where reading goes on: at the newest entry's last record while it has to be compared. */
  get position(): bigint {
    return this.#unproven?.offset ?? this.#group.next
  }

  get bufferedBytes(): number {
    return this.#buffered.bufferedBytes
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
    const either = signal ? AbortSignal.any([signal, this.#abort.signal]) : this.#abort.signal
    const end = await this.#journal.open(assigned, either)
    either.throwIfAborted()
    this.#group = new FlushGroup(end.next, end.lastRecord, end.watermark)
    this.#published = end.next
    if (end.lastRecord && assigned.logStart <= end.lastRecord.offset) this.#unproven = end.lastRecord
    this.#move('opened')
    const { committed } = assigned
    if (end.previousStart !== null && (committed === undefined || committed < end.next)) this.#committable()
    return this.position
  }

  /** Takes a block; resolves when there is room for the next one. */
  write(block: RecordBlock): Promise<void> {
    const write = this.#lastWrite.then(() => this.#take(block))
    this.#lastWrite = write.catch(() => {})
    return write
  }

  get isBeingCut(): boolean {
    return this.#cutDue !== undefined || this.#state === 'staging'
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
    const target = this.#group.next
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
    const { runtime, logger, engine, budget } = this.#context
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
    while (this.#cutting) await this.#cuts
    timer?.cancel()
    this.#state = partitionLogStateAfter(this.#state, 'revoke')
    this.#stopTimer()
    giveUp()
    engine.discard(this.log)
    this.#buffered = nothing
    budget.remove(this)
    this.#tellBuffered()
    this.#changes.wake()
    const late = new AbortController()
    const markerTimer = runtime.setTimer(() => late.abort(new Error('took too long')), markerMillis)
    await this.#journal
      .markSettled(late.signal)
      .catch((error: unknown) => logger.warn(`${this.name}: no settled marker was written: ${String(error)}`))
    markerTimer.cancel()
  }

  async #take(given: RecordBlock): Promise<void> {
    const { budget, compacted } = this.#context
    for (let block: RecordBlock | undefined = given; block; ) {
      // Nothing may come between the last look and the engine's taking.
      while (this.#waits()) await (budget.isFull ? budget.room(this.#abort.signal) : this.#changes.wait())
      this.#refuseWhenOver()
      if (this.#draining) throw notAssigned(this.name)
      let rest: RecordBlock | undefined
      try {
        if (block.firstOffset > this.position) throw offsetJump(this.name, this.log, this.position, block)
        if (this.#unproven) {
          if (!checkLastRecord(block, this.#unproven, { compacted })) return
          this.#unproven = undefined
        }
        if (block.nextOffset <= this.#group.next) return
        rest = await this.#add(block)
      } catch (error) {
        this.#refuseWhenOver()
        throw this.#end(error)
      }
      const reason = rest ? 'event-time' : this.#rotationDue()
      if (reason) this.#requestCut(reason)
      else this.#restartIdleTimer()
      block = rest
    }
    await budget.room(this.#abort.signal)
  }

  /** While a cut is due but has not begun, more rows would only make it larger. */
  #waits(): boolean {
    if (this.isOver || this.#draining) return false
    return this.#context.budget.isFull || this.#cutDue !== undefined || this.#asks('block') === 'wait'
  }

  #refuseWhenOver(): void {
    if (this.isOver || this.#asks('block') === 'refuse') throw this.#error ?? notAssigned(this.name)
  }

  /** Answers the block again where the rest of it belongs to the next group. */
  async #add(given: RecordBlock): Promise<RecordBlock | undefined> {
    // Cuts wait until what the engine has taken is counted, so that what they claim is what it holds.
    this.#taking = true
    try {
      return await this.#taken(given)
    } finally {
      this.#taking = false
      this.#changes.wake()
    }
  }

  async #taken(given: RecordBlock): Promise<RecordBlock | undefined> {
    const { engine, budget, rotation } = this.#context
    const group = this.#group
    const { next: from, watermark } = group
    let facts = blockFacts(given, from)
    let taken: { rows: number; deadLetters: number; skipped: number; stoppedAt?: bigint } = {
      rows: 0,
      deadLetters: 0,
      skipped: 0,
    }
    let rejected: readonly RejectedRecord[] = []
    const { responses, block } = await engine.take(
      { kind: 'block', block: given, from, watermark },
      this.#abort.signal,
    )
    // Given up meanwhile: what the engine has taken is discarded after it.
    if (this.isOver) throw this.#error ?? notAssigned(this.name)
    for (const response of responses) {
      if (response.kind === 'rejected') rejected = response.records
      if (response.kind !== 'buffered') continue
      taken = response
      this.#buffered = response
    }
    if (taken.stoppedAt !== undefined) facts = blockFacts(block, from, taken.stoppedAt)
    this.#rejections.add(
      facts.records,
      rejected.filter(({ reason }) => !isLateReason(reason)),
    )
    if (taken.rows + taken.deadLetters + taken.skipped !== facts.records) {
      throw new StockpipeError({
        code: 'ROWS_MISCOUNTED',
        message: `${this.name}: ${facts.records} records from offset ${from} became ${taken.rows} rows and ${taken.deadLetters} dead letters, ${taken.skipped} were skipped: a fault of the engine.`,
      })
    }
    if (group.isEmpty) this.#startTimer(rotation.ageMillis, () => this.#requestCut('age'))
    group.add(facts, taken)
    budget.changed()
    this.#tellBuffered()
    return taken.stoppedAt === undefined ? undefined : block
  }

  #rotationDue(): CutReason | undefined {
    const { rows, bytes, groupBytes } = this.#context.rotation
    const { largestFileBytes, encodedBytes } = this.#buffered
    if (this.#group.rows >= rows) return 'rows'
    return largestFileBytes >= bytes || encodedBytes >= groupBytes ? 'bytes' : undefined
  }

  #requestCut(reason: CutReason): void {
    if (this.isOver || this.#group.isEmpty) return
    this.#cutDue ??= reason
    if (!this.#cutting) this.#cuts = this.#runCuts()
  }

  async #runCuts(): Promise<void> {
    this.#cutting = true
    try {
      while (this.#cutDue && !this.isOver) {
        const release = await this.#context.cutSlots.acquire(this.#abort.signal)
        try {
          while (this.#taking) await this.#changes.wait(this.#abort.signal)
          const reason = this.#cutDue
          this.#cutDue = undefined
          if (!this.#group.isEmpty && !this.isOver) await this.#cut(reason)
          // It was due for the rows of the cut before: whoever waits for it need not.
          else this.#changes.wake()
        } finally {
          release()
        }
      }
    } catch (error) {
      this.#end(error)
    } finally {
      this.#cutting = false
    }
  }

  async #cut(cutBy: CutReason): Promise<void> {
    const { runtime } = this.#context
    const group = this.#group
    const begun = runtime.monotonic()
    const times = new StepTimes(runtime)
    this.#move('cut')
    this.#stopTimer()
    const entry = await cutGroup(this.#context, {
      log: this.log,
      journal: this.#journal,
      group,
      cutBy,
      signal: this.#abort.signal,
      staged: (files) => {
        const watermark = watermarkAfter({ watermark: group.watermark, files })
        this.#group = new FlushGroup(group.next, group.lastRecord, watermark)
        this.#buffered = nothing
        this.#context.budget.changed()
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
    this.#context.onCommit({
      log: this.log,
      start: entry.start,
      next: entry.next,
      records: entry.counts.records,
      rows: entry.counts.rows,
      deadLetters: entry.counts.deadLetters,
      skipped: entry.counts.skipped,
      holes: entry.holes.offsets,
      files: entry.files.map(({ kind, key, rows, bytes }) => ({ kind, key, rows, bytes })),
      cutBy,
      millis: runtime.monotonic() - begun,
    })
    tellGroup(this.#context.journal.keys.sink, this.log, entry, times, runtime)
    if (this.#group.isEmpty && !this.isOver)
      this.#startTimer(this.#context.rotation.ageMillis, () => this.#idle())
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
    this.#stopTimer()
    this.#context.engine.discard(this.log)
    this.#buffered = nothing
    this.#context.budget.changed()
    this.#tellBuffered()
    this.#context.emit(fenced ? 'fenced' : 'failed', this.log, problem)
    return problem
  }

  #tellBuffered(): void {
    channels.s3Sink.buffered.publish(() => ({
      sink: this.#context.journal.keys.sink,
      ...this.log,
      rows: this.isOver ? 0 : this.#group.rows,
      bytes: this.#buffered.bufferedBytes,
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

  #startTimer(delayMillis: number, callback: () => void): void {
    this.#stopTimer()
    this.#timer = this.#context.runtime.setTimer(callback, delayMillis)
  }

  #restartIdleTimer(): void {
    const { rotation, runtime } = this.#context
    this.#idleTimer?.cancel()
    if (rotation.idleMillis === Number.POSITIVE_INFINITY) return
    this.#idleTimer = runtime.setTimer(() => this.#requestCut('idle'), rotation.idleMillis)
  }

  #stopTimer(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#idleTimer?.cancel()
    this.#idleTimer = undefined
  }
}

const notAssigned = (name: string): StockpipeError =>
  new StockpipeError({
    code: 'PARTITION_NOT_ASSIGNED',
    message: `${name} is not assigned to this sink (any more); assign it before writing.`,
  })

const offsetJump = (
  name: string,
  log: TopicPartition,
  position: bigint,
  block: RecordBlock,
): LostPositionError =>
  new LostPositionError({
    code: 'OFFSET_JUMP',
    message:
      `${name}: the sink stands at offset ${position} and was handed a block that begins at ${block.firstOffset}: ` +
      'the records between were never handed over. Seek to the position that assign answers.',
    facts: { ...log, position, firstOffset: block.firstOffset },
  })
