import {
  type RecordBatchBlock,
  type RecordBlock,
  type RejectedRecord,
  StockpipeError,
  type TopicPartition,
} from '@stockpipe/core'
import type { EngineResponse } from './engine-messages.ts'
import { type BlockFacts, blockFacts, FlushGroup } from './flush-group.ts'
import { type EntryFile, watermarkAfter } from './journal-entry.ts'
import { isLateReason } from './late-rows.ts'
import type { ChainEnd } from './partition-journal.ts'
import { RejectionLimit } from './rejection-limit.ts'
import type { SinkContext } from './sink-context.ts'
import type { CutReason } from './sink-options.ts'

/** What the engine holds of a log without rows. */
const nothing = { bufferedBytes: 0, encodedBytes: 0, largestFileBytes: 0 }

/** The open flush group of an assigned partition log: what the engine holds of it, and what that comes to. */
export class OpenGroup {
  readonly #log: TopicPartition
  readonly #name: string
  readonly #context: Pick<SinkContext, 'engine' | 'rotation'>
  readonly #rejections: RejectionLimit
  #group = new FlushGroup(0n, null, null)
  #buffered = nothing

  constructor(log: TopicPartition, context: SinkContext) {
    this.#log = log
    this.#name = `${log.topic}-${log.partition}`
    this.#context = context
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
   * Hands a block to the engine and counts what became of it. Answers the block again where the rest of it belongs to
   * the next group.
   *
   * @param refuseWhenOver throws when the log was given up meanwhile: what the engine has taken is discarded after it
   */
  async take(
    given: RecordBlock,
    signal: AbortSignal,
    refuseWhenOver: () => void,
  ): Promise<RecordBlock | undefined> {
    const { next: from, watermark } = this.#group
    const facts = blockFacts(given, from)
    const { responses, block } = await this.#context.engine.take(
      { kind: 'block', block: given, from, watermark },
      signal,
    )
    refuseWhenOver()
    const stopped = responses.find((response) => response.kind === 'buffered')?.stoppedAt
    this.#count(stopped === undefined ? facts : blockFacts(block, from, stopped), responses)
    return stopped === undefined ? undefined : block
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
    const { next: from, watermark } = this.#group
    const { responses, facts } = await this.#context.engine.takeBatches!({ block, from, watermark }, signal)
    refuseWhenOver()
    if (facts === null) return undefined
    this.#count(facts, responses)
    return facts.records
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
        message: `${this.#name}: ${facts.records} records before offset ${facts.next} became ${taken.rows} rows and ${taken.deadLetters} dead letters, ${taken.skipped} were skipped: a fault of the engine.`,
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

  /** Has the engine forget it. */
  discard(): void {
    this.#context.engine.discard(this.#log)
    this.#buffered = nothing
  }
}
