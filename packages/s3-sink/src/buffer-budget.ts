import { ChangeSignal } from './change-signal.ts'

/** Who holds buffered rows. */
export interface BudgetHolder {
  /** Bytes held for the open group. */
  readonly bufferedBytes: number
  /** Asks for a cut that frees them. */
  cutForMemory(): void
}

/** Bounds the memory that buffered rows take over all partition logs: past the limit the largest group is cut. */
export class BufferBudget {
  readonly #limit: number
  readonly #holders = new Set<BudgetHolder>()
  readonly #changes = new ChangeSignal()
  readonly #onPressure: (full: boolean) => void
  #full = false

  constructor(limitBytes: number, onPressure: (full: boolean) => void) {
    this.#limit = limitBytes
    this.#onPressure = onPressure
  }

  add(holder: BudgetHolder): void {
    this.#holders.add(holder)
  }

  remove(holder: BudgetHolder): void {
    this.#holders.delete(holder)
    this.changed()
  }

  /** To be called when a holder's bytes have changed. */
  changed(): void {
    const full = this.#bufferedBytes() > this.#limit
    if (full !== this.#full) {
      this.#full = full
      this.#onPressure(full)
    }
    this.#changes.wake()
  }

  /** Resolves when all holders together are within the limit. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#full && !signal.aborted) {
      let largest: BudgetHolder | undefined
      for (const holder of this.#holders) {
        if (holder.bufferedBytes > (largest?.bufferedBytes ?? 0)) largest = holder
      }
      largest?.cutForMemory()
      await this.#changes.wait(signal)
    }
  }

  #bufferedBytes(): number {
    let sum = 0
    for (const holder of this.#holders) sum += holder.bufferedBytes
    return sum
  }
}
