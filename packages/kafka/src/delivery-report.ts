import { StockpipeError } from '@stockpipe/core'
import type { DeliveryFailure } from './delivery-failure.ts'

/** Where the rows of a `send` are. Position `i` of each array is about row `i`; a row costs 20 bytes. */
export interface DeliveryReport {
  readonly partitions: Int32Array
  /** -1 for a row that is not acknowledged, or whose offset the broker no longer knew when a repeat reached it. */
  readonly offsets: BigInt64Array
  /** Milliseconds since the epoch, as the record has it in the topic. */
  readonly timestamps: Float64Array
}

/** What became of a row. */
export type DeliveryOutcome = 'acknowledged' | 'not-written' | 'unknown'

const outcomeNames = ['pending', 'acknowledged', 'not-written', 'unknown'] as const

/**
 * Rows of a `send` were not acknowledged. `retryable` only when none of its rows is or may be in the topic and the
 * failure passes; otherwise send again the rows that `rows('not-written')` names.
 */
export class DeliveryError extends StockpipeError {
  override readonly name = 'DeliveryError'
  /** Partitions of all rows, offsets of those acknowledged. */
  readonly report: DeliveryReport
  readonly #outcomes: Uint8Array

  /** Made by producers. */
  constructor(topic: string, report: DeliveryReport, outcomes: Uint8Array, failure: DeliveryFailure) {
    const counts = [0, 0, 0, 0]
    for (const outcome of outcomes) counts[outcome]! += 1
    const [, acknowledged = 0, notWritten = 0, unknown = 0] = counts
    super({
      code: failure.code,
      message:
        `${notWritten + unknown} of ${outcomes.length} rows for topic ${topic} were not acknowledged: ${failure.reason}. ` +
        `${acknowledged} are acknowledged, ${notWritten} are not written, of ${unknown} it is not known.`,
      retryable: failure.passing && acknowledged === 0 && unknown === 0,
      cause: failure.cause,
      facts: { ...failure.facts, topic, rows: outcomes.length, acknowledged, notWritten, unknown },
    })
    this.report = report
    this.#outcomes = outcomes
  }

  /** Indexes, in the array passed to `send`, of the rows with this outcome. */
  rows(outcome: DeliveryOutcome): number[] {
    const wanted = outcomeNames.indexOf(outcome)
    const rows: number[] = []
    for (let row = 0; row < this.#outcomes.length; row++) if (this.#outcomes[row] === wanted) rows.push(row)
    return rows
  }
}

/** Who is told what became of the rows in a batch. */
export interface RowReceiver {
  placed(row: number, partition: number, timestamp: number): void
  /** The rows of one batch; row `rows[i]` is at `offsets(i)`. */
  acknowledged(
    rows: readonly number[],
    offsetOf: (index: number) => bigint,
    timestamp: number | undefined,
  ): void
  failed(rows: readonly number[], outcome: 'not-written' | 'unknown', failure: DeliveryFailure): void
}

/** One call of `send`: settled when every row has an outcome, so that its error is complete. */
export class SendCall implements RowReceiver {
  readonly #topic: string
  readonly #report: DeliveryReport
  readonly #outcomes: Uint8Array
  #pending: number
  #failure: DeliveryFailure | undefined
  readonly done: Promise<DeliveryReport>
  #resolve: (report: DeliveryReport) => void = () => {}
  #reject: (error: unknown) => void = () => {}

  constructor(topic: string, rows: number) {
    this.#topic = topic
    this.#report = {
      partitions: new Int32Array(rows).fill(-1),
      offsets: new BigInt64Array(rows).fill(-1n),
      timestamps: new Float64Array(rows),
    }
    this.#outcomes = new Uint8Array(rows)
    this.#pending = rows
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    if (rows === 0) this.#resolve(this.#report)
  }

  placed(row: number, partition: number, timestamp: number): void {
    this.#report.partitions[row] = partition
    this.#report.timestamps[row] = timestamp
  }

  acknowledged(
    rows: readonly number[],
    offsetOf: (index: number) => bigint,
    timestamp: number | undefined,
  ): void {
    const { offsets, timestamps } = this.#report
    for (const [index, row] of rows.entries()) {
      offsets[row] = offsetOf(index)
      if (timestamp !== undefined) timestamps[row] = timestamp
      this.#outcomes[row] = outcomeNames.indexOf('acknowledged')
    }
    this.#settle(rows.length)
  }

  failed(rows: readonly number[], outcome: 'not-written' | 'unknown', failure: DeliveryFailure): void {
    // One that does not pass is told before one that does: the call is not to be repeated as it is.
    if (this.#failure === undefined || (this.#failure.passing && !failure.passing)) this.#failure = failure
    for (const row of rows) this.#outcomes[row] = outcomeNames.indexOf(outcome)
    this.#settle(rows.length)
  }

  #settle(rows: number): void {
    this.#pending -= rows
    if (this.#pending > 0) return
    if (this.#failure === undefined) this.#resolve(this.#report)
    else this.#reject(new DeliveryError(this.#topic, this.#report, this.#outcomes, this.#failure))
  }
}
