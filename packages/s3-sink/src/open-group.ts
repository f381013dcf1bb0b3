import {
  type RecordBatchBlock,
  type RecordBlock,
  type RejectedRecord,
  StockpipeError,
  type TopicPartition,
} from '@stockpipe/core'
import type { PartResponse, PartTaker } from './engine-host.ts'
import type { EngineResponse } from './engine-messages.ts'
import { type BlockFacts, blockFacts, FlushGroup } from './flush-group.ts'
import { openStaging, stagingFailure } from './group-staging.ts'
import { type EntryFile, watermarkAfter } from './journal-entry.ts'
import { isLateReason } from './late-rows.ts'
import type { ChainEnd, PartitionJournal } from './partition-journal.ts'
import { RejectionLimit } from './rejection-limit.ts'
import type { SinkContext } from './sink-context.ts'
import type { CutReason } from './sink-options.ts'
import type { Staging } from './staging.ts'

/** What the engine holds of a log without rows. */
const nothing = { bufferedBytes: 0, encodedBytes: 0, largestFileBytes: 0 }

/** The open flush group of an assigned partition log: what the engine holds of it, what is staged, what that comes to. */
export class OpenGroup {
  readonly #log: TopicPartition
  readonly #context: SinkContext
  readonly #journal: PartitionJournal
  readonly #rejections: RejectionLimit
  #group = new FlushGroup(0n, null, null)
  #buffered = nothing
  /** From the first part that is whole while the group is open. */
  #staging: Staging | undefined
  #aborting: Promise<unknown> = Promise.resolve()

  constructor(log: TopicPartition, context: SinkContext, journal: PartitionJournal) {
    this.#log = log
    this.#context = context
    this.#journal = journal
    this.#rejections = new RejectionLimit(log, context.deadLetters)
  }

  /** Its offsets and counts. */
  get group(): FlushGroup {
    return this.#group
  }

  get bufferedBytes(): number {
    return this.#buffered.bufferedBytes
  }

  begin(end: Pick<ChainEnd, 'next' | 'lastRecord' | 'watermark'>): void {
    this.#group = new FlushGroup(end.next, end.lastRecord, end.watermark)
  }

  /**
   * Hands a block to the engine, stages the parts that are whole by then and counts what became of the records. Answers
   * the block again where the rest of it belongs to the next group.
   *
   * @param refuseWhenOver throws when the log was given up meanwhile: what the engine has taken is discarded after it
   */
  async take(
    given: RecordBlock,
    signal: AbortSignal,
    refuseWhenOver: () => void,
  ): Promise<RecordBlock | undefined> {
    return this.#withParts(signal, refuseWhenOver, async (onPart) => {
      const { next: from, watermark } = this.#group
      const facts = blockFacts(given, from)
      const { responses, block } = await this.#context.engine.take(
        { kind: 'block', block: given, from, watermark },
        signal,
        onPart,
      )
      refuseWhenOver()
      const stopped = responses.find((response) => response.kind === 'buffered')?.stoppedAt
      this.#count(stopped === undefined ? facts : blockFacts(block, from, stopped), responses)
      return stopped === undefined ? undefined : block
    })
  }

  /**
   * As `take`, for record batches that the engine unpacks. Answers how many records it took; undefined when nothing was
   * left of the batches.
   */
  async takeBatches(
    block: RecordBatchBlock,
    signal: AbortSignal,
    refuseWhenOver: () => void,
  ): Promise<number | undefined> {
    return this.#withParts(signal, refuseWhenOver, async (onPart) => {
      const { next: from, watermark } = this.#group
      const request = { block, from, watermark }
      const { responses, facts } = await this.#context.engine.takeBatches!(request, signal, onPart)
      refuseWhenOver()
      if (facts === null) return undefined
      this.#count(facts, responses)
      return facts.records
    })
  }

  /** Has something taken, and the parts staged that are whole by then. */
  async #withParts<Taken>(
    signal: AbortSignal,
    refuseWhenOver: () => void,
    take: (onPart: PartTaker) => Promise<Taken>,
  ): Promise<Taken> {
    try {
      this.#staging?.throwIfFailed()
      return await take((part) => {
        refuseWhenOver()
        return this.#stage(part, signal)
      })
    } catch (error) {
      throw await stagingFailure(error, this.#journal, this.#group, signal)
    }
  }

  #count(facts: BlockFacts, responses: readonly EngineResponse[]): void {
    let taken = { rows: 0, deadLetters: 0, skipped: 0 }
    const rejected: RejectedRecord[] = []
    for (const response of responses) {
      if (response.kind === 'rejected') rejected.push(...response.records)
      if (response.kind !== 'buffered') continue
      taken = response
      this.#buffered = response
    }
    this.#rejections.add(
      facts.records,
      rejected.filter(({ reason }) => !isLateReason(reason)),
    )
    if (taken.rows + taken.deadLetters + taken.skipped !== facts.records) {
      throw new StockpipeError({
        code: 'ROWS_MISCOUNTED',
        message: `${this.#journal.name}: ${facts.records} records before offset ${facts.next} became ${taken.rows} rows and ${taken.deadLetters} dead letters, ${taken.skipped} were skipped: a fault of the engine.`,
      })
    }
    this.#group.add(facts, taken)
  }

  /** Why it is large enough to be cut, if it is. */
  get rotationDue(): CutReason | undefined {
    const { rows, bytes, groupBytes } = this.#context.rotation
    const { largestFileBytes, encodedBytes } = this.#buffered
    if (this.#group.rows >= rows) return 'rows'
    return largestFileBytes >= bytes || encodedBytes >= groupBytes ? 'bytes' : undefined
  }

  /** Its rows have left the engine as these files: what comes next is the next group. */
  goOn(files: readonly EntryFile[]): void {
    const { next, lastRecord, watermark } = this.#group
    this.begin({ next, lastRecord, watermark: watermarkAfter({ watermark, files }) })
    this.#buffered = nothing
  }

  /** What is staged of it, for its cut: whoever has it aborts it, too. */
  handOver(signal: AbortSignal): Staging {
    const staging = this.#staging ?? openStaging(this.#context, this.#log, this.#group.start, signal)
    this.#staging = undefined
    return staging
  }

  /** Gives it up: no claim of it was sent. Resolves when its uploads are aborted, or left to be cleaned. */
  async discard(): Promise<void> {
    this.#context.engine.discard(this.#log)
    this.#buffered = nothing
    const staging = this.#staging
    this.#staging = undefined
    this.#aborting = Promise.all([this.#aborting, staging?.abort()])
    await this.#aborting
  }

  async #stage(part: PartResponse, signal: AbortSignal): Promise<void> {
    this.#staging ??= openStaging(this.#context, this.#log, this.#group.start, signal)
    await this.#staging.add(part, () => {
      const bufferedBytes = Math.max(0, this.#buffered.bufferedBytes - part.bytes.length)
      this.#buffered = { ...this.#buffered, bufferedBytes }
    })
  }
}
