import { ErrorCode } from '../protocol/error-code.ts'

/** A leader's time over a partition log: from this offset on records are of its epoch. */
export interface EpochStart {
  readonly epoch: number
  readonly startOffset: number
}

/**
 * Which leader epoch each record of a log was written in. The one broker there is begins another whenever it opens a log
 * that it had before, as Apache Kafka does where a partition has one replica.
 */
export class LeaderEpochs {
  /** Ascending by both; the last one is the present epoch. */
  #starts: EpochStart[] = []

  /** @param starts what is known of a log that was opened before */
  constructor(starts: readonly EpochStart[] = []) {
    for (const { epoch, startOffset } of starts) this.begin(epoch, startOffset)
  }

  /** The epoch of what is written now; -1 before the first. */
  get current(): number {
    return this.#starts.at(-1)?.epoch ?? -1
  }

  /** Takes note of the first offset of an epoch; older ones that have no record before it are forgotten. */
  begin(epoch: number, startOffset: number): void {
    if (epoch <= this.current) return
    while (this.#starts.length > 0 && this.#starts.at(-1)!.startOffset >= startOffset) this.#starts.pop()
    this.#starts.push({ epoch, startOffset })
  }

  /** The epochs before `logStartOffset` have no record any more. */
  forgetBefore(logStartOffset: number): void {
    while (this.#starts.length > 1 && this.#starts[1]!.startOffset <= logStartOffset) this.#starts.shift()
    const [first, ...later] = this.#starts
    if (first !== undefined && first.startOffset < logStartOffset) {
      this.#starts = [{ epoch: first.epoch, startOffset: logStartOffset }, ...later]
    }
  }

  /** The epoch of the record at an offset; the present one at the log's end. */
  at(offset: number): number {
    return this.#starts.findLast(({ startOffset }) => startOffset <= offset)?.epoch ?? -1
  }

  /** Where an epoch ended, as OffsetForLeaderEpoch answers it: -1 and -1 for one that is unknown. */
  endOf(epoch: number, logEndOffset: number): { readonly leaderEpoch: number; readonly endOffset: number } {
    if (epoch === this.current) return { leaderEpoch: epoch, endOffset: logEndOffset }
    const next = this.#starts.find((start) => start.epoch > epoch)
    if (epoch < 0 || next === undefined) return { leaderEpoch: -1, endOffset: -1 }
    const known = this.#starts.findLast((start) => start.epoch <= epoch)
    return { leaderEpoch: known?.epoch ?? epoch, endOffset: next.startOffset }
  }

  /** Why a client that knows of another present epoch is refused; -1 is a client that knows of none. */
  refusalOf(clientEpoch: number): number {
    if (clientEpoch < 0 || clientEpoch === this.current) return ErrorCode.NONE
    return clientEpoch < this.current ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH
  }

  snapshot(): readonly EpochStart[] {
    return [...this.#starts]
  }
}
