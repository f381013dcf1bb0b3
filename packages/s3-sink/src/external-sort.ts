import type { ColumnBatch, ColumnDefinition } from '@stockpipe/core'
import { batchSlice } from './batch-slice.ts'
import { RowCollector } from './row-collector.ts'
import type { RowOrder } from './row-order.ts'
import { type SpilledBatch, SpillFile } from './spill-file.ts'

const mebibyte = 1024 * 1024
/** Rows and values that are handed on at once, about. */
const handedOnRows = 65_536
const handedOnBytes = 16 * mebibyte
/** Values of a batch of a run: one of each run that is merged is in memory. */
const greatestBatchBytes = mebibyte

export interface ExternalSortOptions {
  readonly columns: readonly ColumnDefinition[]
  readonly order: RowOrder
  /** Values held in memory, in bytes; what is more goes to a temporary file. */
  readonly rowBytes: number
  readonly temporaryFolder: string
  readonly signal?: AbortSignal | undefined
}

/** Sorted rows on disk, batch after batch. */
type Run = readonly SpilledBatch[]

/** Rows in order, with what their values take. */
interface SortedRows {
  readonly rows: ColumnBatch
  readonly payloadBytes: number
}

/** Where the merge is in a run. */
interface Head {
  readonly run: Run
  /** The batch after the one in memory. */
  next: number
  batch: ColumnBatch
  row: number
}

/** Sorts any number of rows in bounded memory: sorted runs in a temporary file, merged. */
export class ExternalSort implements AsyncDisposable {
  readonly #options: ExternalSortOptions
  readonly #batchBytes: number
  /** Runs merged at once: half of the memory is theirs. */
  readonly #fanIn: number
  readonly #runs: Run[] = []
  #held: RowCollector
  #heldBytes = 0
  #file: SpillFile | undefined

  constructor(options: ExternalSortOptions) {
    this.#options = options
    this.#batchBytes = Math.min(greatestBatchBytes, options.rowBytes / 8)
    this.#fanIn = Math.floor(options.rowBytes / 2 / this.#batchBytes)
    this.#held = new RowCollector(options.columns)
  }

  /** Bytes that were written to the temporary file; 0: the rows fit into memory so far. */
  get spilledBytes(): number {
    return this.#file?.bytes ?? 0
  }

  /** Throws a `StockpipeError` (`TEMPORARY_FILE_FAILED`) when the disk is full or fails. */
  async add(batch: ColumnBatch): Promise<void> {
    const begin = this.#held.rows
    this.#held.add(batch)
    this.#heldBytes += this.#held.payloadBytes(begin, this.#held.rows)
    if (this.#heldBytes >= this.#options.rowBytes) await this.#spill()
  }

  /** All rows in order. Throws as `add` does. */
  async *sorted(): AsyncGenerator<ColumnBatch> {
    if (this.#runs.length === 0) {
      if (this.#held.rows > 0) yield this.#takeHeld().rows
      return
    }
    await this.#spill()
    const runs = this.#runs
    while (runs.length > this.#fanIn) {
      const merged = runs.splice(0, Math.min(this.#fanIn, runs.length - this.#fanIn + 1))
      const run: SpilledBatch[] = []
      for await (const sorted of this.#merge(merged)) await this.#append(run, sorted)
      runs.push(run)
    }
    for await (const { rows } of this.#merge(runs)) yield rows
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #takeHeld(): SortedRows {
    const taken = { rows: this.#options.order.sorted(this.#held.batch()), payloadBytes: this.#heldBytes }
    this.#held = new RowCollector(this.#options.columns)
    this.#heldBytes = 0
    return taken
  }

  async #spill(): Promise<void> {
    if (this.#held.rows === 0) return
    const run: SpilledBatch[] = []
    await this.#append(run, this.#takeHeld())
    this.#runs.push(run)
  }

  /** Adds sorted rows to a run, in batches. */
  async #append(run: SpilledBatch[], { rows, payloadBytes }: SortedRows): Promise<void> {
    const { signal, temporaryFolder } = this.#options
    this.#file ??= await SpillFile.create(temporaryFolder)
    const bytesOfRow = payloadBytes / rows.rows
    const step = Math.max(1, Math.min(handedOnRows, Math.floor(this.#batchBytes / bytesOfRow)))
    for (let from = 0; from < rows.rows; from += step) {
      signal?.throwIfAborted()
      run.push(await this.#file.write(batchSlice(rows, from, Math.min(rows.rows, from + step))))
    }
  }

  async *#merge(runs: readonly Run[]): AsyncGenerator<SortedRows> {
    const { columns, order, signal } = this.#options
    let heads: Head[] = []
    for (const run of runs) heads.push({ run, next: 1, batch: await this.#file!.read(run[0]!), row: 0 })
    let collected = new RowCollector(columns)
    let payloadBytes = 0
    while (heads.length > 0) {
      signal?.throwIfAborted()
      // The batch that ends first: every row that comes before its end is in memory.
      const first = heads.reduce((least, head) =>
        order.between(head.batch, least.batch)(head.batch.rows - 1, least.batch.rows - 1) < 0 ? head : least,
      )
      for (const head of heads) {
        const to = head === first ? head.batch.rows : rowsUpTo(order, head, first.batch)
        if (to === head.row) continue
        const begin = collected.rows
        collected.add(head.batch, head.row, to)
        payloadBytes += collected.payloadBytes(begin, collected.rows)
        head.row = to
      }
      const left: Head[] = []
      for (const head of heads) {
        if (head.row === head.batch.rows) {
          const next = head.run[head.next]
          if (next === undefined) continue
          head.batch = await this.#file!.read(next)
          head.next += 1
          head.row = 0
        }
        left.push(head)
      }
      heads = left
      if (collected.rows >= handedOnRows || payloadBytes >= handedOnBytes || heads.length === 0) {
        yield { rows: order.sorted(collected.batch()), payloadBytes }
        collected = new RowCollector(columns)
        payloadBytes = 0
      }
    }
  }
}

/** How far the rows of a head go that come no later than the last of a batch. */
const rowsUpTo = (order: RowOrder, { batch, row }: Head, bound: ColumnBatch): number => {
  const compare = order.between(batch, bound)
  let [from, to] = [row, batch.rows]
  while (from < to) {
    const middle = (from + to) >>> 1
    if (compare(middle, bound.rows - 1) <= 0) from = middle + 1
    else to = middle
  }
  return from
}
