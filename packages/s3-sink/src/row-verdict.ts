import type { ColumnBatch, TableDefinition } from '@stockpipe/core'
import { type EventTimeBoundary, periodEnd } from './event-boundary.ts'
import { eventTimesOf } from './event-time.ts'
import { type LatePolicy, lateReason } from './late-rows.ts'

/** A late row: where it is in its batch, and why. */
export interface LateRow {
  readonly row: number
  readonly column: string
  readonly reason: string
}

/** What event times say of the rows of a batch. */
export interface Verdict {
  /** The first row that belongs to the next group; the batch's rows when there is none. */
  readonly end: number
  /** Where the group's period ends, once a row with an event time was seen. */
  readonly boundary: number | undefined
  readonly late: readonly LateRow[]
}

/** Says of rows whether they are late and where a group ends: by the record, the table and the watermark alone. */
export class RowVerdicts {
  readonly #times: ReturnType<typeof eventTimesOf>
  readonly #late: LatePolicy | undefined
  readonly #boundary: EventTimeBoundary | undefined

  constructor(
    table: TableDefinition,
    options: {
      readonly column?: string | undefined
      readonly late?: LatePolicy | undefined
      readonly boundary?: EventTimeBoundary | undefined
    },
  ) {
    this.#times = eventTimesOf(table, options.column)
    this.#late = options.late
    this.#boundary = options.boundary
  }

  /**
   * @param watermark at the group's start; null while there is none
   * @param boundary as answered for the group's rows before
   */
  of(batch: ColumnBatch, begin: number, watermark: number | null, boundary: number | undefined): Verdict {
    const late: LateRow[] = []
    let end = batch.rows
    if (this.#times && (this.#boundary || (this.#late && watermark !== null))) {
      const timeOf = this.#times.of(batch)
      const { name } = this.#times.column
      const latest = this.#late && watermark !== null ? watermark - this.#late.allowedMillis : undefined
      for (let row = begin; row < batch.rows; row += 1) {
        const time = timeOf(row)
        if (time === null) continue
        if (this.#boundary) {
          boundary ??= periodEnd(Math.max(time, watermark ?? time), this.#boundary)
          if (time >= boundary) {
            end = row
            break
          }
        }
        if (latest !== undefined && time < latest)
          late.push({ row, column: name, reason: lateReason(time, watermark!, this.#late!) })
      }
    }
    return { end, boundary, late }
  }
}
